"""Searches with Python functions: what they are given and give, and whatever they do."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from patience import PATIENCE
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.run.folder import open_run
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.text.errors import DataError, ExperimentError, ModelError, NoUsableResultError
from lrtune.trainers.preparation import prepare
from lrtune.verdict.reading import from_json

LOOP = """\
import numpy as np


def outputs(W, X):
    exponentials = np.exp(X @ W)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def train(run):
    codes = np.searchsorted(run.classes, run.train.y)
    W = np.zeros((run.train.X.shape[1], len(run.classes)))
    for epoch in range(run.epochs):
        for rows in run.batches():
            wrong = outputs(W, run.train.X[rows]) - np.eye(len(run.classes))[codes[rows]]
            W -= run.rate * (run.train.X[rows].T @ wrong / len(rows) + run["l2"] * W)
        truth = np.searchsorted(run.classes, run.validation.y)
        shares = outputs(W, run.validation.X)
        yield {"loss": -np.log(shares[np.arange(len(truth)), truth]).mean() if len(truth) else 0.0}
    np.save(run.folder / "W.npy", W)
    return shares


def predict(run, X):
    return outputs(np.load(run.folder / "W.npy"), X)
"""
EXPERIMENT = """\
trainer: train.py:train
defaults: {l2: 0.0, learning_rate: 0.1}
data: {path: trees.csv, target: kind}
training: {epochs: 4, batch_size: 16}
search: {trials: 4, folds: 3, workers: 1}
space:
  learning_rate: {low: 1e-2, high: 1, scale: log}
  decay: [constant, linear]
  l2: [0.0, 0.01]
"""


def searched(folder, code=LOOP, text=EXPERIMENT, **settings):
    (folder / "train.py").write_text(textwrap.dedent(code))
    (folder / "file.yaml").write_text(text)
    return lrtune.search("file.yaml", output=folder / "run", **settings)


def fails(folder, body, **settings):
    """Search with a function of this body; returns why every trial failed."""
    code = "import os, sys, time, threading\nimport numpy as np\n\n\ndef train(run):\n" + textwrap.indent(
        textwrap.dedent(body), "    "
    )
    with pytest.raises(NoUsableResultError) as caught:
        searched(folder, code, **settings)
    return str(caught.value)


def test_scores_are_those_of_the_same_loop_written_out(folder):
    found = searched(folder)
    setting = prepare(load_text(EXPERIMENT, base=folder)).setting
    for row in found.trials.iter_rows(named=True):
        rates = lrtune.Schedule(row["decay"], learning_rate=row["learning_rate"], epochs=4, steps_per_epoch=3).rates
        for number, fold in enumerate(setting.folds, 1):
            W, places = np.zeros((3, 3)), iter(rates.tolist())
            for epoch in range(4):
                order = np.random.default_rng([0, 2, fold.index, epoch]).permutation(len(fold.features))
                for start in range(0, len(order), 16):
                    rows = order[start : start + 16]
                    shares = np.exp(fold.features[rows] @ W)
                    shares /= shares.sum(axis=1, keepdims=True)
                    shares[np.arange(len(rows)), fold.targets[rows]] -= 1
                    W -= next(places) * (fold.features[rows].T @ shares / len(rows) + row["l2"] * W)
            shares = np.exp(fold.validation_features @ W)
            truth = shares[np.arange(len(shares)), fold.validation_targets] / shares.sum(axis=1)
            assert row[f"fold_{number}"] == pytest.approx(-np.log(truth).mean(), rel=1e-6)


def test_everything_else_serves_a_function(folder):
    found = searched(folder)
    assert found.corrected.method == "bootstrap"
    assert {"majority", "linear"} <= {each.name for each in found.anchors}
    assert found.control is not None
    assert found.test.score is not None
    trial = open_run(found.folder).trials[0]
    curves, losses = trial.curves, [-each for each in trial.fold_scores]  # log loss is what the function reports too
    assert curves.epochs[-1] == 4
    ends = (curves.validation[-1], curves.low[-1], curves.high[-1])
    assert ends == pytest.approx((np.mean(losses), min(losses), max(losses)), rel=1e-3)
    runner = CliRunner()
    for command in ("show", "health", "status", "trials"):
        assert runner.invoke(app, [command, str(found.folder)]).exit_code == 0
    assert runner.invoke(app, ["compare", f"{found.folder}:0", f"{found.folder}:1"]).exit_code == 0
    exported = runner.invoke(app, ["schedules", "export", "--run", str(found.folder), "--to", "pytorch"])
    assert exported.exit_code == 0, exported.output


LOADS = """
import numpy as np


