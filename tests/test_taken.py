"""What a run takes over: copied before the first trial, part of the identity, and read from the copy ever after."""

import dataclasses
import json
import shutil

import pytest

import lrtune
from lrtune.run import taken
from lrtune.run.identity import fingerprint, identity
from lrtune.run.names import TAKEN
from lrtune.run.taken import NOTHING, SECTIONS, Champion, Reference, TakenOver
from lrtune.text.errors import StudyError

TABLE = {"x": [0.0, 1.0, 2.0, 3.0] * 15, "z": [1.0, 0.5, 0.0] * 20, "y": ["no", "yes", "yes", "no"] * 15}
CHAMPION = Champion("a run", ({"learning_rate": 0.1, "milestones": (2, 3)},), reference=None, unknown="nobody knows")
REFERENCE = Reference("rmse", 1.5, 1.25, 2.0, elected=True, data="abc")


def searched(folder, **more):
    settings = {"space": {"learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"}}, "trials": 4, "workers": 1}
    overrides = ("training.epochs=3", "model.hidden=[4]", "search.control=false", "search.folds=3")
    return lrtune.search(
        data=TABLE, target="y", output=folder, report=False, **{**settings, "overrides": overrides, **more}
    )


def test_every_section_is_a_field():
    assert {each.name for each in dataclasses.fields(TakenOver)} == set(SECTIONS)


def test_a_copy_reads_as_what_was_written(tmp_path):
    found = TakenOver((CHAMPION, dataclasses.replace(CHAMPION, reference=REFERENCE, unknown="")))
    found.write(tmp_path)
    assert taken.read(tmp_path) == found


def test_nothing_leaves_no_file_and_the_identity_that_it_was(tmp_path):
    NOTHING.write(tmp_path)
    assert not list(tmp_path.iterdir())
    assert taken.read(tmp_path) == NOTHING
    assert NOTHING.identity is None
    assert identity({}, "a", "b", taken=None) == identity({}, "a", "b")


def test_the_content_is_part_of_the_identity_and_what_people_call_it_is_not():
    one, renamed = (TakenOver((dataclasses.replace(CHAMPION, called=each),)) for each in ("a run", "another"))
    other = TakenOver((dataclasses.replace(CHAMPION, configurations=({"learning_rate": 0.2},)),))
    prints = [fingerprint(identity({}, "a", "b", taken=each.identity)) for each in (one, renamed, other, NOTHING)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


@pytest.mark.parametrize("text", ["", "{", '{"champions": [{}]}', '{"champions": 3}', '"text"', "null"])
def test_a_damaged_copy_is_told(tmp_path, text):
    (tmp_path / TAKEN).write_text(text)
    with pytest.raises(StudyError, match="damaged"):
        taken.read(tmp_path)


def test_a_copy_of_a_newer_version_is_told(tmp_path):
    (tmp_path / TAKEN).write_text('{"moons": []}')
    with pytest.raises(StudyError, match="a newer lrtune wrote it: it has 'moons'"):
        taken.read(tmp_path)


def test_champions_are_tried_after_the_default_and_the_run_goes_on_without_their_source(tmp_path):
    first = searched(tmp_path / "first")
    second = searched(tmp_path / "second", champions=[tmp_path / "first"], seed=7, trials=3)
    said = json.loads((tmp_path / "second" / TAKEN).read_text())
    tried = {**first.best.configuration}
    trial = second.trials.filter(second.trials["number"] == 1)
    assert float(trial["learning_rate"][0]) == tried["learning_rate"]
    assert said["champions"][0]["configurations"] == [{"learning_rate": tried["learning_rate"]}]
    shutil.rmtree(tmp_path / "first")
    longer = searched(tmp_path / "second", champions=[tmp_path / "first"], seed=7, trials=5)
    assert longer.counts.total == 5
    assert longer.fingerprint == second.fingerprint
