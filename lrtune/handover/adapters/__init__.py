"""Callbacks that give a library lrtune's rates, where that library runs the training loop.

Each imports its library when it is called. What they have in common is that they count the updates, and that their
``reports(fit)`` yields what the library evaluates while it trains.

::

    following    counts updates, and yields the reports of a training that runs in a thread
    keras        ``model.fit`` of Keras                          door: Keras
    lightgbm     the rate of each round                          door: LightGBM
    lightning    the Trainer of Lightning                        door: Lightning
    transformers the Trainer of Hugging Face                     door: transformers
    xgboost      the rate of each round                          door: XGBoost
"""

from lrtune.handover.adapters.keras import keras_callback
from lrtune.handover.adapters.lightgbm import lightgbm_callback
from lrtune.handover.adapters.lightning import lightning_callback
from lrtune.handover.adapters.transformers import transformers_callback
from lrtune.handover.adapters.xgboost import xgboost_callback

__all__ = ["keras_callback", "lightgbm_callback", "lightning_callback", "transformers_callback", "xgboost_callback"]
