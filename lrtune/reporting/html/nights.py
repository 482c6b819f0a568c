"""The figure of the nights: how the champion of a folder has gone on, up to the night of this run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.nights import history
from lrtune.reporting.nightly import history_figure
from lrtune.text.errors import StudyError

if TYPE_CHECKING:
    from lrtune.reporting.html.figures import Figure
    from lrtune.reporting.html.subject import Subject


def nights(about: Subject) -> Figure | str:
    """Show the champion's score and its drift by night, where the run is a night of a folder of champions."""
    try:
        found = history.read(about.run.folder)
    except StudyError as error:
        return f"the history of its nights cannot be read ({error})."
    if not found.nights:
        return "the search is no night of a folder of champions (--champions)."
    return history_figure(found)
