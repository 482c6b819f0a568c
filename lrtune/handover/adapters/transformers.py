"""Hugging Face: a callback of the Trainer of transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lrtune.handover.adapters.following import Following, RatedRun


def transformers_callback(run: RatedRun) -> Any:
    """Make a callback that sets the rate before every update, and reports what the Trainer evaluates.

    ``eval_loss`` is reported as ``loss``, other ``eval_`` values by their names. The Trainer sets rates of its own
    after every update; they do not act, because this callback sets lrtune's before the next.

    Parameters
    ----------
    run
        What the function was given. Let ``TrainingArguments`` have ``num_train_epochs=run.epochs``.

    """
    from transformers import TrainerCallback

    class RateCallback(TrainerCallback, Following):  # type: ignore[misc]
        """Sets the rates of a run."""

        def __init__(self) -> None:
            Following.__init__(self, run)

        def on_epoch_begin(self, args: Any, state: Any, _control: Any, **_more: Any) -> None:
            self.begin_epoch(math.ceil(state.max_steps / args.num_train_epochs))

        def on_step_begin(self, _args: Any, _state: Any, _control: Any, *, optimizer: Any, **_more: Any) -> None:
            self.begin_update()
            run.set_rate(optimizer)

        def on_epoch_end(self, _args: Any, _state: Any, _control: Any, **_more: Any) -> None:
            self.end_epoch()

        def on_evaluate(
            self, _args: Any, _state: Any, _control: Any, *, metrics: Mapping[str, Any] | None = None, **_more: Any
        ) -> None:
            values = {key.removeprefix("eval_"): each for key, each in (metrics or {}).items() if key != "epoch"}
            self.tell({key: float(each) for key, each in values.items() if isinstance(each, int | float)})

    return RateCallback()
