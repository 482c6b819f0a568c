"""Searches with programs: told by files and variables, and telling by lines."""

import json
import textwrap

import numpy as np
import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.text.errors import ExperimentError, NoUsableResultError
from lrtune.trainers.foreign.commands import filled
from lrtune.trainers.preparation import prepare

PROGRAM = """\
import json, os
import numpy as np

chosen = json.load(open(os.environ["LRTUNE_CONFIG"]))
arrays = np.load(os.environ["LRTUNE_ARRAYS"])
rates = [float(line) for line in open(os.environ["LRTUNE_RATES"])]
classes = np.unique(arrays["train_y"])
codes = np.searchsorted(classes, arrays["train_y"])
W = np.zeros((arrays["train_X"].shape[1], len(classes)))


def outputs(X):
    shares = np.exp(X @ W)
    return shares / shares.sum(axis=1, keepdims=True)


with open(os.environ["LRTUNE_REPORT"], "a") as report:
    for rate in rates:
        W -= rate * arrays["train_X"].T @ (outputs(arrays["train_X"]) - np.eye(len(classes))[codes]) / len(codes)
        truth = np.searchsorted(classes, arrays["validation_y"])
        loss = -np.log(outputs(arrays["validation_X"])[np.arange(len(truth)), truth]).mean() if len(truth) else 0.0
        report.write(json.dumps({"loss": float(loss)}) + "\\n")
        report.flush()
if chosen["predicts"]:
    np.save(os.environ["LRTUNE_PREDICTIONS"], outputs(arrays["validation_X"]))
"""
EXPERIMENT = """\
trainer: {command: "{python} program.py"}
data: {path: trees.csv, target: kind}
training: {epochs: 2, batch_size: 16}
search: {trials: 2, folds: 3, workers: 1}
space:
  learning_rate: [0.1, 0.5]
  decay: [linear]
  predicts: true
"""


def searched(folder, program=PROGRAM, text=EXPERIMENT, **settings):
    (folder / "program.py").write_text(textwrap.dedent(program))
    (folder / "file.yaml").write_text(text)
    return lrtune.search("file.yaml", output=folder / "run", **settings)


def fails(folder, program, text=EXPERIMENT):
    with pytest.raises(NoUsableResultError) as caught:
        searched(folder, program, text, trials=1)
    return str(caught.value)


@pytest.mark.parametrize("predicts", [True, False])
def test_scores_are_those_of_the_program_run_alone(predicts, folder):
    text = EXPERIMENT.replace("predicts: true", f"predicts: {str(predicts).lower()}")
    found = searched(folder, text=text)
    setting = prepare(load_text(text, base=folder)).setting
    for row in found.trials.iter_rows(named=True):
        rates = lrtune.Schedule("linear", learning_rate=row["learning_rate"], epochs=2, steps_per_epoch=3).rates
        for number, fold in enumerate(setting.folds, 1):
            W = np.zeros((3, 3))
            for rate in rates:
                shares = np.exp(fold.features @ W)
                shares /= shares.sum(axis=1, keepdims=True)
                W -= rate * fold.features.T @ (shares - np.eye(3)[fold.targets]) / len(fold.features)
            shares = np.exp(fold.validation_features @ W)
            truth = shares[np.arange(len(shares)), fold.validation_targets] / shares.sum(axis=1)
            assert row[f"fold_{number}"] == pytest.approx(-np.log(truth).mean(), rel=1e-6)
    assert found.corrected.method == ("bootstrap" if predicts else found.corrected.method)
    assert found.corrected.method == "bootstrap" or not predicts
    assert found.test.score is not None


