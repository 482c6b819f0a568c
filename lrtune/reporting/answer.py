"""What a search found, in about ten short lines: the terminal, the report, Markdown and notebooks say the same.

Two kinds of number stand here, and never beside each other. What to expect is corrected: the best of many looks better
than it is, because it was picked. What was not tuned stands beside the best as plain means over the same folds. What
needs more words than a line has is said by `lrtune.reporting.details`, and by the pictures of the report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lrtune.reporting import delivered
from lrtune.reporting.in_words import a_metric, better, configuration_words, metric_name, units
from lrtune.reporting.night_words import night_words
from lrtune.reporting.warmups import warmup
from lrtune.reporting.worth import decay, rival_wins, tuning
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.training.registry import METRICS
from lrtune.verdict.findings import DEFECT, Finding
from lrtune.verdict.health.fits import NO_MODEL
from lrtune.verdict.result import HeldOut, Result

LACKS_MODEL, HEALTH = "No model", "Health"
"""Labels of what comes first where there is none, and of the most important finding."""

FINEST = 10
"""An expected score has so many digits that its 95 % interval is at least as wide as this many of the last one."""


@dataclass(frozen=True, slots=True)
class Rival:
    """What has a score beside others: its name in a table and in a line (empty: not there), and the score in digits."""

    name: str
    short: str
    score: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What was not tuned, beside what is delivered: means over the same folds, none of them corrected.

    Attributes
    ----------
    title
        What the numbers are.
    metric
        Heads their column.
    folds
        Over how many folds the means are.
    rivals
        What is delivered comes first.

    """

    title: str
    metric: str
    folds: int
    rivals: tuple[Rival, ...]

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and scores, as a table has them."""
        return tuple((each.name, each.score) for each in self.rivals)

    @property
    def line(self) -> str:
        """All of it in one line."""
        scores = ", ".join(f"{each.short} {each.score}" for each in self.rivals if each.short)
        return f"{scores} (raw, {'the only fold' if self.folds == 1 else f'{self.folds} folds'})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, as plain text.

    Attributes
    ----------
    expectation
        What to expect on new rows: one sentence or two.
    test
        What the model has on rows that the search never saw; empty without such rows.
    beside
        None where there is nothing to set beside the best.
    facts
        Labels, each with its sentence: the best, whether tuning was worth it, whether decay is, what else was asked,
        the most important finding with its remedy, how the search went.
    findings
        How many findings there are that are not told here.

    """

    expectation: str
    test: str
    beside: Beside | None
    facts: tuple[tuple[str, str], ...]
    findings: int

    @property
    def headline(self) -> str:
        """The sentences to remember."""
        return f"{self.expectation} {self.test}".strip()


def answer(result: Result, searched: Collection[str]) -> Answer:
    """Say what a search found; of one that is not finished, what it has found so far.

    Parameters
    ----------
    result
        What it came to.
    searched
        Keys of the best configuration's point of the space.

    """
    finding = _most_important(result)
    left = len(result.health) - (finding is not None)
    facts = (
        *([(LACKS_MODEL, f"{formats.printable(result.no_model)}.")] if result.no_model is not None else ()),
        ("Best", _best(result, searched)),
        *([("Night", night_words(result))] if result.nightly else ()),
        ("Tuning", tuning(result, _scores(result))),
        *([("Decay", said)] if (said := decay(result, _scores(result))) else ()),
        *([("Warm-up", said)] if (said := warmup(result.warmup)) else ()),
        *_second_opinions(result),
        *([(HEALTH, _health(finding))] if finding else ()),
        *([("Search", said)] if (said := _END.get(str(result.finished), "")) else ()),
    )
    return Answer(_expectation(result), _test(result), _beside(result), facts, left)


def _expectation(result: Result) -> str:
    show, found, metric = expected_format(result), result.corrected, result.metric
    of, lower = f"{a_metric(metric)} of", better(metric)
    end = f" ({lower})." if lower else "."
    if found is None:
        whose = f"So far {_whose(result)}" if result.finished is None else _capital(_whose(result))
        said = f"{whose} has {of} {show(result.mean)}{units(metric)} as a mean over the folds{end}"
        return f"{said} It is not corrected for having been picked."
    span = f" (95 % interval {show(found.low)} to {show(found.high)}{f'; {lower}' if lower else ''})."
    known = found.low < found.high
    return f"Expect {of} {show(found.score)}{units(metric)} on new rows like these{span if known else end}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _whose(result: Result) -> str:
    return result.scored if result.is_mean or result.ahead else f"the best, trial {result.best.number},"


def expected_format(result: Result) -> Show:
    """Choose the digits of an expected score: not finer than its interval can tell.

    They are those of its table, or as many fewer as leave the interval `FINEST` units of the last one.
    """
    found, test = result.corrected, result.test
    numbers = [result.mean, test.score if test else None]
    if found is None or found.low >= found.high:
        return formats.score_format(numbers)
    return formats.score_format([*numbers, found.score], unit=(found.high - found.low) / FINEST)


def _test(result: Result) -> str:
    test = result.test
    if test is None:
        return ""
    rows = f"On the {formats.plural(test.rows, 'test row')}, {_seen(test)},"
    if test.score is None:
        return f"{rows} it has no score ({formats.printable(test.has or '')})."
    return f"{rows} it is {expected_format(result)(test.score)}."


