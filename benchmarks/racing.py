"""What pruning saves, and what it loses: ``python benchmarks/racing.py [--quick] [--tables FOLDER]``.

Two measurements on bundled tables, with 5 folds and a wide random search.

*Lost winners.* Many configurations are trained on all folds once, for several seeds (other folds, other initial
parameters), and their out-of-fold results are kept, in FOLDER if one is named. Then many studies are replayed, each
with a random selection of them in random order, and the function that studies call decides who goes on. A winner is
lost if the configuration that is best on all folds was dropped. The whole study is one round (as in random search), or
comes in rounds of 8 (as in Bayesian search); it is looked at after the first fold (as networks are), or after each (as
whatever trains fold by fold is). Beside them stands Optuna's median pruner, which is told the mean of the folds so far:
it drops what is below the median of the complete ones, of which there must be five.

*Saved seconds.* Whole studies with each kind of pruning run in this process in turns, on one BLAS
thread. Times are CPU seconds of the search without the retraining; the saving is one minus the ratio within a turn, its
median over the turns. All propose the same configurations, so that the chosen ones can be compared by their
scores on all folds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from lrtune import tuning
from lrtune.experiment import load_text
from lrtune.run.study import PRUNED, RESULT, StudyState
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space.trial import Trial, TrialState, ranking
from lrtune.trainers.contract import Work
from lrtune.trainers.population import run_block
from lrtune.trainers.preparation import prepare
from lrtune.training.metrics.scoring import kept as of_metric
from lrtune.training.metrics.scoring import row_values, surprise
from lrtune.training.registry import METRICS
from lrtune.verdict.choice import best
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.races import RowScores
from lrtune.verdict.stages import StageEnd, fold_by_fold

ROOT = Path(__file__).parent.parent
FOLDS = 5
KINDS = ("none", "race", "futility", "halving")
STUDY = 40
SPACE = """
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer:
    - momentum: {momentum: [0.8, 0.9, 0.95]}
    - nesterov: {momentum: [0.8, 0.9, 0.95]}
    - adam: {learning_rate: {low: 1e-4, high: 1e-1, scale: log}}
  decay:
    - constant
    - linear
    - exponential: {k: {low: 0.01, high: 0.5, scale: log}}
    - step: {factor: [0.1, 0.3, 0.5], every: [5, 10]}
    - cosine: {final: [0.0, 0.01]}
  warmup: [0, 0.05]
"""


class Case(NamedTuple):
    """A table, its target, a metric and the mini-batch."""

    table: str
    target: str
    metric: str
    batch_size: int = 64

    @property
    def name(self) -> str:
        """What rows of a report begin with."""
        return f"{self.table}, {self.metric}"


CASES = (
    Case("wine", "cultivar", "accuracy"),
    Case("penguins", "species", "accuracy"),
    Case("breast_cancer", "diagnosis", "accuracy"),
    Case("breast_cancer", "diagnosis", "log_loss"),
    Case("concrete", "compressive_strength", "rmse"),
    Case("concrete", "compressive_strength", "mae"),
    Case("digits", "digit", "accuracy"),
    Case("digits", "digit", "log_loss"),
    Case("hpc_jobs", "class", "balanced_accuracy", 128),
    Case("birdstrikes", "damaged", "log_loss", 128),
    Case("breast_cancer", "diagnosis", "roc_auc"),
    Case("breast_cancer", "diagnosis", "f1"),
)


class Table(NamedTuple):
    """What is known of configurations on one set of folds.

    Attributes
    ----------
    scores
        Of each configuration on each fold (C, K); NaN where it diverged.
    values
        Of each row (C, n), fold after fold; NaN where it diverged. Empty if the metric is no mean over rows.
    ends
        How many rows the first folds have, one fold after the other (K,).

    """

    scores: np.ndarray
    values: np.ndarray
    ends: np.ndarray


def experiment(case: Case, *, seed: int, pruning: str, strategy: str = "random", trials: int = STUDY):
    text = f"""
data: {{path: {ROOT}/datasets/{case.table}.csv, target: {case.target}, test_size: 0.2}}
model: {{hidden: [64]}}
training: {{epochs: 27, batch_size: {case.batch_size}}}
search:
  {{strategy: {strategy}, trials: {trials}, metric: {case.metric}, folds: {FOLDS}, seed: {seed}, pruning: {pruning}}}