def test_it_is_told_its_rows_its_seed_and_its_folder(folder):
    program = """
        import json, os, pathlib
        told = {key: value for key, value in os.environ.items() if key.startswith("LRTUNE_")}
        told["train"] = [int(line) for line in open(told["LRTUNE_TRAIN"])]
        told["validation"] = [int(line) for line in open(told["LRTUNE_VALIDATION"])]
        path = pathlib.Path(f"told-{told['LRTUNE_FOLD']}.json")
        if not path.exists():  # the controlled pair has other rows
            path.write_text(json.dumps(told))
        pathlib.Path(told["LRTUNE_REPORT"]).open("a").write('{"log_loss": 1.0}\\n')
    """
    searched(folder, program, trials=1)
    setting = prepare(load_text(EXPERIMENT, base=folder)).setting
    for number, (train, validation) in enumerate(setting.foreign.rows, 1):
        told = json.loads((folder / f"told-{number}.json").read_text())
        assert (told["train"], told["validation"]) == (train.tolist(), validation.tolist())
        assert told["LRTUNE_EPOCHS"] == "2"
        assert told["LRTUNE_DATA"] == str(folder / "trees.csv")
    assert (folder / "told-0.json").exists()  # all rows, at the end


def test_parameters_stand_in_the_command_by_name(folder):
    text = EXPERIMENT.replace(
        "{python} program.py", "{python} program.py --rate {learning_rate} --on {predicts} {width}"
    )
    text = text.replace("  decay: [linear]", "  width: [[4, 2]]")
    program = """
        import os, sys
        assert sys.argv[1:] == ["--rate", "0.1", "--on", "true", "[4, 2]"], sys.argv
        open(os.environ["LRTUNE_REPORT"], "a").write('{"log_loss": 1.0}\\n')
    """
    assert searched(folder, program, text, trials=1).counts.complete == 1


@pytest.mark.parametrize(
    ("report", "program"),
    [
        ("{pattern: 'loss=([0-9.]+)'}", "print('loss=3'); print('loss=0.25')"),
        (
            "{key: val.loss, file: metrics.json}",
            "import json; json.dump({'val': {'loss': 0.25}}, open('metrics.json', 'w'))",
        ),
        ("{key: loss, file: log.jsonl}", "open('log.jsonl', 'w').write('{\"loss\": 3}\\n{\"loss\": 0.25}\\n')"),
    ],
)
def test_a_program_that_cannot_be_changed_tells_in_its_own_way(report, program, folder):
    text = EXPERIMENT.replace('program.py"}', f'program.py", report: {report}}}')
    found = searched(folder, program, text, trials=1)
    assert found.best.fold_scores == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("report", "program", "expected"),
    [
        ("", "import sys; print('out of luck'); sys.exit(3)", "exit code 3; the last lines of its output: out of luck"),
        ("", "pass", "wrote nothing to LRTUNE_REPORT"),
        (
            "",
            "import os; open(os.environ['LRTUNE_REPORT'], 'a').write('what\\n')",
            "line 1 of LRTUNE_REPORT is no JSON: what",
        ),
        ("", "import os; open(os.environ['LRTUNE_REPORT'], 'a').write('3\\n')", "line 1 of LRTUNE_REPORT is no object"),
        ("", "import os; os.kill(os.getpid(), 9)", "signal 9; the last lines of its output"),
        ("{pattern: 'loss=(.*)'}", "print('lss=3')", "'loss=(.*)' matches none of 1 lines of output; the last: lss=3"),
        ("{pattern: 'loss=(.*)'}", "print('loss=high')", "what 'loss=(.*)' matches is 'high'; expected a number"),
        ("{key: loss, file: gone.json}", "pass", "gone.json was not written, neither in LRTUNE_FOLDER nor in"),
        (
            "{key: los, file: m.json}",
            "open('m.json', 'w').write('{\"loss\": 3}')",
            "m.json has no 'los'; did you mean 'loss'?",
        ),
    ],
)
def test_why_a_program_has_no_score_is_said(report, program, expected, folder):
    text = EXPERIMENT.replace('program.py"}', f'program.py", report: {report}}}') if report else EXPERIMENT
    assert expected in fails(folder, program, text)


NOTHING_ELSE = EXPERIMENT.replace("  predicts: true\n", "")


