"""The learning-rate finder: from an experiment to curves and an answer for each optimizer.

All folds and several repetitions (other initial parameters, other mini-batches) sweep in lockstep. What is done for one
optimizer is in `lrtune.finder.answers`; the engine is `lrtune.training.range_test`, arithmetic `lrtune.finder.rules`
and `lrtune.finder.planned`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from lrtune import experiment as experiments
from lrtune.arrays import one_blas_thread
from lrtune.experiment import Experiment
from lrtune.finder.answers import rate_curve
from lrtune.finder.curves import RateCurve
from lrtune.finder.foreign import METHOD, SHORT_SHARE, find_in_full, measured_by, optimizers_of
from lrtune.finder.rules import Suggestion
from lrtune.finder.sweeps import METHODS, RAMP, Sweep
from lrtune.text.errors import LrtuneError, nearest
from lrtune.text.shown import Shown, showing
from lrtune.trainers.arguments import experiment_and_table
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.training.registry import OPTIMIZERS, Complete, complete


@dataclass(frozen=True, eq=False)
class RateFinding:
    """All curves of one call, by optimizer in the order asked for, how they came about, and what they are curves of."""

    method: str
    folds: int
    repetitions: int
    curves: tuple[RateCurve, ...]
    measured: str = "validation loss"

    @property
    def suggestions(self) -> dict[str, Suggestion]:
        """The answer for each optimizer."""
        return {each.optimizer: each.suggestion for each in self.curves}

    def plot(self) -> Shown:
        """Draw the curves; notebooks show them, and ``.save(path)`` writes them."""
        return showing().of_finding(self)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


def find_learning_rate(
    experiment: str | Path | Experiment | None = None,
    *,
    data: Any = None,
    target: str | None = None,
    X: Any = None,
    y: Any = None,
    overrides: Sequence[str] = (),
    optimizers: Sequence[str] = (),
    method: str = RAMP,
    updates: int | None = None,
    repetitions: int | None = None,
    low: float | None = None,
    high: float | None = None,
    quick: bool = False,
) -> RateFinding:
    """Find the learning rates that work.

    The same arguments and data give the same answer. Neither NumPy's global random state nor anything else outside of
    the call changes.

    Parameters
    ----------
    experiment
        An experiment file, or an `Experiment`, which is left as it is; None takes what suits the table, as
        `lrtune init` writes it.
    data
        A table in place of the file's: a path, a data frame of polars or pandas, or a mapping from names to columns.
    target
        Its column to predict.
    X, y
        In place of `data`: features (N, D), an array or a data frame, and the value or label of each row (N,).
    overrides
        Settings that replace those of the file, as ``"model.hidden=[32]"``.
    optimizers
        Their names; by default those that the experiment may choose.
    method
        ``"ramp"``: one run whose rate rises at every update. ``"ladder"``: a run from scratch for each rate.
    updates
        Of a run of the sweep; by default a share of the experiment's horizon.
    repetitions
        Runs for each fold in the sweep; by default three for a ramp, one for a ladder.
    low, high
        Ends of the range of rates. An end that is not given moves on when the answer lies outside.
    quick
        Whether the planned training is left out: the answer is then of short runs, and speaks of how fast the loss
        falls at first.

    Returns
    -------
    RateFinding
        ``curves[0].suggestion.recommended`` is the answer for the first optimizer; None unless its ``status`` is
        ``"ok"``.

    Raises
    ------
    LrtuneError
        If an argument, the experiment or the table is wrong.

    >>> import lrtune
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> finding = lrtune.find_learning_rate(X=X, y=y, optimizers=["adam"], overrides=["training.epochs=10"])
    >>> [(curve.optimizer, curve.suggestion.status) for curve in finding.curves]
    [('adam', 'ok')]
    """
    chosen, table = experiment_and_table(experiment, data=data, target=target, X=X, y=y, overrides=overrides)
    return find(
        chosen,
        prepare(chosen, table=table),
        optimizers=[optimizers] if isinstance(optimizers, str) else optimizers,
        method=method,
        updates=updates,
        repetitions=repetitions,
        low=low,
        high=high,
        quick=quick,
    )


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
    quick: bool = False,
) -> RateFinding:
    """Sweep an experiment's model over rates, try short runs where the sweep leads, and train where these lead in full.

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
    quick
        Whether the planned training at a few rates is left out.

    Raises
    ------
    LrtuneError
        If an argument is wrong.

    """
    names = tuple(dict.fromkeys(optimizers)) or offered(experiment)
    sweep = Sweep(method, updates, repetitions, low, high, is_quick=quick)
    if experiment.trainer.is_foreign:
        problems = [*_illegal(sweep), *_not_of_others(method, updates, repetitions, quick=quick)]
        if problems:
            raise LrtuneError("; ".join(problems))
        curves = find_in_full(experiment, prepared, sweep, names)
        return RateFinding(METHOD, len(prepared.setting.folds), 1, curves, measured_by(prepared.metric))
    _check(names, sweep)
    setting = prepared.setting
    with one_blas_thread():
        swept = [rate_curve(base(experiment, name), setting, sweep) for name in names]
    repetitions_done, folds = swept[0].start.shape
    return RateFinding(method, folds, repetitions_done, tuple(swept))


def resolved(experiment: Experiment, prepared: Prepared) -> tuple[Experiment, RateFinding | None]:
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
    finding = find(experiment, prepared, optimizers=experiment.automatic, quick=True)
    ranges = {name: each.search_range for name, each in finding.suggestions.items() if each.search_range is not None}
    return experiments.with_rates(experiment, ranges), finding


def offered(experiment: Experiment) -> tuple[str, ...]:
    """List the optimizers that an experiment may choose; of another trainer, the values of a parameter of that name."""
    if experiment.trainer.is_foreign:
        return optimizers_of(experiment)
    for each in experiment.space.dimensions:
        if each.name == "optimizer" and hasattr(each, "options"):
            return tuple(str(option.value) for option in each.options)
    return (str(experiment.configuration(experiment.space.default())["optimizer"]),)


def base(experiment: Experiment, optimizer: str) -> Complete:
    """Take the experiment's default configuration, with another optimizer and its default factors if need be."""
    default = experiment.configuration(experiment.space.default())
    if default["optimizer"] == optimizer:
        return default
    own = ("optimizer", "learning_rate", "weight_decay", "decoupled")
    others = {key: value for key, value in default.items() if not key.startswith(own)}
    fixed = {key: experiment.fixed[key] for key in ("weight_decay", "decoupled") if key in experiment.fixed}
    return complete({**others, **fixed, "optimizer": optimizer})


