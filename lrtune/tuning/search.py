"""The use case of lrtune, from an experiment to its result; who iterates over it may show how it goes.

One lock is held from the first file to the last. Files are written before anything judges what was trained, so that a
defect of a judge costs no result.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from lrtune.data.tables import Table
from lrtune.engines.contract import EnginePlace
from lrtune.experiment import Experiment
from lrtune.finder import RateFinding, resolved
from lrtune.run import files
from lrtune.run.aside import put_aside
from lrtune.run.folder import Run, is_run
from lrtune.run.lock import Lock
from lrtune.run.names import BEST, EXPERIMENT, RESULT, TRIALS
from lrtune.run.study import STUDY, StudyState
from lrtune.text.errors import NoUsableResultError, StudyError
from lrtune.text.written import json_text
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.tuning import remarks
from lrtune.tuning.core import tune
from lrtune.tuning.demands import Demands, judged
from lrtune.tuning.describing import described
from lrtune.tuning.naming import run_folder
from lrtune.tuning.nested import outer_folds, search_inside, summary
from lrtune.tuning.places import is_joined, opened
from lrtune.tuning.searched import searched
from lrtune.tuning.steps import Begun, Ended, Part, Recorded, Step
from lrtune.verdict.examination import examined
from lrtune.verdict.findings import attempted
from lrtune.verdict.judging import judge
from lrtune.verdict.making import result_of
from lrtune.verdict.result import Nested, Result
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
    library: str = "polars",
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
        When the session began that ``search.timeout`` counts, in `time.monotonic`; default: now.
    library
        Whose data frames the result gives: ``polars`` or ``pandas``.

    Raises
    ------
    LrtuneError
        If the data do not fit, the folder is in use or holds another experiment's study, a demand makes no sense, or no
        trial is complete in the end.

    """
    started = time.monotonic() if started is None else started
    yield Begun(Part.READING, about=experiment.data.path)
    prepared = prepare(experiment, table=table)
    demands = demands or Demands()
    demands.check(prepared.metric)
    if experiment.trainer.is_foreign:
        yield Begun(Part.CODE, about=experiment.trainer.called)
        experiment = described(experiment, prepared)
    known, finding = yield from _with_rates(experiment, prepared)
    folder = run_folder(known, prepared, output)
    files.refuse_inputs(folder, _inputs(experiment, folder))
    aside = put_aside(folder) if fresh else None
    with Lock(folder) as lock, opened(known, prepared, folder) as place:
        study = yield from _trained(known, prepared, folder, started, lock=lock, place=place)
        _write_unless_there(folder, known, study, prepared)
        outer = yield from _nested(experiment, prepared, folder, table, place)
        yield Begun(Part.JUDGING)
        found = _judged(known, study, prepared, folder).but(nested=outer)
        found = found.but(gates=tuple((yield from judged(demands, found, prepared, folder))))
        found = found.but(notes=remarks.notes(found, study, known, prepared, finding))
        write(folder, known, study, found)
        kept = () if aside is None else (f"the earlier study is kept in {aside}",)
        yield Ended(searched(found, folder, library), study, finding, (*kept, *remarks.mended(study)))


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
    experiment: Experiment, prepared: Prepared, folder: Path, started: float, *, lock: Lock, place: EnginePlace
) -> Generator[Step, None, StudyState]:
    """Search to the end, or go on with a search."""
    joined = is_joined(experiment)
    yield Begun(Part.TRIALS, "", folder, prepared.metric, experiment.planned, is_joined=joined)
    study = StudyState()
    try:
        workers = experiment.workers
        for event in tune(experiment, prepared, folder, workers=workers, started=started, lock=lock, place=place):
            study.add(event)
            yield Recorded(event, study)
            if event.kind == STUDY:  # what the folder is about should outlive a crash
                files.write(folder / EXPERIMENT, experiment.to_yaml(folder))
    except NoUsableResultError:
        files.write(folder / TRIALS, trials_text(study.in_order(), prepared.metric))
        raise
    return study


def _nested(
    experiment: Experiment, prepared: Prepared, folder: Path, table: Table | None, place: EnginePlace
) -> Generator[Step, None, Nested | None]:
    """Search inside of each outer fold, or go on with that, where nested cross-validation is asked for."""
    folds = outer_folds(experiment, prepared, folder)
    for fold in folds:
        about = f"outer fold {fold.number} of {experiment.search.nested}"
        yield Begun(Part.OUTER, about, fold.folder, prepared.metric, experiment.planned)
        study = StudyState()
        for event in search_inside(experiment, fold, table=table, workers=experiment.workers, place=place):
            study.add(event)
            yield Recorded(event, study)
    return summary(folds, experiment.search.nested, prepared.metric)


def _write_unless_there(folder: Path, experiment: Experiment, study: StudyState, prepared: Prepared) -> None:
    """Write the files of a finished run before anything judges it: what was trained should outlive whatever fails."""
    try:
        is_there = stored(Run(folder, study)) is not None
    except StudyError:  # damaged: it is written anew
        is_there = False
    if not is_there:
        ratio, paired = prepared.rows_ratio, experiment.search.control
        write(folder, experiment, study, result_of(study, experiment.configuration, rows_ratio=ratio, paired=paired))


def _judged(experiment: Experiment, study: StudyState, prepared: Prepared, folder: Path) -> Result:
    """Correct the score, and look for what is odd; what cannot be done is a finding."""
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
    return examined(Run(folder, study), found, experiment.space, classes, defects)


def write(folder: Path, experiment: Experiment, study: StudyState, found: Result) -> None:
    """Write the files of a finished run; the result comes last, because it says that the run is finished."""
    files.write(folder / BEST, experiment.dump(found.best.configuration, folder))
    files.write(folder / TRIALS, trials_text(study.in_order(), found.metric))
    files.write(folder / RESULT, json_text(found.to_json()))
