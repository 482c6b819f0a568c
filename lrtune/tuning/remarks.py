"""What is worth saying about a search beside its numbers, in sentences; the most important first."""

from __future__ import annotations

from collections.abc import Iterator

from lrtune.experiment import Experiment
from lrtune.finder import RateFinding
from lrtune.run.study import StudyState
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.text import formats
from lrtune.text.errors import counted, listed
from lrtune.trainers.calibration import speed_key
from lrtune.trainers.preparation import Prepared
from lrtune.training.wall_clock import follows_clock
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.result import Corrected, Result


def notes(
    result: Result, study: StudyState, experiment: Experiment, prepared: Prepared, finding: RateFinding | None
) -> tuple[str, ...]:
    """List what was noticed about the study and the data, whatever happened on the way."""
    return (
        *_end(study, experiment),
        *_mixed(study),
        *_not_compared(study, experiment, result),
        *_alone(result),
        *_seeds(result, experiment),
        *_swept(finding),
        *_timed(study, experiment, result.best.number),
        *prepared.warnings,
        *_on_correction(result, experiment, study),
        *_on_default(experiment),
        *prepared.notes,
    )


def mended(study: StudyState) -> tuple[str, ...]:
    """Say what had become of the journal, if it was found damaged."""
    return tuple(
        f"study.db was damaged and is kept as {each.kept}; {each.events} of its events could be read, and the "
        "search went on behind them"
        if each.kept
        else "study.db was lost or empty: everything was trained again"
        for each in study.mended
    )


def _mixed(study: StudyState) -> Iterator[str]:
    """Name the workers that compute other last digits."""
    for each in study.mixed:
        yield f"the worker {each.name} took part (--mixed) and computes other last digits: {each.differs}"


def _end(study: StudyState, experiment: Experiment) -> tuple[str, ...]:
    """Say why a search ended before its budget was spent."""
    if study.finished == "timeout":
        left = experiment.planned - (len(study.trials) - len(study.unfinished()))
        more = counted(left, "more trial")
        return (f"the time was over before {more}; the same command with a longer --timeout goes on",)
    tried, trials = len(study.trials), counted(experiment.search.trials, "trial")
    if study.finished == "target":
        return (f"the target was reached with {tried} of {trials}; without search.target the search goes on",)
    if study.finished == "no_gain":
        why = f"after {tried} of {trials} there is less to gain than the folds can tell apart"
        return (f"{why} (search.stop: no_gain); without it the search goes on",)
    if study.finished != "exhausted":
        return ()
    if tried == 1:
        return (f"the space has one configuration, which has been tried: the search ended before {trials}",)
    return (f"the space has {tried:,} configurations and all have been tried: the search ended before {trials}",)


def _not_compared(study: StudyState, experiment: Experiment, result: Result) -> Iterator[str]:
    """Say what the winner was not compared with for want of time."""
    missing = [] if study.anchors else ["a linear model"]
    if experiment.search.control and result.control is None:
        missing.append("the same training with another decay")
    if missing and experiment.search.timeout is not None:
        yield f"there was no time to compare the best with {' and '.join(missing)}"


def _alone(result: Result) -> Iterator[str]:
    """Say why one trial is delivered where a mean of several was asked for."""
    if result.delivered is not None and result.delivered.why_single is not None:
        yield f"one trial is delivered and no mean of several: {result.delivered.why_single}"


def _seeds(result: Result, experiment: Experiment) -> Iterator[str]:
    """Say why nobody knows what all seeds together have on the folds."""
    found = result.delivered
    if found is None or found.seeds == 1 or found.of_seeds is not None:
        return
    if experiment.search.timeout is not None:
        why = "there was no time to train them on the folds"
    else:
        why = "not all out-of-fold predictions are kept"
    yield f"the {found.seeds} seeds that the model has of each trial have no score on the folds: {why}"


def _swept(finding: RateFinding | None) -> Iterator[str]:
    """Say what was searched where the experiment said ``learning_rate: auto``."""
    for name, each in finding.suggestions.items() if finding else ():
        if each.search_range is None:
            yield f"learning_rate of {name}: its documented range, because {each.sentence}"
        else:
            low, high = map(formats.rate, each.search_range)
            yield f"learning_rate of {name}: from {low} to {high}, as `lrtune finder` suggests"


def _timed(study: StudyState, experiment: Experiment, best: int) -> tuple[str, ...]:
    """Say what time the rates of the best followed, where that had to be measured."""
    chosen = experiment.configuration(study.trials[best].configuration)
    if not follows_clock(chosen):
        return ()
    seconds = formats.number(study.speeds[speed_key(chosen)])
    return (f"each update of trial {best} counted as {seconds} s, measured here; wall_clock's step_seconds fixes it",)


def _on_default(experiment: Experiment) -> Iterator[str]:
    """Say how far trial 0 is the default configuration of a trainer that is not lrtune's own."""
    own, first = experiment.own_names, experiment.space.default()
    known = experiment.trainer.defaults
    unknown = sorted(key for key in own if key in first and key not in known)
    if unknown:
        yield (
            f"nobody said what the default of {listed(unknown)} is: trial 0, called the default, has the middle of a "
            "range and the first of a list; `defaults:` in the experiment names values"
        )
    for key in sorted(key for key in own if key in first and key in known and first[key] != known[key]):
        yield f"the default of {key}, {known[key]!r}, is not in the space: trial 0 has {first[key]!r}"


def _on_correction(result: Result, experiment: Experiment, study: StudyState) -> tuple[str, ...]:
    """Say how far the correction holds, unless there was nothing to choose."""
    if result.counts.total == 1:
        return ()
    strategy, pruning = experiment.search.strategy, experiment.search.pruning
    return on_correction(strategy, pruning, result.corrected, told=not study.predictions)


def on_correction(strategy: str, pruning: str, corrected: Corrected | None, *, told: bool = False) -> tuple[str, ...]:
    """Say how far a correction holds where the search followed the scores, or where there were no predictions.

    ``told``: the trainer gives scores and no predictions at all.
    """
    if corrected is None:
        return ()
    if corrected.method != "bootstrap" and told:
        return ("the trainer gives scores and no predictions: the correction is made from fold scores alone",)
    if corrected.method != "bootstrap":
        return ("the out-of-fold predictions are missing or damaged: the correction is made from fold scores alone",)
    if STRATEGIES[strategy].follows_scores or PRUNINGS[pruning].follows_scores:
        what = "repeats the choice among the trials, not the search that followed their scores"
    elif PRUNINGS[pruning].is_race:
        what = "repeats the races with the choice"
    else:
        return ()
    held = "in simulated searches its 95 % intervals held the truth in 90 % and more (docs/honesty.md)"
    return (f"the correction {what}; {held}",)
