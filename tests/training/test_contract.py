"""What every decay, every optimizer and every pair of them keeps: a stated loss, and the invariants of the engine.

All have their default rates and factors, and whole populations are trained at once. The pairs that watch a loss
are populations of their own, because they hold rows out.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lrtune.training.networks import split
from lrtune.training.population import evaluated, plan, start, take, train
from lrtune.training.registry import DECAYS, OPTIMIZERS, complete
from lrtune.training.tasks import Fold, Problem

CONCRETE = Path(__file__).parents[2] / "datasets" / "concrete.csv"
PROBLEMS = {
    "digits": Problem("softmax", 10, 10, tuple(range(2, 64, 5))),
    "concrete": Problem("squared", 1, 0, (0, 3, 4)),
}
ROWS = {"digits": 272, "concrete": 384}
BATCH_SIZE = 16


def standardised(columns):
    spread = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def fold(name, index, rows):
    """Pick rows of a table; other ones for another index."""
    if name == "digits":
        features, targets = load_digits(return_X_y=True)
    else:
        table = standardised(np.loadtxt(CONCRETE, delimiter=",", skiprows=1))
        features, targets = table[:, :-1], table[:, -1]
    chosen = np.random.default_rng(index).permutation(len(features))[:rows]
    features, targets = standardised(features)[chosen], targets[chosen]
    return Fold(index, features, targets, np.ones(rows), features[:1], targets[:1])


WATCHING = [{"decay": "plateau"}]
OTHERS = [{"decay": decay} for decay in DECAYS if decay != "plateau"]
CYCLING = [{"decay": decay, "decay.cycle_momentum": True} for decay in ("cyclical", "one_cycle")]


PLAIN = {"ema": 0.0}
AVERAGED = {"ema": 0.7}
WITH_ALL = AVERAGED | {
    "rate_factors.first": 2.0,
    "rate_factors.bias": 0.1,
    "rate_factors.embedding": 0.3,
    "weight_decay": 0.01,
    "over_time.weight_decay": "flat_cosine",
    "dropout": 0.1,
    "over_time.dropout": "linear",
}


def populations(name, folds, hidden, epochs, embedding="none", *, beside=(PLAIN, AVERAGED)):
    """Make populations of every optimizer with every decay, and with momentum cycled where a decay can do that.

    Each pair is there once with each of what is ``beside``.
    """
    for decays in (OTHERS + CYCLING, WATCHING):
        pairs = [
            {"optimizer": optimizer, "hidden": hidden, "epochs": epochs, "embedding": embedding, **each, **decay}
            for optimizer in OPTIMIZERS
            for decay in decays
            for each in beside
        ]
        yield populate(name, folds, pairs)


def populate(name, folds, pairs):
    options = {"batch_size": BATCH_SIZE, "seed": 0, "dtype": "float32"}
    shared = plan(complete(pairs[0]), folds, PROBLEMS[name], **options)
    return start(pairs, shared), shared


def pair(configuration):
    cycles = configuration.get("decay.cycle_momentum", False)
    return configuration["optimizer"], configuration["decay"], cycles, configuration["ema"]


def training_losses(population, shared):
    """Mean loss of each configuration on the rows of one fold that it trained on, from a forward pass written out."""
    (table,) = shared.tables
    rows = np.flatnonzero(table.weights > 0.0)
    values = table.features[rows].T
    layers = split(shared.network, evaluated(population)[:, 0])
    for weights in layers[:-1]:
        units = np.maximum(weights @ values, 0.0)
        values = np.concatenate([units, np.ones_like(units[:, :1])], axis=1)
    outputs, targets = (layers[-1] @ values).astype(np.float64), table.wanted(rows)
    if shared.network.loss == "squared":
        return 0.5 * np.mean((outputs - targets) ** 2, axis=(1, 2))
    true = np.sum(outputs * targets, axis=1)
    return np.mean(np.logaddexp.reduce(outputs, axis=1) - true, axis=1)


def stated_loss(name, shared):
    """A tenth of the loss of guessing among ten digits; for concrete, the loss of the best linear model."""
    if name == "digits":
        return 0.1 * math.log(10.0)
    (table,) = shared.tables
    rows = np.flatnonzero(table.weights > 0.0)
    _, (squares,), *_ = np.linalg.lstsq(table.features[rows], table.targets[rows], rcond=None)
    return 0.5 * squares / len(rows)


@pytest.mark.parametrize("hidden", [(64,), (32, 32)], ids=["one layer", "two layers"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_pair_reaches_the_stated_loss(name, hidden):
    """At its default rate, on few rows in the default horizon of 30 epochs."""
    for population, shared in populations(name, [fold(name, 0, ROWS[name])], hidden, 30):
        stated = stated_loss(name, shared)
        trained = train(population, shared)
        reached = dict(zip(map(pair, trained.configurations), training_losses(trained, shared), strict=True))
        assert {names: loss for names, loss in reached.items() if not loss <= stated} == {}


HIDDEN = {"digits": [(9,), (64, 64)], "concrete": [(9,), (8, 7)]}


@pytest.mark.parametrize(
    ("name", "hidden", "embedding"),
    [
        *((name, each, "none") for name, shapes in HIDDEN.items() for each in shapes),
        *((name, shapes[0], "periodic") for name, shapes in HIDDEN.items()),
    ],
)
def test_every_pair_keeps_the_invariants(name, hidden, embedding):
    """Alone or in company, in pieces, after others have been dropped: the same bits. So with all that goes beside.

    The folds have two and three steps per epoch, and the largest net has 8,970 parameters.
    """
    folds = [fold(name, 0, 2 * BATCH_SIZE - 5), fold(name, 1, 2 * BATCH_SIZE + 7)]
    for population, shared in populations(name, folds, hidden, 4, embedding, beside=(PLAIN, WITH_ALL)):
        trained = train(population, shared)
        scored = evaluated(trained)
        for row, each in enumerate(trained.configurations):
            place = row % 2
            alone, own = populate(name, [folds[shared.places[place]]], [each])
            np.testing.assert_array_equal(evaluated(train(alone, own))[0, 0], scored[row, place], str(pair(each)))
        piece = train(population, shared, 1)
        assert_same(train(train(piece, shared, 3), shared), trained)
        keep = np.arange(len(trained.configurations)) % 3 > 0
        assert_same(train(take(piece, keep), shared), take(trained, keep))


def assert_same(one, other):
    np.testing.assert_array_equal(one.parameters, other.parameters)
    np.testing.assert_array_equal(one.diverged, other.diverged)
    np.testing.assert_array_equal(evaluated(one), evaluated(other))
    for left, right in zip(one.states, other.states, strict=True):
        for first, second in zip(left, right, strict=True):
            np.testing.assert_array_equal(first, second)
