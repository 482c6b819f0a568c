"""The use case of lrtune, from an experiment to its result; who iterates over it may show how it goes.

One lock is held from the first file to the last. Files are written before anything judges what was trained, so that a
defect of a judge costs no result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lrtune.data.tables import Table
from lrtune.engines.contract import EnginePlace
from lrtune.experiment import Experiment, with_seed
from lrtune.finder import RateFinding, resolved
from lrtune.run import files
from lrtune.run.aside import put_aside
from lrtune.run.bodies import Trained
from lrtune.run.folder import Run, is_run
from lrtune.run.journal import Event
from lrtune.run.lock import Lock
from lrtune.run.names import BEST, EXPERIMENT, RESULT, TRIALS
from lrtune.run.study import STUDY, StudyState
from lrtune.run.taken import TakenOver
from lrtune.text.errors import NoUsableResultError, StudyError
from lrtune.text.written import json_text
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.tuning import remarks
from lrtune.tuning.allowance import UNLIMITED, Allowance
from lrtune.tuning.core import tune
from lrtune.tuning.demands import Demands, judged
from lrtune.tuning.describing import described
from lrtune.tuning.drifting import keep_rows
from lrtune.tuning.evening import Evening, evening
from lrtune.tuning.naming import RUNS, run_folder
from lrtune.tuning.nested import outer_folds, search_inside, summary
from lrtune.tuning.nightly import close, nightly, told
from lrtune.tuning.places import is_joined, opened
from lrtune.tuning.searched import searched
from lrtune.tuning.steps import Begun, Ended, Part, Recorded, Step
from lrtune.tuning.taking import taken_over
from lrtune.tuning.warming import same_search
from lrtune.verdict.contest import Contest
from lrtune.verdict.examination import examined
from lrtune.verdict.findings import attempted
from lrtune.verdict.judging import judge
from lrtune.verdict.making import result_of
from lrtune.verdict.result import Nested, Result, TrainedCounts
from lrtune.verdict.stored import stored
from lrtune.verdict.trials_table import trials_text


def steps(
    experiment: Experiment,
    *,
    table: Table | None = None,
    output: Path | None = None,
    fresh: bool = False,
    demands: Demands | None = None,
    started: float | None = None,
    allowance: Allowance = UNLIMITED,
    library: str = "polars",
    champions: Sequence[Path] = (),
    warm: Sequence[Path] = (),
    nights: Path | None = None,
) -> Iterator[Step]:
    """Search, or go on with a search, to the result; the last step is `Ended`.

    Parameters
    ----------
    experiment
        What to search.
    table
        In place of the file that the experiment names, where a program holds its rows.
    output
        Folder of the run; by default one of its own under ``./runs``.
    fresh
        Begin anew; an earlier study in the folder is kept beside it.
    demands
        What is asked of the result.
    started
        When the session began, from which limits of time count, in `time.monotonic`; default: now.
    allowance
        What this session may do.
    library
        Whose data frames the result gives: ``polars`` or ``pandas``.
    champions
        Where configurations are that are tried first (`lrtune.tuning.taking`).
    warm
        Earlier runs, and folders of them, whose knowledge the search begins with (`lrtune.tuning.warming`).
    nights
        A folder of champions, in which this search is the next night; its champion comes before the other ones. The
        night is in the folder when the iteration ends.

    Raises
    ------
    LrtuneError
        If the data do not fit, the folder is in use or holds another experiment's study, a demand makes no sense, or no
        trial is complete in the end.

    """
    started = time.monotonic() if started is None else started
    with ExitStack() as held:
        yield Begun(Part.READING, about=experiment.data.path)
        prepared = prepare(experiment, table=table)
        night = None
        if nights is not None:
            held.enter_context(Lock(nights, "--champions"))
            night = evening(nights, experiment, prepared, output, fresh=fresh)
            champions, output = (*night.champions, *champions), night.run or output
            if night.seed != experiment.search.seed:
                experiment = with_seed(experiment, night.seed)
                prepared = prepare(experiment, table=table)
        yield from _searched(
            experiment,
            prepared,
            table=table,
            output=output,
            fresh=fresh,
            demands=demands or Demands(),
            started=started,
            allowance=allowance,
            library=library,
            champions=champions,
            warm=warm,
            night=night,
        )


def _searched(
    experiment: Experiment,
    prepared: Prepared,
    *,
    table: Table | None,
    output: Path | None,
    fresh: bool,
    demands: Demands,
    started: float,
    allowance: Allowance,
    library: str,
    champions: Sequence[Path],
    warm: Sequence[Path],
    night: Evening | None,
) -> Iterator[Step]:
    """Search what has been read."""
    demands.check(prepared.metric)
    if experiment.trainer.is_foreign:
        yield Begun(Part.CODE, about=experiment.trainer.called)
        experiment = described(experiment, prepared)
    known, finding = yield from _with_rates(experiment, prepared)
    goes_on = night is not None and night.run is not None
    begun = output if output is not None or fresh else same_search(warm, RUNS, known, prepared)
    taken = taken_over(champions, known, prepared, None if fresh else begun, warm=warm, goes_on=goes_on)
    folder = run_folder(known, prepared, begun, taken)
    files.refuse_inputs(folder, _inputs(experiment, folder))
    aside = put_aside(folder) if fresh else None
    with Lock(folder) as lock, opened(known, prepared, folder) as place:
        if night is not None:
            night.begin(folder)
        study, trained = yield from _trained(
            known, prepared, folder, started=started, allowance=allowance, lock=lock, taken=taken, place=place
        )
        _write_unless_there(folder, known, study, prepared)
        outer, inside = yield from _nested(experiment, prepared, folder, table, allowance=allowance, place=place)
        trained += inside
        yield Begun(Part.JUDGING)
        found, contest = _judged(known, study, prepared, folder)
        beside = nightly(
            contest,
            study,
            prepared,
            folder,
            taken=taken,
            trained=trained.trials,
            promote_if=known.retrain.promote_if,
            evening=night,
        )
        if beside is not None:
            keep_rows(study, prepared, folder, found.delivered.trials if found.delivered else (found.best.number,))
        counts = TrainedCounts(trained.trials, trained.fits, trained.models, trained.reused)
        found = found.but(nested=outer, nightly=beside, trained=counts)
        found = found.but(gates=tuple((yield from judged(demands, found, prepared, folder))))
        notes = remarks.notes(found, study, known, prepared, finding, allowance=allowance)
        found = found.but(notes=(*notes, *remarks.refused(taken), *remarks.warm(taken, known)))
        write(folder, known, study, found)
        kept = () if aside is None else (f"the earlier study is kept in {aside}",)
        more = remarks.not_added(trained, known, study, allowance)
        idle = remarks.idle(found, known, allowance)
        line = None if night is None else told(night, found, folder, prepared.rows)
        torn = (night.history.torn,) if night is not None and night.history.torn else ()
        said = (*kept, *torn, *more, *remarks.mended(study))
        yield Ended(searched(found, folder, library), study, finding, said, idle)
        if night is not None and line is not None:
            close(night, found, folder, line)


def _inputs(experiment: Experiment, folder: Path) -> dict[str, Path]:
    """List the files that must not be replaced in a folder: a run may be gone on with by its own experiment file."""
    inputs = experiment.inputs
    if is_run(folder):
        del inputs["the experiment file"]
    return inputs


def _with_rates(
    experiment: Experiment, prepared: Prepared
) -> Generator[Begun, None, tuple[Experiment, RateFinding | None]]:
    """Put ranges where the experiment says ``learning_rate: auto``."""
    if not experiment.automatic:
        return experiment, None
    yield Begun(Part.RATES)
    return resolved(experiment, prepared)


def _trained(
    experiment: Experiment,
    prepared: Prepared,
    folder: Path,
    *,
    started: float,
    allowance: Allowance,
    lock: Lock,
    taken: TakenOver,
    place: EnginePlace,
) -> Generator[Step, None, tuple[StudyState, Trained]]:
    """Search to the end, or go on with a search; gives the study, and what this session has trained."""
    joined = is_joined(experiment)
    yield Begun(Part.TRIALS, "", folder, prepared.metric, experiment.planned, is_joined=joined)
    study = StudyState()
    try:
        events = tune(
            experiment,
            prepared,
            folder,
            workers=experiment.workers,
            started=started,
            lock=lock,
            allowance=allowance,
            taken=taken,
            place=place,
        )
        trained = yield from _recorded(
            events, study, lambda: files.write(folder / EXPERIMENT, experiment.to_yaml(folder))
        )
    except NoUsableResultError:
        files.write(folder / TRIALS, trials_text(study.in_order(), prepared.metric))
        raise
    return study, trained


def _recorded(
    events: Generator[Event, None, Trained], study: StudyState, begun: Callable[[], None] = lambda: None
) -> Generator[Recorded, None, Trained]:
    """Take events into account as they come; ``begun`` is called when it is known what is studied."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
        study.add(event)
        yield Recorded(event, study)
        if event.kind == STUDY:
            begun()


