"""Trials and runs among others, as values: what `lrtune trials`, `list` and `export` write for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting.status import TrialCounts, status
from lrtune.verdict.making import seconds, test_score
from lrtune.verdict.standing import larger_is_better, standing

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.run.bodies import RowCounts
    from lrtune.run.folder import Run
    from lrtune.run.identity import Canonical
    from lrtune.space.trial import Configuration, Trial
    from lrtune.verdict.result import HeldOut, Seconds

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ListedTrial:
    """A trial among others: scores in the metric's own sign, None where a fold diverged; why it ended as it did."""

    number: int
    state: str
    mean: float | None
    std: float | None
    fold_scores: tuple[float | None, ...]
    configuration: Configuration
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialList:
    """Trials of a run: name of the experiment, what they are scored with, and whether more of it is better."""

    schema: int = SCHEMA
    name: str
    metric: str
    larger_is_better: bool
    trials: tuple[ListedTrial, ...]


def listed_trials(run: Run, trials: Sequence[Trial]) -> TrialList:
    """Describe trials of a run."""
    return TrialList(
        name=run.name,
        metric=run.metric,
        larger_is_better=larger_is_better(run.metric),
        trials=tuple(listed_trial(each, run.metric) for each in trials),
    )


def listed_trial(trial: Trial, metric: str) -> ListedTrial:
    """Describe one trial."""
    shown = standing(trial, metric)
    scores = shown.mean, shown.std, shown.fold_scores
    return ListedTrial(shown.number, shown.state, *scores, shown.configuration, trial.reason)


@dataclass(frozen=True, slots=True)
class RunModel:
    """The model of a run: the trial that was trained again, a hash of the files, and its score on the test rows."""

    trial: int
    model: str | None
    test: HeldOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeStudy(TrialList):
    """All that a study knows: every trial, why it ended, what was asked, on what data, the retrained model, times.

    What was asked, and on what data, is as the study's header has it; None where it is too old to say.
    """

    state: str
    finished: str | None
    fingerprint: str | None
    task: str | None
    rows: RowCounts | None
    rows_ratio: float | None
    experiment: Canonical | None
    data: str | None
    folds: str | None
    engine: int | None
    versions: Mapping[str, str] | None
    refit: RunModel | None
    seconds: Seconds


def whole_study(run: Run) -> WholeStudy:
    """Describe all that a study knows."""
    header, listed = run.study.header, listed_trials(run, run.trials)
    return WholeStudy(
        name=listed.name,
        metric=listed.metric,
        larger_is_better=listed.larger_is_better,
        trials=listed.trials,
        state=run.state,
        finished=run.study.finished,
        fingerprint=header.fingerprint,
        task=header.task,
        rows=header.rows,
        rows_ratio=header.rows_ratio,
        experiment=header.experiment,
        data=header.data,
        folds=header.folds,
        engine=header.engine,
        versions=header.versions,
        refit=_model(run),
        seconds=seconds(run.study),
    )


def _model(run: Run) -> RunModel | None:
    refit = run.study.refit
    if refit is None:
        return None
    return RunModel(refit.trial, refit.model, test_score(refit.test, run.metric))


@dataclass(frozen=True, slots=True)
class BestScore:
    """The best trial of a run: its number, and its scores in the metric's own sign."""

    number: int
    mean: float | None
    std: float | None


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run among others, described as by `lrtune.reporting.status.Status`; it has no ``problem``."""

    name: str
    folder: str
    state: str
    finished: str | None
    metric: str
    larger_is_better: bool
    trials: TrialCounts
    changed: float
    best: BestScore | None
    problem: None = None


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A run that cannot be read: its state is ``damaged``, or ``unreadable`` for a reason that is no damage."""

    name: str
    folder: str
    state: str
    problem: str

    @property
    def changed(self) -> float:
        """When something was last written into it: nobody can tell, so that it comes last."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """The runs of a folder, the last written first."""

    schema: int = SCHEMA
    folder: str
    runs: tuple[ListedRun | UnreadableRun, ...]


def listed_run(run: Run) -> ListedRun:
    """Describe a run among others."""
    found = status(run)
    best = found.best
    return ListedRun(
        name=found.name,
        folder=found.folder,
        state=found.state,
        finished=found.finished,
        metric=found.metric,
        larger_is_better=found.larger_is_better,
        trials=found.trials,
        changed=found.changed,
        best=None if best is None else BestScore(best.number, best.mean, best.std),
    )


def run_list(folder: Path, runs: Iterable[ListedRun | UnreadableRun]) -> RunList:
    """Put the runs of a folder in order."""
    return RunList(folder=str(folder), runs=tuple(sorted(runs, key=lambda each: -each.changed)))
