"""Sixty nights, a thousand times: false alarms, regressions found, and promotions, by the rules of `lrtune.nights`.

No table is read and nothing is trained: a night is a true level of the champion, and a score that errs around it by one
standard error, part of which is the luck of training; the rules see what rows and folds say of that. Beside them stands
what people write by hand: tonight's score against last night's with a threshold, at the same rate of false alarms, and
a promotion wherever tonight's best has the better mean.

Events are of the kinds that nights have: a regression that stays, a slow one, a burst of label noise that passes,
nights on which the table did not change, a change of the columns, after which the champion cannot be tried and another
one is elected, and champions that an equal one replaces where luck has it. Sizes are in standard errors of a night's
drift.

    python benchmarks/nightly.py [--worlds 1000]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lrtune.nights.control import WINDOW, NightDrift, chart, links
from lrtune.nights.drift import NightEstimate, change
from lrtune.nights.luck import Luck, pooled
from lrtune.nights.promotion import is_promoted
from lrtune.verdict.comparison import t_quantile

NIGHTS, EVENT = 60, 30
"""Nights of a world, and the one in which something happens."""

ERROR = 0.01
"""Standard error of a night's score."""

DRIFT = math.sqrt(2.0) * ERROR
"""Standard error of a night's drift, between nights that have no row in common."""

SAID = 0.15
"""By how much the error that a night's rows say is off: the standard deviation of its logarithm."""

RATIOS, FREEDOM = (1.0, 2.0, 4.0), 2
"""Variance of a score over what its rows say of it, which a world has one of; what three folds tell of it."""

DEAD, CHANGED = 0.05, 0.02
"""Shares of nights without new data, and with other columns than the night before."""

CANDIDATES, APART = 30, 0.5
"""Configurations that a night tries, and the error of a gain over the champion (same folds) beside that of a score."""


class Night(NamedTuple):
    """A night: what the champion scored, and its drift since the night before, or since it was elected."""

    score: float
    drift: NightDrift


def nights(rng: np.random.Generator, level: Callable[[int], float], *, eventful: bool) -> list[Night]:
    """Live through a world; ``level`` is the champion's true score by night."""
    found: list[Night] = []
    before: NightEstimate | None = None
    lucks: list[Luck] = []
    ratio, elected = float(rng.choice(RATIOS)), False
    by_rows, by_luck = ERROR / math.sqrt(ratio), ERROR * math.sqrt(1.0 - 1.0 / ratio)
    for night in range(NIGHTS):
        if eventful and night and rng.random() < DEAD:
            found.append(Night(found[-1].score, NightDrift(night, None, repeats=True)))
            continue
        base, lucky = level(night) + rng.normal(0.0, by_rows), rng.normal(0.0, by_luck)
        now = NightEstimate(base + lucky, by_rows * math.exp(rng.normal(0.0, SAID)))
        if before is None or (eventful and rng.random() < CHANGED):  # another one is elected, on rows of its own
            found.append(Night(now.score, NightDrift(night, None)))
            before, elected = NightEstimate(level(night) + rng.normal(0.0, ERROR), now.error), True
            continue
        lucks.append(Luck(ratio * rng.chisquare(FREEDOM) / FREEDOM, FREEDOM))
        luck = pooled(lucks[-WINDOW:])
        drift = change(now, before, ratio=luck.ratio, width=t_quantile(luck.freedom))
        rival = rng.normal(0.0, by_luck)  # of one that is just as good, on the same rows
        promoted = eventful and rival - lucky > 2.0 * math.sqrt(2.0) * by_luck > 0.0
        told = NightDrift(night, drift.mean, drift.high, drift.error, promoted=promoted, compared=elected)
        found.append(Night(now.score, told))
        before, elected = now._replace(score=base + rival) if promoted else now, promoted
    return found


def by_chart(world: Sequence[Night]) -> np.ndarray:
    """Say on which nights the chart is out of control."""
    found = chart(links([night.drift for night in world]))
    return np.array([each is not None and each.is_out for each in found])


def by_hand(world: Sequence[Night], threshold: float) -> np.ndarray:
    """Say on which nights the score is under last night's by more than a threshold."""
    scores = np.array([night.score for night in world])
    return np.concatenate([[False], np.diff(scores) < -threshold])


def equal_threshold(worlds: Sequence[Sequence[Night]], rate: float) -> float:
    """Find the threshold at which the rule by hand has a rate of false alarms."""
    steps = np.concatenate([np.diff([night.score for night in world]) for world in worlds])
    return float(-np.quantile(steps, rate))


def found(alarms: Sequence[np.ndarray], within: int) -> float:
    """Give the share of worlds with an alarm in the first nights after the event."""
    return float(np.mean([each[EVENT : EVENT + within].any() for each in alarms]))


BURST = "3 errors for 2 nights, within 2"

EVENTS: dict[str, tuple[Callable[[int], float], int]] = {
    "3 errors, within 3 nights": (lambda night: -3.0 * DRIFT * (night >= EVENT), 3),
    "2 errors, within 5 nights": (lambda night: -2.0 * DRIFT * (night >= EVENT), 5),
    "1 error, within 10 nights": (lambda night: -DRIFT * (night >= EVENT), 10),
    "0.3 errors a night, within 10": (lambda night: -0.3 * DRIFT * max(0, night - EVENT + 1), 10),
    BURST: (lambda night: -3.0 * DRIFT * (EVENT <= night < EVENT + 2), 2),
}


