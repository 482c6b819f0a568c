"""The examples run: as experiments, and alone where they can."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from lrtune import experiment
from lrtune.cli import app
from lrtune.experiment.reading.yaml_text import read_file

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
SMALL = ("--trials", "2", "--set", "search.folds=2", "--set", "search.workers=1", "--quiet")


def searched(path, tmp_path, *more):
    """Search one of the examples a little; gives its result."""
    words = ["search", str(path), *SMALL, "--output", str(tmp_path / "run"), *more]
    done = CliRunner().invoke(app, words, prog_name="lrtune", catch_exceptions=False)
    assert done.exit_code == 0, done.output + done.stderr
    return json.loads((tmp_path / "run" / "result.json").read_text())


def alone(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=True)
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_example_is_an_experiment(path):
    made = experiment.load(path)
    assert made.trainer.is_foreign
    assert made.space.contains(made.space.default())
    assert [e.message for e in Draft202012Validator(experiment.schema()).iter_errors(read_file(path).values)] == []
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("name", ["svm", "tree", "ridge", "boosting", "sgd"])
def test_configs_with_estimators_run(name, tmp_path):
    more = ("--set", "space.max_depth=[2, 3]") if name == "tree" else ()
    result = searched(ROOT / "configs" / f"{name}.yaml", tmp_path, *more)
    assert result["trials"]["complete"] == 2


def test_a_program_that_knows_of_lrtune(tmp_path):
    folder = ROOT / "examples" / "command"
    result = searched(folder / "experiment.yaml", tmp_path, "--set", "training.epochs=3")
    assert result["best"]["mean"] < 1.0
    assert json.loads(alone(sys.executable, str(folder / "train.py")).splitlines()[-1].replace("'", '"'))["loss"] < 0.3


@pytest.mark.skipif(shutil.which("awk") is None, reason="there is no awk")
def test_a_program_that_cannot_be_changed(tmp_path):
    result = searched(ROOT / "examples" / "command" / "unchanged.yaml", tmp_path)
    assert result["best"]["mean"] > 0.9


def test_a_pipeline_of_scikit_learn(tmp_path):
    result = searched(ROOT / "examples" / "sklearn" / "pipeline.yaml", tmp_path)
    assert result["best"]["mean"] > 0.8


@pytest.mark.extra
def test_a_loop_of_pytorch(tmp_path):
    pytest.importorskip("torch")
    folder = ROOT / "examples" / "pytorch"
    text = (folder / "digits_cnn.py").read_text()
    assert text.count("# lrtune\n") <= 12
    assert "import lrtune" not in text
    more = ("--set", "training.epochs=2", "--set", "space.width=4")
    assert searched(folder / "digits_cnn.yaml", tmp_path, *more)["best"]["mean"] > 0.5


@pytest.mark.extra
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosted_trees(tmp_path, library):
    pytest.importorskip(library)
    more = ("--set", "training.epochs=20", "--set", f"space.library={library}")
    assert searched(ROOT / "examples" / "boosting" / "trees.yaml", tmp_path, *more)["best"]["mean"] < 17


@pytest.mark.extra
def test_a_model_of_keras(tmp_path):
    pytest.importorskip("keras")
    more = ("--set", "training.epochs=2")
    assert searched(ROOT / "examples" / "keras" / "wine.yaml", tmp_path, *more)["best"]["mean"] < 3
