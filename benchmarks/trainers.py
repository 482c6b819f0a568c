"""What it costs that lrtune runs the fits of code of somebody else: the same fits in a bare loop, in turn.

A fit waits for as long as it is told to, so that nothing but the overhead differs; both go through the same fits in as
many processes. What a process needs to start and to import is told apart: it is paid once for each worker, not for
each fit.

    python benchmarks/trainers.py [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lrtune import tuning
from lrtune.experiment import load
from lrtune.trainers.preparation import prepare

FOLDS = 5

FUNCTION = """
import time
def train(run):
    time.sleep(run["seconds"])
    return {"log_loss": run["x"]}
"""

SHELL = 'sleep "$1"; echo "{\\"log_loss\\": $2}" >> "${LRTUNE_REPORT:-/dev/null}"'

TRAINERS = {
    "function": "trainer: train.py:train",
    "command": "trainer: {command: [sh, program.sh, '{seconds}', '{x}']}",
}

EXPERIMENT = """
{trainer}
data: {{path: sklearn:wine}}
search: {{trials: {trials}, metric: log_loss, folds: {folds}, workers: 1, control: false}}
space: {{seconds: {seconds}, x: {{low: 0.1, high: 1.0}}}}
"""


def searched(kind: str, seconds: float, trials: int) -> tuple[float, int]:
    """Seconds of a search from the first fit on, and how many fits that were."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(FUNCTION)
        (folder / "program.sh").write_text(SHELL)
        text = EXPERIMENT.format(trainer=TRAINERS[kind], seconds=seconds, trials=trials, folds=FOLDS)
        (folder / "x.yaml").write_text(text)
        experiment = load(folder / "x.yaml")
        prepared = prepare(experiment)
        start = time.perf_counter()
        for _ in tuning.tune(experiment, prepared, folder / "run", workers=1):
            pass
        return time.perf_counter() - start, trials * FOLDS


def looped(kind: str, seconds: float, fits: int) -> float:
    """Seconds of the same fits in a loop."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "program.sh"
        program.write_text(SHELL)
        start = time.perf_counter()
        for _ in range(fits):
            if kind == "function":
                time.sleep(seconds)
            else:
                subprocess.run(["sh", str(program), str(seconds), "0.5"], check=True)
        return time.perf_counter() - start


def started(kind: str) -> float:
    """Seconds of a search of one configuration without a training: what is paid once."""
    took, _ = searched(kind, 0.0, 1)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few fits, once")
    quick = parser.parse_args().quick
    repeats = 1 if quick else 5
    print(f"medians of {repeats} interleaved repetitions, one worker, what is paid once taken off")
    for kind in TRAINERS:
        for seconds, trials in ((0.0, 5 if quick else 20), (2.0, 2)):
            extra, share, once = [], [], []
            for _ in range(repeats):
                first = started(kind)
                took, fits = searched(kind, seconds, trials + 1)
                bare = looped(kind, seconds, fits - FOLDS)
                more = took - first - seconds * (FOLDS + 1) - bare  # the first trial, and the training on all rows
                extra.append(more / (fits - FOLDS))
                share.append(more / bare)
                once.append(first)
            cost = f"{1e3 * statistics.median(extra):5.1f} ms a fit"
            part = f"{100 * statistics.median(share):5.2f} % of the training" if seconds else ""
            print(f"{kind:9} fits of {seconds:g} s  {cost}  {part:26} once {statistics.median(once):.1f} s")


if __name__ == "__main__":
    sys.exit(main())
