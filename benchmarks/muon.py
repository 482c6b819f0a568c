"""Which rate should Adam have beside Muon's? The study behind the default of ``adam_factor`` (docs/optimizers.md).

Every factor meets every rate, all of them lanes of one population, trained in full on five folds with linear decay.
For each factor the best rate counts, as somebody finds it who searches the rate. Whether another default would be
better is judged table by table with what the other tables choose. Run it from the root of the repository; what it
trained is kept in runs/muon-study.

    nice -n 10 python benchmarks/muon.py [--tables FOLDER] [--targets FILE]

The tables are those of benchmarks/finder.py, with one hidden layer and with two.
"""

import argparse
import itertools
import sys
from pathlib import Path

import finder
import numpy as np

from lrtune.arrays import one_blas_thread
from lrtune.training.evaluate import block_lanes, evaluate
from lrtune.training.registry import complete

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
RATES = tuple(float(f"{each:.2g}") for each in np.geomspace(1e-3, 0.3, 6))
LAYERS = ((64,), (64, 64))
USUAL = FACTORS.index(1.0)


def trained(found, prepared, hidden):
    """Train every factor with every rate: losses (factors, rates, folds), infinite where a lane diverged."""
    setting = prepared.setting
    planned = {**finder.configuration(found, "muon", "linear"), "hidden": hidden}
    pairs = itertools.product(FACTORS, RATES)
    lanes = [complete({**planned, "optimizer.adam_factor": factor, "learning_rate": rate}) for factor, rate in pairs]
    metric = "mse" if prepared.task == "regression" else "log_loss"
    at_once = max(1, block_lanes(lanes[0], setting.folds, setting.problem, setting.dtype) // len(setting.folds))
    scores = [
        [np.inf if each is None else -each for each in outcome.scores]
        for first in range(0, len(lanes), at_once)
        for outcome in evaluate(
            lanes[first : first + at_once], setting.folds, setting.problem, metric, seed=0, dtype=setting.dtype
        )
    ]
    return {"losses": np.array(scores).reshape(len(FACTORS), len(RATES), -1)}


def best_of(losses):
    """Take each factor at its best rate ``(factors, K)``, and the place of that rate ``(factors,)``."""
    finite = np.where(np.isfinite(losses), losses, 1e3)
    places = finite.mean(axis=-1).argmin(axis=-1)
    return np.take_along_axis(finite, places[:, None, None], axis=1)[:, 0], places


def study(folder, targets):
    finder.CACHE = Path("runs/muon-study")
    rows = []
    for name, make in finder.tables(folder, targets).items():
        data = finder.remembered(make)
        for hidden in LAYERS:
            label = f"{name}, {'-'.join(map(str, hidden))}"
            found = finder.kept(label.replace(", ", "-"), lambda data=data, hidden=hidden: trained(*data(), hidden))
            rows.append((name, hidden, *best_of(found["losses"])))
            print(f"{label} done", file=sys.stderr, flush=True)
    for hidden in LAYERS:
        report([row for row in rows if row[1] == hidden], "-".join(map(str, hidden)))


def report(rows, title):
    logs = np.log([losses.mean(axis=-1) for _, _, losses, _ in rows])
    excess = logs - logs.min(axis=1, keepdims=True)  # (tables, factors)
    behind = np.array([paired(losses) for _, _, losses, _ in rows])
    rates = np.array([[RATES[each] for each in places] for *_, places in rows])
    print(f"\n{title}, {len(rows)} tables\n\n| adam_factor | {' | '.join(f'{each:g}' for each in FACTORS)} |")
    print(f"| --- |{' ---: |' * len(FACTORS)}")
    for label, each in {
        "best on so many tables": [str(each) for each in np.bincount(excess.argmin(axis=1), minlength=len(FACTORS))],
        "loss over that of the best factor, mean": [f"{each:.3f}" for each in np.exp(excess.mean(axis=0))],
        "the same, worst table": [f"{each:.3f}" for each in np.exp(excess.max(axis=0))],
        "better than 1 by two standard errors": [str(each) for each in (behind < -2).sum(axis=0)],
        "worse than 1 by two standard errors": [str(each) for each in (behind > 2).sum(axis=0)],
        "best rate, median": [f"{each:.2g}" for each in np.median(rates, axis=0)],
    }.items():
        print(f"| {label} | {' | '.join(each)} |")
    left_out = [np.delete(excess, place, axis=0).mean(axis=0).argmin() for place in range(len(rows))]
    own = np.array([excess[place, chosen] for place, chosen in enumerate(left_out)])
    errors = np.array([behind[place, chosen] for place, chosen in enumerate(left_out)])
    chosen = ", ".join(f"{FACTORS[each]:g} ({left_out.count(each)})" for each in sorted(set(left_out)))
    ratio = np.exp((own - excess[:, USUAL]).mean())
    print(f"\nchosen on the other tables: {chosen}; loss over that with 1: {ratio:.3f}")
    print(f"better by two standard errors on {(errors < -2).sum()} tables, worse on {(errors > 2).sum()}")


def paired(losses):
    """Compare each factor with the usual one: differences of fold losses ``(factors, K)`` in standard errors."""
    differences = losses - losses[USUAL]
    errors = differences.std(axis=-1, ddof=1) / np.sqrt(losses.shape[-1])
    return np.divide(differences.mean(axis=-1), errors, out=np.zeros(len(losses)), where=errors > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--targets", type=Path)
    asked = parser.parse_args()
    with one_blas_thread():
        study(asked.tables, asked.targets)
