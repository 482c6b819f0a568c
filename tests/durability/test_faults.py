"""Real faults: what the disk, the machine and other people do to a run ends in a sentence, and nothing is lost."""

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import worker_functions
from crashes import Search
from patience import PATIENCE
from studies import LONGER, PLAIN, RACE, content, differences, events_of
from trainer_parts import replace_part
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.run import database
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import OBSERVED
from lrtune.run.study import replay
from lrtune.trainers.preparation import prepare
from lrtune.tuning import core as tuning
from lrtune.tuning.pace import Pace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, limits and forks of POSIX")


NUMBERS = itertools.count()


def search(forks, name, *options, **limits):
    """Run the search of the races in a folder of its own."""
    return forks.run("search", "race.yaml", "--output", name, "--workers", 1, "--quiet", *options, **limits)


@pytest.fixture
def finished(forks):
    """A copy of the undisturbed run."""
    folder = forks.folder / f"finished-{next(NUMBERS)}"
    shutil.copytree(forks.folder / "undisturbed", folder)
    return folder


def differs(forks, folder):
    """Name what differs from the undisturbed run; that a study was mended may be known of it."""
    one, other = content(forks.folder / "undisturbed"), content(folder)
    other["events"] = tuple(each for each in other["events"] if each != '["mended",{}]')
    return differences(one, other)


# --- disks


@pytest.mark.parametrize("size", [2_000, 20_000, 50_000])
def test_files_that_may_not_grow_are_a_sentence_and_the_search_goes_on_later(forks, size):
    name = f"limited-{size}"
    assert search(forks, name, file_size=size) == 2
    assert forks.said.startswith("lrtune: ")
    assert len(forks.said.splitlines()) == 1, forks.said
    seen = events_of(forks.folder / name) if (forks.folder / name / "study.db").stat().st_size else []
    assert search(forks, name) == 0, forks.said
    assert events_of(forks.folder / name)[: len(seen)] == seen
    assert differs(forks, forks.folder / name) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_a_sentence_and_the_search_goes_on_where_there_is_room(forks):
    disk = forks.folder / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", disk], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("mounting is forbidden here")
    try:
        assert search(forks, "disk/run") == 2
        assert len(forks.said.splitlines()) == 1, forks.said
        assert "recorded before is safe" in forks.said or "cannot be written" in forks.said
        subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
        assert search(forks, "disk/run") == 0, forks.said
        assert differs(forks, disk / "run") == []
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert search(forks, "disk/run") == 2
        assert forks.said.startswith("lrtune: disk/run: cannot write here")
        assert search(forks, "disk/other") == 2
        assert forks.said.startswith("lrtune: disk/other: cannot be created")
        assert forks.run("show", "disk/run") == 0, forks.said
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_is_deleted_under_a_search_is_a_sentence(forks):
    (forks.folder / "longer.yaml").write_text(LONGER)
    running = Search(forks.folder, "longer.yaml", "deleted", "--trials", "100000")
    assert running.wait_until((running.output / "out_of_fold.bin").exists)
    while running.output.exists():  # it may be writing into it
        shutil.rmtree(running.output, ignore_errors=True)
    code, out = running.end()
    assert code == 2, out
    assert "moved or deleted" in out or "cannot be written" in out
    assert "Traceback" not in out


# --- damage


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 16
    path.write_bytes(data)


