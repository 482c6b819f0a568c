"""Small studies to be disturbed, and everything of them that must not depend on disturbances."""

import json
import os
import subprocess
import sys
from pathlib import Path

from lrtune.run.journal import Journal, canonical

SPACE = """
space:
  learning_rate: {low: 1e-5, high: 1.0, scale: log}
  optimizer: [sgd, adam]
  decay: [constant, exponential: {k: {low: 0.01, high: 0.5, scale: log}}]
  batch_size: [16, 32]
"""
PLAIN = f"""
data: {{path: "sklearn:iris"}}
model: {{hidden: [8]}}
training: {{epochs: 9}}
search: {{trials: 7, folds: 3, round: 4}}
{SPACE}"""
RACE = PLAIN.replace("round: 4", "round: 4, pruning: race")
LONGER = RACE.replace("trials: 7", "trials: 96").replace("round: 4", "round: 24").replace("epochs: 9", "epochs: 60")

FUNCTION = """\
import numpy as np


def train(run):
    W = np.zeros((run.train.X.shape[1], len(run.classes)))
    codes = np.searchsorted(run.classes, run.train.y)
    for epoch in range(run.epochs):
        for rows in run.batches():
            shares = outputs(W, run.train.X[rows])
            W -= run.rate * run.train.X[rows].T @ (shares - np.eye(len(run.classes))[codes[rows]]) / len(rows)
        yield {"loss": float(np.square(W).mean())}
    np.save(run.folder / "W.npy", W)
    return outputs(W, run.validation.X)


def outputs(W, X):
    shares = np.exp(X @ W)
    return shares / shares.sum(axis=1, keepdims=True)
"""
PROGRAM = """\
import json, os
import numpy as np

arrays = np.load(os.environ["LRTUNE_ARRAYS"])
classes = np.unique(arrays["train_y"])
X, codes = arrays["train_X"], np.searchsorted(classes, arrays["train_y"])
W = np.zeros((X.shape[1], len(classes)))
for line in open(os.environ["LRTUNE_RATES"]):
    shares = np.exp(X @ W)
    W -= float(line) * X.T @ (shares / shares.sum(axis=1, keepdims=True) - np.eye(len(classes))[codes]) / len(X)
shares = np.exp(arrays["validation_X"] @ W)
np.save(os.environ["LRTUNE_PREDICTIONS"], shares / shares.sum(axis=1, keepdims=True))
with open(os.environ["LRTUNE_REPORT"], "a") as file:
    file.write(json.dumps({"loss": float(np.square(W).mean())}) + chr(10))
"""
OTHERS = """
data: {path: "sklearn:iris"}
training: {epochs: 12}
search: {trials: 24, folds: 3, pruning: race, round: 8, strategy: bayesian}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  decay: [constant, exponential: {k: {low: 0.01, high: 0.5, scale: log}}]
"""
OF_A_FUNCTION, OF_A_PROGRAM = (
    f"trainer: train.py:train{OTHERS}",
    f"trainer: {{command: '{{python}} program.py'}}{OTHERS}",
)

FILES = (
    "trials.csv",
    "out_of_fold.bin",
    "class_probabilities.bin",
    "best.yaml",
    "model/model.json",
    "model/model.npz",
)

BUDGETS = (b"workers:", b"engine:", b"timeout:", b"block_timeout:")


def events_of(folder):
    """Read a journal that may be being written."""
    with Journal(folder / "study.db") as journal:
        return journal.events()


def content(folder):
    """Everything that must be the same, whatever happened on the way."""
    result = _timeless(json.loads((folder / "result.json").read_text()))
    files = {name: (folder / name).read_bytes() for name in FILES}
    files["best.yaml"] = [line for line in files["best.yaml"].splitlines() if not line.strip().startswith(BUDGETS)]
    del result["trained"]  # by the last session, and not by all
    return {**files, "events": canonical(events_of(folder)), "result": result}


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if "seconds" not in key}
    return value


def differences(one, other):
    """Name what differs between two contents."""
    found = [name for name in one if one[name] != other[name] and name != "result"]
    return found + [f"result.{key}" for key in one["result"] if one["result"][key] != other["result"].get(key)]


class Forks:
    """Runs commands in forks of `fork_server`; use as a context manager."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "log"

    def __enter__(self):
        server = Path(__file__).with_name("fork_server.py")
        environment = {**os.environ, "COLUMNS": "100", "LRTUNE_DEBUG": ""}
        self.process = subprocess.Popen(
            [sys.executable, str(server)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=environment,
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def run(self, *arguments, kill=None, file_size=None, stop_in=None):
        """Run a command; returns its exit code, or minus the signal.

        It may be killed at a point, have no file grow beyond a size, or get a Ctrl-C when it calls a function.
        """
        words = [str(each) for each in arguments]
        limits = {"kill": kill, "file_size": file_size, "stop_in": stop_in}
        job = {"arguments": words, **limits, "log": str(self.log)}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    @property
    def said(self):
        """What the last command printed."""
        return self.log.read_text()

    @property
    def points(self):
        """How many points the last command passed, if it came to its end."""
        return int(Path(f"{self.log}.points").read_text())
