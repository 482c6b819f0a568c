"""What two trainings that differ in one thing say, in a sentence: with and without decay, with and without warm-up."""

from __future__ import annotations

from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.verdict.result import Control, WarmupControl


def pair_sentence(found: Control | WarmupControl, one: str, other: str, unclear: str, show: Show) -> str:
    """Say whether something helps, all else equal, and how large an effect could have been seen.

    Parameters
    ----------
    found
        The pair; its gain is positive where ``one`` is better.
    one, other
        Both trainings, in words.
    unclear
        What is said where chance may explain the difference, as in ``makes no clear difference``.
    show
        Writes scores.

    """
    count = len(found.fold_scores)
    folds = formats.plural(count, "fresh fold") if found.fresh else f"the last {formats.plural(count, 'fold')}"
    if found.gain is None:
        return f"not known: {one} or {other} diverged on {folds}."
    by = f"{one} is {apart(found.gain, show)} {other} on {folds}, all else equal"
    if found.low is None or found.high is None:
        return f"not known: {by}, which cannot say how sure that is."
    if found.low > 0.0:
        return f"helps: {by}."
    if found.high < 0.0:
        return f"hurts: {by}."
    least = formats.gap((found.high - found.low) / 2, show)
    return f"{unclear}: {by}; a difference below {least} could not be seen."


def apart(gain: float, show: Show) -> str:
    """Say by how much one is better than another."""
    if formats.is_nothing(gain):
        return "as good as"
    return f"{formats.gap(gain, show)} {'better' if gain > 0.0 else 'worse'} than"
