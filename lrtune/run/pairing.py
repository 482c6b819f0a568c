"""Whether scores of two runs are of the same rows in the same folds, so that they may be compared fold by fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.run.names import OBSERVED
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from lrtune.run.bodies import Header
    from lrtune.run.folder import Run


def why_not_paired(one: Run, other: Run) -> str | None:
    """Say why the folds of two runs are not the same; None if they are.

    Folds are the same if their rows are, and the table is. A table of which other columns are used, or used in another
    way, is another one for training; its rows are still the same ones if the targets of all kept rows are.
    """
    mine, theirs = one.study.header, other.study.header
    if mine.metric != theirs.metric:
        return f"their metrics differ ({mine.metric} and {theirs.metric})"
    if not mine.folds or mine.folds != theirs.folds:
        return f"their folds differ{_in_what(mine, theirs)}"
    if mine.data != theirs.data and not _same_targets(one, other):
        return "their data differ"
    return None


def _in_what(mine: Header, theirs: Header) -> str:
    """Name the settings from which other folds follow."""
    settings = [each.asked.get("search", {}) for each in (mine, theirs)]
    found = [
        f"{key} {settings[0].get(key)} and {settings[1].get(key)}"
        for key in ("folds", "repeats", "splitter", "seed")
        if settings[0].get(key) != settings[1].get(key)
    ]
    rows = [each.rows and each.rows.train for each in (mine, theirs)]
    if rows[0] != rows[1]:
        found.append(f"{rows[0]} and {rows[1]} rows")
    return f" ({', '.join(found)})" if found else ""


def _same_targets(one: Run, other: Run) -> bool:
    import numpy as np

    from lrtune.run import observed

    try:
        mine, theirs = (observed.read(each.folder / OBSERVED) for each in (one, other))
    except StudyError:  # a run without that file cannot show that its rows are the same
        return False
    pairs = ((mine.targets, theirs.targets), (mine.folds, theirs.folds), (mine.sizes, theirs.sizes))
    return all(np.array_equal(first, second) for first, second in pairs)
