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
from lrtune.verdict.races import LEAST_UNITS, limit, race_by_folds


class Race(NamedTuple):
    """Who ran when.

    Attributes
    ----------
    rounds
        In which round each configuration was proposed (C,).
    folds
        After how many folds they were raced.
    spared
        Numbers of trials that no race ends.

    """

    rounds: Integers
    folds: int
    spared: tuple[int, ...] = (DEFAULT,)


class Replay:
    """The races of a study as a function of resampled rows."""

    def __init__(self, evidence: Evidence, race: Race) -> None:
        assert evidence.observed is not None
        assert evidence.predictions is not None
        self.numbers, self.race = evidence.numbers, race
        self.by_rows = METRICS[evidence.metric].is_by_rows and race.folds == 1
        rows = evidence.observed.folds < race.folds
        self.units = evidence.observed.units[rows]
        if self.by_rows:
            predicted = kept(evidence.metric, evidence.predictions[:, rows])
            values = row_values(evidence.metric, predicted, evidence.observed.targets[rows])
            exception = surprise(evidence.metric, values)
            self.exception = np.zeros(len(values)) if exception is None else exception
            self.sums, self.sizes, self.units = _by_unit(values, self.units)

    def survivors(self, counts: Singles, folds: Doubles) -> Array:
        """Say who is not dropped.

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
        drawn = counts[:, self.units].astype(np.float64) if self.by_rows else None
        totals = None if drawn is None else drawn @ self.sums.T
        for number in np.unique(self.race.rounds):
            running = np.flatnonzero(self.race.rounds == number)
            entrants = going.copy()
            entrants[:, running] = True
            if drawn is None or totals is None:
                dropped = self._by_folds(folds, entrants)
            else:
                leaders = np.where(entrants, totals, -np.inf).argmax(axis=1)
                dropped = self._by_rows(drawn, leaders, entrants, running)
            going[:, running] = ~dropped[:, running] | np.isin(self.numbers[running], self.race.spared)
        return going

    def _by_folds(self, folds: Doubles, entrants: Array) -> Array:
        """Compare by analysis of variance, resample by resample: a few folds and configurations cost little."""
        dropped = np.zeros(entrants.shape, dtype=bool)
        for place, present in enumerate(entrants):
            scores = folds[place, : self.race.folds, present]
            known = np.isfinite(scores).all(axis=1)
            if known.any():
                dropped[place, np.flatnonzero(present)[known]] = race_by_folds(scores[known]).dropped
        return dropped

    def _by_rows(self, drawn: Doubles, leaders: Integers, entrants: Array, running: Integers) -> Array:
        """Compare those that run with the leader among all entrants, for all resamples with that leader at once."""
        from scipy.special import ndtri

        bounds = np.array([ndtri(limit(int(each))) for each in entrants.sum(axis=1)])
        bounds[drawn.sum(axis=1) < LEAST_UNITS] = np.inf
        dropped = np.zeros(entrants.shape, dtype=bool)
        for leader in np.unique(leaders):
            same = np.flatnonzero(leaders == leader)
            against = self.exception[leader] - self.exception[running]
            z = self._distances(self.sums[leader] - self.sums[running], against, drawn[same])
            dropped[np.ix_(same, running)] = z > bounds[same, None]
        return dropped

    def _distances(self, gaps: Doubles, against: Doubles, drawn: Doubles) -> Doubles:
        """By how many standard errors the leader is ahead (b, c), from gaps (c, U): see `races.race_by_rows`."""
        columns, times = gaps.T, drawn.sum(axis=1, keepdims=True)
        rows = (drawn @ self.sizes)[:, None]
        squares = drawn @ np.square(columns)
        typical = np.sqrt(squares / np.maximum(drawn @ (columns != 0.0).astype(np.float64), 1.0))
        unseen, size = (typical, np.minimum(against, -typical)), rows / times
        total = drawn @ columns + unseen[0] + unseen[1]
        mean = total / (rows + 2.0 * size)
        rest = squares - 2.0 * mean * (drawn @ (columns * self.sizes[:, None]))
        rest += np.square(mean) * (drawn @ np.square(self.sizes))[:, None]
        rest += sum(np.square(each - mean * size) for each in unseen)
        error = np.sqrt(np.maximum(rest, 0.0))
        return np.asarray(np.divide(total, error, out=np.zeros_like(total), where=error > 0.0))


def _by_unit(values: Doubles, units: Integers) -> tuple[Doubles, Doubles, Integers]:
    """Add up what belongs together: sums (C, U), numbers of rows (U,), and which units these are (U,)."""
    present, places = np.unique(units, return_inverse=True)
    if len(present) == len(units):
        return values, np.ones(len(units)), units
    sums = np.stack([np.bincount(places, each).astype(np.float64) for each in values])
    return sums, np.bincount(places).astype(np.float64), present
