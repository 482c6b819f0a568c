"""What a search came to, as one frozen value: made once (`lrtune.verdict.making`), written once, read by everybody.

Scores are in the metric's own sign: an error is positive, and smaller is better. What compares two configurations
(`Difference`, `Gain`, ``optimism``) has no sign of a metric: it is positive where the first is better, or where a score
is too good. Where a lane diverged a score is None, never NaN.

`Result.to_json` gives the layout of ``result.json``; `lrtune.verdict.reading` reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrtune.space.trial import Configuration
from lrtune.text.formats import significant
from lrtune.text.written import Json, to_json
from lrtune.verdict.comparison import Difference, Gain
from lrtune.verdict.conditions import Gate
from lrtune.verdict.findings import Finding
from lrtune.verdict.nightly import Nightly
from lrtune.verdict.standing import Standing

SCHEMA = 3
"""Raised whenever a key changes its meaning or goes; new keys do not raise it."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The score of what is delivered without the luck of having been picked.

    Attributes
    ----------
    method
        ``bootstrap``, or ``folds`` where the out-of-fold predictions are missing.
    naive
        Its mean over the folds.
    optimism
        How much better that is than the score, because it was picked.
    score, low, high
        Without that, and its 95 % interval.
    resamples
        Of the rows, how many have a score.
    share
        In which part of them the same was chosen: this trial alone, or a mean of as many; None without resamples.
    gain
        Over the default configuration, without the luck of the choice; None if the default is the best.
    drawn
        How many resamples were drawn: one that leaves out no rows with a score says nothing.
    units
        How many rows, groups or stretches of time there were to draw; None without resamples.

    """

    method: str
    naive: float
    optimism: float
    score: float
    low: float
    high: float
    resamples: int
    share: float | None
    gain: Gain | None
    drawn: int = 0
    units: int | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is handed over: the best, or the mean of several trials.

    Attributes
    ----------
    trials
        Their numbers, the best first.
    mean, fold_scores
        Of their mean prediction on the folds.
    sizes
        Of how many trials there could have been a mean; empty where there was no such choice.
    why_single
        Why there was none, although one was asked for.
    seeds, of_seeds
        How many models there are of each trial, and the mean score over the folds with all of them; None for one.
    rows
        ``search``, or ``all``: the model was trained on the rows of the test as well, once one without them had been
        scored there.
    diverged
        Trials that diverged on all rows and are no part of the model.
    configurations
        Of the trials, each with everything that trains it again; empty in a result of an earlier version.
    beside
        Of a mean of trials: its means over the folds by other metrics, each in its own sign. What is kept of
        predictions does not always tell them: of the log loss of three classes not even which class is predicted.
    predicted
        How often it predicts each class on the folds; empty where that is not told either.
    bag
        Whether the model is the mean of those of the folds. The scores on the folds are of each of them alone: on a row
        that one of them was not trained on, all others were.
    champion
        Whether another night has chosen the trials, and nothing of tonight beats them for sure.

    """

    trials: tuple[int, ...]
    mean: float
    fold_scores: tuple[float, ...]
    sizes: tuple[int, ...] = ()
    why_single: str | None = None
    seeds: int = 1
    of_seeds: float | None = None
    rows: str = "search"
    diverged: tuple[int, ...] = ()
    bag: bool = False
    configurations: tuple[Configuration, ...] = ()
    beside: Mapping[str, float | None] = field(default_factory=dict)
    predicted: tuple[int, ...] = ()
    champion: bool = False

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean of several trials."""
        return len(self.trials) > 1

    @property
    def scored(self) -> str:
        """What its scores on the folds are of, in words: one seed of each trial.

        >>> Delivered((4,), 0.9, (0.9,)).scored, Delivered((4, 7, 1), 0.9, (0.9,), seeds=5).scored
        ('trial 4', 'the mean of the 3 best trials')
        """
        return model_called(self.trials, champion=self.champion)

    @property
    def called(self) -> str:
        """What the model is, in words."""
        if self.bag:
            return f"the mean of the {len(self.fold_scores)} models of the folds of trial {self.trials[0]}"
        return model_called(self.trials, self.seeds, champion=self.champion)


def model_called(trials: Sequence[int], seeds: int = 1, *, champion: bool = False) -> str:
    """Say in a few words what a model is made of.

    >>> model_called((4,)), model_called((4, 7, 1), 5), model_called((4,), 5)
    ('trial 4', 'the mean of the 3 best trials, of 5 seeds each', 'the mean of 5 seeds of trial 4')
    """
    if len(trials) > 1:
        what = f"{len(trials)} trials of the champion" if champion else f"{len(trials)} best trials"
        words = f"the mean of the {what}"
        return words if seeds == 1 else f"{words}, of {seeds} seeds each"
    words = f"trial {trials[0]}"
    return words if seeds == 1 else f"the mean of {seeds} seeds of {words}"


@dataclass(frozen=True, slots=True)
class Rivals:
    """Trials that the folds cannot tell from the best: how many, and the numbers of the first."""

    count: int
    numbers: tuple[int, ...]


CHAMPION = "champion"
"""How a trial was chosen that stays, because nothing beats it for sure."""


@dataclass(frozen=True, slots=True)
class Selection:
    """How the best was chosen.

    Attributes
    ----------
    rule
        ``search.select``, or `CHAMPION` where the champion stays.
    best
        The trial with the best mean, of the scores that the choice went by.
    rivals
        Those that the folds cannot tell from the chosen one.
    fresh
        Whether it went by scores on fresh splits and seeds (``search.confirm``).

    """

    rule: str
    best: int
    rivals: Rivals
    fresh: bool = False

    @property
    def how(self) -> str:
        """By what the trial was chosen, in words.

        >>> Selection("within 20%", 7, Rivals(0, ())).how, Selection("best", 7, Rivals(0, ()), fresh=True).how
        ('the rule within 20%', 'its score on fresh splits')
        """
        if self.rule == CHAMPION:
            return "keeping the champion"
        rule = f"the rule {self.rule}"
        if self.fresh:
            return "its score on fresh splits" if self.rule == "best" else f"{rule} on fresh splits"
        return rule


@dataclass(frozen=True, slots=True)
class Ahead:
    """The trial with the best mean over the folds of the search, where another one was chosen.

    ``gain`` are the paired differences to the chosen one, positive where this one is better; None where there are none.
    """

    number: int
    mean: float | None
    gain: Difference | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was not tuned, on the folds of the search: shares of the classes or the mean, a linear model, the default.

    Attributes
    ----------
    name
        ``majority`` (shares of the classes), ``mean``, ``linear`` (scikit-learn's `LogisticRegression` or `Ridge`) or
        ``default`` (trial 0; not among them where it is the best).
    mean, fold_scores
        As those of a trial.
    beside
        Means over the folds by other metrics, each in its own sign.
    gain
        The paired differences of what is delivered and the anchor, both raw; None where the two cannot be compared.
    numbers
        How numbers are encoded for the linear model, where several ways were searched: the best for it on these folds.

    """

    name: str
    mean: float | None
    fold_scores: tuple[float | None, ...]
    beside: Mapping[str, float | None]
    gain: Difference | None
    numbers: str | None = None


