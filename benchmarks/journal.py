"""What an event costs: one transaction for each, and blocks of events in one, on this disk.

    python benchmarks/journal.py [--quick] [--folder DIR]

Every transaction waits until the disk has it (fsync). Beside it stands what the disk takes for an fsync alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from lrtune.run.journal import Event, Journal
from lrtune.run.study import result_body

FOLDS, EPOCHS = 5, 16


def event(number: int) -> Event:
    """Make a result as a search writes it: scores, learning curves, a hash."""
    curve = [round(0.5 / (epoch + 1), 4) for epoch in range(EPOCHS)]
    curves = {"epochs": list(range(1, EPOCHS + 1)), "train": curve, "validation": curve}
    scores = [0.9 + fold / 1000 + number / 1e6 for fold in range(FOLDS)]
    body = result_body(number, scores, [None] * FOLDS, predictions="0123456789abcdef", curves=curves)
    return Event("result", {**body, "clock": {"seconds": 0.123, "at": 1e9}})


def seconds_of_appends(folder: Path, events: int, block: int) -> list[float]:
    """Time every transaction of so many events."""
    with Journal(folder / f"study-{block}.db", write=True) as journal:
        times = []
        for first in range(0, events, block):
            written = [event(number) for number in range(first, first + block)]
            start = time.perf_counter()
            journal.append(written)
            times.append(time.perf_counter() - start)
    return times


def seconds_of_syncs(folder: Path, count: int) -> list[float]:
    """Time bare writes of a page with an fsync each."""
    times = []
    with (folder / "page").open("wb") as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return times


def line(name: str, times: list[float], each: int) -> str:
    ordered = sorted(times)
    tail = ordered[int(len(ordered) * 0.99)]
    middle = statistics.median(times)
    each_event = f"{name:24s} {middle * 1e3 / each:8.3f} ms an event"
    return f"{each_event}, {middle * 1e3:7.3f} ms a transaction, 99 % under {tail * 1e3:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--folder", type=Path, help="where to write; default: the folder for temporary files")
    chosen = parser.parse_args()
    events = 200 if chosen.quick else 2048
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        print(line("bare page with fsync", seconds_of_syncs(folder, events), 1))
        for block in (1, 8, 64):
            times = seconds_of_appends(folder, events // block * block, block)
            print(line(f"{block} in a transaction", times, block))
        start = time.perf_counter()
        with Journal(folder / "study-1.db", write=True) as journal:
            opened = time.perf_counter() - start
            read = len(journal.events())
        print(f"opening for writing, {read} events checked: {opened * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
