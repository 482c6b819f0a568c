"""The files of the learning-rate finder: ``finder.json``, ``finder.csv`` and ``finder.svg``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrtune.reporting import figures, rates
from lrtune.run import files
from lrtune.run.names import RATE_FIGURE, RATE_TABLE, RATES
from lrtune.text import written


def write(folder: Path, found: dict[str, Any]) -> None:
    """Write the numbers of a summary of `lrtune.reporting.rates` into a folder."""
    files.write(folder / RATE_TABLE, rates.csv_text(found))
    files.write(folder / RATES, written.json_text(found))


def draw(folder: Path, found: dict[str, Any]) -> None:
    """Draw the figure of a summary; after everything else, because drawing is done by a program of its own."""
    files.write(folder / RATE_FIGURE, figures.drawn(figures.rate_figure(found), ".svg"))
