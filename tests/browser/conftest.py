"""Chromium as the system has it, and reports of runs of every kind to look at with it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lrtune import experiment
from lrtune.cli import app
from lrtune.run.study import RESULT
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

SEARCH = "search: {trials: 6, folds: 3, strategy: random, seed: 3}"
NETWORK = f"""
model: {{hidden: [8]}}
training: {{epochs: 5, batch_size: 16}}
{SEARCH}
space:
  learning_rate: {{low: 1e-3, high: 1.0, scale: log}}
  optimizer: [adam, momentum: {{momentum: [0.8, 0.9]}}]
  decay: [constant, cosine: {{final: [0.0, 0.1]}}]
"""
EXPERIMENTS = {
    "classes": f"data: {{path: rows.csv, target: kind, ignore: [value, is_one]}}{NETWORK}",
    "two_classes": f"data: {{path: rows.csv, target: is_one, ignore: [value, kind]}}{NETWORK}",
    "values": f"data: {{path: rows.csv, target: value, ignore: [kind, is_one]}}{NETWORK}",
    "estimator": f"""
data: {{path: rows.csv, target: kind, ignore: [value, is_one]}}
trainer: {{estimator: sklearn.ensemble.GradientBoostingClassifier}}
{SEARCH}
space:
  learning_rate: {{low: 1e-2, high: 1.0, scale: log}}
  n_estimators: [5, 10]
""",
}


def rows(count=90):
    """Rows with three classes, two of which are one, and a value: as CSV."""
    rng = np.random.default_rng(5)
    kinds = np.arange(count) % 3
    points = rng.normal(size=(count, 2)) + 2 * np.eye(3)[kinds][:, :2]
    lines = [
        f"{x:.4f},{y:.4f},{'ab'[i % 2]},k{k},{'yes' if k == 1 else 'no'},{x - y:.4f}"
        for i, ((x, y), k) in enumerate(zip(points, kinds, strict=True))
    ]
    return "\n".join(["x,y,letter,kind,is_one,value", *lines]) + "\n"


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with a finished run of each kind, and one that was stopped."""
    base = tmp_path_factory.mktemp("runs")
    (base / "rows.csv").write_text(rows())
    before = Path.cwd()
    os.chdir(base)
    try:
        for name, text in EXPERIMENTS.items():
            (base / f"{name}.yaml").write_text(text)
            made = CliRunner().invoke(app, ["search", f"{name}.yaml", "-o", name, "--workers", "1", "-q"])
            assert made.exit_code == 0, made.output
        _stopped(base / "stopped", base / "classes.yaml")
    finally:
        os.chdir(before)
    return base


def _stopped(folder, config):
    chosen = experiment.load(config, ["search.round=2"])
    events = tuning.tune(chosen, prepare(chosen), folder, workers=1)
    while next(events).kind != RESULT:
        pass
    events.close()


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium; nothing is downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs a browser: {' or '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which looks for what keeps people from reading a page."""
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
