"""LightGBM: callbacks of ``lightgbm.train``."""

from __future__ import annotations

from typing import Any

from lrtune.handover.adapters.following import Following, RatedRun
from lrtune.handover.adapters.xgboost import named_by_set


class RateCallback(Following):
    """Sets the rate of every round, and reports what LightGBM evaluates after it; made by `lightgbm_callback`.

    Attributes
    ----------
    callbacks
        What ``lightgbm.train(..., callbacks=...)`` takes.

    """

    def __init__(self, run: RatedRun) -> None:
        super().__init__(run)
        self.callbacks = [_Before(self), _After(self)]


class _Before:
    before_iteration, order = True, 10

    def __init__(self, following: Following) -> None:
        self.following = following

    def __call__(self, environment: Any) -> None:
        self.following.begin_epoch(1)
        rate = {"learning_rate": self.following.begin_update()}
        environment.model.reset_parameter(rate)
        environment.params.update(rate)


class _After:
    before_iteration, order = False, 10

    def __init__(self, following: Following) -> None:
        self.following = following

    def __call__(self, environment: Any) -> None:
        self.following.end_epoch()
        self.following.tell(
            named_by_set([(each[0], each[1], float(each[2])) for each in environment.evaluation_result_list])
        )


def lightgbm_callback(run: RatedRun) -> RateCallback:
    """Make callbacks that set the rate of every round, and report what LightGBM evaluates after it.

    A round is an epoch of one update: ``num_boost_round=run.epochs``. Give them as ``callbacks=callback.callbacks``,
    and names of sets of rows as ``valid_names``: what is reported of them is as with `xgboost_callback`.

    Parameters
    ----------
    run
        What the function was given.

    """
    return RateCallback(run)
