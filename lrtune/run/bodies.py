"""What the events of a study say: the body of any of them, and as values what other rooms read of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

from lrtune.run.identity import Canonical, identity
from lrtune.space.trial import FinalScore
from lrtune.text.written import to_json

Body: TypeAlias = Mapping[str, Any]
"""What an event says, or a part of it, in JSON's types: other keys for each kind (`lrtune.run.study`)."""

CLOCK = "clock"
"""The key of a body that holds times, and what depends on them."""

RETRAINING = "retraining"
"""Under the clock of a retraining: the seconds of it alone, of those since the event before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """How many rows are kept for the test, and how many the search may use; in the order of a journal's keys."""

    test: int
    train: int


@dataclass(frozen=True, slots=True)
class FoldsLeftOut:
    """Folds that are left out, since the metric has no score there: of how many; number and reason of each."""

    of: int
    folds: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """How out-of-fold results are kept: their dtype, the columns of a row, and of how many rows they are."""

    dtype: str
    columns: int
    rows: int

    @property
    def like(self) -> tuple[str, tuple[int, ...]]:
        """Dtype and shape of a trial's record."""
        return self.dtype, (self.rows, *((self.columns,) if self.columns > 1 else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is studied, and with what; a study of an earlier version, or one that is told its scores, says less.

    Attributes
    ----------
    metric
        What trials are scored with; empty before the study has begun.
    name
        Of the experiment.
    task
        What is predicted: ``binary``, ``multiclass`` or ``regression``.
    experiment, data, folds, engine, code, taken
        What a result depends on (`lrtune.run.identity`).
    fingerprint
        Hash of these.
    rows
        How many there are.
    rows_ratio
        Validation rows over training rows of a fold.
    left_out
        None if every fold has a score.
    predictions
        How out-of-fold results are kept.
    probabilities
        How probabilities of all classes are kept beside them; None: they are not.
    trial_seconds
        What training the default configuration on all folds is expected to take.
    versions, kernels
        What computes it (`lrtune.run.versions`); under the clock, because they are no content.

    """

    metric: str = ""
    name: str | None = None
    task: str | None = None
    experiment: Canonical | None = None
    data: str | None = None
    folds: str | None = None
    engine: int | None = None
    code: str | None = None
    taken: Canonical | None = None
    fingerprint: str | None = None
    rows: RowCounts | None = None
    rows_ratio: float | None = None
    left_out: FoldsLeftOut | None = None
    predictions: RecordLayout | None = None
    probabilities: RecordLayout | None = None
    trial_seconds: float | None = None
    versions: Mapping[str, str] | None = None
    kernels: Mapping[str, str] | None = None

    @property
    def asked(self) -> Canonical:
        """The experiment; empty where the study does not say it."""
        return self.experiment or {}

    @property
    def identity(self) -> Canonical:
        """What the result depends on, to be compared with that of another study."""
        known = (self.experiment, self.data, self.folds, self.engine)
        return identity(*known, code=self.code, taken=self.taken)

    def body(self) -> Body:
        """Write it down, without what is not known."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        known.update({key: to_json(known[key]) for key in ("rows", "left_out", *_RECORDS)})
        timed = {key: known.pop(key) for key in _TIMED}
        return {**_without_none(known), CLOCK: _without_none(timed)}


_RECORDS = ("predictions", "probabilities")
_TIMED = ("versions", "kernels")


def _without_none(values: Body) -> Body:
    return {key: each for key, each in values.items() if each is not None}


def header(body: Body) -> Header:
    """Read the body of a ``study`` event; keys of later versions are passed over."""
    said = {**body, **body.get(CLOCK, {})}
    known = {each.name: said[each.name] for each in fields(Header) if each.name in said}
    for key, make in (("rows", _rows), ("left_out", _left_out), *((key, _kept) for key in _RECORDS)):
        if known.get(key):
            known[key] = make(known[key])
    return Header(**known)


def _rows(body: Body) -> RowCounts:
    return RowCounts(test=body["test"], train=body["train"])


def _left_out(body: Body) -> FoldsLeftOut:
    return FoldsLeftOut(body["of"], tuple((number, has) for number, has in body["folds"]))


def _kept(body: Body) -> RecordLayout:
    return RecordLayout(body["dtype"], body["columns"], body["rows"])


class Recipe(NamedTuple):
    """What a retrained model is made of.

    Attributes
    ----------
    trials
        Whose mean it is, the best first.
    seeds
        How many models there are of each.
    rows
        ``search``, or ``all``: those of the test as well.
    bag
        Whether it is the mean of the models of the folds, in place of one of all rows.

    """

    trials: tuple[int, ...]
    seeds: int = 1
    rows: str = "search"
    bag: bool = False

    def body(self) -> Body:
        """Write down what is not as it is for a single model of the rows of the search."""
        return {
            **({"trials": list(self.trials)} if len(self.trials) > 1 else {}),
            **({"seeds": self.seeds} if self.seeds > 1 else {}),
            **({"rows": self.rows} if self.rows != "search" else {}),
            **({"bag": True} if self.bag else {}),
        }


def recipe(body: Body) -> Recipe:
    """Read what `Recipe.body` wrote, beside the number of the best trial."""
    trials = tuple(body.get("trials", [body["trial"]]))
    return Recipe(trials, body.get("seeds", 1), body.get("rows", "search"), body.get("bag", False))


@dataclass(frozen=True, slots=True)
class Refit:
    """A trial retrained on all training rows, alone or as the first of a mean.

    Attributes
    ----------
    trial
        Its number.
    test
        Score of the model of the rows of the search on those of the test.
    model
        Hash of what was saved.
    recipe
        What that consists of; the trial alone where nothing else is said.
    diverged
        Trials of the recipe that diverged on all rows and are no part of the model.

    """

    trial: int
    test: FinalScore | None = None
    model: str | None = None
    recipe: Recipe | None = None
    diverged: tuple[int, ...] = ()

    @property
    def made_of(self) -> Recipe:
        """What the model consists of."""
        return self.recipe or Recipe((self.trial,))


class NoModel(NamedTuple):
    """A training on all training rows that failed: of what the model was to be made, and why there is none."""

    recipe: Recipe
    reason: str

    def body(self) -> Body:
        """Write it down."""
        return {"trial": self.recipe.trials[0], **self.recipe.body(), "reason": self.reason}


def no_model(body: Body) -> NoModel:
    """Read the body of a ``no_model`` event."""
    return NoModel(recipe(body), str(body["reason"]))


def tested_body(test: FinalScore) -> Body:
    """Write down a score on the test rows; ``has`` only where there is no score on them."""
    return {"score": test.score, "rows": test.rows, **({} if test.has is None else {"has": test.has})}


def refit(body: Body) -> Refit:
    """Read the body of a ``refit`` event; where the rates followed the real clock, it holds the score and the hash."""
    said = {**body, **body.get(CLOCK, {})}
    test = said.get("test")
    return Refit(
        trial=int(said["trial"]),
        test=FinalScore(test["score"], test["rows"], test.get("has")) if test else None,
        model=said.get("model"),
        recipe=recipe(said),
        diverged=tuple(said.get("diverged", ())),
    )


class SeedScores(NamedTuple):
    """What the mean of several seeds of a delivered choice scores on the folds; oriented."""

    recipe: Recipe
    scores: tuple[float, ...]

    def body(self) -> Body:
        """Write it down."""
        return {"trials": list(self.recipe.trials), "seeds": self.recipe.seeds, "scores": list(self.scores)}


def seed_scores(body: Body) -> SeedScores:
    """Read the body of a ``seeds`` event."""
    return SeedScores(Recipe(tuple(body["trials"]), body["seeds"]), tuple(body["scores"]))


class AnchorScores(NamedTuple):
    """Oriented scores of an anchor on each fold, and by other metrics; how numbers were encoded if in several ways."""

    scores: tuple[float | None, ...]
    beside: Mapping[str, tuple[float | None, ...]]
    numbers: str | None = None

    def body(self) -> Body:
        """Write it down; the encoding only where there was a choice."""
        said = self._asdict()
        written: Body = to_json({key: each for key, each in said.items() if each is not None})
        return written


def anchors_body(found: Mapping[str, AnchorScores]) -> Body:
    """Write down what the anchors have, by name."""
    return {"anchors": {name: each.body() for name, each in found.items()}}


def anchor_scores(body: Body) -> dict[str, AnchorScores]:
    """Read the body of an ``anchors`` event: the anchors by name."""
    return {
        name: AnchorScores(
            tuple(each["scores"]), {key: tuple(more) for key, more in each["beside"].items()}, each.get("numbers")
        )
        for name, each in body["anchors"].items()
    }


class ControlledPair(NamedTuple):
    """A winner and its counterpart (`lrtune.tuning.controlled`); scores are oriented, None where one diverged.

    Attributes
    ----------
    decay
        Of the counterpart.
    rates, scores
        Rates that it was tried with on the folds of the search, and the scores there.
    chosen
        Place of the rate that was taken.
    winner, other
        Scores of both on the fresh folds.
    fresh
        Whether these are of a fresh split; of rows in time there is none.

    """

    decay: str
    rates: tuple[float, ...]
    scores: tuple[tuple[float | None, ...], ...]
    chosen: int
    winner: tuple[float | None, ...]
    other: tuple[float | None, ...]
    fresh: bool = True

    def body(self, trial: int) -> Body:
        """Write it down as the pair of a trial."""
        said = self._asdict()
        pair = [said.pop("winner"), said.pop("other")]
        written: Body = to_json({"trial": trial, **said, "pair": pair})
        return written


def controlled_pair(body: Body) -> ControlledPair:
    """Read the body of a ``controlled`` event."""
    winner, other = (tuple(each) for each in body["pair"])
    scores = tuple(tuple(each) for each in body["scores"])
    fresh = bool(body["fresh"])
    return ControlledPair(str(body["decay"]), tuple(body["rates"]), scores, int(body["chosen"]), winner, other, fresh)


class Trained(NamedTuple):
    """What one session trained.

    Attributes
    ----------
    trials
        Trials that were trained, or trained on.
    fits
        Configurations trained on a fold: of trials, and of what the best is confirmed by and compared with.
    models
        Trainings on all rows that ended with a model.
    added
        Trials that a finished study was to search on by.
    reused
        Trials that another study has trained on the very same rows: they were taken over and not trained.

    """

    trials: int = 0
    fits: int = 0
    models: int = 0
    added: int = 0
    reused: int = 0

    def __add__(self, other: object) -> Trained:
        """Add what another search trained."""
        assert isinstance(other, Trained)
        return Trained(*(one + more for one, more in zip(self, other, strict=True)))


class WarmupPair(NamedTuple):
    """A winner with and without warm-up (`lrtune.tuning.warmups`); scores are oriented, None where one diverged.

    Attributes
    ----------
    warmup
        Of the counterpart: a share of the horizon.
    pair
        Both on the same folds.
    rates, scores
        Rates at which both were trained on the folds of the search, to see where training breaks, and their scores
        there: those of the winner and those of the counterpart. Empty where that failed.

    """

    warmup: float
    pair: ControlledPair
    rates: tuple[float, ...]
    scores: tuple[tuple[tuple[float | None, ...], ...], ...]

    def body(self, trial: int) -> Body:
        """Write it down as the pair of a trial."""
        written: Body = to_json(
            {**self.pair.body(trial), "warmup": self.warmup, "steeper": {"rates": self.rates, "scores": self.scores}}
        )
        return written


def warmup_pair(body: Body) -> WarmupPair:
    """Read the body of a ``warmup`` event."""
    steeper = body["steeper"]
    scores = tuple(tuple(tuple(each) for each in one) for one in steeper["scores"])
    return WarmupPair(float(body["warmup"]), controlled_pair(body), tuple(steeper["rates"]), scores)


class Mended(NamedTuple):
    """A journal that was found damaged.

    Attributes
    ----------
    kept
        Name of the file that it was put aside as; None if it was lost.
    events
        How many of them could be read.

    """

    kept: str | None
    events: int

    def body(self) -> Body:
        """Write it down: none of it is content."""
        return {CLOCK: self._asdict()}


class MixedWorker(NamedTuple):
    """A worker whose machine computes other last digits, and that has given results: its name, and what differs."""

    name: str
    differs: str

    def body(self) -> Body:
        """Write it down: none of it is content."""
        return {CLOCK: self._asdict()}


def mixed_worker(body: Body) -> MixedWorker:
    """Read the body of a ``mixed`` event."""
    return MixedWorker(body[CLOCK]["name"], body[CLOCK]["differs"])


def mended(body: Body) -> Mended:
    """Read the body of a ``mended`` event."""
    said = body[CLOCK]
    return Mended(said["kept"], said["events"])
