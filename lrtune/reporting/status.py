"""How far a run is: in numbers for programs, and as a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Headline, Words
from lrtune.reporting.in_words import metric_name
from lrtune.reporting.progress import climb
from lrtune.reporting.schedules import sparkline_bar
from lrtune.run.at_work import in_hand
from lrtune.run.fits import RunningFit, running_fits
from lrtune.space.trial import Trial, TrialState
from lrtune.text import formats
from lrtune.verdict.standing import larger_is_better, own_sign, standing

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.run.folder import Run
    from lrtune.space.trial import Configuration

SCHEMA = 1
MOST_FITS = 8
"""Fits at work that a page names."""

BAR = 30
"""Columns of the picture of progress."""

PICTURE = 60
"""Width of the picture of the best score."""

_ENDS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.DIVERGED, TrialState.FAILED)


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """How many trials were asked for, are over, are being trained, and ended in which way."""

    planned: int
    done: int
    running: int
    complete: int
    pruned: int
    diverged: int
    failed: int


@dataclass(frozen=True, slots=True)
class BestSoFar:
    """The first trial of the ranking: scores in the metric's own sign, and the point of the space."""

    number: int
    mean: float | None
    std: float | None
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class SecondsSoFar:
    """Time spent over all sessions; ``left`` is estimated for the search, None unless it is running."""

    search: float
    retrain: float
    left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    schema
        Version of this layout.
    name, folder
        Of the experiment, and where the run is.
    state, finished
        ``running``, ``stopped`` or ``finished``; and why the search ended, None while it goes on.
    metric, larger_is_better
        What trials are scored with, and whether more of it is better.
    trials
        How many.
    best
        None before the first complete trial.
    bests
        The best mean score after each complete trial, by number.
    seconds
        What it took so far.
    no_model
        Why there is no model: the training on all rows failed. None if it did not.
    fits
        What is being trained right now by code of somebody else.
    share
        Of the training that is planned, how much is done, that of the blocks included that train right now; None unless
        it is running.
    changed
        When something was last written (seconds since 1970).

    """

    schema: int = SCHEMA
    name: str
    folder: str
    state: str
    finished: str | None
    metric: str
    larger_is_better: bool
    trials: TrialCounts
    best: BestSoFar | None
    bests: tuple[float, ...]
    seconds: SecondsSoFar
    no_model: str | None
    fits: tuple[RunningFit, ...]
    share: float | None
    changed: float


def status(run: Run) -> Status:
    """Say how far a run is."""
    done = sum(each.is_over for each in run.trials)
    ends = {str(each): run.study.count(each) for each in _ENDS}
    return Status(
        name=run.name,
        folder=str(run.folder),
        state=run.state,
        finished=run.study.finished,
        metric=run.metric,
        larger_is_better=larger_is_better(run.metric),
        trials=TrialCounts(planned=planned(run), done=done, running=len(run.trials) - done, **ends),
        best=_best(run),
        bests=tuple(own_sign(run.metric, each) for each in bests(run.trials)),
        seconds=SecondsSoFar(
            search=round(run.study.search_seconds, 3),
            retrain=round(run.study.retrain_seconds, 3),
            left=_left(run, done),
        ),
        no_model=run.study.no_model and run.study.no_model.reason,
        fits=tuple(running_fits(run.folder)) if run.running else (),
        share=_share(run, done) if run.running else None,
        changed=run.changed,
    )


def planned(run: Run) -> int:
    """Count the trials that the search was asked for; those there are, if it is finished or nobody said how many."""
    from lrtune.experiment.searched import searched  # reading YAML takes its time

    if run.study.finished is not None or run.is_told:
        return len(run.trials)
    return max(searched(run).planned, run.study.asked, len(run.trials))


def _best(run: Run) -> BestSoFar | None:
    if not run.ranked:
        return None
    shown = standing(run.ranked[0], run.metric)
    return BestSoFar(shown.number, shown.mean, shown.std, shown.configuration)


def bests(trials: Sequence[Trial]) -> list[float]:
    """List the best oriented mean score after each complete trial."""
    found: list[float] = []
    for each in trials:
        if each.mean is not None:
            found.append(max(each.mean, *found[-1:]) if found else each.mean)
    return found


def _share(run: Run, done: int) -> float:
    """Say how much of the planned training is done; of a trial that is not over, the folds that it has scores of."""
    folds = max((len(each.fold_scores) for each in run.ranked), default=0)
    begun = sum(len(each.fold_scores) for each in run.trials if not each.is_over) / folds if folds else 0.0
    running = len(run.trials) - done
    return round(min(1.0, (done + min(begun + in_hand(run.folder), running)) / max(1, planned(run))), 4)


def _left(run: Run, done: int) -> float | None:
    if not run.running or not done:
        return None
    return round(run.study.search_seconds / done * max(0, planned(run) - done), 3)


def page(run: Run, *, called: str) -> list[Block]:
    """Say how far a run is.

    Parameters
    ----------
    run
        The run.
    called
        How commands call it.

    """
    found = status(run)
    facts = Facts("", list(_facts(run, found)))
    return [Headline(f"{called}: {sentence(found.state, found.trials)}"), facts, *_then(run, found, called)]


def _then(run: Run, found: Status, called: str) -> list[Block]:
    if lacks_result(found.state, found.trials) and not found.trials.complete:
        return [Words("when that is mended", [("", f"{go_on(run.folder)} --fresh")])]
    if run.is_told and not run.running:
        return [Words("to go on", [("", f"lrtune.Study(..., folder={str(run.folder)!r})")])]
    return next_step(run.folder, called, run.state)


def sentence(state: str, trials: TrialCounts) -> str:
    """Say in a few words how far a run is.

    >>> sentence("stopped", TrialCounts(planned=60, done=23, running=0, complete=20, pruned=3, diverged=0, failed=0))
    'stopped after 23 of 60 trials'
    >>> sentence("stopped", TrialCounts(planned=2, done=2, running=0, complete=0, pruned=0, diverged=1, failed=1))
    'ended after 2 trials, none of which gave a usable score'
    """
    if state == "finished":
        return f"finished after {formats.plural(trials.done, 'trial')}"
    if lacks_result(state, trials) and not trials.complete:
        return f"ended after {formats.plural(trials.done, 'trial')}, none of which gave a usable score"
    if lacks_result(state, trials):
        return f"stopped after the last of {formats.plural(trials.done, 'trial')}, and its result is missing"
    how_far = f"{formats.count(trials.done)} of {formats.plural(trials.planned, 'trial')}"
    return f"running, {how_far} done" if state == "running" else f"stopped after {how_far}"


def lacks_result(state: str, trials: TrialCounts) -> bool:
    """Tell whether a search was stopped after its last trial: what is missing takes little."""
    return state == "stopped" and trials.done >= trials.planned > 0


def _facts(run: Run, found: Status) -> Iterator[tuple[str, str]]:
    yield "trials", ", ".join(_ends(run, found.trials)) or "none yet"
    best, seconds = found.best, found.seconds
    if best is not None:
        scores = formats.score_format([best.mean])
        std = "" if best.std is None else f" ± {scores(best.std)}"
        yield f"best {metric_name(run.metric)}", f"{scores(best.mean)}{std} (trial {best.number})"
        yield "configuration", tables.configuration_line(best.configuration)
        if picture := climb(bests(run.trials), PICTURE):
            yield "best so far", picture
    if best is None:
        why = next((each for each in run.trials if each.state is TrialState.FAILED and each.reason), None)
        if why is not None:
            yield "why", formats.printable(f"trial {why.number}: {why.reason}")
    if found.no_model is not None:
        yield "no model", formats.printable(found.no_model)
    if found.fits:
        yield "at work", "; ".join(map(_fit_text, found.fits[:MOST_FITS]))
    if found.share is not None:
        yield "progress", f"{sparkline_bar(found.share, BAR).ljust(BAR, '·')} {formats.share(found.share)}"
    left = "" if seconds.left is None else f", about {formats.duration(seconds.left)} left"
    begun = found.state != "running" or found.trials.done > 0
    yield "time", f"{formats.duration(seconds.search)} so far{left}" if begun else "the first trials are being trained"


def _fit_text(fit: RunningFit) -> str:
    """Say how far a fit is.

    >>> _fit_text(RunningFit(3, 2, 4, 12)), _fit_text(RunningFit(3, 2, None, None))
    ('trial 3, fold 2: epoch 4 of 12', 'trial 3, fold 2')
    """
    of = "" if fit.epochs is None else f" of {fit.epochs}"
    return f"trial {fit.trial}, fold {fit.fold}" + ("" if fit.epoch is None else f": epoch {fit.epoch}{of}")


def _ends(run: Run, trials: TrialCounts) -> Iterator[str]:
    """Say how many trials ended in which way, and how many have not ended."""
    counts = {str(each): getattr(trials, each) for each in _ENDS}
    yield from (f"{formats.count(count)} {end}" for end, count in counts.items() if count)
    if trials.running:
        yield f"{formats.count(trials.running)} {'running' if run.running else 'proposed'}"


def next_step(folder: Path, called: str, state: str) -> list[Block]:
    """Say how a stopped run goes on, and where a finished one is shown."""
    if state == "stopped":
        return [Words("to go on", [("", go_on(folder))])]
    if state == "finished":
        return [Words("next", [("", f"lrtune show {shlex.quote(called)}")])]
    return []


def go_on(folder: Path) -> str:
    """Write the command that goes on with a run, whatever it was started with."""
    return f"lrtune search {shlex.quote(str(folder / 'experiment.yaml'))} --output {shlex.quote(str(folder))}"
