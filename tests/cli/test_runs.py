import os

import pytest

from lrtune.cli import runs
from lrtune.errors import StudyError


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
