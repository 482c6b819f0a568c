import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from lrtune.errors import StudyError
from lrtune.journal import Event, Journal, canonical, is_held

EVENTS = [Event("study", {"name": "ä"}), Event("trial", {"trial": 0, "x": 0.1, "clock": {"at": 1.5}})]


def test_events_come_back_in_order_and_exactly(tmp_path):
    with Journal(tmp_path / "study.db", write=True) as journal:
        assert journal.append(EVENTS[:1]) == EVENTS[:1]
        assert journal.append([Event("trial", {"hidden": (64, 32)})]) == [Event("trial", {"hidden": [64, 32]})]
    (tmp_path / "study.db").unlink()
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.append(EVENTS[:1])
        journal.append(EVENTS[1:])
    with Journal(tmp_path / "study.db") as journal:
        assert journal.events() == EVENTS
        assert journal.events(after=1) == EVENTS[1:]


def test_the_settings_that_make_a_commit_durable_are_on(tmp_path):
    with Journal(tmp_path / "study.db", write=True) as journal:
        assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_an_append_is_all_or_nothing(tmp_path):
    with Journal(tmp_path / "study.db", write=True) as journal:
        with pytest.raises(ValueError, match="JSON"):
            journal.append([EVENTS[0], Event("bad", {"score": float("nan")})])
        assert journal.events() == []


def test_same_content_in_another_order_at_other_times_is_the_same():
    other = [Event("trial", {"x": 0.1, "trial": 0, "clock": {"at": 99}}), EVENTS[0]]
    assert canonical(EVENTS) == canonical(other)
    assert canonical(EVENTS) != canonical([EVENTS[0], Event("trial", {"trial": 0, "x": 0.2})])


def test_two_writers_are_refused_and_a_reader_is_not(tmp_path):
    path = tmp_path / "study.db"
    with Journal(path, write=True) as journal:
        journal.append(EVENTS)
        with pytest.raises(StudyError, match="another lrtune process"):
            Journal(path, write=True)
        with Journal(path) as reader:
            assert reader.events() == EVENTS
    with Journal(path, write=True) as again:
        assert again.events() == EVENTS


def test_a_killed_writer_leaves_its_commits_and_no_lock(tmp_path):
    path = tmp_path / "study.db"
    code = f"""
        from pathlib import Path
        from lrtune.journal import Event, Journal
        journal = Journal(Path({str(path)!r}), write=True)
        journal.append([Event("study", {{"n": 1}})])
        journal._connection.execute("INSERT INTO events (kind, body) VALUES ('torn', '{{}}')")  # never committed
        print("ready", flush=True)
        input()
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "ready\n"
    with pytest.raises(StudyError, match="another lrtune process"):
        Journal(path, write=True)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    with Journal(path, write=True) as journal:
        assert journal.events() == [Event("study", {"n": 1})]


def test_a_reader_without_a_study_says_so(tmp_path):
    with pytest.raises(StudyError, match="no study here"):
        Journal(tmp_path / "study.db")
    assert list(tmp_path.iterdir()) == []


def test_a_study_of_a_newer_version_is_refused_politely(tmp_path):
    path = tmp_path / "study.db"
    Journal(path, write=True).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    for write in (False, True):
        with pytest.raises(StudyError, match=r"newer lrtune \(format 99"):
            Journal(path, write=write)


@pytest.mark.parametrize("damage", ["text", "truncated", "flipped"])
def test_a_damaged_file_is_a_sentence(tmp_path, damage):
    path = tmp_path / "study.db"
    with Journal(path, write=True) as journal:
        journal.append([Event("trial", {"trial": i, "text": "x" * 200}) for i in range(200)])
    content = bytearray(path.read_bytes())
    if damage == "text":
        content = bytearray(b"this is not a database at all" * 100)
    elif damage == "truncated":
        content = content[: len(content) // 2]
    else:
        content[4096:8192] = bytes(255 - byte for byte in content[4096:8192])
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.db: not a readable study"), Journal(path) as journal:
        journal.events()


def test_a_full_disk_is_a_sentence_and_nothing_is_lost(tmp_path):
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.append(EVENTS)
        (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
        journal._connection.execute(f"PRAGMA max_page_count={pages + 1}")
        with pytest.raises(StudyError, match="the disk is full"):
            journal.append([Event("trial", {"text": "x" * 100_000})])
        assert journal.events() == EVENTS


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX's here")
def test_a_finished_study_on_a_read_only_folder_can_be_read(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal(folder / "study.db", write=True) as journal:
        journal.append(EVENTS)
    code = f"""
        import os
        from pathlib import Path
        from lrtune.journal import Journal
        from lrtune.errors import StudyError
        Journal(Path({str(folder / "study.db")!r})).close()  # whatever is imported late is imported now
        if os.geteuid() == 0:
            os.setuid(65534)  # root may write anywhere; nobody may not
        print(len(Journal(Path({str(folder / "study.db")!r})).events()))
        try:
            Journal(Path({str(folder / "study.db")!r}), write=True)
        except StudyError as error:
            print(error)
    """
    shared = Path(tempfile.gettempdir())
    for parent in (tmp_path, *tmp_path.parents):  # pytest keeps its folders private
        if parent == shared or shared not in parent.parents:
            break
        parent.chmod(0o755)
    folder.chmod(0o555)
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=here, check=True
    )
    folder.chmod(0o755)
    shutil.rmtree(folder)
    assert run.stdout.startswith("2\n")
    assert "cannot write here" in run.stdout


def test_looking_at_the_lock_tells_who_holds_it_and_takes_nothing(tmp_path):
    path = tmp_path / "study.db"
    assert not is_held(path)
    with Journal(path, write=True):
        assert is_held(path)
        assert is_held(path)
        with pytest.raises(StudyError, match="another lrtune process"):
            Journal(path, write=True)
    assert not is_held(path)
