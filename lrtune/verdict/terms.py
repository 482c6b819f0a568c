"""What a search was asked for, as far as its judges go by it."""

from __future__ import annotations

from typing import NamedTuple

from lrtune.space import SearchSpace
from lrtune.verdict.choice.rules import Rule

ENSEMBLES = (3, 5, 10)
"""Of so many of the best trials the mean may be chosen in place of one."""

ENOUGH = 5
"""So many networks a model has where nobody says how many seeds: more of them add little."""


class Terms(NamedTuple):
    """What a choice follows from, beside the scores.

    Attributes
    ----------
    space
        What was searched.
    seed
        Of the experiment.
    rule
        By which a trial is chosen (``search.select``).
    confirm
        How many of the first trials are scored again before the choice; 0: none.
    pruning, round
        What spared trials some of their training, and how many were proposed together.
    averaged
        Of how many of the best trials the model is the mean (``retrain.ensemble``); None: as many as the folds speak
        for.
    promote_if
        What the gain over a champion must be above, with 95 %, for another one to be delivered.

    """

    space: SearchSpace
    seed: int
    rule: Rule
    confirm: int
    pruning: str
    round: int
    averaged: int | None = 1
    promote_if: float = 0.0