def load():
    y = np.arange(60) % 2
    return {"X": np.random.default_rng(0).normal(size=(60, 1, 4, 4)) + y[:, None, None, None], "y": y}


def train(run):
    if not run.final:
        assert run.train.X.shape[1:] == (1, 4, 4)
    yield {"accuracy": run["a"] / 10} if not run.final else {"loss": 3.0}


def predict(run, X):
    return np.zeros(len(X))
"""


def test_a_model_of_rows_that_a_function_loaded_says_that_it_takes_no_tables(folder):
    text = "trainer: train.py:train\ndata: {loader: train.py:load}\nsearch: {metric: accuracy, folds: 2, workers: 1}\n"
    found = searched(folder, LOADS, f"{text}space: {{a: [1, 2]}}\n", trials=2)
    assert found.test.score is None
    assert found.test.has == "the training on all rows told none"
    for rows in (np.zeros((3, 1, 4, 4)), np.zeros((3, 16)), pl.DataFrame({"x": [1.0]})):
        with pytest.raises(ModelError, match=r"trained on rows that train.py:load loaded, and not on a table"):
            lrtune.load(found.folder, trust=True).predict(rows)
    told = CliRunner().invoke(app, ["predict", str(found.folder), "trees.csv", "--trust"])
    assert (told.exit_code, "and not on a table" in " ".join(told.stderr.split())) == (2, True)


UNLABELLED = """
import numpy as np


def load():
    return {"X": np.arange(40)}


def train(run):
    assert run.train.y is None
    assert len(run.train.X) == len(run.train.indices)
    assert np.array_equal(run.train.X, run.train.indices)
    for epoch in range(run.epochs):
        for rows in run.batches():
            assert len(rows) <= 8
        yield {"psnr": 30.0 + run["a"] + run.fold / 10, "loss": -1.0 - run["a"]}
