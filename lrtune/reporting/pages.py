"""What the page of a search says, as plain blocks."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import branches, formats, health, judgements, nested, status, tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.savings import savings_row

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.trial import Configuration, Trial

MAX_NOTES = 4
TOP = 5
"""Best trials on a page."""

MIN_KINDS = 4
"""Fewer kinds of decay or optimizer are compared in ``result.json`` only."""

Show = Callable[[float | None], str]
"""Writes a score with the digits that suit the page."""


def search_page(
    result: Mapping[str, Any],
    ranked: Sequence[Trial],
    point: Configuration,
    *,
    folder: Path,
    run: str,
    notes: Sequence[str] = (),
    top: int = TOP,
) -> list[Block]:
    """Say what a search found; of one that is not finished, what it has found so far, and how it goes on.

    Parameters
    ----------
    result
        As made by `lrtune.reporting.result.result`.
    ranked
        The complete trials, the best first.
    point
        The best configuration's point of the space: what was searched.
    folder, run
        Where the files are, and how commands call the run.
    notes
        What was noticed about the data and the study.
    top
        How many of the best trials to show.

    """
    metric = result["metric"]
    scores = formats.score_format([*_means(result), (result["test"] or {}).get("score")])
    page: list[Block] = [
        Headline(judgements.headline(result, scores)),
        Facts("", [*_score_rows(result, scores), *_effort_rows(result)]),
        Facts(f"best configuration (trial {result['best']['number']})", _configuration_rows(result, point)),
        Grid(
            f"{formats.plural(min(top, len(ranked)), 'best trial')} of {formats.count(result['trials']['total'])}",
            ("trial", metric, "std", "where they differ"),
            tables.top_rows(ranked, metric, top),
        ),
    ]
    page.extend(_branches(result))
    page.extend(health.block(result, shlex.quote(run)))
    if notes:
        page.append(Remarks("notes", _shortened(notes)))
    return [*page, *_next(result, folder, run)]


def _next(result: Mapping[str, Any], folder: Path, run: str) -> list[Block]:
    """Say where the files are and what can be done now."""
    if result["finished"] is None:
        return status.next_step(folder, run, "stopped")
    return [
        Lines("files", [f"{folder}: result.json, trials.csv, best.yaml, experiment.yaml, model"]),
        Lines("next", [f"lrtune predict {shlex.quote(run)} data.csv -o predictions.csv"]),
    ]


def _branches(result: Mapping[str, Any]) -> Iterator[Grid]:
    """Compare the kinds of decay and of optimizer, where several were tried."""
    for key, noun in (("decay", "decay type"), ("optimizer", "optimizer")):
        found = result[f"{key}s"]
        if len(found) >= MIN_KINDS:
            control = next((each["name"] for each in found if each["difference"] is None), branches.CONSTANT)
            title = f"the best of each {noun}, and its gain over {control} on the same folds (standard error)"
            yield Grid(title, branches.header(key, result["metric"]), branches.rows(found))


def _configuration_rows(result: Mapping[str, Any], point: Configuration) -> list[tuple[str, str]]:
    """List what was searched, and in one line what else makes the model."""
    whole = result["best"]["configuration"]
    kept = ({"model", "hidden", "activation"} - set(point), {"epochs", "batch_size"} - set(point))
    fixed = [line for keys in kept if (line := tables.configuration_line(whole, keys))]
    return [*tables.facts(point), *([("fixed", " · ".join(fixed))] if fixed else [])]


def _means(result: Mapping[str, Any]) -> list[float | None]:
    return [result["best"]["mean"], result["default"]["mean"]]


def _score_rows(result: Mapping[str, Any], scores: Show) -> list[tuple[str, str]]:
    best, default, test = result["best"], result["default"], result["test"]
    rows = [*judgements.corrected_rows(result, scores), ("best, by fold", _by_fold(best, scores))]
    if best["number"] != default["number"]:
        rows.append(("default, by fold", _by_fold(default, scores)))
    rows += judgements.worth_rows(result, scores)
    rows += [*confirmation_rows(result, scores), *nested.rows(result, scores)]
    if test:
        shown = "diverged" if test["score"] is None else scores(test["score"])
        rows.append(("test", f"{shown} on {formats.plural(test['rows'], 'row')} that the search never saw"))
    return rows


def confirmation_rows(result: Mapping[str, Any], scores: Show) -> list[tuple[str, str]]:
    """Say what fresh splits and seeds made of the first trials, if they were asked."""
    found = result.get("confirmation")
    if not found:
        return []
    rows = {each["number"]: each for each in found["trials"]}
    own, first = rows.get(result["best"]["number"]), found["trials"][0]
    if own is None or own["confirmed"] is None:
        return [("confirmed", "no: on fresh splits and seeds every one of the first trials diverged")]
    words = f"{scores(own['confirmed'])} on fresh splits and seeds, the best of {formats.plural(len(rows), 'trial')}"
    if found["optimism"] is not None:
        side = "too good" if found["optimism"] >= 0 else "too bad"
        words += f"; the search's scores of these are {scores(abs(found['optimism']))} {side} on average"
    if first["number"] != own["number"]:
        words += f"; trial {first['number']} was ahead before"
    return [("confirmed", words)]


def _effort_rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    trials, seconds = result["trials"], result["seconds"]
    states = ("complete", "pruned", "diverged", "failed")
    ends = ", ".join(f"{formats.count(trials[state])} {state}" for state in states if trials[state])
    retraining = f", {formats.duration(seconds['retrain'])} to retrain the best" if seconds["retrain"] else ""
    return [
        ("trials", f"{formats.count(trials['total'])}: {ends}"),
        *savings_row(result),
        ("time", f"{formats.duration(seconds['search'])} to search{retraining}"),
    ]


def _by_fold(entry: Mapping[str, Any], scores: Show) -> str:
    shown = ["diverged" if each is None else scores(each) for each in entry["fold_scores"]]
    return "  ".join(shown[:10]) + (f"  and {len(shown) - 10} more" if len(shown) > 10 else "")


def _shortened(notes: Sequence[str]) -> list[str]:
    shown = list(notes[:MAX_NOTES])
    if len(notes) > MAX_NOTES:
        shown.append(f"and {len(notes) - MAX_NOTES} more, shown by: lrtune check")
    return shown
