"""What decay is worth: the paired difference of a winner and its counterpart, from folds that chose neither.

The mean is that of the folds of the fresh split alone. Its error comes from all folds that both were trained on, those
of the search included: the difference on one fold varies with its validation rows and with the luck of two trainings,
and it varies as much on a fold of the search as on a fresh one. So a few fresh folds suffice::

    s^2      = the pooled variance of the differences within the search's folds and within the fresh ones
    interval = mean +- t(0.95, K + f - 2) * s / sqrt(f)        K folds of the search, f fresh ones; 90 %
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypedDict

from lrtune.run.bodies import ControlledPair
from lrtune.space.trial import Trial, mean_of
from lrtune.text.formats import is_nothing
from lrtune.verdict.result import Control, TriedRate
from lrtune.verdict.standing import own_sign
from lrtune.verdict.student import quantile

CONSTANT, LINEAR = "constant", "linear"
"""The decay that every other one has to beat, and the one that a constant rate has to beat."""

LEVEL = 0.9


def control(pair: ControlledPair | None, winner: Trial, decay: str, metric: str) -> Control | None:
    """Compare a winner with its counterpart; None where they were not trained.

    Parameters
    ----------
    pair
        What was recorded of both.
    winner
        The trial.
    decay
        Of the winner.
    metric
        What both are scored with.

    """
    if pair is None:
        return None
    return Control(
        decay=pair.decay if decay == CONSTANT else decay,
        counterpart=pair.decay,
        **compared(pair, winner, metric, is_turned=decay == CONSTANT),
    )


class PairKeys(TypedDict):
    """What is said of every pair, whatever the two differ in: see `lrtune.verdict.result.Control`."""

    number: int
    learning_rate: float
    rates: tuple[TriedRate, ...]
    fresh: bool
    fold_scores: tuple[float | None, ...]
    counterpart_scores: tuple[float | None, ...]
    gain: float | None
    error: float | None
    low: float | None
    high: float | None


def compared(pair: ControlledPair, winner: Trial, metric: str, *, is_turned: bool) -> PairKeys:
    """Compare both of a pair; turned, the gain is that of the counterpart over the winner."""
    mean, error, low, high = _gained(pair, winner, is_turned=is_turned)
    return {
        "number": winner.number,
        "learning_rate": pair.rates[pair.chosen],
        "rates": _tried_rates(pair, metric),
        "fresh": pair.fresh,
        "fold_scores": tuple(own_sign(metric, each) for each in pair.winner),
        "counterpart_scores": tuple(own_sign(metric, each) for each in pair.other),
        "gain": mean,
        "error": error,
        "low": low,
        "high": high,
    }


def _tried_rates(pair: ControlledPair, metric: str) -> tuple[TriedRate, ...]:
    """List the rates of the counterpart, with their means on the folds of the search."""
    means = [mean_of(each) for each in pair.scores]
    return tuple(TriedRate(rate, own_sign(metric, each)) for rate, each in zip(pair.rates, means, strict=True))


PairGain: TypeAlias = tuple[float | None, float | None, float | None, float | None]
"""Mean of the paired differences, its standard error, and the ends of its interval."""


def _gained(pair: ControlledPair, winner: Trial, *, is_turned: bool) -> PairGain:
    """Say what the winner gains over its counterpart, or turned, the counterpart over the winner."""
    turn = -1.0 if is_turned else 1.0
    inside = _differences(winner.fold_scores, pair.scores[pair.chosen], turn)
    fresh = _differences(pair.winner, pair.other, turn)
    return _gain(inside, fresh) if fresh is not None and len(fresh) == len(pair.winner) else (None, None, None, None)


def _differences(winner: Sequence[float | None], other: Sequence[float | None], turn: float) -> list[float] | None:
    """Subtract fold by fold; None unless both have a score on each."""
    pairs = list(zip(winner, other, strict=False))
    if len(winner) != len(other):
        return None
    found = [turn * (one - two) for one, two in pairs if one is not None and two is not None]
    return found if len(found) == len(pairs) else None


def _gain(
    inside: Sequence[float] | None, fresh: Sequence[float]
) -> tuple[float, float | None, float | None, float | None]:
    """Give mean, standard error and the ends of the interval."""
    groups = [each for each in (inside, fresh) if each]
    mean, freedom = math.fsum(fresh) / len(fresh), sum(len(each) - 1 for each in groups)
    if freedom < 1:
        return mean, None, None, None
    if all(is_nothing(max(each) - min(each)) for each in groups):
        return mean, None, None, None  # as if both predict the same: nothing says how sure that is
    variance = math.fsum(_squares(each) for each in groups) / freedom
    error = math.sqrt(variance / len(fresh))
    half = quantile(0.5 + LEVEL / 2, freedom) * error
    return mean, error, mean - half, mean + half


def _squares(values: Iterable[float]) -> float:
    values = list(values)
    mean = math.fsum(values) / len(values)
    return math.fsum((each - mean) ** 2 for each in values)
