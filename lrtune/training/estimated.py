"""What an estimator predicts that is not lrtune's own: as metrics take it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from lrtune.arrays import Array


def predicted(estimator: Any, features: Any, classes: int, *, scores: bool = False) -> tuple[Array, str]:
    """Ask an estimator: values or probabilities of all classes are ``outputs``, else numbers of classes ``codes``.

    Parameters
    ----------
    estimator
        Fitted to numbers of classes, or to values.
    features
        ``(N, D)``.
    classes
        How many there are; 0 for values.
    scores
        Whether those of the positive one of two classes, ``scores``, serve where there are no probabilities.

    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not classes:
            return np.asarray(estimator.predict(features), dtype=np.float64).reshape(len(features), -1)[:, 0], "outputs"
        if hasattr(estimator, "predict_proba"):
            found = np.asarray(estimator.predict_proba(features), dtype=np.float64)
            whole = np.zeros((len(found), classes))
            whole[:, np.asarray(estimator.classes_, dtype=np.int64)] = found  # a class may be missing in training
            return whole, "outputs"
        if scores and classes == 2 and hasattr(estimator, "decision_function"):
            return np.asarray(estimator.decision_function(features), dtype=np.float64), "scores"
        return np.asarray(estimator.predict(features)).astype(np.int64), "codes"
