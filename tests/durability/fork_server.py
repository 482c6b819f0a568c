"""Runs `lrtune` commands in forks of a process that has imported everything, and kills them where they write.

One job is one line of JSON on standard input, its end one line on standard output. A job that is to be killed dies by
SIGKILL at the point it names: points are counted before, within and after every transaction of the journal, and before
and after everything that reaches the disk for good otherwise (``fsync``, renaming).
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sklearn.datasets
import sklearn.model_selection
from patience import PATIENCE

from lrtune import cli
from lrtune.cli import signals
from lrtune.finder import core as finder
from lrtune.reporting import console, details, export, live
from lrtune.run import journal
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.tuning import search

LOADED = (sklearn, finder, tuning, prepare, console, export, live, details, search)


class Points:
    """Counts the points that a process passes, and kills it at one of them."""

    def __init__(self, deadly):
        self.passed = 0
        self.deadly = deadly

    def __call__(self):
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1


def arm(point):
    """Put points around all that writes."""
    insert, fsync, replace = journal.insert, os.fsync, Path.replace

    def inserted(connection, rows):
        point()
        with connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO events (seq, kind, body, checksum) VALUES (?, ?, ?, ?)", rows[0])
            point()
            connection.rollback()
        insert(connection, rows)
        point()

    def synced(number):
        point()
        fsync(number)
        point()

    def replaced(path, target):
        point()
        found = replace(path, target)
        point()
        return found

    journal.insert, os.fsync, Path.replace = inserted, synced, replaced


def stop_in(module, name):
    """Let this process get a Ctrl-C when a function is called, wherever it has been imported to, and end in good order.

    However long that takes: what ends a process that takes too long is tested where no process must hurry.
    """
    signals.PATIENCE = PATIENCE
    real = getattr(sys.modules[module], name)

    def stopped(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(PATIENCE)

    for each in list(sys.modules.values()):
        if getattr(each, name, None) is real:
            setattr(each, name, stopped)


def run(job):
    """Run a job in this process, which then ends."""
    log = os.open(job["log"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if job["file_size"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"], job["file_size"]))
    if job["stop_in"]:
        stop_in(*job["stop_in"].rsplit(".", 1))
    point = Points(job["kill"])
    arm(point)
    sys.argv = ["lrtune", *job["arguments"]]
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    Path(job["log"] + ".points").write_text(str(point.passed))
    sys.stdout.flush()
    os._exit(code)


def main():
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            run(job)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(json.dumps(os.waitstatus_to_exitcode(status)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