@dataclass(frozen=True, slots=True)
class TriedRate:
    """A rate that the counterpart of the winner was tried with, and its mean on the folds of the search."""

    learning_rate: float
    mean: float | None


@dataclass(frozen=True, slots=True)
class Control:
    """The controlled pair: the winner, and all of it but its decay, on folds of a fresh split with equal seeds.

    Attributes
    ----------
    number
        Of the winner's trial.
    decay
        The decay whose worth is measured: that of the winner, or ``linear`` (to zero) if its rate is constant.
    counterpart
        The decay of the other one: ``constant``, or ``linear``.
    learning_rate
        Of the counterpart: the best of `rates` on the folds of the search.
    rates
        Those that it was tried with.
    fresh
        Whether the folds are of a fresh split; of rows in time there is none, and they are the last of the search.
    fold_scores, counterpart_scores
        Of both on these folds; None where one diverged.
    gain, error, low, high
        What decay gains over a constant rate: mean of the paired differences on the fresh folds, positive where decay
        is better; its standard error and 90 % interval (`lrtune.verdict.controlled`). None where one diverged; error
        and interval also where all differences are the same, which says nothing of how sure that is.

    """

    number: int
    decay: str
    counterpart: str
    learning_rate: float
    rates: tuple[TriedRate, ...]
    fresh: bool
    fold_scores: tuple[float | None, ...]
    counterpart_scores: tuple[float | None, ...]
    gain: float | None
    error: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class WarmupControl:
    """The winner with and without warm-up, on folds of a fresh split with equal seeds; and the rates that each bears.

    Attributes
    ----------
    number
        Of the winner's trial.
    warmup, counterpart
        Shares of the horizon that the winner and the other one warm up for; one of them is zero.
    learning_rate
        Of the counterpart: the best of `rates` on the folds of the search.
    rates
        Those that it was tried with.
    fresh
        Whether the folds are of a fresh split; of rows in time there is none, and they are the last of the search.
    fold_scores, counterpart_scores
        Of both on these folds; None where one diverged.
    gain, error, low, high
        What warm-up gains: as in `Control`.
    steeper
        Rates at which both were trained on the folds of the search.
    stable_with, stable_without
        The highest of these up to which training with and without warm-up is stable: no fold diverges, and the mean of
        the folds keeps nine tenths of the lead of the winner over the shares of the classes, or the mean. None where
        not even the lowest is.

    """

    number: int
    warmup: float
    counterpart: float
    learning_rate: float
    rates: tuple[TriedRate, ...]
    fresh: bool
    fold_scores: tuple[float | None, ...]
    counterpart_scores: tuple[float | None, ...]
    gain: float | None
    error: float | None
    low: float | None
    high: float | None
    steeper: tuple[float, ...]
    stable_with: float | None
    stable_without: float | None


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """How often a class occurs among the rows that the folds validate, and how often it is predicted there.

    A row counts once, however many repeats of the folds it is validated in: ``predicted`` is the mean over them.
    """

    name: str
    rows: int
    predicted: float


