"""``lrtune search``."""

from __future__ import annotations

import shlex
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.choices import chosen
from lrtune.cli.gating import (
    BaselineOption,
    FailBehindOption,
    FailIfOption,
    FailOverOption,
    FailUnderOption,
    RemeasureOption,
    ToleranceOption,
    asked_gates,
)
from lrtune.cli.nights import (
    ChampionOption,
    ChampionsOption,
    PromoteOption,
    WarmStartOption,
    earlier,
    sources,
)
from lrtune.cli.options import (
    ConfigArgument,
    DataOption,
    DetailsOption,
    EngineOption,
    JsonOption,
    MoreTrialsOption,
    PruningOption,
    QualityOption,
    QuietOption,
    SeedOption,
    SelectOption,
    SetOption,
    StrategyOption,
    TargetOption,
    TimeoutOption,
    TrialsOption,
    WorkersOption,
    search_settings,
)
from lrtune.cli.outputs import put, refuse_overwriting
from lrtune.cli.reports import JunitOption, SummaryOption, gate_block, gate_notes, report_gates, with_reports
from lrtune.cli.runs import name_of
from lrtune.cli.signals import resumable

if TYPE_CHECKING:
    from lrtune.experiment import Experiment
    from lrtune.finder import RateFinding
    from lrtune.reporting.blocks import Block
    from lrtune.reporting.live import Watch
    from lrtune.run.bodies import Body
    from lrtune.run.study import StudyState
    from lrtune.tuning.searched import Searched
    from lrtune.tuning.steps import Begun, Ended, Step


