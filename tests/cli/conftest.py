import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE
from typer.testing import CliRunner

from lrtune import experiment
from lrtune.cli import app
from lrtune.run.study import RESULT
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning

CONFIG = """\
data:
  path: blobs.csv
  target: kind
model:
  hidden: [8]
training:
  epochs: 5
  batch_size: 16
search:
  trials: 6
  metric: accuracy
  folds: 3
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [adam, momentum: {momentum: [0.8, 0.9]}]
  decay: [constant, cosine: {final: [0.0, 0.1]}]
"""

PATIENT = f"from lrtune.cli import main, signals; signals.PATIENCE = {PATIENCE}; main()"

GITHUB = ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION")


def blobs(rows=90):
    """Three well-separated classes in two numbers and a category, as CSV."""
    rng = np.random.default_rng(5)
    kinds = np.arange(rows) % 3
    points = rng.normal(size=(rows, 2)) + 3 * np.eye(3)[kinds][:, :2]
    lines = [f"{x:.4f},{y:.4f},{'ab'[i % 2]},k{k}" for i, ((x, y), k) in enumerate(zip(points, kinds, strict=True))]
    return "\n".join(["x,y,letter,kind", *lines]) + "\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a table and an experiment; no variable of the caller changes how output looks."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LRTUNE_DEBUG", *GITHUB):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "blobs.csv").write_text(blobs())
    (tmp_path / "blobs.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def run():
    """Run a command in this process."""

    def invoke(*arguments, **options):
        return CliRunner().invoke(app, [str(each) for each in arguments], prog_name="lrtune", **options)

    return invoke


@pytest.fixture
def command(folder):
    """Start a command in a process of its own; a patient one ends in good order, however long that takes."""

    def start(*arguments, patient=False, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": folder, **options}
        environment = {**os.environ, **options.pop("env", {})}
        program = ["-c", PATIENT] if patient else ["-m", "lrtune"]
        words = [sys.executable, *program, *(str(each) for each in arguments)]
        return subprocess.Popen(words, env=environment, **options)

    return start


@pytest.fixture(scope="session")
def prototypes(tmp_path_factory):
    """A working folder with two runs of the same experiment: finished, and stopped after four of its six trials."""
    base = tmp_path_factory.mktemp("prototypes")
    (base / "blobs.csv").write_text(blobs())
    (base / "blobs.yaml").write_text(CONFIG)
    before = Path.cwd()
    os.chdir(base)
    try:
        assert CliRunner().invoke(app, ["search", "blobs.yaml", "-o", "runs/blobs-00000001"]).exit_code == 0
        begin_and_stop(base / "runs" / "stopped-00000002", base / "blobs.yaml", results=4)
    finally:
        os.chdir(before)
    return base / "runs"


def begin_and_stop(folder, config, results):
    """Search until so many results are on the disk, and not further."""
    chosen = experiment.load(config, ["search.round=4"])
    events = tuning.tune(chosen, prepare(chosen), folder, workers=1)
    seen = 0
    while seen < results:
        seen += next(events).kind == RESULT
    events.close()
    (folder / "experiment.yaml").write_text(chosen.to_yaml(folder))


@pytest.fixture
def made_runs(folder, prototypes):
    """Copies of these runs in the working folder; the stopped one was written last."""
    shutil.copytree(prototypes, folder / "runs")
    os.utime(folder / "runs" / "blobs-00000001" / "study.db", (1e9, 1e9))
    return folder / "runs"