@dataclass(frozen=True, slots=True)
class Training:
    """The size of the training that a number is about: rows of the search, and of the models on its folds.

    The model that is handed over has all of the former, and those of the test too where `Delivered.rows` says so.
    """

    rows: int
    fold_rows: int


@dataclass(frozen=True, slots=True)
class ConstantRate:
    """The best trial with a constant rate, which may have another rate and optimizer than the best."""

    number: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A trial that was scored again on fresh splits and seeds.

    ``mean`` is that of the search; ``confirmed`` (None if it diverged) and ``fold_scores`` are fresh.
    """

    number: int
    mean: float | None
    confirmed: float | None
    fold_scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The first trials again (``search.confirm``), and by how much the search's scores of them are too good."""

    trials: tuple[Confirmed, ...]
    optimism: float | None


@dataclass(frozen=True, slots=True)
class OuterScore:
    """One outer fold: score and number of its rows, the trial that its search chose, and the mean inside of its model.

    ``trained`` is the number of rows that its search had, and its model is trained on.
    """

    score: float | None
    rows: int
    trial: int
    inner: float | None
    trained: int | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """What the whole search is worth (``search.nested``): scores of outer folds that its searches never saw.

    ``optimism`` is how much the searches' own means are too good, ``of`` how many outer folds were made. The first
    three are None if a model's predictions are beyond all numbers.
    """

    mean: float | None
    std: float | None
    optimism: float | None
    of: int
    folds: tuple[OuterScore, ...]


@dataclass(frozen=True, slots=True)
class KindDifference:
    """A difference without an error: each kind was picked as the best of its own trials, with a rate of its own."""

    mean: float
    wins: int
    folds: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A decay type or an optimizer: its best trial, of how many, and the difference to the control's best."""

    name: str
    trials: int
    number: int
    mean: float | None
    std: float | None
    difference: KindDifference | None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The score on rows that the search never saw; where it is None, ``has`` says why there is none.

    ``repeated`` of these rows, from a table of its own, equal rows that it was trained on.
    """

    score: float | None
    rows: int
    has: str | None = None
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Unscored:
    """Folds that are left out, since the metric has no score there: of how many; number and reason of each."""

    of: int
    folds: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many trials there are, and how many ended in which way."""

    total: int
    complete: int
    pruned: int
    failed: int
    diverged: int


