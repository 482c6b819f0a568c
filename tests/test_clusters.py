"""Engines on clusters of other libraries, with real clusters of this machine and real kills (`make extras`)."""

import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import exchange_functions as functions
import pytest
from crashes import Search
from patience import PATIENCE, wait_until
from studies import FUNCTION, OF_A_FUNCTION, RACE, content, differences

from lrtune.engines import clusters, dask
from lrtune.engines.catalogue import ENGINES, engine_of
from lrtune.engines.contract import Done, EngineError, Limit, Site, completed

NAMES = ("ray", "dask")
there = {each: importlib.util.find_spec(each) is not None for each in NAMES}

EACH = [
    pytest.param(
        each, marks=[pytest.mark.extra, pytest.mark.skipif(not there[each], reason=f"{each} is not installed")]
    )
    for each in NAMES
]
ALIKE, OTHER, NEWER = (getattr(functions, each) for each in ("alike", "other", "newer"))


@pytest.fixture(scope="module", params=EACH)
def name(request):
    return request.param


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Workers of the clusters import the functions by name."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.fixture
def opened(name):
    found = []

    def opened(**more):
        found.append(ENGINES[name].load()(Site(compare=more.pop("compare", ALIKE), **more)))
        return found[-1]

    yield opened
    for each in found:
        each.close(finished=True)


def ended(found):
    return sorted(each._replace(seconds=0.0) for each in found)


pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, while they start and end


def begun(folder, payload, count=1):
    """Wait until a block has begun so often; gives the process of its worker that began last."""
    wait_until(lambda: len(list(folder.glob(f"begun-{payload}-*"))) >= count)
    newest = max(folder.glob(f"begun-{payload}-*"), key=lambda each: each.stat().st_mtime_ns)
    return int(newest.name.split("-")[3])


def test_every_block_ends_once_and_what_is_shared_may_change(opened):
    place = opened()
    for shared in (100, 7):
        executor = place.start(functions.add, shared, 2)
        assert ended(completed(executor, range(9))) == [Done(n, shared + n) for n in range(9)]
        executor.close()
    assert place.cores >= 1


def test_signals_mean_what_they_meant(opened):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    opened()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_failing_and_dying_blocks_are_values_and_cost_the_others_nothing(opened):
    place = opened()
    assert ended(completed(place.start(functions.fail, 0, 2), range(4)))[1] == Done(1, failure="ValueError: one")
    found = ended(completed(place.start(functions.die, 0, 2), range(5)))
    assert [each.value for each in found] == [0, None, 2, 3, 4]
    assert found[1].failure == "its worker process died 2 times (out of memory, or killed)"


def test_killed_workers_cost_one_attempt_each_and_nothing_hangs(opened, tmp_path):
    place = opened()
    executor = place.start(functions.linger, str(tmp_path), 2)
    for number in range(2):
        executor.submit(number, number)
    for number in range(2):
        os.kill(begun(tmp_path, number), signal.SIGKILL)
    (tmp_path / "go").touch()
    found = [executor.next_done(PATIENCE) for _ in range(2)]
    assert ended(found) == [Done(0, 0), Done(1, 1)]


def test_a_block_that_does_not_notice_the_end_of_its_time_is_killed_alone(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "GRACE", 0.0)
    place = opened()
    executor = place.start(functions.linger, str(tmp_path), 2)
    executor.submit(0, 0, Limit(seconds=0.5))
    assert executor.next_done(PATIENCE) == Done(0, overdue=True)
    (tmp_path / "go").touch()
    executor.submit(1, 1)
    assert executor.next_done(PATIENCE)[:2] == (1, 1)


def test_what_still_runs_is_dropped_at_the_end(opened, tmp_path):
    executor = opened().start(functions.linger, str(tmp_path), 1)
    executor.submit(0, 0)
    begun(tmp_path, 0)
    assert executor.next_done(0.1) is None
    executor.close()
    assert executor.next_done(0.1) is None


@pytest.mark.parametrize(("compare", "mixed", "sentence"), [(OTHER, False, "with --mixed"), (NEWER, True, "lrtune 9")])
def test_a_worker_that_is_not_alike_is_refused_by_name(opened, compare, mixed, sentence):
    executor = opened(compare=compare, mixed=mixed).start(functions.add, 1, 1)
    executor.submit(0, 0)
    with pytest.raises(EngineError, match=sentence):
        executor.next_done(PATIENCE)


