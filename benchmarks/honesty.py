"""How far the scores that a search reports are from the truth, and how often their intervals hold it.

    python benchmarks/honesty.py [--replications N] [--tables NAME ...] [--searches NAME ...] [--save FILE]
    python benchmarks/honesty.py --time     what the correction costs, for 200 configurations and 20,000 rows
    python benchmarks/honesty.py --effort   what it loses where it may cost little: see `effort`

A large table is the population: a random sample of its rows is all that a search gets to see, and the rest is the
truth. Every search is a real one, from `tuning.tune` to the model retrained on the whole sample. Its scores are set
against two truths, both measured on the rows that it never saw:

* ``delivered``: the model that is handed over, trained on the whole sample. This is what people get, so it is what
  bias, coverage and width are about.
* ``folds``: the models of the chosen configuration that were trained on the folds, on average, which is what
  cross-validation estimates: models of nine tenths of the sample, or four fifths.

Bias is (reported - truth) in points, 0.01 of the score; positive is too good. The default configuration was not picked
by anybody, so that its mean over the folds is off by the luck of the sample alone; this luck, which is in all scores of
the sample, is subtracted from each bias (a control variate: the bias stays, its error shrinks). Coverage is the share
of the replications in which the 95 % interval holds the truth. ``pruned`` is the share of the trials that a race or
halving ended early: without any, there is nothing to repeat. The naive interval is that of the mean of the folds,
mean +- t * std / sqrt(folds).
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lrtune import tuning
from lrtune.arrays import one_blas_thread
from lrtune.experiment import load_text
from lrtune.model.fitting import encoded
from lrtune.run.observed import Observed
from lrtune.run.study import StudyState
from lrtune.space.trial import TrialState
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate
from lrtune.training.metrics.scoring import score
from lrtune.verdict.comparison import t_quantile
from lrtune.verdict.correction import Choosing, Evidence, corrected
from lrtune.verdict.correction.effort import LEAST, LEAST_ROWS, MOST
from lrtune.verdict.judging import judge, thinned

ROOT = Path(__file__).parents[1]


class Table(NamedTuple):
    """A population, and how it is sampled and searched."""

    file: str
    target: str
    metric: str
    rows: int
    model: str
    epochs: int
    folds: int = 10


TABLES = {
    "digits": Table("digits.csv", "digit", "accuracy", 200, "{type: linear}", 50),
    "hpc_jobs": Table("hpc_jobs.csv", "class", "accuracy", 300, "{type: mlp, hidden: [16]}", 36),
    "more_jobs": Table("hpc_jobs.csv", "class", "accuracy", 1000, "{type: mlp, hidden: [16]}", 12),
    "birdstrikes": Table("birdstrikes.csv", "damaged", "roc_auc", 500, "{type: linear}", 21),
    "concrete": Table("concrete.csv", "compressive_strength", "r2", 200, "{type: mlp, hidden: [16]}", 50),
}
"""Folds and updates (600 and more) are those that lrtune chooses for tables of this size."""

USUAL = ("digits", "hpc_jobs")
SEARCHES = {
    "grid": "strategy: grid",
    "random": "strategy: random, trials: 48",
    "bayesian, race": "strategy: bayesian, trials: 48, pruning: race",
    "random, race": "strategy: random, trials: 48, pruning: race",
    "bayesian, futility": "strategy: bayesian, trials: 48, pruning: futility",
    "random, halving": "strategy: random, trials: 48, pruning: halving",
    "bayesian": "strategy: bayesian, trials: 48",
    "tpe": "strategy: tpe, trials: 48",
}
USUAL_SEARCHES = ("grid", "random", "bayesian, race")
CONTINUOUS = """
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer:
    - momentum: {momentum: [0.5, 0.9]}
    - adam: {learning_rate: {low: 3e-4, high: 3e-1, scale: log}}
  decay:
    - constant
    - linear
    - exponential: {k: {low: 0.03, high: 0.5, scale: log}}
"""
FINITE = """
  learning_rate: {low: 1e-3, high: 1.0, scale: log, points: 6}
  optimizer: [momentum, adam]
  decay: [constant, linear, exponential, cosine]
