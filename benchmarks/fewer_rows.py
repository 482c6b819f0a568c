"""Rows as a horizon: how configurations rank on a part of the rows, beside how they rank on all of them.

    python benchmarks/fewer_rows.py [TABLE=TARGET ...] [--configurations N] [--epochs N] [--folds N]

The same configurations, drawn from a space of optimizers, rates and decay types, are trained on 1, 3, 10 and 30 % of
the training rows of every fold and on all of them, and scored on the same validation rows. Rows of a smaller part are
among those of a larger one. A part is trained for as many epochs as the whole, or for four times as many, since it has
fewer updates. For each part stand: what it costs; Spearman's rank correlation with the scores on all rows, where both
are finite, and how many diverge on all rows but not on the part, which lacks rare rows; how much of the way from the
median to the best is lost by whoever takes the best of the part (0: nothing, 1: it is as good as the median); the same
if the best quarter of the part is trained on all rows, as successive halving would; and by which factor the best rate
of each optimizer is larger on all rows. Without a table, bundled ones are taken, which are small.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from lrtune.arrays import one_blas_thread, stream
from lrtune.experiment import load_text
from lrtune.finder.sizes import SIZE_KINDS
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate
from lrtune.training.horizons import with_horizon
from lrtune.training.registry import Complete

ROOT = Path(__file__).parents[1]
BUNDLED = ("datasets/birdstrikes.csv=damaged", "datasets/concrete.csv=compressive_strength")
SHARES, LONGER = (0.01, 0.03, 0.1, 0.3), (1, 4)
LEAST_ROWS = 100
EXPERIMENT = """
data: {{path: "{path}", target: {target}, test_size: 0}}
model: {{hidden: [64]}}
training: {{epochs: {epochs}, batch_size: 64}}
search: {{strategy: random, folds: {folds}, seed: 1}}
space:
  optimizer:
    - sgd: {{learning_rate: {{low: 1e-3, high: 3.0, scale: log}}}}
    - momentum: {{learning_rate: {{low: 1e-4, high: 1.0, scale: log}}}}
    - adam: {{learning_rate: {{low: 1e-5, high: 1e-1, scale: log}}}}
  decay: [constant, linear, cosine, exponential: {{k: {{low: 0.05, high: 1.0, scale: log}}}}]
"""
DRAWS = 20_260_731
"""Purpose of the stream that draws configurations; no other one has it."""


def scores(configurations, setting):
    """Mean oriented scores over the folds; minus infinity where one diverged."""
    outcomes = evaluate(
        configurations, setting.folds, setting.problem, setting.metric, seed=setting.seed, dtype=setting.dtype
    )
    return np.array([-math.inf if None in each.scores else np.mean(each.scores) for each in outcomes])


def on_part(configurations, setting, share, longer):
    """Scores of configurations on a part of the rows, and what that costs of a training on all of them."""
    rows = SIZE_KINDS["rows"]
    size = round(share * rows.size(configurations[0], setting))
    _, part = rows.sized(configurations[0], setting, size)
    horizon = longer * configurations[0]["epochs"]
    return scores([Complete(with_horizon(each, horizon)) for each in configurations], part), share * longer


def lost(whole, chosen):
    """How much of the way from the median to the best is lost by a choice; infinite if all of it diverges."""
    median, best = np.median(whole[np.isfinite(whole)]), whole.max()
    return (best - whole[chosen].max()) / (best - median)


def rates_moved(configurations, part, whole):
    """By which factor the best rate of each optimizer is larger on all rows (geometric mean)."""
    factors = []
    for name in sorted({each["optimizer"] for each in configurations}):
        own = [place for place, each in enumerate(configurations) if each["optimizer"] == name]
        small, large = (own[int(np.argmax(found[own]))] for found in (part, whole))
        factors.append(math.log(configurations[large]["learning_rate"] / configurations[small]["learning_rate"]))
    return math.exp(np.mean(factors))


def compared(table, count, epochs, folds):
    """Train on parts and on the whole, and say how they agree."""
    path, _, target = table.rpartition("=")
    base = Path.cwd() if Path(path).exists() else ROOT
    text = EXPERIMENT.format(path=path, target=target, epochs=epochs, folds=folds)
    experiment = load_text(text, base=base)
    prepared = prepare(experiment)
    setting, rng = prepared.setting, stream(1, DRAWS)
    drawn = [experiment.configuration(experiment.space.sample(rng)) for _ in range(count)]
    whole = scores(drawn, setting)
    fold = len(setting.folds[0].targets)
    print(f"{Path(path).name}: {fold} rows to train on, {count} configurations, {epochs} epochs", flush=True)
    for share in SHARES:
        if share * fold < LEAST_ROWS:
            continue
        for longer in LONGER:
            part, cost = on_part(drawn, setting, share, longer)
            both = np.isfinite(part) & np.isfinite(whole)
            ranks = spearmanr(part[both], whole[both]).statistic
            late = int((np.isfinite(part) & ~np.isfinite(whole)).sum())
            order = np.argsort(-part, kind="stable")
            best, quarter = lost(whole, order[:1]), lost(whole, order[: max(1, count // 4)])
            print(
                f"  {share:4.0%} of the rows, {longer} x the epochs: cost {cost:5.2f}, rank correlation {ranks:5.2f}, "
                f"its best loses {best:5.2f}, its best quarter {quarter:5.2f}, "
                f"rates x {rates_moved(drawn, part, whole):4.2f}, {late} diverge only on all",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=BUNDLED, metavar="TABLE=TARGET")
    parser.add_argument("--configurations", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=2)
    chosen = parser.parse_args()
    with one_blas_thread():
        for each in chosen.tables:
            compared(each, chosen.configurations, chosen.epochs, chosen.folds)


if __name__ == "__main__":
    main()
