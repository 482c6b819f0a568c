"""Rules about single fits: a last one that failed, training that went on too long, or ended too early."""

from __future__ import annotations

from collections.abc import Iterator

from lrtune.space.trial import Curves
from lrtune.text.errors import counted
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case, percent

NO_MODEL = "model"
"""Name of the finding that there is none."""

POINTS = 4
"""Curves of fewer points say nothing."""

RISE = 0.10
"""Validation loss has risen again if it ends above its minimum by this share of it."""

RISE_UNTIL = 0.8
"""The minimum must be before this share of the epochs, or there was no time to see it rise."""

FALL, LAST = 0.05, 0.25
"""Validation loss is still falling if it fell by this share of its last value within the last quarter of the epochs."""


def without_model(case: Case) -> Iterator[Finding]:
    """Notice that the training on all rows failed."""
    if case.no_model is not None:
        yield Finding(
            NO_MODEL,
            WARNING,
            f"there is no model: {case.no_model}",
            "the same `lrtune search` trains the model again and nothing else; `lrtune retrain` makes one of another"
            " trial",
            {"reason": case.no_model},
        )


def overfitting(case: Case) -> Iterator[Finding]:
    """Notice a validation loss that rises again from its minimum."""
    curves = case.best.curves
    losses = _validation(curves)
    if curves is None or losses is None:
        return
    least = min(losses)
    epoch, horizon = curves.epochs[losses.index(least)], curves.epochs[-1]
    if least > 0.0 and losses[-1] > (1.0 + RISE) * least and epoch <= RISE_UNTIL * horizon:
        rise = losses[-1] / least - 1.0
        yield Finding(
            "overfitting",
            HINT,
            f"{case.called} overfits: its validation loss rises by {percent(rise)} from epoch {epoch} to {horizon}",
            f"train for about {counted(epoch, 'epoch')}, or search"
            f" {'weight_decay and dropout' if case.is_own else 'a parameter that regularises'}",
            {"epoch": epoch, "epochs": horizon, "lowest": least, "last": losses[-1]},
        )


def underfitting(case: Case) -> Iterator[Finding]:
    """Notice a validation loss that is still falling when the training ends."""
    curves = case.best.curves
    losses = _validation(curves)
    if curves is None or losses is None:
        return
    horizon = curves.epochs[-1]
    earlier = [loss for epoch, loss in zip(curves.epochs, losses, strict=True) if epoch <= (1.0 - LAST) * horizon]
    if earlier and losses[-1] == min(losses) and losses[-1] > 0.0 and earlier[-1] > (1.0 + FALL) * losses[-1]:
        fall = earlier[-1] / losses[-1] - 1.0
        yield Finding(
            "underfitting",
            HINT,
            f"{case.called} was still learning: validation loss fell by {percent(fall)} in the last quarter of its"
            " epochs",
            f"train longer: epochs: {2 * horizon}",
            {"epochs": horizon, "earlier": earlier[-1], "last": losses[-1]},
        )


def _validation(curves: Curves | None) -> list[float] | None:
    """Take the validation losses if there are enough, and none is missing."""
    if curves is None or len(curves.validation) < POINTS:
        return None
    known = [each for each in curves.validation if each is not None]
    return known if len(known) == len(curves.validation) else None
