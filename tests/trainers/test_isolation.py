"""A fit knows nothing of the fits before it in its process, and cannot harm those after it."""

import csv
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.run.fits import running_fits
from lrtune.text.errors import ExperimentError, NoUsableResultError

EXPERIMENT = """\
trainer: train.py:train
data: {path: trees.csv, target: kind}
search: {strategy: grid, metric: accuracy, folds: 2, workers: 1}
space: {a: [1, 2, 3, 4]}
"""

HEAD = "import os, sys\nimport numpy as np\nfrom pathlib import Path\n\n\ndef train(run):\n"


def scores(folder, body, name="run"):
    """Search with a function of this body; the scores of each trial on the folds, by its value of ``a``."""
    (folder / "train.py").write_text(HEAD + textwrap.indent(textwrap.dedent(body), "    "))
    (folder / "file.yaml").write_text(EXPERIMENT)
    lrtune.search("file.yaml", output=folder / name)
    with (folder / name / "trials.csv").open(newline="") as file:
        return {int(row["a"]): (row["state"], row["fold_1"], row["fold_2"]) for row in csv.DictReader(file)}


def complete(value):
    return ("complete", str(value), str(value))


def test_arrays_may_be_changed_in_place(folder):
    found = scores(
        folder,
        """
        first = float(np.abs(run.train.X).sum())
        for array in (run.train.X, run.validation.X):
            array *= 2
        run.train.y[:] = run.train.y[0]
        run.train.indices[:] = 0
        assert float(np.abs(run.train.X).sum()) > first
        yield {"accuracy": 1 / (1 + first)}
        """,
    )
    assert len(found) == 4
    assert len(set(found.values())) == 1


def test_a_child_that_comes_back_does_not_answer(folder):
    found = scores(
        folder,
        """
        if run["a"] == 2:
            os.fork()
        yield {"accuracy": run["a"] / 10}
        """,
    )
    assert found == {a: complete(a / 10) for a in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    "spoils",
    [
        "sys.stdout = sys.stderr = None",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "np.random.default_rng = None; np.concatenate = None",
        "os.chdir('/'); sys.path.clear()",
    ],
)
@pytest.mark.parametrize("raises", ["raise RuntimeError('spoilt')", "pass"])
def test_what_a_fit_spoils_is_spoilt_for_no_other(spoils, raises, folder):
    found = scores(
        folder,
        f"""
        if run["a"] == 2:
            {spoils}
            {raises}
        else:
            open(os.devnull).close()
            np.concatenate([np.random.default_rng(0).random(2)])
            import uuid
        yield {{"accuracy": run["a"] / 10}}
        """,
    )
    assert {a: found[a] for a in (1, 3, 4)} == {a: complete(a / 10) for a in (1, 3, 4)}


def test_fits_that_failed_are_not_at_work(folder):
    found = scores(
        folder,
        """
        if run["a"] == 2:
            raise ValueError("two")
        yield {"accuracy": 0.5}
        """,
    )
    assert found[2][0] == "failed"
    assert running_fits(folder / "run") == []


def test_a_failure_in_a_used_process_is_tried_once_in_a_fresh_one(folder):
    scores(
        folder,
        """
        with Path("seen.txt").open("a") as file:
            print(run["a"], os.getpid(), file=file)
        if run["a"] == 3:
            raise ValueError("three")
        yield {"accuracy": 0.5}
        """,
    )
    seen = [line.split() for line in Path("seen.txt").read_text().splitlines()]
    three = [process for a, process in seen if a == "3"]
    assert len(three) == 2
    assert len(set(three)) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('yield {"accuracy": 96.8}', "accuracy = 96.8, and accuracy is from 0 to 1; is it in per cent?"),
        ("return -0.5", "returns accuracy = -0.5, and accuracy is from 0 to 1"),
        ("return True", "returned True"),
        ('return "good"', "returned str; expected predictions"),
        ('yield {"accuracy": True}', "expected a number"),
        ('yield {"\\ud800": 1.0}', "its last report says ?"),
    ],
)
def test_a_score_that_the_metric_cannot_have_is_none(said, expected, folder):
    with pytest.raises(NoUsableResultError) as caught:
        scores(folder, said)
    assert expected in str(caught.value)


