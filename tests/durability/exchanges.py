"""Searches whose blocks go by way of a folder, with real workers that come late and are killed."""

import contextlib
import os
import signal
import subprocess
import sys

from crashes import Search
from patience import PATIENCE, wait_until
from studies import content, differences

SOON = {"LRTUNE_BEAT_SECONDS": "0.2", "LRTUNE_STALE_SECONDS": "4"}
"""Counters that change often, so that a killed worker is missed soon."""

FOLDER = ("--engine", "folder")


class Workers:
    """The workers of a run; use as a context manager, at whose end none is left."""

    def __init__(self, folder, name):
        self.folder, self.name, self.all = folder, name, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.all:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.communicate()

    def start(self, *options):
        """Start one more."""
        (self.folder / self.name).mkdir(exist_ok=True)
        words = [sys.executable, "-m", "lrtune", "worker", self.name, *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.all.append(subprocess.Popen(words, cwd=self.folder, start_new_session=True, **pipes))
        return self.all[-1]

    def living(self):
        """List those that have not ended."""
        return [each for each in self.all if each.poll() is None]

    def leases(self):
        """List the blocks in the hands of workers."""
        return list((self.folder / self.name / "exchange" / "taken").glob("[!.]*@*"))

    def results(self):
        """List what is being given back."""
        return list((self.folder / self.name / "exchange" / "done").glob("*"))


PHASES = ("starting", "idle", "training", "answering")

STARTING = 2.0
"""Seconds in which a worker that starts is killed: it imports, meets the parent, and takes its first block."""


def killed_in_phase(workers, search, phase, rng):
    """Kill a worker in a phase, and start another one; False if the search was faster."""
    if phase == "starting":
        return killed_while_starting(workers, search, rng)
    waited = {
        "idle": lambda: len(workers.leases()) < len(workers.living()),
        "training": workers.leases,
        "answering": workers.results,
    }[phase]
    if not search.wait_until(waited):
        return False
    living = workers.living()
    if not living:
        return False
    victim = living[int(rng.integers(len(living)))]
    if phase != "idle" and (held := workers.leases()):
        pids = {str(each.pid): each for each in living}
        victim = next((pids[part] for each in held for part in each.name.split("-") if part in pids), victim)
    victim.kill()  # the process that answers for a block; the one that runs it follows
    workers.start()
    return True


def killed_while_starting(workers, search, rng):
    """Start one more worker while others train, and kill it before long; False if the search was faster."""
    if not search.wait_until(workers.leases):
        return False
    victim = workers.start()
    if search.wait_for(rng.uniform(0, STARTING)):
        return False
    victim.kill()
    return True


def with_kills(folder, config, name, rng, *, undisturbed, phases, count=2):
    """Run a search with workers of which one is killed for every phase; gives the kills and what went wrong."""
    os.environ.update(SOON)
    kills = 0
    with Workers(folder, name) as workers:
        workers.start()  # before there is anything to do
        search = Search(folder, config, name, *FOLDER, workers=count)
        for _ in range(count - 1):
            workers.start()
        for phase in phases:
            kills += killed_in_phase(workers, search, phase, rng)
        code, out = search.end()
        if code != 0:
            return kills, [f"{name}: ended with {code}: {out}"]
        wrong = [f"{name}: {each} differs" for each in differences(undisturbed, content(search.output))]
        ended = [each.wait(PATIENCE) for each in workers.all]
        return kills, wrong + [f"{name}: a worker ended with {code}" for code in ended if code not in (0, -9)]


def parent_killed(folder, config, name, *, undisturbed):
    """Kill a search while its workers train, and resume it with the same workers."""
    os.environ.update(SOON)
    with Workers(folder, name) as workers:
        search = Search(folder, config, name, *FOLDER, workers=2)
        workers.start()
        workers.start()
        search.wait_until(lambda: len(search.events()) > 3 and workers.leases())
        seen = search.kill(group=False)
        again = Search(folder, config, name, *FOLDER, workers=2)
        code, out = again.end()
        if code != 0:
            return [f"{name}: resuming ended with {code}: {out}"]
        lost = [] if again.events()[: len(seen)] == seen else [f"{name}: events were lost"]
        wait_until(lambda: not workers.living())
        ended = [each.returncode for each in workers.all]
        wrong = lost + [f"{name}: {each} differs" for each in differences(undisturbed, content(again.output))]
        return wrong + ([] if ended == [0, 0] else [f"{name}: workers ended with {ended}"])
