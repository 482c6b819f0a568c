import json
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

from lrtune.run import database
from lrtune.run.journal import Event, Journal, canonical
from lrtune.run.lock import is_held
from lrtune.text.errors import DamagedError, StudyError

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
        from lrtune.run.journal import Event, Journal
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
def test_what_permissions_leave_of_reading_and_writing(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal(folder / "study.db", write=True) as journal:
        journal.append(EVENTS)
    code = f"""
        import os
        from pathlib import Path
        from lrtune.run.journal import Journal
        from lrtune.run.lock import is_held
        from lrtune.text.errors import StudyError
        Journal(Path({str(folder / "study.db")!r})).close()  # whatever is imported late is imported now
        if os.geteuid() == 0:
            os.setuid(65534)  # root may write anywhere; nobody may not
        print(len(Journal(Path({str(folder / "study.db")!r})).events()))
        try:
            Journal(Path({str(folder / "study.db")!r}), write=True)
        except StudyError as error:
            print(error)
        private = Path({str(tmp_path / "private")!r})
        print("held" if is_held(private) else "not held")
        try:
            Journal(private / "study.db")
        except StudyError as error:
            print(error)
    """
    (tmp_path / "private").mkdir()
    for name in ("study.db", ".lrtune.lock"):
        (tmp_path / "private" / name).touch(mode=0)
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
    assert run.stdout.endswith(f"not held\n{tmp_path / 'private' / 'study.db'}: cannot be read (Permission denied)\n")


def test_looking_at_the_lock_tells_who_holds_it_and_takes_nothing(tmp_path):
    path = tmp_path / "study.db"
    assert not is_held(path.parent)
    with Journal(path, write=True):
        assert is_held(path.parent)
        assert is_held(path.parent)
        with pytest.raises(StudyError, match="another lrtune process"):
            Journal(path, write=True)
    assert not is_held(path.parent)


# --- what a disk may do to a file


MANY = [Event("trial", {"trial": number, "text": "x" * 200}) for number in range(200)]


def study_of_many(path):
    with Journal(path, write=True) as journal:
        for start in range(0, 200, 10):
            journal.append(MANY[start : start + 10])


def changed(path, sql):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "intact"),
    [
        ("UPDATE events SET body = replace(body, 'xx', 'xy') WHERE seq = 100", 99),
        ("UPDATE events SET kind = 'tria1' WHERE seq = 7", 6),
        ("UPDATE events SET checksum = checksum + 1 WHERE seq = 200", 199),
        ("DELETE FROM events WHERE seq = 50", 49),
        ("DELETE FROM events WHERE seq = 1", 0),
        ("UPDATE events SET seq = 1000 WHERE seq = 200", 199),
        ("DROP TABLE events", 0),
    ],
)
def test_every_change_of_what_was_written_is_found_and_all_before_it_rescued(tmp_path, sql, intact):
    path = tmp_path / "study.db"
    study_of_many(path)
    changed(path, sql)
    with pytest.raises(DamagedError, match=r"not a readable study.*damaged-1"), Journal(path) as journal:
        journal.events()
    with pytest.raises(DamagedError):
        Journal(path, write=True)
    damaged = path.read_bytes()
    with Journal(path, write=True, rescue=True) as journal:
        assert journal.rescued == (tmp_path / "study.db.damaged-1", intact)
        assert journal.events() == MANY[:intact]
        journal.append(MANY[intact:])
    assert (tmp_path / "study.db.damaged-1").read_bytes() == damaged
    with Journal(path, write=True, rescue=True) as journal:
        assert (journal.rescued, journal.events()) == (None, MANY)