def test_reports_after_the_end_of_a_program_are_not_read(folder):
    (folder / "later.py").write_text(
        "import os, time\ntime.sleep(0.3)\nopen(os.environ['LRTUNE_REPORT'], 'a').write('{\"loss\": 9}\\n')\n"
    )
    program = """
        import os, subprocess, sys
        subprocess.Popen([sys.executable, "later.py"], start_new_session=True)  # it outlives the program
        with open(os.environ["LRTUNE_REPORT"], "a") as file:
            print('{"loss": 0.5}', file=file)
    """
    found = searched(folder, program, NOTHING_ELSE)
    assert found.best.fold_scores == (0.5, 0.5, 0.5)
    assert found.counts.complete == 2


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("NaN", "1 diverged"),
        ("Infinity", "1 diverged"),
        ("true", "its last report says other and not 'log_loss'"),
        ('"0.4"', "its last report says other and not 'log_loss'"),
        ("null", "its last report says other and not 'log_loss'"),
    ],
)
def test_a_loss_that_is_no_number_is_none(report, expected, folder):
    program = f"""
        import os
        with open(os.environ["LRTUNE_REPORT"], "a") as file:
            print('{{"other": 1, "loss": {report}}}', file=file)
    """
    assert expected in fails(folder, program, NOTHING_ELSE)


def test_exit_code_75_means_once_more(folder):
    program = """
        import os, sys, pathlib
        mark = pathlib.Path(os.environ["LRTUNE_FOLDER"], "mark")
        if not mark.exists():
            mark.touch()
            sys.exit(75)
        open(os.environ["LRTUNE_REPORT"], "a").write('{"log_loss": 1.0}\\n')
    """
    assert searched(folder, program, trials=1).counts.complete == 1


def test_a_program_gets_a_term_and_some_grace_before_it_is_killed(folder):
    program = """
        import os, pathlib, signal, sys, time
        mark = pathlib.Path("stopped")
        signal.signal(signal.SIGTERM, lambda *_: (mark.touch(), sys.exit(1)))
        while True:
            open(os.environ["LRTUNE_REPORT"], "a").write('{"log_loss": 1.0}\\n')
            time.sleep(0.02)
    """
    text = EXPERIMENT.replace('program.py"}', 'program.py", timeout: 1s, grace: 4s}')
    assert "took longer than trainer.timeout (1 s)" in fails(folder, program, text)
    assert (folder / "stopped").exists()


def test_a_name_in_braces_that_nothing_stands_for_is_said_before_anything_runs(folder):
    with pytest.raises(ExperimentError) as caught:
        searched(folder, text=EXPERIMENT.replace("program.py", "program.py {learning_rat}"))
    assert "{learning_rat} in the command is no parameter; did you mean 'learning_rate'?" in caught.value.problems[0]


def test_its_files_are_kept_and_it_cannot_predict_here(folder):
    program = PROGRAM + 'np.save(os.path.join(os.environ["LRTUNE_FOLDER"], "W.npy"), W)\n'
    found = searched(folder, program)
    assert np.load(found.folder / "model" / "files" / "W.npy").shape == (3, 3)
    said = CliRunner().invoke(app, ["predict", str(found.folder), "trees.csv", "--trust"])
    assert said.exit_code == 2
    assert "a program that trains has no way to predict here; it has saved its files in model/files" in said.output


def test_an_option_of_a_branch_that_is_not_taken_leaves_the_command():
    values = {"kernel": "rbf", "C": "2", "python": "py"}
    words = ["{python}", "x.py", "--kernel", "{kernel}", "--gamma", "{gamma}", "-d={degree}", "{coef}", "C={C}{gamma}"]
    assert filled(words, values) == ["py", "x.py", "--kernel", "rbf", "C=2"]
    more = {**values, "gamma": "1", "degree": "3", "coef": "0"}
    assert filled(words, more) == ["py", "x.py", "--kernel", "rbf", "--gamma", "1", "-d=3", "0", "C=21"]
