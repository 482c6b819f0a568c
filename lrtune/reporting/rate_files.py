"""The files of the learning-rate finder: ``finder.json``, ``finder.csv`` and ``finder.svg``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting import figures, rates
from lrtune.run import files
from lrtune.run.names import RATE_FIGURE, RATE_TABLE, RATES
from lrtune.text import written
from lrtune.verdict.result import to_json

if TYPE_CHECKING:
    from lrtune.reporting.rates import RateSummary


def write(folder: Path, found: RateSummary) -> None:
    """Write the numbers of a finding into a folder."""
    files.write(folder / RATE_TABLE, rates.csv_text(found))
    files.write(folder / RATES, written.json_text(to_json(found)))


def draw(folder: Path, found: RateSummary) -> None:
    """Draw the figure; after everything else, because drawing is done by a program of its own."""
    files.write(folder / RATE_FIGURE, figures.drawn(figures.rate_figure(found), ".svg"))
