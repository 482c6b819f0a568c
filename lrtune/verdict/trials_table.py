"""The table of all trials, ``trials.csv``: the same bytes for the same study.

It has one row for each trial: ``number``, ``state``, ``mean``, ``std``, the mean over the folds by each metric that
stands beside the tuned one, under its name, ``fold_1`` to ``fold_K``, all in the metric's own sign, one column for each
key of the configurations in the registry's order, and ``reason``; of a search that took champions over, behind
``state``, which of them a trial is, from 1 (``champion``). A cell is empty where there is nothing to say (a factor of
another optimizer, a fold that diverged, other metrics of a trial that is not complete); null is written ``null`` and
layer widths ``64-64``. It holds no times, so that the same study gives the same file whoever computed it,
with however many workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lrtune.space.trial import Trial
from lrtune.text.written import cell, csv_text
from lrtune.training.registry import METRICS
from lrtune.verdict.standing import canonical_keys, own_sign, standing


def trials_text(trials: Sequence[Trial], metric: str) -> str:
    """Write the content of ``trials.csv``."""
    keys = canonical_keys(each.configuration for each in trials)
    folds = max((len(each.fold_scores) for each in trials), default=0)
    seen = {name for each in trials for name in each.beside} - {metric}
    return csv_text(_trial_rows(trials, metric, [name for name in METRICS if name in seen], keys, folds))


def _trial_rows(
    trials: Sequence[Trial], metric: str, others: Sequence[str], keys: Sequence[str], folds: int
) -> Iterator[list[str]]:
    numbered = [f"fold_{index + 1}" for index in range(folds)]
    taken_over = any(each.champion is not None for each in trials)
    yield ["number", "state", *(["champion"] * taken_over), "mean", "std", *others, *numbered, *keys, "reason"]
    for each in trials:
        shown = standing(each, metric)
        beside = [own_sign(name, each.mean_beside(name)) for name in others]
        scores = [*shown.fold_scores, *[None] * (folds - len(shown.fold_scores))]
        yield [
            str(each.number),
            str(each.state),
            *(["" if each.champion is None else str(each.champion + 1)] * taken_over),
            *(_score_cell(score) for score in (shown.mean, shown.std, *beside, *scores)),
            *(cell(each.configuration[key]) if key in each.configuration else "" for key in keys),
            each.reason or "",
        ]


def _score_cell(score: float | None) -> str:
    return "" if score is None else repr(float(score))
