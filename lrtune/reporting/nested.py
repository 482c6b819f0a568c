"""What a second opinion says, in a line of the page each: fresh splits (``search.confirm``), and an outer loop."""

from __future__ import annotations

from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.result import Nested, Result


def confirmation_rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """Say what fresh splits and seeds made of the first trials, if they were asked."""
    found = result.confirmation
    if found is None:
        return []
    rows = {each.number: each for each in found.trials}
    own = rows.get(result.best.number)
    if own is None or own.confirmed is None:
        return [("confirmed", "no: on fresh splits and seeds every one of the first trials diverged")]
    words = f"{scores(own.confirmed)} on fresh splits, the best of {formats.plural(len(rows), 'trial')} there"
    if found.optimism is not None:
        words += f"; their scores were {too(found.optimism, scores)}"
    return [("confirmed", words)]


def rows(found: Nested | None, scores: Show) -> list[tuple[str, str]]:
    """Say it, if it was asked."""
    if found is None:
        return []
    if found.mean is None or found.optimism is None:
        return [("nested", "no score: predictions of an outer fold's model are beyond all numbers")]
    folds = len(found.folds)
    on = f"on {folds} outer folds" if folds == found.of else f"on {folds} of {found.of} outer folds"
    words = f"{scores(found.mean)} ± {scores(found.std)} for the whole search{_sizes(found)}, {on}"
    return [("nested", f"{words}; inside, scores were {too(found.optimism, scores)}")]


def _sizes(found: Nested) -> str:
    """Say on how many rows the models were trained; of an older result nobody knows."""
    rows = sorted(each.trained for each in found.folds if each.trained is not None)
    if not rows:
        return ""
    ends = formats.count(rows[0]) if rows[0] == rows[-1] else f"{formats.count(rows[0])} to {formats.count(rows[-1])}"
    return f" by models of {ends} rows"


def too(optimism: float, scores: Show) -> str:
    """Say by how much scores were better than they should have been.

    >>> too(-0.25, str), too(0.0, str)
    ('0.25 too bad', 'the same')
    """
    if formats.is_nothing(optimism):
        return "the same"
    return f"{formats.rough_gap(optimism, scores)} too {'good' if optimism > 0 else 'bad'}"
