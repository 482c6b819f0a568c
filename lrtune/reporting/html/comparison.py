"""Two runs or more on one page: their scores, what separates them fold by fold, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lrtune.reporting.html.curves import known
from lrtune.reporting.html.figures import (
    DASHED,
    KINDS,
    LINE,
    NAMES,
    SPANS,
    THIN,
    WHOLE,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.html.page import document
from lrtune.reporting.html.sections import article, table
from lrtune.reporting.html.subject import Subject, subject
from lrtune.reporting.html.svg import written
from lrtune.reporting.in_words import configuration_words, metric_name
from lrtune.reporting.versus import asked
from lrtune.run.pairing import why_not_paired
from lrtune.text import formats
from lrtune.text.errors import StudyError
from lrtune.text.formats import Show
from lrtune.text.written import cell
from lrtune.verdict.comparison import Difference, difference
from lrtune.verdict.standing import canonical_keys, oriented

if TYPE_CHECKING:
    from lrtune.space.trial import Value
    from lrtune.verdict.result import Result


class Compared(NamedTuple):
    """A run on the page: what to call it, and what it came to."""

    called: str
    about: Subject
    result: Result

    @property
    def oriented(self) -> list[float | None]:
        """The scores of what it delivers on the folds, larger is better."""
        return [None if each is None else oriented(self.about.metric, each) for each in self.result.fold_scores]


def comparison(folders: Mapping[str, Path]) -> str:
    """Write the report of several runs; the same studies give the same text.

    Parameters
    ----------
    folders
        Of the runs, by what they are called; the first is what the others are compared with.

    Raises
    ------
    StudyError
        If one of them has no complete trial yet.

    """
    runs = [_run(called, folder) for called, folder in folders.items()]
    called = [each.called for each in runs]
    title = f"{', '.join(called[:-1])} and {called[-1]}"
    first, *others = runs
    made = [
        ("scores", "What to expect", _scores(runs)),
        ("differences", "Fold by fold", _differences(first, others)),
        ("curves", "Learning curves of the best", _curves(runs)),
    ]
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in made)
    contents = f'<nav aria-label="Contents"><ul>{links}<li><a href="#differs">What differs</a></li></ul></nav>'
    body = (
        "<h2>Side by side</h2>",
        *(_part(*each) for each in made),
        *_differs(runs),
    )
    head = (f'<p class="over">lrtune report: {len(runs)} runs</p><h1>{written(title)}</h1>',)
    return document(title, head, contents, body)


def _part(name: str, heading: str, made: Figure | str) -> str:
    """Write a figure, or why there is none."""
    if isinstance(made, Figure):
        return article(name, heading, made)
    return f'<article id="{name}"><h3>{heading}</h3><p>{written(made)}</p></article>'


def _run(called: str, folder: Path) -> Compared:
    about = subject(folder, explained=False)
    if about.result is None:
        raise StudyError(f"{folder}: no trial is complete yet, so that there is nothing to compare")
    return Compared(called, about, about.result)


def _scores(runs: Sequence[Compared]) -> Figure | str:
    """Set what to expect of each run beside the others."""
    metrics = list(dict.fromkeys(each.about.metric for each in runs))
    if len(metrics) > 1:
        return f"They are scored by different metrics: {', '.join(map(metric_name, metrics))}."
    rows = [(each.called, each.result) for each in runs]
    show = formats.score_format([result.expected.score for _, result in rows])
    series = []
    for place, (_, result) in enumerate(rows[::-1]):
        found = result.expected
        low = found.score if found.low is None else found.low
        high = found.score if found.high is None else found.high
        tone, text = KINDS[(len(rows) - 1 - place) % len(KINDS)], [show(found.score)]
        series.append(Series(SPANS, [found.score], [float(place)], "", tone, [low], [high], texts=text))
    names = tuple(called for called, _ in rows[::-1])
    axis = runs[0].about.axis
    panel = Panel(FigureAxis(axis), FigureAxis("", NAMES, names), tuple(series), height=52 + 34 * len(rows))
    return Figure(
        "What to expect of each on new rows, corrected for having picked the best, with its 95 % interval.",
        (panel,),
        ("run", axis, "from", "to", "mean of folds", "test", "test rows", "trials"),
        tuple(
            (
                called,
                *map(show, (result.expected.score, result.expected.low, result.expected.high, result.mean)),
                show(result.test.score) if result.test else "",
                formats.count(result.test.rows) if result.test else "",
                formats.count(result.counts.total),
            )
            for called, result in rows
        ),
    )


def _differences(first: Compared, others: Sequence[Compared]) -> Figure | str:
    """Set what the others deliver beside the first on the same folds."""
    found: list[tuple[str, Difference]] = []
    reasons = []
    for each in others:
        reason = why_not_paired(first.about.run, each.about.run)
        gap = None if reason else difference(each.oriented, first.oriented, first.about.run.rows_ratio)
        if gap is None:
            why = reason or "one of them has no score on every fold"
            reasons.append(f"{each.called} cannot be compared with {first.called} fold by fold: {why}.")
        else:
            found.append((each.called, gap))
    if not found:
        return " ".join(reasons)
    show = formats.score_format([gap.mean for _, gap in found])
    rows = [(called, gap, gap.interval or (gap.mean, gap.mean)) for called, gap in found]
    series = [
        Series(SPANS, [gap.mean], [float(place)], low=[ends[0]], high=[ends[1]], texts=[formats.signed(gap.mean, show)])
        for place, (_, gap, ends) in enumerate(rows[::-1])
    ]
    zero = Series(LINE, [0.0, 0.0], [-0.5, len(rows) - 0.5], tone=4)
    names = tuple(called for called, _, _ in rows[::-1])
    axis = FigureAxis(f"better than {first.called}; left of 0 worse")
    panel = Panel(axis, FigureAxis("", NAMES, names), (zero, *series), height=52 + 34 * len(rows))
    return Figure(
        " ".join([*(_said(first.called, *each, show) for each in found), *reasons]),
        (panel,),
        ("run", "better by", "from", "to", "better on", "of folds", "probability"),
        tuple(
            (
                called,
                *(formats.signed(each, show) for each in (gap.mean, *ends)),
                str(gap.wins),
                str(gap.folds),
                "" if gap.probability is None else formats.share(gap.probability),
            )
            for called, gap, ends in rows
        ),
    )


def _said(first: str, called: str, gap: Difference, show: Show) -> str:
    if formats.is_nothing(gap.mean):
        return f"{called} and {first} are equally good on average."
    side = "better" if gap.mean > 0 else "worse"
    words = f"{called} is {side} than {first} by {formats.gap(gap.mean, show)}, on {gap.wins} of {gap.folds} folds"
    ends = gap.interval
    if ends is None:
        return f"{words}, which cannot say how sure that is."
    is_sure = ends[0] > 0 or ends[1] < 0
    return f"{words}: {'the folds tell them apart' if is_sure else 'the folds cannot tell them apart'}."


_LINES = (LINE, DASHED, THIN)
"""Runs beyond the number of colours have lines of another sort, in the drawing and in the legend."""


def _curves(runs: Sequence[Compared]) -> Figure | str:
    """Draw the validation losses of the best trials over each other."""
    series: list[Series] = []
    rows: dict[int, dict[str, str]] = {}
    for tone, each in enumerate(runs):
        epochs, losses = known(each.about.run.study.trials[each.result.best.number].curves, "validation")
        if len(epochs) > 1:
            line = _LINES[tone // len(KINDS) % len(_LINES)]
            series.append(Series(line, epochs, losses, each.called, KINDS[tone % len(KINDS)]))
            for epoch, loss in zip(epochs, losses, strict=True):
                rows.setdefault(int(epoch), {})[each.called] = formats.number(loss)
    if not series:
        return "What trained has told of no losses by epoch."
    labels = [each.label for each in series]
    last = {each.label: each.y[-1] for each in series if math.isfinite(each.y[-1])}
    least = min(last, key=lambda each: last[each])
    return Figure(
        f"Validation loss by epoch, mean over the folds of each run. At the end that of {least} is least. They compare "
        "where the data are the same, and what is lost is measured alike.",
        (Panel(FigureAxis("epoch", WHOLE), FigureAxis("validation loss"), tuple(series)),),
        ("epoch", *labels),
        tuple((str(epoch), *(rows[epoch].get(each, "") for each in labels)) for epoch in sorted(rows)),
    )


def _differs(runs: Sequence[Compared]) -> Iterator[str]:
    """List the settings that are not alike: of the experiments, and of the best configurations."""
    yield '<h2 id="differs">What differs</h2><article><h3>The best of each</h3>'
    best = [(each.called, configuration_words(each.result.best.configuration, _searched(each))) for each in runs]
    yield table("The best of each", ("run", "configuration"), best)
    header = ("setting", *(each.called for each in runs))
    sections = (
        ("In the best configurations", [each.result.best.configuration for each in runs]),
        ("In the experiments", [asked(each.about.run) for each in runs]),
    )
    for title, flat in sections:
        rows = [*_unlike(flat)]
        yield f"<h3>{title}</h3>"
        yield table(title, header, rows) if rows else "<p>Nothing.</p>"
    yield "</article>"


def _searched(run: Compared) -> Mapping[str, Value]:
    return run.about.run.study.trials[run.result.best.number].configuration


def _unlike(flat: Sequence[Mapping[str, Value]]) -> Iterator[tuple[str, ...]]:
    absent = object()
    for key in dict.fromkeys(key for each in flat for key in canonical_keys([each])):
        values = [each.get(key, absent) for each in flat]
        if any(each != values[0] for each in values):
            yield (key, *("" if each is absent else cell(each) for each in values))