"""
EXPERIMENT = """
data: {{path: sample.csv, test_path: rest.csv, target: {table.target}}}
model: {table.model}
training: {{epochs: {table.epochs}, batch_size: 16}}
search: {{{search}, metric: {table.metric}, folds: {table.folds}, seed: {seed}}}
space: {space}
"""


class Outcome(NamedTuple):
    """One search: what it reported, and the truth; oriented."""

    naive: float
    naive_half: float
    score: float
    low: float
    high: float
    folds: float
    final: float
    luck: float
    pruned: float
    seconds: float


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=40)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=USUAL)
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=USUAL_SEARCHES)
    parser.add_argument("--save", type=Path, help="append every search to this file, one JSON object in each line")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--effort", action="store_true")
    args = parser.parse_args()
    with one_blas_thread():
        if args.time:
            costs()
        elif args.effort:
            effort(args.replications)
        else:
            simulate(args.tables, args.searches, args.replications, args.save)


def simulate(tables: list[str], searches: list[str], replications: int, save: Path | None) -> None:
    began = time.perf_counter()
    print(f"{replications} replications; bias and width in points (0.01), coverage of 95 % intervals\n")
    print(
        "| population, rows, metric | search | naive: bias | covers | width | corrected: bias | covers | width "
        "| bias to folds | covers folds | pruned |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name in tables:
        for search in searches:
            found = [replicate(TABLES[name], search, seed) for seed in range(replications)]
            print(line(name, search, found), flush=True)
            if save is not None:
                with save.open("a") as file:
                    file.writelines(
                        json.dumps({"table": name, "search": search, **each._asdict()}) + "\n" for each in found
                    )
    print(f"\n{time.perf_counter() - began:.0f} s")


def replicate(table: Table, search: str, seed: int) -> Outcome:
    """Draw a sample, search, and look at the rest."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        draw(ROOT / "datasets" / table.file, table.rows, seed, folder)
        space = FINITE if search == "grid" else CONTINUOUS
        text = EXPERIMENT.format(table=table, search=SEARCHES[search], seed=seed, space=space)
        experiment = load_text(text, base=folder)
        prepared = prepare(experiment)
        study, began = StudyState(), time.perf_counter()
        for event in tuning.tune(experiment, prepared, folder / "run", workers=1, compare=False):
            study.add(event)
        choice, _, found, _ = judge(experiment.terms, study, folder / "run")
        seconds = time.perf_counter() - began
        configuration = experiment.configuration(choice.trial.configuration)
        std, folds = choice.trial.std, len(choice.trial.fold_scores)
        return Outcome(
            found.naive,
            t_quantile(folds - 1) * std / math.sqrt(folds),
            found.score,
            found.low,
            found.high,
            fold_truth(configuration, prepared),
            study.refit.test.score,
            sample_luck(experiment, prepared, study),
            study.count(TrialState.PRUNED) / len(study.trials),
            seconds,
        )


def draw(path: Path, rows: int, seed: int, folder: Path) -> None:
    """Write a random sample of a table's rows into one file, and the others into another."""
    head, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    order = np.random.default_rng([seed, 7]).permutation(len(lines))
    for name, part in (("sample.csv", order[:rows]), ("rest.csv", order[rows:])):
        (folder / name).write_text(head + "".join(lines[each] for each in np.sort(part)), encoding="utf-8")


def fold_truth(configuration: dict, prepared) -> float:
    """Train the chosen configuration on each fold's training rows, as the search did, and score it on the rest."""
    dataset, setting = prepared.dataset, prepared.setting
    folds = [
        encoded(dataset.columns, dataset.schema, train, dataset.test_rows, index=index, dtype=setting.dtype)[1]
        for index, (train, _) in enumerate(prepared.splits)
    ]
    (outcome,) = evaluate(
        [configuration], folds, setting.problem, setting.metric, seed=setting.seed, dtype=setting.dtype
    )
    return float(np.mean(outcome.scores))


def sample_luck(experiment, prepared, study: StudyState) -> float:
    """By how much the default configuration's mean over the folds is better than the truth."""
    default = study.trials[0]
    return default.mean - fold_truth(experiment.configuration(default.configuration), prepared)


def line(name: str, search: str, found: list[Outcome]) -> str:
    table = np.array(found)
    naive, half, corrected_score, low, high, folds, final, luck, pruned = table.T[:9]
    cells = [
        with_error(naive - final - luck),
        share(np.abs(naive - final) <= half),
        f"{200 * half.mean():.1f}",
        with_error(corrected_score - final - luck),
        share((low <= final) & (final <= high)),
        f"{100 * (high - low).mean():.1f}",
        with_error(corrected_score - folds - luck),
        share((low <= folds) & (folds <= high)),
        share(pruned),
    ]
    data = TABLES[name]
    return f"| {name}, {data.rows}, {data.metric} | {search} | " + " | ".join(cells) + " |"


def with_error(values: np.ndarray) -> str:
    return f"{100 * values.mean():+.2f} ± {100 * values.std(ddof=1) / math.sqrt(len(values)):.2f}"


def share(hits: np.ndarray) -> str:
    return f"{100 * hits.mean():.0f} %"


