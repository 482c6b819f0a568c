"""How long tests wait for what must come: so long that only a defect comes later, however busy the machine is."""

import time

PATIENCE = 900
"""Seconds, for everything that is waited for; no test that passes depends on them."""


def wait_until(condition):
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)
