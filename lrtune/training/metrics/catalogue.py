"""Every metric: one entry holds what it is, what it needs, and the functions that compute it.

Functions are in the metric's own sign, so that an error is positive. A score is computed from what the metric *keeps*
of a prediction, so that it can be computed again later from what was stored (shapes: see ``scoring``).

A metric of somebody else (`foreign`) is told by what trains, and nothing is computed here but which way is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.arrays import Array, Doubles
    from lrtune.training.metrics import functions, rows, weighted
else:
    functions = Deferred("lrtune.training.metrics.functions")
    rows = Deferred("lrtune.training.metrics.rows")
    weighted = Deferred("lrtune.training.metrics.weighted")

Kept: TypeAlias = Literal["label", "loss", "score", "value"]
"""The predicted label, the negative log-probability of the truth, the probabilities, or the predicted value."""

Needed: TypeAlias = Literal["", "two classes", "positives", "spread"]

TWO_CLASSES: Needed = "two classes"
POSITIVES: Needed = "positives"
SPREAD: Needed = "spread"
"""What a metric can need of the targets: rows of two classes, of the positive class, of two different values."""

CLASSES = ("binary", "multiclass")
VALUES = ("regression",)


def one_product(_classes: int) -> int:
    """Count the product of a mean over rows."""
    return 1


class Metric(NamedTuple):
    """A way to score predictions.

    Parameters
    ----------
    name
        In the experiment file.
    summary
        What it is, without a full stop.
    tasks
        Which tasks it fits: some of ``"binary"``, ``"multiclass"``, ``"regression"``.
    larger_is_better
        Whether it is no error.
    keeps
        What must be kept of a prediction to compute it.
    score
        ``(kept, targets, classes) -> (C,)``, for targets (M,) that have a score.
    scorer
        ``(kept, targets, classes) -> (weights (B, M) -> (B, C))``: the same for rows that count as often as their
        weights say (see ``weighted``); NaN where the targets of the drawn rows have no score.
    row_values
        ``(kept, targets) -> (C, M)``: one number for each row, of which a larger mean is a larger score; None if the
        metric is no mean over rows.
    products
        How many products of matrices a ``scorer`` takes, by the number of classes.
    surprise
        ``(row values) -> (C,)``: the value of a row that is not what the others are, where that is farther off than any
        of them; None: nothing is.
    least
        No score is below it, and none that should be large is above 1.
    needs
        What the targets must have, beside a row, or there is no score.
    instead
        A metric that has a score where the targets have not what this one needs.
    usual_for
        For which of the tasks it is the default.
    is_share
        Whether it is a share of the rows.
    is_beside
        Whether it is computed and shown beside whichever metric is tuned.
    is_told
        Whether what trains tells it, and it is computed from no predictions.

    """

    name: str
    summary: str
    tasks: tuple[str, ...]
    larger_is_better: bool
    keeps: Kept
    score: Callable[[Array, Array, int], Doubles]
    scorer: Callable[[Array, Array, int], weighted.Scorer]
    row_values: Callable[[Array, Array], Doubles] | None
    products: Callable[[int], int] = one_product
    surprise: Callable[[Doubles], Doubles] | None = None
    least: float = 0.0
    needs: Needed = ""
    instead: str = ""
    usual_for: tuple[str, ...] = ()
    is_share: bool = False
    is_beside: bool = False
    is_told: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The worst and the best score there can be, oriented."""
        if self.is_told:
            return -math.inf, math.inf
        return (self.least, 1.0) if self.larger_is_better else (-math.inf, -self.least)

    @property
    def is_by_rows(self) -> bool:
        """Whether it orders configurations on one fold as a mean over its rows does."""
        return self.row_values is not None


