"""Keras: a callback of ``model.fit``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrtune.handover.adapters.following import Following, RatedRun


def keras_callback(run: RatedRun) -> Any:
    """Make a callback that sets the rate before every update, and reports what Keras evaluates after every epoch.

    ``val_loss`` is reported as ``loss`` and other ``val_`` values by their names; ``loss`` itself, which is that of
    training, as ``train_loss``.

    Parameters
    ----------
    run
        What the function was given. The batch size is Keras'; where rates are read before the training, set
        ``training.batch_size`` to the same.

    """
    import keras

    class RateCallback(keras.callbacks.Callback, Following):  # type: ignore[misc]
        """Sets the rates of a run."""

        def __init__(self) -> None:
            keras.callbacks.Callback.__init__(self)
            Following.__init__(self, run)

        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            del epoch, logs
            self.begin_epoch(int(self.params["steps"]))

        def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            del batch, logs
            rate = self.begin_update()
            if hasattr(self.model, "jax_state_sync"):  # on JAX, variables are read again only after that
                self.model.jax_state_sync()
            self.model.optimizer.learning_rate = rate

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            del epoch
            self.end_epoch()
            self.tell(_named({key: float(value) for key, value in (logs or {}).items()}))

    return RateCallback()


def _named(logs: Mapping[str, float]) -> dict[str, float]:
    """Call values as lrtune does: those of the validation rows by the names of metrics."""
    validation = {key.removeprefix("val_"): value for key, value in logs.items() if key.startswith("val_")}
    training = {f"train_{key}": value for key, value in logs.items() if not key.startswith("val_")}
    return {**training, **validation}
