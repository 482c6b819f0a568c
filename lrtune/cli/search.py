"""``lrtune search``."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.choices import chosen, planned_trials, wanted_workers
from lrtune.cli.gating import (
    BaselineOption,
    FailOverOption,
    FailUnderOption,
    RemeasureOption,
    ToleranceOption,
    asked_gates,
    judged,
)
from lrtune.cli.health import findings
from lrtune.cli.options import ConfigArgument, DataOption, JsonOption, QuietOption, SetOption, TargetOption
from lrtune.cli.reports import JunitOption, SummaryOption, gate_block, gate_notes, report_gates, with_reports
from lrtune.cli.runs import RESULT, name_of
from lrtune.cli.signals import resumable
from lrtune.text.errors import NoUsableResultError, StudyError, counted

if TYPE_CHECKING:
    from lrtune.experiment import Experiment
    from lrtune.finder import Finding
    from lrtune.reporting.live import Watch
    from lrtune.run.lock import Lock
    from lrtune.run.study import Study
    from lrtune.trainers.preparation import Prepared


def _strategies(incomplete: str) -> list[str]:
    from lrtune.sampling import STRATEGIES

    return [each for each in STRATEGIES if each.startswith(incomplete)]


def _prunings(incomplete: str) -> list[str]:
    return [each for each in ("none", "race", "halving") if each.startswith(incomplete)]


@with_reports
def search(
    config: ConfigArgument = None,
    *,
    data: DataOption = None,
    target: TargetOption = None,
    overrides: SetOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder of the run; by default one of its own under ./runs."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", metavar="N", help="Number of configurations; a larger one goes on.")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="How to choose them, as in random or bayesian.",
            autocompletion=_strategies,
        ),
    ] = None,
    pruning: Annotated[
        str | None,
        typer.Option(
            "--pruning",
            metavar="NAME",
            help="Spare bad ones some training: race (folds), halving (epochs) or none.",
            autocompletion=_prunings,
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option("--workers", metavar="N", help="Worker processes; 'auto' takes what the work is worth."),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="TIME", help="End in so much time, as in 90s, 10m or 1h30m; more goes on."),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--select", metavar="RULE", help="Which trial is chosen: best, one_se, posterior_mean or 'within 1%'."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew; an earlier study in the folder is kept as <folder>-old-1.")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Of everything random.")] = None,
    fail_under: FailUnderOption = None,
    fail_over: FailOverOption = None,
    baseline: BaselineOption = None,
    tolerance: ToleranceOption = None,
    remeasure: RemeasureOption = False,
    junit: JunitOption = None,
    summary: SummaryOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search for the best configuration, then retrain it.

    Configurations are compared by cross-validation; the best is retrained on all training rows. The run's folder gets
    the model and all results. The same command goes on with a run that was interrupted, and shows the result of one
    that is finished.

    Exit codes: 0 fine; 2 wrong use or configuration; 3 a gate failed; 4 worse than the baseline; 5 no usable result;
    130 or 143 stopped, and the same command goes on.

    Example: lrtune search --data datasets/wine.csv --target cultivar
    """
    started = time.monotonic()
    from lrtune.reporting import console, export, pages
    from lrtune.run.lock import Lock
    from lrtune.space.trial import ranking
    from lrtune.trainers.preparation import prepare
    from lrtune.tuning.naming import run_folder

    shortcuts = {
        "search.trials": trials,
        "search.timeout": timeout,
        "search.strategy": strategy,
        "search.pruning": pruning,
        "search.select": select,
        "search.seed": seed,
        "search.workers": workers,
    }
    wanted = asked_gates(fail_under, fail_over, baseline, tolerance, remeasure=remeasure)
    experiment = chosen(config, data, target, overrides, shortcuts)
    with nullcontext() if quiet else console.working(f"reading {experiment.data.path}"):
        prepared = prepare(experiment)
    wanted.check(prepared.metric)
    asked = experiment
    experiment, finding = _with_rates(experiment, prepared, quiet=quiet)
    folder = run_folder(experiment, prepared, output)
    aside = _put_aside(folder) if fresh else ()
    with Lock(folder) as lock, resumable(folder, fresh=fresh):
        study = _run(experiment, prepared, folder, started, lock, quiet=quiet)
        _write_unless_there(folder, experiment, study, prepared)
        outer = _nested(asked, prepared, folder, quiet=quiet)
        found = _examined(experiment, study, prepared, folder, outer)
        gates = judged(wanted, found, prepared, folder)
        found["gates"] = [each.entry() for each in gates]
        found["notes"] = _noticed(found, study, experiment, prepared, finding)
        _write(folder, experiment, study, found)
        if finding is not None:
            _write_finding(folder, experiment, finding)
    ranked, notes = ranking(study.in_order()), [*aside, *_mended(study), *found["notes"]]
    point, run = study.trials[found["best"]["number"]].configuration, name_of(folder)
    page = pages.search_page(found, ranked, point, folder=folder, run=run, notes=notes)
    if as_json:
        sys.stdout.write(export.json_text(found))
        _say(() if quiet else (*notes, *gate_notes(gates)))
    else:
        console.show([*page, *gate_block(gates)])
    report_gates(gates, found, page, junit=junit, summary=summary, only_json=as_json)


