"""Rules about what the best has to beat: the default configuration, and what was not tuned."""

from __future__ import annotations

from collections.abc import Iterator

from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.comparison import between
from lrtune.verdict.findings import HINT, WARNING, Finding
from lrtune.verdict.health.core import Case


def default_wins(case: Case) -> Iterator[Finding]:
    """Notice that the default configuration is the best, or as good as far as the folds can tell."""
    default = case.trials[0]
    others = len(case.complete) - 1
    if default.mean is None or not others:
        return
    if case.best.number == default.number:
        yield Finding(
            "default",
            WARNING,
            f"the default configuration beat {'the other one' if others == 1 else f'all {others} others'}: this search"
            " found nothing better",
            "keep the default, or search other dimensions; the ranges may miss what matters",
            {"others": others},
        )
        return
    found = between(case.best, default, case.rows_ratio)
    if found is None or found.error is None or found.is_clear:
        return
    numbers = {"gain": found.mean, "error": found.error, "probability": found.probability}
    if found.is_likely:
        yield Finding(
            "default",
            HINT,
            f"the best is likely better than the default (probability {found.probability:.2f}), but"
            f" {found.folds} folds leave doubt",
            "more folds or search.repeats would make sure",
            numbers,
        )
    else:
        yield Finding(
            "default",
            WARNING,
            f"as far as {found.folds} folds can tell, the default is as good"
            f" (the best is better with probability {found.probability:.2f})",
            "prefer the default unless more folds or search.repeats say otherwise",
            numbers,
        )


def anchors_win(case: Case) -> Iterator[Finding]:
    """Notice that what was not tuned is as good, once the luck of the choice is taken off."""
    for each in case.anchors:
        kind = ANCHORS[each.name]
        if kind.advice is None or each.gain is None or each.gain.error is None:
            continue
        left = each.gain.mean - max(case.optimism, 0.0)
        numbers = {"anchor": each.name, "gain": each.gain.mean, "left": left, "probability": each.gain.probability}
        if left <= 0.0:
            behind = f"behind by {-each.gain.mean:.2g}" if each.gain.mean < 0.0 else f"ahead by {each.gain.mean:.2g}"
            luck = f", of which luck is {case.optimism:.2g}" if each.gain.mean > 0.0 else " on the same folds"
            yield Finding(
                "anchors", WARNING, f"the best does not beat {kind.rival}: {behind}{luck}", kind.advice, numbers
            )
        elif not each.gain.is_likely:
            sentence = f"the best may not beat {kind.rival} (probability {each.gain.probability:.2f} that it does)"
            yield Finding("anchors", HINT, sentence, kind.advice, numbers)
