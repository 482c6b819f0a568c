"""Engines beside each other on one study: `local` with two workers is the peer, in one interleaved run.

    python benchmarks/scale.py [--repeats N] [--trials N] [--engines folder,ray,dask]

Measured is the time from the first result of a study to the last one before the second opinions, so that nobody's
start counts: neither that of processes nor of clusters. The goal is 10 % more than `local`. An engine that is not
installed is left out and named. All studies must say the same.
"""

import argparse
import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from lrtune.run.journal import Journal, canonical

STUDY = """
data: {{path: "sklearn:digits"}}
model: {{hidden: [64]}}
training: {{epochs: 30}}
search: {{trials: {trials}, folds: 3, round: 24, workers: 2, control: false}}
space:
  learning_rate: {{low: 1e-4, high: 1.0, scale: log}}
  optimizer: [sgd, adam]
  batch_size: [16, 32]
"""
LOCAL, MOST = "local", 1.10


def lrtune(*words):
    return [sys.executable, "-m", "lrtune", *map(str, words)]


def events_of(folder):
    with Journal(folder / "study.db") as journal:
        return journal.events()


def searched(folder, name, engine):
    """Run the study on an engine; gives seconds and what the study says."""
    (folder / name).mkdir()
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    workers = [subprocess.Popen(lrtune("worker", name), **quiet) for _ in range(2 if engine == "folder" else 0)]
    try:
        command = lrtune("search", "study.yaml", "-o", name, "-q", "--no-report", "--engine", engine)
        subprocess.run(command, **quiet, check=True)
    finally:
        for each in workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(10)
            each.kill()
    events = events_of(folder / name)
    times, at = [], None
    for each in events:
        at = each.body.get("clock", {}).get("at", at)
        if each.kind == "result":
            times.append(at)
    return max(times) - min(times), canonical(events)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=480)
    parser.add_argument("--engines", default="folder,ray,dask")
    chosen = parser.parse_args()
    engines = []
    for each in chosen.engines.split(","):
        if each == "folder" or importlib.util.find_spec(each):
            engines.append(each)
        else:
            print(f"{each}: not installed, left out")
    seconds = {each: [] for each in (LOCAL, *engines)}
    said = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study.yaml").write_text(STUDY.format(trials=chosen.trials))
        for repeat in range(chosen.repeats):
            for engine, known in seconds.items():
                took, study = searched(folder, f"{engine}-{repeat}", engine)
                known.append(took)
                said.add(study)
                print(f"  {engine}: {took:.1f} s (load {os.getloadavg()[0]:.1f})", flush=True)
    print(f"{chosen.trials} trials, two workers, first result to last; best and median of {chosen.repeats}:")
    local = min(seconds[LOCAL])
    for engine, each in seconds.items():
        print(f"  {engine:7} {min(each):6.1f} s  {statistics.median(each):6.1f} s  {min(each) / local:.2f} times local")
    print("all studies say the same" if len(said) == 1 else f"WRONG: the studies say {len(said)} different things")
    return 0 if len(said) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
