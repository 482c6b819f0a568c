"""What every optimizer costs beside momentum, and every decay's table: ``python benchmarks/optimizers.py [--quick]``.

``--muon`` measures that one alone, by width and mini-batch: beside AdamW, and beside the sum of an update of AdamW and
the bare matrix products of the Newton-Schulz iterations, which are what nobody can do without.

Optimizers run in this process on one BLAS thread, in turns, so that a busy machine disturbs them alike. Times are CPU
seconds of `evaluate`, the function that searches call; a ratio is the median over the turns of the ratios within a
turn. A lane-step is one mini-batch update of one configuration on one fold.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits
from trainer import BATCH, DIGITS, HIDDEN, Data, ratio, report, search, turns

from lrtune.training.optimizers.muon import ITERATIONS
from lrtune.training.registry import DECAYS, OPTIMIZERS
from lrtune.training.schedules import tabulate

CONFIGURATIONS = 16
HELD_TO = {"momentum": 1.0, "natural_gradient": 8.0, "muon": 8.0}
MUON = 1.3
SIZES = [((width,) * layers, batch) for layers in (1, 2) for width in (32, 64, 128) for batch in (64, 256)]
EVERY_OTHER = 1.6
TABLE = 500, 100, 100


def round_of(name: str, epochs: int) -> list[dict]:
    """Spread the rate around its default."""
    rate = OPTIMIZERS[name].rate.default
    shared = {"hidden": (HIDDEN,), "batch_size": BATCH, "epochs": epochs, "optimizer": name, "decay": "linear"}
    return [shared | {"learning_rate": rate * float(each)} for each in np.geomspace(0.1, 1.0, CONFIGURATIONS)]


def optimizers(epochs: int, repetitions: int) -> None:
    data = Data("digits", DIGITS)
    steps = data.lane_steps(CONFIGURATIONS, epochs)
    print(
        f"digits, 64-64-10, batch {BATCH}, {CONFIGURATIONS} configurations x 5 folds x {epochs} epochs: over momentum"
    )
    search(data, round_of("momentum", 1))()
    found = turns({name: search(data, round_of(name, epochs)) for name in OPTIMIZERS}, repetitions)
    for name, seconds in found.items():
        each = 1e6 * statistics.median(seconds) / steps
        limit = HELD_TO.get(name, EVERY_OTHER)
        report(f"{name}: {each:.1f} us per lane-step", ratio(seconds, found["momentum"]), f"(at most {limit})")


def bare_products(lanes: int, shapes: list[tuple[int, int]], steps: int) -> Callable[[], None]:
    """Make the products of the iterations, stacked as many at a time as stay in the cache, and nothing else."""
    at_once = [max(1, 2**16 // (rows * columns)) for rows, columns in shapes]
    arrays = []
    for (rows, columns), count in zip(shapes, at_once, strict=True):
        sides = min(rows, columns), max(rows, columns)
        given = np.random.default_rng(0).normal(size=(count, *sides)).astype(np.float32) / max(sides)
        arrays.append((given, *np.empty((2, count, sides[0], sides[0]), np.float32), np.empty_like(given)))

    def run() -> None:
        for _ in range(steps):
            for (given, square, fourth, other), count in zip(arrays, at_once, strict=True):
                for start in range(0, lanes, count):
                    here = slice(0, min(count, lanes - start))
                    for _ in range(ITERATIONS):
                        np.matmul(given[here], given[here].swapaxes(-1, -2), out=square[here])
                        np.matmul(square[here], square[here], out=fourth[here])
                        np.matmul(fourth[here], given[here], out=other[here])

    return run


def muon(epochs: int, repetitions: int) -> None:
    """Held to: muon / (adamw + bare products)."""
    data = Data("digits", DIGITS)
    folds, features = len(data.folds), data.features.shape[1]
    print(f"muon on digits, {CONFIGURATIONS} configurations x {folds} folds x {epochs} epochs")
    for hidden, batch in SIZES:
        shared = {"hidden": hidden, "batch_size": batch, "epochs": epochs, "decay": "linear"}
        rounds = {
            name: [shared | {"optimizer": name, "learning_rate": float(each)} for each in np.geomspace(1e-3, 1e-2, 16)]
            for name in ("adamw", "muon")
        }
        steps = data.lane_steps(CONFIGURATIONS, epochs, batch) // (CONFIGURATIONS * folds)
        shapes = list(zip(hidden, (features, *hidden), strict=False))
        contenders = {name: search(data, each) for name, each in rounds.items()}
        contenders["bare products"] = bare_products(CONFIGURATIONS * folds, shapes, steps)
        found = turns(contenders, repetitions)
        both = [sum(pair) for pair in zip(found["adamw"], found["bare products"], strict=True)]
        per = {name: 1e6 * statistics.median(each) / (steps * CONFIGURATIONS * folds) for name, each in found.items()}
        words = ", ".join(f"{name} {each:.0f} us" for name, each in per.items())
        label = f"{features}-{'-'.join(map(str, hidden))}-10, batch {batch}: {words}; over adamw"
        report(label, ratio(found["muon"], found["adamw"]), "")
        report("    over adamw and bare products", ratio(found["muon"], both), f"(at most {MUON})")


def tables(repetitions: int) -> None:
    """Tabulate configurations that share nothing: every one has a warm-up of its own."""
    count, epochs, steps = TABLE
    for folds in ([steps], [steps, steps, steps, steps - 1, steps - 1]):
        print(f"seconds to tabulate {count} configurations x {epochs * steps} steps, K = {len(folds)}")
        for name in DECAYS:
            members = [{"decay": name, "epochs": epochs, "warmup": 0.2 * place / count} for place in range(count)]
            seconds = []
            for _ in range(repetitions):
                began = time.process_time()
                tabulate(members, folds, epochs)
                seconds.append(time.process_time() - began)
            report(name, statistics.median(seconds), "(under 0.5)" if len(folds) == 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer epochs and turns, for a first impression")
    parser.add_argument("--muon", action="store_true", help="Muon alone, by width and mini-batch")
    given = parser.parse_args()
    quick = given.quick
    with threadpool_limits(1):
        if given.muon:
            muon(*((1, 3) if quick else (2, 9)))
            return
        optimizers(*((3, 3) if quick else (5, 9)))
        tables(1 if quick else 3)


if __name__ == "__main__":
    main()
