import csv
import io
import os
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lrtune.reporting import export
from lrtune.space.trial import Trial, TrialState
from lrtune.text import written
from lrtune.text.errors import StudyError
from lrtune.training.registry import METRICS, MODEL_KEYS, TRAINING_KEYS
from lrtune.verdict.trials_table import trials_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and permissions of POSIX")


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_trials_have_scores_in_their_own_sign_and_a_column_for_each_key(study):
    text = trials_text(study.in_order(), "accuracy")
    assert text.splitlines()[0] == (
        "number,state,mean,std,fold_1,fold_2,fold_3,learning_rate,optimizer,optimizer.momentum,"
        "decay,decay.every,decay.factor,decay.final,warmup,hidden,reason"
    )
    default, best, diverged, failed = table(text)
    assert (default["state"], default["fold_2"], default["optimizer.momentum"], default["hidden"]) == (
        "complete",
        "0.92",
        "",
        "",
    )
    assert (best["number"], best["learning_rate"], best["decay.final"]) == ("1", "0.032", "0.01")
    assert float(best["mean"]) == study.trials[1].mean
    assert (diverged["state"], diverged["mean"], diverged["fold_1"], diverged["fold_2"]) == ("diverged", "", "0.5", "")
    assert (diverged["hidden"], diverged["decay.every"]) == ("64-32", "5")
    assert diverged["reason"] == "diverged on 1 of its folds, first in epoch 3"
    assert (failed["state"], failed["fold_1"], failed["reason"]) == ("failed", "", "its worker process died")


def test_other_metrics_have_columns_of_their_own_where_a_trial_is_complete():
    beside = {"log_loss": (-0.4, -0.2), "accuracy": (0.5, 0.75), "roc_auc": (0.5, None)}
    whole = Trial(0, {"learning_rate": 0.1}, TrialState.COMPLETE, (0.5, 0.75), beside=beside)
    lost = {name: scores[:1] for name, scores in beside.items()}
    pruned = Trial(1, {"learning_rate": 0.2}, TrialState.PRUNED, (0.5,), beside=lost)
    text = trials_text([whole, pruned], "accuracy")
    assert text.splitlines()[0] == "number,state,mean,std,log_loss,roc_auc,fold_1,fold_2,learning_rate,reason"
    first, second = table(text)
    assert (float(first["mean"]), float(first["log_loss"]), first["roc_auc"]) == (0.625, pytest.approx(0.3), "")
    assert (second["mean"], second["log_loss"], second["fold_1"]) == ("", "", "0.5")
    assert trials_text([replace(whole, beside={})], "accuracy").startswith("number,state,mean,std,fold_1")


def test_no_metric_has_the_name_of_another_column():
    others = {"number", "state", "mean", "std", "reason", "learning_rate", "optimizer", "decay"}
    assert not METRICS.keys() & (others | TRAINING_KEYS.keys() | MODEL_KEYS.keys())
    assert not [name for name in METRICS if "." in name or name.startswith("fold_")]


def test_floats_survive_the_file_exactly(make_study):
    rate, score = 0.1 + 0.2, 1 / 3
    row = table(trials_text(make_study([{"learning_rate": rate}], [[-score, -1e-300]]).in_order(), "mse"))[0]
    assert float(row["learning_rate"]) == rate
    assert float(row["fold_1"]) == score
    assert float(row["fold_2"]) == 1e-300


def test_null_and_truth_values_are_written_as_in_yaml(make_study):
    study = make_study([{"clip_norm": None, "decoupled": True, "class_weight": "balanced"}], [[0.5]])
    row = table(trials_text(study.in_order(), "accuracy"))[0]
    assert (row["clip_norm"], row["decoupled"], row["class_weight"]) == ("null", "true", "balanced")


def test_the_bytes_do_not_depend_on_times(make_study):
    configurations, results = [{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[0.5, 0.6], [0.6, 0.7]]
    first, second = (make_study(configurations, results) for _ in range(2))
    second.search_seconds = 1e6
    assert trials_text(first.in_order(), "accuracy") == trials_text(second.in_order(), "accuracy")


def test_lines_end_with_lf_whatever_is_in_a_cell():
    assert written.csv_text([["a,b", 'say "x"', 1], ["two\nlines", "", 2]]) == '"a,b","say ""x""",1\n"two\nlines",,2\n'


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        written.json_text({"score": float("nan")})
    assert written.json_text({"größe": [1]}) == '{\n  "größe": [\n    1\n  ]\n}\n'


def test_writing_replaces_the_whole_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    export.write(path, "first, and longer\n")
    export.write(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    assert [each.name for each in tmp_path.iterdir()] == ["result.json"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_file_that_holds_the_text_already_is_left_alone(tmp_path):
    path = tmp_path / "result.json"
    export.write(path, "same\n")
    os.utime(path, ns=(1, 1))
    export.write(path, "same\n")
    assert path.stat().st_mtime_ns == 1


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old\n")
    link.symlink_to(real)
    export.write(link, "new\n")
    assert link.is_symlink()
    assert real.read_text() == "new\n"


def test_a_device_is_written_and_not_replaced():
    device = Path("/dev/null")
    export.write(device, "gone\n")
    assert device.is_char_device()


def test_a_missing_folder_is_told_in_a_sentence(tmp_path):
    with pytest.raises(StudyError, match="cannot be written") as caught:
        export.write(tmp_path / "nowhere" / "result.json", "{}")
    assert str(tmp_path / "nowhere" / "result.json") in str(caught.value)


def test_a_full_disk_keeps_the_old_file_and_leaves_no_litter(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "trials.csv"
    export.write(path, "old\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StudyError, match="cannot be written"):
            export.write(path, "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_text() == "old\n"
    assert [each.name for each in tmp_path.iterdir()] == ["trials.csv"]
