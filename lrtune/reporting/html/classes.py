"""Figures of predicted classes: which is taken for which, how often each is named, and how well they are ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.reporting.html.figures import (
    BARS,
    CELLS,
    DASHED,
    GREY,
    KINDS,
    LINE,
    MOST_ROWS,
    NAMES,
    PALE,
    POINTS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.html.predictions import OutOfFold
from lrtune.text import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lrtune.reporting.html.subject import Subject

_MOST_CLASSES, _NAMED = 25, 6
"""Classes of a confusion matrix, and curves with a colour of their own."""

_CORNERS = 160
"""Points of a curve."""

NO_CLASSES = "this run predicts numbers, not classes."
NO_PROBABILITIES = (
    "of each prediction only what the metric needs is kept: for the log loss of more than two classes the probability "
    "of the true one, and of labels no probability."
)


def confusion(about: Subject) -> Figure | str:
    """Show which classes are taken for which."""
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.labels is None:
        return NO_CLASSES if not found.names else NO_PROBABILITIES
    names, size = found.names, len(found.names)
    if size > _MOST_CLASSES:
        return f"{size} classes are more than a matrix shows."
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (found.targets.astype(np.int64), found.labels), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    places = [(row, column) for row in range(size) for column in range(size)]
    cells = Series(
        CELLS,
        [float(column) for _, column in places],
        [float(size - 1 - row) for row, _ in places],
        low=[float(shares[place]) for place in places],
        titles=[f"{names[row]} taken for {names[column]}: {counts[row, column]}" for row, column in places],
        texts=[str(counts[place]) if counts[place] else "" for place in places],
    )
    height = max(190, min(100 + 34 * size, 620))
    axes = FigureAxis("taken for", NAMES, names), FigureAxis("true class", NAMES, names[::-1])
    panel = Panel(*axes, (cells,), "", height)
    return Figure(
        f"{_mistakes(found, counts)} A row of the matrix is a class; darker is a larger part of it.",
        (panel,),
        ("true class", *names),
        tuple((name, *map(str, counts[place].tolist())) for place, name in enumerate(names)),
    )


def _mistakes(found: OutOfFold, counts: NDArray[Any]) -> str:
    right, rows = int(np.trace(counts)), int(counts.sum())
    said = f"Of {formats.plural(rows, 'row')} that were not trained on, {found.whose} gets {right:,} right"
    wrong = counts - np.diag(np.diag(counts))
    if not wrong.any():
        return f"{said}."
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    times = "once" if wrong[row, column] == 1 else f"{wrong[row, column]:,} times"
    return f"{said}; its most frequent mistake is to take '{found.names[row]}' for '{found.names[column]}', {times}."


def roc(about: Subject) -> Figure | str:
    """Show how well the classes are ranked: false alarms against what is found."""
    diagonal = Series(DASHED, [0.0, 1.0], [0.0, 1.0], "by chance", GREY)
    return _curves(
        about,
        _roc_of,
        ("share of the others that is taken for it", "share of the class that is found"),
        ("area under the curve", "The higher the curve, the better; on the dashed line nothing is told apart."),
        (diagonal,),
    )


def precision_recall(about: Subject) -> Figure | str:
    """Show how many of those that are named are right, against how many are found."""
    return _curves(
        about,
        _pr_of,
        ("share of the class that is found", "share of those named that is right"),
        ("average precision", "The further to the upper right the curve, the better."),
        (),
    )


def _curves(
    about: Subject,
    curve: Callable[[NDArray[np.float64], NDArray[Any]], tuple[NDArray[np.float64], NDArray[np.float64], float]],
    axes: tuple[str, str],
    words: tuple[str, str],
    more: tuple[Series, ...],
) -> Figure | str:
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.probabilities is None:
        return NO_CLASSES if not found.names else NO_PROBABILITIES
    shown = [1] if len(found.names) == 2 else list(range(len(found.names)))
    series, rows, areas = [*more], [], []
    for tone, each in enumerate(shown):
        truth = found.targets == each
        if truth.all() or not truth.any():
            continue
        x, y, area = curve(found.probabilities[:, each], truth)
        keep = np.unique(np.linspace(0, len(x) - 1, min(_CORNERS, len(x))).astype(np.int64))
        named = len(shown) <= _NAMED
        label = found.names[each] if named else "a class"
        series.append(Series(LINE, x[keep].tolist(), y[keep].tolist(), label, KINDS[tone] if named else GREY))
        areas.append((area, found.names[each]))
        rows.append((found.names[each], f"{area:.4f}", f"{int(truth.sum()):,}"))
    if not rows:
        return "the rows are all of one class."
    said = f"The {words[0]} is {areas[0][0]:.3f} for '{areas[0][1]}'."
    if len(rows) > 1:
        low, high = min(areas), max(areas)
        ends = f"from {low[0]:.3f} ({low[1]}) to {high[0]:.3f} ({high[1]})"
        said = f"Each class against all others: the {words[0]} goes {ends}."
    panel = Panel(FigureAxis(axes[0]), FigureAxis(axes[1]), tuple(series), height=360)
    return Figure(
        f"{said} {words[1]} Out-of-fold predictions of {found.whose}, all folds together.",
        (panel,),
        ("class", words[0], "rows of it"),
        tuple(rows[:MOST_ROWS]),
    )


def _ranked(scores: NDArray[np.float64], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count at each threshold, from the highest down, how many of the class and of the others are above it."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # rows of equal score are named together
    found = np.append(0, hits[last]).astype(np.float64)
    named = np.append(0, np.flatnonzero(last) + 1).astype(np.float64)
    return found, named - found


def _roc_of(scores: NDArray[np.float64], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    found, wrong = _ranked(scores, truth)
    x, y = wrong / wrong[-1], found / found[-1]
    return x, y, float(np.trapezoid(y, x))


def _pr_of(scores: NDArray[np.float64], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    found, wrong = _ranked(scores, truth)
    recall, precision = found[1:] / found[-1], found[1:] / (found[1:] + wrong[1:])
    area = float(np.sum(np.diff(np.append(0.0, recall)) * precision))
    return np.append(0.0, recall), np.append(precision[0], precision), area


def counts(about: Subject) -> Figure | str:
    """Show how often each class occurs, and how often it is predicted."""
    result = about.result
    if result is None or not result.classes:
        return NO_CLASSES if result is not None and not result.classes else "no trial is complete yet."
    shown = result.classes[:_MOST_CLASSES][::-1]
    names = tuple(each.name for each in shown)
    rows = list(map(float, range(len(shown))))
    series = (
        Series(BARS, [float(each.rows) for each in shown], rows, "rows of the class", PALE),
        Series(POINTS, [each.predicted for each in shown], rows, "predictions of it", 0, titles=list(names)),
    )
    far = max(shown, key=lambda each: abs(each.predicted - each.rows) / max(each.rows, 1))
    more = (
        "as often as it occurs"
        if far.predicted == far.rows
        else "too often"
        if far.predicted > far.rows
        else "too rarely"
    )
    whose = result.handed_over if result.classes_of_mean else f"trial {result.best.number}"
    return Figure(
        f"{whose[:1].upper()}{whose[1:]} predicts '{far.name}' {more}: {formats.number(far.predicted)} times for "
        f"{formats.plural(far.rows, 'row')}" + (", the largest gap of all classes." if len(shown) > 2 else "."),
        (Panel(FigureAxis("rows"), FigureAxis("", NAMES, names), series, height=60 + 28 * len(shown)),),
        ("class", "rows", "predicted"),
        tuple((each.name, f"{each.rows:,}", formats.number(each.predicted)) for each in shown[::-1]),
    )
