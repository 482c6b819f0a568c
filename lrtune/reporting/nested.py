"""What nested cross-validation says, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lrtune.reporting import tables


def entry(summary: Mapping[str, Any] | None, metric: str) -> dict[str, Any] | None:
    """Write a summary (`lrtune.tuning.nested.summary`) down for ``result.json``, in the metric's own sign.

    ``mean`` and ``std`` of the scores of the outer folds; ``optimism``, positive where the searches' own means are too
    good; ``of``: how many outer folds were made; ``folds``: of each that has a score its ``score``, its ``rows``, the
    ``trial`` that its search chose and that trial's mean in the search, ``inner``.
    """
    if summary is None:
        return None
    folds = [
        {**each, "score": tables.own_sign(metric, each["score"]), "inner": tables.own_sign(metric, each["inner"])}
        for each in summary["folds"]
    ]
    return {**summary, "mean": tables.own_sign(metric, summary["mean"]), "folds": folds}


def rows(result: Mapping[str, Any], scores: Callable[[float | None], str]) -> list[tuple[str, str]]:
    """Say it in a line for the page of a search, if it was asked."""
    found = result.get("nested")
    if not found:
        return []
    if found["mean"] is None:
        return [("nested", "no score: predictions of an outer fold's model are beyond all numbers")]
    side = "too good" if found["optimism"] >= 0 else "too bad"
    folds = len(found["folds"])
    made = found.get("of", folds)
    on = f"on {folds} outer folds" if folds == made else f"on {folds} of {made} outer folds"
    words = f"{scores(found['mean'])} ± {scores(found['std'])} for the whole search, {on}"
    words += f"; inside, scores were {scores(abs(found['optimism']))} {side}"
    return [("nested", words)]
