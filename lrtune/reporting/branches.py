"""How the decay types and the optimizers that a search tried compare, the best trial of each, as a table.

Each has a rate and further settings of its own, so the table says of how many trials each is the best, and gives
neither verdicts nor errors: see `lrtune.verdict.making.kinds`. What decay alone is worth: `lrtune.verdict.controlled`.
"""

from __future__ import annotations

from collections.abc import Sequence

from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.result import Kind


def header(key: str, metric: str) -> tuple[str, ...]:
    """Head the table of `rows`."""
    return ("trial", metric, "ahead by", "folds won", "best of", key)


def rows(found: Sequence[Kind], most: int | None = None) -> list[tuple[str, ...]]:
    """Tabulate the kinds; of more than ``most`` the first, but always the control."""
    shown = list(found[:most])
    control = next((each for each in found if each.difference is None), None)
    if control is not None and control not in shown:
        shown = [*shown[:-1], control]
    scores = formats.score_format(each.mean for each in shown)
    return [_cells(each, scores) for each in shown]


def _cells(kind: Kind, scores: Show) -> tuple[str, ...]:
    start = (str(kind.number), scores(kind.mean))
    end = (str(kind.trials), kind.name)
    found = kind.difference
    if found is None:
        return (*start, formats.MISSING, formats.MISSING, *end)
    gain = formats.signed(found.mean, scores)
    return (*start, gain, f"{found.wins}/{found.folds}", *end)
