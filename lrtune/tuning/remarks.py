"""What is worth saying about a search beside its numbers, in sentences; the most important first."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lrtune.experiment import Experiment
from lrtune.finder import RateFinding
from lrtune.run.bodies import Trained
from lrtune.run.study import StudyState
from lrtune.run.taken import TakenOver
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.text import formats
from lrtune.text.errors import counted, listed
from lrtune.trainers.calibration import speed_key
from lrtune.trainers.preparation import Prepared
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.wall_clock import follows_clock
from lrtune.tuning.allowance import UNLIMITED, Allowance
from lrtune.tuning.finishing import EXHAUSTED, TIMEOUT
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.result import Corrected, Result


def notes(
    result: Result,
    study: StudyState,
    experiment: Experiment,
    prepared: Prepared,
    finding: RateFinding | None,
    *,
    allowance: Allowance = UNLIMITED,
) -> tuple[str, ...]:
    """List what was noticed about the study and the data, whatever happened on the way."""
    is_timed = min(allowance.timeout, experiment.search.timeout or math.inf) < math.inf
    return (
        *_end(study, experiment),
        *_mixed(study),
        *_not_compared(study, experiment, result, is_timed=is_timed),
        *_alone(result),
        *_seeds(result, is_timed=is_timed),
        *_swept(finding),
        *_timed(study, experiment, result.best.number),
        *prepared.warnings,
        *_on_correction(result, experiment, study),
        *_on_default(experiment),
        *prepared.notes,
    )


def idle(result: Result, experiment: Experiment, allowance: Allowance = UNLIMITED) -> str:
    """Say why a session has trained no trial; nothing if it has trained one."""
    trained = result.trained
    if trained is None or trained.trials:
        return ""
    what = "no trial" if trained.fits or trained.models else "nothing"
    tried = result.counts.total
    if trained.reused:
        why = f"{counted(trained.reused, 'trial')} had been trained on the very same rows, and were taken over"
    elif result.finished == TIMEOUT:
        why = "the time was over before another trial could end"
    elif tried >= experiment.space.size and (allowance.more_trials or result.finished == EXHAUSTED):
        size = "the one configuration" if tried == 1 else f"all {tried:,} configurations"
        why = f"{size} of the space {'has' if tried == 1 else 'have'} been tried"
    else:
        why = f"the study was finished, with {counted(tried, 'trial')}"
    return f"This session trained {what}: {why}."


def not_added(trained: Trained, experiment: Experiment, study: StudyState, allowance: Allowance) -> tuple[str, ...]:
    """Say why a session has added no trials although it was to."""
    if not allowance.more_trials or trained.added or len(study.trials) >= experiment.space.size:
        return ()
    asked = counted(max(experiment.planned, study.asked), "trial")
    how = f"it went on to the {asked} it was asked for, and the same command now adds to them"
    return (f"--more-trials {allowance.more_trials} adds to a finished study, which this was not: {how}",)


def warm(taken: TakenOver, experiment: Experiment) -> Iterator[str]:
    """Say what a warm start took over, and what it did not."""
    if taken.fits:
        yield (
            f"warm start: {counted(len(taken.fits), 'fit')} of the very same rows, split and seed are taken over as "
            "they are; the correction counts them, and the budget of trials does not"
        )
    known = [each for each in taken.earlier if each.points]
    if known:
        what = counted(sum(len(each.points) for each in known), "trial")
        of = counted(len(known), "earlier study", "earlier studies")
        best = f"the best {sum(len(each.first) for each in known)} of them come first"
        strategy = experiment.search.strategy
        shape = (
            "shape the model as noisy knowledge" if STRATEGIES[strategy].warm else f"say to {strategy} where to begin"
        )
        yield f"warm start: {what} of {of} {shape}, and {best}; their scores are no scores of this search"
    yield from (sentence for each in taken.earlier for sentence in each.remarks)


def mended(study: StudyState) -> tuple[str, ...]:
    """Say what had become of the journal, if it was found damaged."""
    return tuple(
        f"study.db was damaged and is kept as {each.kept}; {each.events} of its events could be read, and the "
        "search went on behind them"
        if each.kept
        else "study.db was lost or empty: everything was trained again"
        for each in study.mended
    )


def refused(taken: TakenOver) -> tuple[str, ...]:
    """Say which champions are no trials of this search, and why."""
    return tuple(f"champion {each.called} is not tried: {each.refused}" for each in taken.champions if each.refused)


def _mixed(study: StudyState) -> Iterator[str]:
    """Name the workers that compute other last digits."""
    for each in study.mixed:
        yield f"the worker {each.name} took part (--mixed) and computes other last digits: {each.differs}"


def _end(study: StudyState, experiment: Experiment) -> tuple[str, ...]:
    """Say why a search ended before its budget was spent."""
    if study.finished == TIMEOUT:
        left = max(experiment.planned, study.asked) - (len(study.trials) - len(study.unfinished()))
        in_sum = experiment.search.timeout
        how = "" if in_sum is None else f", until all sessions together have spent search.timeout ({in_sum:g} s)"
        return (f"the time was over before {counted(left, 'more trial')}; the same command goes on{how}",)
    tried, trials = len(study.trials), counted(experiment.search.trials, "trial")
    if study.finished == "target":
        return (f"the target was reached with {tried} of {trials}; without search.target the search goes on",)
    if study.finished == "no_gain":
        why = f"after {tried} of {trials} there is less to gain than the folds can tell apart"
        return (f"{why} (search.stop: no_gain); without it the search goes on",)
    if study.finished != EXHAUSTED:
        return ()
    if tried == 1:
        return (f"the space has one configuration, which has been tried: the search ended before {trials}",)
    return (f"the space has {tried:,} configurations and all have been tried: the search ended before {trials}",)


def _not_compared(study: StudyState, experiment: Experiment, result: Result, *, is_timed: bool) -> Iterator[str]:
    """Say what the winner was not compared with for want of time."""
    missing = [] if study.anchors or METRICS[result.metric].is_told else ["a linear model"]
    if experiment.search.control and result.control is None:
        missing.append("the same training with another decay")
    if experiment.search.warmup_control and result.warmup is None:
        missing.append("the same training with and without warm-up")
    if missing and is_timed:
        yield f"there was no time to compare the best with {' and '.join(missing)}"


def _alone(result: Result) -> Iterator[str]:
    """Say why one trial is delivered where a mean of several was asked for."""
    if result.delivered is not None and result.delivered.why_single is not None:
        yield f"one trial is delivered and no mean of several: {result.delivered.why_single}"


def _seeds(result: Result, *, is_timed: bool) -> Iterator[str]:
    """Say why nobody knows what all seeds together have on the folds."""
    found = result.delivered
    if found is None or found.seeds == 1 or found.of_seeds is not None:
        return
    why = "there was no time to train them on the folds" if is_timed else "not all out-of-fold predictions are kept"
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
    fixed = {key for each in experiment.space.dimensions if each.size == 1 for key in each.default()}
    unknown = sorted(key for key in own if key in first and key not in known and key not in fixed)
    if unknown:
        yield (
            f"nobody said what the default of {listed(unknown)} is: trial 0, called the default, has the middle of a "
            "range or of a list of numbers, and the first of another list; `defaults:` in the experiment names values"
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