def _noticed(
    found: Mapping[str, Any],
    study: Study,
    experiment: Experiment,
    prepared: Prepared,
    finding: Finding | None,
) -> list[str]:
    """List what was noticed about the study and the data, whatever happened on the way; the most important first."""
    from lrtune.reporting import judgements

    return [
        *_end(study, experiment),
        *_swept(finding),
        *_timed(study, experiment, found["best"]["number"]),
        *judgements.remarks(experiment.search.strategy, experiment.search.pruning, found["corrected"]),
        *prepared.warnings,
        *prepared.notes,
    ]


def _with_rates(experiment: Experiment, prepared: Prepared, *, quiet: bool) -> tuple[Experiment, Finding | None]:
    """Put ranges where the experiment says ``learning_rate: auto``."""
    if not experiment.automatic:
        return experiment, None
    from lrtune.finder import resolved
    from lrtune.reporting import console

    with nullcontext() if quiet else console.working("finding the range of learning rates"):
        return resolved(experiment, prepared)


def _swept(finding: Finding | None) -> tuple[str, ...]:
    """Say what was searched where the experiment said ``learning_rate: auto``."""
    from lrtune.text import formats

    notes = []
    for name, each in finding.suggestions.items() if finding else ():
        if each.search_range is None:
            notes.append(f"learning_rate of {name}: its documented range, because {each.sentence}")
        else:
            low, high = map(formats.rate, each.search_range)
            notes.append(f"learning_rate of {name}: from {low} to {high}, as `lrtune finder` suggests")
    return tuple(notes)


def _write_finding(folder: Path, experiment: Experiment, finding: Finding) -> None:
    from lrtune.reporting import rate_files, rates

    found = rates.summary(finding, experiment.name)
    rate_files.write(folder, found)
    rate_files.draw(folder, found)


def _end(study: Study, experiment: Experiment) -> tuple[str, ...]:
    """Say why a search ended before its budget was spent."""
    if study.finished == "timeout":
        left = planned_trials(experiment) - (len(study.trials) - len(study.unfinished()))
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


def _timed(study: Study, experiment: Experiment, best: int) -> tuple[str, ...]:
    """Say what time the rates of the best followed, where that had to be measured."""
    from lrtune.text import formats
    from lrtune.trainers.calibration import speed_key
    from lrtune.training.wall_clock import follows_clock

    chosen = experiment.configuration(study.trials[best].configuration)
    if not follows_clock(chosen):
        return ()
    seconds = formats.number(study.speeds[speed_key(chosen)])
    return (f"each update of trial {best} counted as {seconds} s, measured here; wall_clock's step_seconds fixes it",)


def _put_aside(folder: Path) -> tuple[str, ...]:
    from lrtune.run.aside import put_aside
    from lrtune.tuning import DATABASE

    old = put_aside(folder, DATABASE)
    return () if old is None else (f"the earlier study is kept in {old}",)


def _mended(study: Study) -> tuple[str, ...]:
    """Say what had become of the journal, if it was found damaged."""
    return tuple(
        f"study.db was damaged and is kept as {each['kept']}; {each['events']} of its events could be read, and the "
        "search went on behind them"
        if each["kept"]
        else "study.db was lost or empty: everything was trained again"
        for each in study.mended
    )


