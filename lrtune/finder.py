"""The learning-rate finder: from an experiment to curves and an answer for each optimizer.

All folds and several repetitions (other initial parameters, other mini-batches) sweep in lockstep, optimizers too. The
engine is `lrtune.training.range_test`, the reading of curves `lrtune.range_rules`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from lrtune import experiment as experiments
from lrtune.errors import LrtuneError, nearest
from lrtune.evaluation import Setting
from lrtune.experiment import Experiment
from lrtune.preparation import Prepared, prepare
from lrtune.range_rules import AT_START, FALLING, Doubles, Suggestion, band, middle, suggest
from lrtune.training.batches import effective_batch_size, steps_per_epoch
from lrtune.training.range_test import Curves, geometric, ladder, ramp, repeated, thinned
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.trial import Configuration
from lrtune.workers import one_blas_thread

RAMP, LADDER = "ramp", "ladder"
METHODS = (RAMP, LADDER)
DIVISORS = {RAMP: 4.2, LADDER: 1.3}
"""How far below the rate at which the loss has come down the recommendation lies; see ``docs/finder.md``."""

LOW, HIGH = 1e-6, 10.0
REPETITIONS = 3
PER_DECADE = 4
"""Rates of a ladder."""

FURTHER = {FALLING: (1.0, 100.0), AT_START: (1e-3, 1.0)}
"""By how much the ends of the range move when the answer lies outside."""

ATTEMPTS = 3
BOOTSTRAP = 31
"""Stream of the resamples: ``[seed, BOOTSTRAP]``."""

_RAMP_SHARE, _LADDER_SHARE = 0.4, 0.1
_LEAST_RAMP, _MOST_RAMP, _LEAST_LADDER = 100, 1000, 20


@dataclass(frozen=True, eq=False)
class RateCurve:
    """What was seen with one optimizer.

    Attributes
    ----------
    optimizer
        Its name.
    rates
        ``(n,)``.
    losses
        ``(R, K, n)``: validation loss of each repetition and fold, infinite where it has diverged.
    start, constant
        ``(R, K)`` and ``(K,)``: losses before training, and of the best prediction without features.
    updates
        Of the ramp, or of each rate of the ladder.
    suggestion
        The answer.

    """

    optimizer: str
    rates: Doubles
    losses: Doubles
    start: Doubles
    constant: Doubles
    updates: int
    suggestion: Suggestion

    @property
    def median(self) -> Doubles:
        """Median loss of the runs ``(n,)``, infinite where half of them have diverged."""
        return middle(self.losses)

    @property
    def band(self) -> tuple[Doubles, Doubles]:
        """The 10 and 90 % quantiles of the runs."""
        return band(self.losses)

    @property
    def diverged(self) -> Doubles:
        """Share of diverged runs ``(n,)``."""
        share: Doubles = (~np.isfinite(self.losses)).mean(axis=(0, 1))
        return share


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
    repetitions: int = REPETITIONS,
    low: float | None = None,
    high: float | None = None,
) -> Finding:
    """Sweep an experiment's model over rates.

    Parameters
    ----------
    experiment, prepared
        What is trained, and on what.
    optimizers
        Their names; by default those that the experiment may choose.
    method
        ``"ramp"``: one run whose rate rises at every update. ``"ladder"``: a run from scratch for each rate.
    updates
        Of a run; by default a share of the experiment's horizon.
    repetitions
        Runs for each fold.
    low, high
        Ends of the range. An end that is not given moves on when the answer lies outside.

    Raises
    ------
    LrtuneError
        If an argument is wrong.

    """
    names = tuple(dict.fromkeys(optimizers)) or offered(experiment)
    sweep = _Sweep(method, updates, repetitions, low, high)
    _check(names, sweep)
    setting = prepared.setting
    wide = setting._replace(folds=tuple(repeated(thinned(setting.folds, setting.seed), repetitions)))
    with one_blas_thread():
        curves = [_curve(base(experiment, name), wide, sweep) for name in names]
    return Finding(method, len(setting.folds), repetitions, tuple(curves))


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


class _Sweep(NamedTuple):
    """How to sweep; None leaves a choice to us."""

    method: str
    updates: int | None
    repetitions: int
    low: float | None
    high: float | None

    def ends(self) -> tuple[float, float]:
        low = self.low or (LOW if self.high is None else min(LOW, self.high * 1e-3))
        return low, self.high or max(HIGH, low * 1e3)


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


def _check(names: Sequence[str], sweep: _Sweep) -> None:
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


def horizon(configuration: Configuration, setting: Setting) -> int:
    """Count the updates of a whole training run on the smallest fold."""
    rows = min(len(fold.features) for fold in setting.folds)
    size = effective_batch_size(cast("int", configuration["batch_size"]), rows)
    return steps_per_epoch(size, rows) * cast("int", configuration["epochs"])


def _curve(configuration: Configuration, setting: Setting, sweep: _Sweep) -> RateCurve:
    """Sweep one optimizer, and again over a longer range as long as the answer lies outside."""
    low, high = sweep.ends()
    updates = sweep.updates or _usual_updates(configuration, setting, sweep.method)
    per_decade = updates / math.log10(high / low) if sweep.method == RAMP else PER_DECADE
    for attempt in range(1, ATTEMPTS + 1):
        points = max(round(per_decade * math.log10(high / low)) + (sweep.method == LADDER), 2)
        found = _swept(configuration, setting, sweep, geometric(low, high, points), updates)
        down, up = FURTHER.get(found.suggestion.status, (1.0, 1.0))
        moved = (low if sweep.low else low * down, high if sweep.high else high * up)
        if moved == (low, high) or attempt == ATTEMPTS:
            break
        low, high = moved
    return found


def _usual_updates(configuration: Configuration, setting: Setting, method: str) -> int:
    whole = horizon(configuration, setting)
    if method == LADDER:
        return max(_LEAST_LADDER, round(_LADDER_SHARE * whole))
    return min(max(_LEAST_RAMP, round(_RAMP_SHARE * whole)), _MOST_RAMP)


def _swept(configuration: Configuration, setting: Setting, sweep: _Sweep, rates: Doubles, updates: int) -> RateCurve:
    given = ([configuration], setting.folds, setting.problem, rates)
    if sweep.method == RAMP:
        curves = ramp(*given, seed=setting.seed, dtype=setting.dtype)
        updates = len(rates)
    else:
        curves = ladder(*given, updates=updates, seed=setting.seed, dtype=setting.dtype)
    return _read(str(configuration["optimizer"]), curves, sweep, setting.seed, updates)


def _read(name: str, curves: Curves, sweep: _Sweep, seed: int, updates: int) -> RateCurve:
    losses = curves.losses[0].reshape(sweep.repetitions, -1, curves.losses.shape[-1])
    start = curves.start[0].reshape(sweep.repetitions, -1)
    constant = curves.constant[: start.shape[1]]
    rng = np.random.default_rng([seed, BOOTSTRAP])
    answer = suggest(curves.rates[0], losses, start, constant, divisor=DIVISORS[sweep.method], rng=rng)
    return RateCurve(name, curves.rates[0], losses, start, constant, updates, answer)
