"""Whether the printed score is that of the delivered model, on real tables.

    python benchmarks/delivered.py [--tables FOLDER] [--splits N] [--metric NAME] [--save FILE] [--set KEY=VALUE ...]

Each table of fewer than 1,500 rows is split at random, three quarters for `lrtune.search(data=..., target=...)` with
nothing else said, the rest to judge what it delivers. ``--tables`` names a folder with further tables, each a
``.csv`` or ``.csv.gz`` whose target is the column ``class``.

``bias`` is the score of the delivered model on the unseen rows, minus the corrected score, in points (0.01; of the log
loss, the sign is turned): positive where more is delivered than was promised. ``in sd`` is the same in standard
deviations of the rows' losses. ``covers`` is how often the 95 % interval, widened for the luck of the unseen rows as
the health report widens it, holds what was delivered.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

import lrtune

ROOT = Path(__file__).parents[1]
BUNDLED = {"wine": "cultivar", "penguins": "species", "breast_cancer": "diagnosis"}
MOST_ROWS = 1500
SEARCHED = 0.75


class Delivered(NamedTuple):
    """One search: what it promised, and what came."""

    corrected: float
    low: float
    high: float
    delivered: float
    sd: float
    trained: int
    unseen: int
    seconds: float

    @property
    def is_covered(self) -> bool:
        """Whether the widened interval holds the score on the unseen rows."""
        middle, factor = (self.low + self.high) / 2, math.sqrt(1.0 + self.trained / self.unseen)
        return middle - (middle - self.low) * factor <= self.delivered <= middle + (self.high - middle) * factor


def main() -> None:
    """Search every table on every split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of the tables")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--metric", choices=("accuracy", "log_loss"), default="accuracy")
    parser.add_argument("--save", type=Path, help="append every search to this file, one JSON object in each line")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    print("| table | rows | bias | in sd | covers | corrected | delivered | seconds of the processor |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    everything: list[Delivered] = []
    for name, path, target in tables(args.tables):
        if args.only and name not in args.only:
            continue
        found = [searched(path, target, split, args.metric, args.overrides) for split in range(args.splits)]
        print(line(name, f"{len(pl.read_csv(path)):,}", found), flush=True)
        everything += found
        if args.save is not None:
            with args.save.open("a") as file:
                file.writelines(json.dumps({"table": name, **each._asdict()}) + "\n" for each in found)
    print(line("all", "", everything))


def tables(folder: Path | None) -> Iterator[tuple[str, Path, str]]:
    """Yield name, file and target of the tables that are small enough."""
    yield from ((name, ROOT / "datasets" / f"{name}.csv", target) for name, target in BUNDLED.items())
    for path in sorted(folder.glob("*.csv*")) if folder else ():
        frame = pl.read_csv(path)
        if "class" in frame.columns and len(frame) < MOST_ROWS:
            yield path.name.partition(".")[0], path, "class"


def searched(path: Path, target: str, split: int, metric: str, overrides: list[str]) -> Delivered:
    """Search a part of a table, and judge the model by the rest."""
    frame = pl.read_csv(path)
    order = np.random.default_rng([split, 99]).permutation(len(frame))
    count = int(SEARCHED * len(frame))
    train, unseen = frame[np.sort(order[:count])], frame[np.sort(order[count:])]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as made:
        settings = [f"search.metric={metric}", "data.task=classification", *overrides]
        found = lrtune.search(data=train, target=target, overrides=settings, workers=1, output=made)
        seconds = time.process_time() - began
        probabilities = np.asarray(found.model.predict_proba(unseen.drop(target)))
        classes = [str(each) for each in found.model.classes_]
    truth = np.array([classes.index(str(each)) if str(each) in classes else -1 for each in unseen[target]])
    known = truth >= 0  # a class that the search never saw cannot be predicted
    probabilities, truth = probabilities[known], truth[known]
    hits = (probabilities.argmax(axis=1) == truth).astype(float)
    smallest = np.finfo(float).eps
    losses = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], smallest, 1 - smallest))
    turn, rows = (1.0, hits) if metric == "accuracy" else (-1.0, -losses)
    shown = found.corrected
    low, high = sorted((turn * shown.low, turn * shown.high))
    trained = found.training.rows
    return Delivered(turn * shown.score, low, high, float(rows.mean()), float(rows.std()), trained, len(truth), seconds)


def line(name: str, rows: str, found: list[Delivered]) -> str:
    """Write one line of the table."""
    bias = np.array([each.delivered - each.corrected for each in found])
    error = bias.std(ddof=1) / math.sqrt(len(bias)) if len(bias) > 1 else math.nan
    scaled = np.mean([each.delivered - each.corrected for each in found]) / np.mean([each.sd for each in found])
    covers = np.mean([each.is_covered for each in found])
    corrected, delivered = (np.mean([getattr(each, key) for each in found]) for key in ("corrected", "delivered"))
    return (
        f"| {name} | {rows} | {100 * bias.mean():+.2f} ± {100 * error:.2f} | {scaled:+.3f} | {100 * covers:.0f} % |"
        f" {corrected:.3f} | {delivered:.3f} | {np.mean([each.seconds for each in found]):.1f} |"
    )


if __name__ == "__main__":
    main()
