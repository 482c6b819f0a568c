"""Blocks by way of a folder, with real workers that are killed for real."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import exchange_functions as functions
import pytest
from patience import PATIENCE, wait_until

from lrtune.engines import packing
from lrtune.engines.contract import Done, EngineError, Limit, Site, completed
from lrtune.engines.folder import layout
from lrtune.engines.folder.layout import BlockName, Pulse
from lrtune.engines.folder.parent import LOST, FolderPlace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _soon_stale(monkeypatch):
    monkeypatch.setenv(layout.BEAT_VARIABLE, "0.2")
    monkeypatch.setenv(layout.STALE_VARIABLE, "3")


@pytest.fixture
def place(tmp_path):
    found = FolderPlace(Site(folder=tmp_path / "exchange"))
    yield found
    found.close(finished=True)


@pytest.fixture
def workers(tmp_path):
    """Start workers of the folder; whatever still runs in the end is killed."""
    started = []

    def start(name, *more):
        here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, str(Path(__file__).with_name("exchange_worker.py")), str(tmp_path / "exchange"), name]
        started.append(subprocess.Popen([*words, *more], env=here, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def ended(found):
    return sorted(each._replace(seconds=0.0) for each in found)


def begun(folder, count):
    """Wait until so many blocks have begun; gives the numbers of the workers that run them."""
    wait_until(lambda: len(list(folder.glob("begun-*"))) == count)
    return [int(each.name.split("-")[2]) for each in folder.glob("begun-*")]


def serve(executor, count):
    """Give out blocks; they end when somebody takes them."""
    for number in range(count):
        executor.submit(number, number)


def rest(executor, count):
    """Take so many results, each in time."""
    found = [executor.next_done(PATIENCE) for _ in range(count)]
    assert None not in found
    return ended(found)


def test_every_block_ends_once_whoever_comes(place, workers):
    executor = place.start(functions.add, 100, 1)
    for _ in range(3):
        workers("add")
    assert ended(completed(executor, range(20))) == [Done(n, 100 + n) for n in range(20)]
    assert ended(completed(executor, range(5))) == [Done(n, 100 + n) for n in range(5)]  # keys may come again


def test_what_is_shared_may_change(place, workers):
    workers("add")
    for shared in (1, 10, 1):
        executor = place.start(functions.add, shared, 1)
        assert ended(completed(executor, [5])) == [Done(0, shared + 5)]
        executor.close()
    assert len(layout.names(place.folder / layout.SHARED)) == 2  # by content, each once


def test_a_block_that_fails_is_a_value_and_one_that_kills_its_process_is_tried_twice(place, workers):
    worker = workers("fail")
    assert ended(completed(place.start(functions.fail, 0, 1), range(3)))[1] == Done(1, failure="ValueError: one")
    worker.kill()
    workers("die")
    found = ended(completed(place.start(functions.die, 0, 1), range(3)))
    assert [each.value for each in found] == [0, None, 2]
    assert found[1].failure == "its worker process died 2 times (out of memory, or killed)"


def test_a_worker_that_is_killed_at_work_costs_one_attempt(place, workers, tmp_path):
    executor = place.start(functions.linger, str(tmp_path), 2)
    workers("linger")
    serve(executor, 2)
    (first,) = begun(tmp_path, 1)
    os.kill(first, signal.SIGKILL)
    workers("linger")
    (tmp_path / "go").touch()
    assert rest(executor, 2) == [Done(0, 0), Done(1, 1)]
    assert len(list(tmp_path.glob("begun-0-*"))) == 2


@pytest.mark.parametrize("moment", ["value", "word"])
def test_a_worker_that_is_killed_while_it_answers_costs_one_attempt(place, workers, moment):
    executor = place.start(functions.add, 1, 2)
    serve(executor, 3)
    assert workers("add", "alike", "900", moment).wait(PATIENCE) == -signal.SIGKILL
    workers("add")
    assert rest(executor, 3) == [Done(n, 1 + n) for n in range(3)]


def test_an_idle_worker_that_is_killed_costs_nothing(place, workers):
    executor = place.start(functions.add, 1, 1)
    idle = workers("add")
    wait_until(lambda: len(layout.names(place.folder / layout.WORKERS)) == 1)
    idle.kill()
    workers("add")
    serve(executor, 3)
    assert rest(executor, 3) == [Done(n, 1 + n) for n in range(3)]


def test_a_block_that_is_lost_twice_fails(place, workers, tmp_path):
    executor = place.start(functions.linger, str(tmp_path), 1)
    serve(executor, 1)
    for number in (1, 2):
        workers("linger")
        assert executor.next_done(0.5) is None
        for each in begun(tmp_path, number):
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if number == 1:
            wait_until(lambda: executor.next_done(0.05) is None and executor._blocks[1].attempt == 2)
    (done,) = rest(executor, 1)
    assert (done.value, done.failure) == (None, LOST)


def test_ctrl_c_gives_the_block_back_at_once(place, workers, tmp_path):
    executor = place.start(functions.linger, str(tmp_path), 1)
    serve(executor, 1)
    first = workers("linger")
    begun(tmp_path, 1)
    first.send_signal(signal.SIGINT)
    assert first.wait(PATIENCE) == 130
    assert layout.names(place.folder / layout.READY) == [str(BlockName(place.token, 1, 1, 1))]  # no attempt was lost
    assert layout.names(place.folder / layout.WORKERS) == []
    workers("linger")
    (tmp_path / "go").touch()
    assert rest(executor, 1) == [Done(0, 0)]


def test_two_results_of_a_block_that_differ_stop_everything(place, workers, tmp_path):
    executor = place.start(functions.differ, str(tmp_path), 1)
    executor.submit(0, 0)
    slow = workers("differ")
    begun(tmp_path, 1)
    slow.send_signal(signal.SIGSTOP)  # as a machine that is cut off
    wait_until(lambda: executor.next_done(0.05) is None and executor._blocks[1].attempt == 2)
    workers("differ")
    begun(tmp_path, 2)
    lease = BlockName(place.token, 1, 1, 1).taken_by("somebody")
    (place.folder / layout.TAKEN / lease).touch()
    (tmp_path / "go").touch()
    rest(executor, 1)
    name = str(BlockName(place.token, 1, 1, 1))
    layout.put_json(place.folder / layout.DONE / f"{name}.json", {"by": "slow", "sha256": "0" * 64, "remark": ""})
    executor.submit(1, 1)
    with pytest.raises(EngineError, match=r"block 1 has two different results, of the workers .* and slow"):
        rest(executor, 1)


def test_a_second_result_that_is_equal_is_none(place, workers):
    executor = place.start(functions.add, 1, 1)
    workers("add")
    serve(executor, 1)
    rest(executor, 1)
    found, by = place.results[1, 1]
    said = {"by": "late", "sha256": found, "remark": ""}
    layout.put_json(place.folder / layout.DONE / f"{BlockName(place.token, 1, 1, 2)}.json", said)
    executor.submit(1, 1)
    assert rest(executor, 1) == [Done(1, 2)]
    wait_until(lambda: executor.next_done(0.01) is None and not layout.names(place.folder / layout.DONE))
    assert by != "late"


def test_a_result_that_is_not_whole_yet_is_waited_for(place):
    executor = place.start(functions.add, 1, 1)
    serve(executor, 1)
    path = place.folder / layout.DONE / f"{BlockName(place.token, 1, 1, 1)}.json"
    content = packing.to_bytes(7)
    said = {"by": "x", "remark": "", "failure": None, "overdue": False, "seconds": 1.0}
    path.with_suffix(".npz").write_bytes(content[:100])
    layout.put_json(path, {**said, "sha256": layout.hash_of(content)})
    assert executor.next_done(0.1) is None
    path.with_suffix(".npz").write_bytes(content)
    assert rest(executor, 1) == [Done(0, 7)]


def test_blocks_that_are_called_off_are_dropped(place, workers, tmp_path):
    executor = place.start(functions.linger, str(tmp_path), 1)
    worker = workers("linger")
    serve(executor, 1)
    begun(tmp_path, 1)
    executor.close()
    following = place.start(functions.add, 1, 1)
    worker.kill()
    workers("add")
    serve(following, 1)
    assert rest(following, 1) == [Done(0, 1)]
    assert layout.names(place.folder / layout.DONE) == []


def test_a_block_whose_time_is_up_says_so(place, workers, tmp_path):
    executor = place.start(functions.linger, str(tmp_path), 1)
    workers("linger")
    executor.submit(0, 0, Limit(seconds=0.5))
    done = executor.next_done(PATIENCE)
    assert (done.key, done.overdue, done.failure) == (0, True, None)


def test_nobody_comes(place):
    executor = place.start(functions.add, 1, 3)
    serve(executor, 1)
    assert executor.next_done(0.5) is None
    assert layout.get_json(place.folder / layout.PARENT)["waits"]
    assert (executor.slots, executor.room, place.cores) == (3, 6, 1)


def test_as_many_slots_as_workers(place, workers):
    executor = place.start(functions.add, 1, 1)
    serve(executor, 1)
    for _ in range(3):
        workers("add")
    rest(executor, 1)
    executor.submit(1, 1)
    wait_until(lambda: place.look() is None and executor.slots == 3)
    assert place.cores == 3


@pytest.mark.parametrize("finished", [True, False])
def test_workers_leave_at_the_end_and_wait_for_what_was_stopped(workers, tmp_path, finished):
    place = FolderPlace(Site(folder=tmp_path / "exchange"))
    worker = workers("add", "alike", "1")
    executor = place.start(functions.add, 1, 1)
    serve(executor, 1)
    rest(executor, 1)
    place.close(finished=finished)
    out, _ = worker.communicate(timeout=PATIENCE)
    last = "there is nothing left to do" if finished else "nobody has given out blocks for 1 s; this worker leaves"
    assert (worker.returncode, out.splitlines()[-1].endswith(last)) == (0 if finished else 2, True)


def test_a_worker_of_what_is_finished_leaves_unless_there_is_more_soon(workers, tmp_path):
    FolderPlace(Site(folder=tmp_path / "exchange")).close(finished=True)
    out, _ = (late := workers("add", "alike", "1")).communicate(timeout=PATIENCE)
    assert (late.returncode, out.splitlines()[-1]) == (0, "there is nothing left to do")
    early = workers("add")
    wait_until(lambda: "nobody gives out blocks" in early.stdout.readline())
    place = FolderPlace(Site(folder=tmp_path / "exchange"))
    assert ended(completed(place.start(functions.add, 1, 1), [5])) == [Done(0, 6)]
    place.close(finished=True)
    assert early.wait(PATIENCE) == 0


def test_a_parent_that_was_killed_is_survived_and_followed(workers, tmp_path):
    """Its counter stands still; the next one has another token, and nothing of the old one counts."""
    first = FolderPlace(Site(folder=tmp_path / "exchange"))
    worker = workers("add")
    executor = first.start(functions.add, 1, 1)
    serve(executor, 1)
    rest(executor, 1)
    first._over.set()
    stale = layout.BlockName("0" * 8, 1, 9, 1)  # of one that was killed before
    (first.folder / layout.READY / str(stale)).touch()
    wait_until(lambda: "nobody gives out blocks" in worker.stdout.readline())
    second = FolderPlace(Site(folder=tmp_path / "exchange"))
    layout.put_json(second.folder / layout.DONE / f"{stale}.json", {})
    executor = second.start(functions.add, 10, 1)
    serve(executor, 2)
    assert rest(executor, 2) == [Done(0, 10), Done(1, 11)]
    assert layout.names(second.folder / layout.DONE) == []
    second.close(finished=True)
    assert worker.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("compare", "sentence"),
    [
        ("other", "would compute other last digits (blas haswell where the search has skylake); with --mixed"),
        ("newer", "has lrtune 9"),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_worker_that_is_not_alike_is_refused_by_name(workers, compare, sentence):
    worker = workers("add", compare)
    out, _ = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 2
    assert sentence in out
    assert f"-{worker.pid}-" in out


def test_a_worker_that_computes_otherwise_takes_part_where_it_may_and_is_remembered(workers, tmp_path):
    place = FolderPlace(Site(folder=tmp_path / "exchange", mixed=True))
    workers("add", "other")
    executor = place.start(functions.add, 1, 1)
    serve(executor, 1)
    rest(executor, 1)
    assert list(place.remarks.values()) == ["blas haswell where the search has skylake"]
    place.close(finished=True)


def test_a_worker_that_cannot_open_what_is_shared_leaves_and_the_block_stays(workers, place):
    executor = place.start(functions.add, 1, 1)
    serve(executor, 1)
    worker = workers("refuse")
    out, _ = worker.communicate(timeout=PATIENCE)
    assert (worker.returncode, "this worker has no key" in out) == (2, True)
    workers("add")
    assert rest(executor, 1) == [Done(0, 1)]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="cannot be written"):
        FolderPlace(Site(folder=tmp_path / "file" / "exchange"))


@pytest.mark.parametrize("said", ["soon", "0", "-1", "nan", "inf"])
def test_times_that_are_none(monkeypatch, said):
    monkeypatch.setenv(layout.BEAT_VARIABLE, said)
    with pytest.raises(EngineError, match=f"LRTUNE_BEAT_SECONDS: expected a number of seconds above 0, got '{said}'"):
        layout.rhythm()


def test_names_are_read_as_they_are_written():
    name = BlockName("0a1b2c3d", 2, 17, 1)
    assert layout.named(str(name)) == (name, "")
    assert layout.named(name.taken_by("node-7-12-ab")) == (name, "node-7-12-ab")
    assert [layout.named(each) for each in ("", "x-1-2", "a-b-c-d", ".hidden")] == [None] * 4


def test_a_counter_is_watched_by_ones_own_clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pulse = Pulse()
    pulse.see("one", 5)
    now[0] = 110.0
    pulse.see("one", 5)
    assert pulse.silence("one") == 10.0
    pulse.see("one", 4)  # whatever is other is a change
    assert (pulse.silence("one"), pulse.silence("two")) == (0.0, float("inf"))
    pulse.keep({"two"})
    assert len(pulse) == 0


def test_what_is_being_written_is_not_seen(tmp_path):
    (tmp_path / ".b.1.tmp").write_text("half")
    layout.put(tmp_path / "a", b"whole")
    assert layout.names(tmp_path) == ["a"]
    (tmp_path / "c.json").write_text('{"half":')
    assert layout.get_json(tmp_path / "c.json") is None
    assert json.loads(json.dumps(layout.get_json(tmp_path / "none"))) is None
