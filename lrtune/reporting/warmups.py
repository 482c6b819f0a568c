"""Whether warm-up is needed, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.paired import pair_sentence
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.text.formats import Show
    from lrtune.verdict.result import WarmupControl


def warmup(found: WarmupControl | None, show: Show) -> str:
    """Say whether warm-up is needed, and which rates it allows; empty where nobody asked."""
    if found is None:
        return ""
    return " ".join(filter(None, (_pair(found, show), stable(found))))


def _pair(found: WarmupControl, show: Show) -> str:
    share, at = formats.share(max(found.warmup, found.counterpart)), decimal_rate(found.learning_rate)
    one, other = f"a warm-up of {share} of the epochs", f"none at a rate of {at}"
    if found.warmup == 0.0:
        one, other = f"{one} to a rate of {at}", f"the training of trial {found.number} without one"
    return pair_sentence(found, one, other, "cannot be told to matter", show)


def stable(found: WarmupControl) -> str:
    """Say up to which rates training is stable; empty where that was not seen."""
    if not found.steeper:
        return ""
    first, last = found.steeper[0], found.steeper[-1]
    if found.stable_with is None and found.stable_without is None:
        return f"On the folds of the search neither is stable at a rate of {decimal_rate(first)}."
    if found.stable_with == found.stable_without == last:
        return f"Both train stably at rates up to {decimal_rate(last)}, the highest that was tried."
    with_it, without = (_up_to(each, first, last) for each in (found.stable_with, found.stable_without))
    return f"Training with it is stable {with_it}, without it {without}."


def _up_to(rate: float | None, first: float, last: float) -> str:
    if rate is None:
        return f"not even at a rate of {decimal_rate(first)}"
    highest = ", the highest that was tried" if rate == last else ""
    return f"up to a rate of {decimal_rate(rate)}{highest}"
