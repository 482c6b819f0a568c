"""Rules about single fits: a last one that failed, others that failed, training that went on too long, or too short."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from lrtune.space.trial import LOGGED, Curves, TrialState
from lrtune.text.errors import counted
from lrtune.training.metrics.catalogue import METRICS
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case, percent

NO_MODEL = "model"
"""Name of the finding that there is none."""

POINTS = 4
"""Curves of fewer points say nothing."""

FAILED, FAILED_TRIALS = 0.2, 3
"""A larger share of failed trials is many; there must be at least so many."""

REASON = 120
"""Characters of a reason that a finding repeats."""

RISE = 0.10
"""Validation loss has risen again if it ends above its minimum by this share of it."""

RISE_UNTIL = 0.8
"""The minimum must be before this share of the epochs, or there was no time to see it rise."""

FALL, LAST = 0.05, 0.25
"""Validation loss is still falling if it fell by this share of its last value within the last quarter of the epochs."""

_NO_LOSS = ("label", "score")
"""What metrics keep of predictions that may stay as good while the loss rises."""


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


def many_failed(case: Case) -> Iterator[Finding]:
    """Notice that many trials failed, and what most of them say."""
    failed = [each for each in case.trials if each.state is TrialState.FAILED]
    if len(failed) < FAILED_TRIALS or len(failed) < FAILED * len(case.trials):
        return
    reasons = [(each.reason or "no reason is known").partition(LOGGED)[0] for each in failed]
    ((why, count),) = Counter(textwrap.shorten(each, REASON) for each in reasons).most_common(1)
    said = "all of them" if count == len(failed) else f"{count} of them"
    yield Finding(
        "failed",
        WARNING,
        f"{len(failed)} of {len(case.trials)} trials failed, {said} with: {why}",
        "mend the cause, or leave out the values that bring it: `lrtune trials` with --state failed lists them",
        {"failed": len(failed), "share": round(len(failed) / len(case.trials), 4), "reason": why},
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
        rise = f"validation loss rises by {percent(losses[-1] / least - 1.0)} from epoch {epoch} to {horizon}"
        shorter = f"train for about {counted(epoch, 'epoch')}"
        calmer = "weight_decay and dropout" if case.is_own else "a parameter that regularises"
        sentence, advice = f"{case.called} overfits: its {rise}", f"{shorter}, or search {calmer}"
        if case.metric in METRICS and METRICS[case.metric].keeps in _NO_LOSS:
            sentence = f"the {rise} for {case.called}, which need not harm the {case.metric} that was tuned"
            advice = f"if the probabilities matter, tune log_loss, or {shorter}"
        yield Finding(
            "overfitting",
            HINT,
            sentence,
            advice,
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