@pytest.mark.parametrize("place", [0, 18, 60, 63, 100, 4096, 9000, 20_000, 30_001])
def test_a_flipped_bit_anywhere_costs_no_event_unseen(tmp_path, place):
    """Either the bit changes nothing that is read, or the damage is found and what stands before it is rescued."""
    path = tmp_path / "study.db"
    study_of_many(path)
    content = bytearray(path.read_bytes())
    content[place] ^= 2 if place == 63 else 4  # format 2 becomes 0 and not 6, which could be a newer one
    path.write_bytes(content)
    with Journal(path, write=True, rescue=True) as journal:
        events = journal.events()
        assert events == MANY[: len(events)]
        assert len(events) == 200 or journal.rescued is not None
        if journal.rescued is not None:
            assert journal.rescued.kept.read_bytes() == content


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_put_aside_and_another_one_beside_it(tmp_path, share):
    path = tmp_path / "study.db"
    for number in (1, 2):
        path.unlink(missing_ok=True)
        study_of_many(path)
        os.truncate(path, int(path.stat().st_size * share))
        with Journal(path, write=True, rescue=True) as journal:
            assert journal.rescued.kept.name == f"study.db.damaged-{number}"
            events = journal.events()
            assert events == MANY[: len(events)]


def test_a_file_without_a_table_is_a_study_that_has_not_begun(tmp_path):
    path = tmp_path / "study.db"
    changed(path, "PRAGMA journal_mode=WAL")
    with Journal(path) as journal:
        assert journal.events() == []
    with Journal(path, write=True) as journal:
        journal.append(EVENTS)


def test_a_rescue_that_was_interrupted_is_finished(tmp_path, monkeypatch):
    path = tmp_path / "study.db"
    study_of_many(path)
    changed(path, "DELETE FROM events WHERE seq = 50")
    replace = Path.replace

    def crash(self, target):
        if Path(target) == path:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            Journal(path, write=True, rescue=True)
    assert not path.exists()
    with Journal(path, write=True, rescue=True) as journal:
        assert journal.events() == MANY[:49]


def test_the_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "study.db"
    changed(path, "CREATE TABLE studies (study_id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StudyError, match="a database of another program"):
        Journal(path, write=True, rescue=True)
    assert path.read_bytes() == before


def test_a_damaged_lock_stops_nobody(tmp_path):
    (tmp_path / ".lrtune.lock").write_text("this is not a database" * 200)
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.append(EVENTS)
        with pytest.raises(StudyError, match="another lrtune process"):
            Journal(tmp_path / "study.db", write=True)


def test_a_journal_of_the_first_format_is_read_as_it_is_and_migrated_by_a_writer(tmp_path):
    path = tmp_path / "study.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)")
    with connection:
        rows = [(each.kind, json.dumps(each.body)) for each in EVENTS]
        connection.executemany("INSERT INTO events (kind, body) VALUES (?, ?)", rows)
    connection.execute("PRAGMA user_version=1")
    connection.close()
    before = path.read_bytes()
    with Journal(path) as journal:
        assert journal.events() == EVENTS
        assert journal.events(after=1) == EVENTS[1:]
    assert path.read_bytes() == before
    with Journal(path, write=True) as journal:
        assert journal.events() == EVENTS
        journal.append(MANY[:2])
    with Journal(path) as journal:
        assert journal.events() == [*EVENTS, *MANY[:2]]
        assert journal.events(after=3) == MANY[1:2]
    changed(path, "UPDATE events SET body = '{}' WHERE seq = 1")  # checked from now on
    with pytest.raises(DamagedError), Journal(path) as journal:
        journal.events()


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "study.db"
    with Journal(path, write=True) as journal:
        journal.append(EVENTS)

    def fail(connection):
        connection.execute("DELETE FROM events")
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, fail))
    with pytest.raises(KeyboardInterrupt):
        Journal(path, write=True)
    monkeypatch.undo()
    with Journal(path, write=True) as journal:
        assert journal.events() == EVENTS


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_goes_away_under_a_writer_is_noticed(tmp_path, how):
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal(folder / "study.db", write=True) as journal:
        journal.append(EVENTS[:1])
        if how == "deleted":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "moved")
        if how == "replaced":
            folder.mkdir()
            (folder / "study.db").write_bytes(b"")
        with pytest.raises(StudyError, match="was moved or deleted"):
            journal.append(EVENTS[1:])
    if how != "deleted":
        with Journal(tmp_path / "moved" / "study.db") as journal:
            assert journal.events() == EVENTS[:1]