def _seen(test: HeldOut) -> str:
    """Say that the search never saw the test rows, as far as that is so."""
    if not test.repeated:
        return "which the search never saw"
    which = "all" if test.repeated == test.rows else formats.count(test.repeated)
    return f"{which} of which {'is a training row' if test.repeated == 1 else 'are training rows'}, too"


_ANCHORS = {
    "default": ("the default configuration, trial 0", "default"),
    "linear": ("a linear model", "linear model"),
    "majority": ("the shares of the classes", "class shares"),
    "mean": ("always the mean", "target mean"),
}
_LARGEST = ("always the largest class", "largest class")
"""Names in a table and in a line, in their order."""


def _beside(result: Result) -> Beside | None:
    anchors = {each.name: each.mean for each in result.anchors}
    if not anchors:
        return None
    scores: list[tuple[tuple[str, str], float | None]] = [(_delivered_names(result), result.mean)]
    if result.is_mean:
        scores.append(((f"the best alone, trial {result.best.number}", ""), result.best.mean))
    scores += [(_anchor_names(name, result.metric), anchors[name]) for name in _ANCHORS if name in anchors]
    show = _scores(result)
    rivals = tuple(Rival(name, short, show(mean)) for (name, short), mean in scores)
    return Beside(_title(result, show), metric_name(result.metric), len(result.fold_scores), rivals)


def _delivered_names(result: Result) -> tuple[str, str]:
    if result.is_mean:
        return result.scored, result.scored.removeprefix("the ").replace("of the", "of").removesuffix(" best trials")
    kind = "chosen" if result.ahead else "best"
    return f"the {kind}, trial {result.best.number}", kind


def _anchor_names(name: str, metric: str) -> tuple[str, str]:
    """Name an anchor; of the shares of the classes a metric of labels sees the largest alone."""
    entry = METRICS.get(metric)
    return _LARGEST if name == "majority" and entry is not None and entry.keeps == "label" else _ANCHORS[name]


def _title(result: Result, show: Show) -> str:
    """Say that all are on the same folds, and by how much the best looks better there than it is."""
    folds = len(result.fold_scores)
    title = "On the only fold" if folds == 1 else f"Means over the same {folds} folds"
    flattery = result.corrected.optimism if result.corrected else 0.0
    if show(max(flattery, 0.0)) == show(0.0):
        return title
    return f"{title} (the first looks better by {show(flattery)} here, because it was picked)"


def _best(result: Result, searched: Collection[str]) -> str:
    words = f"trial {result.best.number}: {configuration_words(result.best.configuration, searched)}"
    words += _passed_over(result)
    found = result.delivered
    if found is None:
        return words
    if result.is_mean or found.bag:
        lost = f", without {delivered.trials(found.diverged)}, which diverged on all rows" if found.diverged else ""
        if found.bag:
            return f"{found.called.removeprefix('the ')}; scores on the folds are of one of them; {words}"
        return f"{found.called.removeprefix('the ')}{lost}; the first, {words}"
    return words if found.seeds == 1 else f"{words}; mean of {found.seeds} seeds"


def _passed_over(result: Result) -> str:
    """Say by what another trial than that with the best mean was chosen, if so."""
    first = result.ahead
    if first is None:
        return ""
    by = "" if first.gain is None else f"{formats.gap(first.gain.mean, _scores(result))} "
    how = result.selection.how if result.selection else "a rule"
    return f"; chosen by {how} (trial {first.number} is {by}ahead)"


def _second_opinions(result: Result) -> Iterator[tuple[str, str]]:
    """Say what fresh splits and an outer loop said, if they were asked."""
    show, again, outer = _scores(result), result.confirmation, result.nested
    if again is not None:
        own = next((each.confirmed for each in again.trials if each.number == result.best.number), None)
        said = f"trial {result.best.number} has {show(own)} on splits and seeds that chose nothing."
        yield "Fresh folds", said if own is not None else "every one of the first trials diverged there."
    if outer is not None:
        said = (
            f"{show(outer.mean)} ± {show(outer.std)} for the whole search, repeated on {len(outer.folds)} outer folds."
        )
        yield "Nested", said if outer.mean is not None else "no score: a model's predictions are beyond all numbers."


_TOLD = ("default", NO_MODEL)
"""Findings that the page tells elsewhere."""


def _most_important(result: Result) -> Finding | None:
    """Choose the first finding, warnings first, that nothing else says; what could not be computed goes before all."""
    rival = rival_wins(result)
    untold = [each for each in result.health if each.name not in _TOLD and each != rival]
    return next((each for each in untold if each.name == DEFECT), untold[0] if untold else None)


def _health(finding: Finding) -> str:
    return f"{formats.sentence(finding.sentence)} {formats.sentence(finding.advice)}"


_END = {
    "timeout": "the time was over before all trials were tried; the same command goes on, unless search.timeout is "
    "spent.",
    "target": "the target was reached before all trials were tried; without search.target the search goes on.",
    "no_gain": "it ended early: less was to be gained than the folds can tell apart.",
}
"""Why a search ended before its last trial."""


def _scores(result: Result) -> Show:
    """Choose the digits of all that is not corrected: they align."""
    anchors = [each.mean for each in result.anchors]
    return formats.score_format([result.mean, result.default.mean, result.best.mean, *anchors])
