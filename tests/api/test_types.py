"""What a type checker and an editor see of the public names."""

import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

ROOT = Path(__file__).parents[2]

SNIPPET = """\
import lrtune

reveal_type(lrtune.Classifier)
reveal_type(lrtune.Regressor())
reveal_type(lrtune.load("model"))
reveal_type(lrtune.find_learning_rate(data="t.csv", target="y").curves[0].suggestion.recommended)
reveal_type(lrtune.Schedule("cosine", epochs=2, steps_per_epoch=5)[3])
reveal_type(lrtune.suggest({"rate": [0.1, 0.2]}, []))
study = lrtune.Study({"rate": [0.1, 0.2]}, metric="accuracy")
reveal_type(study.ask())
reveal_type(study.best)
lrtune.Classifer
lrtune.find_learning_rate(method=3)
"""
REVEALED = [
    "def (*, learning_rate: ",
    "lrtune.model.estimator.Regressor",
    "lrtune.model.estimator.Classifier | lrtune.model.estimator.Regressor",
    "float | None",
    "float",
    "list[dict[str, Any]]",
    "list[lrtune.verdict.standing.Standing]",
    "lrtune.verdict.standing.Standing | None",
]


def test_a_type_checker_knows_every_public_name_and_no_other(tmp_path):
    pytest.importorskip("mypy")
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", str(snippet)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line.partition(": ")[2].replace("builtins.", "") for line in done.stdout.splitlines()]
    told = [line.removeprefix("note: Revealed type is ").strip('"') for line in lines if "Revealed" in line]
    assert len(told) == len(REVEALED), done.stdout + done.stderr
    assert all(one.startswith(other) for one, other in zip(told, REVEALED, strict=True)), told
    misspelt, wrong = (line for line in lines if line.startswith("error"))
    assert misspelt.startswith('error: Module has no attribute "Classifer"; maybe "Classifier"')
    assert 'Argument "method" to "find_learning_rate" has incompatible type' in wrong


def test_completion_shows_the_public_names_and_nothing_else():
    assert [name for name in dir(lrtune) if not name.startswith("_")] == sorted(lrtune.__all__)
    assert {"__doc__", "__file__", "__version__"} <= set(dir(lrtune))


def test_a_star_brings_the_public_names():
    code = "from lrtune import *; print(sorted(name for name in dir() if not name.startswith('_')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{sorted(lrtune.__all__)}\n"
