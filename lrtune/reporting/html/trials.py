"""Figures of the search: scores by trial and by rate, all dimensions at once, and what was spared."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.html.figures import (
    BAND,
    BARS,
    HOLLOW,
    KINDS,
    LINE,
    LOG,
    MOST_ROWS,
    NAMES,
    PALE,
    POINTS,
    RINGS,
    WHOLE,
    Figure,
    FigureAxis,
    Panel,
    Series,
)
from lrtune.reporting.in_words import decimal_rate
from lrtune.space.trial import Trial, TrialState
from lrtune.text import formats
from lrtune.training.declarations import number
from lrtune.verdict.comparison import corrected_error

if TYPE_CHECKING:
    from lrtune.reporting.html.subject import Subject

TITLED = 150
"""Marks that say what they are where one points at them; more of them are one shape."""

_RATE = "learning_rate"
_KINDS = ("optimizer", "decay")
_MOST_KINDS = 5

TOO_FEW = "fewer than two trials are complete."


def marked(about: Subject, trials: Sequence[Trial]) -> Sequence[str]:
    """Say what the marks of trials are, unless there are very many."""
    if len(about.scored) > TITLED:
        return ()
    return [f"trial {each.number}: {about.show(about.own(each))}" for each in trials]


def history(about: Subject) -> Figure | str:
    """Show the score of every trial, and the best so far."""
    scored, run = about.scored, about.run
    if len(scored) < 2:
        return TOO_FEW
    values = [about.own(each) for each in scored]
    moves = _moves(about)
    steps_x = [*[float(each.number) for each in moves for _ in (0, 1)][1:], float(run.trials[-1].number)]
    steps_y = [about.own(each) for each in moves for _ in (0, 1)]
    lost = [each for each in run.trials if each.state in (TrialState.DIVERGED, TrialState.FAILED)]
    without = [Series(POINTS, _numbers(lost), [about.edge] * len(lost), "diverged or failed", 3)] if lost else []
    best = next(each for each in scored if each.number == about.best)
    panel = Panel(
        FigureAxis("trial", WHOLE),
        FigureAxis(about.axis),
        (
            Series(LINE, steps_x, about.until(steps_y), "the best so far", 1),
            Series(POINTS, _numbers(scored), about.until(values), "a trial", 0, titles=marked(about, scored)),
            *without,
            Series(RINGS, [float(best.number)], about.until([about.own(best)]), titles=[f"trial {best.number}"]),
        ),
    )
    return Figure(
        f"{_last_move(moves[-1], about)}{about.beyond()}",
        (panel,),
        ("trial", about.metric, "std", "configuration"),
        tuple(
            (
                str(each.number),
                about.show(about.own(each)),
                about.show(each.std),
                tables.configuration_line(each.configuration),
            )
            for each in scored[:MOST_ROWS]
        ),
    )


def _numbers(trials: Sequence[Trial]) -> list[float]:
    return [float(each.number) for each in trials]


def _moves(about: Subject) -> list[Trial]:
    """List the trials that were better than all before them: what is between two of them is a straight line."""
    found: list[Trial] = []
    for each in about.scored:
        if not found or about.better(about.own(each), about.own(found[-1])):
            found.append(each)
    return found


def _last_move(last: Trial, about: Subject) -> str:
    after = about.run.trials[-1].number - last.number
    found = f"The best score, {about.show(about.own(last))}, was found at trial {last.number}"
    if not after:
        return f"{found}, the last one: more trials may find a better one."
    rest = "the trial after it is not" if after == 1 else f"none of the {formats.count(after)} trials after it is"
    return f"{found}; {rest} better."


def rates(about: Subject) -> Figure | str:
    """Show the score against the learning rate, by optimizer and by decay."""
    scored = [each for each in about.scored if _RATE in each.configuration]
    if len(scored) < 3 or len({each.configuration[_RATE] for each in scored}) < 3:
        return "fewer than three learning rates have been tried."
    keys = [key for key in _KINDS if len(_kinds(scored, key)) > 1]
    around = _as_good(about)
    told = "" if around is None else " Those in the band are as good as the best: their means are within its error."
    ordered = sorted(scored, key=_rate_of)
    counts = [0, *itertools.accumulate(len(list(_groups(scored, key))) for key in keys)]
    panels = [_rates_panel(about, scored, *each, around) for each in zip(keys or [""], counts, strict=False)]
    inside = [] if around is None else [_rate_of(each) for each in scored if not about.better(around, about.own(each))]
    span = f" They go from {decimal_rate(min(inside))} to {decimal_rate(max(inside))}." if len(inside) > 1 else ""
    return Figure(
        f"Each mark is a trial, the ring is the best.{told}{span}{about.beyond()}",
        tuple(panels),
        ("learning rate", about.metric, "trial", *keys),
        tuple(
            (
                decimal_rate(_rate_of(each)),
                about.show(about.own(each)),
                str(each.number),
                *(str(each.configuration.get(key, "")) for key in keys),
            )
            for each in ordered[:MOST_ROWS]
        ),
    )


def _rate_of(trial: Trial) -> float:
    return number(trial.configuration[_RATE])


def _kinds(trials: Sequence[Trial], key: str) -> list[str]:
    """List what was chosen, the most frequent first."""
    return [
        each
        for each, _ in Counter(str(one.configuration[key]) for one in trials if key in one.configuration).most_common()
    ]


def _as_good(about: Subject) -> float | None:
    """Give the score at the other end of the band: that of the best, worse by one standard error."""
    best = next(each for each in about.scored if each.number == about.best)
    scores = [each for each in best.fold_scores if each is not None]
    if len(scores) < 2:
        return None
    ratio = about.run.rows_ratio
    error = corrected_error(scores, 1 / (len(scores) - 1) if ratio is None else ratio)
    return about.own(best) + (-error if about.larger_is_better else error)


def _rates_panel(about: Subject, scored: Sequence[Trial], key: str, first: int, around: float | None) -> Panel:
    best = next(each for each in about.scored if each.number == about.best)
    values = list(map(_rate_of, scored))
    shown: list[Series] = []
    if around is not None:
        ends = sorted((about.own(best), *about.until([around])))
        pair = [min(values), max(values)]
        shown.append(
            Series(BAND, pair, [about.own(best)] * 2, "as good as the best", PALE, [ends[0]] * 2, [ends[1]] * 2)
        )
    for place, (kind, part) in enumerate(_groups(scored, key), first):
        tone, kind_of_mark = KINDS[place % len(KINDS)], POINTS if place < len(KINDS) else HOLLOW
        scores = about.until([about.own(each) for each in part])
        shown.append(Series(kind_of_mark, list(map(_rate_of, part)), scores, kind, tone, titles=marked(about, part)))
    shown.append(Series(RINGS, [_rate_of(best)], about.until([about.own(best)]), titles=[f"trial {best.number}"]))
    title = f"by {key}" if key else ""
    return Panel(FigureAxis("learning rate", LOG), FigureAxis(about.axis), tuple(shown), title)


def _groups(trials: Sequence[Trial], key: str) -> Iterator[tuple[str, list[Trial]]]:
    """Split trials by what was chosen; what is rare stands together."""
    if not key:
        yield "", list(trials)
        return
    kinds = _kinds(trials, key)
    named = kinds if len(kinds) <= _MOST_KINDS + 1 else kinds[:_MOST_KINDS]
    for each in named:
        yield each, [one for one in trials if str(one.configuration.get(key)) == each]
    others = [one for one in trials if str(one.configuration.get(key)) not in named]
    if others:
        yield f"another {key}", others


def pruned(about: Subject) -> Figure | str:
    """Show what became of the trials: how far each was trained, and what that has saved."""
    run = about.run
    over = [each for each in run.trials if each.is_over]
    if not over or all(each.state is TrialState.COMPLETE for each in over):
        return "every trial that is over is complete: none was pruned, diverged or failed."
    ends = Counter(map(_end, over))
    complete = sum(each.state is TrialState.COMPLETE for each in over)
    ordered = sorted(ends.items(), key=lambda each: (_RANKS[each[0][0]], each[0][1]))
    rows = [(text, count) for (_, text), count in ordered]
    first = next((each for each in over if each.state is TrialState.PRUNED), None)
    names = tuple(text for text, _ in rows[::-1])
    counts = [float(count) for _, count in rows[::-1]]
    panel = Panel(
        FigureAxis("trials", WHOLE),
        FigureAxis("", NAMES, names),
        (Series(BARS, counts, list(map(float, range(len(rows)))), texts=[f"{each:.0f}" for each in counts]),),
        height=52 + 30 * len(rows),
    )
    why = "" if first is None else f" Trial {first.number} was the first to be pruned: {first.reason}."
    return Figure(
        f"Of {formats.plural(len(over), 'trial')} {formats.count(complete)} went to the end.{_saved(about)}{why}",
        (panel,),
        ("how they ended", "trials"),
        tuple((text, str(count)) for text, count in rows),
    )


_RANKS = {state: place for place, state in enumerate(("complete", "pruned", "diverged", "failed"))}


def _end(trial: Trial) -> tuple[str, str]:
    state = str(trial.state)
    if trial.state is not TrialState.PRUNED:
        return state, state
    if trial.fold_scores:
        return state, f"pruned after {formats.plural(len(trial.fold_scores), 'fold')}"
    shorter = min((divisor for divisor, _ in trial.horizon_scores), default=None)
    return state, "pruned" if shorter is None else f"pruned at 1/{shorter} of the epochs"


def _saved(about: Subject) -> str:
    found = None if about.result is None else about.result.pruning
    if found is None:
        return ""
    if found.saved <= 0:
        return f" Pruning ({found.kind}) has saved nothing."
    return f" Pruning ({found.kind}) has saved about {formats.share(found.saved)} of the training."
