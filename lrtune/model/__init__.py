"""The retrained model: fitted on given rows, saved without a pickle, loaded as a scikit-learn estimator.

::

    core        a model that predicts rows of a new table
    stored      a model as files: JSON and npz
    foreign     members of a model that another trainer made               door: skops
    fitting     one configuration on given rows -> Model
    predicted   what a model says of a table, as columns
    estimator   the trainer and saved models as scikit-learn estimators      door: scikit-learn
"""

from lrtune.model.core import Model, TrainedNetwork, averaged
from lrtune.model.stored import class_names, describe, is_intact, is_saved, load, save

__all__ = ["Model", "TrainedNetwork", "averaged", "class_names", "describe", "is_intact", "is_saved", "load", "save"]
