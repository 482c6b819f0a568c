"""Curves in the terminal: lines of characters, without colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

_BARS = " ▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille character, by row and column of its dots."""

_MARGIN = 9

SIGNS = "●x+o#%*@"
"""What each of several curves is drawn with."""


def sparkline(values: Sequence[float], top: float | None = None) -> str:
    """Draw values as bars in one line; the highest possible value is ``top``.

    >>> sparkline([0.0, 0.25, 0.5, 0.75, 1.0])
    ' ▂▄▆█'
    """
    highest = max(max(values) if top is None else top, 1e-300)
    steps = len(_BARS) - 1
    return "".join(_BARS[_level(value / highest, steps)] for value in values)


def _level(share: float, steps: int) -> int:
    """Choose a bar; what is above zero shows."""
    return max(min(round(share * steps), steps), 1 if share > 0.0 else 0)


def curve(x: Sequence[float], y: Sequence[float], *, label: str, width: int = 96, height: int = 13) -> list[str]:
    """Draw a curve through points from zero up to their maximum, with both axes.

    Parameters
    ----------
    x, y
        The points, with increasing ``x``.
    label
        What ``x`` is.
    width, height
        In characters.

    """
    columns, rows = 2 * (width - _MARGIN - 1), 4 * height
    top, span = max(*y, 1e-300), (x[-1] - x[0]) or 1.0
    places = [
        (
            min(int((a - x[0]) / span * (columns - 1) + 0.5), columns - 1),
            rows - 1 - round(max(b, 0.0) / top * (rows - 1)),
        )
        for a, b in zip(x, y, strict=True)
    ]
    cells = [[0] * (columns // 2) for _ in range(height)]
    for column, row in _dots(places):
        cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
    drawn = ["".join(chr(0x2800 + each) if each else " " for each in line) for line in cells]
    return _framed(drawn, top, x, label)


def curves(x: Sequence[float], ys: Sequence[Sequence[float]], *, label: str, width: int = 96) -> list[str]:
    """Draw several curves from zero up to their maximum, each with its sign; where they meet, the last one is seen.

    Parameters
    ----------
    x, ys
        The points, with increasing ``x``, and at most as many curves as there are `SIGNS`.
    label
        What ``x`` is.
    width
        In characters.

    """
    height, columns = 17, width - _MARGIN - 1
    top, span = max(1e-300, *(max(each) for each in ys)), (x[-1] - x[0]) or 1.0
    cells = [[" "] * columns for _ in range(height)]
    for sign, y in zip(SIGNS, ys, strict=False):
        places = [
            (round((a - x[0]) / span * (columns - 1)), height - 1 - round(max(b, 0.0) / top * (height - 1)))
            for a, b in zip(x, y, strict=True)
        ]
        for column, row in _dots(places):
            cells[row][column] = sign
    return _framed(["".join(line) for line in cells], top, x, label)


def _framed(lines: Sequence[str], top: float, x: Sequence[float], label: str) -> list[str]:
    """Put a picture between its axes; every fourth line has its value."""
    framed = []
    for index, line in enumerate(lines):
        mark = f"{top * (1.0 - index / (len(lines) - 1)):.3g}" if index % 4 == 0 else ""
        framed.append(f"{mark:>{_MARGIN - 1}} {'┤' if mark else '│'}{line}".rstrip())
    width = len(lines[0])
    return [*framed, f"{'':{_MARGIN}}└{'─' * width}", _axis(x[0], x[-1], label, width)]


def _dots(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join points by dots: column by column, and row by row where the curve is steep."""
    yield from places[:1]
    for (left, above), (right, below) in itertools.pairwise(places):
        count = max(right - left, abs(below - above), 1)
        for each in range(1, count + 1):
            yield left + round((right - left) * each / count), above + round((below - above) * each / count)


def _axis(begin: float, end: float, label: str, width: int) -> str:
    """Write the ends and the name of the horizontal axis."""
    left, right = f"{begin:g}", f"{math.ceil(end):g}"
    return f"{'':{_MARGIN + 1}}{left}{label:^{width - len(left) - len(right)}}{right}"
