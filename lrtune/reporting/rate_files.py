"""The files of the learning-rate finder: ``finder.json``, ``finder.csv`` and ``finder.svg``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrtune.reporting import export, figures, rates


def write(folder: Path, found: dict[str, Any]) -> None:
    """Write a summary of `lrtune.reporting.rates` into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    export.write_text(folder / "finder.csv", rates.csv_text(found))
    figures.write(figures.rate_figure(found), folder / "finder.svg")
    export.write_text(folder / "finder.json", export.json_text(found))