def _run(experiment: Experiment, prepared: Prepared, folder: Path, started: float, lock: Lock, *, quiet: bool) -> Study:
    """Search to the end, or go on with a search, and show how it goes."""
    from lrtune import tuning
    from lrtune.reporting import export
    from lrtune.run import files
    from lrtune.run.study import STUDY, Study

    study = Study()
    with _watching(experiment, prepared, quiet=quiet) as see:
        try:
            workers = wanted_workers(experiment)
            for event in tuning.tune(experiment, prepared, folder, workers=workers, started=started, lock=lock):
                study.add(event)
                see(event.body, study)
                if event.kind == STUDY:  # what the folder is about should outlive a crash
                    files.write(folder / "experiment.yaml", experiment.to_yaml(folder))
        except NoUsableResultError:
            files.write(folder / "trials.csv", export.trials_text(study.in_order(), prepared.metric))
            raise
    return study


def _nested(experiment: Experiment, prepared: Prepared, folder: Path, *, quiet: bool) -> Mapping[str, Any] | None:
    """Search inside of each outer fold, or go on with that, where nested cross-validation is asked for."""
    if not experiment.search.nested:
        return None
    from lrtune.run.study import Study
    from lrtune.tuning.nested import outer_folds, search_inside, summary

    folds = outer_folds(experiment, prepared, folder)
    for fold in folds:
        study = Study()
        _say(() if quiet else (f"outer fold {fold.number} of {experiment.search.nested}",))
        with _watching(experiment, prepared, quiet=quiet) as see:
            for event in search_inside(experiment, fold, workers=wanted_workers(experiment)):
                study.add(event)
                see(event.body, study)
    return summary(folds, experiment.search.nested)


def _watching(experiment: Experiment, prepared: Prepared, *, quiet: bool) -> AbstractContextManager[Watch]:
    from lrtune.reporting import live

    if quiet:
        return nullcontext(lambda _body, _study: None)
    return live.watch_search(prepared.metric, planned_trials(experiment))


def _write_unless_there(folder: Path, experiment: Experiment, study: Study, prepared: Prepared) -> None:
    """Write the files of a finished run before anything judges it: what was trained should outlive whatever fails."""
    from lrtune.reporting import result

    if not _has_result(folder, study):
        plain = result.result(study, prepared.metric, experiment.configuration, rows_ratio=prepared.rows_ratio)
        _write(folder, experiment, study, {**plain, "nested": None, "health": [], "gates": [], "notes": []})


def _has_result(folder: Path, study: Study) -> bool:
    from lrtune.run.folder import Run

    try:
        return Run(folder, study).result is not None
    except StudyError:  # damaged: it is written anew
        return False


def _examined(
    experiment: Experiment, study: Study, prepared: Prepared, folder: Path, outer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Make the result: correct the score, and look for what is odd; what cannot be done is a finding."""
    from lrtune.reporting import health, nested, result
    from lrtune.run.folder import Run
    from lrtune.verdict.health import attempted
    from lrtune.verdict.judging import judge

    judgement, defects = attempted("the correction of the score", lambda: judge(experiment.terms, study, folder))
    found = result.result(
        study,
        prepared.metric,
        experiment.configuration,
        rows_ratio=prepared.rows_ratio,
        confirm=experiment.search.confirm,
        judgement=judgement,
    )
    found["nested"] = nested.entry(outer, prepared.metric)
    odd, more = attempted("the health report", lambda: findings(Run(folder, study), found, experiment.space))
    found["health"] = [*health.entries([*defects, *more], prepared.metric), *(odd or [])]
    return found


def _write(folder: Path, experiment: Experiment, study: Study, found: Mapping[str, Any]) -> None:
    """Write the files of a finished run; the result comes last, because it says that the run is finished."""
    from lrtune.reporting import export
    from lrtune.run import files

    files.write(folder / "best.yaml", experiment.dump(found["best"]["configuration"], folder))
    files.write(folder / "trials.csv", export.trials_text(study.in_order(), found["metric"]))
    files.write(folder / RESULT, export.json_text(found))


def _say(notes: Sequence[str]) -> None:
    from lrtune.reporting import console

    for each in notes:
        console.note(each)
