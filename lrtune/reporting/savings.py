"""What pruning has saved: the share of the training that was not done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lrtune.space.trial import TrialState
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.run.study import Study
    from lrtune.space.trial import Configuration, Trial, Value

_SCORED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.DIVERGED)


def savings(study: Study, complete: Callable[[Configuration], Mapping[str, Value]]) -> dict[str, Any] | None:
    """Count what a study with pruning did and left out, in epochs on a fold; None without pruning.

    Returns
    -------
    dict
        ``kind`` of the pruning, ``pruned`` trials, ``first``: number and reason of the first of them (null if there is
        none), ``saved``: share of the training of all trials on all folds, and ``seconds``: what this share would have
        taken at the pace of the rest.

    """
    kind = study.header.get("experiment", {}).get("search", {}).get("pruning", "none")
    scored = [each for each in study.in_order() if each.state in _SCORED]
    folds = max((len(each.fold_scores) for each in scored if each.state is TrialState.COMPLETE), default=0)
    if kind == "none" or not folds:
        return None
    epochs = {each.number: float(complete(each.configuration)["epochs"]) for each in scored}  # type: ignore[arg-type]
    whole = sum(epochs.values())
    saved = 1.0 - sum(epochs[each.number] * _done(each) for each in scored) / folds / whole
    pruned = [each for each in scored if each.state is TrialState.PRUNED]
    return {
        "kind": kind,
        "pruned": len(pruned),
        "first": {"number": pruned[0].number, "reason": pruned[0].reason} if pruned else None,
        "saved": round(saved, 4),
        "seconds": round(study.search_seconds * saved / (1.0 - saved), 3),
    }


def _done(trial: Trial) -> float:
    """Count the folds that a trial was trained on, those with a shorter horizon as the part that they are."""
    return len(trial.fold_scores) + sum(len(scores) / shorter for shorter, scores in trial.horizon_scores)


def savings_row(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say it in one line of the result's page, if there is something to say."""
    found = result.get("pruning")
    if not found:
        return []
    ended = f"{found['kind']}: {formats.plural(found['pruned'], 'trial')} ended early"
    if found["first"]:
        ended += f" (trial {found['first']['number']} {found['first']['reason']})"
    if found["saved"] <= 0:
        return [("pruning", f"{ended}, which saved nothing")]
    share = f"about {found['saved']:.0%} of the training".replace("%", " %")
    return [("pruning", f"{ended}, which saved {share}, {formats.duration(found['seconds'])}")]
