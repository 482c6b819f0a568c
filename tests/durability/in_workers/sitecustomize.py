"""Makes the processes that run blocks kill themselves, where `LRTUNE_TICKETS` names a folder of tickets.

Python runs this file at its start if its folder is in PYTHONPATH. A ticket is a file that is named by a phase of a
block and a number; the first process that comes to this phase takes it, by renaming it, and dies. No block is hit
twice, because the second loss of a block is its failure and no accident.
"""

import hashlib
import os
import pickle
import random
import signal
import sys
import threading
import time
from pathlib import Path

WORKERS = ("default_worker.py", "spawn_main", "popen_loky_posix")
"""What the command of a process says that is to run blocks: of Ray, of Dask, of joblib."""

LONGEST = {"starting": 2.0, "training": 0.1, "idle": 0.3}
"""Seconds within which a process dies that has taken a ticket."""


class Dying:
    """A result in whose writing the process dies."""

    def __reduce__(self):
        die()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def takes(folder, phase):
    """Take a ticket of a phase, if there is one; gives what it is called now, or None."""
    for each in sorted(folder.glob(f"{phase}-*")):
        taken = folder / f"taken-{each.name}-{os.getpid()}"
        try:
            each.rename(taken)
        except OSError:  # another process was faster
            continue
        return taken
    return None


def is_new(folder, payload):
    """Tell whether a block has not been hit before, and mark it."""
    try:
        (folder / f"hit-{hashlib.sha256(pickle.dumps(payload)).hexdigest()[:16]}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class Guarded:
    """Runs a block as `lrtune.engines.contract.guarded` does, and dies in the phase of a ticket."""

    def __init__(self, folder, guarded):
        self.folder, self.guarded = folder, guarded
        self.has_begun = self.is_busy = False

    def __call__(self, function, shared, key, payload, seconds):
        self.has_begun = self.is_busy = True
        waiting = {each.name.partition("-")[0] for each in self.folder.glob("*-*")}
        can = bool(waiting & {"training", "answering"}) and is_new(self.folder, payload)
        if can and takes(self.folder, "training"):
            threading.Timer(random.uniform(0, LONGEST["training"]), die).start()
        done = self.guarded(function, shared, key, payload, seconds)
        if can and takes(self.folder, "answering"):
            return Dying()
        self.is_busy = False
        if "idle" in waiting and takes(self.folder, "idle"):
            threading.Thread(target=self.die_idle, daemon=True).start()
        return done

    def die_idle(self):
        time.sleep(random.uniform(0, LONGEST["idle"]))
        while self.is_busy:
            time.sleep(0.001)
        die()


def die_while_starting(ticket, guards):
    """Die before the first block begins; where that was faster, the ticket is for the next process that starts."""
    time.sleep(random.uniform(0, LONGEST["starting"]))
    if not any(each.has_begun for each in guards):
        die()
    _, phase, number, _ = ticket.name.split("-")
    ticket.rename(ticket.with_name(f"{phase}-{number}"))


def main(folder):
    from lrtune.engines import clusters, processes

    random.seed(os.getpid())
    guards = []
    for each in (clusters, processes):
        each.guarded = Guarded(folder, each.guarded)
        guards.append(each.guarded)
    if ticket := takes(folder, "starting"):
        threading.Thread(target=die_while_starting, args=(ticket, guards), daemon=True).start()


if "LRTUNE_TICKETS" in os.environ and any(each in " ".join(sys.orig_argv) for each in WORKERS):
    main(Path(os.environ["LRTUNE_TICKETS"]))
