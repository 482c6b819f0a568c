"""The finder for trainers that are not lrtune's own: short runs over all rates, then a few rates trained in full.

Code of somebody else tells a loss when it likes to, not before and after every update: so there is no ramp. Each rate
has a run of its own, with rates that fall along a line to zero, on few epochs and few folds (a ladder of short runs).
Where they lead, the planned training is done in full, on all folds, with the best rate of the short runs carried over
to the planned horizon and a third and three times of it; as long as the best of them is at an end, the next one joins,
and in the end the rates between it and its neighbours. What is recommended is the best of those trained in full.

The loss is the metric's, on the validation rows; of a metric that is no error, one minus it.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence

import numpy as np

from lrtune.arrays import Doubles
from lrtune.experiment import Experiment
from lrtune.finder.curves import RateCurve
from lrtune.finder.effort import mean_multiplier
from lrtune.finder.planned import STEP, PlannedRuns
from lrtune.finder.rules import (
    FALLING,
    FLAT,
    OK,
    Suggestion,
    best_of_short_runs,
    carried_over,
    is_gain,
    search_range,
    status,
)
from lrtune.finder.sweeps import LADDER, Sweep
from lrtune.space import Choice
from lrtune.space.trial import Value
from lrtune.text.errors import LrtuneError, NoUsableResultError, nearest
from lrtune.trainers.anchors import anchors, constant_name
from lrtune.trainers.contract import Setting
from lrtune.trainers.foreign.sweeping import Sweeping, sweeping
from lrtune.trainers.preparation import Prepared
from lrtune.training.declarations import number
from lrtune.training.metrics.catalogue import METRICS, plain_name
from lrtune.training.registry import Complete, complete_schedule

OPTIMIZER = "optimizer"
"""A parameter of this name is what the finder goes through; without it there is one answer."""

LOW, HIGH = 1e-5, 10.0
PER_DECADE = 2
SHORT_SHARE, SHORT_FOLDS = 0.15, 2
"""Of the planned epochs, and how many folds, short runs have."""

FURTHER = 3
"""So often the next rate joins where the best is at an end."""


def find_in_full(
    experiment: Experiment, prepared: Prepared, sweep: Sweep, names: Sequence[str]
) -> tuple[RateCurve, ...]:
    """Find the rates of a trainer for each of its optimizers, or for what it is.

    Raises
    ------
    LrtuneError
        If it takes no rate, or something is asked of it that only lrtune's own networks can do.
    NoUsableResultError
        If no run tells a loss.

    """
    check(experiment, names)
    default = experiment.configuration(experiment.space.default())
    setting = prepared.setting
    with tempfile.TemporaryDirectory(prefix="lrtune-finder-") as folder:
        assert setting.foreign is not None
        setting = setting._replace(foreign=setting.foreign._replace(folder=folder))
        with sweeping(setting, experiment.workers) as runs:
            return tuple(
                _curve(runs, each, chosen_configuration(default, each, names), sweep)
                for each in names or [called(setting)]
            )


def optimizers_of(experiment: Experiment) -> tuple[str, ...]:
    """List the optimizers that an experiment of another trainer may choose; empty if it has no such parameter."""
    for each in experiment.space.dimensions:
        if each.name == OPTIMIZER and isinstance(each, Choice):
            return tuple(str(option.value) for option in each.options)
    return ()


def check(experiment: Experiment, names: Sequence[str]) -> None:
    """Refuse what takes no rate, and optimizers that it does not have."""
    trainer, default = experiment.trainer, experiment.configuration(experiment.space.default())
    if "decay" not in default:
        why = "its space has no learning_rate" if trainer.scheduled else "it is trained by a method of its own"
        takers = "functions, commands, SGDClassifier and SGDRegressor, with learning_rate in the space"
        raise LrtuneError(f"{trainer.called} takes no rate from lrtune: {why}; the finder is for {takers}")
    known = optimizers_of(experiment)
    for name in names:
        if name not in known:
            problem = nearest(name, known) if known else f"the space has no parameter called {OPTIMIZER}"
            raise LrtuneError(f"unknown optimizer '{name}'; {problem}")


def called(setting: Setting) -> str:
    """Name a trainer that has no optimizers."""
    assert setting.foreign is not None
    return setting.foreign.called


def chosen_configuration(default: Complete, name: str, names: Sequence[str]) -> Complete:
    """Take the default configuration, with an optimizer."""
    if not names:
        return default
    return complete_schedule({**default, OPTIMIZER: name})


def _curve(runs: Sweeping, name: str, base: Complete, sweep: Sweep) -> RateCurve:
    """Try all rates in short runs, and those where they lead in full."""
    low, high = sweep.low or LOW, sweep.high or max(HIGH, (sweep.low or LOW) * 1e3)
    rates = np.geomspace(low, high, max(round(PER_DECADE * math.log10(high / low)) + 1, 2))
    epochs = int(number(base["epochs"]))
    short = max(1, round(SHORT_SHARE * epochs))
    folds = min(SHORT_FOLDS, len(runs.setting.folds))
    line = {key: each for key, each in base.items() if key.partition(".")[0] not in ("decay", "warmup")}
    shape: dict[str, Value] = {**line, "decay": "linear", "warmup": 0.0, "epochs": short}
    losses = runs.losses([complete_schedule({**shape, "learning_rate": float(each)}) for each in rates], folds)
    if not np.isfinite(losses).any():
        raise NoUsableResultError(f"{name}: no short run has a loss; {runs.failure or 'all of them diverged'}")
    everywhere = constant_losses_of(runs, {**shape, "learning_rate": low})
    constant = everywhere[:folds]
    start = constant[None].copy()
    updates, decay = _updates(runs.setting, base, short), str(base["decay"])
    seen = status(rates, losses[None], start)
    whole: PlannedRuns | None = None
    if seen in (OK, FALLING):
        lowest = losses[:, int(np.argmin(np.minimum(losses, constant[:, None]).mean(axis=0)))]
        if not is_gain(lowest[None], start, constant):
            seen = FLAT
        else:
            best = float(best_of_short_runs(rates, losses[None], start))
            whole = _in_full(runs, base, best, short / epochs, everywhere)
    answer = Suggestion(seen) if whole is None else _answer(whole, rates, losses, constant)
    spent = updates * losses.size
    return RateCurve(name, decay, rates, losses[None], start, constant, updates, None, whole, answer, spent)


def constant_losses_of(runs: Sweeping, slowest: Mapping[str, Value]) -> Doubles:
    """Compute the loss of what has learned nothing ``(K,)``.

    It is that of predictions that look at no feature; where only training tells a loss, that of a short run with the
    lowest rate, as far as there is one, and else the mean over the other folds.
    """
    if METRICS[runs.setting.metric].is_told:
        losses = runs.losses([complete_schedule(slowest)], len(runs.setting.folds))[:, 0]
        if not np.isfinite(losses).any():
            raise NoUsableResultError(f"the lowest rate has no loss; {runs.failure or 'it diverged'}")
        return np.where(np.isfinite(losses), losses, losses[np.isfinite(losses)].mean())
    scores = anchors(runs.setting)[constant_name(runs.setting)].scores
    return np.array([runs.loss(-math.inf if each is None else each) for each in scores])


def _updates(setting: Setting, base: Complete, epochs: int) -> int:
    rows = min(len(fold.features) for fold in setting.folds)
    return epochs * math.ceil(rows / number(base["batch_size"]))


class ForeignTraining:
    """Trains a configuration in full at rates, each once on all folds, and keeps what came of it."""

    def __init__(self, runs: Sweeping, base: Complete, constant: Doubles) -> None:
        self.runs = runs
        self.base = base
        self.constant = constant
        self.found: dict[float, Doubles] = {}

    def train(self, rates: Sequence[float]) -> PlannedRuns:
        """Train rates; give all that has been seen so far.

        Raises
        ------
        NoUsableResultError
            If none has a loss.

        """
        new = [each for each in dict.fromkeys(rates) if each not in self.found]
        if new:
            asked = [complete_schedule({**self.base, "learning_rate": each}) for each in new]
            losses = self.runs.losses(asked, len(self.runs.setting.folds))
            self.found.update({each: losses[:, place] for place, each in enumerate(new)})
        return self.seen()

    def seen(self) -> PlannedRuns:
        """Put together what was trained."""
        rates = np.array(sorted(self.found))
        losses = np.stack([self.found[each] for each in rates.tolist()], axis=-1)
        if not np.isfinite(losses).any():
            raise NoUsableResultError(f"no training has a loss; {self.runs.failure or 'all of them diverged'}")
        updates = _updates(self.runs.setting, self.base, int(number(self.base["epochs"])))
        unknown, no_curves = np.full(losses.shape, np.nan), np.empty((len(rates), 0))
        return PlannedRuns(rates, losses, self.constant, unknown, np.empty(0, dtype=np.int64), no_curves, updates)


def _in_full(runs: Sweeping, base: Complete, best: float, share: float, constant: Doubles) -> PlannedRuns:
    """Train the planned horizon around the best rate of the short runs, carried over to it."""
    centre = best * carried_over(share, mean_multiplier(base, runs.setting))
    training = ForeignTraining(runs, base, constant)

    def train(*rates: float) -> None:
        training.train([float(f"{each:.3g}") for each in rates])

    train(centre / STEP, centre, centre * STEP)
    for _ in range(FURTHER):
        best = _best(training.found)
        if min(training.found) < best < max(training.found):
            break
        train(best / STEP if best == min(training.found) else best * STEP)
    best = _best(training.found)
    train(best / math.sqrt(STEP), best * math.sqrt(STEP))
    return training.seen()


def _best(found: Mapping[float, Doubles]) -> float:
    return min(found, key=lambda rate: (float(found[rate].mean()), rate))


def _answer(whole: PlannedRuns, rates: Doubles, losses: Doubles, constant: Doubles) -> Suggestion:
    """Recommend the best rate that was trained in full; those that its folds cannot tell from it are the interval."""
    own = whole.losses
    means = own.mean(axis=0)
    best = int(np.argmin(means))
    with np.errstate(invalid="ignore"):
        apart = own - own[:, [best]]
        errors = apart.std(axis=0, ddof=1) / math.sqrt(len(own)) if len(own) > 1 else np.zeros(len(means))
    near = np.flatnonzero((means - means[best] <= errors) & np.isfinite(means))
    ladder = np.minimum(losses, constant[:, None]).mean(axis=0)
    lowest = int(np.argmin(ladder))
    broken = [
        float(rate) for rate, each in zip(rates[lowest:], losses.T[lowest:], strict=True) if not np.isfinite(each).all()
    ]
    edge = broken[0] if broken else None
    recommended = float(whole.rates[best])
    return Suggestion(
        OK,
        recommended,
        (float(whole.rates[near.min()]), float(whole.rates[near.max()])),
        float(rates[lowest]),
        None,
        edge,
        search_range(recommended, edge),
    )


def measured_by(metric: str) -> str:
    """Say what the loss of another trainer is: nobody knows what it minimises, so that the metric tells.

    >>> measured_by("accuracy"), measured_by("rmse")
    ('validation loss (1 - accuracy)', 'validation loss (rmse)')
    """
    return f"validation loss ({'1 - ' if METRICS[metric].larger_is_better else ''}{plain_name(metric)})"


METHOD = LADDER
"""What the sweep is called."""