def found_at(alarms: Sequence[np.ndarray]) -> float:
    """Give the share of alarms on the five nights after a burst, when all is as before."""
    return float(np.mean([each[EVENT + 2 : EVENT + 7].mean() for each in alarms]))


def drifts(rng: np.random.Generator, count: int) -> None:
    """Print what is found, and at what price."""
    for eventful in (False, True):
        quiet = [nights(rng, lambda _night: 0.0, eventful=eventful) for _ in range(count)]
        alarms = [by_chart(world) for world in quiet]
        rate = float(np.mean([each[1:].mean() for each in alarms]))
        threshold = equal_threshold(quiet, rate)
        title = "with dead nights, other columns and other champions" if eventful else "steady nights"
        print(f"\n{title}: false alarms on {100 * rate:.1f} % of the nights, by both rules")
        print(f"  {'found':34} {'chart':>7} {'by hand':>8}")
        burst, _ = EVENTS[BURST]
        worlds = [nights(rng, burst, eventful=eventful) for _ in range(count)]
        echoes = [found_at([by_chart(w) for w in worlds]), found_at([by_hand(w, threshold) for w in worlds])]
        print(f"  {'false, in 5 nights after a burst':34} {100 * echoes[0]:6.1f}% {100 * echoes[1]:7.1f}%")
        for name, (level, within) in EVENTS.items():
            worlds = [nights(rng, level, eventful=eventful) for _ in range(count)]
            ours = found([by_chart(world) for world in worlds], within)
            theirs = found([by_hand(world, threshold) for world in worlds], within)
            print(f"  {name:34} {100 * ours:6.1f}% {100 * theirs:7.1f}%")


class Promotions(NamedTuple):
    """Wrong promotions by night, what the champion's true score was short of, and how often it changed."""

    wrong: float
    regret: float
    changes: float


def low_end(rng: np.random.Generator, gain: np.ndarray, error: float) -> np.ndarray:
    """Give the lower ends of intervals of gains (n,): what rows say of the error, stretched by what folds do."""
    ratios = rng.choice(RATIOS, gain.shape)
    by_rows = error / np.sqrt(ratios) * np.exp(rng.normal(0.0, SAID, gain.shape))
    seen = (error / by_rows) ** 2 * rng.chisquare(FREEDOM, gain.shape) / FREEDOM
    lucks = [pooled([Luck(float(each), FREEDOM)]) for each in seen.ravel()]
    widths = [math.sqrt(each.ratio) * t_quantile(each.freedom) for each in lucks]
    return np.asarray(gain - by_rows * np.reshape(widths, gain.shape))


def promotions(rng: np.random.Generator, spread: float, *, by_mean: bool) -> Promotions:
    """Let a champion meet the best of many, whose true scores lie around its own by ``spread`` errors of a gain."""
    error = APART * ERROR
    wrong, changes, lost, champion = 0, 0, 0.0, 0.0
    for _ in range(NIGHTS):
        true = (
            rng.normal(-spread, spread, CANDIDATES) * error
        )  # around a typical level that is worse than the champion's
        seen = true - champion + rng.normal(0.0, error, CANDIDATES)
        best = int(np.argmax(seen))
        gain = true[best] - champion
        low = low_end(rng, np.array([gain + rng.normal(0.0, error)]), error)[0]  # without the luck of the choice
        promoted = seen[best] > 0.0 if by_mean else is_promoted(low)
        if promoted:
            wrong, changes, champion = wrong + (gain < 0.0), changes + 1, true[best]
        lost += max(0.0, float(true.max()) - champion) / NIGHTS
    return Promotions(wrong / NIGHTS, lost / error, float(changes))


def better(rng: np.random.Generator, count: int, errors: float) -> float:
    """Give the share of configurations better by so many errors of a gain that are promoted within five nights."""
    lows = low_end(rng, errors + rng.normal(size=(count, 5)), 1.0)
    return float(np.mean((lows > 0.0).any(axis=1)))


def contests(rng: np.random.Generator, count: int) -> None:
    """Print how champions change."""
    print(f"\npromotions in {NIGHTS} nights of {CANDIDATES} configurations (errors are of a gain over the champion)")
    print(f"  {'':26} {'wrong, of nights':>17} {'regret, errors':>15} {'champions':>10}")
    for spread in (0.5, 2.0):
        for name, by_mean in (("lower end above 0", False), ("the better mean", True)):
            each = [promotions(rng, spread, by_mean=by_mean) for _ in range(count)]
            wrong, regret, changes = np.mean(each, axis=0)
            print(f"  {f'spread {spread:g}: {name}':26} {100 * wrong:16.1f}% {regret:15.2f} {changes:10.1f}")
    equal = float(np.mean(low_end(rng, rng.normal(size=100 * count), 1.0) > 0.0))
    print(f"  an equal one is promoted on {100 * equal:.1f} % of the nights")
    for errors in (1.0, 2.0, 3.0):
        share = 100 * better(rng, 10 * count, errors)
        print(f"  better by {errors:g}: promoted within five nights in {share:.1f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    asked = parser.parse_args()
    generator = np.random.default_rng(19)
    drifts(generator, asked.worlds)
    contests(generator, max(10, asked.worlds // 5))
