"""Lightning: a callback of its Trainer."""

from __future__ import annotations

import math
from typing import Any

from lrtune.handover.adapters.following import Following, RatedRun


def lightning_callback(run: RatedRun) -> Any:
    """Make a callback that sets the rates of all optimizers before every update, and reports what is logged.

    Reports are made after every validation, with all of ``trainer.callback_metrics``: log the loss on the validation
    rows as ``val_loss``, and a metric by its name. Schedulers of the module itself must not move the rate.

    Parameters
    ----------
    run
        What the function was given.

    """
    import lightning.pytorch as lightning

    class RateCallback(lightning.Callback, Following):  # type: ignore[misc]
        """Sets the rates of a run."""

        def __init__(self) -> None:
            lightning.Callback.__init__(self)
            Following.__init__(self, run)

        def on_train_epoch_start(self, trainer: Any, _module: Any) -> None:
            self.begin_epoch(math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches))

        def on_train_batch_start(self, trainer: Any, _module: Any, _batch: Any, number: int) -> None:
            if number % trainer.accumulate_grad_batches == 0:
                self.begin_update()
                for optimizer in trainer.optimizers:
                    run.set_rate(optimizer)

        def on_train_epoch_end(self, _trainer: Any, _module: Any) -> None:
            self.end_epoch()

        def on_validation_end(self, trainer: Any, _module: Any) -> None:
            if not trainer.sanity_checking:
                self.tell({key.removeprefix("val_"): float(value) for key, value in trainer.callback_metrics.items()})

    return RateCallback()
