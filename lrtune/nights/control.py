r"""Whether the champion's score has drifted: the last night beside the median of those before it.

The **level** of a night is the sum of all drifts up to it. A drift compares one configuration with itself, so that a
promotion moves no level: they go on across champions, as the links of a chain do. Only that champions change where luck
has it: one loses its place in a night that was bad for it, to another one for which it was good and the next will be
less so. Levels would go down by that with each promotion. So in the night of a promotion, and in the one after it, a
fall counts by so much of it as its 95 % interval is sure of (`NightDrift.counted`).

The last level lies ``z`` standard deviations above the median of the `WINDOW` levels before it::

    z_t = (level_t - median) / (sigma * sqrt(1 + v_n)),     v_n = 1, 1/2, pi / (2 n) for n = 1, 2, more levels

``sigma`` is the standard deviation of a night's level: what the nights' own errors say counts as `KNOWN` nights, the
robust scale of their differences (``1.4826 * median |level_t - level_(t-1)| / sqrt(2)``, which one shift does not move)
the more the more nights there are. Levels of a table that grows wander, since most rows are those of the night before;
so the scale of what lies `APART` nights apart, where it is the larger one, counts in the same way. A night that says
more of itself is taken at its word. A single bad night is a matter of luck or of a gate; what lasts adds up in an
exponentially weighted mean (Roberts 1959, "Control chart tests based on geometric moving averages", Technometrics 1)::

    E_t = WEIGHT * max(min(z_t, FARTHEST), -FARTHEST) + (1 - WEIGHT) * E_(t-1)
    statistic = E_t / sqrt(WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT)^(2 t)))

The night is out of control where the statistic is below ``-LIMIT`` and the night's own distance below ``-OWN``. So that
one night, however bad, is not heard for long on those after it, no distance counts as more than `FARTHEST`, and a night
that is as usual is none to wake anybody for. A burst that has been told is over when the level comes back by more than
`BACK * sigma` in a night: then its nights are struck off the chart, that is, from the median, from what was seen of
``sigma`` and from the mean (``E_(t-1) = 0``). The constants are of ``benchmarks/nightly.py``: where nothing happens it
is out of control on 5 % of the nights. Once a new level has lasted half the window it is the median. Where the champion
could not be compared with itself, the chart begins anew.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WINDOW = 20
WEIGHT = 0.3
LIMIT = 1.4
FARTHEST = 3.0
OWN = 1.0
BACK = 2.5
APART = 5
KNOWN = 8


class Link(NamedTuple):
    """A night's drift, oriented, and its standard error.

    Where the drift is None the chain is broken, as in the first night, or where the champion could not be tried: levels
    before such a night are not compared with those after it. A night that ``repeats`` the table of the one before says
    nothing new.
    """

    drift: float | None
    error: float = 0.0
    repeats: bool = False


class NightDrift(NamedTuple):
    """What the drift of a night is, and between which scores.

    Attributes
    ----------
    night
        Its number.
    drift, high, error
        Oriented, with the upper end of its 95 % interval and its standard error; None where it is not known.
    since
        The night that the drift is counted from; None: the one before.
    repeats
        Whether the table is that of the night before.
    promoted, compared
        Whether the champion loses its place in this night, and whether the score that it is compared with elected it.

    """

    night: int
    drift: float | None
    high: float | None = None
    error: float | None = None
    since: int | None = None
    repeats: bool = False
    promoted: bool = False
    compared: bool = False

    @property
    def counted(self) -> float | None:
        """What the drift counts on the chart.

        >>> [NightDrift(2, -0.5, high, promoted=True).counted for high in (-0.125, 0.25)]
        [-0.125, 0.0]
        """
        if self.drift is None or self.high is None or not (self.promoted or self.compared):
            return self.drift
        return self.drift if self.drift > 0.0 else min(self.high, 0.0)


@dataclass(frozen=True, slots=True)
class ControlVerdict:
    """What the chart says of the last night; levels are positive where it is better.

    Attributes
    ----------
    level
        Sum of the drifts.
    median
        Of the levels before it that are looked at.
    deviation
        Standard deviation of a night's level.
    statistic
        Weighted mean of the last distances, in standard deviations.
    limit
        The level below which this night would have been out of control.
    is_out
        Whether it is.

    """

    level: float
    median: float
    deviation: float
    statistic: float
    limit: float
    is_out: bool


def links(nights: Iterable[NightDrift]) -> list[Link]:
    """Count every drift from the level of the night before, whatever night it was measured from."""
    found, levels, last = [], dict[int, float](), 0.0
    for each in nights:
        step = fallen = each.counted
        if fallen is not None:
            level = (last if each.since is None else levels.get(each.since, last)) + fallen
            step, last = level - last, level
        elif not each.repeats:
            levels, last = {}, 0.0
        levels[each.night] = last
        found.append(Link(step, each.error or 0.0, each.repeats))
    return found


def chart(links: Sequence[Link]) -> list[ControlVerdict | None]:
    """Judge every night by those before it; nothing is said of the first one of a chain.

    >>> steady = [Link(None)] + [Link(sign * 0.01, 0.014) for sign in (1, -1) * 6]
    >>> [each.is_out for each in chart([*steady, Link(-0.06, 0.014)]) if each][-2:]
    [False, True]
    """
    found: list[ControlVerdict | None] = []
    chain: list[Link] = []
    levels: list[float] = []
    state = _NOTHING
    for each in links:
        if each.repeats and chain:
            found.append(found[-1])
            continue
        if each.drift is None:
            chain, levels, state = [each], [0.0], _NOTHING
            found.append(None)
            continue
        chain.append(each)
        level = (levels[-1] if levels else 0.0) + each.drift
        verdict, levels, state = _judged(chain, levels, level, state)
        found.append(verdict)
    return found


class _State(NamedTuple):
    """What a night leaves to the next: the weighted mean of distances, and how many nights in a row were told."""

    mean: float
    told: int


_NOTHING = _State(0.0, 0)


def _judged(
    chain: Sequence[Link], before: Sequence[float], level: float, old: _State
) -> tuple[ControlVerdict | None, list[float], _State]:
    """Judge a level by those before it; gives what the next night is judged by as well."""
    deviation = _deviation(before, chain)
    if not before or deviation <= 0.0:
        return None, [*before, level], old
    back = before[-1] + BACK * deviation if old.told else math.inf
    struck = before[: len(before) - old.told]
    lasting, anew = _Yard.of(before, chain, old.mean), _Yard.of(struck, chain, 0.0)
    limit = anew.limit if anew.limit > back else min(lasting.limit, back)
    yard, kept = (anew, struck) if level > back else (lasting, before)
    distance = min(max((level - yard.median) / yard.spread, -FARTHEST), FARTHEST)
    mean = WEIGHT * distance + (1.0 - WEIGHT) * yard.carried
    is_out = mean / yard.scale < -LIMIT and distance < -OWN
    verdict = ControlVerdict(level, yard.median, yard.deviation, mean / yard.scale, limit, is_out)
    return verdict, [*kept, level], _State(mean, (old.told if yard is lasting else 0) + 1 if is_out else 0)


class _Yard(NamedTuple):
    """What a level is measured by: the median before it, its own deviation and that from the median, and the mean."""

    median: float
    deviation: float
    spread: float
    carried: float
    scale: float

    @classmethod
    def of(cls, before: Sequence[float], chain: Sequence[Link], carried: float) -> _Yard:
        """Take it from the levels before."""
        seen, deviation = before[-WINDOW:], _deviation(before, chain)
        spread = deviation * math.sqrt(1.0 + _variance(len(seen)))
        scale = math.sqrt(WEIGHT / (2.0 - WEIGHT) * (1.0 - (1.0 - WEIGHT) ** (2 * len(before))))
        return cls(statistics.median(seen), deviation, spread, carried, scale)

    @property
    def limit(self) -> float:
        """The level below which the night is out of control."""
        lasting = (-LIMIT * self.scale - (1.0 - WEIGHT) * self.carried) / WEIGHT
        return self.median + self.spread * min(lasting, -OWN)


def _deviation(levels: Sequence[float], links: Sequence[Link]) -> float:
    """Estimate the standard deviation of a night's level, from the errors that are said and from what was seen."""
    errors = [each.error for each in links[-WINDOW:] if each.error > 0.0]
    said = statistics.median(errors) / math.sqrt(2.0) if errors else 0.0
    steps, seen = _scale(levels[-WINDOW - 1 :], 1)
    near = math.sqrt((KNOWN * said**2 + steps * seen**2) / (KNOWN + steps)) if errors else seen
    pairs, far = _scale(levels, APART)
    usual = math.sqrt((KNOWN * near**2 + pairs * max(near, far) ** 2) / (KNOWN + pairs))
    return max(usual, links[-1].error / math.sqrt(2.0))


def _scale(levels: Sequence[float], apart: int) -> tuple[int, float]:
    """Give the robust scale of levels so many nights apart, and of how many pairs it is."""
    steps = [abs(after - before) for before, after in zip(levels, levels[apart:], strict=False)]
    return len(steps), 1.4826 * statistics.median(steps) / math.sqrt(2.0) if steps else 0.0


def _variance(count: int) -> float:
    """Give the variance of the median of so many equal normal numbers, in theirs."""
    return 1.0 / count if count < 3 else math.pi / 2.0 / count
