"""What time allows: how long blocks may take, whether another one may start, and what retraining will need.

Estimates come from the cost model (`lrtune.training.costs`) and are corrected by what the blocks of this session took.
They decide when a search ends, never what comes out of a configuration.
"""

from __future__ import annotations

import math
import time
from collections import deque

from lrtune.engines.contract import Limit

BLOCK_SECONDS = 30.0
"""What a kill may cost: a block is cut so that it is expected to take no longer."""

UNKNOWN = 3.0
"""How much slower than estimated a machine is taken for before it has been seen at work."""

MARGIN = 1.5
"""How much longer than usual a block may take before a promise is broken."""

SHARE, BLOCK_SHARE = 1 / 8, 1 / 4
"""The most of the time left, and of a block's limit, that a block is expected to take."""

ENDING = 0.4
"""Seconds for the rest: starting the program, and writing files at the end."""

LAST_SECONDS = 5.0
"""The last training may take as long in any case."""

_REMEMBERED = 16


class Pace:
    """The time that a session has.

    Parameters
    ----------
    seconds
        For all that is left to do, retraining included; infinite without a limit.
    block_seconds
        For each block.

    """

    def __init__(self, seconds: float = math.inf, block_seconds: float = math.inf) -> None:
        self.end = time.monotonic() + seconds
        self.block_seconds = block_seconds
        self._retraining: tuple[float, float] | None = None
        self._seen: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)

    @property
    def ratio(self) -> float:
        """How much longer blocks take than estimated."""
        expected = sum(each for each, _ in self._seen)
        return sum(each for _, each in self._seen) / expected if expected else UNKNOWN

    def first(self, share: float) -> Pace:
        """Give a share of the time to what is trained first, with nothing known of the machine; both learn its pace."""
        pace = Pace(share * (self.end - time.monotonic() - ENDING), self.block_seconds)
        pace._seen = self._seen
        return pace

    def saw(self, expected: float, seconds: float) -> None:
        """Learn from a block that was expected to take so long, and did."""
        self._seen.append((expected, seconds))

    def reserve(self, expected: float, overhead: float, optional: float = 0.0) -> None:
        """Keep time for a retraining that is expected to take so long by the cost model, and the rest of it.

        What is optional, by the cost model as well, breaks no promise where it is left out: it gets no margin.
        """
        self._retraining = (MARGIN * expected + optional, MARGIN * overhead)

    @property
    def reserved(self) -> float:
        """Seconds that are kept."""
        if self._retraining is None:
            return 0.0
        expected, overhead = self._retraining
        return self.ratio * expected + overhead + ENDING

    @property
    def left_for_the_model(self) -> float:
        """Seconds after which the last training is stopped; a search that is late gives it what was kept for it."""
        return max(self.end - time.monotonic(), self.reserved, LAST_SECONDS)

    @property
    def until(self) -> float:
        """When training for the search must be over, in `time.monotonic`."""
        return self.end - self.reserved

    @property
    def is_over(self) -> bool:
        """Whether that is now."""
        return time.monotonic() >= self.until

    def allows(self, expected: float) -> bool:
        """Tell whether a block that is expected to take so long would end in time."""
        return time.monotonic() + MARGIN * self.ratio * expected < self.until

    def allows_seconds(self, seconds: float) -> bool:
        """Tell whether something that took so long the last time would end in time."""
        return time.monotonic() + MARGIN * seconds < self.until

    def limit(self) -> Limit:
        """Say when blocks are to be stopped."""
        return Limit(self.block_seconds, self.until)

    def largest_block(self, rest: float = 0.0) -> float:
        """Say how long a block may be expected to take by the cost model, if later stages take `rest` times that."""
        left = max(0.0, self.until - time.monotonic()) / (1.0 + rest)
        return min(BLOCK_SECONDS, min(SHARE * left, BLOCK_SHARE * self.block_seconds) / self.ratio)

    def too_long(self) -> str:
        """Give the reason why a block was stopped that took longer than each may."""
        return f"its block took longer than search.block_timeout ({self.block_seconds:g} s)"
