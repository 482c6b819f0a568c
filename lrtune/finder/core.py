"""The learning-rate finder: from an experiment to curves and an answer for each optimizer.

All folds and several repetitions (other initial parameters, other mini-batches) sweep in lockstep. What is done for one
optimizer is in `lrtune.finder.sweeps`; the engine is `lrtune.training.range_test`, arithmetic `lrtune.finder.rules`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtune import experiment as experiments
from lrtune.blas import one_blas_thread
from lrtune.experiment import Experiment
from lrtune.finder.rules import Suggestion
from lrtune.finder.sweeps import METHODS, RAMP, RateCurve, Sweep, rate_curve
from lrtune.text.errors import LrtuneError, nearest
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.training.registry import OPTIMIZERS, complete


@dataclass(frozen=True, eq=False)
class Finding:
    """All curves of one call, by optimizer in the order asked for, and how they came about."""

    method: str
    folds: int
    repetitions: int
    curves: tuple[RateCurve, ...]

    @property
    def suggestions(self) -> dict[str, Suggestion]:
        """The answer for each optimizer."""
        return {each.optimizer: each.suggestion for each in self.curves}


def find_learning_rate(
    config: str | Path | Experiment | None = None,
    *,
    data: str | Path | None = None,
    target: str | None = None,
    overrides: Sequence[str] = (),
    **options: Any,
) -> Finding:
    """Find the learning rates that work.

    Parameters
    ----------
    config
        An experiment file, or an `Experiment`; it is left as it is. Neither NumPy's global random state nor anything
        else outside of the call changes.
    data, target, overrides
        As in `lrtune.experiment.load`; a table alone will do.
    options
        As in `find`: ``optimizers``, ``method``, ``updates``, ``repetitions``, ``low``, ``high``.

    Returns
    -------
    Finding
        ``curves[0].suggestion.recommended`` is the answer for the first optimizer; None unless its ``status`` is
        ``"ok"``.

    """
    found = config
    if not isinstance(found, Experiment):
        found = experiments.load(config, list(overrides), data=data, target=target)  # type: ignore[arg-type]
    return find(found, prepare(found), **options)


def find(
    experiment: Experiment,
    prepared: Prepared,
    *,
    optimizers: Sequence[str] = (),
    method: str = RAMP,
    updates: int | None = None,
    repetitions: int | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Finding:
    """Sweep an experiment's model over rates, and try short runs where the sweep leads.

    Parameters
    ----------
    experiment, prepared
        What is trained, and on what.
    optimizers
        Their names; by default those that the experiment may choose.
    method
        ``"ramp"``: one run whose rate rises at every update. ``"ladder"``: a run from scratch for each rate.
    updates
        Of a run of the sweep; by default a share of the experiment's horizon.
    repetitions
        Runs for each fold in the sweep; by default three for a ramp, one for a ladder.
    low, high
        Ends of the range. An end that is not given moves on when the answer lies outside.

    Raises
    ------
    LrtuneError
        If an argument is wrong.

    """
    names = tuple(dict.fromkeys(optimizers)) or offered(experiment)
    sweep = Sweep(method, updates, repetitions, low, high)
    _check(names, sweep)
    setting = prepared.setting
    with one_blas_thread():
        curves = [rate_curve(base(experiment, name), setting, sweep) for name in names]
    return Finding(method, len(setting.folds), len(curves[0].losses), tuple(curves))


def resolved(experiment: Experiment, prepared: Prepared) -> tuple[Experiment, Finding | None]:
    """Find the ranges of learning rates that an experiment leaves to us (``learning_rate: auto``).

    Returns
    -------
    experiment
        With ranges in their place: those suggested, and for optimizers without an answer the documented ones. The same
        experiment and data give the same ranges.
    finding
        What they come from; None if nothing is left to us.

    """
    if not experiment.automatic:
        return experiment, None
    finding = find(experiment, prepared, optimizers=experiment.automatic)
    ranges = {name: each.search_range for name, each in finding.suggestions.items() if each.search_range is not None}
    return experiments.with_rates(experiment, ranges), finding


def offered(experiment: Experiment) -> tuple[str, ...]:
    """List the optimizers that an experiment may choose."""
    for each in experiment.space.dimensions:
        if each.name == "optimizer" and hasattr(each, "options"):
            return tuple(str(option.value) for option in each.options)
    return (str(experiment.configuration(experiment.space.default())["optimizer"]),)


def base(experiment: Experiment, optimizer: str) -> dict[str, Any]:
    """Take the experiment's default configuration, with another optimizer and its default factors if need be."""
    default = experiment.configuration(experiment.space.default())
    if default["optimizer"] == optimizer:
        return default
    own = ("optimizer", "learning_rate", "weight_decay", "decoupled")
    others = {key: value for key, value in default.items() if not key.startswith(own)}
    fixed = {key: experiment.fixed[key] for key in ("weight_decay", "decoupled") if key in experiment.fixed}
    return complete({**others, **fixed, "optimizer": optimizer})


def _check(names: Sequence[str], sweep: Sweep) -> None:
    for name in names:
        if name not in OPTIMIZERS:
            raise LrtuneError(f"unknown optimizer '{name}'; {nearest(name, OPTIMIZERS)}")
    if sweep.method not in METHODS:
        raise LrtuneError(f"unknown method '{sweep.method}'; {nearest(sweep.method, METHODS)}")
    for name, count in (("updates", sweep.updates), ("repetitions", sweep.repetitions)):
        if count is not None and count < 1:
            raise LrtuneError(f"{name} must be at least 1, got {count}")
    for end in (sweep.low, sweep.high):
        if end is not None and not 0.0 < end < math.inf:
            raise LrtuneError(f"the ends of the range of rates must be above 0 and finite, got {end:g}")
    low, high = sweep.ends()
    if low >= high:
        raise LrtuneError(f"the low end of the range of rates must be below the high end, got {low:g} and {high:g}")
