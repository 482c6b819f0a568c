"""A study: what its events add up to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lrtune.run.journal import CLOCK, Event
from lrtune.space.trial import Curves, Trial, TrialState, frozen

STUDY, TRIAL, SPEED, RESULT, PRUNED, CONFIRM, REFIT, FINISHED, MENDED = (
    "study",
    "trial",
    "speed",
    "result",
    "pruned",
    "confirm",
    "refit",
    "finished",
    "mended",
)
"""The kinds of events.

``study``     what is studied: experiment, fingerprint, number of folds, data, versions; once, first
``trial``     a configuration proposed: its number and the point of the search space
``speed``     seconds that each update of a network counts as, for decays that follow the time
``result``    what one stage says of a trial: its scores on the folds of the stage, or the reason why it failed
``pruned``    a trial that goes no further: after which stage, why, and the numbers behind it
``confirm``   a trial's scores on fresh splits and seeds (`lrtune.verdict.confirmation`)
``refit``     a trial retrained on all training rows, its score on the test rows and the hash of the model; these two
              stand under the clock if the rates followed the real one, because then they are others each time
``finished``  the search ended, and why
``mended``    the journal was found damaged: where that is kept, and how many of its events could be read
"""

ASK_AND_TELL = "ask and tell"
"""Trainer of a study whose trials are trained by whoever asks for them (`lrtune.tuning.ask_and_tell`)."""


@dataclass
class StudyState:
    """The state that the events so far add up to; grows by `add`.

    Attributes
    ----------
    header
        Body of the ``study`` event; empty before it.
    trials
        Every trial by its number.
    speeds
        Seconds that each update counts as, by what the time depends on (`lrtune.trainers.calibration`).
    predictions
        Which out-of-fold results of each trial are kept: of how many folds, and their hash, for each stage.
    confirmed
        Scores on fresh splits and seeds, by trial; empty for one that failed there.
    refit
        Body of the last ``refit`` event.
    finished
        Why the search ended; None while it goes on.
    mended
        For each time the journal was found damaged: where that is ``kept``, and how many ``events`` could be read.
    search_seconds, retrain_seconds
        Wall time spent, over all sessions.

    """

    header: Mapping[str, Any] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)
    speeds: dict[tuple[tuple[str, Any], ...], float] = field(default_factory=dict)
    predictions: dict[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    confirmed: dict[int, tuple[float | None, ...]] = field(default_factory=dict)
    refit: Mapping[str, Any] | None = None
    finished: str | None = None
    mended: list[Mapping[str, Any]] = field(default_factory=list)
    search_seconds: float = 0.0
    retrain_seconds: float = 0.0

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
    scales: Iterable[Sequence[float]] = (),
    curves: Mapping[str, Sequence[float | None]] | None = None,
) -> dict[str, Any]:
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
    scales
        What the rates of each epoch were multiplied by, on each fold; empty where nothing was watched. Written as runs:
        ``[[1.0, 12], [0.1, 8]]`` are twelve epochs at the peak and eight at a tenth of it.
    curves
        Learning curves, mean over the folds of the stage: ``epochs``, ``train`` and ``validation`` of equal length.

    """
    body: dict[str, Any] = {"trial": number, "stage": stage, "scores": list(scores), "diverged": list(diverged)}
    runs = [[[value, len(list(run))] for value, run in itertools.groupby(each)] for each in scales if each]
    if shorter > 1:
        body["shorter"] = shorter
    optional = {"more": more, "reason": reason, "predictions": predictions, "scales": runs, "curves": curves}
    body.update({key: value for key, value in optional.items() if value})
    return body


def _on_study(study: StudyState, body: Mapping[str, Any]) -> None:
    study.header = body


def _on_trial(study: StudyState, body: Mapping[str, Any]) -> None:
    number = int(body["trial"])
    configuration = {key: frozen(value) for key, value in body["configuration"].items()}
    study.trials[number] = Trial(number=number, configuration=configuration)
    study.finished = None  # a raised budget goes on


def _on_speed(study: StudyState, body: Mapping[str, Any]) -> None:
    key = sorted((name, frozen(value)) for name, value in body.items() if name not in (CLOCK, "step_seconds"))
    study.speeds[tuple(key)] = float(body["step_seconds"])


def _on_result(study: StudyState, body: Mapping[str, Any]) -> None:
    trial = study.trials[int(body["trial"])]
    scores, shorter = tuple(body["scores"]), int(body.get("shorter", 1))
    if body.get("predictions"):
        part = (len(scores), str(body["predictions"]))
        study.predictions[trial.number] = (*study.predictions.get(trial.number, ()), part)
    known: dict[str, Any] = {}
    if shorter > 1:
        known["horizon_scores"] = (*trial.horizon_scores, (shorter, scores))
    else:
        scales = tuple(_unrolled(each) for each in body.get("scales", ()))
        known["fold_scores"] = (*trial.fold_scores, *scores)
        known["scales"] = (*trial.scales, *scales)
        known["curves"] = _joined(trial, body.get("curves"), len(scores))
    study.trials[trial.number] = replace(
        trial,
        state=_state(body, scores),
        stage=int(body["stage"]),
        reason=body.get("reason") or _divergence(body["diverged"], shorter),
        **known,
    )
    study.finished = None  # there was more time
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _joined(trial: Trial, curves: Mapping[str, Any] | None, folds: int) -> Curves | None:
    """Average the curves of the folds so far with those of ``folds`` more."""
    if curves is None or trial.curves is None:
        return trial.curves if curves is None else Curves(*(tuple(curves[key]) for key in Curves._fields))
    before = len(trial.fold_scores)

    def mean(one: Sequence[float | None], other: Sequence[float | None]) -> tuple[float | None, ...]:
        pairs = zip(one, other, strict=True)
        return tuple(None if a is None or b is None else (a * before + b * folds) / (before + folds) for a, b in pairs)

    known = trial.curves
    return Curves(known.epochs, mean(known.train, curves["train"]), mean(known.validation, curves["validation"]))


def _unrolled(runs: Iterable[tuple[float, int]]) -> tuple[float, ...]:
    return tuple(value for value, epochs in runs for _ in range(epochs))


def _state(body: Mapping[str, Any], scores: tuple[float | None, ...]) -> TrialState:
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


def _on_pruned(study: StudyState, body: Mapping[str, Any]) -> None:
    number = int(body["trial"])
    study.trials[number] = replace(study.trials[number], state=TrialState.PRUNED, reason=str(body["reason"]))


def _on_confirm(study: StudyState, body: Mapping[str, Any]) -> None:
    study.confirmed[int(body["trial"])] = tuple(body["scores"])
    study.search_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_refit(study: StudyState, body: Mapping[str, Any]) -> None:
    timed = {key: value for key, value in body.get(CLOCK, {}).items() if key in ("test", "model")}
    study.refit = {**body, **timed}
    study.retrain_seconds += body.get(CLOCK, {}).get("seconds", 0.0)


def _on_finished(study: StudyState, body: Mapping[str, Any]) -> None:
    study.finished = str(body["reason"])


def _on_mended(study: StudyState, body: Mapping[str, Any]) -> None:
    study.mended.append(body[CLOCK])


_HANDLERS = {
    STUDY: _on_study,
    TRIAL: _on_trial,
    SPEED: _on_speed,
    RESULT: _on_result,
    PRUNED: _on_pruned,
    CONFIRM: _on_confirm,
    REFIT: _on_refit,
    FINISHED: _on_finished,
    MENDED: _on_mended,
}
