"""What scale costs: engines, workers, memory, rows and levels, as ratios of what was measured in the same run.

    python benchmarks/scale.py [--engines NAMES] [--repeats N] [--trials N] [--processes]
    python benchmarks/scale.py --workers
    python benchmarks/scale.py --memory [--rows N]
    python benchmarks/scale.py --linear
    python benchmarks/scale.py --levels

*Engines* (the first one): one study of about a minute with two workers on `local`, the peer, and on the others in turn,
in rounds. Measured is from the first result of a study to the last one before the second opinions, so that nobody's
start counts: seconds, and seconds of processor of all processes, which other programs disturb less. Each study is
divided by the local one of its round, as a machine is fast in one minute and slow in another, and of these ratios the
median is told, with the smallest and the largest. The goal is 10 % more than `local`. With `--processes` it says which
processes took the time. An engine that is not installed is left out and named. All studies must say the same.

*Workers*: two local workers beside one, and beside what two busy cores do here; where those do 1.95 times the work of
one, two workers are to be 1.8 times as fast.

*Memory*: searches on a table of `big_table.py`, 8 configurations x 3 folds x 3 epochs, with one worker and two. The
peak of the sum of the proportional set sizes of all processes stands beside that of a search of 60 such rows, and the
size of the compact table. The goal is 1.5 times the compact table more than the small search with one worker, and 1.2
times that with two.

*Linear*: seconds of processor from the first proposal to the last result for 10^4, 10^5 and 10^6 rows; for each row
these are to be equal within 15 %.

*Levels*: the same on 10^5 rows with a category of 100 levels, and of 100,000: at most 3 times as much.
"""

import argparse
import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import polars as pl
from workers import busy, study

from lrtune.run.journal import Journal, canonical

HERE = Path(__file__).parent
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
LARGE = """
data: {{path: {path}, target: y}}
model: {{hidden: [32]}}
training: {{epochs: {epochs}, batch_size: 256}}
search: {{trials: 8, folds: 3, strategy: random, workers: {workers}, control: false}}
space:
  learning_rate: {{low: 1e-4, high: 1e-1, scale: log}}
"""
LOCAL, MOST = "local", 1.10
COLUMNS, SMALL = 50, 60
TICKS = os.sysconf("SC_CLK_TCK")


def lrtune(*words):
    return [sys.executable, "-m", "lrtune", *map(str, words)]


def events_of(folder):
    with Journal(folder / "study.db") as journal:
        return journal.events()