@with_reports
@resumable()
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
    quality: QualityOption = None,
    trials: TrialsOption = None,
    strategy: StrategyOption = None,
    pruning: PruningOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    mixed: Annotated[
        bool,
        typer.Option(
            "--mixed", help="Take results of workers that compute other last digits, too; the run names them."
        ),
    ] = False,
    timeout: TimeoutOption = None,
    more_trials: MoreTrialsOption = None,
    select: SelectOption = None,
    warmup_control: Annotated[
        bool,
        typer.Option("--warmup-control", help="Tell whether warm-up is needed: train the best with and without it."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew; an earlier study in the folder is kept as <folder>-old-1.")
    ] = False,
    seed: SeedOption = None,
    champions: ChampionOption = None,
    warm_start: WarmStartOption = None,
    nights: ChampionsOption = None,
    promote_if: PromoteOption = None,
    fail_under: FailUnderOption = None,
    fail_over: FailOverOption = None,
    fail_behind: FailBehindOption = None,
    fail_if: FailIfOption = None,
    baseline: BaselineOption = None,
    tolerance: ToleranceOption = None,
    remeasure: RemeasureOption = False,
    junit: JunitOption = None,
    summary: SummaryOption = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Do not write report.html, the page with pictures.")
    ] = False,
    details: DetailsOption = False,
    live: Annotated[
        bool, typer.Option("--live", help="Serve a page for the browser that follows the search, on this machine.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search for the best configuration, then retrain it.

    Configurations are compared by cross-validation; the best is retrained on all training rows. The run's folder gets
    the model and all results. The same command goes on with a run that was interrupted, and shows the result of one
    that is finished; `--more-trials` goes on with that.

    Exit codes: 0 fine; 2 wrong use or configuration; 3 a gate failed; 4 worse than the baseline; 5 no usable result;
    130 or 143 stopped, and the same command goes on.

    Example: lrtune search --data datasets/wine.csv --target cultivar
    """
    started = time.monotonic()
    from lrtune.tuning.allowance import as_option, read_allowance
    from lrtune.tuning.search import steps
    from lrtune.tuning.steps import Ended

    shortcuts = search_settings(
        trials=trials,
        strategy=strategy,
        pruning=pruning,
        workers=workers,
        select=select,
        seed=seed,
        promote_if=promote_if,
        warmup_control=warmup_control,
        engine=engine,
        mixed=mixed,
    )
    allowance = read_allowance(timeout, more_trials, called=as_option)
    demands = asked_gates(
        fail_under,
        fail_over,
        baseline,
        tolerance,
        remeasure=remeasure,
        fail_behind=fail_behind or (),
        fail_if=fail_if or (),
        is_night=bool(champions) or nights is not None,
    )
    experiment, table = chosen(config, data, target, overrides, shortcuts, quality=quality, quiet=quiet)
    refuse_overwriting({"--junit": junit, "--summary": summary}, experiment.inputs)
    with ExitStack() as whole:
        screen = _Screen(whole, quiet=quiet, fresh=fresh, live=live)
        told = steps(
            experiment,
            table=table,
            output=output,
            fresh=fresh,
            demands=demands,
            started=started,
            allowance=allowance,
            champions=sources(champions or ()),
            nights=nights,
            warm=earlier(warm_start or ()),
        )
        for step in told:
            screen.see(step)
            if isinstance(step, Ended):
                ended = step
                if step.finding is not None:
                    _write_finding(step.result.folder, experiment, step.finding)
                if not no_report:
                    _write_report(step.result)
    if live:
        _say_where(ended.result.folder)
    _show(ended, experiment, details=details, junit=junit, summary=summary, as_json=as_json, quiet=quiet)


class _Screen:
    """Shows how a search goes, and what to do if it is interrupted."""

    def __init__(self, whole: ExitStack, *, quiet: bool, fresh: bool, live: bool) -> None:
        from lrtune.cli.beside import PageProcess

        self.quiet = quiet
        self.fresh = fresh
        self.beside = whole.enter_context(PageProcess()) if live else None
        self.whole = whole
        self.part = whole.enter_context(ExitStack())
        self.watch: Watch = _unseen

    def see(self, step: Step) -> None:
        """Show a step."""
        from lrtune.reporting import console
        from lrtune.tuning.steps import Begun, Part, Recorded

        if isinstance(step, Recorded):
            self.watch(step.event.body, step.study)
            return
        self.part.close()
        self.watch = _unseen
        if not isinstance(step, Begun):
            return
        if step.part is Part.TRIALS and step.folder is not None:
            self.whole.enter_context(resumable(step.folder, fresh=self.fresh))
            if self.beside is not None:
                address = self.beside.serve(step.folder)
                console.note(f"live: {address}" if address else "live: the page cannot be served")
            if step.is_joined:
                console.note(f"each `lrtune worker {shlex.quote(name_of(step.folder))}` that you start trains for it")
        if not self.quiet:
            self.show(step)

    def show(self, begun: Begun) -> None:
        """Show that a part of the search begins."""
        from lrtune.reporting import console, live
        from lrtune.tuning.steps import Part

        if begun.part is Part.OUTER:
            console.note(begun.about)
        if begun.part in (Part.TRIALS, Part.OUTER):
            self.watch = self.part.enter_context(live.watch_search(begun.metric, begun.trials, begun.folder))
        elif begun.part is not Part.JUDGING:
            named = {Part.READING: "reading", Part.CODE: "running code of the experiment:"}
            words = f"{named[begun.part]} {begun.about}" if begun.part in named else str(begun.part)
            self.part.enter_context(console.working(words))


def _unseen(_body: Body, _study: StudyState) -> None:
    """Show nothing."""


def _write_finding(folder: Path, experiment: Experiment, finding: RateFinding) -> None:
    from lrtune.reporting import rate_files, rates

    found = rates.summary(finding, experiment.name)
    rate_files.write(folder, found)
    rate_files.draw(folder, found)


def _write_report(result: Searched) -> None:
    """Write what was found as a page with pictures; what was found is there already, whatever happens now."""
    from lrtune.reporting import console
    from lrtune.reporting.html.pictures import leave

    failure = leave(result)
    if failure is not None:
        console.warn(failure)


def _say_where(folder: Path) -> None:
    """Say where the page is that was served while the search went on."""
    from lrtune.reporting import console
    from lrtune.run.names import REPORT

    written = folder / REPORT
    again = f"lrtune watch {shlex.quote(name_of(folder))}"
    console.note(
        f"live: ended; {f'the report is {written}' if written.is_file() else f'`{again}` serves the page again'}"
    )


def _show(
    ended: Ended,
    experiment: Experiment,
    *,
    details: bool,
    junit: Path | None,
    summary: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show the page or the JSON, write the reports that were asked for, and end as the gates say."""
    from lrtune.reporting import console
    from lrtune.text import written

    found = ended.result
    page = _whole_page(ended, experiment) if details else _page(ended, experiment)
    if as_json:
        put(written.json_text(found.to_json()))
        for each in (
            ()
            if quiet
            else (*([ended.idle] if ended.idle else []), *ended.remarks, *found.notes, *gate_notes(found.gates))
        ):
            console.note(each)
    else:
        console.show([*page, *gate_block(found.gates)])
    report_gates(found, page, junit=junit, summary=summary, only_json=as_json)


def _page(ended: Ended, experiment: Experiment) -> list[Block]:
    """Say in short what the search found."""
    from lrtune.reporting.afterwards import rows_of
    from lrtune.reporting.pages import search_page
    from lrtune.run.folder import trained_by

    found, study = ended.result, ended.study
    return search_page(
        found,
        study.trials[found.best.number].configuration,
        folder=found.folder,
        run=name_of(found.folder),
        trained_by=trained_by(study),
        table=rows_of(experiment.inputs.get("the training table"), is_loaded=experiment.loader is not None),
        remarks=ended.remarks,
        idle=ended.idle,
    )


def _whole_page(ended: Ended, experiment: Experiment) -> list[Block]:
    """Say everything."""
    from lrtune.reporting.afterwards import rows_of
    from lrtune.reporting.details import details_page
    from lrtune.run.folder import fixed_by, trained_by
    from lrtune.space.trial import ranking

    found, study = ended.result, ended.study
    return details_page(
        found,
        ranking(study.in_order()),
        study.trials[found.best.number].configuration,
        folder=found.folder,
        run=name_of(found.folder),
        notes=[*ended.remarks, *found.notes],
        trained_by=trained_by(study),
        table=rows_of(experiment.inputs.get("the training table"), is_loaded=experiment.loader is not None),
        fixed=fixed_by(study),
        idle=ended.idle,
    )
