"""Does the planned training at the rates that `lrtune.finder.planned` asks for, rates and folds as lanes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.finder.planned import BUDGET, FIRST_FOLDS, LEAST, STEP, PlannedRuns, next_runs, tidy
from lrtune.trainers.contract import Setting
from lrtune.training.evaluate import block_lanes, evaluate
from lrtune.training.registry import Complete, complete_schedule
from lrtune.training.tasks import Fold, Outcome


def planned_runs(
    configuration: Complete,
    setting: Setting,
    centre: float,
    constant: Doubles,
    *,
    updates: int,
    ends: tuple[float, float] = (0.0, math.inf),
    spent: float = 0.0,
) -> PlannedRuns:
    """Train around a rate in full.

    Parameters
    ----------
    configuration, setting
        What is planned.
    centre
        Where to begin.
    constant
        ``(K,)``: losses of the best prediction without features.
    updates
        Of each run.
    ends
        No rate beyond them is tried.
    spent
        What the finder has done so far, in trainings on all folds.

    """
    training = PlannedTraining(configuration, setting, constant, updates)
    wanted: tuple[tuple[float, ...], slice] | None
    centre = min(max(centre, ends[0]), ends[1])
    around = tuple(tidy(centre * STEP**place) for place in (-1, 0, 1))
    wanted = tuple(each for each in around if ends[0] <= each <= ends[1]) or (centre,), slice(0, FIRST_FOLDS)
    while wanted is not None:
        found = training.train(*wanted)
        wanted = next_runs(found, ends, max(LEAST, BUDGET - spent))
    return found


class PlannedTraining:
    """Trains a configuration at rates, each on each fold once, and keeps what came of it."""

    def __init__(self, configuration: Complete, setting: Setting, constant: Doubles, updates: int) -> None:
        self.configuration = configuration
        self.setting = setting
        self.constant = constant
        self.updates = updates
        self.losses: dict[float, Doubles] = {}
        self.signals: dict[float, Doubles] = {}
        self.curves: dict[float, list[tuple[int, Doubles]]] = {}
        self.epochs: tuple[int, ...] = ()

    def train(self, rates: Sequence[float], folds: slice) -> PlannedRuns:
        """Train rates on some folds; give all that has been seen so far."""
        setting, places = self.setting, range(*folds.indices(len(self.setting.folds)))
        parts = [setting.folds[each] for each in places]
        lanes = [complete_schedule({**self.configuration, "learning_rate": each}) for each in rates]
        at_once = max(1, block_lanes(lanes[0], parts, setting.problem, setting.dtype) // len(parts))
        metric = "rmse" if setting.problem.loss == "squared" else "log_loss"
        for begin in range(0, len(lanes), at_once):
            block = lanes[begin : begin + at_once]
            done = evaluate(block, parts, setting.problem, metric, seed=setting.seed, dtype=setting.dtype)
            for rate, outcome in zip(rates[begin:], done, strict=False):
                self._keep(rate, outcome, parts, places)
        return self._seen()

    def _keep(self, rate: float, outcome: Outcome, parts: Sequence[Fold], places: Sequence[int]) -> None:
        nothing = np.full(len(self.setting.folds), np.nan)
        losses = self.losses.setdefault(rate, nothing.copy())
        signals = self.signals.setdefault(rate, nothing)
        areas = outcome.beside.get("roc_auc", (None,) * len(parts))
        lanes = zip(places, parts, outcome.scores, outcome.predictions, areas, strict=True)
        for place, fold, score, predicted, area in lanes:
            losses[place] = math.inf if score is None else -score
            signals[place] = math.nan if area is None else area - 0.5
            if self.setting.problem.loss == "squared":
                losses[place] = (losses[place] / fold.scale) ** 2  # as the network sees the target
                signals[place] = math.nan if predicted is None else _correlation(predicted, fold.validation_targets)
        if outcome.curves is not None:
            self.epochs = outcome.curves.epochs
            curve = np.array([math.nan if each is None else each for each in outcome.curves.validation])
            self.curves.setdefault(rate, []).append((len(parts), curve))

    def _seen(self) -> PlannedRuns:
        rates = sorted(self.losses)
        curves = [
            np.average(
                [each for _, each in self.curves[rate]], axis=0, weights=[count for count, _ in self.curves[rate]]
            )
            for rate in rates
            if rate in self.curves
        ]
        return PlannedRuns(
            np.array(rates),
            np.stack([self.losses[each] for each in rates], axis=1),
            self.constant,
            np.stack([self.signals[each] for each in rates], axis=1),
            np.array(self.epochs, dtype=np.int64),
            np.array(curves),
            self.updates,
        )


def constant_losses(setting: Setting) -> Doubles:
    """Compute the loss of the best prediction without features on each fold ``(K,)``, as in planned runs."""
    return np.array([_constant(fold, setting.problem.classes) for fold in setting.folds])


def _constant(fold: Fold, classes: int) -> float:
    if not classes:
        return float(np.square((fold.validation_targets - fold.shift) / fold.scale).mean())
    shares = np.bincount(fold.targets, minlength=classes) + 0.5  # half a row more of each, so that none is impossible
    return -float(np.log(shares / shares.sum())[fold.validation_targets.astype(np.int64)].mean())


def _correlation(predicted: Array, targets: Array) -> float:
    """Correlate predictions with what was observed; 0 where one of them does not vary."""
    one, other = (np.asarray(each, np.float64) - np.mean(each, dtype=np.float64) for each in (predicted, targets))
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size > 0.0 else 0.0
