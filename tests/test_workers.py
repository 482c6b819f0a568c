import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest
from patience import wait_until
from worker_functions import (
    DiesWhenUnpacked,
    die_always,
    die_once,
    die_once_knowingly,
    fail_on_three,
    hang_on_zero,
    heed_the_time,
    size_of,
    square,
    tell_who,
    threads_of_blas,
    time_out,
    wait_for_the_other,
)

from lrtune.engines import contract
from lrtune.engines import local as workers
from lrtune.engines.contract import Done, Limit, completed, time_is_up
from lrtune.engines.local import Loky, Serial


def run(make, function, shared, payloads, limit=workers.UNLIMITED):
    executor = make(function, shared)
    try:
        return [each._replace(seconds=0.0) for each in sorted(completed(executor, payloads, limit))]
    finally:
        executor.close()


BOTH = pytest.mark.parametrize("make", [Serial, partial(Loky, slots=2)], ids=["serial", "loky"])


@BOTH
def test_every_payload_ends_once(make):
    assert run(make, square, 100, range(7)) == [Done(i, 100 + i * i) for i in range(7)]


@BOTH
def test_an_exception_is_the_reason_of_one_block_only(make):
    results = run(make, fail_on_three, 0, range(5))
    assert results[3] == Done(3, None, "ValueError: three")
    assert [each.value for each in results if each.failure is None] == [0, 1, 4, 16]


def test_a_dead_worker_costs_one_retry_and_nothing_else(tmp_path):
    assert run(partial(Loky, slots=2), die_once, tmp_path / "died", range(5)) == [Done(i, i) for i in range(5)]
    assert (tmp_path / "died").exists()


def test_a_block_that_kills_every_worker_fails_with_the_reason():
    results = run(partial(Loky, slots=2), die_always, None, range(4))
    assert [each.value for each in results] == [0, None, 2, 3]
    assert "died 2 times" in results[1].failure


posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@posix
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "not-yet-noticed"])
@pytest.mark.parametrize("killed", [1, 2])
def test_workers_that_die_while_they_are_idle_are_replaced(tmp_path, noticed, killed):
    executor = Loky(tell_who, tmp_path, 2)
    try:
        for first in (0, 2, 4):
            pids = kill_idle(executor, tmp_path, killed, noticed=noticed) if first else []
            assert sorted(run_two(executor, first)) == [(first, None), (first + 1, None)]
            assert not any(is_running(pid) for pid in pids)
    finally:
        executor.close()


def run_two(executor, first):
    """Run two blocks; gives their keys and why they failed."""
    executor.submit(first, 0)
    executor.submit(first + 1, 0)
    return [(done.key, done.failure) for done in (executor.next_done(), executor.next_done())]


def kill_idle(executor, folder, count, *, noticed):
    """Kill some workers that have told their numbers; wait until the pool has seen it, or do not."""
    pids = [pid for each in folder.iterdir() if is_running(pid := int(each.name))][:count]
    assert len(pids) == count
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if noticed:
        wait_until(lambda: sum(each._executor._flags.broken is not None for each in executor._idle) == count)
    return pids


@posix
def test_a_death_while_idle_is_no_attempt_of_the_block_that_comes_next(tmp_path):
    executor = Loky(die_once_knowingly, tmp_path, 1)
    try:
        executor.submit(0, 0)
        assert executor.next_done().value == 0
        kill_idle(executor, tmp_path, 1, noticed=True)
        executor.submit(1, 2)  # kills its first worker itself, and may be tried again
        assert executor.next_done().value == 2
    finally:
        executor.close()


@posix
@pytest.mark.parametrize("killed", [1, 2])
def test_a_pool_with_dead_workers_can_be_closed(tmp_path, killed):
    executor = Loky(tell_who, tmp_path, 2)
    run_two(executor, 0)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    kill_idle(executor, tmp_path, killed, noticed=True)
    executor.close()
    assert not any(is_running(int(each.name)) for each in tmp_path.iterdir())


@pytest.mark.parametrize(("times", "failure"), [(1, None), (2, "its worker process died 2 times")])
def test_a_worker_that_dies_before_it_has_taken_a_large_table_is_replaced(tmp_path, times, failure):
    """A pipe holds less than such a table: what goes through one when its reader is dead waits for ever."""
    shared = (DiesWhenUnpacked(tmp_path, times), bytes(10**6))
    (done,) = run(partial(Loky, slots=1), size_of, shared, [0])
    assert len(list(tmp_path.iterdir())) == times
    assert (done.value, (done.failure or "")[:31] or None) == (None if failure else 10**6, failure)


