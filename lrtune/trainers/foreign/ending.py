"""What a fit ends with: its last report, its curves, and perhaps predictions for the validation rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.trainers.foreign.run import TrainingError
from lrtune.training.feedback import Scales

VALUE = "value"
"""Key of a score that a plain function returned as a number."""

LABELS = "labels"
"""Predictions that are names of classes."""


class Report(NamedTuple):
    """What a fit tells after so many epochs: numbers by name."""

    epoch: int
    values: Mapping[str, float]


class Ending(NamedTuple):
    """What came of a fit.

    Attributes
    ----------
    values
        Of the last report.
    curve
        All reports.
    predictions
        For the validation rows: labels or values ``(n,)``, probabilities ``(n, k)``; None if there are none.
    kind
        How to read them: ``"outputs"``; ``"labels"``, texts or numbers of classes; ``"scores"``, of the positive class.
    scales
        What the rates of each epoch were multiplied by.

    """

    values: Mapping[str, float]
    curve: Sequence[Report] = ()
    predictions: Array | None = None
    kind: str = "outputs"
    scales: Scales = ()


def ask_for_predictions(made: Any, last: Mapping[str, Any], curve: Sequence[Report], scales: Scales = ()) -> Ending:
    """Take predictions from what a function returned, or from its last report; a number is its score."""
    values = dict(curve[-1].values) if curve else {}
    if made is None:
        made = last.get("predictions")
    if isinstance(made, bool):
        raise TrainingError(f"returned {made}; expected predictions, or the score as a number")
    if isinstance(made, Real):
        return Ending({**values, VALUE: float(made)}, curve, scales=scales)
    if made is None:
        if not values:
            raise TrainingError("reported nothing and returned nothing; yield {'loss': ...}, or return predictions")
        return Ending(values, curve, scales=scales)
    found = as_array(made)
    return Ending(values, curve, found, LABELS if found.dtype.kind in "USb" else "outputs", scales)


def as_array(made: Any) -> Array:
    """Turn predictions into an array: of NumPy, PyTorch, pandas, or a list."""
    for name in ("detach", "cpu", "to_numpy"):
        if hasattr(made, name):
            made = getattr(made, name)()
    try:
        found = np.asarray(made)
    except (TypeError, ValueError) as error:
        raise TrainingError(f"returned {type(made).__name__}; expected predictions as an array ({error})") from None
    if found.dtype.kind == "O":
        found = np.asarray([str(each) for each in found.ravel()]).reshape(found.shape)
    if isinstance(made, str | bytes) or found.ndim not in (1, 2):
        what = f"an array {found.shape}" if found.ndim > 2 else type(made).__name__
        raise TrainingError(f"returned {what}; expected predictions (n,) or (n, k)")
    if found.dtype.kind not in "fiuUSb":
        raise TrainingError(f"returned an array {found.shape} of {found.dtype}; expected predictions (n,) or (n, k)")
    return found
