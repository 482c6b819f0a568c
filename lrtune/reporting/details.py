"""Everything that a search found, as plain blocks: what `--details` shows."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from lrtune.reporting import branches, delivered, health, judgements, nested, tables
from lrtune.reporting.afterwards import NEW_ROWS, after
from lrtune.reporting.answer import HEALTH, answer
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.reporting.savings import savings_row
from lrtune.text import formats
from lrtune.training.metrics.catalogue import METRICS, POSITIVES
from lrtune.training.registry import BUILT_IN, KEYS, RATE_GROUPS, SHAPED
from lrtune.verdict.anchored import ANCHORS
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.health.classes import silent_text, validated_text
from lrtune.verdict.result import Anchor, Counts, HeldOut, Kind, Result

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.space.trial import Configuration, Trial
    from lrtune.text.formats import Show

TOP = 5
"""Best trials on a page."""

KINDS, NOTES, FINDINGS = 9, 4, 3
"""Kinds of a table, notes and findings on a page; the others have commands of their own."""

MIN_KINDS = 4
"""Fewer kinds of decay or optimizer are compared in ``result.json`` only."""


def details_page(
    result: Result,
    ranked: Sequence[Trial],
    point: Configuration,
    *,
    folder: Path,
    run: str,
    notes: Sequence[str] = (),
    top: int = TOP,
    state: str = "finished",
    all_notes: bool = False,
    trained_by: str = BUILT_IN,
    table: str = NEW_ROWS,
    fixed: Collection[str] = (),
    idle: str = "",
) -> list[Block]:
    """Say what a search found; of one that is not finished, what it has found so far, and how it goes on.

    Parameters
    ----------
    result
        What it came to.
    ranked
        The complete trials, the best first.
    point
        The best configuration's point of the space.
    folder, run
        Where the files are, and how commands call the run.
    notes
        What was noticed about the data and the study, the most important first.
    top
        How many of the best trials to show.
    state
        Of the run (`lrtune.run.folder.Run.state`).
    all_notes
        Whether every note is shown.
    trained_by
        What trained (`lrtune.run.folder.Run.trained_by`).
    table
        Some rows to predict.
    fixed
        What every configuration has (`lrtune.run.folder.fixed_by`): it was not searched.
    idle
        Why the session has trained nothing; it comes first.

    """
    found = answer(result, point)
    return [
        Headline(f"{idle} {found.headline}".strip()),
        Facts("", [each for each in found.facts if each[0] != HEALTH]),
        *_scores_and_trials(result, ranked, point, fixed, top),
        *health.block(result, shlex.quote(run), FINDINGS),
        *_notes(notes, len(notes) if all_notes else NOTES, run),
        *after(folder, run, state=state, trained_by=trained_by, table=table, is_made=result.no_model is None),
    ]


def _scores_and_trials(
    result: Result, ranked: Sequence[Trial], point: Configuration, fixed: Collection[str], top: int
) -> list[Block]:
    scores = formats.score_format([result.best.mean, result.default.mean, result.test.score if result.test else None])
    compared = {"decay": result.decays, "optimizer": result.optimizers}
    tabled = [key for key, kinds in compared.items() if len(kinds) >= MIN_KINDS]
    grids = [_kinds_table(key, compared[key], result.metric, KINDS) for key in tabled]
    return [
        Facts("", [*_score_rows(result, scores), *_effort_rows(result)]),
        *_anchors_table(result),
        Facts(
            f"{_adjective(result)} configuration (trial {result.best.number})",
            _configuration_rows(result, point, fixed),
        ),
        *_top_table(result, ranked, top),
        *grids,
    ]


def _adjective(result: Result) -> str:
    """Say what sort of trial it is that was chosen: a rule may have passed over the best."""
    return "chosen" if result.ahead else "best"


def _top_table(result: Result, ranked: Sequence[Trial], top: int) -> list[Grid]:
    """List the best trials."""
    header = ("trial", result.metric, "std", "where they differ")
    title = _top_title(min(top, len(ranked)), result.counts)
    return [Grid(title, header, tables.top_rows(ranked, result.metric, top))]


def _anchors_table(result: Result) -> list[Grid]:
    """Set the best beside what was not tuned, on the same folds; by other metrics, too."""
    if not result.anchors:
        return []
    best, metric = result.best, result.metric
    others = [name for name in best.beside if name != metric]
    rows = [
        *_mean_row(result),
        (f"trial {best.number}, {'chosen' if result.ahead else 'the best'}", best.mean, best.beside),
        *((_anchor_called(each), each.mean, each.beside) for each in result.anchors),
    ]
    columns = [[mean for _, mean, _ in rows], *([beside.get(name) for _, _, beside in rows] for name in others)]
    shown = [list(map(formats.score_format(column), column)) for column in columns]
    cells = [(*numbers, name) for (name, _, _), numbers in zip(rows, zip(*shown, strict=True), strict=True)]
    title = "beside what was not tuned: means over the same folds"
    return [Grid(title, (metric, *others, ""), cells)]


def _anchor_called(anchor: Anchor) -> str:
    """Name an anchor, and of several ways to encode numbers the one that it has."""
    called = ANCHORS[anchor.name].called
    return called if anchor.numbers is None else f"{called}, {anchor.numbers} numbers"


def _mean_row(result: Result) -> list[tuple[str, float | None, Mapping[str, float | None]]]:
    found = result.delivered
    return [(found.scored, found.mean, found.beside)] if found is not None and found.is_mean else []


def _top_title(shown: int, trials: Counts) -> str:
    of = formats.count(trials.complete) + (" complete" if trials.complete < trials.total else "")
    return f"{formats.plural(shown, 'best trial')} of {of}"


_KINDS = {"decay": "decay type", "optimizer": "optimizer"}
"""What is compared in tables where several were tried, and what to call it."""


def _kinds_table(key: str, kinds: Sequence[Kind], metric: str, most: int) -> Grid:
    """Compare the kinds of decay or of optimizer."""
    control = next((each.name for each in kinds if each.difference is None), CONSTANT)
    others = " and ".join(each for each in ("rates", *(f"{other}s" for other in _KINDS)) if each != f"{key}s")
    title = f"the best trial of each {_KINDS[key]}, beside the best with {control}; their {others} differ, too"
    return Grid(title, branches.header(key, metric), branches.rows(kinds, most))


def _configuration_rows(result: Result, point: Configuration, same: Collection[str]) -> list[tuple[str, str]]:
    """Write what was searched in one line, and in another what else makes the model."""
    whole = result.best.configuration
    telling = ("embedding", "numbers", *RATE_GROUPS.values(), *SHAPED.values())
    unusual = {key for key in telling if whole.get(key, KEYS[key].default) != KEYS[key].default}
    given = {key for key in point if key in same}
    kept = (given, _model_keys(whole, set(point)), *(keys - set(point) for keys in (unusual, {"epochs", "batch_size"})))
    fixed = [line for keys in kept if (line := tables.configuration_line(whole, keys))]
    line = tables.configuration_line({key: each for key, each in point.items() if key not in given})
    return [*([("searched", line)] if line else []), *([("fixed", " · ".join(fixed))] if fixed else [])]


def _model_keys(whole: Configuration, searched: set[str]) -> set[str]:
    """List what is fixed of the model; of a network its kind as well, since "64 relu" alone would not say of what."""
    network = {"hidden", "activation"} - searched if whole.get("model") != "linear" else set()
    return network | ({"model"} if network else {"model"} - searched)


def _score_rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """List the scores, and what they are worth."""
    test = result.test
    rows = [] if result.no_model is None else [("no model", formats.printable(result.no_model))]
    rows += [*judgements.corrected_rows(result, scores), *delivered.rows(result, scores), *_unscored(result)]
    rows.append((f"{'mean' if result.is_mean else _adjective(result)}, by fold", _by_fold(result.fold_scores, scores)))
    rows += judgements.worth_rows(result, scores)
    rows += _classes(result)
    rows += [*nested.confirmation_rows(result, scores), *nested.rows(result.nested, scores)]
    if test:
        shown = f"{tables.tested_text(test, scores)} on {formats.plural(test.rows, 'row')}{_unseen(test)}"
        rows.append(("test", shown + delivered.tested(result)))
    return rows


def _unseen(test: HeldOut) -> str:
    """Say that the search never saw the test rows, as far as that is so."""
    if not test.repeated:
        return " that the search never saw"
    which = "all" if test.repeated == test.rows else formats.count(test.repeated)
    return f", {which} of which {'is a training row' if test.repeated == 1 else 'are training rows'}, too"


MAJORITY = 0.6
"""Of a metric that is about the positive class it is told if more of the rows than this are of it: probably a slip."""


def _classes(result: Result) -> list[tuple[str, str]]:
    """Say which classes are never predicted, and whether the positive one, if the metric is about it, is most rows."""
    silent = silent_text(result.classes)
    whose = f"{result.handed_over if result.classes_of_mean else result.called} " if result.is_mean else ""
    said = [f"{whose}never predicts {silent}"] if silent else []
    if len(result.classes) == 2 and METRICS[result.metric].needs == POSITIVES:
        negative, positive = result.classes
        share = positive.rows / (positive.rows + negative.rows)
        if share > MAJORITY:
            said.append(f"the positive class '{positive.name}' is the majority ({formats.share(share)})")
    part = validated_text(result.classes, result.training.rows) if said and result.training else ""
    return [("classes", formats.printable("; ".join([*said, *([part] if part else [])])))] if said else []


def _unscored(result: Result) -> list[tuple[str, str]]:
    """Say which folds the search is not judged on."""
    found = result.unscored
    return [("folds", formats.printable(formats.judged_on(found.of, found.folds)))] if found else []


def _effort_rows(result: Result) -> list[tuple[str, str]]:
    trials, seconds = result.counts, result.seconds
    counts = {
        "complete": trials.complete,
        "pruned": trials.pruned,
        "diverged": trials.diverged,
        "failed": trials.failed,
    }
    counts["unfinished"] = trials.total - sum(counts.values())
    ends = ", ".join(f"{formats.count(number)} {state}" for state, number in counts.items() if number)
    said = f"{formats.count(trials.total)}: {ends}; {formats.duration(seconds.search)} to search"
    if seconds.retrain:
        said += f", {formats.duration(seconds.retrain)} to retrain {_retrained(result)}"
    return [
        ("trials", said + _end(result)),
        *savings_row(result.pruning),
    ]


_ENDS = {
    "timeout": "the time was over before all were tried",
    "target": "the target was reached",
    "no_gain": "it ended early, since there was less to gain than the folds can tell apart",
    "exhausted": "these are all configurations of the space",
}
"""Why a search ended, where that is worth a word."""


def _end(result: Result) -> str:
    why = _ENDS.get(str(result.finished))
    return f"; {why}" if why else ""


def _retrained(result: Result) -> str:
    return "the trials of the mean" if result.is_mean else result.called


def _by_fold(shown: Sequence[float | None], scores: Show) -> str:
    cells = ["diverged" if each is None else scores(each) for each in shown]
    return "  ".join(cells[:10]) + (f"  and {len(cells) - 10} more" if len(cells) > 10 else "")


def _notes(notes: Sequence[str], most: int, run: str) -> list[Block]:
    if not notes:
        return []
    shown = list(notes[:most])
    if len(notes) > most:
        others = f"and {len(notes) - most} more" if most else formats.plural(len(notes), "note")
        shown.append(f"{others}, shown by: lrtune show {shlex.quote(run)} --notes")
    return [Remarks("notes", shown)]
