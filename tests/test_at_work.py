"""How far blocks are, told while they train: what the files say, who reads them, and that nothing depends on them."""

import pytest

from lrtune.run.at_work import forget, in_hand
from lrtune.run.names import AT_WORK
from lrtune.trainers import at_work
from lrtune.trainers.at_work import Teller, telling
from lrtune.trainers.contract import Setting, Work


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(at_work, "SECONDS", 0.0)


def setting(folder, folds=4):
    return Setting(("fold",) * folds, None, "accuracy", 0, "float32", at_work=str(folder / AT_WORK))


def test_a_block_tells_how_much_of_its_trials_is_done_and_leaves_nothing(tmp_path):
    seen = []
    with telling(setting(tmp_path), Work(({}, {}, {}), 0, 2, (5, 6, 7))) as teller:  # half of the folds of three trials
        for _ in range(4):
            teller.step(0.25)
            seen.append(in_hand(tmp_path))
    assert seen == pytest.approx([0.375, 0.75, 1.125, 1.5])
    assert in_hand(tmp_path) == 0.0
    assert list((tmp_path / AT_WORK).iterdir()) == []


def test_blocks_at_work_add_up_and_what_is_no_number_counts_as_nothing(tmp_path):
    with telling(setting(tmp_path), Work(({},), numbers=(0,))) as one:
        one.step(0.5)
        with telling(setting(tmp_path), Work(({},), numbers=(1,))) as other:
            other.step(0.25)
            (tmp_path / AT_WORK / "2").write_text("")
            (tmp_path / AT_WORK / "3").write_bytes(b"\xff")
            assert in_hand(tmp_path) == pytest.approx(0.75)


def test_a_block_that_fails_or_was_killed_leaves_nothing_that_counts(tmp_path):
    def fail():
        with telling(setting(tmp_path), Work(({},), numbers=(0,))) as teller:
            teller.step(0.5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert in_hand(tmp_path) == 0.0
    Teller(tmp_path / AT_WORK / "9", 1.0).step(0.5)
    assert in_hand(tmp_path) == 0.5
    forget(tmp_path)
    assert not (tmp_path / AT_WORK).exists()
    forget(tmp_path)


def test_where_nothing_can_be_written_nobody_is_told(tmp_path):
    (tmp_path / AT_WORK).write_text("no folder")
    with telling(setting(tmp_path), Work(({},), numbers=(0,))) as teller:
        teller.step(0.5)
    assert in_hand(tmp_path) == 0.0
    with telling(setting(tmp_path)._replace(at_work=""), Work(({},), numbers=(0,))) as teller:
        teller.step(0.5)
