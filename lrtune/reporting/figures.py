"""Figures as PNG, SVG or HTML. Nothing is fetched: the HTML carries its scripts in itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrtune.reporting import export
from lrtune.text import formats
from lrtune.text.errors import LrtuneError, nearest

Figure = dict[str, Any]
"""A figure as a Vega-Lite specification, in JSON's types."""

Row = dict[str, float | str | None]
"""A row of a figure's data."""

FORMATS = (".png", ".svg", ".html")

_PIXELS = 2.0
"""Pixels of a PNG for each unit of the figure."""


def check_path(path: Path, noun: str = "figure") -> None:
    """Refuse a file whose ending is no format that can be drawn; the noun is what is to be drawn.

    Raises
    ------
    LrtuneError
        If so.

    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise LrtuneError(f"{path}: unknown kind of {noun} '{kind}'; {nearest(kind, FORMATS)}")


def write(figure: Figure, path: Path) -> None:
    """Write a figure in Vega-Lite in the format that the file's ending names; HTML is interactive.

    Raises
    ------
    LrtuneError
        If the ending is none of `FORMATS`, or the file cannot be written.

    """
    check_path(path)
    export.write(path, drawn(figure, path.suffix.lower()))


def drawn(figure: Figure, kind: str) -> bytes:
    """Draw a figure in Vega-Lite in one of `FORMATS`."""
    import vl_convert

    # Control characters in names from outside become escapes: no figure can hold them, and drawing one aborts.
    figure = _changed(figure, formats.printable)
    if kind == ".png":
        return bytes(vl_convert.vegalite_to_png(figure, scale=_PIXELS))
    if kind == ".svg":
        return str(vl_convert.vegalite_to_svg(figure)).encode()
    # A name with a closing tag in it would end the script that the page keeps the figure in, and could begin another.
    opened = _changed(figure, lambda text: text.replace("<", _STAND_IN))
    return str(vl_convert.vegalite_to_html(opened, bundle=True)).replace(_STAND_IN, "\\u003c").encode()


_STAND_IN = "\ue000"
"""A character without a meaning, which no printable text has."""


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in a value in JSON's types."""
    if isinstance(value, dict):
        return {key: _changed(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    return change(value) if isinstance(value, str) else value
