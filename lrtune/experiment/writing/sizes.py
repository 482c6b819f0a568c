"""How large a search suits a table: folds, mini-batches, epochs, trials, and what of a network is tried.

The rules are rough on purpose: they save the first hour.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrtune.data.encoding import problem_of
from lrtune.data.folds import usual_folds
from lrtune.data.schema import USUAL_FOLDS
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.sections import usual_round
from lrtune.experiment.writing.default_space import default_space
from lrtune.experiment.writing.qualities import Extent
from lrtune.experiment.writing.seen import Seen
from lrtune.training.costs import lane_seconds
from lrtune.training.networks import network
from lrtune.training.numbers.catalogue import NUMBERS
from lrtune.training.registry import complete, usual_metric
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.stages import trainings
from lrtune.verdict.terms import ENSEMBLES

FEWEST_ROWS, FEW_ROWS, SOME_ROWS, MANY_ROWS = 150, 500, 1_500, 20_000
"""Below the first, ten folds are drawn twice; below the second, fewer than ten several times; below the third there are
ten if there can be and trainings are short, and above the last, three say enough."""

MORE_FOLDS = 10

STRATEGY, PRUNING = "bayesian", "halving"
"""Halving pays for longer trainings where there are many rows to learn from."""

ROUND = 6
"""Trials of a round there: the fewer there are, the sooner the next ones know of them."""

OPTIMIZER, RATES = "adam", (1e-4, 5e-2)
"""Searched for it alone where features are searched as well: other rates and optimizers are hardly ever among the
best there, and a trial is dear. The low ones keep a long training from learning the rows by heart."""

ENCODERS, EMBEDDINGS = ["piecewise", "standard"], ["periodic", "none"]
"""What is searched there, the dearest first: how numbers become features, and whether these are embedded, where they
are few. Fixed at the dearest, they are no better: a mean gains by members that differ."""

MODELS = ["mlp", "linear"]
"""Tried where few rows have values: there a linear model is often as good or better, and a mean of both better than
either. Not where a few very large values rule the score: by those alone it would be chosen or not."""

FEWEST_EPOCHS, MOST_EPOCHS = 10, 200
FEWEST_ROWS_AT_ONCE, MOST_ROWS_AT_ONCE = 16, 256


class Sizes(NamedTuple):
    """How large a search is.

    Attributes
    ----------
    folds, repeats
        Of the cross-validation.
    why
        What they go by; empty: what is usual.
    batch_size
        Rows of a mini-batch.
    steps
        Updates of an epoch in a fold's training.
    epochs, trials
        How many.

    """

    folds: int
    repeats: int
    why: str
    batch_size: int
    steps: int
    epochs: int
    trials: int


def sizes(found: Seen) -> Sizes:
    """Suggest the largest search that keeps within the seconds of the quality."""
    ladder = found.quality.many if found.is_large else found.quality.few
    rungs = [_sizes(found, each) for each in ladder]
    budget = found.quality.budget(found.rows)
    return next((each for each in rungs if seconds(found, each) <= budget), rungs[-1])


def _sizes(found: Seen, extent: Extent) -> Sizes:
    parts, repeats, why = _folds(found)
    if parts > extent.folds:
        parts, why = extent.folds, "fewer than usual: these trainings are dear"
    rows_at_once = _batch_size(found)
    steps = max(1, -(-(found.rows * (parts - 1) // parts) // rows_at_once))
    epochs = _epochs(found, extent.updates, steps, rows_at_once)
    return Sizes(parts, repeats, why, rows_at_once, steps, epochs, extent.trials)


def _folds(found: Seen) -> tuple[int, int, str]:
    """Suggest folds and repeats, and say why."""
    if found.kind == "time_series":
        return _borne(found, _usual(found)), 1, "each is predicted by what came before it"
    counts = [each for each in found.counts if each > 1]
    rare = f"the rarest class has {min(counts, default=0)} training rows"
    fewer = usual_folds(np.array(found.counts, dtype=np.int64)) if found.kind == "stratified" else USUAL_FOLDS
    if fewer < _usual(found):
        return fewer, 3, rare
    has_rare = min(counts, default=MORE_FOLDS) < MORE_FOLDS
    if not found.is_large and found.rows < SOME_ROWS and found.most >= 2 * MORE_FOLDS and not has_rare:
        if found.rows < FEWEST_ROWS:
            return MORE_FOLDS, 2, "few rows: two rounds of folds lessen the luck of the draw"
        return MORE_FOLDS, 1, ""
    parts = _borne(found, _usual(found))
    if found.rows < FEW_ROWS:
        return parts, 3, rare if has_rare else "few rows: three rounds of folds lessen the luck of the draw"
    return parts, 1, "many rows: three parts say enough" if found.rows > MANY_ROWS else ""


def _usual(found: Seen) -> int:
    return 3 if found.rows > MANY_ROWS else USUAL_FOLDS


def _borne(found: Seen, wanted: int) -> int:
    return max(2, min(wanted, found.most))


def _batch_size(found: Seen) -> int:
    """Suggest the rows of a mini-batch: a power of two that gives about thirty updates in an epoch, or fifteen.

    So many are enough for values, where more epochs are worth more; classes would be overfitted.
    """
    wanted = 15 if found.is_large and not found.counts else 30
    return int(np.clip(2 ** np.round(np.log2(max(found.rows, 1) / wanted)), FEWEST_ROWS_AT_ONCE, MOST_ROWS_AT_ONCE))


def _epochs(found: Seen, updates: int, steps: int, batch_size: int) -> int:
    """Suggest epochs: about as many updates in each fold as the quality says or a few more, in fives."""
    if found.is_large and not found.counts and batch_size < MOST_ROWS_AT_ONCE:
        updates = updates * 3 // 2  # of small mini-batches
    return int(np.clip(5 * np.ceil(updates / steps / 5), FEWEST_EPOCHS, MOST_EPOCHS))


def hidden(found: Seen) -> int:
    """Suggest the units of the one hidden layer by how much there is to learn from."""
    return 128 if found.rows > MANY_ROWS else 64


def space(found: Seen) -> Values:
    """Say what is searched, in the form of the file."""
    return {**default_space(), **features(found)}


def features(found: Seen) -> Values:
    """Say what is searched of the network: where rows are few whether there is one, else what it learns from."""
    if not found.is_large:
        return {} if found.counts or found.is_skewed else {"model": MODELS}
    searched: dict[str, object] = {
        "optimizer": OPTIMIZER,
        "learning_rate": {"low": RATES[0], "high": RATES[1], "scale": "log"},
    }
    if found.numbers:
        searched["numbers"] = ENCODERS
    if found.is_embedded:
        searched["embedding"] = EMBEDDINGS
    return searched


_COMPANY = 8
"""How many configurations train together, about."""

_ALONE = 1.5
"""How much slower a network trains alone, at the final retraining, than in company."""

_COMPARED = 5
"""Trainings on all folds that the winner is compared with: a constant rate at three rates, and both on fresh folds."""

_DRAWN, _SHARE = 12, 0.7
"""So many trials come from all over the space and cost this share of the dearest on average; later ones cost all."""

_BESIDE, _UPDATE = 8.0, 2e-5
"""What a search takes beside training, and an update of one network however small it is (seconds)."""


def seconds(found: Seen, chosen: Sizes) -> float:
    """Estimate what a search takes on one core (seconds)."""
    folds, rows = chosen.folds * chosen.repeats, found.rows * (chosen.folds - 1) // chosen.folds
    pruning = PRUNINGS[PRUNING if found.is_large else "none"]
    stages = pruning.stages(usual_metric(found.schema.problem), folds, chosen.epochs)
    drawn, count = (
        trainings(stages, pruning.first, each, ROUND if found.is_large else usual_round(STRATEGY, pruning.name))
        for each in (min(chosen.trials, _DRAWN), chosen.trials)
    )
    networks = 2 * max(ENSEMBLES)
    whole = folds * (count - (1 - _SHARE) * drawn + _COMPARED)
    each = _seconds(found, chosen, rows, (_COMPANY * folds, folds))
    alone = _ALONE * _seconds(found, chosen, found.rows, (_COMPANY, 1))
    updates = chosen.steps * chosen.epochs * (folds * (count + _COMPARED) + networks)
    return _BESIDE + whole * each + networks * alone + _UPDATE * updates


def _seconds(found: Seen, chosen: Sizes, rows: int, company: tuple[int, int]) -> float:
    """Estimate what training the dearest network on one fold takes (seconds)."""
    schema, searched = found.schema, features(found)
    dearest = complete(
        {
            "hidden": (hidden(found),),
            "embedding": EMBEDDINGS[0] if "embedding" in searched else "none",
            "epochs": chosen.epochs,
            "batch_size": chosen.batch_size,
            "optimizer": OPTIMIZER,
        }
    )
    added = sum(map(NUMBERS[ENCODERS[0]].added, schema.distinct)) if "numbers" in searched else 0
    shape = network(dearest, problem_of(schema), schema.width + added)
    return lane_seconds(dearest, shape, rows, "float32", company)
