"""Rules about the search space: where the best lies in it, and which of its dimensions matter."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence

from lrtune.space import Choice, Place
from lrtune.space.dimensions import LOG, Dimension, Integer, Ordinal, Real, unwarp, warp
from lrtune.space.trial import Configuration, Trial
from lrtune.training.declarations import Factor, number
from lrtune.training.registry import DECAYS, KEYS, OPTIMIZERS, SCHEDULE_KEYS, Decay, Optimizer
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case, means

EDGE = 0.05
"""Nearer to an end than this share of the range, measured on its scale, is at the edge."""

MARGIN = 0.01
"""A suggested range stays away from an end that is not legal itself by this share of the searched one."""

EDGE_TRIALS = 8
"""With fewer complete trials that have the dimension nothing is said about its edges."""

EFFECT_TRIALS = 20
"""With fewer complete trials nothing is said about effects."""

EFFECT_P = 0.5
"""A dimension is without visible effect if the rank test's p-value is above this: no more than a coin could do."""

SEEN = 1.9600 + 1.2816
"""An effect of so many standard errors is significant at 5 % in nine of ten searches."""

GROUP = 4
"""Groups of fewer trials are left out of the rank test."""

MOST_GROUPS = 5
"""A dimension with more values than this is cut into `PARTS` groups of about equal size, by rank."""

PARTS = 3


def edges(case: Case) -> Iterator[Finding]:
    """Find dimensions in which the best lies at an end beyond which there is more, and nearby trials do no worse.

    Where a dimension is without effect, so is its end.
    """
    idle = ineffective(case)
    for each in case.space.active(case.best.configuration):
        value = case.best.configuration[each.name]
        if not isinstance(value, int | float) or isinstance(value, bool) or _is_idle(each.name, idle):
            continue
        place = position(each.dimension, value)
        if place is None or min(place, 1.0 - place) > EDGE:
            continue
        upper = place > 0.5
        others = [trial for trial in case.complete if each in case.space.active(trial.configuration)]
        declared = legal(each.name, case.best.configuration) if _is_declared(each.name, case) else _own(each.dimension)
        wider = beyond(each.dimension, float(value), declared, upper=upper)
        if wider is not None and len(others) >= EDGE_TRIALS and _rewarded(others, each.dimension, upper=upper):
            yield _edge(each, value, wider, case.called, upper=upper)


def _edge(place: Place, value: float, wider: tuple[float, float], called: str, *, upper: bool) -> Finding:
    name, dimension = place.name, place.dimension
    low, high = _ends(dimension)
    scale = f", scale: {dimension.scale}" if getattr(dimension, "scale", LOG) != "linear" else ""  # type: ignore[attr-defined]
    start, stop = (f"{float(f'{each:.2g}'):g}" for each in wider)  # 160, and not 1.6e+02
    end, inside = "upper" if upper else "lower", f" inside of {place.where[-1][1]}" if place.where else ""
    return Finding(
        "edge",
        WARNING,
        f"the {place.label} of {called}, {value:.3g}, is at the {end} end of its range from {low:.3g} to {high:.3g}",
        f"search {name}: {{low: {start}, high: {stop}{scale}}}{inside}",
        {
            "dimension": name,
            "where": dict(place.where),
            "value": value,
            "low": low,
            "high": high,
            "try": list(wider),
        },
    )


def position(dimension: Dimension, value: float) -> float | None:
    """Say where a value lies between the ends, from 0 to 1 on the scale; None where there are no ends to speak of."""
    if isinstance(dimension, Ordinal):
        last = len(dimension.values) - 1
        return dimension.values.index(value) / last if last >= 2 else None
    if not isinstance(dimension, Real | Integer) or dimension.low == dimension.high:
        return None
    low, high = warp(dimension.low, dimension.scale), warp(dimension.high, dimension.scale)
    return (warp(value, dimension.scale) - low) / (high - low)


def beyond(dimension: Dimension, value: float, legal: Factor | None, *, upper: bool) -> tuple[float, float] | None:
    """Suggest a range as wide as the searched one with the best value in its middle; None if nothing lies beyond."""
    if legal is None or not isinstance(dimension, Real | Integer | Ordinal):
        return None
    low, high = _ends(dimension)
    scale = dimension.scale if _has_place(low, dimension.scale) else "linear"
    half, middle = (warp(high, scale) - warp(low, scale)) / 2.0, warp(value, scale)
    margin = MARGIN * (high - low)
    ends = [unwarp(middle - half, scale), unwarp(middle + half, scale)]
    if ends[0] <= legal.low:
        ends[0] = legal.low + margin * legal.open_low
    if ends[1] >= legal.high:
        ends[1] = legal.high - margin * legal.open_high
    if legal.kind == "int":
        ends = [float(math.floor(ends[0])), float(math.ceil(ends[1]))]
    gained = warp(ends[1], scale) - warp(high, scale) if upper else warp(low, scale) - _warped(ends[0], scale)
    return (ends[0], ends[1]) if gained > EDGE * half else None


def _has_place(value: float, scale: str) -> bool:
    return value > 0.0 if scale == LOG else value < 1.0


def _is_idle(name: str, idle: Container[str]) -> bool:
    """Tell whether a dimension, or the choice that it is a factor of, is without effect."""
    return name in idle or name.partition(".")[0] in idle


def _warped(value: float, scale: str) -> float:
    return warp(value, scale) if _has_place(value, scale) or scale == "linear" else -math.inf


def _ends(dimension: Dimension) -> tuple[float, float]:
    if isinstance(dimension, Ordinal):
        return float(dimension.values[0]), float(dimension.values[-1])
    assert isinstance(dimension, Real | Integer)
    return float(dimension.low), float(dimension.high)


