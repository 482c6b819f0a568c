"""Whether the printed score is that of the delivered model, on real tables.

    python benchmarks/delivered.py [--tables FOLDER] [--targets FILE] [--splits N] [--rows N] [--metric NAME]
                                   [--save FILE] [--set KEY=VALUE ...]

Each table of fewer than 1,500 rows is split at random, three quarters for `lrtune.search(data=..., target=...)` with
nothing else said, the rest to judge what it delivers. With ``--rows`` it is each table of twice as many rows or more:
so many are for the search, the others (at most 20,000) judge. ``--tables`` names a folder with further tables; their
targets as in `benchmarks/tables.py`.

``bias`` is the score of the delivered model on the unseen rows, minus the corrected score, in points (0.01): positive
where more is delivered than was promised. The sign of the log loss and the RMSE is turned, and the RMSE is that of
targets with a deviation of one. ``in sd`` is the same in standard deviations of the rows' losses. ``covers`` is how
often the 95 % interval, widened for the luck of the unseen rows as the health report widens it, holds what was
delivered.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tables import read, tables

import lrtune

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS, MOST_UNSEEN = 1500, 20_000
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
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of the tables")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--rows", type=int, help="to search, of large tables")
    parser.add_argument("--metric", choices=("accuracy", "log_loss", "rmse"), default="accuracy")
    parser.add_argument("--save", type=Path, help="append every search to this file, one JSON object in each line")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    print("| table | rows | bias | in sd | covers | corrected | delivered | seconds of the processor |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    everything: list[Delivered] = []
    for name, path, target in tables(args.tables, args.targets):
        if args.only and name not in args.only:
            continue
        frame, is_classes = read(path, target)
        fits = len(frame) < MOST_ROWS if args.rows is None else len(frame) >= 2 * args.rows
        if not fits or is_classes is (args.metric == "rmse"):
            continue
        count = args.rows or int(SEARCHED * len(frame))
        found = [searched(frame, (count, split), target, args.metric, args.overrides) for split in range(args.splits)]
        print(line(name, f"{args.rows or len(frame):,}", found), flush=True)
        everything += found
        if args.save is not None:
            with args.save.open("a") as file:
                file.writelines(json.dumps({"table": name, **each._asdict()}) + "\n" for each in found)
    print(line("all", "", everything))


def searched(frame: pl.DataFrame, drawn: tuple[int, int], target: str, metric: str, overrides: list[str]) -> Delivered:
    """Search so many rows of a table, in this draw, and judge the model by the rest."""
    count, split = drawn
    order = np.random.default_rng([split, 99]).permutation(len(frame))
    train, unseen = (frame[np.sort(order[rows])] for rows in (slice(count), slice(count, count + MOST_UNSEEN)))
    began = time.process_time()
    with tempfile.TemporaryDirectory() as made:
        kind = "regression" if metric == "rmse" else "classification"
        settings = [f"search.metric={metric}", f"data.task={kind}", *overrides]
        found = lrtune.search(data=train, target=target, overrides=settings, workers=1, output=made)
        seconds = time.process_time() - began
        delivered, sd, judged = (
            errors(found, unseen, target) if metric == "rmse" else hits(found, unseen, target, metric)
        )
    shown, unit = found.corrected, float(unseen[target].std()) if metric == "rmse" else 1.0
    turn = 1.0 if metric == "accuracy" else -1.0 / unit
    low, high = sorted((turn * shown.low, turn * shown.high))
    return Delivered(turn * shown.score, low, high, delivered / unit, sd / unit, found.training.rows, judged, seconds)


def errors(found: lrtune.Result, unseen: pl.DataFrame, target: str) -> tuple[float, float, int]:
    """Give the RMSE on the unseen rows, its sign turned; the deviation of what a row adds to it; how many there are."""
    missed = np.asarray(found.model.predict(unseen.drop(target))) - unseen[target].to_numpy().astype(float)
    root = math.sqrt(np.mean(missed**2))
    return -root, float(np.std(missed**2) / (2.0 * root)), len(missed)


def hits(found: lrtune.Result, unseen: pl.DataFrame, target: str, metric: str) -> tuple[float, float, int]:
    """Give the score on the unseen rows whose class the search saw, the deviation of a row's, and how many they are."""
    probabilities = np.asarray(found.model.predict_proba(unseen.drop(target)))
    classes = [str(each) for each in found.model.classes_]
    truth = np.array([classes.index(str(each)) if str(each) in classes else -1 for each in unseen[target]])
    known = truth >= 0  # a class that the search never saw cannot be predicted
    probabilities, truth = probabilities[known], truth[known]
    smallest = np.finfo(float).eps
    losses = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], smallest, 1 - smallest))
    rows = (probabilities.argmax(axis=1) == truth).astype(float) if metric == "accuracy" else -losses
    return float(rows.mean()), float(rows.std()), len(truth)


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
