"""How the decay types and the optimizers that a search tried compare, the best trial of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune import selection
from lrtune.reporting import formats, tables

if TYPE_CHECKING:
    from lrtune.trial import Trial

CONSTANT = "constant"
"""The decay that every other one has to beat."""


def compared(
    trials: Sequence[Trial], key: str, control: str, metric: str, rows_ratio: float | None = None
) -> list[dict[str, Any]]:
    """Rank the best trial of each value of a key; empty unless that of the control and another one are complete.

    Each has the ``name``, ``number``, ``mean``, ``std`` and ``difference``: that to the control's best trial, fold by
    fold (see `tables.Difference`), null for that trial itself and where the two cannot be compared.
    """
    best: dict[str, Trial] = {}
    for each in selection.ranking(trials):
        best.setdefault(str(each.configuration.get(key)), each)
    if control not in best or len(best) < 2:
        return []
    return [_row(name, each, best[control], metric, rows_ratio) for name, each in best.items()]


def _row(name: str, trial: Trial, control: Trial, metric: str, rows_ratio: float | None) -> dict[str, Any]:
    shown = tables.standing(trial, metric)
    found = None if trial is control else tables.difference(trial, control, rows_ratio)
    difference = None if found is None else found._asdict()
    return {"name": name, "number": shown.number, "mean": shown.mean, "std": shown.std, "difference": difference}


def header(key: str, metric: str) -> tuple[str, ...]:
    """Head the table of `rows`."""
    return ("trial", metric, "std", "gain", "error", "folds won", key)


def rows(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Tabulate what `compared` gives."""
    scores = formats.score_format(each["mean"] for each in found)
    return [_cells(each, scores) for each in found]


def _cells(entry: Mapping[str, Any], scores: Any) -> tuple[str, ...]:
    start = (str(entry["number"]), scores(entry["mean"]), scores(entry["std"]))
    if entry["difference"] is None:
        return (*start, formats.MISSING, formats.MISSING, formats.MISSING, entry["name"])
    found = tables.Difference(**entry["difference"])
    gain = f"{'-' if found.mean < 0 else '+'}{scores(abs(found.mean))}"
    return (*start, gain, scores(found.error), f"{found.wins}/{found.folds}", f"{entry['name']}{_verdict(found)}")


def _verdict(found: tables.Difference) -> str:
    """Say which differences the folds can tell from none."""
    if found.is_clear:
        return ": clearly better"
    return ": clearly worse" if found._replace(mean=-found.mean).is_clear else ""
