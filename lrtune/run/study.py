"""A study: what its events add up to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lrtune.run import bodies
from lrtune.run.bodies import (
    CLOCK,
    RETRAINING,
    AnchorScores,
    Body,
    ControlledPair,
    Header,
    Mended,
    MixedWorker,
    NoModel,
    Refit,
    SeedScores,
    WarmupPair,
)
from lrtune.run.journal import Event
from lrtune.space.trial import Curves, FinalScore, Trial, TrialState, Value, frozen

(
    STUDY,
    TRIAL,
    SPEED,
    RESULT,
    PRUNED,
    CONFIRM,
    REFIT,
    NO_MODEL,
    SEEDS,
    ANCHORED,
    CONTROLLED,
    WARMED,
    FINISHED,
    MORE,
    MENDED,
    MIXED,
) = (
    "study",
    "trial",
    "speed",
    "result",
    "pruned",
    "confirm",
    "refit",
    "no_model",
    "seeds",
    "anchors",
    "controlled",
    "warmup",
    "finished",
    "more",
    "mended",
    "mixed",
)
"""The kinds of events.

``study``     what is studied: experiment, fingerprint, number of folds, data, versions; once, first
``trial``     a configuration proposed: its number and the point of the search space, and of which champion it is
``speed``     seconds that each update of a network counts as, for decays that follow the time
``result``    what one stage says of a trial: its scores on the folds of the stage, or the reason why it failed; of one
              that another study has trained on the very same rows, the fingerprint of that study (``reused``)
``pruned``    a trial that goes no further: after which stage, why, and the numbers behind it
``confirm``   a trial's scores on fresh splits and seeds (`lrtune.verdict.confirmation`)
``seeds``     what the mean of several seeds of the delivered choice scores on the folds (`lrtune.tuning.seeds`)
``refit``     a trial retrained on all training rows, its score on the test rows and the hash of the model; these two
              stand under the clock if the rates followed the real one, because then they are others each time
