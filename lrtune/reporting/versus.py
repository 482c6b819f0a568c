"""Two trials beside each other, of two runs or of one: scores on the same folds, and all that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.text import formats
from lrtune.verdict import comparison
from lrtune.verdict.result import HeldOut, to_json
from lrtune.verdict.standing import canonical_keys, larger_is_better, own_sign, standing

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.space.trial import Trial
    from lrtune.verdict.comparison import Difference

SCHEMA = 1
ALPHA = 0.05
"""A difference that chance alone would show this rarely is called one."""

MAX_ROWS = 10
"""Differences on a page; the others are in the JSON."""


class Side(NamedTuple):
    """A trial to compare: its run, what to call it, and the trial."""

    run: Run
    called: str
    trial: Trial


def compared(one: Side, other: Side, reason: str | None) -> dict[str, Any]:
    """Compare two trials, in JSON's types.

    ::

        schema         version of this layout
        metric         its name;  larger_is_better: whether more of it is better;  null if the two have other ones
        first, second  name, folder, number, trials (how many the run has tried), mean, std, fold_scores,
                       test (score on rows that no search saw, of the run's own model;  null for another trial)
        paired         whether the scores are of the same folds;  reason: why not
        difference     mean            positive where the first is better;  the whole is null where it is not paired
                       error, low, high    standard error and 95 % interval (Nadeau and Bengio 2003)
                       p               of the corrected resampled t-test, two-sided
                       probability     that the first is better
                       wins, folds     on how many folds it is, of how many
        configuration  what differs in the complete configurations: key: [first, second]
        experiment     what differs in what was asked: key: [first, second]

    Parameters
    ----------
    one, other
        The trials.
    reason
        Why the two are not of the same folds; None if they are.

    """
    found = None if reason else comparison.between(one.trial, other.trial, one.run.rows_ratio)
    if found is None and reason is None:
        reason = "one of them has no score on every fold"
    same_metric = one.run.metric == other.run.metric
    return {
        "schema": SCHEMA,
        "metric": one.run.metric if same_metric else None,
        "larger_is_better": larger_is_better(one.run.metric) if same_metric else None,
        "first": _side(one),
        "second": _side(other),
        "paired": found is not None,
        "reason": reason,
        "difference": found and _difference(found),
        "configuration": _pairs(*(each.run.configuration(each.trial.configuration) for each in (one, other))),
        "experiment": _pairs(*(asked(each.run) for each in (one, other))),
    }


def _side(side: Side) -> dict[str, Any]:
    shown = standing(side.trial, side.run.metric)
    refit = side.run.study.refit
    own = refit.test if refit and refit.trial == side.trial.number and refit.test and refit.test.rows else None
    return {
        "name": side.called,
        "folder": str(side.run.folder),
        "number": shown.number,
        "trials": len(side.run.trials),
        "mean": shown.mean,
        "std": shown.std,
        "fold_scores": list(shown.fold_scores),
        "test": own and own_sign(side.run.metric, own.score),
        "test_has": own and own.has,
    }


def _difference(found: Difference) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {
        "mean": found.mean,
        "error": found.error,
        "low": low,
        "high": high,
        "p": found.p,
        "probability": found.probability,
        "wins": found.wins,
        "folds": found.folds,
    }


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, list[Any]]:
    """List the keys in which two flat mappings differ, with both values; a missing one is None."""
    keys = dict.fromkeys([*canonical_keys([first]), *canonical_keys([second])])
    return {key: [_plain(first.get(key)), _plain(second.get(key))] for key in keys if first.get(key) != second.get(key)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def asked(run: Run) -> dict[str, Any]:
    """Describe what a run was asked for as flat keys: settings, dimensions of the space, data, versions."""
    header = run.study.header
    experiment = header.asked
    found: dict[str, Any] = {}
    for section in ("data", "search"):
        found.update({f"{section}.{key}": value for key, value in experiment.get(section, {}).items()})
    found["training.dtype"] = experiment.get("dtype")
    found.update(_dimensions(experiment.get("space", ()), "space"))
    found["trials"] = len(run.trials)
    found.update({f"rows.{key}": value for key, value in (to_json(header.rows) or {}).items()})
    found["table"] = (header.data or "")[:8]
    found["engine"] = header.engine
    found.update({f"versions.{key}": value for key, value in (header.versions or {}).items()})
    return found


def _dimensions(space: Sequence[Mapping[str, Any]], where: str) -> Iterator[tuple[str, str]]:
    """Describe each dimension of a space in a few words, those of branches under the branch's name."""
    for each in space:
        key = f"{where}.{each['name']}"
        yield key, _dimension_text(each)
        for option in each.get("options", ()):
            yield from _dimensions(option["space"], f"{where}.{option['value']}")


def _dimension_text(dimension: Mapping[str, Any]) -> str:
    name = dimension["name"]
    if dimension["kind"] == "choice":
        return ", ".join(tables.value_text(name, each["value"]) for each in dimension["options"])
    if dimension["kind"] == "ordinal":
        return ", ".join(tables.value_text(name, each) for each in dimension["values"])
    ends = [tables.value_text(name, dimension[key]) for key in ("low", "high")]
    scale = "" if dimension["scale"] == "linear" else f" ({dimension['scale']})"
    return " to ".join(ends) + scale


def page(found: Mapping[str, Any]) -> list[Block]:
    """Show a comparison made by `compared`."""
    first, second = found["first"], found["second"]
    scores = formats.score_format([first["mean"], second["mean"]])
    blocks: list[Block] = [Headline(_headline(found, scores)), Facts("", list(_facts(found, scores)))]
    names = [_called(each) for each in (first, second)]
    for title, key in (("configurations differ in", "configuration"), ("experiments differ in", "experiment")):
        if found[key]:
            blocks.append(_table(title, names, found[key]))
    blocks.append(Remarks("notes", list(_notes(found))))
    return [each for each in blocks if not isinstance(each, Remarks) or each.sentences]


def _called(side: Mapping[str, Any]) -> str:
    return f"{side['name']}:{side['number']}"


def _headline(found: Mapping[str, Any], scores: Callable[[float | None], str]) -> str:
    first, second, gap = found["first"], found["second"], found["difference"]
    names = _called(first), _called(second)
    if found["metric"] is None:
        return f"{names[0]} and {names[1]} cannot be compared: {found['reason']}"
    numbers = f"{found['metric']} {scores(first['mean'])} and {scores(second['mean'])}"
    if gap is None:
        return f"{names[0]} and {names[1]}: {numbers}, not of the same folds"
    if gap["p"] is None or gap["p"] >= ALPHA:
        return f"the folds cannot tell {names[0]} and {names[1]} apart: {numbers}"
    if gap["mean"] > 0:
        return f"{names[0]} is better than {names[1]}: {numbers}"
    return f"{names[0]} is worse than {names[1]}: {numbers}"


def _facts(found: Mapping[str, Any], scores: Callable[[float | None], str]) -> Iterator[tuple[str, str]]:
    first, second, gap = found["first"], found["second"], found["difference"]
    for side in (first, second):
        more = len(side["fold_scores"]) - MAX_ROWS
        folds = "  ".join(scores(each) for each in side["fold_scores"][:MAX_ROWS]) or "no score"
        folds += f"  and {more} more" if more > 0 else ""
        std = "" if side["std"] is None else f" ± {scores(side['std'])}"
        yield _called(side), f"{scores(side['mean'])}{std}   by fold  {folds}"
    if gap is not None:
        yield from _gap_facts(gap, scores)
    tests = [HeldOut(each["test"], 0, each["test_has"]) for each in (first, second)]
    if found["metric"] is not None and all(each != HeldOut(None, 0) for each in tests):
        yield "test", " and ".join(tables.tested_text(each, scores) for each in tests)


def _gap_facts(gap: Mapping[str, Any], scores: Callable[[float | None], str]) -> Iterator[tuple[str, str]]:
    if not gap["mean"] and not gap["error"]:
        yield "difference", "none: the scores are equal on every fold"
        return
    ahead = "better" if gap["mean"] >= 0 else "worse"
    wins = f"on {gap['wins']} of {formats.plural(gap['folds'], 'fold')} the first is better"
    if gap["error"] is None:
        yield "difference", f"the first is {ahead} by {scores(abs(gap['mean']))}; one fold cannot say how sure that is"
        return
    error = f"{scores(abs(gap['mean']))} ± {scores(gap['error'])} (standard error)"
    yield "difference", f"the first is {ahead} by {error}; {wins}"
    yield "95 % interval", f"{_signed(gap['low'], scores)} to {_signed(gap['high'], scores)}"
    yield "corrected t-test", f"{formats.p_value(gap['p'])}, two-sided"
    yield "probability", f"{formats.share(gap['probability'])} that the first is better"


def _signed(value: float, scores: Callable[[float | None], str]) -> str:
    return f"{'-' if value < 0 else '+'}{scores(abs(value))}"


def _table(title: str, names: Sequence[str], differences: Mapping[str, Sequence[Any]]) -> Grid:
    rows = [(key, *(_cell(key, each) for each in pair)) for key, pair in differences.items()]
    more = [("...", f"{len(rows) - MAX_ROWS} more", "with --json")] if len(rows) > MAX_ROWS else []
    return Grid(title, ("", *names), [*rows[:MAX_ROWS], *more], left=(0, 1))


def _cell(key: str, value: Any) -> str:
    text = formats.MISSING if value is None else _value_text(key, value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _value_text(key: str, value: Any) -> str:
    if isinstance(value, list) and not all(isinstance(each, int | float) for each in value):
        return ", ".join(map(str, value))
    return tables.value_text(key, value) or "nothing"


def _notes(found: Mapping[str, Any]) -> Iterator[str]:
    first, second = found["first"], found["second"]
    if found["reason"] is not None and found["metric"] is not None:
        yield f"no test and no interval, because {found['reason']}"
    if first["trials"] != second["trials"]:
        numbers = f"{formats.count(first['trials'])} and {formats.count(second['trials'])}"
        yield f"the best of many trials looks better than it is, the more so the more trials: here {numbers}"