def test_a_worker_that_may_take_part_is_remembered(opened):
    place = opened(compare=OTHER, mixed=True)
    assert ended(completed(place.start(functions.add, 1, 1), [5])) == [Done(0, 6)]
    assert set(place.remarks.values()) == {"blas haswell where the search has skylake"}


def test_a_search_gives_the_same_bytes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("race.yaml").write_text(RACE)
    for engine, workers in (("local", 1), ("local", 2), (name, 2)):
        run = Search(tmp_path, "race.yaml", f"{engine}-{workers}", "--engine", engine, workers=workers)
        code, out = run.end()
        assert code == 0, out
    first = content(tmp_path / "local-1")
    assert differences(first, content(tmp_path / "local-2")) == []
    assert differences(first, content(tmp_path / f"{name}-2")) == []


def test_code_of_somebody_else_runs_on_a_cluster(name, tmp_path):
    (tmp_path / "train.py").write_text(FUNCTION)
    (tmp_path / "file.yaml").write_text(OF_A_FUNCTION.replace("trials: 24", "trials: 6"))
    for engine in ("local", name):
        code, out = Search(tmp_path, "file.yaml", engine, "--engine", engine, workers=2).end()
        assert code == 0, out
    assert differences(content(tmp_path / "local"), content(tmp_path / name)) == []


def test_a_cluster_that_is_not_there(name, monkeypatch):
    address = {"ray": "ray://127.0.0.1:1", "dask": "tcp://127.0.0.1:1"}[name]
    monkeypatch.setenv("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "0")
    found, _ = engine_of(address)
    assert found.name == name
    with pytest.raises(EngineError, match=f"cluster at {address} cannot be reached"):
        found.load()(Site(address))


@pytest.mark.parametrize("name", NAMES)
def test_a_library_that_is_missing_is_named_with_the_command(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EngineError, match=rf"{name} is not installed; type: pip install 'lrtune\[{name}\]'"):
        ENGINES[name].load()(Site())


@pytest.mark.extra
@pytest.mark.skipif(not there["dask"], reason="dask is not installed")
def test_what_a_cluster_of_this_machine_does_without_is_a_setting_of_dask():
    config = importlib.import_module("dask").config
    importlib.import_module("distributed")
    assert all(config.get(each, default=None) is not None for each in dask._IDLE)


def test_what_a_cluster_answers():
    assert clusters.ClusterAnswer(Done(3, 1), "node-1").taken({}, mixed=False) == Done(3, 1)
    assert Path(clusters.__file__).name == "clusters.py"


def test_a_dask_cluster_of_which_a_worker_dies_while_it_starts_is_started_again():
    left = [RuntimeError("Nanny failed to start."), RuntimeError("Nanny failed to start."), None]

    def cluster(**_):
        error = left.pop(0)
        if error is not None:
            raise error
        return "a cluster"

    place = object.__new__(dask.DaskPlace)
    place.distributed = SimpleNamespace(LocalCluster=cluster)
    assert place._own_cluster() == "a cluster"
    left[:] = [RuntimeError("Nanny failed to start.")] * 3
    with pytest.raises(RuntimeError, match="Nanny"):
        place._own_cluster()


def test_a_block_whose_result_is_lost_with_its_dask_worker_stays_and_the_cluster_is_looked_at(monkeypatch):
    """Waiting for the result for ever would keep anybody from noticing that no worker is left."""

    class Future:
        def result(self, seconds):
            assert seconds == dask.OWN_PATIENCE
            raise TimeoutError

    executor, future, looks = object.__new__(dask.DaskExecutor), Future(), []
    executor._place = SimpleNamespace(site=Site())
    executor._running = {future: clusters.ClusterTask(3, "block", Limit())}
    monkeypatch.setattr(dask.DaskExecutor, "_watch", lambda self: looks.append(dict(self._running)))
    assert executor._settle(future) is None
    assert looks == [{future: clusters.ClusterTask(3, "block", Limit())}]
