"""XGBoost: a callback of ``xgboost.train``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lrtune.handover.adapters.following import Following, RatedRun


def xgboost_callback(run: RatedRun) -> Any:
    """Make a callback that sets the rate of every round, and reports what XGBoost evaluates after it.

    A round is an epoch of one update: ``num_boost_round=run.epochs``. Values of the set called ``validation`` are
    reported by the names of their metrics, the first of them as ``loss`` as well; those of another set with its name
    before them, as ``train_rmse``.

    Parameters
    ----------
    run
        What the function was given.

    """
    from xgboost.callback import TrainingCallback

    class RateCallback(TrainingCallback, Following):  # type: ignore[misc]
        """Sets the rates of a run."""

        def __init__(self) -> None:
            TrainingCallback.__init__(self)
            Following.__init__(self, run)

        def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            del epoch, evals_log
            self.begin_epoch(1)
            model.set_param("learning_rate", self.begin_update())
            return False

        def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> bool:
            del model, epoch
            self.end_epoch()
            last = [(name, key, values[-1]) for name, found in evals_log.items() for key, values in found.items()]
            self.tell(named_by_set([(name, key, float(value)) for name, key, value in last]))
            return False

    return RateCallback()


def named_by_set(found: Sequence[tuple[str, str, float]]) -> dict[str, float]:
    """Call values of sets of rows as lrtune does.

    Parameters
    ----------
    found
        Name of the set, of the metric, and the value.

    """
    values: dict[str, float] = {}
    for name, metric, value in found:
        if name == "validation":
            values.setdefault("loss", value)
            values[metric] = value
        elif name == "monitor":
            values.setdefault(name, value)
        else:
            values.setdefault(f"{name}_loss", value)
            values[f"{name}_{metric}"] = value
    return values
