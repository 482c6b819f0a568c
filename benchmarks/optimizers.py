"""What every optimizer costs beside momentum, and every decay's table: ``python benchmarks/optimizers.py [--quick]``.

Optimizers run in this process on one BLAS thread, in turns, so that a busy machine disturbs them alike. Times are CPU
seconds of `evaluate`, the function that searches call; a ratio is the median over the turns of the ratios within a
turn. A lane-step is one mini-batch update of one configuration on one fold.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits
from trainer import BATCH, DIGITS, HIDDEN, Data, ratio, report, search, turns

from lrtune.training.registry import DECAYS, OPTIMIZERS
from lrtune.training.schedules import tabulate

CONFIGURATIONS = 16
HELD_TO = {"momentum": 1.0, "natural_gradient": 8.0}
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
    quick = parser.parse_args().quick
    with threadpool_limits(1):
        optimizers(*((3, 3) if quick else (5, 9)))
        tables(1 if quick else 3)


if __name__ == "__main__":
    main()
