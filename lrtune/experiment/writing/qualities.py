"""How much a search without a file does: presets, one entry each."""

from __future__ import annotations

from typing import NamedTuple

from lrtune.text.errors import LrtuneError, nearest


class Extent(NamedTuple):
    """How much is searched.

    Attributes
    ----------
    trials
        Configurations.
    updates
        In each fold's training.
    folds
        The most folds.

    """

    trials: int
    updates: int
    folds: int = 10


class Quality(NamedTuple):
    """A preset.

    Attributes
    ----------
    name
        Of the option.
    summary
        What it does and costs, without a full stop.
    few, many
        How much is searched where there are few rows, and where there are many; the most first. The first that keeps
        within the seconds is taken, else the last.
    seconds
        Of one core that a search is to keep within, and so many more for a thousand rows.
    rows
        From how many on they are many: of classes, and of values, of which each says more.
    members
        Seeds of each trial that is delivered; None: as many as are enough.

    """

    name: str
    summary: str
    few: tuple[Extent, ...]
    many: tuple[Extent, ...]
    seconds: tuple[float, float]
    rows: tuple[int, int] = (1500, 500)
    members: int | None = None

    def budget(self, rows: int) -> float:
        """Say how many seconds of one core a search of a table of so many rows is to keep within."""
        least, more = self.seconds
        return least + more * rows / 1000


GOOD = "good"

_ENTRIES = (
    Quality(
        "fast",
        "fewer configurations, shorter trainings, one seed of each: about half the time of good",
        few=(Extent(20, 800),),
        many=(Extent(12, 800), Extent(12, 800, 3)),
        seconds=(16.0, 2.0),
        members=1,
    ),
    Quality(
        GOOD,
        "what is usual: about a minute of one core for 8,000 rows",
        few=(Extent(50, 800),),
        many=(Extent(24, 1600), Extent(24, 1600, 3), Extent(18, 1600, 3)),
        seconds=(30.0, 5.5),
    ),
    Quality(
        "best",
        "more configurations or folds, where there is time: up to about half as long again as good",
        few=(Extent(80, 800), Extent(50, 800)),
        many=(Extent(36, 1600), Extent(24, 1600), Extent(24, 1600, 3), Extent(18, 1600, 3)),
        seconds=(30.0, 8.0),
    ),
)

QUALITIES: dict[str, Quality] = {entry.name: entry for entry in _ENTRIES}


def quality(name: str | None) -> Quality:
    """Find a preset by its name; None: the usual one.

    Raises
    ------
    LrtuneError
        If there is none of this name.

    """
    if name is None:
        return QUALITIES[GOOD]
    if name not in QUALITIES:
        raise LrtuneError(f"quality: unknown value '{name}'; {nearest(name, QUALITIES)}")
    return QUALITIES[name]