@dataclass(frozen=True, slots=True)
class FirstPruned:
    """The first trial that was pruned, and why."""

    number: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Savings:
    """What pruning saved: the share of the training that was left out, and the seconds that it would have taken."""

    kind: str
    pruned: int
    first: FirstPruned | None
    saved: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall time: of the search over all sessions, and of the last retraining with the score of its seeds."""

    search: float
    retrain: float
    total: float


@dataclass(frozen=True, slots=True)
class TrainedCounts:
    """What the session trained that wrote the result, as `lrtune.run.bodies.Trained` says: all 0 if it only looked."""

    trials: int
    fits: int
    models: int
    reused: int = 0


@dataclass(frozen=True, slots=True)
class DataHashes:
    """Hashes of what training sees of the table, and of the rows of every fold."""

    hash: str | None
    folds: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of the delivered model: the corrected score where there is one, else the mean over the folds."""

    metric: str
    score: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """Write it in a few words.

        >>> print(Expected("accuracy", 0.953, 0.931, 0.972))
        accuracy 0.953 (95 % interval 0.931 to 0.972)
        """
        score, *ends = (significant(each, 4) for each in (self.score, self.low, self.high) if each is not None)
        return f"{self.metric} {score}" + (f" (95 % interval {ends[0]} to {ends[1]})" if ends else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search found.

    Attributes
    ----------
    schema
        Version of this layout.
    name
        Of the experiment.
    metric, larger_is_better
        What it was scored with, and whether more of it is better.
    best
        The trial that was chosen, with everything that trains it again.
    ahead
        The trial with the best mean, where that is another one; None if it is the chosen one.
    default
        The default configuration, which is always trial 0.
    gain
        The paired differences of what is delivered and the default; None where the two cannot be compared.
    delivered, corrected, selection, constant
        What is handed over, its score without luck, how the choice was made, and the best constant rate (None if that
        is the best, or there is none). All are None while the search goes on.
    no_model
        Why there is no model: the training of the best on all rows failed. None if there is one.
    anchors
        What was not tuned, on the same folds; empty while the search goes on, or for want of time.
    control
        What decay is worth by the controlled pair; None without one (``search.control``), or for want of time.
    warmup
        What warm-up is worth, where that was asked for (``search.warmup_control``).
    training
        Rows that the delivered model is trained on, and about how many one on a fold is.
    classes, classes_of_mean
        How often each occurs among the rows that are validated (in time order not all are), and how often the best
        predicts it; or, and then the second is true, the mean of trials that is delivered, where that can be told. The
        positive class of two is the second.
    confirmation, nested
        None unless they were asked for.
    decays, optimizers
        The best trial of each kind, ranked; empty where there is no other or no control.
    test
        None without test rows.
    unscored
        None if every fold has a score.
    counts
        How many trials; the key ``trials`` of the file.
    pruning
        None without pruning.
    seconds, finished
        What the search took, and why it ended; None while it goes on.
    trained
        What the last session trained of it: a finished study is judged again, and nothing is trained.
    data, fingerprint, versions
        What it is a result of: hashes of the data, of the experiment with its data, and what computed it.
    nightly
        The search beside the night before; None where it is no night.
    health
        What is odd about the search (`lrtune.verdict.health`), warnings first.
    gates
        What was asked of this result (`lrtune.verdict.gates`).
    notes
        What was noticed about the data and the search, the most important first.

    """

    schema: int = SCHEMA
    name: str | None
    metric: str
    larger_is_better: bool
    best: Standing
    default: Standing
    gain: Difference | None
    ahead: Ahead | None = None
    delivered: Delivered | None = None
    corrected: Corrected | None = None
    selection: Selection | None = None
    constant: ConstantRate | None = None
    no_model: str | None = None
    anchors: tuple[Anchor, ...] = ()
    control: Control | None = None
    warmup: WarmupControl | None = None
    training: Training | None = None
    classes: tuple[ClassCounts, ...] = ()
    classes_of_mean: bool = False
    confirmation: Confirmation | None = None
    nested: Nested | None = None
    decays: tuple[Kind, ...] = ()
    optimizers: tuple[Kind, ...] = ()
    test: HeldOut | None = None
    unscored: Unscored | None = None
    counts: Counts
    pruning: Savings | None = None
    seconds: Seconds
    finished: str | None = None
    trained: TrainedCounts | None = None
    data: DataHashes = field(default_factory=lambda: DataHashes(None, None))
    fingerprint: str | None = None
    versions: Mapping[str, str] | None = None
    nightly: Nightly | None = None
    health: tuple[Finding, ...] = ()
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """What a sentence calls the chosen trial: the best, if it has the best mean."""
        if self.is_mean:
            return "the best trial alone"
        return "the best" if self.ahead is None else f"trial {self.best.number}"

    @property
    def handed_over(self) -> str:
        """What a sentence calls what is delivered, by what its score is of."""
        return self.scored if self.is_mean else self.called

    @property
    def is_mean(self) -> bool:
        """Whether the mean of several trials is delivered."""
        return self.delivered is not None and self.delivered.is_mean

    @property
    def mean(self) -> float | None:
        """Mean over the folds of what is delivered: the best alone, or the mean of several trials."""
        return self.delivered.mean if self.delivered is not None and self.delivered.is_mean else self.best.mean

    @property
    def fold_scores(self) -> tuple[float | None, ...]:
        """The scores of this mean."""
        found = self.delivered
        return found.fold_scores if found is not None and found.is_mean else self.best.fold_scores

    @property
    def scored(self) -> str:
        """What this mean and these scores are of, in words."""
        return f"trial {self.best.number}" if self.delivered is None else self.delivered.scored

    @property
    def expected(self) -> Expected:
        """What to expect of the delivered model on new rows."""
        if self.corrected is None:
            assert self.mean is not None  # what is delivered is complete
            return Expected(self.metric, self.mean, None, None)
        return Expected(self.metric, self.corrected.score, self.corrected.low, self.corrected.high)

    def to_json(self) -> Json:
        """Give the content of ``result.json``, in JSON's types."""
        found = to_json(self)
        return {FILE_KEYS.get(key, key): value for key, value in found.items()}

    def but(self, **changes: Any) -> Result:
        """Copy it with some attributes changed."""
        return dataclasses.replace(self, **changes)


FILE_KEYS = {"counts": "trials"}
"""Attributes that have another name in the file."""