def test_a_file_that_searches_when_it_is_imported_is_told(folder):
    (folder / "train.py").write_text(
        "import lrtune\n\n\ndef train(run):\n    return 0.5\n\n\nlrtune.search('file.yaml', output='inner')\n"
    )
    (folder / "file.yaml").write_text(EXPERIMENT)
    with pytest.raises(ExperimentError, match="if __name__ == '__main__':"):
        lrtune.search("file.yaml", output=folder / "run")


@pytest.mark.parametrize("trainer", ["{command: python t.py}", "{estimator: sklearn.linear_model.SGDClassifier}"])
def test_a_decay_that_follows_the_loss_is_refused_where_nobody_tells_it(trainer):
    text = f"trainer: {trainer}\ndata: {{path: t.csv, target: y}}\nspace: {{learning_rate: [0.1], decay: [plateau]}}\n"
    with pytest.raises(ExperimentError, match="plateau follows the loss"):
        load_text(text)


def test_a_decay_that_follows_the_loss_is_found_in_a_branch():
    text = """\
trainer: {command: python t.py}
data: {path: t.csv, target: y}
space: {learning_rate: [0.1], kind: [a, b: {decay: [constant, plateau]}]}
"""
    with pytest.raises(ExperimentError, match="plateau follows the loss"):
        load_text(text)


def test_a_mistake_in_the_trainer_is_the_only_one_that_is_named():
    text = "trainer: {function: 3}\ndata: {path: t.csv, target: y}\nspace: {a: [1, 2]}\n"
    with pytest.raises(ExperimentError) as caught:
        load_text(text)
    assert len(caught.value.problems) == 1


def test_rows_of_a_function_have_no_plan_and_that_is_no_mistake(folder):
    (folder / "file.yaml").write_text(EXPERIMENT.replace("{path: trees.csv, target: kind}", "{loader: train.py:load}"))
    shown = CliRunner().invoke(app, ["check", "file.yaml"])
    assert shown.exit_code == 2
    assert "train.py: there is no such file" in shown.output.replace("\n", "")
    (folder / "train.py").write_text("raise SystemExit('imported')\n")
    shown = CliRunner().invoke(app, ["check", "file.yaml"])
    assert shown.exit_code == 0
    assert "nothing is wrong with the file" in shown.output


def test_a_process_that_leaks_is_replaced(folder, monkeypatch):
    monkeypatch.setattr("lrtune.trainers.foreign.processes.MORE_MEMORY", 100 * 2**20)
    found = scores(
        folder,
        """
        kept = sys.modules["__main__"].__dict__.setdefault("kept", [])
        kept.append(np.ones(2**23 if run["a"] > 1 else 1))  # 64 MiB
        (Path(__file__).parent / f"{os.getpid()}-{run['a']}-{run.fold}").touch()
        yield {"accuracy": run["a"] / 10}
        """,
    )
    assert found == {a: complete(a / 10) for a in (1, 2, 3, 4)}
    processes = {each.name.split("-")[0] for each in folder.glob("*-*-*")}
    assert 2 <= len(processes) <= 5  # a new one after every second or third fit that leaks, the last training with them


def test_what_is_done_to_a_report_after_it_was_made_is_not_read(folder):
    found = scores(
        folder,
        """
        import threading
        report = {"accuracy": run["a"] / 10}
        yield report
        report["accuracy"] = 0.99
        threading.Thread(target=report.update, kwargs={"accuracy": 0.98}).start()
        """,
    )
    assert found == {a: complete(a / 10) for a in (1, 2, 3, 4)}
