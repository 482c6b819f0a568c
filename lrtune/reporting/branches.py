"""How the decay types and the optimizers that a search tried compare, the best trial of each.

Each was picked as the best of its own trials, which flatters those that had more of them. So the table says how many
there were, and gives no verdicts: an interval for one difference does not cover the largest of several picked ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.space.trial import ranking
from lrtune.text import formats
from lrtune.verdict import comparison

if TYPE_CHECKING:
    from lrtune.space.trial import Trial

CONSTANT = "constant"
"""The decay that every other one has to beat."""

_SHOWN = ("mean", "error", "wins", "folds")
"""No p-value: see above."""


def compared(
    trials: Sequence[Trial], key: str, control: str, metric: str, rows_ratio: float | None = None
) -> list[dict[str, Any]]:
    """Rank the best trial of each value of a key; empty unless that of the control and another one are complete.

    Each has the ``name``, how many ``trials`` of it are over, the ``number``, ``mean`` and ``std`` of the best one, and
    its ``difference``: that to the control's best trial, fold by fold (see `comparison.Difference`), null for that
    trial itself and where the two cannot be compared.
    """
    best: dict[str, Trial] = {}
    for each in ranking(trials):
        best.setdefault(_name(each, key), each)
    if control not in best or len(best) < 2:
        return []
    counts = Counter(_name(each, key) for each in trials if each.is_over)
    return [
        {"name": name, "trials": counts[name], **_row(each, best[control], metric, rows_ratio)}
        for name, each in best.items()
    ]


def _name(trial: Trial, key: str) -> str:
    return str(trial.configuration.get(key))


def _row(trial: Trial, control: Trial, metric: str, rows_ratio: float | None) -> dict[str, Any]:
    shown = tables.standing(trial, metric)
    found = None if trial is control else comparison.between(trial, control, rows_ratio)
    difference = None if found is None else {key: getattr(found, key) for key in _SHOWN}
    return {"number": shown.number, "mean": shown.mean, "std": shown.std, "difference": difference}


def header(key: str, metric: str) -> tuple[str, ...]:
    """Head the table of `rows`."""
    return ("trial", metric, "std", "gain", "error", "folds won", "best of", key)


def rows(found: Sequence[Mapping[str, Any]], most: int | None = None) -> list[tuple[str, ...]]:
    """Tabulate what `compared` gives; of more than ``most`` the first, but always the control."""
    shown = list(found[:most])
    control = next((each for each in found if each["difference"] is None), None)
    if control is not None and control not in shown:
        shown = [*shown[:-1], control]
    scores = formats.score_format(each["mean"] for each in shown)
    return [_cells(each, scores) for each in shown]


def _cells(entry: Mapping[str, Any], scores: Any) -> tuple[str, ...]:
    start = (str(entry["number"]), scores(entry["mean"]), scores(entry["std"]))
    end = (str(entry["trials"]), str(entry["name"]))
    if entry["difference"] is None:
        return (*start, formats.MISSING, formats.MISSING, formats.MISSING, *end)
    found = comparison.Difference(**entry["difference"])
    gain = f"{'-' if found.mean < 0 else '+'}{scores(abs(found.mean))}"
    return (*start, gain, scores(found.error), f"{found.wins}/{found.folds}", *end)
