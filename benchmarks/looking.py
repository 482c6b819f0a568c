"""How long it takes to look at a large study: `lrtune show`, `trials` and `status` on 10,000 made-up trials.

The study is a real one in every respect except that nobody trained: the configurations are drawn from the default
space, and the scores of five folds are noise around a quality of each configuration.

    python benchmarks/looking.py [trials] [rounds]
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lrtune.experiment.suited import suited
from lrtune.run.journal import Event, Journal
from lrtune.run.study import FINISHED, REFIT, RESULT, STUDY, TRIAL, result_body

LIMIT = 1.0
"""Seconds that `lrtune show` may take on 10,000 trials."""

FOLDS, ROUND = 5, 64
HEADER = {
    "name": "large",
    "metric": "accuracy",
    "task": "multiclass",
    "fingerprint": "0123abcd" * 8,
    "rows": {"train": 1438, "test": 359},
    "rows_ratio": 0.25,
    "clock": {"at": 1.8e9, "seconds": 0.1, "versions": {}, "kernels": {}},
}


def study_events(space, trials):
    """Yield the transactions of a study: rounds of proposals, and their results."""
    rng = np.random.default_rng([0, 77])
    yield [Event(STUDY, HEADER)]
    for start in range(0, trials, ROUND):
        numbers = range(start, min(start + ROUND, trials))
        points = [space.default() if each == 0 else space.sample(rng) for each in numbers]
        yield [Event(TRIAL, {"trial": n, "configuration": p}) for n, p in zip(numbers, points, strict=True)]
        yield [Event(RESULT, result_of(number, rng)) for number in numbers]
    yield [Event(REFIT, {"trial": 0, "test": {"score": 0.9, "rows": 359}, "model": "0" * 16})]
    yield [Event(FINISHED, {"reason": "trials"})]


def result_of(number, rng):
    quality, diverges = rng.beta(8, 2), rng.random() < 0.05
    scores = [float(each) for each in np.clip(rng.normal(quality, 0.02, FOLDS), 0, 1)]
    reached = [3 if diverges and fold == 0 else None for fold in range(FOLDS)]
    shown = [None if epoch else score for epoch, score in zip(reached, scores, strict=True)]
    body = result_body(number, shown, reached, predictions=None if diverges else f"{number:016x}")
    return body | {"clock": {"seconds": 0.5, "at": 1.8e9 + number}}


def make(folder, trials):
    """Write a finished run without its result file, so that pages are made from the events alone."""
    chosen, _ = suited("sklearn:digits", [f"search.trials={trials}"])
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(chosen.to_yaml(folder), encoding="utf-8")
    with Journal(folder / "study.db", write=True) as journal:
        for transaction in study_events(chosen.space, trials):
            journal.append(transaction)


def seconds(words, base):
    """Time of a command: by the clock, and on the processor, which other programs disturb less."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "lrtune", *words], check=True, cwd=base, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory() as base:
        make(Path(base) / "runs" / "large-0123abcd", trials)
        for words in (["show", "large"], ["trials", "large", "--limit", "20"], ["status", "large"], ["list"]):
            measured = [seconds(words, base) for _ in range(rounds + 1)][1:]  # the first run compiles
            wall, used = (statistics.median(each) for each in zip(*measured, strict=True))
            limit = f", at most {LIMIT:.1f} s" if words[0] == "show" else ""
            print(f"lrtune {' '.join(words):28} {wall:5.2f} s, {used:5.2f} s of processor (median of {rounds}{limit})")


if __name__ == "__main__":
    main()
