"""`lrtune prune`: old runs and old nights go, and nothing else."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.nights import folder as nights
from lrtune.run import removal
from lrtune.run.journal import Event, Journal
from lrtune.run.lock import Lock
from lrtune.run.names import DATABASE


def new_run(folder, at):
    """Make a run in which something was last written at some time."""
    folder.mkdir(parents=True)
    with Journal(folder / DATABASE, write=True) as journal:
        journal.append([Event("finished", {"reason": "trials"})])
    (folder / "result.json").write_text("{}")
    for each in folder.iterdir():
        os.utime(each, (at, at))
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place, name in enumerate(["b", "a", "d", "c"]):  # the order of names is not that of times
        new_run(tmp_path / "runs" / name, 1_000_000 + place)
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "notes" / "mine.txt").write_text("x")
    return tmp_path


def prune(*words):
    found = CliRunner().invoke(app, ["prune", *words])
    assert found.exit_code == 0, found.output
    return found.stdout


def there():
    return sorted(each.name for each in Path("runs").iterdir())


@pytest.mark.usefixtures("here")
def test_those_that_were_written_last_stay_and_other_folders_too():
    said = prune("--keep", "2")
    assert there() == ["c", "d", "notes"]
    assert "2 folders are gone" in said
    assert "runs/a" in said


def test_a_dry_run_removes_nothing(here):
    found = json.loads(prune("--keep", "1", "--dry-run", "--json"))
    assert found["removed"] == [f"runs{os.sep}{each}" for each in "dab"]
    assert found["bytes"] == sum(each.stat().st_size for name in "dab" for each in (here / "runs" / name).iterdir())
    assert len(there()) == 5


def test_a_run_that_somebody_works_on_stays(here):
    with Lock(here / "runs" / "a"):
        said = prune("--keep", "1")
    assert there() == ["a", "c", "notes"]
    assert "runs/a: is in use" in said


def test_links_and_the_working_folder_stay(here, monkeypatch):
    other = new_run(here / "elsewhere", 1)
    (here / "runs" / "link").symlink_to(other)
    monkeypatch.chdir(here / "runs" / "b")
    found = json.loads(prune(str(here / "runs"), "--keep", "1", "--json"))
    assert {Path(each).name: why for each, why in found["spared"].items()} == {
        "link": "is a link",
        "b": "is the working folder",
    }
    assert (other / "result.json").is_file()
    assert {Path(each).name for each in found["removed"]} == {"a", "d"}


def test_of_champions_the_last_the_current_and_who_elected_it_stay(here):
    folder = here / "champions"
    for night in range(1, 7):
        nights.publish(folder, here / "runs" / "c", night)
    nights.name(folder, nights.Current(night=4, elected=2))
    (folder / "history.jsonl").write_text("line\n")
    prune("--keep", "1", "--champions", "champions")
    assert nights.nights(folder) == [2, 4, 6]
    assert (folder / "history.jsonl").read_text() == "line\n"


def test_a_folder_of_champions_is_not_taken_for_one_of_runs(here):
    folder = here / "champions"
    for night in (1, 2, 3):
        nights.publish(folder, here / "runs" / "c", night)
    nights.name(folder, nights.Current(night=1, elected=1))
    found = CliRunner().invoke(app, ["prune", "champions", "--keep", "1"])
    assert (found.exit_code, "is a folder of champions; give it as --champions" in found.stderr) == (2, True)
    assert nights.nights(folder) == [1, 2, 3]


def test_while_a_night_works_on_the_champions_nothing_goes(here):
    (here / "champions").mkdir()
    with Lock(here / "champions"):
        found = CliRunner().invoke(app, ["prune", "--keep", "1", "--champions", "champions"])
    assert (found.exit_code, there()) == (2, ["a", "b", "c", "d", "notes"])


def test_the_run_of_a_night_that_has_begun_stays(here):
    folder = here / "champions"
    folder.mkdir()
    nights.begin(folder, nights.Tonight(1, str(here / "runs" / "b"), 0, None, "x"))
    said = prune("--keep", "1", "--champions", "champions")
    assert there() == ["b", "c", "notes"]
    assert "a night that has begun goes on with it" in said


def test_what_a_killed_removal_has_left_goes_with_the_next(here, monkeypatch):
    def killed(_path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(removal.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            removal.remove(here / "runs" / "a")
    assert "a" not in there()
    assert ".a.removed" in there()
    prune("--keep", "9")
    assert there() == ["b", "c", "d", "notes"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["file"], "file: is a file, not a folder"),
        (["--champions", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_folder_that_is_not_there_is_said(here, words, sentence):
    (here / "file").write_text("x")
    found = CliRunner().invoke(app, ["prune", *words])
    assert (found.exit_code, sentence in found.stderr) == (2, True)


def test_without_any_runs_there_is_nothing_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "0 folders are gone" in prune()
