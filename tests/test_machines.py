"""Machines that see one folder: what they must be like, and how the journal is kept there."""

import sqlite3

import pytest
from studies import PLAIN

from lrtune import tuning
from lrtune.engines.contract import refusal
from lrtune.engines.local import Here, start
from lrtune.experiment import load_text
from lrtune.run import database, disks, likeness
from lrtune.run.bodies import CLOCK, MixedWorker
from lrtune.run.journal import Event, Journal, canonical
from lrtune.run.study import MIXED, replay
from lrtune.trainers.preparation import prepare
from lrtune.tuning import remarks

MOUNTED = """\
22 1 0:21 / / rw - ext4 /dev/sda rw
30 22 0:30 / /home rw shared:1 - nfs4 server:/home rw
31 30 0:31 / /home/me/local\\040disk rw - xfs /dev/sdb rw
32 22 0:32 / /mnt/far rw - fuse.sshfs far: rw
broken
"""


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    (tmp_path / "mountinfo").write_text(MOUNTED)
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mountinfo")
    monkeypatch.delenv(disks.VARIABLE, raising=False)


@pytest.mark.usefixtures("mounted")
@pytest.mark.parametrize(
    ("path", "is_shared"),
    [
        ("/tmp/x", False),
        ("/home/me/x", True),
        ("/home/me/local disk/x", False),
        ("/mnt/far/x", True),
        ("/homes/x", False),
    ],
)
def test_file_systems_of_networks_are_known_by_their_names(path, is_shared):
    assert disks.is_shared(disks.Path(path)) is is_shared


@pytest.mark.usefixtures("mounted")
def test_the_environment_has_the_last_word(monkeypatch):
    for said in ("1", "0"):
        monkeypatch.setenv(disks.VARIABLE, said)
        assert [disks.is_shared(disks.Path(each)) for each in ("/tmp/x", "/home/x")] == [said == "1"] * 2


def test_without_a_list_of_mounts_everything_is_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "none")
    assert not disks.is_shared(tmp_path)


@pytest.mark.parametrize(("said", "mode"), [("0", "wal"), ("1", "delete")])
def test_no_write_ahead_log_where_machines_share_a_folder(tmp_path, monkeypatch, said, mode):
    path = tmp_path / "study.db"
    for each in ("0", "1", said):  # a study may be moved from one to the other
        monkeypatch.setenv(disks.VARIABLE, each)
        with Journal(path, write=True) as journal:
            journal.append([Event("study", {"metric": "log_loss"})])
            assert (tmp_path / "study.db-wal").exists() == (each == "0")
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == (mode,)
    with Journal(path) as journal:
        assert len(journal.events()) == 3
    assert database.connect is not None


def about(**more):
    return {**likeness.described([]), **more}


def test_this_machine_is_like_itself(tmp_path):
    (tmp_path / "train.py").write_text("x")
    assert likeness.likeness(likeness.described([tmp_path / "train.py"])) == ("", "")


def test_where_scikit_learn_is_loaded_changes_nothing():
    kernels = dict(likeness.kernels())
    without = ", ".join(each for each in kernels["blas"].split(", ") if each != "openmp")
    for blas in (without, f"{without}, openmp"):
        assert likeness.likeness(about(kernels={**kernels, "blas": blas})) == ("", "")


def test_what_computes_otherwise_is_named():
    kernels = {**likeness.kernels(), "numpy": "NEON"}
    versions = {**likeness.versions(), "scipy": "0.1"}
    lacks, differs = likeness.likeness(about(kernels=kernels, versions=versions))
    assert lacks == ""
    assert f"numpy {likeness.kernels()['numpy']} where the search has NEON" in differs
    assert f"scipy {likeness.versions()['scipy']} where the search has 0.1" in differs


def test_another_lrtune_or_other_code_lacks_something(tmp_path):
    (tmp_path / "train.py").write_text("one")
    described = likeness.described([tmp_path / "train.py"])
    (tmp_path / "train.py").write_text("two")
    assert likeness.likeness(described)[0].endswith("train.py is another file here")
    (tmp_path / "train.py").unlink()
    assert likeness.likeness(described)[0].endswith("train.py is not there")
    older = about(versions={**likeness.versions(), "lrtune": "0.0.1"})
    assert likeness.likeness(older)[0].endswith("where the search has 0.0.1")


def test_mixed_allows_other_digits_and_no_other_code():
    assert refusal("", "", mixed=False) == ""
    assert refusal("", "blas a where the search has b", mixed=True) == ""
    assert "--mixed" in refusal("", "blas a where the search has b", mixed=False)
    assert refusal("has lrtune 9", "blas", mixed=True) == "has lrtune 9"


def test_the_study_has_a_worker_that_was_allowed_once_and_the_notes_name_it(tmp_path):
    chosen = load_text(PLAIN.replace("trials: 7", "trials: 2, control: false"), base=tmp_path)
    place = Here(start)
    place.remarks = {"node-1": "blas a where the search has b"}
    study = replay(tuning.tune(chosen, prepare(chosen), tmp_path / "run", workers=1, place=place))
    assert study.mixed == [MixedWorker("node-1", "blas a where the search has b")]
    assert [each for each in remarks._mixed(study) if "node-1 took part (--mixed)" in each]


def test_a_worker_that_was_allowed_is_recorded_and_is_no_content():
    worker = MixedWorker("node-1", "blas a where the search has b")
    event = Event(MIXED, worker.body())
    assert replay([event]).mixed == [worker]
    assert canonical([event]) == canonical([Event(MIXED, {CLOCK: {"name": "x", "differs": "y"}})])
