"""What pruning saves, and what it loses: ``python benchmarks/racing.py [--quick] [--tables FOLDER]``.

Two measurements on bundled tables, with 5 folds and a wide random search.

*Lost winners.* Many configurations are trained on all folds once, for several seeds (other folds, other initial
parameters), and their out-of-fold results are kept, in FOLDER if one is named. Then many studies are replayed, each
with a random selection of them in random order, and the function that studies call decides who goes on. A winner is
lost if the configuration that is best on all folds was dropped. Once the whole study is one round (as in random
search), once it comes in rounds of 8 (as in Bayesian search).

*Saved seconds.* Whole studies without pruning, with races and with halving run in this process in turns, on one BLAS
thread. Times are CPU seconds of the search without the retraining; the saving is one minus the ratio within a turn, its
median over the turns. All three propose the same configurations, so that the chosen ones can be compared by their
scores on all folds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
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
from lrtune.training.metrics.scoring import row_values, surprise
from lrtune.training.registry import METRICS
from lrtune.verdict.choice import best
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.races import RowScores
from lrtune.verdict.stages import raced

ROOT = Path(__file__).parent.parent
FOLDS = 5
KINDS = ("none", "race", "halving")
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
        Of each row of the first fold (C, n); NaN where it diverged. Empty if the metric is no mean over rows.

    """

    scores: np.ndarray
    values: np.ndarray


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
    if not METRICS[case.metric].is_by_rows:
        return Table(scores, np.empty((count, 0)))
    targets = setting.folds[0].validation_targets
    values = np.full((count, len(targets)), np.nan)
    for row, outcome in zip(values, outcomes, strict=True):
        if outcome.predictions[0] is not None:
            row[:] = row_values(case.metric, outcome.predictions[0], targets)
    return Table(scores, values)


def kept(case: Case, count: int, seed: int, folder: Path | None) -> Table:
    """Look a table up, or train it."""
    path = folder and folder / f"{case.table}-{case.metric}-{count}-{seed}.npz"
    if path and path.exists():
        with np.load(path) as stored:
            return Table(stored["scores"], stored["values"])
    table = trained(case, count, seed)
    if path:
        np.savez(path, **table._asdict())
    return table


class Replay(NamedTuple):
    """How a race over stored results ended."""

    lost: bool
    regret: float
    saved: float


def replayed(table: Table, case: Case, chosen: np.ndarray, size: int) -> Replay:
    """Race the chosen configurations in rounds; the first of them stands for the default."""
    stage = PRUNINGS["race"].stages(case.metric, FOLDS, 27)[0]
    everything = [_trial(number, table.scores[place], FOLDS) for number, place in enumerate(chosen)]
    rows = (lambda numbers, _: _rows(table, case, chosen[list(numbers)])) if table.values.size else None
    dropped: set[int] = set()
    for start in range(0, len(chosen), size):
        entrants = [
            _trial(number, table.scores[chosen[number]], stage.end)
            for number in range(start, min(start + size, len(chosen)))
        ]
        earlier = [each for each in everything[:start] if each.number not in dropped]
        dropped |= {each.number for each in raced(entrants, earlier, stage, FOLDS, rows)}
    winner = best(everything)
    left = best(each for each in everything if each.number not in dropped)
    saved = len(dropped) * (FOLDS - stage.end) / FOLDS / len(chosen)
    return Replay(winner.number in dropped, winner.mean - left.mean, saved)


def _rows(table: Table, case: Case, places: np.ndarray) -> RowScores:
    values = table.values[places]
    return RowScores(values, None, surprise(case.metric, values))


def _trial(number: int, scores: np.ndarray, folds: int) -> Trial:
    seen = tuple(None if np.isnan(each) else float(each) for each in scores[:folds])
    whole = folds == FOLDS and None not in seen
    state = TrialState.DIVERGED if None in seen else TrialState.COMPLETE if whole else TrialState.PROPOSED
    return Trial(number, {}, state, seen)


def lost_winners(count: int, seeds: int, replays: int, folder: Path | None) -> None:
    print(f"races replayed: {STUDY} of {count} configurations, {seeds} sets of folds, {replays} replays for each row")
    print(f"{'table, metric':32} {'round':>6} {'lost winners':>13} {'regret / sd':>12} {'folds saved':>12}")
    totals: dict[int, list[Replay]] = {STUDY: [], 8: []}
    for case in CASES:
        tables = [kept(case, count, seed, folder) for seed in range(seeds)]
        for size, total in totals.items():
            rng = np.random.default_rng([0, size])
            found, deviations = [], []
            for number in range(replays):
                table = tables[number % seeds]
                found.append(replayed(table, case, rng.permutation(count)[:STUDY], size))
                deviations.append(table.scores[np.isfinite(table.scores).all(axis=1)].std(axis=1, ddof=1).mean())
            total.extend(found)
            _row(case.name, size, found, statistics.fmean(deviations))
    for size, total in totals.items():
        _row("all", size, total, None)


def _row(name: str, size: int, found: list[Replay], deviation: float | None) -> None:
    lost = statistics.fmean(each.lost for each in found)
    regret = f"{statistics.fmean(each.regret for each in found) / deviation:12.4f}" if deviation else f"{'':12}"
    print(f"{name:32} {size:6} {lost:13.2%} {regret} {statistics.fmean(each.saved for each in found):12.1%}")


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