_ENTRIES = (
    Metric(
        "accuracy",
        "share of correct labels",
        CLASSES,
        larger_is_better=True,
        keeps="label",
        score=functions.accuracy,
        scorer=weighted.accuracy,
        row_values=rows.hits,
        is_share=True,
        is_beside=True,
    ),
    Metric(
        "balanced_accuracy",
        "mean of the recalls of all classes",
        CLASSES,
        larger_is_better=True,
        keeps="label",
        score=functions.balanced_accuracy,
        scorer=weighted.balanced_accuracy,
        row_values=rows.balanced_hits,
        is_beside=True,
    ),
    Metric(
        "f1_macro",
        "mean of the F1 scores of all classes",
        CLASSES,
        larger_is_better=True,
        keeps="label",
        score=functions.f1_macro,
        scorer=weighted.f1_macro,
        row_values=None,
        products=lambda classes: classes + 1,
    ),
    Metric(
        "f1",
        "F1 score of the positive class",
        ("binary",),
        larger_is_better=True,
        keeps="label",
        score=functions.f1,
        scorer=weighted.f1,
        row_values=None,
        products=lambda _classes: 2,
        needs=POSITIVES,
        instead="log_loss",
    ),
    Metric(
        "log_loss",
        "mean negative log-probability of the truth",
        CLASSES,
        larger_is_better=False,
        keeps="loss",
        score=functions.log_loss,
        scorer=weighted.log_loss,
        row_values=rows.losses,
        surprise=rows.surprising_loss,
        usual_for=CLASSES,
        is_beside=True,
    ),
    Metric(
        "roc_auc",
        "area under the ROC curve, one-vs-rest",
        CLASSES,
        larger_is_better=True,
        keeps="score",
        score=functions.roc_auc,
        scorer=weighted.roc_auc,
        row_values=None,
        needs=TWO_CLASSES,
        instead="log_loss",
        is_beside=True,
    ),
    Metric(
        "mse",
        "mean squared error",
        VALUES,
        larger_is_better=False,
        keeps="value",
        score=functions.mse,
        scorer=weighted.mse,
        row_values=rows.squares,
    ),
    Metric(
        "rmse",
        "root of the mean squared error",
        VALUES,
        larger_is_better=False,
        keeps="value",
        score=functions.rmse,
        scorer=weighted.rmse,
        row_values=rows.squares,
        usual_for=VALUES,
        is_beside=True,
    ),
    Metric(
        "mae",
        "mean absolute error",
        VALUES,
        larger_is_better=False,
        keeps="value",
        score=functions.mae,
        scorer=weighted.mae,
        row_values=rows.distances,
        is_beside=True,
    ),
    Metric(
        "r2",
        "share of the variance that is explained",
        VALUES,
        larger_is_better=True,
        keeps="value",
        score=functions.r2,
        scorer=weighted.r2,
        row_values=rows.negative_squares,
        least=-math.inf,
        needs=SPREAD,
        instead="rmse",
        is_beside=True,
    ),
)

SMALLER, LARGER = " (smaller is better)", " (larger is better)"


def foreign(metric: str, *, larger_is_better: bool) -> str:
    """Write the name of a metric that is not lrtune's own so that it tells which way is better.

    >>> foreign("perplexity", larger_is_better=False)
    'perplexity (smaller is better)'
    """
    return metric + (LARGER if larger_is_better else SMALLER)


def plain_name(metric: str) -> str:
    """Turn `foreign` round, for tools that have rules for names; a metric of lrtune stays as it is."""
    return metric.removesuffix(SMALLER).removesuffix(LARGER)


class _Metrics(dict[str, Metric]):
    """Those that lrtune computes, by name; one of somebody else has an entry as well, and is not among them."""

    def __missing__(self, name: str) -> Metric:
        if plain_name(name) == name:
            raise KeyError(name)
        return Metric(
            name,
            "told by what trains",
            (*CLASSES, *VALUES),
            larger_is_better=name.endswith(LARGER),
            keeps="value",
            score=functions.untold,
            scorer=weighted.untold,
            row_values=None,
            least=-math.inf,
            is_told=True,
        )


METRICS: dict[str, Metric] = _Metrics({metric.name: metric for metric in _ENTRIES})


def usual_metric(task: str) -> str:
    """Name the metric that a task is judged by unless the experiment names one."""
    return next(metric.name for metric in METRICS.values() if task in metric.usual_for)