"""
    return load_text(text + SPACE, name=case.table)


def trained(case: Case, count: int, seed: int) -> Table:
    """Train the first `count` configurations of a random search on all folds."""
    chosen = experiment(case, seed=seed, pruning="none")
    setting = prepare(chosen).setting
    points = STRATEGIES["random"](chosen.space, [], count, seed)
    outcomes = [
        outcome
        for start in range(0, count, 16)
        for outcome in run_block(setting, Work([chosen.configuration(each) for each in points[start : start + 16]]))
    ]
    scores = np.array([[np.nan if each is None else each for each in outcome.scores] for outcome in outcomes])
    targets = [fold.validation_targets for fold in setting.folds]
    ends = np.cumsum([len(each) for each in targets])
    if not METRICS[case.metric].is_by_rows:
        return Table(scores, np.empty((count, 0)), ends)
    values = np.full((count, ends[-1]), np.nan)
    for row, outcome in zip(values, outcomes, strict=True):
        for fold, (predicted, truth) in enumerate(zip(outcome.predictions, targets, strict=True)):
            if predicted is not None:
                part = row_values(case.metric, of_metric(case.metric, predicted[None]), truth)
                row[ends[fold] - len(truth) : ends[fold]] = part.reshape(-1)
    return Table(scores, values, ends)


def kept(case: Case, count: int, seed: int, folder: Path | None) -> Table:
    """Look a table up, or train it."""
    path = folder and folder / f"{case.table}-{case.metric}-{count}-{seed}.npz"
    if path and path.exists():
        with np.load(path) as stored:
            return Table(stored["scores"], stored["values"], stored["ends"])
    table = trained(case, count, seed)
    if path:
        np.savez(path, **table._asdict())
    return table


class Replay(NamedTuple):
    """How a race over stored results ended."""

    lost: bool
    regret: float
    saved: float


class Course(NamedTuple):
    """What is replayed: a kind of pruning, how many configurations are a round, and whether each fold is looked at."""

    kind: str
    size: int
    apart: bool

    def __str__(self) -> str:
        return f"{self.kind}, rounds of {self.size}, {'every fold' if self.apart else 'the first fold'}"


COURSES = (
    Course("race", STUDY, False),
    Course("race", 8, False),
    Course("race", STUDY, True),
    Course("futility", STUDY, False),
    Course("futility", STUDY, True),
    Course("median", 1, True),
)


def replayed(table: Table, case: Case, chosen: np.ndarray, course: Course) -> Replay:
    """Race the chosen configurations in rounds; the first of them stands for the default."""
    everything = [_trial(number, table.scores[place], FOLDS) for number, place in enumerate(chosen)]
    fits = dict.fromkeys(range(len(chosen)), 0)
    if course.kind == "median":
        _by_the_median(table, chosen, fits)
    else:
        for start in range(0, len(chosen), course.size):
            _raced(
                Studied(table, case.metric, chosen), course, range(start, min(start + course.size, len(chosen))), fits
            )
    whole = {number for number, count in fits.items() if count == FOLDS}
    winner = best(everything)
    left = best(each for each in everything if each.number in whole)
    saved = 1.0 - sum(fits.values()) / FOLDS / len(chosen)
    return Replay(winner.number not in whole, winner.mean - left.mean, saved)


class Studied(NamedTuple):
    """What a study would find out, if it trained everything: its configurations are places in a table."""

    table: Table
    metric: str
    chosen: np.ndarray

    def rows(self, numbers: Sequence[int], end: int) -> RowScores:
        """Read what some of them score on the rows of the first folds."""
        values = self.table.values[self.chosen[list(numbers)], : self.table.ends[end - 1]]
        return RowScores(values, None, surprise(self.metric, values))


def _raced(studied: Studied, course: Course, members: range, fits: dict[int, int]) -> None:
    """Train a round stage by stage, and count its fits."""
    pruning, (table, metric, chosen) = PRUNINGS[course.kind], studied
    stages = pruning.stages(metric, FOLDS, 27)
    stages = fold_by_fold(stages) if course.apart else stages
    earlier = [_trial(each, table.scores[chosen[each]], FOLDS) for each in fits if each < members.start]
    earlier = [each for each in earlier if fits[each.number] == FOLDS]
    going = set(members)

    for stage in stages:
        for each in going:
            fits[each] = stage.end
        if stage.end < FOLDS:
            entrants = [_trial(each, table.scores[chosen[each]], stage.end) for each in sorted(going)]
            seen = StageEnd(
                entrants, earlier, stage, FOLDS, studied.rows if table.values.size else None, len(stages) - 1
            )
            going -= {each.number for each in pruning.dropped(seen)}


def _by_the_median(table: Table, chosen: np.ndarray, fits: dict[int, int]) -> None:
    """Optuna's `MedianPruner`, as it is by default."""
    complete: list[np.ndarray] = []
    for number, place in enumerate(chosen):
        means = np.nancumsum(table.scores[place]) / np.arange(1, FOLDS + 1)
        means[np.isnan(table.scores[place])] = -np.inf
        for fold, mean in enumerate(means, 1):
            fits[number] = fold
            if fold < FOLDS and len(complete) >= 5 and mean < np.median([each[fold - 1] for each in complete]):
                break
        if fits[number] == FOLDS:
            complete.append(means)