def test_workers_have_one_blas_thread():
    (done,) = run(partial(Loky, slots=1), threads_of_blas, None, [0])
    assert set(done.value) == {1}


def test_two_slots_work_at_the_same_time(tmp_path):
    results = run(partial(Loky, slots=2), wait_for_the_other, Path(tmp_path), [0, 1])
    assert len({each.value for each in results}) == 2


def test_one_slot_starts_no_process():
    assert isinstance(workers.start(square, 0, 1), Serial)


def test_next_done_gives_up_after_its_timeout():
    executor = Loky(time_out, None, 1)
    try:
        executor.submit(0, None)
        assert executor.next_done(timeout=0.05) is None
    finally:
        executor.close()


def test_workers_are_started_only_where_they_have_something_to_do(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 4)
    assert [workers.workers_worth(seconds) for seconds in (0.0, 2.0, 7.9, 8.0, 12.5, 1000.0)] == [1, 1, 1, 2, 3, 4]


def is_running(pid):
    """Tell whether a process lives; one that is dead and not yet waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@BOTH
def test_a_block_that_notices_the_end_of_its_time_ends_alone(make, monkeypatch):
    monkeypatch.setattr(workers, "GRACE", math.inf)  # the start of a worker counts, and may take long
    results = run(make, heed_the_time, None, range(4), Limit(seconds=0.1))
    assert results == [Done(0, overdue=True), Done(1, 1), Done(2, 2), Done(3, 3)]


class Clock:
    """Goes on when it is told to."""

    now = 100.0

    def monotonic(self):
        return self.now


def test_how_long_a_block_took_is_told(monkeypatch):
    clock = Clock()
    for module in (contract, workers):
        monkeypatch.setattr(module, "time", clock)

    def take(shared, payload):
        clock.now += shared * payload

    assert [each.seconds for each in completed(Serial(take, 2.0), [1.5, 4.0])] == [3.0, 8.0]


def test_without_a_limit_time_is_never_up():
    assert not time_is_up()
    assert run(Serial, heed_the_time, None, [1]) == [Done(0, 1)]
    assert Limit().left() == math.inf
    assert Limit(seconds=5.0, until=time.monotonic() - 1.0).left() < 0


def test_a_worker_that_notices_nothing_is_killed_and_replaced_alone(tmp_path, monkeypatch):
    """Time goes on when the block hangs, and not before."""
    clock = Clock()
    monkeypatch.setattr(clock, "monotonic", lambda: 200.0 if any(tmp_path.iterdir()) else 100.0)
    for module in (contract, workers):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(workers, "GRACE", 0.0)
    executor = Loky(hang_on_zero, tmp_path, 1)
    try:
        executor.submit(0, 0, Limit(seconds=0.1))
        executor.submit(2, 2)
        assert executor.next_done() == Done(0, overdue=True)
        assert executor.next_done()[:2] == (2, 2)
    finally:
        executor.close()
    (pid,) = (int(each.name) for each in tmp_path.iterdir())
    wait_until(lambda: not is_running(pid))


def test_at_the_end_of_all_time_nobody_waits_for_what_still_runs(tmp_path):
    assert run(partial(Loky, slots=1), hang_on_zero, tmp_path, range(3), Limit(until=time.monotonic() + 0.2)) == []


def test_payloads_may_come_back_in_pieces():
    class Pieces:
        def __init__(self):
            self.waiting = [3, 1]

        def __iter__(self):
            return self

        def __next__(self):
            if not self.waiting:
                raise StopIteration
            return self.waiting.pop(0)

    pieces, executor, results = Pieces(), Serial(fail_on_three, 0), []
    for done in completed(executor, pieces):
        results.append(done)
        if done.failure and len(results) < 3:
            pieces.waiting += [2, 4]
    assert [(each.key, each.value) for each in results] == [(0, None), (1, 1), (2, 4), (3, 16)]


@posix
def test_workers_end_when_their_parent_was_killed(tmp_path):
    code = f"""
        from pathlib import Path
        from worker_functions import tell_who
        from lrtune.engines.local import Loky
        executor = Loky(tell_who, Path({str(tmp_path)!r}), 2)
        executor.submit(0, 1)
        executor.submit(1, 2)
        executor.next_done()
    """
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=here)
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    pids = [int(each.name) for each in tmp_path.iterdir()]
    wait_until(lambda: not any(is_running(pid) for pid in pids))
