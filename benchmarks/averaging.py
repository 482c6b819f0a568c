"""Whether decay, a moving average of the parameters, or both; and which beta2 for Adam.

    python benchmarks/averaging.py [--of ema] [--tables FOLDER] [--targets NAME=COLUMN ...] [--splits N] [--save FILE]
    python benchmarks/averaging.py --of beta2 [--optimizer NAME] ...

Of each table some rows are drawn to search on, the rest, which nobody sees, to judge by. Every way of training gets the
same learning rates (and for beta2, decays) and takes what has the lowest loss on the folds; with it, it is trained on
all rows of the search from three different initial parameters, and scored on the unseen rows. All else is what lrtune
suggests for the table. A number behind ``ema`` is a half-life in epochs. ``--tables`` names a folder with further
tables, each a ``.csv`` or ``.csv.gz`` whose target is the one that ``--targets`` names, the column ``class``, or the
last one.

``error`` is the loss on the unseen rows (log loss, or root mean squared error) over that of the first way, minus one:
the geometric mean over tables and splits, with its standard error over tables. ``rank`` is the mean over the tables of
the rank by the mean loss over the splits. ``ahead`` counts the tables on which that is lower than that of the reference
(linear decay; the first beta2). ``rate`` is the chosen rate over that of the first way, geometric mean.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from lrtune.arrays import one_blas_thread
from lrtune.experiment.suited import suited
from lrtune.model.fitting import encoded
from lrtune.trainers.contract import Setting
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.training.evaluate import block_lanes, evaluate
from lrtune.training.registry import OPTIMIZERS, complete

ROOT = Path(__file__).parents[1]
BUNDLED = {
    "birdstrikes": "damaged",
    "breast_cancer": "diagnosis",
    "concrete": "compressive_strength",
    "digits": "digit",
    "hpc_jobs": "class",
    "penguins": "species",
    "wine": "cultivar",
}
SEARCHED, MOST_SEARCHED, MOST_UNSEEN = 0.7, 600, 3000
FOLDS, MODELS = 3, 3
FIRST_MODEL = 1000
"""Number of the random streams of the first model; the folds have the small ones."""
POINTS = 8
HALF_LIVES = (0.3, 1.0, 3.0)
BETA2 = (0.999, 0.99, 0.97, 0.95)


class Way(NamedTuple):
    """A way of training: what it is called, and what is tried with every rate."""

    name: str
    choices: list[dict]


class Question(NamedTuple):
    """Ways to compare, and the place of the one that the others are compared with."""

    ways: list[Way]
    reference: int


class Found(NamedTuple):
    """What came of each way on a split: losses on the unseen rows, and the chosen rates."""

    losses: list[float]
    rates: list[float]


def main() -> None:
    """Train on every table and every split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("ema", "beta2"), default="ema")
    parser.add_argument("--optimizer", default="adam", help="with a factor beta2, for --of beta2")
    parser.add_argument("--tables", type=Path, metavar="FOLDER")
    parser.add_argument("--targets", nargs="+", default=[], metavar="NAME=COLUMN")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--save", type=Path, help="append every split to this file, one JSON object in each line")
    args = parser.parse_args()
    question = averages() if args.of == "ema" else factors(args.optimizer)
    targets = dict(each.split("=", 1) for each in args.targets)
    everything: dict[str, list[Found]] = {}
    with one_blas_thread():
        for name, path, target in tables(args.tables, targets):
            found = everything[name] = []
            for split in range(args.splits):
                found.append(compared(path, target, split, question))
                if args.save is not None:
                    with args.save.open("a") as file:
                        file.write(json.dumps({"table": name, "split": split, **found[-1]._asdict()}) + "\n")
    print("\n".join(report(everything, question)))


def averages() -> Question:
    """Ask about decays and averages."""
    pairs = [(decay, ema) for decay in ("constant", "linear", "cosine") for ema in (0.0, *HALF_LIVES)]
    ways = [
        Way(f"{decay}, ema {ema:g}" if ema else decay, [{"optimizer": "adam", "decay": decay, "ema": ema}])
        for decay, ema in pairs
    ]
    return Question(ways, pairs.index(("linear", 0.0)))


def factors(optimizer: str) -> Question:
    """Ask about the memory of squared gradients."""
    shared = [{"optimizer": optimizer, "decay": decay} for decay in ("linear", "cosine", "constant")]
    return Question([Way(f"{each:g}", [one | {"optimizer.beta2": each} for one in shared]) for each in BETA2], 0)


