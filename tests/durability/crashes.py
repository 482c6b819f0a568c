"""Kills searches, at every point where they write and at random instants, and sees whether anything is lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from patience import PATIENCE, wait_until
from studies import content, differences, events_of

from lrtune.text.errors import StudyError


def at_points(forks, config, undisturbed, points):
    """Kill a search at some points, resume it, and compare; returns what went wrong, one sentence for each point."""
    wrong = []
    for point in points:
        folder = forks.folder / f"{Path(config).stem}-{point}"
        command = ("search", config, "--output", folder.name, "--workers", 1, "--quiet")
        code = forks.run(*command, kill=point)
        seen = events_of(folder) if (folder / "study.db").exists() else []
        again = forks.run(*command)
        found = _compared(folder, seen, undisturbed) if again == 0 else [f"resuming ended with {again}: {forks.said}"]
        if code != -signal.SIGKILL:
            found.append(f"was to be killed and ended with {code}: {forks.said}")
        wrong += [f"{config}, killed at point {point}: {each}" for each in found]
    return wrong


def _compared(folder, seen, undisturbed):
    after = events_of(folder)
    lost = [] if after[: len(seen)] == seen else [f"{len(seen)} events were recorded before and are not there any more"]
    return lost + [f"{name} differs" for name in differences(undisturbed, content(folder))]


class Search:
    """A real `lrtune search`, the leader of a process group of its own."""

    def __init__(self, folder, config, name, *options, workers=1, extra=()):
        self.output = folder / name
        words = ["search", config, "--output", name, "--workers", str(workers), "--quiet", *options]
        self.process = subprocess.Popen(
            [sys.executable, *extra, "-m", "lrtune", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "COLUMNS": "100"},
        )

    def events(self):
        """Read what has been recorded so far."""
        with contextlib.suppress(StudyError):
            return events_of(self.output)
        return []

    def wait_until(self, condition):
        """Wait until something is so, or the search has ended; tells whether it still runs."""
        wait_until(lambda: self.process.poll() is not None or condition())
        return self.process.poll() is None

    def wait_for_the_journal(self):
        """Wait until the study has begun; before, there is nothing to lose."""
        return self.wait_until((self.output / "study.db").exists)

    def wait_for(self, seconds):
        """Wait so long, or for the end if that comes before; tells whether it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None

    def kill(self, *, group):
        """Kill the search, with its workers or alone; returns the events recorded until then."""
        seen = self.events()
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        return seen

    def end(self):
        """Wait for the end; returns exit code and output."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out

    def members(self):
        """List the processes of its group that still live."""
        living = []
        for each in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, group = each.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.process.pid and state != "Z":
                    living.append(int(each.parent.name))
        return living


STRAYS = (b"lrtune.trainers.foreign.child", b"program.py")
"""What the command of a process says that runs somebody else's code."""


def strays(folder):
    """List the processes that run the code of a folder, each in a group of its own."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (each / "cmdline").read_bytes()
            if any(name in words for name in STRAYS) and (each / "cwd").resolve() == folder.resolve():
                found.append(int(each.name))
    return found


def seconds_of(folder, config, workers):
    """Run a search undisturbed; returns its content and how long its journal was being written."""
    search = Search(folder, config, f"undisturbed-{workers}", workers=workers)
    search.wait_for_the_journal()
    start = time.monotonic()
    code, out = search.end()
    assert code == 0, out
    return content(search.output), time.monotonic() - start


def at_random_instants(folder, config, name, rng, *, workers, seconds, undisturbed, most=3):
    """Kill a search at random instants, as often as ``most``, and resume it; returns kills and what went wrong."""
    kills, wrong, seen = 0, [], []
    while True:
        search = Search(folder, config, name, workers=workers)
        search.wait_for_the_journal()
        if kills == most or search.wait_for(rng.uniform(0, seconds)):
            break
        before = search.kill(group=bool(rng.integers(2)))
        kills += 1
        if before[: len(seen)] != seen:
            wrong.append("events were lost between two sessions")
        seen = before
        wait_until(lambda search=search: not search.members() and not strays(folder))  # or they outlive their parent
    code, out = search.end()
    if code != 0:
        return kills, [*wrong, f"resuming ended with {code}: {out}"]
    return kills, wrong + _compared(search.output, seen, undisturbed)
