"""What a model is worth on labelled rows that it has not seen: metrics with intervals, by class, by a column's values.

Intervals are those of the bootstrap over rows (Efron 1979, "Bootstrap methods: another look at the jackknife", Annals
of Statistics 7): 95 % of the scores of `RESAMPLES` samples of as many rows, drawn with replacement. Where the score is
a share of the rows they are at least as wide as Wilson's, because no resample has errors that did not happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrtune.arrays import EVALUATION, Array, Doubles, Rows, Singles, stream
from lrtune.training.metrics import scoring
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.correction.intervals import LEVEL, wilson
from lrtune.verdict.interval import Interval

RESAMPLES = 2_000

FEWEST = 5
"""Of fewer rows there is no interval: resamples of them say nothing."""

_WEIGHTS_AT_ONCE = 4_000_000
"""Numbers of a matrix of weights, which is made in parts for many rows."""

_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class RowScore:
    """A score of some rows in the metric's own sign, and its 95 % interval; None where the metric has none."""

    score: float | None
    low: float | None
    high: float | None

    @property
    def interval(self) -> Interval | None:
        """The three of them, where there are three."""
        if self.score is None or self.low is None or self.high is None:
            return None
        return Interval(self.score, self.low, self.high)


NO_SCORE = RowScore(None, None, None)


@dataclass(frozen=True, slots=True)
class Segment:
    """Some of the rows.

    Attributes
    ----------
    name
        What they have in common.
    rows
        How many they are.
    scores
        By metric; of a class ``recall`` (of its rows, the share that is found) and ``precision`` (of the rows that are
        taken for it, the share that is).

    """

    name: str
    rows: int
    scores: Mapping[str, RowScore]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model is worth on the rows of a table.

    Attributes
    ----------
    target
        The column that was predicted.
    metric
        The one that the model was chosen by; it stands first among the scores.
    rows
        How many there were.
    scores
        Of all of them, by metric.
    classes
        Of each class that has rows; empty for regression.
    column, groups
        A column of the table, and the rows with each of its values; None and empty if none was asked for.

    """

    target: str
    metric: str
    rows: int
    scores: Mapping[str, RowScore]
    classes: tuple[Segment, ...] = ()
    column: str | None = None
    groups: tuple[Segment, ...] = ()

    @property
    def own(self) -> RowScore:
        """The score that the model was chosen by."""
        return self.scores[self.metric]


@dataclass(frozen=True)
class JudgedRows:
    """Predictions ``(1, O, M)``, what was observed ``(M,)``, and how many classes there are (0 for regression)."""

    prediction: Doubles
    targets: Array
    count: int

    def scores(self, names: Sequence[str], rows: Rows) -> dict[str, RowScore]:
        """Score some of the rows by several metrics, all on the same resamples."""
        prediction, targets = self.prediction[..., rows], self.targets[rows]
        kept = {name: scoring.keep(name, prediction, targets) for name in names}
        has = [name for name in names if scoring.is_defined(name, targets)]
        scorers = {name: scoring.scorer(name, kept[name], targets, self.count) for name in has}
        drawn: dict[str, list[Doubles]] = {name: [] for name in has}
        for weights in _weights(len(rows)):
            for name, scorer in scorers.items():
                drawn[name].append(scorer(weights)[:, 0])
        found = {name: float(scoring.score(name, kept[name], targets, self.count)[0]) for name in has}
        scores = {name: _with_interval(name, found[name], np.concatenate(drawn[name]), len(rows)) for name in has}
        return {name: scores.get(name, NO_SCORE) for name in names}

    def classes(self, names: Sequence[str]) -> Iterator[Segment]:
        """Count what is found of each class that has rows, and what is taken for it."""
        if not self.count:
            return
        labels = scoring.keep("accuracy", self.prediction, self.targets)[0]
        for place, name in enumerate(names):
            members, taken = self.targets == place, labels == place
            if not members.any():
                continue
            hits = int((members & taken).sum())
            found = {"recall": _share(hits, int(members.sum())), "precision": _share(hits, int(taken.sum()))}
            yield Segment(name, int(members.sum()), found)


def _weights(rows: int) -> Iterator[Singles]:
    """Draw how often each row stands in each resample, in parts of lines ``(b, rows)``."""
    generator = stream(0, EVALUATION, rows)
    at_once = max(1, _WEIGHTS_AT_ONCE // rows)
    for start in range(0, RESAMPLES, at_once):
        lines = min(at_once, RESAMPLES - start)
        places = generator.integers(rows, size=(lines, rows)) + rows * np.arange(lines)[:, None]
        yield np.bincount(places.ravel(), minlength=lines * rows).reshape(lines, rows).astype(np.float32)


def _with_interval(metric: str, score: float, drawn: Doubles, rows: int) -> RowScore:
    """Put a score and its interval into the metric's own sign."""
    if rows < FEWEST:
        return RowScore(score if METRICS[metric].larger_is_better else -score, None, None)
    finite = drawn[np.isfinite(drawn)]
    low, high = np.quantile(finite, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]) if len(finite) else (score, score)
    if METRICS[metric].is_share:
        least, most = wilson(score, rows, _NORMAL)
        low, high = min(low, least), max(high, most)
    if METRICS[metric].larger_is_better:
        return RowScore(score, float(low), float(min(high, 1.0)))
    return RowScore(-score, float(-high), float(-low))


def _share(hits: int, of: int) -> RowScore:
    if not of:
        return NO_SCORE
    low, high = wilson(hits / of, of, _NORMAL)
    return RowScore(hits / of, low, high)