DAMAGE = {
    "flipped": lambda path: flip(path, path.stat().st_size // 2),
    "header": lambda path: flip(path, 3),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "text": lambda path: path.write_text("this is no database" * 1000),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_study_is_put_aside_and_explained_and_comes_out_the_same(forks, finished, how):
    DAMAGE[how](finished / "study.db")
    damaged = (finished / "study.db").read_bytes()
    assert forks.run("show", finished.name) == 2
    assert "study.db: not a readable study" in forks.said
    assert search(forks, finished.name) == 0, forks.said
    assert "study.db.damaged-1" in forks.said
    assert (finished / "study.db.damaged-1").read_bytes() == damaged
    assert differs(forks, finished) == []


@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_a_study_that_was_lost_is_made_again_and_said_so(forks, finished, how):
    (finished / "study.db").write_bytes(b"") if how == "emptied" else (finished / "study.db").unlink()
    assert search(forks, finished.name) == 0, forks.said
    assert "study.db was lost or empty" in " ".join(forks.said.split())
    assert differs(forks, finished) == []


@pytest.mark.parametrize("name", ["model/model.json", "model/model.npz", "best.yaml", "trials.csv", "result.json"])
@pytest.mark.parametrize("how", ["truncated", "deleted"])
def test_files_that_follow_from_the_study_are_made_again(forks, finished, name, how):
    os.truncate(finished / name, 10) if how == "truncated" else (finished / name).unlink()
    assert search(forks, finished.name) == 0, forks.said
    assert differs(forks, finished) == []


@pytest.mark.parametrize("how", ["flipped", "truncated", "deleted"])
def test_out_of_fold_results_that_were_lost_are_trained_again(forks, finished, how):
    path = finished / "out_of_fold.bin"
    if how == "flipped":
        flip(path, 5)  # of trial 0, which is always complete
    else:
        path.unlink() if how == "deleted" else DAMAGE[how](path)
    events = events_of(finished)
    assert search(forks, finished.name) == 0, forks.said
    assert differs(forks, finished) == []
    assert events_of(finished) == events


def test_the_health_report_goes_by_the_study_and_not_by_predictions(forks, finished):
    assert forks.run("health", finished.name) == 0
    before, path = forks.said, finished / "out_of_fold.bin"
    path.write_bytes(bytes(each ^ 1 for each in path.read_bytes()))
    assert forks.run("health", finished.name) == 0
    assert forks.said == before
    path = finished / OBSERVED
    path.write_bytes(path.read_bytes()[:-7])
    assert forks.run("health", finished.name) == 2
    assert OBSERVED in forks.said
    assert "defect" not in forks.said


@pytest.mark.parametrize("command", ["health", "importance", "retrain"])
def test_an_experiment_that_is_another_one_by_now_is_not_what_was_searched(forks, finished, command):
    path = finished / "experiment.yaml"
    path.write_text(path.read_text().replace("high: 1.0", "high: 2.0"))
    assert forks.run(command, finished.name, *(["--trial", "1"] if command == "retrain" else [])) == 2
    assert f"{path.name}: was changed and is not what was searched" in " ".join(forks.said.split())


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1, 2]", '"text"', "{}", '{"trials": 3}'])
def test_a_result_that_is_none_is_a_sentence_and_written_again(forks, finished, text):
    (finished / "result.json").write_text(text)
    for command in (("show",), ("health",), ("schedules", "export", "--to", "optax", "--run")):
        assert forks.run(*command, finished.name) == 2, forks.said
        assert "result.json" in forks.said
        assert "defect" not in forks.said
    assert forks.run("search", "race.yaml", "--baseline", f"{finished.name}/result.json", "--output", "other") == 3
    assert search(forks, finished.name) == 0, forks.said
    assert differs(forks, finished) == []


def test_a_damaged_experiment_is_a_sentence_and_written_again_by_the_search(forks, finished):
    before = (finished / "experiment.yaml").read_text()
    (finished / "experiment.yaml").write_text("data: [")
    for command in ("show", "health", "trials", "status"):
        code = forks.run(command, finished.name)
        assert code in (0, 2), forks.said
        assert "Traceback" not in forks.said
    assert search(forks, finished.name) == 0, forks.said
    assert (finished / "experiment.yaml").read_text() == before


def test_a_newer_study_is_refused_politely_and_left_alone(forks, finished):
    connection = sqlite3.connect(finished / "study.db")
    connection.execute("PRAGMA user_version=7")
    connection.close()
    before = (finished / "study.db").read_bytes()
    for command in (("search", "race.yaml", "--output"), ("show",), ("trials",)):
        assert forks.run(*command, finished.name) == 2
        assert "made by a newer lrtune (format 7; this one knows up to 2); upgrade lrtune" in forks.said
    assert (finished / "study.db").read_bytes() == before


def test_a_study_of_the_first_format_goes_on(forks):
    """Its second half is missing, as if an older version had been stopped there."""
    folder = forks.folder / "old"
    shutil.copytree(forks.folder / "undisturbed", folder)
    events = events_of(folder)
    (folder / "study.db").unlink()
    connection = sqlite3.connect(folder / "study.db")
    database._create_events(connection)
    with connection:
        rows = [(each.kind, database.json.dumps(each.body)) for each in events[: len(events) // 2]]
        connection.executemany("INSERT INTO events (kind, body) VALUES (?, ?)", rows)
    connection.execute("PRAGMA user_version=1")
    connection.close()
    assert search(forks, "old") == 0, forks.said
    assert differs(forks, folder) == []


# --- other processes, clocks, terminals


def test_two_processes_on_one_study(forks, finished):
    with Journal(finished / "study.db", write=True):
        assert search(forks, finished.name) == 2
        assert forks.said.startswith(f"lrtune: {finished.name}: another lrtune process works in this folder")
        assert search(forks, finished.name, "--fresh") == 2
        assert forks.run("show", finished.name) == 0
    assert search(forks, finished.name) == 0


def test_a_database_that_another_program_holds(finished, forks, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE", 0.1)
    holder = sqlite3.connect(finished / "study.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.chdir(forks.folder)
    result = CliRunner().invoke(app, ["search", "race.yaml", "--output", finished.name])
    holder.close()
    assert result.exit_code == 2
    assert "another program holds the database" in result.stderr


def test_a_clock_that_jumps_changes_no_duration(tmp_path, monkeypatch):
    times = iter(range(10**9, 0, -(10**6)))
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    chosen = load_text(PLAIN + "\n", name="plain")
    events = list(tuning.tune(chosen, prepare(chosen), tmp_path / "run", workers=1))
    study = replay(events)
    assert study.finished == "trials"
    assert 0 < study.search_seconds < 10**6  # less than one jump
    assert all(each.body.get("clock", {}).get("seconds", 0.0) >= 0 for each in events)


def test_a_search_without_standard_streams_writes_its_files_and_nothing_else(forks, finished):
    command = f"{sys.executable} -m lrtune search race.yaml --output {finished.name} --workers 1 <&- >&- 2>&-"
    shutil.rmtree(finished)
    assert subprocess.run(["sh", "-c", command], cwd=forks.folder, check=False).returncode == 0
    assert differs(forks, finished) == []


# --- signals


@pytest.mark.parametrize(
    "where",
    [
        "lrtune.trainers.preparation.prepare",
        "lrtune.finder.resolved",
        "lrtune.training.evaluate.evaluate",
        "lrtune.training.evaluate.fit",
    ],
)
def test_a_stop_while_reading_finding_searching_or_retraining_ends_in_good_order(forks, where):
    name = where.rpartition(".")[2]
    options = ("--set", "space={learning_rate: auto}") if name == "resolved" else ()
    assert search(forks, name, *options, stop_in=where) == 130
    assert forks.said.startswith("lrtune: stopped")
    assert len(forks.said.splitlines()) == 1, forks.said
    if name in ("evaluate", "fit"):
        assert forks.said.endswith(f"is kept in {name}; to go on, run the same command again\n")
        assert search(forks, name) == 0, forks.said
        assert differs(forks, forks.folder / name) == []


# --- workers


def test_a_worker_that_is_killed_costs_nothing(forks):
    running = Search(forks.folder, "race.yaml", "killed-worker", workers=2)
    running.wait_for_the_journal()
    killed = []

    def kill_a_worker():
        for pid in running.members():
            command = ""
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:  # noqa: PTH123
                command = file.read()
            if "popen_loky_posix" in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                return True
        return False

    running.wait_until(kill_a_worker)
    code, out = running.end()
    assert code == 0, out
    assert len(killed) == 1
    assert differs(forks, running.output) == []


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_that_are_killed_between_two_rounds_cost_nothing(forks, tmp_path, workers):
    """A round is recorded when no block runs: all workers are idle then."""
    chosen, killed, folder = load_text(RACE, name="race"), [], tmp_path / "run"
    for event in tuning.tune(chosen, prepare(chosen), folder, workers=workers):
        if event.kind == "trial":
            pids = [pid for pid in children() if pid not in killed]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            killed += pids
    assert killed
    assert canonical(events_of(folder)) == canonical(events_of(forks.folder / "undisturbed"))


def children():
    """List the worker processes of this one."""
    living = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (each / "stat").read_text().rpartition(")")[2].split()[:2]
            is_worker = "popen_loky_posix" in (each / "cmdline").read_text()
            if int(parent) == os.getpid() and state != "Z" and is_worker:
                living.append(int(each.name))
    return living


def test_trials_that_kill_their_workers_fail_with_the_reason_and_the_search_goes_on(tmp_path, monkeypatch):
    replace_part(monkeypatch, run=worker_functions.die_for_small_batches)
    text = PLAIN.replace("trials: 7", "trials: 4")
    chosen = load_text(text, name="plain")
    study = replay(tuning.tune(chosen, prepare(chosen), tmp_path / "run", workers=2))
    ends = {each.configuration["batch_size"]: (str(each.state), each.reason) for each in study.in_order()}
    assert ends == {
        16: ("failed", "its worker process died 2 times (out of memory, or killed)"),
        32: ("complete", None),
    }


# --- time


def test_a_block_beyond_its_limit_fails_alone(forks):
    assert search(forks, "impatient", "--set", "search.block_timeout=0.000001") == 5
    assert "none of the 7 trials" in forks.said
    assert (
        "its block took longer than search.block_timeout (1e-06 s)"
        in (forks.folder / "impatient" / "trials.csv").read_text()
    )


def test_a_block_limit_that_is_not_reached_changes_nothing(forks):
    assert search(forks, "patient", "--set", f"search.block_timeout={PATIENCE}") == 0, forks.said
    assert differs(forks, forks.folder / "patient") == []


def run_with_little_time(folder, blocks, monkeypatch):
    """Let time allow so many blocks."""
    left = iter(range(blocks))
    with monkeypatch.context() as patch:
        patch.setattr(Pace, "allows", lambda *_: next(left, None) is not None)
        chosen = load_text(PLAIN.replace("trials: 7", f"trials: 7, timeout: {PATIENCE}"), name="plain")
        return list(tuning.tune(chosen, prepare(chosen), folder, workers=1))


def test_a_search_whose_time_is_over_ends_with_a_model_and_goes_on_with_more(tmp_path, monkeypatch):
    events = run_with_little_time(tmp_path / "run", 1, monkeypatch)
    study = replay(events)
    assert study.finished == "timeout"
    assert study.unfinished()
    assert study.refit.trial in study.trials
    assert (tmp_path / "run" / "model" / "model.npz").exists()
    again = run_with_little_time(tmp_path / "run", 0, monkeypatch)
    assert again == events  # nothing is trained or recorded without time
    longer = run_with_little_time(tmp_path / "run", 99, monkeypatch)
    assert longer[: len(events)] == events
    chosen = load_text(PLAIN, name="plain")
    undisturbed = list(tuning.tune(chosen, prepare(chosen), tmp_path / "undisturbed", workers=1))
    assert replay(longer).in_order() == replay(undisturbed).in_order()
    assert replay(longer).finished == "trials"


def test_a_search_without_time_for_one_trial_says_so(forks):
    assert search(forks, "hasty", "--timeout", "10ms") == 2
    assert "expected a duration such as 90s, 10m or 1h30m" in forks.said
    assert search(forks, "hasty", "--timeout", "0.001s") == 5
    assert "the 0.001 s were over before one trial was complete" in forks.said
    assert "with a longer --timeout goes on" in forks.said
    assert search(forks, "hasty") == 0, forks.said
    assert differs(forks, forks.folder / "hasty") == []


# --- another experiment, or the same one anew


def test_another_experiment_in_the_folder_is_refused_with_the_ways_out(forks, finished):
    assert search(forks, finished.name, "--set", "training.epochs=10") == 2
    assert "experiment.fixed.epochs (9 there, 10 here)" in forks.said
    assert "--fresh" in forks.said
    assert "another --output" in forks.said
    assert differs(forks, finished) == []


def test_fresh_keeps_the_earlier_study_and_begins_anew(forks, finished):
    for number in (1, 2):
        assert search(forks, finished.name, "--fresh") == 0, forks.said
        old = forks.folder / f"{finished.name}-old-{number}"
        assert f"the earlier study is kept in {old.name}" in " ".join(forks.said.split())
        assert differs(forks, old) == []
    assert differs(forks, finished) == []
    assert search(forks, "never-there", "--fresh") == 0
    assert "earlier" not in forks.said


def test_the_working_folder_is_not_put_aside(finished, monkeypatch):
    monkeypatch.chdir(finished)
    result = CliRunner().invoke(app, ["search", "../race.yaml", "--output", ".", "--fresh"])
    assert (result.exit_code, finished.exists()) == (2, True)
    assert "is the working folder and cannot be put aside" in result.stderr
