"""Figures of predicted classes: which is taken for which, how often each is named, and how well they are ranked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

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
    THIN,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.html.predictions import OutOfFold
from lrtune.text import formats
from lrtune.training.metrics.scoring import MOST_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from lrtune.reporting.html.subject import Subject

_MOST_CLASSES, _NAMED, _WORST = 30, 6, 3
"""Classes of a confusion matrix; curves with a colour of their own, and how many have one where there are more."""

_CORNERS, _ALL_CORNERS, _FEWEST_CORNERS = 160, 1000, 16
"""Points of a curve that has a colour; of all others together, and of each of them at least."""

NO_CLASSES = "this run predicts numbers, not classes."
NO_PROBABILITIES = (
    "the probabilities of all classes are not known: what trained tells labels only, there are more than "
    f"{MOST_CLASSES} classes, or the search is of an earlier version."
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
    places = [(int(row), int(column)) for row, column in np.argwhere(counts)]
    cells = Series(
        CELLS,
        [float(column) for _, column in places],
        [float(size - 1 - row) for row, _ in places],
        low=[float(shares[place]) for place in places],
        titles=[f"{names[row]} taken for {names[column]}: {counts[row, column]}" for row, column in places],
        texts=[str(counts[place]) for place in places],
    )
    height = max(190, min(100 + 34 * size, 620))
    axes = FigureAxis("taken for", NAMES, names), FigureAxis("true class", NAMES, names[::-1])
    panel = Panel(*axes, (cells,), "", height)
    return Figure(
        f"{_mistakes(found, counts)} A row of the matrix is a class; darker is a larger part of it.{found.part()}",
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
    drawn = []
    for each in shown:
        truth = found.targets == each
        if not truth.all() and truth.any():
            x, y, area = curve(found.probabilities[:, each], truth)
            drawn.append(_ClassCurve(found.names[each], x, y, area, int(truth.sum())))
    if not drawn:
        return "the rows are all of one class."
    said = f"The {words[0]} is {drawn[0].area:.3f} for '{drawn[0].name}'."
    if len(drawn) > 1:
        low, high = (end(drawn, key=lambda each: each.area) for end in (min, max))
        mean = sum(each.area for each in drawn) / len(drawn)
        said = (
            f"Each class against all others: the {words[0]} is {mean:.3f} on average, from {low.area:.3f} ({low.name}) "
            f"to {high.area:.3f} ({high.name})."
        )
    panel = Panel(FigureAxis(axes[0]), FigureAxis(axes[1]), (*more, *_coloured(drawn)), height=360)
    return Figure(
        f"{said} {words[1]} {found.source()} All folds are taken together.",
        (panel,),
        ("class", words[0], "rows of it"),
        tuple((each.name, f"{each.area:.4f}", f"{each.rows:,}") for each in drawn)[:MOST_ROWS],
    )


class _ClassCurve(NamedTuple):
    """The curve of a class against all others, the area below it, and the rows of the class."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float
    rows: int

    def series(self, kind: str, label: str, tone: int, corners: int) -> Series:
        """Draw it with at most so many points."""
        keep = np.unique(np.linspace(0, len(self.x) - 1, min(corners, len(self.x))).astype(np.int64))
        return Series(kind, self.x[keep].tolist(), self.y[keep].tolist(), label, tone)


def _coloured(drawn: Sequence[_ClassCurve]) -> Iterator[Series]:
    """Give every curve a colour; where they are too many for that, the worst ones, upon all others in grey."""
    named, others = drawn, []
    if len(drawn) > _NAMED:
        ranked = sorted(drawn, key=lambda each: each.area)
        named, others = ranked[:_WORST], ranked[_WORST:]
    corners = max(_FEWEST_CORNERS, _ALL_CORNERS // max(len(others), 1))
    for each in others:
        yield each.series(THIN, f"the other {len(others)} classes", GREY, min(corners, _CORNERS))
    for tone, each in zip(KINDS, named, strict=False):
        yield each.series(LINE, each.name, tone, _CORNERS)


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
    far = max(shown, key=lambda each: abs(each.predicted - each.rows) / math.sqrt(max(each.rows, 1)))
    more = (
        "as often as it occurs"
        if far.predicted == far.rows
        else "about as often as it occurs"
        if abs(far.predicted - far.rows) <= math.sqrt(far.rows)  # what chance does to a count
        else "too often"
        if far.predicted > far.rows
        else "too rarely"
    )
    gap = ", the most striking gap of all classes." if len(shown) > 2 and far.predicted != far.rows else "."
    whose = result.handed_over if result.classes_of_mean else f"trial {result.best.number}"
    return Figure(
        f"{whose[:1].upper()}{whose[1:]} predicts '{far.name}' {more}: {formats.number(far.predicted)} times for "
        f"{formats.plural(far.rows, 'row')}{gap}",
        (Panel(FigureAxis("rows"), FigureAxis("", NAMES, names), series, height=60 + 28 * len(shown)),),
        ("class", "rows", "predicted"),
        tuple((each.name, f"{each.rows:,}", formats.number(each.predicted)) for each in shown[::-1]),
    )
