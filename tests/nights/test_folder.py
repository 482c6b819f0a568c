"""A folder of champions: numbered folders that nobody writes again, and who is the current one."""

import pytest

from lrtune.nights import folder as champions
from lrtune.nights.folder import CURRENT, TONIGHT, Current, Tonight
from lrtune.text.errors import StudyError


@pytest.fixture
def run(tmp_path):
    made = tmp_path / "run"
    (made / "model").mkdir(parents=True)
    (made / "model" / "weights").write_text("1")
    for name in ("best.yaml", "result.json", "study.db"):
        (made / name).write_text(name)
    return made


def test_a_night_is_copied_once_and_never_written_again(tmp_path, run):
    folder = tmp_path / "champions"
    place = champions.publish(folder, run, 3)
    assert place == folder / "0003"
    assert sorted(each.name for each in place.iterdir()) == ["best.yaml", "model", "result.json"]
    (run / "result.json").write_text("another")
    assert champions.publish(folder, run, 3) == place
    assert (place / "result.json").read_text() == "result.json"
    assert champions.nights(folder) == [3]


def test_half_a_copy_is_no_night(tmp_path, run, monkeypatch):
    folder = tmp_path / "champions"

    def die(*_paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(champions.shutil, "copy2", die)
    with pytest.raises(KeyboardInterrupt):
        champions.publish(folder, run, 1)
    assert champions.nights(folder) == []
    monkeypatch.undo()
    champions.publish(folder, run, 1)
    assert champions.nights(folder) == [1]
    assert not [each for each in folder.iterdir() if each.name.startswith(".0001")]


def test_the_current_one_is_named_and_must_be_there(tmp_path, run):
    folder = tmp_path / "champions"
    assert champions.current(folder) is None
    champions.publish(folder, run, 1)
    champions.name(folder, Current(1, 1))
    assert champions.current(folder) == Current(1, 1)
    champions.name(folder, Current(2, 1))
    with pytest.raises(StudyError, match="names night 2, whose folder is gone"):
        champions.current(folder)


def test_a_lost_or_damaged_name_is_told(tmp_path, run):
    folder = tmp_path / "champions"
    champions.publish(folder, run, 1)
    with pytest.raises(StudyError, match=r"is lost, though there is 1 night; `lrtune champion rollback .* 1`"):
        champions.current(folder)
    for text in ("{", "[]", '{"night": 1}', "null", '{"night": "1", "elected": 1}', '{"night": 1, "elected": null}'):
        (folder / CURRENT).write_text(text)
        with pytest.raises(StudyError, match="damaged"):
            champions.current(folder)


def test_a_night_that_has_begun_is_known_until_it_ends(tmp_path):
    tonight = Tonight(4, "runs/a", 7, "data", "asked")
    champions.begin(tmp_path, tonight)
    assert champions.begun(tmp_path) == tonight
    champions.end(tmp_path)
    champions.end(tmp_path)
    assert champions.begun(tmp_path) is None
    (tmp_path / TONIGHT).write_text("torn")
    assert champions.begun(tmp_path) is None
