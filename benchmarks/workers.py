"""What two worker processes bring: a study of about 20 seconds with one and with two, in turn.

Beside it stands what two busy cores give on this machine at all: the same matrix products in one process and in two.

    python benchmarks/workers.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]

BUSY = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import time
import numpy as np
a = np.random.default_rng(0).random((160, 64, 64), dtype=np.float32)
out = np.empty_like(a)
print("ready", flush=True)
input()
for _ in range({rounds}):
    np.matmul(a, a, out=out)
    np.maximum(out, 0.0, out=out)
"""

STUDY = """
import time
from pathlib import Path
from lrtune import tuning
from lrtune.experiment import load
from lrtune.trainers.preparation import prepare
experiment = load({config!r}, ["search.trials={trials}"])
prepared = prepare(experiment)
start = time.perf_counter()
for event in tuning.tune(experiment, prepared, Path({folder!r}), workers={workers}):
    pass
print(time.perf_counter() - start)
"""


def busy(processes: int, rounds: int) -> float:
    """Seconds until all of the processes have done the same work each."""
    code = BUSY.format(rounds=rounds)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(processes)]
    for each in running:
        each.stdout.readline()
    start = time.perf_counter()
    for each in running:
        each.stdin.write("\n")
        each.stdin.flush()
    for each in running:
        each.communicate()
    return time.perf_counter() - start


def study(workers: int, trials: int) -> float:
    """Seconds of one study, workers' start included, imports and reading the data not."""
    with tempfile.TemporaryDirectory() as folder:
        code = STUDY.format(
            config=str(ROOT / "configs" / "digits.yaml"), trials=trials, folder=folder + "/run", workers=workers
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a study of a few seconds, once")
    quick = parser.parse_args().quick
    rounds, trials, repeats = (500, 64, 1) if quick else (4000, 400, 3)
    print(f"{os.cpu_count()} cores, {repeats} interleaved repetitions, medians")
    alone, together, one, two = [], [], [], []
    for _ in range(repeats):
        alone.append(busy(1, rounds))
        together.append(busy(2, rounds))
        one.append(study(1, trials))
        two.append(study(2, trials))
    ceiling = statistics.median(2 * a / b for a, b in zip(alone, together, strict=True))
    gain = statistics.median(a / b for a, b in zip(one, two, strict=True))
    print(f"two busy cores do      {ceiling:.2f} times the work of one")
    print(f"two workers are        {gain:.2f} times as fast as one  ({trials} trials on digits)")
    print(f"one worker  {statistics.median(one):.1f} s     two workers  {statistics.median(two):.1f} s")


if __name__ == "__main__":
    main()
