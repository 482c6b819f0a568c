"""What nested cross-validation says, in one line of the page."""

from __future__ import annotations

from collections.abc import Callable

from lrtune.verdict.result import Nested


def rows(found: Nested | None, scores: Callable[[float | None], str]) -> list[tuple[str, str]]:
    """Say it, if it was asked."""
    if found is None:
        return []
    if found.mean is None or found.optimism is None:
        return [("nested", "no score: predictions of an outer fold's model are beyond all numbers")]
    side = "too good" if found.optimism >= 0 else "too bad"
    folds = len(found.folds)
    on = f"on {folds} outer folds" if folds == found.of else f"on {folds} of {found.of} outer folds"
    words = f"{scores(found.mean)} ± {scores(found.std)} for the whole search, {on}"
    words += f"; inside, scores were {scores(abs(found.optimism))} {side}"
    return [("nested", words)]