COSTS = (
    ("accuracy", 2),
    ("balanced_accuracy", 4),
    ("log_loss", 4),
    ("rmse", 0),
    ("r2", 0),
    ("f1", 2),
    ("f1_macro", 4),
    ("roc_auc", 2),
    ("roc_auc", 4),
)


def costs() -> None:
    """Time the correction of 200 configurations on 20,000 rows in five folds."""
    print("| metric | classes | resamples | seconds of one core (best of 3) |\n|---|--:|--:|--:|")
    for metric, classes in COSTS:
        evidence = drawn_evidence(metric, classes)
        chosen, best = int(evidence.means.argmax()), math.inf
        for _ in range(3):
            began = time.process_time()
            found = corrected(evidence, chosen)
            best = min(best, time.process_time() - began)
        print(f"| {metric} | {classes or ''} | {found.resamples} | {best:.2f} |", flush=True)


def effort(replications: int, rows: int = 40_000, configurations: int = 10) -> None:
    """Correct simulated searches with all rows and the most resamples, and with the least of both.

    A configuration is right on a row with a probability of its own, less on rows that are difficult for all of them;
    that of the chosen one is the truth.
    """
    print(f"{replications} replications of {configurations} configurations on {rows:,} rows; in points (0.01)\n")
    print("| rows | resamples | bias | covers | width | score, beside the first | ends | seconds |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    efforts = [(rows, MOST), (rows, LEAST), (LEAST_ROWS, LEAST)]
    found = np.array(
        [[corrected_with(*each, rows, configurations, seed) for each in efforts] for seed in range(replications)]
    )
    full = found[:, 0]
    for number, (kept, resamples) in enumerate(efforts):
        score_, low, high, truth, seconds = found[:, number].T
        cells = [
            with_error(score_ - truth),
            share((low <= truth) & (truth <= high)),
            f"{100 * (high - low).mean():.3f}",
            f"{100 * np.abs(score_ - full[:, 0]).mean():.3f}",
            f"{100 * np.abs(found[:, number, 1:3] - full[:, 1:3]).mean():.3f}",
            f"{seconds.mean():.2f}",
        ]
        print(f"| {kept:,} | {resamples:,} | " + " | ".join(cells) + " |")


def corrected_with(kept: int, resamples: int, rows: int, configurations: int, seed: int) -> list[float]:
    """Correct a simulated search: score, interval, truth, seconds of one core."""
    rng = np.random.default_rng([seed, 8])
    quality = rng.uniform(0.84, 0.845, configurations)
    chances = quality[:, None] + rng.uniform(-0.15, 0.15, rows)
    targets, folds = rng.integers(2, size=rows), np.arange(rows) * 5 // rows
    labels = np.where(rng.random((configurations, rows)) < chances, targets, 1 - targets).astype(np.uint8)
    evidence = thinned(evidence_of("accuracy", labels, targets, folds, 2), kept)
    chosen, began = int(evidence.means.argmax()), time.process_time()
    found = corrected(evidence, chosen, Choosing(resamples=resamples, default=-1))
    seconds = time.process_time() - began
    return [found.score, found.low, found.high, float(quality[chosen]), seconds]


def drawn_evidence(metric: str, classes: int, rows: int = 20_000, configurations: int = 200) -> Evidence:
    """Draw predictions of configurations that are about as good as each other."""
    rng = np.random.default_rng(0)
    size, folds = (configurations, rows), np.arange(rows) * 5 // rows
    targets = rng.integers(classes, size=rows) if classes else rng.normal(size=rows)
    quality = rng.uniform(0.7, 0.8, (configurations, 1))
    if not classes:
        kept = (targets + rng.normal(size=size) * quality).astype(np.float32)
    elif metric == "log_loss":
        kept = (rng.exponential(size=size) * quality).astype(np.float32)
    elif metric == "roc_auc" and classes == 2:
        kept = (targets + rng.normal(size=size) / quality).astype(np.float32)
    elif metric == "roc_auc":
        truth = (targets[:, None] == np.arange(classes)).astype(np.float32)
        kept = truth + rng.normal(size=(*size, classes)).astype(np.float32)
    else:
        kept = np.where(rng.random(size) < quality, targets, rng.integers(classes, size=size)).astype(np.uint8)
    return evidence_of(metric, kept, targets, folds, classes)


def evidence_of(metric: str, kept: np.ndarray, targets: np.ndarray, folds: np.ndarray, classes: int) -> Evidence:
    """Put predictions together with the scores that the metric gives."""
    scores = [score(metric, kept[:, folds == fold], targets[folds == fold], classes) for fold in range(5)]
    observed = Observed(targets, folds, np.arange(len(folds)), np.bincount(folds), classes)
    numbers = np.arange(len(kept))
    return Evidence(metric, numbers, np.array(scores), numbers, kept, observed, 0.25)


if __name__ == "__main__":
    main()
