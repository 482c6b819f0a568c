"""`lrtune worker`: the same bytes with any number of workers, whoever is killed."""

import os
import signal
import sys

import numpy as np
import pytest
from crashes import Search
from exchanges import FOLDER, PHASES, SOON, Workers, parent_killed, with_kills
from patience import PATIENCE, wait_until
from studies import FUNCTION, OF_A_FUNCTION, RACE, content, differences

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

NESTED = RACE.replace("search: {", "search: {nested: 2, confirm: 2, ")


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    for name, value in SOON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a study, and its content as one process makes it."""
    folder = tmp_path_factory.mktemp("exchanges")
    (folder / "race.yaml").write_text(RACE)
    code, out = (search := Search(folder, "race.yaml", "undisturbed")).end()
    assert code == 0, out
    return folder, content(search.output)


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_workers_gives_the_same_bytes(here, count):
    folder, undisturbed = here
    found = with_kills(folder, "race.yaml", f"with-{count}", None, undisturbed=undisturbed, phases=(), count=count)
    assert found == (0, [])


@pytest.mark.parametrize("phase", PHASES)
def test_workers_that_are_killed_change_nothing(here, phase):
    folder, undisturbed = here
    rng = np.random.default_rng(PHASES.index(phase))
    _, wrong = with_kills(folder, "race.yaml", f"killed-{phase}", rng, undisturbed=undisturbed, phases=[phase] * 3)
    assert wrong == []


def test_a_search_that_is_killed_goes_on_with_the_same_workers(here):
    folder, undisturbed = here
    assert parent_killed(folder, "race.yaml", "parent", undisturbed=undisturbed) == []


def test_code_of_somebody_else_runs_at_workers_and_is_named(tmp_path):
    (tmp_path / "train.py").write_text(FUNCTION)
    (tmp_path / "file.yaml").write_text(OF_A_FUNCTION.replace("trials: 24", "trials: 6"))
    assert (alone := Search(tmp_path, "file.yaml", "alone")).end()[0] == 0
    with Workers(tmp_path, "run") as workers:
        worker = workers.start()
        search = Search(tmp_path, "file.yaml", "run", *FOLDER)
        assert search.end()[0] == 0
        out, _ = worker.communicate(timeout=PATIENCE)
    assert differences(content(alone.output), content(search.output)) == []
    assert "run trains with train.py:train: this worker runs that code" in out


def test_a_worker_that_has_other_code_is_refused(tmp_path):
    (tmp_path / "train.py").write_text(FUNCTION)
    (tmp_path / "file.yaml").write_text(OF_A_FUNCTION)
    with Workers(tmp_path, "run") as workers:
        search = Search(tmp_path, "file.yaml", "run", *FOLDER)
        # The parent has read the file when there are blocks, not yet when the folder is there.
        search.wait_until(lambda: any((tmp_path / "run" / "exchange" / "ready").glob("*")))
        (tmp_path / "train.py").write_text("other")
        out, _ = (worker := workers.start()).communicate(timeout=PATIENCE)
        search.kill(group=True)
    assert worker.returncode == 2
    assert "needs what the search trains with" in " ".join(out.split())


def test_every_training_of_a_search_goes_to_the_workers(tmp_path):
    """Second opinions, nested searches, controlled pairs: the parent has no worker of its own."""
    (tmp_path / "nested.yaml").write_text(NESTED)
    assert (alone := Search(tmp_path, "nested.yaml", "alone")).end()[0] == 0
    with Workers(tmp_path, "run") as workers:
        workers.start()
        search = Search(tmp_path, "nested.yaml", "run", *FOLDER)
        assert search.end()[0] == 0
    assert differences(content(alone.output), content(search.output)) == []


def test_without_a_worker_the_search_says_the_command(tmp_path):
    (tmp_path / "race.yaml").write_text(RACE)
    search = Search(tmp_path, "race.yaml", "run", *FOLDER)
    said = iter(search.process.stdout.readline, "")
    assert "each `lrtune worker run` that you start trains for it" in " ".join(next(said).split())
    search.process.send_signal(signal.SIGINT)
    assert search.process.wait(PATIENCE) == 130
    search.process.stdout.close()


def test_a_stopped_worker_says_what_becomes_of_its_block(tmp_path):
    with Workers(tmp_path, "run") as workers:
        worker = workers.start()
        wait_until(lambda: "nobody gives out blocks" in worker.stdout.readline())
        os.kill(worker.pid, signal.SIGTERM)
        out, _ = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 143
    assert "goes back to the others" in " ".join(out.split())
