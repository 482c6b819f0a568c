"""What warm-up is worth: the winner with it and without it, and the highest rates at which either trains stably."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lrtune.run.bodies import AnchorScores, WarmupPair
from lrtune.space.trial import Trial, Value, mean_of
from lrtune.training.declarations import number
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.controlled import compared
from lrtune.verdict.result import WarmupControl

KEPT = 0.9
"""At a stable rate at least this share is left of the winner's lead over the shares of the classes, or the mean."""


def warmup_control(
    found: WarmupPair | None,
    winner: Trial,
    warmup: Value,
    anchors: Mapping[str, AnchorScores],
    metric: str,
) -> WarmupControl | None:
    """Compare a winner with itself with or without warm-up; None where they were not trained.

    Parameters
    ----------
    found
        What was recorded of both.
    winner, warmup
        The trial, and the share of the horizon that it warms up for.
    anchors
        What was not tuned, oriented, by name.
    metric
        What all are scored with.

    """
    if found is None:
        return None
    own = number(warmup)
    floor = _floor(anchors, winner)
    stable = [stable_up_to(found.rates, each, floor) for each in found.scores] or [None, None]
    with_it, without = stable if own > 0.0 else stable[::-1]
    return WarmupControl(
        warmup=own,
        counterpart=found.warmup,
        steeper=found.rates,
        stable_with=with_it,
        stable_without=without,
        **compared(found.pair, winner, metric, is_turned=own == 0.0),
    )


def stable_up_to(rates: Sequence[float], scores: Sequence[Sequence[float | None]], floor: float | None) -> float | None:
    """Find the highest rate up to which no fold diverges and the mean is better than a floor.

    >>> stable_up_to([1.0, 2.0, 4.0], [[0.9, 0.8], [0.9, None], [0.9, 0.9]], 0.5)
    1.0
    """
    highest = None
    for rate, each in zip(rates, scores, strict=True):
        mean = mean_of(each)
        if None in each or mean is None or (floor is not None and mean <= floor):
            break
        highest = rate
    return highest


def _floor(anchors: Mapping[str, AnchorScores], winner: Trial) -> float | None:
    """Take the score below which a rate is not stable; None where what looks at no feature has no score."""
    known = [mean_of(each.scores) for name, each in anchors.items() if ANCHORS[name].asked == "constant"]
    if not known or known[0] is None or winner.mean is None:
        return None
    return KEPT * winner.mean + (1.0 - KEPT) * known[0]
