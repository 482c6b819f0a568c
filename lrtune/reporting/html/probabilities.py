"""Figures of predicted probabilities: whether they are true, and what the true class gets of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.reporting.html.classes import NO_CLASSES, NO_PROBABILITIES
from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    DASHED,
    GREY,
    LINE,
    NAMES,
    PALE,
    POINTS,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.text import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lrtune.reporting.html.subject import Subject

_BINS = 10
"""Groups of rows."""

_WIDE = 1.959964
"""Standard deviations of a normal distribution that hold 95 % of it to both sides."""


def calibration(about: Subject) -> Figure | str:
    """Show whether what is predicted with a probability is true as often."""
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.probabilities is None or found.labels is None:
        return NO_CLASSES if not found.names else NO_PROBABILITIES
    if len(found.names) == 2:
        said, truth = found.probabilities[:, 1], found.targets == 1
        what = f"the probability of '{found.names[1]}'"
    else:
        said, truth = found.probabilities.max(axis=1), found.targets == found.labels
        what = "the probability of the class that is named"
    rows = list(_bins(said, truth))
    means, shares, low, high = ([row[place] for row in rows] for place in range(4))
    gap = math.fsum(row[4] * abs(row[0] - row[1]) for row in rows) / max(sum(row[4] for row in rows), 1)
    panel = Panel(
        FigureAxis("what was predicted: mean probability"),
        FigureAxis("what was true: share of the rows"),
        (
            Series(BAND, means, shares, "95 % interval of the share", PALE, low, high),
            Series(DASHED, [0.0, 1.0], [0.0, 1.0], "both agree", GREY),
            Series(LINE, means, shares, ""),
            Series(POINTS, means, shares, titles=[f"{row[4]} rows" for row in rows]),
        ),
        height=360,
    )
    return Figure(
        f"Rows in {len(rows)} groups by {what}: on average the two are {100 * gap:.1f} points apart. Below the "
        f"dashed line probabilities are too high, above it too low. {found.source()}",
        (panel,),
        ("mean probability", "share that was true", "from", "to", "rows"),
        tuple((*(f"{each:.3f}" for each in row[:4]), str(row[4])) for row in rows),
    )


def _bins(said: NDArray[np.float64], truth: NDArray[Any]) -> Iterator[tuple[float, float, float, float, int]]:
    """Split rows into groups of equal size: mean probability, share that was true, its interval (Wilson), and rows."""
    edges = np.unique(np.quantile(said, np.linspace(0, 1, _BINS + 1)))
    places = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, max(len(edges) - 2, 0))
    for each in np.unique(places):
        inside = places == each
        count, share = int(inside.sum()), float(truth[inside].mean())
        middle = (share + _WIDE**2 / (2 * count)) / (1 + _WIDE**2 / count)
        half = _WIDE * math.sqrt(share * (1 - share) / count + _WIDE**2 / (4 * count**2)) / (1 + _WIDE**2 / count)
        yield float(said[inside].mean()), share, max(middle - half, 0.0), min(middle + half, 1.0), count


def certainty(about: Subject) -> Figure | str:
    """Show which probability the true class gets."""
    found = about.predicted
    if isinstance(found, str):
        return found
    if found.truth is None:
        return NO_CLASSES if not found.names else NO_PROBABILITIES
    places = np.minimum((found.truth * _BINS).astype(np.int64), _BINS - 1)
    rows = np.bincount(places, minlength=_BINS)
    names = tuple(f"{100 * each // _BINS} to {100 * (each + 1) // _BINS} %" for each in range(_BINS))
    likely = float((found.truth > 0.5).mean())
    bars = Series(
        BARS, rows.astype(float).tolist(), list(map(float, range(_BINS))), texts=[f"{each:,}" for each in rows]
    )
    return Figure(
        f"For {formats.share(likely)} of the rows the true class gets more than half of the probability; rows below "
        f"10 % are the confident mistakes. {found.source(len(found.truth))}",
        (Panel(FigureAxis("rows"), FigureAxis("", NAMES, names), (bars,), height=52 + 26 * _BINS),),
        ("probability of the true class", "rows"),
        tuple((name, f"{count:,}") for name, count in zip(names, rows, strict=True)),
    )