def _trial(number: int, scores: np.ndarray, folds: int) -> Trial:
    seen = tuple(None if np.isnan(each) else float(each) for each in scores[:folds])
    whole = folds == FOLDS and None not in seen
    state = TrialState.DIVERGED if None in seen else TrialState.COMPLETE if whole else TrialState.PROPOSED
    return Trial(number, {}, state, seen)


def lost_winners(count: int, seeds: int, replays: int, folder: Path | None) -> None:
    print(f"races replayed: {STUDY} of {count} configurations, {seeds} sets of folds, {replays} replays for each row")
    print(f"{'table, metric':32} {'pruning':38} {'lost winners':>13} {'regret / sd':>12} {'folds saved':>12}")
    totals: dict[Course, list[list[float]]] = {course: [] for course in COURSES}
    for case in CASES:
        tables = [kept(case, count, seed, folder) for seed in range(seeds)]
        for course, total in totals.items():
            rng = np.random.default_rng([0, course.size])
            found, deviations = [], []
            for number in range(replays):
                table = tables[number % seeds]
                found.append(replayed(table, case, rng.permutation(count)[:STUDY], course))
                deviations.append(table.scores[np.isfinite(table.scores).all(axis=1)].std(axis=1, ddof=1).mean())
            total.append(_means(found, statistics.fmean(deviations)))
            _row(case.name, course, total[-1])
    for course, total in totals.items():
        _row("all", course, [statistics.fmean(each) for each in zip(*total, strict=True)])


def _means(found: list[Replay], deviation: float) -> list[float]:
    regret = statistics.fmean(each.regret for each in found) / deviation
    return [statistics.fmean(each.lost for each in found), regret, statistics.fmean(each.saved for each in found)]


def _row(name: str, course: Course, means: list[float]) -> None:
    lost, regret, saved = means
    print(f"{name:32} {course!s:38} {lost:13.2%} {regret:12.4f} {saved:12.1%}", flush=True)


class Searched(NamedTuple):
    """A whole search: CPU seconds without the retraining, and the study."""

    seconds: float
    study: StudyState


def searched(case: Case, seed: int, pruning: str) -> Searched:
    chosen = experiment(case, seed=seed, pruning=pruning)
    prepared = prepare(chosen)
    study, seconds = StudyState(), 0.0
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for event in tuning.tune(chosen, prepared, Path(folder) / "run", workers=1):
            study.add(event)
            if event.kind in (RESULT, PRUNED):
                seconds = time.process_time() - began
    return Searched(seconds, study)


def saved_seconds(seeds: int) -> None:
    """Compare whole searches of the same configurations: what was saved, and whether the same one was chosen."""
    print(f"\nwhole searches: {STUDY} trials, {seeds} for each row; seconds are CPU seconds of those without pruning")
    print(f"{'table, metric':32} {'seconds':>8}" + 2 * f" {'saved':>9} {'lost':>5} {'regret / sd':>12}")
    print(f"{'':32} {'':8}" + "".join(f" {kind:>28}" for kind in KINDS[1:]))
    sums = dict.fromkeys(KINDS, 0.0)
    for case in CASES:
        turns = [{kind: searched(case, seed, kind) for kind in KINDS} for seed in range(seeds)]
        for kind in KINDS:
            sums[kind] += sum(turn[kind].seconds for turn in turns)
        cells = "".join(_compared(turns, kind) for kind in KINDS[1:])
        print(f"{case.name:32} {sum(turn['none'].seconds for turn in turns):8.1f}{cells}", flush=True)
    shares = "".join(f" {1.0 - sums[kind] / sums['none']:9.1%} {'':5} {'':12}" for kind in KINDS[1:])
    print(f"{'all':32} {sums['none']:8.1f}{shares}")


def _compared(turns: list[dict[str, Searched]], kind: str) -> str:
    saved = statistics.median(1.0 - turn[kind].seconds / turn["none"].seconds for turn in turns)
    lost, regrets = 0, []
    for turn in turns:
        whole = turn["none"].study.trials
        winner = best(whole.values())
        chosen = whole[best(turn[kind].study.in_order()).number]
        lost += turn[kind].study.trials[winner.number].state is TrialState.PRUNED
        deviation = statistics.fmean(each.std for each in ranking(whole.values()))
        regrets.append((winner.mean - chosen.mean) / deviation)
    return f" {saved:9.1%} {lost:2} of {len(turns)} {statistics.fmean(regrets):12.4f}".replace(" of ", "/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tables", type=Path)
    options = parser.parse_args()
    if options.tables:
        options.tables.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1, user_api="blas"):
        lost_winners(96, 2 if options.quick else 4, 50 if options.quick else 500, options.tables)
        saved_seconds(1 if options.quick else 3)
