"""How the chosen trial stands beside what was not tuned, all on the same folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lrtune.run.bodies import AnchorScores
from lrtune.space.trial import DEFAULT, Trial
from lrtune.verdict.comparison import difference
from lrtune.verdict.result import Anchor
from lrtune.verdict.standing import means_beside, own_sign

NAIVE = ("majority", "mean")
"""Anchors that look at no column."""


def anchors(
    known: Mapping[str, AnchorScores],
    best: Trial,
    default: Trial,
    metric: str,
    rows_ratio: float | None = None,
) -> tuple[Anchor, ...]:
    """Compare the chosen trial with every anchor, and with the default configuration.

    Parameters
    ----------
    known
        The anchors by name, oriented.
    best, default
        Trials.
    metric
        What they are scored with.
    rows_ratio
        Validation rows over training rows of a fold.

    """
    there = {name: known[name] for name in sorted(known, key=_place)}
    if best.number != DEFAULT and default.mean is not None:
        there["default"] = AnchorScores(default.fold_scores, default.beside)
    return tuple(
        Anchor(
            name=name,
            mean=own_sign(metric, _mean(each.scores)),
            fold_scores=tuple(own_sign(metric, score) for score in each.scores),
            beside=means_beside(each.beside),
            gain=difference(best.fold_scores, each.scores, rows_ratio),
        )
        for name, each in there.items()
    )


def _place(name: str) -> tuple[bool, str]:
    """Put what looks at no column first."""
    return name not in NAIVE, name


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [each for each in scores if each is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(scores) else None
