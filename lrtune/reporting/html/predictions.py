"""What the best trial predicts on rows that it was not trained on, beside what is true, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.reporting.html.figures import (
    CELLS,
    DASHED,
    LINE,
    MOST_ROWS,
    NAMES,
    POINTS,
    Figure,
    FigureAxis,
    Series,
)
from lrtune.run import observed
from lrtune.run.names import OBSERVED
from lrtune.text import formats
from lrtune.text.errors import StudyError
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.metrics.scoring import kept
from lrtune.verdict.recorded import records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result

_CLASSES, _DOTS = 25, 600
"""Classes of a confusion matrix, and rows of a plot of predictions."""


def predictions(run: Run, result: Result) -> Figure | None:
    """Show what the best trial predicts on rows that it was not trained on, beside what is true."""
    try:
        seen = observed.read(run.folder / OBSERVED)
        (record,) = records(run.study, run.folder, [run.study.trials[result.best.number]], seen)
    except (StudyError, OSError):
        return None
    keeps = METRICS[result.metric].keeps
    if keeps == "value":
        return _values_figure(result, record, seen.targets)
    if keeps == "label" and len(result.classes) <= _CLASSES:
        labels = kept(result.metric, record[None])[0].astype(np.int64)
        return _matrix(result, labels, seen.targets)
    if keeps == "score" and 2 < seen.classes <= _CLASSES:
        return _matrix(result, record.argmax(axis=-1), seen.targets)
    if (keeps == "loss" and seen.classes == 2) or (keeps == "score" and seen.classes == 2):
        truth = np.exp(-record.astype(np.float64)) if keeps == "loss" else record.astype(np.float64)
        positive = np.where(seen.targets == 1, truth, 1.0 - truth) if keeps == "loss" else truth
        return _calibration(result, positive, seen.targets)
    return None


def _values_figure(result: Result, values: NDArray[Any], targets: NDArray[Any]) -> Figure:
    rows = np.linspace(0, len(targets) - 1, min(_DOTS, len(targets))).astype(np.int64)
    x, y = targets[rows].astype(np.float64).tolist(), values[rows].astype(np.float64).tolist()
    ends = [min(*x, *y), max(*x, *y)]
    return Figure(
        "predictions",
        "Predicted and true values",
        f"Out-of-fold predictions of trial {result.best.number} for {formats.plural(len(rows), 'row')}; on the line "
        "they are right.",
        FigureAxis("true value"),
        FigureAxis("predicted value"),
        (Series(DASHED, ends, ends, tone=5), Series(POINTS, x, y)),
        ("true", "predicted"),
        tuple((f"{a:.6g}", f"{b:.6g}") for a, b in list(zip(x, y, strict=True))[:MOST_ROWS]),
        height=360,
    )


def _matrix(result: Result, labels: NDArray[Any], targets: NDArray[Any]) -> Figure | None:
    names = tuple(each.name for each in result.classes) or tuple(map(str, range(int(targets.max()) + 1)))
    size = len(names)
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (targets.astype(np.int64), labels.astype(np.int64)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [(column, size - 1 - row) for row in range(size) for column in range(size)]
    places = [(row, column) for row in range(size) for column in range(size)]
    return Figure(
        "confusion",
        "Confusion matrix",
        f"Out-of-fold predictions of trial {result.best.number}: how many rows of each class, one on each line, are "
        "taken for which. Darker is a larger part of the class.",
        FigureAxis("predicted class", NAMES, names),
        FigureAxis("", NAMES, names[::-1]),
        (
            Series(
                CELLS,
                [float(a) for a, _ in cells],
                [float(b) for _, b in cells],
                low=[float(shares[place]) for place in places],
                titles=[f"{names[row]} taken for {names[column]}: {counts[row, column]}" for row, column in places],
            ),
        ),
        ("class", *names),
        tuple((name, *map(str, counts[place].tolist())) for place, name in enumerate(names)),
        height=max(200, min(90 + 30 * size, 560)),
    )


def _calibration(result: Result, positive: NDArray[Any], targets: NDArray[Any]) -> Figure | None:
    edges = np.quantile(positive, np.linspace(0, 1, 11))
    bins = np.clip(np.searchsorted(edges, positive, side="right") - 1, 0, 9)
    rows = [
        (positive[bins == each].mean(), (targets[bins == each] == 1).mean(), int((bins == each).sum()))
        for each in range(10)
        if (bins == each).any()
    ]
    return Figure(
        "calibration",
        "Are the probabilities true?",
        f"Out-of-fold predictions of trial {result.best.number} in ten groups of equal size: the mean probability of "
        "the positive class, and how often it was true. On the dashed line they agree.",
        FigureAxis("mean probability"),
        FigureAxis("share that was true"),
        (
            Series(DASHED, [0.0, 1.0], [0.0, 1.0], tone=5),
            Series(LINE, [float(a) for a, _, _ in rows], [float(b) for _, b, _ in rows]),
            Series(
                POINTS,
                [float(a) for a, _, _ in rows],
                [float(b) for _, b, _ in rows],
                titles=[f"{n} rows" for _, _, n in rows],
            ),
        ),
        ("mean probability", "share that was true", "rows"),
        tuple((f"{a:.3f}", f"{b:.3f}", str(n)) for a, b, n in rows),
        height=320,
    )
