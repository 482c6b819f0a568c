"""How good the chosen configuration is, once the luck that got it chosen is taken away.

The best of many mean scores is too good, because it was picked for being the best. **Bootstrap bias corrected
cross-validation** (Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation", Machine Learning 107) repeats the choice on resamples of the rows, and looks
at what was chosen on the rows that were not drawn. Nothing is trained again.

For resample ``b``, ``in_b(c)`` and ``out_b(c)`` are the scores of configuration ``c`` on the rows that were drawn, as
often as they were, and on the others; ``s(c)`` is the reported mean over the folds, ``in(c)`` the same from the kept
predictions. All are averages over the folds of the score within the fold, so that they mean what the report means::

    c_b       = the choice by the rule of the search among  s(c) + r * (in_b(c) - in(c))
    L_b       = s(c_b) + r * (out_b(c_b) - mean over all resamples of out(c_b))
    corrected = mean of L_b

``r`` is 1, and less where only a share of the rows is kept: the square root of this share. Where the metric is a mean
over rows, ``mean of out(c)`` is ``s(c)`` and this is the original; the area under a curve, F1 or the root of an error
come out lower (or higher) on few rows than on many for no reason of choice, and that is taken out.

**The interval** holds the percentiles of ``s(c_b) + w * (out_b(c_b) - mean of out(c_b))``, moved so that their mean is
the corrected score. The rows that are not drawn are one in ``e``, and their mean varies ``sqrt(e - 1) = 1.31`` times as
much as that of all rows, so that the percentiles of ``L_b`` are too far apart. For rows alone ``w`` would be
``1 / sqrt(e - 1)``; another sample to train on would have changed the model as well, and one model is delivered where
the folds have several, for which simulated searches (``benchmarks/honesty.py``) ask about `RETRAINING` of the variance
more. Few units are not the population, which Student's t allows for. Of a share of the rows, such as the accuracy, it
is no narrower than the interval of a share (Wilson 1927, "Probable inference, the law of succession, and statistical
inference", Journal of the American Statistical Association 22), with ``z`` widened in the same way: errors that did not
happen are in no resample. It ends where the metric does: no accuracy is above 1, and no error below 0.

Resampled are the units of `lrtune.run.observed`: rows with all predictions for them, groups, stretches of
time. Where the search dropped configurations in races, each resample runs the races again
(`lrtune.verdict.correction.race`).

**Tibshirani and Tibshirani** (2009, "A bias correction for the minimum error rate in cross-validation", Annals of
Applied Statistics 3) need fold scores only: what the choice loses to the best configuration of each fold, on average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import CORRECTION, Array, Doubles, Singles, stream
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.choice.candidates import Candidates, Smoothing
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.comparison import Gain, corrected_error, t_quantile
from lrtune.verdict.correction.averages import Averages, Averaging, DeliveredMean, Resampled, over_members
from lrtune.verdict.correction.effort import LEAST, MOST
from lrtune.verdict.correction.evidence import Evidence, FoldScores, standing
from lrtune.verdict.correction.fixed import FixedMean, Reigning
from lrtune.verdict.correction.intervals import gain_of, interval_of, narrowing_of, no_narrower, units_of
from lrtune.verdict.correction.race import Race, Replay

BOOTSTRAP, FOLDS = "bootstrap", "folds"

_CELLS = 1_000_000


class Correction(NamedTuple):
    """A corrected score of what is delivered, one configuration or a mean of several; oriented.

    Attributes
    ----------
    method
        ``"bootstrap"`` or ``"folds"`` (Tibshirani and Tibshirani).
    naive
        Its mean score over the folds.
    optimism
        How much of that is luck: ``naive - score``.
    score, low, high
        Corrected score, and its 95 % interval.
    resamples
        How many have a score; 0 for ``"folds"``.
    drawn
        How many were drawn: one that leaves out no rows with a score says nothing.
    units
        How many rows, groups or stretches of time there are to draw; None for ``"folds"``.
    shares
        In which share of the resamples each trial was chosen alone: (number, share), the largest first.
    averages
        The same of means of the best trials: (of how many, share).
    gain
        Over the default configuration, if that is complete and not the choice itself; None for ``"folds"``.
    over_champion
        The same over a champion (`Choosing.champion`); None without one, and for ``"folds"``.

    """

    method: str
    naive: float
    optimism: float
    score: float
    low: float
    high: float
    resamples: int = 0
    shares: tuple[tuple[int, float], ...] = ()
    averages: tuple[tuple[int, float], ...] = ()
    gain: Gain | None = None
    drawn: int = 0
    units: int | None = None
    over_champion: Gain | None = None

    def share(self, numbers: Sequence[int]) -> float | None:
        """Give the share of resamples in which a trial, or a mean of so many, was chosen; None if there are none."""
        if not self.resamples:
            return None
        counted, own = (self.averages, len(numbers)) if len(numbers) > 1 else (self.shares, numbers[0])
        return dict(counted).get(own, 0.0)


class Choosing(NamedTuple):
    """How the choice was made, so that it can be repeated.

    Attributes
    ----------
    rule, smoothing
        By which rule (see `lrtune.verdict.choice.rules`).
    race
        The races of the search, if there were any.
    default
        Number of the default configuration's trial.
    seed
        Of the experiment.
    resamples
        How often to repeat it.
    averages
        Means that could have been chosen as well; None: none.
    champion
        What the choice is to be compared with beside the default; None: nothing.

    """

    rule: Rule = Rule()
    smoothing: Smoothing | None = None
    race: Race | None = None
    default: int = 0
    seed: int = 0
    resamples: int = MOST
    averages: Averages | None = None
    champion: Reigning | None = None


def corrected(
    evidence: Evidence, chosen: int, choosing: Choosing | None = None, delivered: DeliveredMean | None = None
) -> Correction:
    """Correct the score of a chosen configuration, or of a mean of the best, for having been chosen.

    Parameters
    ----------
    evidence
        Everything that could have been chosen.
    chosen
        Number of the trial that was.
    choosing
        How; by default the largest mean, without races.
    delivered
        The mean that was taken in place of the trial, if one was.

    """
    found = None
    if evidence.predictions is not None and evidence.observed is not None:
        found = _bootstrapped(evidence, chosen, choosing or Choosing(), delivered)
    if found is None:
        found = by_folds(evidence, chosen, None if delivered is None else delivered.score)
    return _within_bounds(found, METRICS[evidence.metric].bounds)


def _within_bounds(found: Correction, bounds: tuple[float, float]) -> Correction:
    """Leave out scores that cannot be, such as a negative error: the truth is not among them."""
    score, low, high = (min(max(each, bounds[0]), bounds[1]) for each in (found.score, found.low, found.high))
    return found._replace(score=score, optimism=found.naive - score, low=low, high=high)


def by_folds(evidence: Evidence, chosen: int, delivered: float | None = None) -> Correction:
    """Correct by what the choice loses to the best of each fold; the interval is that of the choice's fold scores.

    A mean that was delivered in its place, with a score of its own, is taken to have the same luck.
    """
    scores = evidence.scores[:, evidence.complete]
    mine = evidence.scores[:, evidence.place(chosen)]
    naive = math.fsum(mine) / len(mine) if delivered is None else delivered
    optimism = float(np.mean(scores.max(axis=1) - mine))
    half = 0.0
    if len(mine) > 1:
        half = t_quantile(len(mine) - 1) * corrected_error(mine.tolist(), evidence.rows_ratio)
    score = naive - optimism
    return Correction(FOLDS, naive, optimism, score, score - half, score + half)


class _Draws(NamedTuple):
    """What each resample chose.

    ``picks (B,)`` are places of configurations, and from ``C`` on those of the sizes of means; ``levels (B,)`` the
    scores of what was chosen, ``chosen (B,)`` by how much these differ on the other rows; ``deviations (B, C)`` the
    same of each configuration, and ``champion (B,)`` of the champion, if there is one.
    """

    picks: Array
    levels: Doubles
    chosen: Doubles
    deviations: Doubles
    champion: Doubles | None = None


def _bootstrapped(
    evidence: Evidence, chosen: int, choosing: Choosing, delivered: DeliveredMean | None
) -> Correction | None:
    """Correct by resampling; None where so few resamples have a score that they say nothing."""
    draws = _draws(evidence, choosing)
    values = draws.levels + draws.chosen
    usable = np.isfinite(values)
    if usable.sum() < LEAST // 2:
        return None
    own = float(evidence.means[evidence.place(chosen)])
    naive, score = own if delivered is None else delivered.score, float(values[usable].mean())
    narrowing = narrowing_of(evidence)
    low, high = no_narrower(evidence, score, interval_of(draws.levels + narrowing * draws.chosen, values))
    gain = None
    if (chosen != choosing.default or delivered is not None) and evidence.is_complete(choosing.default):
        place = evidence.place(choosing.default)
        gain = _gain_over(draws, float(evidence.means[place]), draws.deviations[:, place], narrowing)
    over_champion = None
    if choosing.champion is not None and draws.champion is not None:
        over_champion = _gain_over(draws, choosing.champion.score, draws.champion, narrowing)
    shares, averages = _shares(draws.picks[usable], evidence.numbers, choosing.averages)
    seen, drawn, units = int(usable.sum()), len(usable), units_of(evidence)
    return Correction(
        BOOTSTRAP,
        naive,
        naive - score,
        score,
        low,
        high,
        seen,
        shares,
        averages,
        gain,
        drawn=drawn,
        units=units,
        over_champion=over_champion,
    )


def _gain_over(draws: _Draws, level: float, others: Doubles, narrowing: float) -> Gain:
    """Compare what each resample chose with one that is the same in all: its score, and what that differs by (B,)."""
    ahead = draws.levels - level  # taken first, so that nothing is left of a choice that is this very one
    narrow = ahead + narrowing * draws.chosen - narrowing * others
    return gain_of(narrow, ahead + draws.chosen - others)


def _draws(evidence: Evidence, choosing: Choosing) -> _Draws:
    """Resample, choose, and look at the rows left out; in chunks that fit into the processor's caches."""
    observed = evidence.observed
    assert observed is not None
    scores, complete, first = FoldScores(evidence), evidence.complete, evidence.first
    rows, (folds, configurations) = len(observed.targets), evidence.scores.shape
    chooser = _Chooser(evidence, choosing, standing(*scores(np.ones((1, rows), np.float32)), complete, first))
    averaging = None if choosing.averages is None else Averaging(evidence, choosing.averages)
    total = choosing.resamples
    chunk = max(1, min(total, _CELLS // rows, _CELLS // (folds * configurations)))
    rng, units = stream(choosing.seed, CORRECTION), int(observed.units.max()) + 1
    reigning = None if choosing.champion is None else FixedMean(evidence, choosing.champion)
    picks, tops, outside, averaged, champion = [], [], [], [], []
    for start in range(0, total, chunk):
        counts = _counts(units, min(chunk, total - start), rng)
        drawn = counts[:, observed.units]
        inside, sizes = scores(drawn)
        means = standing(inside, sizes, complete, first)
        values = chooser.values(counts, inside, means)
        picked = chooser.pick(values, inside)
        picks.append(picked)
        tops.append(values[np.arange(len(values)), picked])
        chosen = np.isfinite(means).any(axis=1, keepdims=True)  # else nothing was drawn that a choice could go by
        rest = (drawn == 0).astype(np.float32)
        others = standing(*scores(rest), complete, first)
        outside.append(np.where(chosen, others, np.nan))
        if averaging is not None:
            averaged.append(averaging(values, drawn))
        if reigning is not None:
            champion.append(np.where(np.asarray(chosen)[:, 0], reigning(rest), np.nan))
    left_out, places = np.concatenate(outside), np.concatenate(picks)
    typical = _mean_of_finite(left_out)
    deviations = chooser.ratios * (left_out - typical)
    lines = np.arange(len(places))
    draws = _Draws(places, chooser.anchors[places], deviations[lines, places], deviations)
    if champion:
        found = np.concatenate(champion)
        draws = draws._replace(champion=chooser.ratio * (found - _mean_of_finite(found[:, None])))
    if choosing.averages is None:
        return draws
    means_of = Resampled(*(np.concatenate(each) for each in zip(*averaged, strict=True)))
    return _with_averages(draws, np.concatenate(tops), means_of, chooser, typical)


def _with_averages(draws: _Draws, tops: Doubles, found: Resampled, chooser: _Chooser, typical: Doubles) -> _Draws:
    """Let each resample choose a mean where that has the largest score on the rows that it drew."""
    averages = chooser.choosing.averages
    assert averages is not None
    members, whole, inside, outside = found
    plain = chooser.plain[0]
    levels = whole + over_members(chooser.anchors - plain, members, averages.sizes)
    values = chooser.rounded(levels + chooser.ratio * (inside - whole))
    expected = whole + over_members(typical - plain, members, averages.sizes)
    rivals = np.concatenate([tops[:, None] if averages.alone else np.full((len(tops), 1), -np.inf), values], axis=1)
    best = np.where(np.isfinite(rivals), rivals, -np.inf).argmax(axis=1)  # of equal ones, that of fewer
    size, means = np.maximum(best - 1, 0), best > 0
    lines = np.arange(len(best))
    deviations = chooser.ratio * (outside - expected)
    return draws._replace(
        picks=np.where(means, len(plain) + size, draws.picks),
        levels=np.where(means, levels[lines, size], draws.levels),
        chosen=np.where(means, deviations[lines, size], draws.chosen),
    )


class _Chooser:
    """The choice of the search as a function of resampled scores.

    A configuration that was dropped after some folds had the luck of their rows alone, and in a mean over all folds
    that counts as much as they do: the folds that it was not trained on are taken to be as those that it was.
    """

    def __init__(self, evidence: Evidence, choosing: Choosing, plain: Doubles) -> None:
        self.evidence, self.choosing, self.plain = evidence, choosing, plain
        self.anchors = evidence.means
        self.ratio = _deviation_ratio(evidence)
        self.ratios = self.ratio * np.isfinite(evidence.scores).mean(axis=0)
        self.replay = None if choosing.race is None else Replay(evidence, choosing.race)
        self.digit = float(np.abs(self.anchors).max() or 1.0) * 1e-12

    def values(self, counts: Singles, folds: Doubles, means: Doubles) -> Doubles:
        """Say what each resample takes each configuration for (B, C); ``-inf``: it is no candidate."""
        values = self.rounded(self.anchors + self.ratios * (means - self.plain))
        values = np.where(np.isfinite(values), values, -np.inf)
        if self.replay is not None:
            values[~self.replay.survivors(counts, folds)] = -np.inf
        return np.asarray(values)

    def rounded(self, values: Doubles) -> Doubles:
        """Leave out the last digits, in which sums in another order differ: what is equal stays equal."""
        return np.asarray(np.round(values / self.digit) * self.digit)

    def pick(self, values: Doubles, folds: Doubles) -> Array:
        """Choose one of them for each resample (B,)."""
        rule, smoothing = self.choosing.rule, self.choosing.smoothing
        return rule.entry.pick(
            Candidates(values, folds, self.evidence.order, smoothing, self.evidence.ties), rule.share
        )


def _counts(units: int, resamples: int, rng: np.random.Generator) -> Singles:
    """Draw as many units as there are, with replacement; count how often each came (B, U)."""
    drawn = rng.integers(units, size=(resamples, units)) + units * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * units).reshape(resamples, units).astype(np.float32)


def _deviation_ratio(evidence: Evidence) -> float:
    """How much smaller deviations are than those of the kept rows: 1 if all rows are kept, or whole groups vary."""
    assert evidence.observed is not None
    observed = evidence.observed
    pairs = len(np.unique(observed.folds * (np.int64(observed.units.max()) + 1) + observed.units))
    return 1.0 if pairs < len(observed.units) else math.sqrt(observed.share)


def _mean_of_finite(values: Doubles) -> Doubles:
    seen = np.isfinite(values)
    return np.asarray(np.where(seen, values, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1))


Shares: TypeAlias = tuple[tuple[int, float], ...]


def _shares(picks: Array, numbers: Array, averages: Averages | None) -> tuple[Shares, Shares]:
    """Count how often each trial was chosen alone, and how often each mean."""
    is_mean = picks >= len(numbers)
    alone = _counted(numbers[picks[~is_mean]], len(picks))
    if averages is None:
        return alone, ()
    return alone, _counted(np.array(averages.sizes)[picks[is_mean] - len(numbers)], len(picks))


def _counted(values: Array, of: int) -> Shares:
    present, counts = np.unique(values, return_counts=True)
    order = np.lexsort((present, -counts))
    return tuple((int(present[each]), float(counts[each] / of)) for each in order)