def _nested(
    experiment: Experiment,
    prepared: Prepared,
    folder: Path,
    table: Table | None,
    *,
    allowance: Allowance,
    place: EnginePlace,
) -> Generator[Step, None, tuple[Nested | None, Trained]]:
    """Search inside of each outer fold, or go on with that, where nested cross-validation is asked for."""
    trained = Trained()
    folds = outer_folds(experiment, prepared, folder)
    for fold in folds:
        about = f"outer fold {fold.number} of {experiment.search.nested}"
        yield Begun(Part.OUTER, about, fold.folder, prepared.metric, experiment.planned)
        inside = search_inside(
            experiment, fold, table=table, workers=experiment.workers, allowance=allowance, place=place
        )
        trained += yield from _recorded(inside, StudyState())
    return summary(folds, experiment.search.nested, prepared.metric), trained


def _write_unless_there(folder: Path, experiment: Experiment, study: StudyState, prepared: Prepared) -> None:
    """Write the files of a finished run before anything judges it: what was trained should outlive whatever fails."""
    try:
        is_there = stored(Run(folder, study)) is not None
    except StudyError:  # damaged: it is written anew
        is_there = False
    if not is_there:
        ratio, paired = prepared.rows_ratio, experiment.search.control
        write(folder, experiment, study, result_of(study, experiment.configuration, rows_ratio=ratio, paired=paired))


def _judged(
    experiment: Experiment, study: StudyState, prepared: Prepared, folder: Path
) -> tuple[Result, Contest | None]:
    """Correct the score, and look for what is odd; what cannot be done is a finding. Gives the contest as well."""
    judgement, defects = attempted("the correction of the score", lambda: judge(experiment.terms, study, folder))
    found = result_of(
        study,
        experiment.configuration,
        rows_ratio=prepared.rows_ratio,
        confirm=experiment.search.confirm,
        paired=experiment.search.control,
        judgement=judgement,
    )
    if found.test is not None:
        found = found.but(test=replace(found.test, repeated=prepared.dataset.repeated))
    classes = [str(each) for each in prepared.schema.classes]
    whole = examined(Run(folder, study), found, experiment.space, classes, defects)
    return whole, judgement.contest if judgement else None


def write(folder: Path, experiment: Experiment, study: StudyState, found: Result) -> None:
    """Write the files of a finished run; the result comes last, because it says that the run is finished."""
    files.write(folder / BEST, experiment.dump(found.best.configuration, folder))
    files.write(folder / TRIALS, trials_text(study.in_order(), found.metric))
    files.write(folder / RESULT, json_text(found.to_json()))
