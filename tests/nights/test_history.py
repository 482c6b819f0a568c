"""A line for each night: written, read, torn, damaged, and described by a schema."""

import dataclasses
import json

import jsonschema
import pytest

from lrtune.nights.control import WINDOW
from lrtune.nights.history import HISTORY, SCHEMA, History, Night, append, json_schema, line_of, read
from lrtune.text.errors import StudyError


def night(number, **more):
    values = {each.name: None for each in dataclasses.fields(Night)} | {
        "schema": SCHEMA, "night": number, "at": "2026-11-30T02:00:00+00:00", "run": "runs/a", "metric": "accuracy",
        "larger_is_better": True, "seed": 0, "asked": "x", "repeats": False, "outcome": "kept", "promoted": False,
        "elected": 1, "trained": 5, "seconds": 1.5,
    }  # fmt: skip
    return Night(**{**values, **more})


def test_what_is_appended_is_read_back(tmp_path):
    made = (night(1, outcome="first"), night(2, drift=-0.25, drift_error=0.125, is_out=True))
    for place, each in enumerate(made):
        append(tmp_path, History(made[:place]), each)
    assert read(tmp_path) == History(made)
    assert read(tmp_path).last == made[-1]
    assert read(tmp_path / "nowhere") == History()


def test_a_torn_last_line_is_passed_over_said_and_written_over(tmp_path):
    whole, path = [line_of(night(1)), line_of(night(2))], tmp_path / HISTORY
    for cut in (1, 20, len(whole[1]) - 1):
        path.write_text(whole[0] + whole[1][:cut])
        found = read(tmp_path)
        assert found.nights == (night(1),)
        assert "its last line was torn" in found.torn
        append(tmp_path, found, night(2))
        assert read(tmp_path) == History((night(1), night(2)))


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "{}", '{"schema": 1}', "null", line_of(night(2)).replace('"seconds": ', '"seconds": NaN, "was": ')],
)
def test_a_damaged_line_within_is_an_error_with_its_place(tmp_path, line):
    (tmp_path / HISTORY).write_text(f"{line_of(night(1))}{line}\n{line_of(night(3))}")
    with pytest.raises(StudyError, match="line 2: damaged"):
        read(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("night", "one"), ("drift", "far"), ("promoted", 1), ("seconds", None)])
def test_a_wrong_type_is_told(tmp_path, key, value):
    said = {**json.loads(line_of(night(1))), key: value}
    (tmp_path / HISTORY).write_text(json.dumps(said) + "\n")
    with pytest.raises(StudyError, match=f"'{key}' is"):
        read(tmp_path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said, json_schema())


def test_a_line_of_a_newer_version_is_told(tmp_path):
    (tmp_path / HISTORY).write_text(line_of(night(1, schema=SCHEMA + 1)))
    with pytest.raises(StudyError, match="a newer lrtune wrote it"):
        read(tmp_path)


def test_keys_of_later_versions_are_passed_over(tmp_path):
    (tmp_path / HISTORY).write_text(json.dumps({**json.loads(line_of(night(1))), "moon": "full"}) + "\n")
    assert read(tmp_path).nights == (night(1),)


def test_the_schema_is_one_and_describes_the_lines():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == {each.name for each in dataclasses.fields(Night)}
    for each in (night(1), night(2, drift=0.5, champion=1, is_out=False, data="abc")):
        jsonschema.validate(json.loads(line_of(each)), schema)


def test_a_drift_is_counted_from_the_night_that_the_champion_came_from():
    """After a rollback from night 3 to night 1 the level goes on from that of night 1."""
    nights = [night(1), night(2, drift=-0.25, drift_error=0.1, since=1), night(3, drift=-0.5, drift_error=0.1, since=2)]
    found = History(tuple(nights))
    assert found.judged(0.125, 0.3, 0.1, since=3).level == pytest.approx(-0.625)
    assert found.judged(None, None, None) is None
    assert found.judged(None, None, None, repeats=True).level == pytest.approx(-0.75)
    assert found.judged(0.125, 0.3, 0.1, since=1).level == pytest.approx(0.125)


@pytest.mark.parametrize(("drift", "high", "counts"), [(-0.5, -0.25, -0.25), (-0.5, 0.125, 0.0), (0.25, 0.5, 0.25)])
def test_a_fall_counts_where_the_champion_changes_as_far_as_its_interval_is_sure_of_it(drift, high, counts):
    """Night 2 is about what night 1 elected, and has elected what night 3 is about, or has not."""
    calm = night(2, drift=-0.5, drift_high=-0.0625, drift_error=0.1, since=1)
    found = History((night(1), calm))
    assert found.judged(drift, high, 0.1, since=2).level == pytest.approx(-0.0625 + drift)
    assert found.judged(drift, high, 0.1, since=2, promoted=True).level == pytest.approx(-0.0625 + counts)
    fresh = History((night(1), dataclasses.replace(calm, elected=2, promoted=True)))
    assert fresh.judged(drift, high, 0.1, since=2).level == pytest.approx(-0.0625 + counts)
    assert fresh.judged(drift, high, 0.1, since=1).level == pytest.approx(counts)


def test_what_the_folds_of_the_last_nights_say_of_luck_is_known():
    nights = [night(each, drift=0.0, drift_luck=each / 2, drift_freedom=2) for each in range(1, 31)]
    found = History((*nights, night(31), night(32, drift=0.0))).lucks
    assert found == tuple((each / 2, 2) for each in range(31 - WINDOW, 31))