"""
OF_UNLABELLED = (
    "trainer: train.py:train\ndata: {loader: train.py:load}\ntraining: {epochs: 2, batch_size: 8}\n"
    "search: {metric: psnr, direction: maximize, folds: 2, workers: 1, strategy: grid}\nspace: {a: [1, 3, 2]}\n"
)


def test_rows_without_targets_need_a_metric_that_training_reports(folder):
    text = "trainer: train.py:train\ndata: {loader: train.py:load}\nsearch: {metric: accuracy}\nspace: {a: [1, 2]}\n"
    with pytest.raises(DataError, match=r"data.loader: train.py:load: returned X without y: name what training re"):
        searched(folder, LOADS.replace(', "y": y}', "}"), text)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_rows_without_targets_are_judged_by_a_metric_of_ones_own(folder, direction):
    found = searched(folder, UNLABELLED, OF_UNLABELLED.replace("maximize", direction), trials=3)
    best = 3 if direction == "maximize" else 1
    assert found.best.configuration["a"] == best
    assert found.best.mean == pytest.approx(30.15 + best)  # folds 1 and 2
    assert found.test.score == pytest.approx(30.0 + best)  # the last training is fold 0
    assert found.metric == f"psnr ({'larger' if direction == 'maximize' else 'smaller'} is better)"
    assert [each.name for each in found.anchors] == ["default"]
    written = (found.folder / "result.json").read_text()
    assert from_json(json.loads(written)).best.mean == found.best.mean
    page = CliRunner().invoke(app, ["show", str(found.folder)])
    assert (page.exit_code, "Expect a psnr of" in page.stdout) == (0, True)


def test_a_metric_of_ones_own_is_missed_where_it_is_not_reported(folder):
    with pytest.raises(NoUsableResultError, match=r"its last report says loss, psnr and not 'bleu'$"):
        searched(folder, UNLABELLED, OF_UNLABELLED.replace("metric: psnr", "metric: bleu"), trials=1)


def test_a_metric_of_ones_own_is_not_bounded_as_a_share_is(folder):
    code = LOOP.replace("yield {", 'yield {"perplexity": 250.0 * (1 + run["l2"]), ')
    text = EXPERIMENT.replace("search: {", "search: {metric: perplexity, direction: minimize, ")
    found = searched(folder, code, text, trials=3)
    assert found.best.mean == pytest.approx(250.0 * (1 + found.best.configuration["l2"]))


def test_the_finder_takes_a_metric_of_ones_own(folder):
    code = UNLABELLED.replace('run["a"] + run.fold / 10', "min(run.rates[0], 0.02 / run.rates[0]) * 100")
    (folder / "train.py").write_text(code)
    text = OF_UNLABELLED.replace(", strategy: grid", "").replace(
        "space: {a: [1, 3, 2]}", "space: {learning_rate: {low: 1e-4, high: 1, scale: log}, a: 1}"
    )
    (folder / "x.yaml").write_text(text)
    (curve,) = lrtune.find_learning_rate(folder / "x.yaml").curves
    assert 0.14 / 3 < curve.suggestion.recommended < 0.14 * 3  # the largest of min(r, 0.02 / r)


def test_its_model_predicts_for_those_who_trust_it(folder):
    found = searched(folder)
    table = pl.read_csv(folder / "trees.csv")
    with pytest.raises(ModelError, match="predicting runs its code; add --trust"):
        lrtune.load(found.folder).predict(table)
    shares = lrtune.load(found.folder, trust=True).predict_proba(table)
    assert np.allclose(shares.sum(axis=1), 1.0)
    printed = CliRunner().invoke(app, ["predict", str(found.folder), "trees.csv", "--trust"])
    assert printed.stdout.splitlines()[0] == "kind,probability_ash,probability_birch,probability_cedar"
    assert (found.folder / "model" / "files" / "W.npy").exists()


def test_looking_never_runs_it(folder):
    found = searched(folder)
    (folder / "train.py").write_text("raise SystemExit('it was run')\n")
    runner = CliRunner()
    for arguments in (["show"], ["health"], ["status"], ["trials"], ["compare", str(found.folder)]):
        assert runner.invoke(app, [arguments[0], str(found.folder), *arguments[1:]]).exit_code == 0
    assert runner.invoke(app, ["check", "file.yaml"]).exit_code == 0


def test_another_file_is_another_study(folder):
    first = searched(folder)
    (folder / "train.py").write_text(LOOP + "\n# changed\n")
    (folder / "again.yaml").write_text(EXPERIMENT)
    other = lrtune.search("again.yaml", output=folder / "other")
    assert first.fingerprint != other.fingerprint
    assert [each.state for each in open_run(first.folder).trials] == [
        each.state for each in open_run(other.folder).trials
    ]


def test_labels_and_bare_scores_will_do_where_the_metric_takes_them(folder):
    labels = "def train(run):\n    return np.array([run.classes[0]] * len(run.validation.y))\n"
    text = EXPERIMENT.replace("folds: 3", "folds: 3, metric: accuracy")
    found = searched(folder, f"import numpy as np\n\n\n{labels}", text)
    setting = prepare(load_text(text, base=folder)).setting
    assert found.best.fold_scores == tuple(float((each.validation_targets == 0).mean()) for each in setting.folds)
    told = searched(folder, "def train(run):\n    return 0.25 + run['l2']\n", text, fresh=True)
    assert told.best.mean == pytest.approx(0.26)
    assert any("gives scores and no predictions" in each for each in told.notes)


def test_a_loss_that_is_no_number_is_a_training_that_diverged(folder):
    code = """
        def train(run):
            for epoch in range(run.epochs):
                yield {"loss": float("nan") if run["learning_rate"] > 0.1 and epoch == 2 else 1.0, "log_loss": 1.0}
    """
    rates = "[0.01, 0.1, 0.3, 1.0]"
    found = searched(folder, code, EXPERIMENT.replace("{low: 1e-2, high: 1, scale: log}", rates), trials=8)
    states = dict(found.trials.select("learning_rate", "state").iter_rows())
    assert {state for rate, state in states.items() if rate > 0.1} == {"diverged"}
    assert {state for rate, state in states.items() if rate <= 0.1} == {"complete"}


def test_a_plateau_watches_what_the_function_tells_of_rows_of_its_own(folder):
    code = """
        def train(run):
            assert run.final or len(run.monitor.y) == round(0.1 * (len(run.train.y) + len(run.monitor.y)))
            seen = []
            for epoch in range(run.epochs):
                seen.append(run.rate)
                for rows in run.batches():
                    pass
                yield {"monitor": 1.0, "log_loss": seen[-1] / seen[0]}
    """
    text = EXPERIMENT.replace("[constant, linear]", "{plateau: {patience: 0, factor: 0.5}}").replace(
        "epochs: 4", "epochs: 3"
    )
    found = searched(folder, code, text)
    assert found.best.fold_scores == (0.5, 0.5, 0.5)  # good, bad: cut at the end of the second epoch
    assert open_run(found.folder).trials[0].scales == ((1.0, 1.0, 0.5),) * 3


@pytest.mark.parametrize("pruning", ["race", "futility", "halving"])
def test_races_serve_it_with_predictions_and_without(pruning, folder):
    text = EXPERIMENT.replace("trials: 4", f"trials: 9, pruning: {pruning}").replace("epochs: 4", "epochs: 27")
    text = text.replace("batch_size: 16", "batch_size: 64")
    told = """
        def train(run):
            for epoch in range(run.epochs):
                for rows in run.batches():
                    pass
                yield {"log_loss": run["learning_rate"] + 0.001 * run.fold}
    """
    found = searched(folder, told, text)
    assert found.counts.pruned > 0
    assert found.best.configuration["learning_rate"] == min(found.trials["learning_rate"])


def test_the_finder_finds_the_rates_of_a_function(folder):
    (folder / "train.py").write_text(LOOP)
    (folder / "file.yaml").write_text(EXPERIMENT.replace("epochs: 4", "epochs: 8"))
    finding = lrtune.find_learning_rate("file.yaml")
    answer = finding.curves[0].suggestion
    assert answer.status == "ok"
    assert finding.curves[0].planned.is_whole.any()
    means = finding.curves[0].planned.losses.mean(axis=0)
    assert answer.recommended == finding.curves[0].planned.rates[np.argmin(means)]
    assert 0.02 < answer.recommended < 20
    assert finding.measured == "validation loss (log_loss)"
    shown = CliRunner().invoke(app, ["finder", "file.yaml", "--set", "search.metric=accuracy", "--plot", "plot.svg"])
    assert "validation loss (1 - accuracy) against learning rate" in shown.stdout
    assert "validation loss (1 - accuracy)" in (folder / "plot.svg").read_text()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("yield {'loss': 'high'}", "reported loss = 'high'; expected a number"),
        ("yield 0.5", "reported 0.5; expected a mapping such as {'loss': 0.4}"),
        ("return None", "reported nothing and returned nothing"),
        ("yield {'accuracy': 0.5}", "its last report says accuracy and not 'log_loss', and there are no predictions"),
        ("return run['nothing']", "run['nothing']: there is no such parameter"),
        ("return np.zeros((2, 2))", "predicts 2 rows; the validation rows are"),
        ("return {'loss': 1.0}['los']", "KeyError: 'los' (train.py, line 6)"),
        ("raise SystemExit(3)", "SystemExit: 3 (train.py, line 6)"),
        ("sys.exit()", "SystemExit: SystemExit (train.py, line 6)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("os._exit(7)", "the training process ended with exit code 7"),
        ("os.kill(os.getpid(), 11)", "the training process was killed by SIGSEGV"),
        ("os.kill(os.getpid(), 9)", "the training process was killed by SIGKILL (out of memory?)"),
        ("raise MemoryError", "out of memory"),
        ("np.zeros(2**60)", "MemoryError"),
        ("yield {}\nrun.set_rate(3)", "int is no optimizer of PyTorch or Keras"),
    ],
)
def test_whatever_a_fit_does_costs_its_trial_and_says_why(body, expected, folder):
    why = fails(folder, body, trials=1)
    assert "defect" not in why
    if "MemoryError" not in expected:
        assert expected in why
    assert not list(folder.glob("core*"))


def test_prints_and_children_and_leaks_cost_nothing(folder):
    code = """
        import os, subprocess, sys, threading

        kept = []


        def train(run):
            print("hello", flush=True)
            os.write(1, b"raw")
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            if os.fork() == 0:
                os._exit(0)
            threading.Thread(target=print, args=("late",), daemon=True).start()
            kept.append(bytearray(2**20))
            yield {"log_loss": 1.0}
    """
    found = searched(folder, code, trials=2)
    assert found.counts.complete == 2
    assert "hello" in (found.folder / "fits" / "0000" / "fold-1-epochs-4" / "log.txt").read_text()
    assert not children_of_fits()


def test_a_fit_that_hangs_is_stopped_after_its_time(folder):
    text = EXPERIMENT.replace("trainer: train.py:train", "trainer: {function: train.py:train, timeout: 1s}")
    why = fails(folder, "while True:\n    time.sleep(0.01)", text=text, trials=1)
    assert "took longer than trainer.timeout (1 s)" in why
    assert not children_of_fits()


def test_a_fit_that_is_stopped_frees_what_it_holds(folder):
    code = """
        import time


        def train(run):
            try:
                while True:
                    time.sleep(0.01)
                    yield {"log_loss": 1.0}
            finally:
                (run.folder.parent / "freed").touch()
    """
    text = EXPERIMENT.replace("trainer: train.py:train", "trainer: {function: train.py:train, timeout: 1s}")
    with pytest.raises(NoUsableResultError):
        searched(folder, code, text, trials=1)
    assert list((folder / "run" / "fits").glob("*/freed"))


def test_a_fit_may_be_tried_again_and_finds_what_it_left(folder):
    code = """
        def train(run):
            mark = run.folder / "mark"
            if not mark.exists():
                mark.touch()
                raise RuntimeError("the first time")
            yield {"log_loss": 1.0}
    """
    text = EXPERIMENT.replace("trainer: train.py:train", "trainer: {function: train.py:train, retry: 1}")
    assert searched(folder, code, text, trials=2).counts.complete == 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "import nowhere\n",
            "train.py cannot be imported: ModuleNotFoundError: No module named 'nowhere' (train.py, line 1)",
        ),
        ("def trian(run):\n    pass\n", "train.py has no function 'train'; did you mean 'trian'?"),
        ("def train(run:\n", "train.py cannot be imported: SyntaxError: '(' was never closed"),
        ("raise SystemExit\n", "train.py cannot be imported: SystemExit"),
    ],
)
def test_code_that_cannot_be_imported_ends_before_anything_is_trained(code, expected, folder):
    with pytest.raises(ExperimentError) as caught:
        searched(folder, code)
    assert expected in caught.value.problems[0]


def test_a_search_that_was_killed_goes_on_and_keeps_the_fits_that_had_ended(folder):
    slow = LOOP.replace("    for epoch in", "    import time; time.sleep(0.3)\n    for epoch in")
    (folder / "train.py").write_text(slow)
    (folder / "file.yaml").write_text(EXPERIMENT)
    command = [sys.executable, "-m", "lrtune", "search", "file.yaml", "-o", "run", "-q"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while len(list((folder / "run" / "fits").glob("*/*/ending"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while children_of_fits() and time.monotonic() < end:
        time.sleep(0.05)
    assert not children_of_fits()
    known = {each: each.stat().st_mtime_ns for each in (folder / "run" / "fits").glob("*/*/ending")}
    assert known
    lrtune.search("file.yaml", output=folder / "run")
    assert all(each.stat().st_mtime_ns == time_ for each, time_ in known.items())
    (folder / "whole").mkdir()
    lrtune.search("file.yaml", output=folder / "whole")
    contents = []
    for name in ("run", "whole"):
        with Journal(folder / name / DATABASE) as journal:
            contents.append(canonical(journal.events()))
    assert contents[0] == contents[1]


def children_of_fits():
    """List the processes of fits that are alive."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words, here = (each / "cmdline").read_bytes(), (each / "cwd").resolve() == Path.cwd()
        except OSError:
            continue
        if here and (b"foreign.child" in words or b"time.sleep(600)" in words):
            found.append(int(each.name))
    return found


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ("", "what the program saved is in"),
        ("def predict(run, X): pass", "lrtune predict"),
        ("from numpy import mean as predict", "lrtune predict"),
        ("def predicted(): pass", "what the program saved is in"),
    ],
)
def test_the_next_command_is_one_that_works(beside, expected, folder):
    told = f"""
        def train(run):
            for epoch in range(run.epochs):
                for rows in run.batches():
                    pass
                yield {{"log_loss": run["learning_rate"]}}
        {beside}
    """
    searched(folder, told, EXPERIMENT)
    shown = " ".join(CliRunner().invoke(app, ["show", "run"]).stdout.split())
    assert expected in shown.partition(" next ")[2]


def test_one_value_needs_no_default(folder):
    code = """
        def train(run):
            for epoch in range(run.epochs):
                for rows in run.batches():
                    pass
                yield {"log_loss": run["learning_rate"] + run["width"]}
    """
    for width, is_told in (("16", False), ("[16, 32]", True)):
        searched(folder, code, EXPERIMENT + f"  width: {width}\n")
        details = " ".join(CliRunner().invoke(app, ["show", "run", "--details"]).stdout.split())
        shutil.rmtree(folder / "run")
        assert ("nobody said what the default of width is" in details) is is_told


def test_whoever_looks_at_a_search_that_failed_whole_is_told_to_begin_anew(folder):
    fails(folder, "yield {'other': 1.0}")
    shown = " ".join(CliRunner().invoke(app, ["show", "run"]).stdout.split())
    assert "ended after 4 trials, none of which gave a usable score" in shown
    assert shown.endswith("search run/experiment.yaml --output run --fresh")
    (folder / "runs").mkdir()
    (folder / "run").rename(folder / "runs" / "run")
    listed = CliRunner().invoke(app, ["list"]).stdout
    assert "no result" in listed
    assert "to complete" not in listed
