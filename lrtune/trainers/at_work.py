"""How far a block is, told while it trains: a small file that whoever looks at the run may read.

Nothing depends on it: where it cannot be written, nobody is told.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from lrtune.trainers.contract import Setting, Work

SECONDS = 0.3
"""Between two words."""


class Teller:
    """Tells how much of a block is done.

    Parameters
    ----------
    path
        Of the file; None: nobody wants to know.
    trials
        How many trials' worth of training the block is.

    """

    def __init__(self, path: Path | None, trials: float) -> None:
        self._path = path
        self._trials = trials
        self._share = 0.0
        self._told_at = time.monotonic()

    def step(self, share: float) -> None:
        """Note that a share of the block is done beside what was."""
        self._share = min(1.0, self._share + share)
        now = time.monotonic()
        if self._path is not None and now - self._told_at >= SECONDS:
            self._told_at = now
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(exist_ok=True)
                self._path.write_text(f"{self._trials * self._share:.4f}\n", encoding="utf-8")

    def end(self) -> None:
        """Leave the rest to the events of the block."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def telling(setting: Setting, work: Work) -> Iterator[Teller]:
    """Tell of a block as long as it trains, where the setting says to whom."""
    folds = len(setting.folds[work.first : work.end])
    trials = len(work.configurations) * folds / len(setting.folds)
    name = str(next(iter(work.numbers), ""))
    teller = Teller(Path(setting.at_work) / name if setting.at_work and name else None, trials)
    try:
        yield teller
    finally:
        teller.end()
