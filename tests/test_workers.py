from functools import partial
from pathlib import Path

import pytest
from worker_functions import (
    die_always,
    die_once,
    fail_on_three,
    square,
    threads_of_blas,
    time_out,
    wait_for_the_other,
)

from lrtune import workers
from lrtune.workers import Done, Loky, Serial, completed, executor_for


def run(make, function, shared, payloads):
    executor = make(function, shared)
    try:
        return sorted(completed(executor, payloads))
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


def test_workers_have_one_blas_thread():
    (done,) = run(partial(Loky, slots=1), threads_of_blas, None, [0])
    assert set(done.value) == {1}


def test_two_slots_work_at_the_same_time(tmp_path):
    results = run(partial(Loky, slots=2), wait_for_the_other, Path(tmp_path), [0, 1])
    assert len({each.value for each in results}) == 2


def test_one_slot_starts_no_process():
    assert isinstance(executor_for(square, 0, 1), Serial)


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