def _is_declared(name: str, case: Case) -> bool:
    """Tell whether a dimension is lrtune's; the parameters of another trainer may have the same names."""
    return case.is_own or (case.scheduled and (name in SCHEDULE_KEYS or name.startswith("decay.")))


def _own(dimension: Dimension) -> Factor | None:
    """Say what is legal of a parameter of another trainer: what is searched by its order of magnitude is positive.

    Of others nobody knows.
    """
    if not isinstance(dimension, Real | Integer) or dimension.scale != LOG:
        return None
    kind = "int" if isinstance(dimension, Integer) else "float"
    return Factor(dimension.name, None, "", kind=kind, low=0.0, open_low=True)


def legal(name: str, configuration: Configuration) -> Factor | None:
    """Find the declaration of a key, which says what is legal; None for those inside of other factors."""
    head, _, tail = name.partition(".")
    if not tail or name in KEYS:
        return KEYS.get(name)
    entries: dict[str, Mapping[str, Decay | Optimizer]] = {"optimizer": OPTIMIZERS, "decay": DECAYS}
    entry = entries.get(head, {}).get(str(configuration.get(head)))
    return next((each for each in entry.factors if each.name == tail), None) if entry else None


def _rewarded(trials: Sequence[Trial], dimension: Dimension, *, upper: bool) -> bool:
    """Tell whether the quarter of the trials nearest to an end is no worse, in the median, than the others."""
    values = {each.number: number(each.configuration[dimension.name]) for each in trials}
    places = {trial: position(dimension, value) or 0.0 for trial, value in values.items()}
    ordered = sorted(trials, key=lambda each: (places[each.number], each.number), reverse=upper)
    near = max(2, len(ordered) // 4)
    return statistics.median(means(ordered[:near])) >= statistics.median(means(ordered[near:]))


def no_effect(case: Case) -> Iterator[Finding]:
    """Find dimensions whose values do not tell good trials from bad ones (rank test of Kruskal and Wallis)."""
    found, trials = ineffective(case), case.complete
    if not found:
        return
    seen = {each.name: detectable(groups(trials, each)) for each in case.space.dimensions if each.name in found}
    yield Finding(
        "no_effect",
        HINT,
        f"no effect of {', '.join(found)} on the score can be seen in {len(trials)} trials"
        f" (rank test, p {min(found.values()):.2f}{' and more' if len(found) > 1 else ''}); an effect"
        f" below {max(seen.values()):.2g} would not be seen",
        f"that is no reason to fix {'them' if len(found) > 1 else 'it'}: more trials would tell; `lrtune importance`"
        " says what matters",
        {"dimensions": found, "trials": len(trials), "detectable": seen},
    )


def detectable(parts: Sequence[Sequence[float]]) -> float:
    """Give the difference between two groups' means that would have been seen in nine of ten searches like this one.

    Of the two smallest groups, with the standard deviation ``s`` within all of them:
    ``(z(0.975) + z(0.9)) s sqrt(1 / n1 + 1 / n2)``.

    >>> round(detectable([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]), 4)
    0.2959
    """
    squares = math.fsum(math.fsum((each - statistics.fmean(part)) ** 2 for each in part) for part in parts)
    freedom = sum(len(part) - 1 for part in parts)
    first, second, *_ = sorted(len(part) for part in parts)
    return SEEN * math.sqrt(squares / freedom * (1.0 / first + 1.0 / second))


def ineffective(case: Case) -> dict[str, float]:
    """Name the dimensions without visible effect, with the p-value of each."""
    trials = case.complete
    if len(trials) < EFFECT_TRIALS:
        return {}
    tested = {each.name: rank_test(groups(trials, each)) for each in case.space.dimensions}
    return {name: round(p, 3) for name, p in tested.items() if p is not None and p > EFFECT_P}


def groups(trials: Sequence[Trial], dimension: Dimension) -> list[list[float]]:
    """Part the mean scores of complete trials by the values of a dimension; small groups are left out."""
    values = [each.configuration.get(dimension.name) for each in trials]
    parts: dict[object, list[float]] = defaultdict(list)
    kinds = Counter(values)
    if len(kinds) <= MOST_GROUPS or isinstance(dimension, Choice):
        for value, score in zip(values, means(trials), strict=True):
            parts[value].append(score)
    else:
        ordered = sorted(range(len(values)), key=lambda place: (number(values[place]), place))
        scores = means(trials)
        for rank, place in enumerate(ordered):
            parts[rank * PARTS // len(ordered)].append(scores[place])
    return [each for each in parts.values() if len(each) >= GROUP]


def rank_test(parts: Sequence[Sequence[float]]) -> float | None:
    """Give the p-value of Kruskal and Wallis (1952, JASA 47), corrected for ties; None for fewer than two groups.

    >>> round(rank_test([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]), 4)
    0.0209
    """
    if len(parts) < 2:
        return None
    from scipy.special import chdtrc  # loads in a fraction of the time of scipy.stats

    everything = sorted(score for part in parts for score in part)
    total, counts = len(everything), Counter(everything)
    ranks, below = {}, 0
    for score in sorted(counts):
        ranks[score] = below + (counts[score] + 1) / 2.0
        below += counts[score]
    sums = sum(math.fsum(ranks[score] for score in part) ** 2 / len(part) for part in parts)
    ties = 1.0 - sum(count**3 - count for count in counts.values()) / (total**3 - total)
    if ties == 0.0:
        return 1.0
    statistic = (12.0 / (total * (total + 1)) * sums - 3.0 * (total + 1)) / ties
    return float(chdtrc(len(parts) - 1, max(0.0, statistic)))
