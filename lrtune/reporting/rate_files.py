"""The files of the learning-rate finder: ``finder.json``, ``finder.csv`` and ``finder.svg``.

``finder.csv`` has one row for each optimizer and rate of the sweep: the median loss of the runs, the 10 and 90 %
quantiles, and the share of diverged runs; a cell is empty where the loss is infinite.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting import figures
from lrtune.reporting.rate_figures import rate_figure
from lrtune.run import files
from lrtune.run.names import RATE_FIGURE, RATE_TABLE, RATES
from lrtune.text import written
from lrtune.text.written import to_json

if TYPE_CHECKING:
    from lrtune.reporting.rates import RateSummary


def write(folder: Path, found: RateSummary) -> None:
    """Write the numbers of a finding into a folder."""
    files.write(folder / RATE_TABLE, csv_text(found))
    files.write(folder / RATES, written.json_text(to_json(found)))


def draw(folder: Path, found: RateSummary) -> None:
    """Draw the figure; after everything else, because drawing is done by a program of its own."""
    files.write(folder / RATE_FIGURE, figures.drawn(rate_figure(found), ".svg"))


def csv_text(found: RateSummary) -> str:
    """Write the content of ``finder.csv``."""
    return written.csv_text(_csv_rows(found))


def _csv_rows(found: RateSummary) -> Iterator[list[str]]:
    yield ["optimizer", "rate", "median", "low", "high", "diverged"]
    for each in found.optimizers:
        for point in each.curve.points:
            yield [each.optimizer, *("" if cell is None else repr(cell) for cell in point)]
