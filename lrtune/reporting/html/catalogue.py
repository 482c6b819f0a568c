"""Every figure of a run: one entry says what it is called, what it is for, and which function makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lrtune.text.errors import LrtuneError, nearest
from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.reporting.html import (
        classes,
        curves,
        finding,
        folds,
        nights,
        overview,
        parallel,
        probabilities,
        schedule,
        space,
        trials,
        values,
    )
    from lrtune.reporting.html.figures import Figure
    from lrtune.reporting.html.subject import Subject
else:
    classes = Deferred("lrtune.reporting.html.classes")
    curves = Deferred("lrtune.reporting.html.curves")
    finding = Deferred("lrtune.reporting.html.finding")
    folds = Deferred("lrtune.reporting.html.folds")
    nights = Deferred("lrtune.reporting.html.nights")
    overview = Deferred("lrtune.reporting.html.overview")
    parallel = Deferred("lrtune.reporting.html.parallel")
    probabilities = Deferred("lrtune.reporting.html.probabilities")
    schedule = Deferred("lrtune.reporting.html.schedule")
    space = Deferred("lrtune.reporting.html.space")
    trials = Deferred("lrtune.reporting.html.trials")
    values = Deferred("lrtune.reporting.html.values")

ANSWER, SEARCH, TRAINING, ROWS = "The answer", "The search", "The training", "The predictions"
GROUPS = (ANSWER, SEARCH, TRAINING, ROWS)
"""Parts of the report, in its order."""


class FigureKind(NamedTuple):
    """A kind of figure.

    Attributes
    ----------
    name
        In `lrtune plot`, and in links.
    title
        Above it.
    summary
        What it shows, in a few words.
    group
        The part of the report that it is in.
    make
        Makes it of a run, or says in a sentence why this run has none.
    explains
        Whether it needs to be known which dimensions mattered.

    """

    name: str
    title: str
    summary: str
    group: str
    make: Callable[[Subject], Figure | str]
    explains: bool = False


_ENTRIES = (
    FigureKind("anchors", "What to expect", "the best beside what was not tuned", ANSWER, overview.anchors),
    FigureKind(
        "optimism", "How much of it is luck?", "the score corrected, and on the test", ANSWER, overview.optimism
    ),
    FigureKind("decay", "Is decay worth it?", "the winner with and without decay", ANSWER, folds.decay),
    FigureKind("warmup", "Is warm-up needed?", "the winner with and without warm-up", ANSWER, folds.warmup),
    FigureKind("nights", "Night after night", "the champion of a folder, up to this night", ANSWER, nights.nights),
    FigureKind("history", "Score by trial", "every trial, and the best so far", SEARCH, trials.history),
    FigureKind("rates", "Score by learning rate", "by optimizer and by decay", SEARCH, trials.rates),
    FigureKind("parallel", "The best trials", "lines through all dimensions", SEARCH, parallel.parallel),
    FigureKind("importance", "What mattered", "the part of each dimension", SEARCH, space.importance, True),
    FigureKind("slices", "One dimension at a time", "predicted score by value", SEARCH, space.slices, True),
    FigureKind("pruned", "How far the trials went", "how far trials went", SEARCH, trials.pruned),
    FigureKind("curves", "Learning curves", "loss by epoch, with bands over folds", TRAINING, curves.curves),
    FigureKind("schedule", "The learning rate of the best", "rate by epoch", TRAINING, schedule.schedule),
    FigureKind("finder", "The finder's curve", "loss by learning rate, before the search", TRAINING, finding.finder),
    FigureKind("folds", "Fold by fold", "best, default and linear model", TRAINING, folds.folds),
    FigureKind("confusion", "Confusion matrix", "which class is taken for which", ROWS, classes.confusion),
    FigureKind("roc", "ROC curves", "what is found against false alarms", ROWS, classes.roc),
    FigureKind("pr", "Precision and recall", "what is right against what is found", ROWS, classes.precision_recall),
    FigureKind("certainty", "How sure of the truth", "probability of the true class", ROWS, probabilities.certainty),
    FigureKind(
        "calibration", "Are the probabilities true?", "predicted against true shares", ROWS, probabilities.calibration
    ),
    FigureKind("classes", "How often each class is predicted", "rows and predictions", ROWS, classes.counts),
    FigureKind("predicted", "Predicted and true values", "each row, for numbers", ROWS, values.beside_truth),
    FigureKind("residuals", "Errors by predicted value", "each row, for numbers", ROWS, values.residuals),
)

FIGURES: dict[str, FigureKind] = {entry.name: entry for entry in _ENTRIES}
"""In the order of the report."""


def kind_of(name: str) -> FigureKind:
    """Find a kind of figure by its name.

    Raises
    ------
    LrtuneError
        If there is none.

    """
    if name not in FIGURES:
        raise LrtuneError(f"unknown kind of figure '{name}'; {nearest(name, FIGURES)}")
    return FIGURES[name]
