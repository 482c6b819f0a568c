"""Single figures as files and in notebooks, and a result as a card."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting import export
from lrtune.reporting.answer import answer
from lrtune.reporting.figures import check_path
from lrtune.reporting.html.catalogue import kind_of
from lrtune.reporting.html.finding import finder_figure
from lrtune.reporting.html.page import document, report
from lrtune.reporting.html.scales import shortened, width_of
from lrtune.reporting.html.scaling import scaling_figure
from lrtune.reporting.html.sections import article, mark_of
from lrtune.reporting.html.style import LIGHT, drawing_rules
from lrtune.reporting.html.subject import subject
from lrtune.reporting.html.svg import HALF, WIDE, plot, written
from lrtune.reporting.html.tiles import facts
from lrtune.reporting.rates import summary
from lrtune.reporting.scaling import scaling_summary
from lrtune.run import files
from lrtune.run.names import REPORT
from lrtune.text.errors import LrtuneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.finder import RateFinding, ScalingFinding
    from lrtune.reporting.html.figures import Figure
    from lrtune.reporting.scaling import ScalingSummary
    from lrtune.tuning.searched import Searched
    from lrtune.verdict.result import Result

_MARGIN, _GAP, _KEY = 14, 20, 30
_PIXELS = 2.0
"""Pixels of a PNG for each unit of the drawing."""


@dataclass(frozen=True)
class Picture:
    """A figure on its own: notebooks show it, and `save` writes it.

    Attributes
    ----------
    name, title
        Of its kind.
    figure
        What it shows.

    """

    name: str
    title: str
    figure: Figure

    @property
    def sentence(self) -> str:
        """What it shows, in words."""
        return self.figure.sentence

    def svg(self) -> str:
        """Draw it as SVG, which needs nothing beside it."""
        return _standalone(self)

    def png(self) -> bytes:
        """Draw it as PNG."""
        import vl_convert

        return bytes(vl_convert.svg_to_png(self.svg(), scale=_PIXELS))

    def html(self) -> str:
        """Write it as a page of its own, with its sentence and its numbers."""
        body = ("<h2>In a picture</h2>", article(self.name, self.title, self.figure))
        return document(self.title, (f"<h1>{written(self.title)}</h1>",), "", body)

    def save(self, path: str | Path) -> Path:
        """Write it into a file, in the format that the file's ending names: ``.svg``, ``.png`` or ``.html``.

        Raises
        ------
        LrtuneError
            If the ending is another one, or the file cannot be written.

        """
        target = Path(path).expanduser()
        kind = target.suffix.lower()
        check_path(target, "picture")
        export.write(target, _FORMATS[kind](self))
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        """Show it as an image, so that its rules are its own."""
        data = base64.b64encode(self.svg().encode()).decode()
        return f'<img alt="{escape(self.sentence)}" src="data:image/svg+xml;base64,{data}" style="max-width: 100%">'


_FORMATS: dict[str, Callable[[Picture], str | bytes]] = {
    ".svg": Picture.svg,
    ".png": Picture.png,
    ".html": Picture.html,
}


def of_run(folder: Path, kind: str) -> Picture:
    """Make a picture of a run.

    Parameters
    ----------
    folder
        Of the run.
    kind
        Its name in `lrtune.reporting.html.catalogue.FIGURES`.

    Raises
    ------
    LrtuneError
        If there is no such kind, or the run has none of it.

    """
    entry = kind_of(kind)
    found = entry.make(subject(folder, explained=entry.explains))
    if isinstance(found, str):
        raise LrtuneError(f"{folder}: has no figure '{kind}': {found.rstrip('.')}")
    return Picture(entry.name, entry.title, found)


def of_finding(finding: RateFinding) -> Picture:
    """Make a picture of what the finder found."""
    entry = kind_of("finder")
    return Picture(entry.name, entry.title, finder_figure(summary(finding, "")))


def of_scaling(finding: ScalingFinding) -> Picture:
    """Make a picture of how the best rate goes with a size."""
    return scaling_picture(scaling_summary(finding, ""))


def scaling_picture(found: ScalingSummary) -> Picture:
    """Make the same picture of what was summed up."""
    name = f"{found.name}: " if found.name else ""
    return Picture("scaling", f"{name}the best learning rate by {found.counted}", scaling_figure(found))


def leave(result: Searched) -> str | None:
    """Write the report beside the result of a finished search.

    Returns
    -------
    str or None
        Why it could not be written: a picture less is no reason to end without the result.

    """
    try:
        files.write(result.folder / REPORT, report(result.folder, result=result))
    except Exception as error:  # noqa: BLE001 - whatever it is, the result stands
        return f"{REPORT} could not be written ({type(error).__name__}: {error}); everything else is there"
    return None


def card(result: Result, folder: Path) -> str:
    """Write a result for a notebook: the answer in words, and where the report is."""
    point = subject(folder, explained=False).run.study.trials[result.best.number].configuration
    found = answer(result, point)
    where = folder / REPORT
    more = f"<p>Pictures: <code>{written(where)}</code>, or <code>.plot(kind)</code></p>"
    said = "".join(facts(found.facts))
    return f"<div><p><strong>{written(found.headline)}</strong></p>{said}{more if where.is_file() else ''}</div>"


def _standalone(picture: Picture) -> str:
    """Draw a figure with its title and its legend, in the colours of a light page."""
    panels = picture.figure.panels
    width = HALF if len(panels) > 1 else WIDE
    columns = 2 if len(panels) > 1 else 1
    whole = columns * width + (columns - 1) * _GAP
    parts = [f'<text class="title" x="{_MARGIN}" y="28">{written(shortened(picture.title, whole / 1.3))}</text>']
    keys, y = _legend(picture.figure, whole)
    parts += keys
    for first in range(0, len(panels), columns):
        row = [plot(each, width) for each in panels[first : first + columns]]
        for place, (_, inside) in enumerate(row):
            x = _MARGIN + place * (width + _GAP)
            parts.append(f'<g transform="translate({x} {y:g})">{inside}</g>')
        y += max(frame.height for frame, _ in row) + _MARGIN
    size = f'width="{whole + 2 * _MARGIN}" height="{y:g}" viewBox="0 0 {whole + 2 * _MARGIN} {y:g}"'
    rules = f".title {{ font-size: 17px; font-weight: 600; fill: {LIGHT['ink']} }} {drawing_rules(LIGHT)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONTS}">'
        f"<title>{written(picture.title)}</title><desc>{written(picture.sentence)}</desc><style>{rules}</style>"
        f'<rect width="100%" height="100%" fill="{LIGHT["paper"]}"/>{"".join(parts)}</svg>\n'
    )


_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def _legend(figure: Figure, width: float) -> tuple[list[str], float]:
    """Draw the legend in lines that are not wider than the drawing; and say where the panels begin."""
    shown = figure.legend
    if len(shown) < 2:
        return [], 44.0
    parts: list[str] = []
    x, y = float(_MARGIN), 50.0
    for mark, label in ((mark_of(each), shortened(each.label, width / 2)) for each in shown):
        needed = _KEY + width_of(label) + 16
        if x + needed > width and x > _MARGIN:
            x, y = float(_MARGIN), y + 20
        parts.append(f'<g transform="translate({x:g} {y - 10:g})">{mark}</g>')
        parts.append(f'<text class="tick" x="{x + _KEY - 4:g}" y="{y:g}">{written(label)}</text>')
        x += needed
    return parts, y + 16