``no_model``  the retraining failed, and why: there is no model, until a ``refit`` follows
``anchors``   scores of what was not tuned, on the same folds (`lrtune.trainers.anchors`); no trials
``controlled``  the winner and its counterpart with another decay (`lrtune.tuning.controlled`); no trials
``warmup``    the winner with and without warm-up (`lrtune.tuning.warmups`); no trials
``finished``  the search ended, and why
``more``      a finished study is to search on, to how many trials; under the clock, because budgets are no content
``mended``    the journal was found damaged: where that is kept, and how many of its events could be read
``mixed``     a worker that computes other last digits has given results: its name, and what differs
"""

ASK_AND_TELL = "ask and tell"
"""Trainer of a study whose trials are trained by whoever asks for them (`lrtune.tuning.ask_and_tell`)."""


@dataclass
class StudyState:
    """The state that the events so far add up to; grows by `add`.

    Attributes
    ----------
    header
        What is studied; nothing is known of it before the ``study`` event.
    trials
        Every trial by its number.
    speeds
        Seconds that each update counts as, by what the time depends on (`lrtune.trainers.calibration`).
    predictions
        Which out-of-fold results of each trial are kept: of how many folds, and their hash, for each stage.
    probabilities
        The same of the probabilities of all classes, where these are kept beside them.
    confirmed
        Scores on fresh splits and seeds, by trial; empty for one that failed there.
    refit
        The last retraining; None before any.
    no_model
        The retraining that failed; None if none did, or a later one went well.
    seeds
        The last score of several seeds; None where there is one only.
    anchors
        Scores of what was not tuned, by name; empty before there are any.
    controlled
        Controlled pairs, by the winner's trial.
    warmed
        The same for warm-up.
    finished
        Why the search ended; None while it goes on.
    reused
        Trials that were not trained here, with the fingerprint of the study that has.
    asked
        How many trials a finished study was to search on to; 0 if nobody has asked for more.
    mended
        Each time the journal was found damaged.
    mixed
        Workers that compute other last digits and have given results.
    search_seconds
        Wall time spent over all sessions, but for what is in `retrain_seconds`.
    trials_seconds
        The part of it in which trials were trained; without what they are compared with.
    refit_seconds, seeds_seconds
        What the last retraining took, and the last score of several seeds.

    """

    header: Header = field(default_factory=Header)
    trials: dict[int, Trial] = field(default_factory=dict)
    speeds: dict[tuple[tuple[str, Value], ...], float] = field(default_factory=dict)
    predictions: dict[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    probabilities: dict[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    confirmed: dict[int, tuple[float | None, ...]] = field(default_factory=dict)
    refit: Refit | None = None
    no_model: NoModel | None = None
    seeds: SeedScores | None = None
    anchors: dict[str, AnchorScores] = field(default_factory=dict)
    controlled: dict[int, ControlledPair] = field(default_factory=dict)
    warmed: dict[int, WarmupPair] = field(default_factory=dict)
    finished: str | None = None
    reused: dict[int, str] = field(default_factory=dict)
    asked: int = 0
    mended: list[Mended] = field(default_factory=list)
    mixed: list[MixedWorker] = field(default_factory=list)
    search_seconds: float = 0.0
    trials_seconds: float = 0.0
    refit_seconds: float = 0.0
    seeds_seconds: float = 0.0

    @property
    def retrain_seconds(self) -> float:
        """Wall time that the model took which is there now, with the score of its seeds on the folds."""
        own = self.seeds is not None and self.refit is not None and self.refit.made_of[:2] == self.seeds.recipe[:2]
        return self.refit_seconds + (self.seeds_seconds if own else 0.0)

    @property
    def tested(self) -> FinalScore | None:
        """Score of the retrained model on the test rows; None before there is one, or without such rows."""
        return None if self.refit is None else self.refit.test

    def add(self, event: Event) -> None:
        """Take one event into account; kinds of later versions are passed over."""
        handle = _HANDLERS.get(event.kind)
        if handle is not None:
            handle(self, event.body)

    def in_order(self) -> list[Trial]:
        """List the trials by number."""
        return [self.trials[number] for number in sorted(self.trials)]

    def unfinished(self) -> list[Trial]:
        """List the trials that are not over, by number."""
        return [each for each in self.in_order() if not each.is_over]

    def count(self, state: TrialState) -> int:
        """Count the trials in this state."""
        return sum(each.state is state for each in self.trials.values())


def replay(events: Iterable[Event]) -> StudyState:
    """Rebuild a study from its events in the order of writing."""
    study = StudyState()
    for each in events:
        study.add(each)
    return study


def proposed_body(trial: Trial) -> Body:
    """Write down that a trial is proposed."""
    said = {"trial": trial.number, "configuration": dict(trial.configuration)}
    return said if trial.champion is None else {**said, "champion": trial.champion}


def result_body(
    number: int,
    scores: Iterable[float | None],
    diverged: Iterable[int | None] = (),
    *,
    stage: int = 0,
    more: bool = False,
    shorter: int = 1,
    reason: str | None = None,
    predictions: str | None = None,
    probabilities: str | None = None,
    scales: Iterable[Sequence[float]] = (),
    curves: Mapping[str, Sequence[float | None]] | None = None,
    beside: Mapping[str, Sequence[float | None]] | None = None,
    predicted: Iterable[int] = (),
) -> Body:
    """Write down what one stage says of a trial; where there is but one, that is its end.

    Parameters
    ----------
    number
        The trial.
    scores
        Oriented score of each fold of the stage, None where its lane diverged; empty for a failed trial.
    diverged
        Epoch at which each fold's lane became non-finite, None where it did not.
    stage
        Number of the stage.
    more
        Whether another one follows, if the trial is not pruned.
    shorter
        What the epochs were divided by.
    reason
        Why the trial failed.
    predictions
        Hash of its out-of-fold results on these folds.
    probabilities
        Hash of the probabilities of all classes there, where they are kept as well.
    scales
        What the rates of each epoch were multiplied by, on each fold; empty where nothing was watched. Written as runs:
        ``[[1.0, 12], [0.1, 8]]`` are twelve epochs at the peak and eight at a tenth of it.
    curves
        Learning curves over the folds of the stage: ``epochs``; the means ``train`` and ``validation``; ``low`` and
        ``high``, the validation losses of the folds where they are lowest and highest. All of equal length.
    beside
        Oriented scores on each fold of the stage by other metrics.
    predicted
        How often each class is predicted on these folds.

    """
    runs = [[[value, len(list(run))] for value, run in itertools.groupby(each)] for each in scales if each]
    optional = {
        "shorter": shorter if shorter > 1 else None,
        "more": more,
        "reason": reason,
        "predictions": predictions,
        "probabilities": probabilities,
        "scales": runs,
        "curves": curves,
        "beside": beside and {name: list(scores) for name, scores in beside.items()},
        "predicted": list(predicted),
    }
    said = {key: value for key, value in optional.items() if value}
    return {"trial": number, "stage": stage, "scores": list(scores), "diverged": list(diverged), **said}


def _on_study(study: StudyState, body: Body) -> None:
    study.header = bodies.header(body)


def _on_trial(study: StudyState, body: Body) -> None:
    number = int(body["trial"])
    configuration = {key: frozen(value) for key, value in body["configuration"].items()}
    study.trials[number] = Trial(number, configuration, champion=body.get("champion"))
    study.finished = None  # a raised budget goes on


def _on_speed(study: StudyState, body: Body) -> None:
    key = sorted((name, frozen(value)) for name, value in body.items() if name not in (CLOCK, "step_seconds"))
    study.speeds[tuple(key)] = float(body["step_seconds"])


def _on_result(study: StudyState, body: Body) -> None:
    trial = study.trials[int(body["trial"])]
    scores, shorter = tuple(body["scores"]), int(body.get("shorter", 1))
    for kind, known in (("predictions", study.predictions), ("probabilities", study.probabilities)):
        if body.get(kind):
            known[trial.number] = (*known.get(trial.number, ()), (len(scores), str(body[kind])))
    scored = replace(
        trial,
        state=_state(body, scores),
        stage=int(body["stage"]),
        reason=body.get("reason") or _divergence(body["diverged"], shorter),
    )
    study.trials[trial.number] = _of_horizon(scored, shorter, scores) if shorter > 1 else _of_folds(scored, body)
    study.finished = None  # there was more time
    if body.get("reused"):
        study.reused[trial.number] = str(body["reused"])
    seconds = body.get(CLOCK, {}).get("seconds", 0.0)
    study.search_seconds += seconds
    study.trials_seconds += seconds


def _of_horizon(trial: Trial, shorter: int, scores: tuple[float | None, ...]) -> Trial:
    return replace(trial, horizon_scores=(*trial.horizon_scores, (shorter, scores)))


def _of_folds(trial: Trial, body: Body) -> Trial:
    """Add what a stage of the whole horizon says."""
    scores, scales = body["scores"], tuple(_unrolled(each) for each in body.get("scales", ()))
    return replace(
        trial,
        fold_scores=(*trial.fold_scores, *scores),
        scales=(*trial.scales, *scales),
        curves=_joined(trial, body.get("curves"), len(scores)),
        beside={name: (*trial.beside.get(name, ()), *more) for name, more in body.get("beside", {}).items()},
        predicted=_summed(trial.predicted, body.get("predicted", ())),
    )


def _summed(counts: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    """Add the counts of another stage."""
    return tuple(map(sum, itertools.zip_longest(counts, more, fillvalue=0)))


def _joined(trial: Trial, curves: Body | None, folds: int) -> Curves | None:
    """Join the curves of the folds so far with those of ``folds`` more."""
    known = trial.curves
    more = None if curves is None else Curves(**{key: tuple(curves[key]) for key in Curves._fields if key in curves})
    if known is None or more is None:
        return known or more
    before = len(trial.fold_scores)

    def mean(one: float, other: float) -> float:
        return (one * before + other * folds) / (before + folds)

    return Curves(
        known.epochs,
        _by_epoch(mean, known.train, more.train),
        _by_epoch(mean, known.validation, more.validation),
        _by_epoch(min, known.low, more.low),
        _by_epoch(max, known.high, more.high),
    )


def _by_epoch(
    join: Callable[[float, float], float], one: Sequence[float | None], other: Sequence[float | None]
) -> tuple[float | None, ...]:
    """Join two curves epoch by epoch; nothing is known where one of them is not."""
    pairs = zip(one, other, strict=False)  # a stage of an earlier version says nothing of single folds
    return tuple(None if a is None or b is None else join(a, b) for a, b in pairs)


def _unrolled(runs: Iterable[tuple[float, int]]) -> tuple[float, ...]:
    return tuple(value for value, epochs in runs for _ in range(epochs))


def _state(body: Body, scores: tuple[float | None, ...]) -> TrialState:
    if body.get("reason"):
        return TrialState.FAILED
    if None in scores:
        return TrialState.DIVERGED
    return TrialState.PROPOSED if body.get("more") else TrialState.COMPLETE


def _divergence(epochs: Iterable[int | None], shorter: int) -> str | None:
    reached = [each for each in epochs if each is not None]
    if not reached:
        return None
    horizon = f" of a horizon {shorter} times shorter" if shorter > 1 else ""
    return f"diverged on {len(reached)} of its folds, first in epoch {min(reached)}{horizon}"


def _on_pruned(study: StudyState, body: Body) -> None:
    number = int(body["trial"])
    study.trials[number] = replace(study.trials[number], state=TrialState.PRUNED, reason=str(body["reason"]))


def _on_confirm(study: StudyState, body: Body) -> None:
    study.confirmed[int(body["trial"])] = tuple(body["scores"])
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_refit(study: StudyState, body: Body) -> None:
    study.refit, study.no_model = bodies.refit(body), None
    clock = body.get(CLOCK, {})
    retraining = clock.get(RETRAINING, 0.0)
    study.refit_seconds = retraining
    study.search_seconds += clock.get("seconds", 0.0) - retraining  # blocks that the end of the time has stopped


def _on_no_model(study: StudyState, body: Body) -> None:
    study.refit, study.no_model = None, bodies.no_model(body)
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_seeds(study: StudyState, body: Body) -> None:
    study.seeds = bodies.seed_scores(body)
    study.seeds_seconds = body.get(CLOCK, {}).get("seconds", 0.0)


def _on_anchors(study: StudyState, body: Body) -> None:
    study.anchors = bodies.anchor_scores(body)
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_controlled(study: StudyState, body: Body) -> None:
    study.controlled[int(body["trial"])] = bodies.controlled_pair(body)
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_warmed(study: StudyState, body: Body) -> None:
    study.warmed[int(body["trial"])] = bodies.warmup_pair(body)
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_finished(study: StudyState, body: Body) -> None:
    study.finished = str(body["reason"])


def _on_more(study: StudyState, body: Body) -> None:
    study.asked, study.finished = int(body[CLOCK]["trials"]), None


def _on_mended(study: StudyState, body: Body) -> None:
    study.mended.append(bodies.mended(body))


def _on_mixed(study: StudyState, body: Body) -> None:
    study.mixed.append(bodies.mixed_worker(body))


_HANDLERS = {
    STUDY: _on_study,
    TRIAL: _on_trial,
    SPEED: _on_speed,
    RESULT: _on_result,
    PRUNED: _on_pruned,
    CONFIRM: _on_confirm,
    REFIT: _on_refit,
    NO_MODEL: _on_no_model,
    SEEDS: _on_seeds,
    ANCHORED: _on_anchors,
    CONTROLLED: _on_controlled,
    WARMED: _on_warmed,
    FINISHED: _on_finished,
    MORE: _on_more,
    MENDED: _on_mended,
    MIXED: _on_mixed,
}
