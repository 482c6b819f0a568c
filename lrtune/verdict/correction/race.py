"""The races of a search, run again on resampled rows: who would have been dropped had the luck been another.

`lrtune.verdict.races` decides by sums over rows. Here the same sums are taken with weights, for all resamples at once;
only resamples with the same leader share their sums, because differences are taken from the leader.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles, Integers, Singles
from lrtune.space.trial import DEFAULT
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import kept, row_values, surprise
from lrtune.verdict.correction.evidence import Evidence
from lrtune.verdict.races import LEAST_UNITS, RaceLimit, RaceLook, race_by_folds


class Race(NamedTuple):
    """Who ran when.

    Attributes
    ----------
    rounds
        In which round each configuration was proposed (C,).
    looks
        After how many folds they were raced, ascending.
    limit
        Above which probability of being worse a configuration was dropped.
    spared
        Numbers of trials that no race ends.

    """

    rounds: Integers
    looks: tuple[int, ...]
    limit: RaceLimit
    spared: tuple[int, ...] = (DEFAULT,)


class _Look(NamedTuple):
    """The rows of the first folds, as sums over units: what one look at a race sees.

    Attributes
    ----------
    sums, sizes, units
        Scores (C, U), added up over the rows of each unit; how many rows these are (U,), and their names.
    exception
        As in `lrtune.verdict.races.RowScores`.

    """

    sums: Doubles
    sizes: Doubles
    units: Integers
    exception: Doubles


class Replay:
    """The races of a study as a function of resampled rows."""

    def __init__(self, evidence: Evidence, race: Race) -> None:
        self.numbers, self.race, self.folds = evidence.numbers, race, len(evidence.scores)
        self.trained = [np.asarray(np.isfinite(evidence.scores[:end]).all(axis=0)) for end in race.looks]
        self.by_rows = METRICS[evidence.metric].is_by_rows and race.looks[0] == 1
        self.looks = [_look(evidence, each) for each in race.looks] if self.by_rows else []

    def survivors(self, counts: Singles, folds: Doubles) -> Array:
        """Say who is not dropped.

        What lost a race of the search was not trained any further: where a resample lets it go on, it is a candidate,
        and no later look says anything of it.

        Parameters
        ----------
        counts
            How often each unit was drawn (B, U).
        folds
            Scores on the drawn rows (B, K, C).

        Returns
        -------
        array
            ``(B, C)``.

        """
        going = np.zeros((len(counts), len(self.numbers)), dtype=bool)
        drawn = [counts[:, each.units].astype(np.float64) for each in self.looks]
        totals = [each @ look.sums.T for each, look in zip(drawn, self.looks, strict=True)]
        for number in np.unique(self.race.rounds):
            running = np.flatnonzero(self.race.rounds == number)
            for place, (end, trained) in enumerate(zip(self.race.looks, self.trained, strict=True)):
                entrants = going & trained
                entrants[:, running] = trained[running] if place == 0 else entrants[:, running]
                compared = running[trained[running]]
                if not self.by_rows:
                    dropped = self._by_folds(folds, entrants, end)
                else:
                    leaders = np.where(entrants, totals[place], -np.inf).argmax(axis=1)
                    dropped = self._by_rows(place, drawn[place], leaders, entrants, compared)
                lost = dropped[:, running] & ~np.isin(self.numbers[running], self.race.spared)
                going[:, running] = ~lost if place == 0 else going[:, running] & ~lost
        return going

    def _by_folds(self, folds: Doubles, entrants: Array, end: int) -> Array:
        """Compare by analysis of variance, resample by resample: a few folds and configurations cost little."""
        dropped = np.zeros(entrants.shape, dtype=bool)
        for place, present in enumerate(entrants):
            scores = folds[place, :end, present]
            known = np.isfinite(scores).all(axis=1)
            if known.any():
                verdict = race_by_folds(scores[known], self._limit(int(known.sum()), end))
                dropped[place, np.flatnonzero(present)[known]] = verdict.dropped
        return dropped

    def _limit(self, rivals: int, end: int) -> float:
        return self.race.limit(RaceLook(rivals, len(self.race.looks), end / self.folds))

    def _by_rows(self, place: int, drawn: Doubles, leaders: Integers, entrants: Array, running: Integers) -> Array:
        """Compare those that run with the leader among all entrants, for all resamples with that leader at once."""
        from scipy.special import ndtri

        look, end = self.looks[place], self.race.looks[place]
        bounds = np.array([ndtri(self._limit(int(each), end)) for each in entrants.sum(axis=1)])
        bounds[drawn.sum(axis=1) < LEAST_UNITS] = np.inf
        dropped = np.zeros(entrants.shape, dtype=bool)
        for leader in np.unique(leaders):
            same = np.flatnonzero(leaders == leader)
            against = look.exception[leader] - look.exception[running]
            z = _distances(look, look.sums[leader] - look.sums[running], against, drawn[same])
            dropped[np.ix_(same, running)] = z > bounds[same, None]
        return dropped


def _distances(look: _Look, gaps: Doubles, against: Doubles, drawn: Doubles) -> Doubles:
    """By how many standard errors the leader is ahead (b, c), from gaps (c, U): see `races.race_by_rows`."""
    columns, times = gaps.T, drawn.sum(axis=1, keepdims=True)
    rows = (drawn @ look.sizes)[:, None]
    squares = drawn @ np.square(columns)
    typical = np.sqrt(squares / np.maximum(drawn @ (columns != 0.0).astype(np.float64), 1.0))
    unseen, size = (typical, np.minimum(against, -typical)), rows / times
    total = drawn @ columns + unseen[0] + unseen[1]
    mean = total / (rows + 2.0 * size)
    rest = squares - 2.0 * mean * (drawn @ (columns * look.sizes[:, None]))
    rest += np.square(mean) * (drawn @ np.square(look.sizes))[:, None]
    rest += sum(np.square(each - mean * size) for each in unseen)
    error = np.sqrt(np.maximum(rest, 0.0))
    return np.asarray(np.divide(total, error, out=np.zeros_like(total), where=error > 0.0))


def _look(evidence: Evidence, folds: int) -> _Look:
    observed = evidence.observed
    assert observed is not None
    assert evidence.predictions is not None
    rows = slice(0, int(np.searchsorted(observed.folds, folds)))
    predicted = kept(evidence.metric, evidence.predictions[:, rows])
    values = row_values(evidence.metric, predicted, observed.targets[rows], observed.folds[rows])
    exception = surprise(evidence.metric, values)
    return _Look(
        *_by_unit(values, observed.units[rows]),
        np.zeros(len(values)) if exception is None else exception,
    )


def _by_unit(values: Doubles, units: Integers) -> tuple[Doubles, Doubles, Integers]:
    """Add up what belongs together: sums (C, U), numbers of rows (U,), and which units these are (U,)."""
    present, places = np.unique(units, return_inverse=True)
    if len(present) == len(units):
        return values, np.ones(len(units)), units
    sums = np.stack([np.bincount(places, each).astype(np.float64) for each in values])
    return sums, np.bincount(places).astype(np.float64), present
