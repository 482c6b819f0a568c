"""The result of a run: as its search wrote it, or of what its trials have come to so far."""

from __future__ import annotations

from lrtune.run.folder import Run
from lrtune.run.names import RESULT
from lrtune.text.errors import StudyError
from lrtune.verdict.making import result_of
from lrtune.verdict.reading import from_json
from lrtune.verdict.result import Result


def stored(run: Run) -> Result | None:
    """Read what the finished search wrote; None while it goes on, or if the file was lost.

    Raises
    ------
    StudyError
        If the file is damaged.

    """
    found = run.written
    return None if found is None else from_json(found, run.folder / RESULT)


def current(run: Run) -> Result:
    """Read what was written, or put together what there is so far.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.
    StudyError
        If the file is damaged, or the trials were trained elsewhere.

    """
    if run.is_told:
        raise StudyError(f"{run.folder}: is a study by lrtune.Study, trained elsewhere; it has scores and no result")
    return stored(run) or result_of(run.study, run.configuration, rows_ratio=run.rows_ratio)
