"""Searches on every engine whose workers are killed in every phase of a block, and which are killed themselves."""

import contextlib
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path

from crashes import Search
from patience import wait_until
from studies import content, differences, events_of

from lrtune.run.study import TRIAL

ENGINES = ("dask", "ray", "local")
"""Those whose workers are processes of the engine; workers on a folder are killed in `exchanges`."""

PHASES = ("starting", "training", "answering", "idle")

HELPERS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent", "ray::LogMonitor")
"""Processes of Ray that run no blocks; they may take minutes to notice that who started Ray was killed."""

LONGEST_SILENCE = 60.0
"""Seconds without an event after which a search hangs."""


def there():
    """List the engines that are installed."""
    return [each for each in ENGINES if each == "local" or importlib.util.find_spec(each)]


class Tickets:
    """Kills that are given out one after the other; see `in_workers/sitecustomize.py`."""

    def __init__(self, folder, name, phase):
        self.folder, self.phase = folder / f"tickets-{name}", phase
        self.folder.mkdir()
        paths = [str(Path(__file__).with_name("in_workers")), os.environ.get("PYTHONPATH", ""), *sys.path]
        self.environment = {"LRTUNE_TICKETS": str(self.folder), "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    @contextlib.contextmanager
    def known(self):
        """Let the processes that are started meanwhile know of them."""
        before = {each: os.environ.get(each) for each in self.environment}
        os.environ.update(self.environment)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def give(self, number):
        """Let the next process that comes to the phase die there."""
        (self.folder / f"{self.phase}-{number}").touch()

    def taken(self):
        """List those that somebody has died of."""
        return list(self.folder.glob(f"taken-{self.phase}-*"))

    def dead(self):
        """Count those whose takers are dead."""
        return sum(int(each.name.rpartition("-")[2]) not in self.bearers() for each in self.taken())

    def bearers(self):
        """Name the living processes that belong to the search, which know the folder, by their numbers."""
        mark, found = f"LRTUNE_TICKETS={self.folder}".encode(), {}
        for each in Path("/proc").glob("[0-9]*"):
            try:
                state = (each / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and mark in (each / "environ").read_bytes().split(b"\0"):
                    found[int(each.name)] = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()[:80]
            except OSError:
                continue
        return found

    def at_work(self):
        """Name those of them that are no helpers."""
        return sorted(each for each in self.bearers().values() if not each.startswith(HELPERS))

    def close(self):
        """End what is left of the search; gives the commands of these processes but for helpers."""
        found = self.at_work()
        for each in self.bearers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        return found


class Silence:
    """The longest time in which a search has recorded nothing; the start of its engine is one."""

    def __init__(self, run):
        self.files = [run / "study.db", run / "study.db-wal"]
        self.seen, self.since, self.longest = None, time.monotonic(), 0.0

    def look(self):
        """See whether something has been recorded; gives the seconds since then."""
        now = [each.stat().st_size if each.exists() else 0 for each in self.files]
        if now != self.seen:
            self.seen, self.since = now, time.monotonic()
        passed = time.monotonic() - self.since
        self.longest = max(self.longest, passed)
        return passed


def ended(search, silence, *, then):
    """Wait for the end of a search, with something to do meanwhile; None, or why it is not good."""
    while search.process.poll() is None:
        if silence.look() > LONGEST_SILENCE:
            search.kill(group=True)
            return f"recorded nothing for {LONGEST_SILENCE:g} s"
        then()
        time.sleep(0.05)
    code, out = search.end()
    return f"ended with {code}: {out}" if code else None


class Giving:
    """Gives out tickets of a phase: the next one when the last has cost a life, and all its round has been trained.

    A process that dies when it starts has been given a block already. If that block were lost again, it would fail.
    """

    def __init__(self, tickets, search, most):
        self.tickets, self.search, self.most = tickets, search, most
        self.given, self.round = 0, -1

    def __call__(self):
        """Give out the next ticket, if it is time."""
        if self.given == self.most or self.tickets.dead() < self.given:
            return
        now = sum(each.kind == TRIAL for each in self.search.events())
        if self.round is None:
            self.round = now
        elif now > self.round:
            self.tickets.give(self.given)
            self.given, self.round = self.given + 1, None


def workers_die(folder, config, name, engine, *, undisturbed, phase, most):
    """Kill workers in a phase, one after the other; gives the kills, what went wrong, and the longest silence."""
    tickets = Tickets(folder, name, phase)
    with tickets.known():
        search = Search(folder, config, name, "--engine", engine, workers=2)
    silence = Silence(search.output)
    why = ended(search, silence, then=Giving(tickets, search, most))
    kills = len(tickets.taken())
    wrong = [why] if why else [f"{each} differs" for each in differences(undisturbed, content(search.output))]
    wait_for_nobody(tickets)
    if left := tickets.close():
        wrong.append(f"left over: {left}")
    return kills, [f"{name}: {each}" for each in wrong], silence.longest


def search_dies(folder, config, name, engine, rng, *, undisturbed, most):
    """Kill a search at random instants, and resume it; gives kills, what went wrong, and the longest silence."""
    tickets, kills, seen, wrong = Tickets(folder, name, "parent"), 0, [], []
    with tickets.known():
        while True:
            search = Search(folder, config, name, "--engine", engine, workers=2)
            moment = len(seen) + int(rng.integers(3, 100))
            if kills == most or not search.wait_until(lambda at=moment, of=search: len(of.events()) > at):
                break
            before = search.kill(group=False)
            kills += 1
            wait_for_nobody(tickets)
            wrong += [f"outlived the search: {left}"] if (left := tickets.close()) else []
            wrong += [] if before[: len(seen)] == seen else ["events were lost"]
            seen = before
    silence = Silence(search.output)
    why = ended(search, silence, then=lambda: None)
    if why:
        wrong.append(f"resumed, {why}")
    else:
        wrong += [] if events_of(search.output)[: len(seen)] == seen else ["events were lost"]
        wrong += [f"{each} differs" for each in differences(undisturbed, content(search.output))]
    wait_for_nobody(tickets)
    if left := tickets.close():
        wrong.append(f"left over: {left}")
    return kills, [f"{name}: {each}" for each in wrong], silence.longest


def wait_for_nobody(tickets):
    """Give the processes of an engine time to notice that their search is gone."""
    deadline = time.monotonic() + LONGEST_SILENCE
    wait_until(lambda: not tickets.at_work() or time.monotonic() > deadline)
