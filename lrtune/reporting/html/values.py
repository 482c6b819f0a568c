"""Figures of predicted values: beside the truth, and how far from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrtune.reporting.html.figures import DASHED, GREY, MOST_ROWS, POINTS, Figure, FigureAxis, Panel, Series
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.reporting.html.subject import Subject

_DOTS = 600
"""Rows that are drawn."""

NO_VALUES = "this run predicts classes, not numbers."


def beside_truth(about: Subject) -> Figure | str:
    """Show predicted values beside true ones."""
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.values is None:
        return NO_VALUES
    rows = _shown(len(found.targets))
    truth, values = found.targets.astype(np.float64), found.values
    x, y = truth[rows].tolist(), values[rows].tolist()
    ends = [min(*x, *y), max(*x, *y)]
    middle = float(np.median(np.abs(values - truth)))
    panel = Panel(
        FigureAxis("true value"),
        FigureAxis("predicted value"),
        (Series(POINTS, x, y, "a row"), Series(DASHED, ends, ends, "both agree", GREY)),
        height=400,
    )
    return Figure(
        f"Half of the predictions are within {formats.score_format([middle])(middle)} of the truth. "
        f"{_of(found.whose, len(rows))}",
        (panel,),
        ("true", "predicted"),
        tuple((f"{a:.6g}", f"{b:.6g}") for a, b in list(zip(x, y, strict=True))[:MOST_ROWS]),
    )


def residuals(about: Subject) -> Figure | str:
    """Show how far predictions are from the truth, by what was predicted."""
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.values is None:
        return NO_VALUES
    rows = _shown(len(found.targets))
    errors = found.values - found.targets.astype(np.float64)
    x, y = found.values[rows].tolist(), errors[rows].tolist()
    mean = float(errors.mean())
    side = "too high" if mean > 0 else "too low"
    panel = Panel(
        FigureAxis("predicted value"),
        FigureAxis("predicted less true value"),
        (Series(POINTS, x, y, "a row"), Series(DASHED, [min(x), max(x)], [0.0, 0.0], "right", GREY)),
        height=320,
    )
    return Figure(
        f"On average predictions are {formats.score_format([mean])(abs(mean))} {side}. A fan that opens to one side "
        f"means larger errors there; a bend means that something is missed. {_of(found.whose, len(rows))}",
        (panel,),
        ("predicted", "predicted less true"),
        tuple((f"{a:.6g}", f"{b:.6g}") for a, b in list(zip(x, y, strict=True))[:MOST_ROWS]),
    )


def _shown(count: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(_DOTS, count)).astype(np.int64)


def _of(whose: str, count: int) -> str:
    return f"Out-of-fold predictions of {whose} for {formats.plural(count, 'row')}."
