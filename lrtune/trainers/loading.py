"""A saved model, ready to predict: those of other trainers may have to run code for that, if one trusts it."""

from __future__ import annotations

from pathlib import Path

from lrtune import model
from lrtune.model import Model
from lrtune.model import estimator as estimators
from lrtune.model.estimator import Classifier, Regressor
from lrtune.trainers.foreign.retraining import awake


def load_model(folder: Path, *, trust: bool = False) -> Model:
    """Read a saved model, as `lrtune.model.load` does; with ``trust``, code that it needs to predict is run.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.

    """
    found = model.load(folder, trust=trust)
    return awake(found) if trust else found


def load(path: str | Path, *, trust: bool = False) -> Classifier | Regressor:
    """Load a saved model as a fitted estimator. Nothing in the files is executed, unless you say that you trust them.

    Parameters
    ----------
    path
        The folder of a run, or of a model.
    trust
        Whether code may run that the model of another trainer than lrtune's own needs to predict: that of your
        function, or of an estimator of another library than scikit-learn.

    Returns
    -------
    estimator
        Data frames are matched by the names of their columns, in any order. An array has the columns of the training
        table in their order, without the target. Its parameters are those of the configuration, of the first one where
        the model is a mean; of another trainer's model they stand in ``model_.members``, and these are the defaults.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.

    """
    found = estimators.load(path, trust=trust)
    if trust:
        found.model_ = awake(found.model_)
    return found
