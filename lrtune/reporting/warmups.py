"""Whether warm-up is needed, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.reporting.in_words import decimal_rate
from lrtune.reporting.paired import pair_sentence
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.verdict.result import WarmupControl


def warmup(found: WarmupControl | None) -> str:
    """Say whether warm-up is needed, and which rates it allows; empty where nobody asked."""
    if found is None:
        return ""
    return " ".join(filter(None, (_pair(found), stable(found))))


def _pair(found: WarmupControl) -> str:
    share, at = formats.share(max(found.warmup, found.counterpart)), decimal_rate(found.learning_rate)
    if found.warmup == 0.0:
        return pair_sentence(found, f"a warm-up of {share} to a rate of {at} is ", "none", "none")
    return pair_sentence(found, f"a warm-up of {share} is ", f"none at a rate of {at}", "none")


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
