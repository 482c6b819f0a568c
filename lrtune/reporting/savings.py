"""What pruning has saved, in one line of the page."""

from __future__ import annotations

from lrtune.text import formats
from lrtune.verdict.result import Savings


def savings_row(found: Savings | None) -> list[tuple[str, str]]:
    """Say it, if there is something to say."""
    if found is None:
        return []
    ended = f"{found.kind}: {formats.plural(found.pruned, 'trial')} ended early"
    if found.first:
        ended += f" (trial {found.first.number} {found.first.reason})"
    if found.saved <= 0:
        return [("pruning", f"{ended}, which saved nothing")]
    share = f"about {found.saved:.0%} of the training".replace("%", " %")
    return [("pruning", f"{ended}, which saved {share}, {formats.duration(found.seconds)}")]
