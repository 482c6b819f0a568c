"""How much a search without a file does: presets, one entry each."""

from __future__ import annotations

from typing import NamedTuple

from lrtune.text.errors import LrtuneError, nearest


class Quality(NamedTuple):
    """A preset.

    Attributes
    ----------
    name
        Of the option.
    summary
        What it does and costs, without a full stop.
    trials, updates
        Configurations, and updates in each fold; where there are few rows, and where there are many.
    many
        Rows from which on they are many: of classes, and of values, of which each says more.
    is_deep
        Whether a second hidden layer is tried even where an embedding is.
    members
        Seeds of each trial that is delivered; None: as many as are enough.

    """

    name: str
    summary: str
    trials: tuple[int, int] = (50, 24)
    updates: tuple[int, int] = (800, 1600)
    many: tuple[int, int] = (1500, 500)
    is_deep: bool = False
    members: int | None = None


GOOD = "good"

_ENTRIES = (
    Quality(
        "fast",
        "fewer configurations and one seed: a quarter to a half of the time of good",
        trials=(20, 16),
        updates=(800, 800),
        members=1,
    ),
    Quality(GOOD, "one to four minutes of one core for 8,000 rows"),
    Quality(
        "best",
        "more and longer trainings, and deeper networks: about three times the time of good, or more",
        trials=(80, 56),
        updates=(1600, 3200),
        many=(500, 300),
        is_deep=True,
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