def tables(folder: Path | None, targets: Mapping[str, str]) -> Iterator[tuple[str, Path, str]]:
    """Yield name, file and target of every table."""
    yield from ((name, ROOT / "datasets" / f"{name}.csv", target) for name, target in BUNDLED.items())
    for path in sorted(folder.glob("*.csv*")) if folder else ():
        name, columns = path.name.partition(".")[0], pl.read_csv(path, n_rows=1).columns
        yield name, path, targets.get(name, "class" if "class" in columns else columns[-1])


def compared(path: Path, target: str, split: int, question: Question) -> Found:
    """Compare the ways on one split of a table."""
    with tempfile.TemporaryDirectory() as made:
        base, prepared = drawn(path, target, split, Path(made))
    tried = [[complete({**base, **each}) for one in way.choices for each in with_rates(one)] for way in question.ways]
    means = scored(list(itertools.chain(*tried)), prepared.setting).mean(axis=1).reshape(len(tried), -1)
    chosen = [each[place] for each, place in zip(tried, means.argmax(axis=1), strict=True)]
    losses = -scored(chosen, judging(prepared)).mean(axis=1)
    return Found(losses.tolist(), [each["learning_rate"] for each in chosen])


def with_rates(configuration: dict) -> list[dict]:
    """Give a configuration each rate of the grid: the middle two thirds, in the logarithm, of the optimizer's range."""
    low, high, _ = OPTIMIZERS[configuration["optimizer"]].rate.search
    sixth = (high / low) ** (1 / 6)
    return [configuration | {"learning_rate": float(each)} for each in np.geomspace(low * sixth, high / sixth, POINTS)]


def drawn(path: Path, target: str, split: int, folder: Path) -> tuple[dict, Prepared]:
    """Draw rows to search on and rows to judge by; what lrtune suggests for the former."""
    frame = pl.read_csv(path, infer_schema_length=None)
    order = np.random.default_rng([split, 77]).permutation(len(frame))
    count = min(int(SEARCHED * len(frame)), MOST_SEARCHED)
    frame[order[:count]].write_csv(folder / "search.csv")
    frame[order[count : count + MOST_UNSEEN]].write_csv(folder / "unseen.csv")
    settings = [f"data.test_path={folder / 'unseen.csv'}", f"search.folds={FOLDS}", f"search.seed={split}"]
    experiment, _ = suited(folder / "search.csv", settings, target=target)
    return dict(experiment.fixed), prepare(experiment)


def judging(prepared: Prepared) -> Setting:
    """Put all rows of the search in place of a fold's, the unseen ones in place of those that it is scored on."""
    data, setting = prepared.dataset, prepared.setting
    numbers = range(FIRST_MODEL, FIRST_MODEL + MODELS)
    rows = data.train_rows, data.test_rows
    models = tuple(encoded(data.columns, data.schema, *rows, index=each, dtype=setting.dtype)[1] for each in numbers)
    return setting._replace(folds=models)


def scored(configurations: list, setting: Setting) -> np.ndarray:
    """Score configurations ``(C, K)``; minus infinity where one diverged."""
    folds, dtype = setting.folds, setting.dtype
    at_once = max(1, block_lanes(configurations[0], folds, setting.problem, dtype) // len(folds))
    scores = []
    for first in range(0, len(configurations), at_once):
        block = configurations[first : first + at_once]
        outcomes = evaluate(block, folds, setting.problem, setting.metric, seed=setting.seed, dtype=dtype)
        scores += [[-np.inf if each is None else each for each in outcome.scores] for outcome in outcomes]
    return np.array(scores)


def report(everything: dict[str, list[Found]], question: Question) -> Iterator[str]:
    """Write the table."""
    means, logs, rates = (
        np.array([np.mean([turn(getattr(each, key)) for each in found], axis=0) for found in everything.values()])
        for turn, key in ((np.array, "losses"), (np.log, "losses"), (np.log, "rates"))
    )
    ranks = 1.0 + (means[:, :, None] > means[:, None, :]).sum(axis=2)
    errors, count = logs - logs[:, :1], len(means)
    spread = errors.std(axis=0, ddof=1) / math.sqrt(count)
    reference = question.ways[question.reference].name
    yield f"| {count} tables | error | rank | ahead of {reference} | rate |\n|---|--:|--:|--:|--:|"
    for place, way in enumerate(question.ways):
        ahead = (means[:, place] < means[:, question.reference]).sum()
        yield (
            f"| {way.name} | {100 * np.expm1(errors[:, place].mean()):+.1f} ± {100 * spread[place]:.1f} % |"
            f" {ranks[:, place].mean():.1f} | {'' if place == question.reference else ahead} |"
            f" {np.exp((rates[:, place] - rates[:, 0]).mean()):.2f} |"
        )


if __name__ == "__main__":
    main()
