"""What worker processes run in the tests: they import it by name, so it cannot live in a test module."""

import os
import time

from patience import PATIENCE, wait_until

from lrtune.engines.contract import OverdueError, time_is_up
from lrtune.trainers import population as evaluation


def square(shared, payload):
    return shared + payload * payload


def fail_on_three(shared, payload):
    if payload == 3:
        raise ValueError("three")
    return square(shared, payload)


def die_once(marker, payload):
    """Kill the worker at payload 2, the first time only."""
    if payload == 2 and not marker.exists():
        marker.touch()
        os._exit(1)
    return payload


def die_once_knowingly(folder, payload):
    """Leave the worker's number in a folder, and then do as `die_once`."""
    (folder / str(os.getpid())).touch()
    return die_once(folder / "0", payload)


class DiesWhenUnpacked:
    """Kills the process that takes it out of a pickle, so many times."""

    def __init__(self, folder, times):
        self.folder, self.times = folder, times

    def __reduce__(self):
        return unpack_or_die, (self.folder, self.times)


def unpack_or_die(folder, times):
    if len(list(folder.iterdir())) < times:
        (folder / str(os.getpid())).touch()
        os._exit(1)
    return DiesWhenUnpacked(folder, times)


def size_of(shared, payload):
    del payload
    return len(shared[1])


def die_always(shared, payload):
    del shared
    if payload == 1:
        os._exit(1)
    return payload


def threads_of_blas(shared, payload):
    del shared, payload
    import numpy as np
    from threadpoolctl import threadpool_info

    assert np.eye(2).sum() == 2
    return [each["num_threads"] for each in threadpool_info()]


def wait_for_the_other(folder, payload):
    """Succeed only if both payloads are in the hands of workers at the same time."""
    (folder / str(payload)).touch()
    wait_until((folder / str(1 - payload)).exists)
    return os.getpid()


def time_out(shared, payload):
    del shared, payload
    time.sleep(PATIENCE)


def heed_the_time(shared, payload):
    """Work on payload 0 until told to stop; the others end at once."""
    del shared
    while payload == 0:
        if time_is_up():
            raise OverdueError
        time.sleep(0.01)
    return payload


def hang_on_zero(shared, payload):
    """Notice nothing."""
    if payload == 0:
        (shared / str(os.getpid())).touch()
        time.sleep(PATIENCE)
    return payload


def tell_who(shared, payload):
    """Leave the worker's number where another process can see it, and wait to be killed."""
    (shared / str(os.getpid())).touch()
    time.sleep(PATIENCE if payload else 0)


def die_for_small_batches(setting, work):
    """Kill the worker that is to train a configuration with a batch size of 16."""
    if any(each["batch_size"] == 16 for each in work.configurations):
        os._exit(1)
    return evaluation.run_block(setting, work)


def file_and_total(shared, payload):
    return shared.file, payload * shared.sum(dtype=float)
