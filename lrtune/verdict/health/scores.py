"""Rules about scores: noise, folds, divergence."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence

from lrtune.space import Choice, SearchSpace
from lrtune.space.trial import Trial, TrialState
from lrtune.text import formats
from lrtune.text.errors import counted
from lrtune.verdict.comparison import between, corrected_error, t_quantile
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case, gaps, other_kind, percent, scores

NOISE_TRIALS = 10
"""With fewer other complete trials nothing is said about noise, and nothing about folds."""

NOISE_SHARE = 0.5
"""The folds are too noisy for more trials to help if they cannot tell more than this share from the best."""

WINS = 0.3
"""A winner that is chosen again in less than this share of the bootstraps is one of several."""

PER_DIMENSION = 5
"""With fewer trials for each dimension, counting those of all branches, a search has hardly begun."""

LATE = 0.75
"""A search was still getting better if its best is among the last quarter of the trials and likely better than the best
before."""

DIVERGED = 0.2
"""A larger share of diverged trials is many; there must be at least `DIVERGED_TRIALS`."""

DIVERGED_TRIALS = 3

APART = 4.0
"""A fold stands apart if its median score is farther from that of the other folds, in the middle, than so many times
the distance between the highest and the lowest of them: with five folds, by chance in 2 % of the searches."""

FOLDS = 5
"""With fewer folds none can stand apart."""

DISAGREE = 0.2
"""Folds disagree if their coefficient of concordance (Kendall's W) is below this: 1 where all put the trials into the
same order, about 1 / folds by chance."""


def noise(case: Case) -> Iterator[Finding]:
    """Count the trials that the folds cannot tell from the best."""
    others = [each for each in case.complete if each.number != case.best.number]
    folds = len(case.best.fold_scores)
    if len(others) < NOISE_TRIALS or folds < 2:
        return
    ratio, quantile = case.ratio, t_quantile(folds - 1)
    alike = sum(not _is_clear(gaps(case.best, each), ratio, quantile) for each in others)
    if alike > NOISE_SHARE * len(others):
        yield Finding(
            "noise",
            HINT,
            f"{alike} of {len(others)} other trials cannot be told apart from {case.called}: the folds are too noisy",
            "more trials will not tell them apart; raise search.repeats, or set search.select: one_se",
            {"alike": alike, "trials": len(others)},
        )


def _is_clear(found: Sequence[float], rows_ratio: float, quantile: float) -> bool:
    """Tell what `lrtune.verdict.comparison.Difference.is_clear` tells, without the probabilities, which take time."""
    return math.fsum(found) / len(found) > quantile * corrected_error(found, rows_ratio)


def uncertain_winner(case: Case) -> Iterator[Finding]:
    """Notice a winner that other rows would not have chosen."""
    if case.share is not None and case.share < WINS and len(case.complete) > 1:
        yield Finding(
            "winner",
            HINT,
            f"trial {case.best.number} is chosen again in {percent(case.share)} of the bootstraps: it is one of many",
            "set search.select: one_se for the simplest of them, or search.confirm: 5 to score the first five again",
            {"share": case.share},
        )


def few_trials(case: Case) -> Iterator[Finding]:
    """Notice a search that has hardly begun, or was still getting better when it ended."""
    total, dimensions = len(case.trials), count_dimensions(case.space)
    if total >= case.space.size:
        return
    if total < PER_DIMENSION * dimensions:
        yield Finding(
            "trials",
            HINT,
            f"{counted(total, 'trial')} {'is' if total == 1 else 'are'} few for a space of"
            f" {counted(dimensions, 'dimension')}",
            f"continue: the same command with --trials {PER_DIMENSION * dimensions} or more",
            {"trials": total, "dimensions": dimensions},
        )
        return
    before = [each for each in case.complete if each.number < LATE * total]
    first = case.first
    if first.number < LATE * total or not before:
        return
    rival = max(before, key=lambda each: (each.mean or 0.0, -each.number))
    found = between(first, rival, case.rows_ratio)
    if found is not None and found.is_likely:
        yield Finding(
            "trials",
            HINT,
            f"the search was still getting better: trial {first.number} of {total} is the best"
            f" (probability {found.probability:.2f} that it is better than trial {rival.number} before it)",
            f"continue: the same command with --trials {2 * total}",
            {"trials": total, "best": first.number, "probability": found.probability},
        )


def count_dimensions(space: SearchSpace) -> int:
    """Count the dimensions of a space with more than one value, those of all branches included."""
    inner = sum(
        count_dimensions(option.space)
        for each in space.dimensions
        if isinstance(each, Choice)
        for option in each.options
    )
    own = sum(each.size > 1 and not (isinstance(each, Choice) and len(each.options) < 2) for each in space.dimensions)
    return own + inner


def many_diverged(case: Case) -> Iterator[Finding]:
    """Notice that many trials diverged, and from which rate on."""
    diverged = case.count(TrialState.DIVERGED)
    if diverged < DIVERGED_TRIALS or diverged < DIVERGED * len(case.trials):
        return
    rates = diverging_rates(case.trials)
    where = ", ".join(f"{rate:.2g} on with {name}" for name, rate in rates.items())
    share = diverged / len(case.trials)
    yield Finding(
        "diverged",
        WARNING,
        f"{diverged} of {len(case.trials)} trials diverged"
        + (f", most of those from learning rate {where}" if where else ""),
        _calmer(case, bool(rates)),
        {"diverged": diverged, "share": round(share, 4), "rates": rates},
    )


def _calmer(case: Case, by_rate: bool) -> str:
    """Advise what makes fewer trials diverge."""
    if case.is_own:
        return "lower the high end of learning_rate to there, or set clip_norm: 1 or a warmup"
    if by_rate and case.scheduled:
        return "lower the high end of learning_rate to there, or set a warmup"
    return "narrow the ranges to values that it trains with: `lrtune trials` lists which did"


def diverging_rates(trials: Sequence[Trial]) -> dict[str, float]:
    """Find for each optimizer the rate that parts diverged from complete trials best, with as few mistakes as can be.

    Optimizers of which nothing diverged, and those whose rate has nothing to do with it, are left out.
    """
    kinds: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for each in trials:
        rate, over = each.configuration.get("learning_rate"), each.state is TrialState.DIVERGED
        if isinstance(rate, int | float) and (over or each.mean is not None):
            kinds[str(each.configuration.get("optimizer", "the optimizer"))].append((float(rate), over))
    found = {}
    for name in sorted(kinds):
        bad = sum(over for _, over in kinds[name])
        mistakes, rate = min((sum((rate >= cut) != over for rate, over in kinds[name]), -cut) for cut, _ in kinds[name])
        if bad and 2 * mistakes < bad:
            found[name] = -rate
    return found


def unscored_folds(case: Case) -> Iterator[Finding]:
    """Say which folds the metric has no score on."""
    if case.unscored is None:
        return
    yield Finding(
        "unscored",
        WARNING,
        formats.judged_on(case.unscored.of, case.unscored.folds),
        "judge by a metric that has a score on every fold (log_loss, rmse), or use fewer folds",
        {"of": case.unscored.of, "folds": [number for number, _ in case.unscored.folds]},
    )


def _compared(case: Case) -> tuple[Sequence[Trial], int]:
    """List the complete trials, and count their folds; nothing unless there are enough of both to compare folds."""
    trials = case.complete
    folds = min((len(each.fold_scores) for each in trials), default=0)
    return (trials, folds) if folds >= FOLDS and len(trials) > NOISE_TRIALS else ((), 0)


def fold_apart(case: Case) -> Iterator[Finding]:
    """Notice one fold on which scores are quite different."""
    trials, folds = _compared(case)
    if not trials:
        return
    better = sorted(trials, key=lambda each: (-(each.mean or 0.0), each.number))[: max(NOISE_TRIALS, len(trials) // 2)]
    middle = [statistics.median(scores(each)[fold] for each in better) for fold in range(folds)]
    fold, ratio = max(((place, _apart(middle, place)) for place in range(folds)), key=lambda pair: (pair[1], -pair[0]))
    if ratio > APART:
        number = case.fold_numbers[fold]
        side = "worse" if middle[fold] < statistics.median(middle) else "better"
        yield Finding(
            "folds",
            WARNING,
            f"fold {number} is much {side} than the others: {ratio:.1f} times as far from them as they are apart",
            other_kind(case, "its rows"),
            {"fold": number, "ratio": round(ratio, 3), "medians": middle},
        )


def folds_disagree(case: Case) -> Iterator[Finding]:
    """Notice folds that rank the trials in different orders."""
    trials, folds = _compared(case)
    if not trials:
        return
    agreement = concordance([scores(each) for each in trials])
    if agreement < DISAGREE + 1.0 / folds:
        yield Finding(
            "folds_disagree",
            HINT,
            f"the folds put the trials into different orders (Kendall's W {agreement:.2f} of 1)",
            "the differences between trials are mostly noise: raise search.repeats, or search more different values",
            {"concordance": round(agreement, 4), "folds": folds},
        )


def _apart(middle: Sequence[float], fold: int) -> float:
    others = [each for place, each in enumerate(middle) if place != fold]
    spread = max(others) - min(others)
    gap = abs(middle[fold] - statistics.median(others))
    return gap / spread if spread > 0.0 else 0.0


def concordance(scores: Sequence[Sequence[float]]) -> float:
    """Compute Kendall's W of folds that judge trials, from scores (C, K); ties share their ranks.

    >>> concordance([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    1.0
    """
    trials, folds = len(scores), len(scores[0])
    columns = [_ranks([row[fold] for row in scores]) for fold in range(folds)]
    sums = [math.fsum(column[row] for column in columns) for row in range(trials)]
    mean = math.fsum(sums) / trials
    ties = sum(_ties(column) for column in columns)
    greatest = folds**2 * (trials**3 - trials) - folds * ties
    return 12.0 * math.fsum((each - mean) ** 2 for each in sums) / greatest if greatest else 1.0


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    first: dict[float, int] = {}
    count: dict[float, int] = defaultdict(int)
    for place, value in enumerate(ordered):
        first.setdefault(value, place)
        count[value] += 1
    return [first[value] + (count[value] + 1) / 2.0 for value in values]


def _ties(ranks: Sequence[float]) -> int:
    count: dict[float, int] = defaultdict(int)
    for each in ranks:
        count[each] += 1
    return sum(each**3 - each for each in count.values())
