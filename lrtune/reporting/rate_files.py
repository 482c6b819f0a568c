"""The files of the learning-rate finder: ``finder.json``, ``finder.csv`` and ``finder.svg``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrtune.reporting import export, figures, rates
from lrtune.storage import files


def write(folder: Path, found: dict[str, Any]) -> None:
    """Write a summary of `lrtune.reporting.rates` into a folder, which is made if need be; the figure comes last."""
    files.make_folder(folder)
    files.write(folder / "finder.csv", rates.csv_text(found))
    files.write(folder / "finder.json", export.json_text(found))
    files.write(folder / "finder.svg", figures.drawn(figures.rate_figure(found), ".svg"))
