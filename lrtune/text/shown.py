"""The door upstairs: what a result looks like is known by reporting, which stands above and is asked when one looks."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol, cast

_HOME = "lrtune.reporting.html.pictures"


class Shown(Protocol):
    """A figure on its own; notebooks show it."""

    @property
    def sentence(self) -> str:
        """What it shows, in words."""

    def svg(self) -> str:
        """Draw it as SVG, which needs nothing beside it."""

    def png(self) -> bytes:
        """Draw it as PNG."""

    def html(self) -> str:
        """Write it as a page of its own, with its sentence and its numbers."""

    def _repr_html_(self) -> str:
        """Show it in a notebook."""

    def save(self, path: str | Path) -> Path:
        """Write it into a file, in the format that the file's ending names: ``.svg``, ``.png`` or ``.html``."""


class Showing(Protocol):
    """What reporting does for the rooms below it."""

    def of_run(self, folder: Path, kind: str) -> Shown:
        """Make a picture of a run."""

    def of_finding(self, finding: Any) -> Shown:
        """Make a picture of what the finder found."""

    def of_scaling(self, finding: Any) -> Shown:
        """Make a picture of how the best rate goes with a size."""

    def card(self, result: Any, folder: Path) -> str:
        """Write a result for a notebook."""

    def leave(self, result: Any) -> str | None:
        """Write the report of a finished search into its folder; or say why it could not be written."""


def showing() -> Showing:
    """Open it: a search that nobody looks at loads nothing of reporting."""
    return cast("Showing", importlib.import_module(_HOME))