def parents():
    """Find the parent of each process, and its ticks of processor."""
    found = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = each.read_text().rpartition(")")[2].split()
            found[int(each.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    return found


def descendants(found, root):
    """List the processes that a process has started, and those have."""
    inside, grew = {root}, True
    while grew:
        more = {pid for pid, (parent, _) in found.items() if parent in inside} - inside
        inside |= more
        grew = bool(more)
    return inside - {root}


def proportional(pid):
    """Proportional set size of a process in bytes: what it shares is divided by how many share it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def called(pid):
    """Name a process by its command, without paths and options."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").split()
        names = [Path(each).name for each in words if "=" not in each and not each.startswith("-")]
        return " ".join(names[:3])
    return ""


class Watched:
    """What all processes of this one use while it is open: seconds of processor over time, and the peak of memory."""

    def __init__(self, every=0.1, *, memory=False):
        self.every, self.memory = every, memory
        self.peak, self.ticks, self.names, self.series = 0, {}, {}, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        """Look again and again."""
        while not self.over.wait(self.every):
            found = parents()
            own = descendants(found, os.getpid())
            self.ticks = {**self.ticks, **{pid: found[pid][1] for pid in own if pid in found}}
            self.names.update({pid: called(pid) for pid in own if pid not in self.names})
            self.series.append((time.time(), self.ticks))
            if self.memory:
                self.peak = max(self.peak, sum(map(proportional, own)))

    def between(self, start, end):
        """Seconds of processor of each process between two times of `time.time`."""
        before = next((ticks for at, ticks in reversed(self.series) if at <= start), {})
        after = next(ticks for at, ticks in reversed(self.series) if at <= end)
        return {pid: (used - before.get(pid, 0)) / TICKS for pid, used in after.items()}

    def by_name(self, start, end):
        """Add up the same for processes of one name, the largest first."""
        found = {}
        for pid, seconds in self.between(start, end).items():
            found[self.names[pid]] = found.get(self.names[pid], 0.0) + seconds
        return dict(sorted(found.items(), key=lambda each: -each[1]))


def searched(folder, name, config, *options):
    """Run a search, with workers on the folder if that is its engine; gives its events."""
    (folder / name).mkdir()
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    workers = [subprocess.Popen(lrtune("worker", name), **quiet) for _ in range(2 if "folder" in options else 0)]
    try:
        command = lrtune("search", config, "-o", name, "-q", "--no-report", *options)
        subprocess.run(command, **quiet, check=True)
    finally:
        for each in workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(10)
            each.kill()
    return events_of(folder / name)


def times_of(events, kind):
    """When events of a kind were written: seconds since 1970."""
    times, at = [], None
    for each in events:
        at = each.body.get("clock", {}).get("at", at)
        if each.kind == kind:
            times.append(at)
    return times


def installed(names):
    """Those of the engines that are installed; the others are named."""
    for each in names.split(","):
        if each == "folder" or importlib.util.find_spec(each):
            yield each
        else:
            print(f"{each}: not installed, left out")


def engines(folder, names, repeats, trials, *, processes):
    """Compare engines; gives 0 if all studies say the same."""
    measured = {each: [] for each in (LOCAL, *installed(names))}
    said = set()
    (folder / "study.yaml").write_text(STUDY.format(trials=trials))
    for repeat in range(repeats):
        for engine, known in measured.items():
            with Watched() as watched:
                events = searched(folder, f"{engine}-{repeat}", "study.yaml", "--engine", engine)
            times = times_of(events, "result")
            first, last = min(times), max(times)
            used = watched.by_name(first, last)
            known.append((last - first, sum(used.values())))
            said.add(canonical(events))
            print(
                f"  {engine}: {last - first:.1f} s, {known[-1][1]:.1f} s of processor (load {os.getloadavg()[0]:.1f})",
                flush=True,
            )
            if processes:
                for each, seconds in used.items():
                    if seconds >= 0.1:
                        print(f"    {seconds:6.1f} s  {each}", flush=True)
    print(
        f"{trials} trials, two workers, first result to last, {repeats} rounds; median, and times local in the round:"
    )
    for engine, each in measured.items():
        (wall, used), (longer, more) = (zip(*part, strict=True) for part in (each, beside(each, measured[LOCAL])))
        print(
            f"  {engine:7} {statistics.median(wall):6.1f} s: {spread(longer)}, "
            f"{statistics.median(used):6.1f} s of processor: {spread(more)}  (goal {MOST:.2f})"
        )
    print("all studies say the same" if len(said) == 1 else f"WRONG: the studies say {len(said)} different things")
    return 0 if len(said) == 1 else 1


def beside(measured, others):
    """Divide what was measured in each round by what was measured of others in it."""
    return [tuple(one / other for one, other in zip(*both, strict=True)) for both in zip(measured, others, strict=True)]


def spread(ratios):
    """Say the median of ratios, with the smallest and the largest."""
    return f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"


def workers(repeats, trials):
    """Compare two local workers with one."""
    ceilings, gains = [], []
    for _ in range(repeats):
        ceilings.append(2 * busy(1, 4000) / busy(2, 4000))
        gains.append(study(1, trials) / study(2, trials))
        print(f"  two busy cores {ceilings[-1]:.2f} times one, two workers {gains[-1]:.2f} times one", flush=True)
    ceiling, gain = max(ceilings), max(gains)
    print(f"two busy cores do {ceiling:.2f} times the work of one, two workers are {gain:.2f} times as fast as one")
    print(f"that is {gain / ceiling:.2f} of what is there (goal {1.8 / 1.95:.2f})")
    return 0


def table(folder, rows, columns=COLUMNS, levels=0):
    """Make a table, once; gives its path."""
    path = folder / f"rows-{rows}-{columns}-{levels}.parquet"
    if not path.exists():
        words = ["--rows", rows, "--columns", columns, "--levels", levels, "--output", path]
        subprocess.run([sys.executable, HERE / "big_table.py", *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return path


def compact_bytes(path):
    """Count what a table takes with numbers in single precision and categories as the smallest whole numbers."""
    frame, total = pl.scan_parquet(path), 0
    rows = frame.select(pl.len()).collect().item()
    for name, kind in frame.collect_schema().items():
        levels = frame.select(pl.col(name).n_unique()).collect().item() if kind == pl.String else None
        total += rows * (4 if levels is None else 1 if levels < 2**8 else 2 if levels < 2**16 else 4)
    return total


def large(folder, path, name, *, count=1, epochs=3, memory=False):
    """Search on a table; gives seconds of processor of the training, and the peak of memory."""
    (folder / f"{name}.yaml").write_text(LARGE.format(path=path, workers=count, epochs=epochs))
    with Watched(memory=memory) as watched:
        events = searched(folder, name, f"{name}.yaml")
    used = watched.between(min(times_of(events, "trial")), max(times_of(events, "result")))
    return sum(used.values()), watched.peak


def memory(folder, rows):
    """Compare the memory of searches with the compact table."""
    path = table(folder, rows)
    compact, (_, empty) = compact_bytes(path), large(folder, table(folder, SMALL), "small", memory=True)
    print(
        f"a search of {SMALL} rows takes {empty / 1e6:.0f} MB, the compact table of {rows} rows {compact / 1e6:.0f} MB"
    )
    allowed = 1.5 * compact + empty
    for count, goal in ((1, allowed), (2, 1.2 * allowed)):
        _, peak = large(folder, path, f"workers-{count}", count=count, memory=True)
        times = (peak - empty) / compact
        print(
            f"  workers {count}: {peak / 1e6:.0f} MB, {times:.2f} compact tables more than the small search, "
            f"{peak / goal:.2f} of the goal ({goal / 1e6:.0f} MB)",
            flush=True,
        )
    return 0


def linear(folder, most):
    """Compare the time of rows of tables of different sizes."""
    found = {}
    for rows in (10_000, 100_000, 1_000_000):
        if rows <= most:
            used, _ = large(folder, table(folder, rows), f"linear-{rows}")
            found[rows] = used / rows
            print(f"  {rows} rows: {used:.1f} s of processor, {1e6 * used / rows:.1f} s for a million", flush=True)
    middle = statistics.median(found.values())
    worst = max(abs(each / middle - 1.0) for each in found.values())
    print(f"of a row within {worst:.0%} of each other (goal 15 %)")
    return 0


def levels(folder, rows, most):
    """Compare a category of many levels with one of few."""
    few, many = (large(folder, table(folder, rows, 5, each), f"levels-{each}")[0] for each in (100, most))
    print(
        f"{rows} rows, 100 levels {few:.1f} s of processor, {most} levels {many:.1f} s: {many / few:.2f} times (goal 3)"
    )
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="folder,ray,dask")
    for each in ("workers", "memory", "linear", "levels"):
        parser.add_argument(f"--{each}", action="store_true")
    parser.add_argument("--processes", action="store_true", help="which processes took the time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=480)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the largest table")
    parser.add_argument("--most-levels", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.workers:
            return workers(chosen.repeats, 400)
        if chosen.memory:
            return memory(folder, chosen.rows)
        if chosen.linear:
            return linear(folder, chosen.rows)
        if chosen.levels:
            return levels(folder, min(chosen.rows, 100_000), chosen.most_levels)
        return engines(folder, chosen.engines, chosen.repeats, chosen.trials, processes=chosen.processes)


if __name__ == "__main__":
    sys.exit(main())