def _check(names: Sequence[str], sweep: Sweep) -> None:
    problems = [*_unknown(names, sweep.method), *_illegal(sweep)]
    if problems:
        raise LrtuneError("; ".join(problems))


def _unknown(names: Sequence[str], method: str) -> Iterator[str]:
    yield from (f"unknown optimizer '{name}'; {nearest(name, OPTIMIZERS)}" for name in names if name not in OPTIMIZERS)
    if method not in METHODS:
        yield f"unknown method '{method}'; {nearest(method, METHODS)}"


def _illegal(sweep: Sweep) -> Iterator[str]:
    for name, count in (("updates", sweep.updates), ("repetitions", sweep.repetitions)):
        if count is not None and not (_is(count, Integral) and count >= 1):
            yield f"{name} must be at least 1 and whole, got {count!r}"
    ends = {name: end for name, end in (("low", sweep.low), ("high", sweep.high)) if end is not None}
    wrong = {name: end for name, end in ends.items() if not (_is(end, Real) and 0.0 < end < math.inf)}
    yield from (f"{name} must be above 0 and finite, got {_shown(end)}" for name, end in wrong.items())
    if not wrong and len(ends) == 2 and ends["low"] >= ends["high"]:
        yield f"low must be below high, got {ends['low']:g} and {ends['high']:g}"


def _not_of_others(method: str, updates: int | None, repetitions: int | None, *, quick: bool) -> Iterator[str]:
    """Refuse what only lrtune's own networks can do."""
    if method not in METHODS:
        yield f"unknown method '{method}'; {nearest(method, METHODS)}"
    for name, given in (("updates", updates), ("repetitions", repetitions), ("quick", quick or None)):
        if given is not None:
            share = f"{SHORT_SHARE:.0%}"
            yield f"{name} is for lrtune's own networks; another trainer has short runs of {share} of its epochs"


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return f"{value:g}" if _is(value, Real) else repr(value)
