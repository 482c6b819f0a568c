import os

import pytest

from lrtune.cli import runs
from lrtune.text.errors import StudyError


@pytest.fixture
def made(folder):
    """Three runs: two finished at second 1 and 2, one unfinished; returns a function to make more."""

    def make(name, second=None):
        path = folder / "runs" / name
        path.mkdir(parents=True)
        if second is not None:
            (path / "result.json").write_text("{}")
            os.utime(path / "result.json", (second, second))

    make("wine-00000001", 2)
    make("wine-00000002", 1)
    make("digits-0000000a")
    return make


def test_latest_is_the_one_that_finished_last(made):
    assert str(runs.find("latest")) == "runs/wine-00000001"
    made("concrete-00000003", 9)
    assert str(runs.find("latest")) == "runs/concrete-00000003"
    made("odd [x]-00000004", 5)
    assert str(runs.find("odd [x]")) == "runs/odd [x]-00000004"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", ["wine-00000002", "runs/wine-00000002", "./runs/wine-00000002/"])
def test_a_run_is_found_by_name_and_by_folder(name):
    assert runs.find(name).resolve().name == "wine-00000002"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", ["wine", "runs/wine"])
def test_a_name_without_its_digits_means_the_last_finished_run_of_that_name(name):
    assert str(runs.find(name)) == "runs/wine-00000001"


@pytest.mark.usefixtures("made")
def test_an_unknown_run_names_the_nearest():
    with pytest.raises(StudyError, match="no run 'win-00000001'; did you mean 'wine-00000001'"):
        runs.find("win-00000001")


@pytest.mark.parametrize("name", ["latest", "wine"])
def test_without_any_run_the_way_to_make_one_is_told(name):
    with pytest.raises(StudyError, match="`lrtune search` makes one"):
        runs.find(name)


def test_commands_call_a_run_by_name_only_under_runs(folder):
    assert runs.name_of(runs.RUNS / "wine-00000001") == "wine-00000001"
    assert runs.name_of(folder / "out") == str(folder / "out")


@pytest.mark.usefixtures("made")
def test_a_name_like_none_is_told_where_the_names_are():
    with pytest.raises(StudyError, match=r"no run 'zebra'; `lrtune list` names those that there are$"):
        runs.find("zebra")


@pytest.fixture
def swept(folder):
    path = folder / "runs" / "zebra-finder"
    path.mkdir(parents=True)
    (path / "finder.json").write_text("{}")
    return path


@pytest.mark.usefixtures("made", "swept")
@pytest.mark.parametrize("name", ["zebra", "zebra-finder", "runs/zebra-finder"])
@pytest.mark.parametrize("finished", [True, False])
def test_what_the_finder_left_is_no_run(name, finished):
    with pytest.raises(StudyError, match=r"zebra-finder:? holds what `lrtune finder` found .*; `lrtune search` makes"):
        runs.find(name, finished=finished)


@pytest.mark.usefixtures("made")
def test_a_run_with_a_study_may_have_found_its_range_as_well(swept):
    (swept / "study.db").write_bytes(b"x")
    assert runs.find("zebra-finder") == runs.RUNS / "zebra-finder"


@pytest.mark.usefixtures("swept")
def test_what_the_finder_left_completes_nothing(made):
    del made
    assert runs.names("") == ["latest", "digits-0000000a", "wine-00000001", "wine-00000002"]
    assert runs.names("w") == ["wine-00000001", "wine-00000002"]


def test_the_latest_of_any_state_is_the_one_written_last(made, folder):
    for second, name in enumerate(["wine-00000001", "digits-0000000a", "wine-00000002"]):
        (folder / "runs" / name / "study.db").write_bytes(b"x")
        os.utime(folder / "runs" / name / "study.db", (second + 1, second + 1))
    (folder / "runs" / "digits-0000000a" / "study.db-wal").write_bytes(b"x")  # what goes on is written there first
    (folder / "runs" / "wine-00000002" / "study.db-wal").write_bytes(b"")  # a reader leaves this
    made("empty-00000009")
    assert runs.find("latest", finished=False).name == "digits-0000000a"
    assert runs.find("wine", finished=False).name == "wine-00000002"
    assert runs.find("latest").name == "wine-00000001"


def test_whoever_means_the_latest_model_hears_that_a_later_run_has_none(made, folder, capsys):
    assert runs.find("latest").name == "wine-00000001"
    assert capsys.readouterr().err == ""
    made("iris-00000005")
    (folder / "runs" / "iris-00000005" / "study.db").write_bytes(b"x")
    assert runs.find("latest").name == "wine-00000001"
    said = " ".join(capsys.readouterr().err.split())
    assert said.endswith("the run that finished last; runs/iris-00000005 has no result yet")
    with pytest.raises(StudyError, match=r"iris-00000005 has no result yet; lrtune status iris-00000005"):
        runs.find("iris")
