"""The invariants of the engine: a lane is the same alone, in company, in pieces and after others have been dropped."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training.batches import effective_batch_size
from lrtune.training.population import evaluated, plan, start, take, train
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.tasks import Fold, Problem

PROBLEMS = {
    "softmax": Problem("softmax", 3, 3),
    "logistic": Problem("logistic", 1, 2),
    "squared": Problem("squared", 1, 0),
}


def a_fold(index, rows, features, problem, rng):
    targets = rng.normal(size=rows) if problem.loss == "squared" else rng.integers(0, problem.classes, rows)
    weights = rng.choice([0.0, 1.0, 2.5], rows, p=[0.1, 0.6, 0.3])
    x = rng.normal(size=(rows, features))
    return Fold(index, x, targets, weights, x[:2], targets[:2])


def populate(configurations, folds, problem, dtype, seed=3):
    first = complete(configurations[0])
    batch_size = effective_batch_size(first["batch_size"], max(len(fold.features) for fold in folds))
    shared = plan(first, folds, problem, batch_size=batch_size, seed=seed, dtype=dtype)
    return start(configurations, shared), shared


def lanes(population, shared):
    """What is scored of each lane, as bytes, by the position of its configuration and fold in what was given."""
    scored = evaluated(population)
    return {
        (number, place): population.diverged[row, lane] or scored[row, lane].tobytes()
        for row, number in enumerate(population.places)
        for lane, place in enumerate(shared.places)
    }


def same_values(one, other):
    np.testing.assert_array_equal(one.parameters, other.parameters)
    np.testing.assert_array_equal(one.diverged, other.diverged)
    np.testing.assert_array_equal(evaluated(one), evaluated(other))
    for left, right in zip(one.states, other.states, strict=True):
        for first, second in zip(left, right, strict=True):
            np.testing.assert_array_equal(first, second)


@st.composite
def values(draw):
    """The keys that may differ within a population."""
    return {
        "optimizer": draw(st.sampled_from(sorted(OPTIMIZERS))),
        "learning_rate": draw(st.sampled_from([1e-3, 0.03, 0.5])),
        "decay": draw(st.sampled_from(["constant", "linear", "cosine", "exponential"])),
        "warmup": draw(st.sampled_from([0.0, 0.4])),
        "weight_decay": draw(st.sampled_from([0.0, 0.0, 0.02])),
        "decoupled": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0.0, 0.0, 0.3])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.0, 0.1])),
        "clip_norm": draw(st.sampled_from([None, None, 0.05, 3.0])),
        "ema": draw(st.sampled_from([0.0, 0.0, 0.2, 2.0])),
        "rate_factors.first": draw(st.sampled_from([1.0, 1.0, 0.0, 3.0])),
        "rate_factors.bias": draw(st.sampled_from([1.0, 1.0, 0.1])),
        "over_time.weight_decay": draw(st.sampled_from(["constant", "constant", "flat_cosine"])),
        "over_time.dropout": draw(st.sampled_from(["constant", "linear"])),
        "over_time.label_smoothing": draw(st.sampled_from(["constant", "coslog4"])),
    }


@st.composite
def cases(draw):
    """Configurations of one shape, ragged folds, a problem, a dtype."""
    problem = PROBLEMS[draw(st.sampled_from(sorted(PROBLEMS)))]
    shape = {
        "model": draw(st.sampled_from(["linear", "mlp", "mlp"])),
        "hidden": draw(st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)),
        "activation": draw(st.sampled_from(["relu", "tanh", "gelu"])),
        "embedding": draw(st.sampled_from(["none", "periodic"])),
        "epochs": draw(st.integers(1, 4)),
        "batch_size": draw(st.integers(1, 16)),
    }
    configurations = [shape | each for each in draw(st.lists(values(), min_size=1, max_size=5))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    features = draw(st.integers(1, 5))
    problem = problem._replace(numbers=tuple(sorted(draw(st.sets(st.integers(0, features - 1))))))
    rows = draw(st.lists(st.integers(17, 45), min_size=1, max_size=3))
    folds = [a_fold(index, count, features, problem, rng) for index, count in enumerate(rows)]
    return configurations, folds, problem, draw(st.sampled_from(["float32", "float64"]))


def assert_lanes_are_the_same_alone(configurations, folds, problem, dtype):
    together, shared = populate(configurations, folds, problem, dtype)
    expected = lanes(train(together, shared), shared)
    for number, configuration in enumerate(configurations):
        for place, fold in enumerate(folds):
            alone, own = populate([configuration], [fold], problem, dtype)
            assert lanes(train(alone, own), own)[0, 0] == expected[number, place]


@settings(deadline=None, max_examples=60)
@given(cases())
def test_a_lane_is_bitwise_the_same_alone_and_in_any_population(case):
    assert_lanes_are_the_same_alone(*case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("activation", "embedding"), [("relu", "none"), ("tanh", "none"), ("gelu", "periodic")])
def test_so_is_a_lane_of_more_parameters_than_a_buffer_of_numpy_holds(dtype, activation, embedding):
    rng = np.random.default_rng(0)
    problem = PROBLEMS["softmax"]._replace(numbers=(0, 2, 3, 6))
    extras = [
        {},
        {"clip_norm": 0.1},
        {"weight_decay": 0.1, "dropout": 0.5},
        {"label_smoothing": 0.1, "decoupled": True},
        {"ema": 0.5},
        {"rate_factors.first": 2.0, "rate_factors.bias": 0.1, "weight_decay": 0.1, "decoupled": True},
        {"rate_factors.embedding": 0.3, "rate_factors.last": 0.0},
    ]
    configurations = [
        {
            "hidden": (101, 97),
            "activation": activation,
            "embedding": embedding,
            "epochs": 2,
            "batch_size": 13,
            "optimizer": name,
            **extra,
        }
        for name, extra in zip(sorted(OPTIMIZERS), extras * len(OPTIMIZERS), strict=False)
    ]
    folds = [a_fold(index, rows, 7, problem, rng) for index, rows in enumerate((40, 53, 25))]
    population, _ = populate(configurations, folds, problem, dtype)
    assert population.parameters.shape[-1] > 8192
    assert_lanes_are_the_same_alone(configurations, folds, problem, dtype)


@settings(deadline=None, max_examples=30)
@given(cases(), st.data())
def test_training_in_pieces_equals_training_in_one_go(case, data):
    population, shared = populate(*case)
    until = data.draw(st.integers(0, shared.epochs))
    piece = train(population, shared, until)
    assert piece.epoch == until
    same_values(train(piece, shared), train(population, shared))


@settings(deadline=None, max_examples=30)
@given(cases(), st.data())
def test_compaction_commutes_with_training(case, data):
    population, shared = populate(*case)
    count = len(population.configurations)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any)))
    until = data.draw(st.integers(0, shared.epochs))
    half = train(population, shared, until)
    same_values(train(take(half, keep), shared), take(train(half, shared), keep))
    same_values(take(train(population, shared), keep), take(train(half, shared), keep))


def test_training_leaves_what_it_is_given_as_it_was():
    rng = np.random.default_rng(1)
    configurations = [{"optimizer": name, "epochs": 2, "hidden": (4,), "batch_size": 8} for name in OPTIMIZERS]
    population, shared = populate(
        configurations, [a_fold(0, 20, 3, PROBLEMS["softmax"], rng)], PROBLEMS["softmax"], "float32"
    )
    before = train(population, shared, 0)
    copied = take(population, np.ones(len(configurations), bool))
    train(population, shared)
    same_values(population, copied)
    same_values(before, copied)


def test_folds_train_on_their_own_rows_only():
    rng = np.random.default_rng(2)
    problem = PROBLEMS["squared"]
    folds = [a_fold(index, rows, 3, problem, rng) for index, rows in enumerate((40, 17, 29))]
    changed = [folds[0], a_fold(1, 33, 3, problem, rng), folds[2]]
    configuration = {"hidden": (5,), "epochs": 3, "batch_size": 4, "optimizer": "momentum"}
    results = []
    for each in (folds, changed):
        population, shared = populate([configuration], each, problem, "float64")
        results.append(lanes(train(population, shared), shared))
    assert results[0][0, 0] == results[1][0, 0]
    assert results[0][0, 2] == results[1][0, 2]
    assert results[0][0, 1] != results[1][0, 1]


# --- against a trainer that does one lane, one step and one thing at a time


def naive_training(configuration, fold, initial, *, seed):
    """Momentum SGD with linear decay to zero, coupled weight decay and clipping; one hidden layer, softmax, float64."""
    rows, features = fold.features.shape
    (hidden,), epochs, batch_size = (configuration[key] for key in ("hidden", "epochs", "batch_size"))
    cut = hidden * (features + 1)
    first, last = initial[:cut].reshape(hidden, -1).copy(), initial[cut:].reshape(3, -1).copy()
    velocity = [np.zeros_like(first), np.zeros_like(last)]
    steps = int(np.ceil(rows / batch_size))
    for epoch in range(epochs):
        order = np.random.default_rng([seed, 2, fold.index, epoch]).permutation(rows)
        for step in range(steps):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            gradients = [np.zeros_like(first), np.zeros_like(last)]
            total = fold.weights[chosen].sum()
            for row in chosen:
                x = np.append(fold.features[row], 1.0)
                h = np.append(np.maximum(first @ x, 0.0), 1.0)
                p = np.exp(last @ h) / np.exp(last @ h).sum()
                smoothing = configuration["label_smoothing"]
                target = (1.0 - smoothing) * np.eye(3)[fold.targets[row]] + smoothing / 3.0
                share = fold.weights[row] / total if total else 0.0
                output_error = share * (p - target)
                gradients[1] += np.outer(output_error, h)
                gradients[0] += np.outer((last.T @ output_error)[:-1] * (first @ x > 0.0), x)
            norm = np.sqrt(sum((each**2).sum() for each in gradients))
            shorten = min(1.0, configuration["clip_norm"] / (norm + 1e-6))
            rate = configuration["learning_rate"] * (1.0 - (epoch * steps + step) / (epochs * steps))
            for layer, weights in enumerate((first, last)):
                step_gradient = shorten * gradients[layer] + configuration["weight_decay"] * weights
                velocity[layer] = 0.9 * velocity[layer] + step_gradient
            first, last = (weights - rate * speed for weights, speed in zip((first, last), velocity, strict=True))
    return np.concatenate([first.ravel(), last.ravel()])


def test_every_lane_follows_a_naive_trainer():
    rng = np.random.default_rng(6)
    problem = PROBLEMS["softmax"]
    folds = [a_fold(index, rows, 3, problem, rng) for index, rows in enumerate((23, 41, 32))]
    fixed = {"optimizer": "momentum", "optimizer.momentum": 0.9, "decay": "linear", "decay.final": 0.0}
    shape = {"hidden": (4,), "epochs": 3, "batch_size": 6, "activation": "relu"}
    configurations = [
        fixed | shape | {"learning_rate": rate, "weight_decay": decay, "label_smoothing": smoothing, "clip_norm": limit}
        for rate, decay, smoothing, limit in [(0.1, 0.0, 0.0, 1e9), (0.3, 0.05, 0.2, 0.2), (0.02, 0.01, 0.0, 0.5)]
    ]
    population, shared = populate(configurations, folds, problem, "float64", seed=11)
    trained = train(population, shared)
    for lane, place in enumerate(shared.places):
        for row, number in enumerate(trained.places):
            initial = population.parameters[row, lane]
            expected = naive_training(configurations[number], folds[place], initial, seed=11)
            np.testing.assert_allclose(trained.parameters[row, lane], expected, rtol=1e-9, atol=1e-12)


def test_decoupled_weight_decay_shrinks_by_its_share_of_each_rate():
    """Rows of weight zero have no gradient, so that nothing else moves the parameters."""
    rng = np.random.default_rng(19)
    problem = PROBLEMS["squared"]
    fold = dataclasses.replace(a_fold(0, 20, 3, problem, rng), weights=np.zeros(20))
    shape = {"hidden": (4,), "optimizer": "sgd", "batch_size": 5, "epochs": 2, "decay": "linear", "decay.final": 0.0}
    chosen = shape | {"learning_rate": 0.4, "weight_decay": 0.5, "decoupled": True}
    population, shared = populate([chosen], [fold], problem, "float64")
    shrunk = np.prod([1.0 - 0.5 * 0.4 * (1.0 - step / 8) for step in range(8)])
    np.testing.assert_allclose(train(population, shared).parameters, shrunk * population.parameters, rtol=1e-12)


def test_no_lane_does_a_step_after_its_last_one():
    """A velocity would go on moving the shorter fold's lane."""
    rng = np.random.default_rng(8)
    problem = PROBLEMS["squared"]
    short, long = a_fold(0, 17, 2, problem, rng), a_fold(1, 43, 2, problem, rng)
    configuration = {"model": "linear", "optimizer": "momentum", "epochs": 1, "batch_size": 4, "decay": "constant"}
    alone, own = populate([configuration], [short], problem, "float64")
    both, shared = populate([configuration], [short, long], problem, "float64")
    assert shared.places == (1, 0)
    assert shared.steps == (11, 5)
    trained = train(both, shared)
    np.testing.assert_array_equal(trained.parameters[:, 1], train(alone, own).parameters[:, 0])
    assert np.abs(trained.states[0][0][:, 1]).max() > 0.0


def test_a_mini_batch_of_weight_zero_moves_nothing():
    rng = np.random.default_rng(9)
    problem = PROBLEMS["softmax"]
    fold = dataclasses.replace(a_fold(0, 20, 3, problem, rng), weights=np.zeros(20))
    population, shared = populate([{"optimizer": "adam", "hidden": (4,), "batch_size": 5}], [fold], problem, "float32")
    np.testing.assert_array_equal(train(population, shared).parameters, population.parameters)


def test_rows_of_weight_zero_have_a_place_in_the_order_but_no_influence():
    rng = np.random.default_rng(10)
    problem = PROBLEMS["softmax"]
    fold = dataclasses.replace(a_fold(0, 20, 3, problem, rng), weights=np.r_[np.ones(15), np.zeros(5)])
    features, targets = fold.features.copy(), fold.targets.copy()
    features[15:] += 100.0
    targets[15:] = (targets[15:] + 1) % 3
    other = dataclasses.replace(fold, features=features, targets=targets)
    configuration = {"optimizer": "adam", "hidden": (4,), "batch_size": 5, "epochs": 3}
    results = []
    for each in (fold, other):
        population, shared = populate([configuration], [each], problem, "float64")
        results.append(train(population, shared).parameters)
    np.testing.assert_array_equal(*results)


def test_label_smoothing_is_for_labels_only():
    rng = np.random.default_rng(18)
    problem = PROBLEMS["squared"]
    base = {"hidden": (4,), "optimizer": "sgd", "batch_size": 5}
    folds = [a_fold(0, 20, 3, problem, rng)]
    population, shared = populate([base, base | {"label_smoothing": 0.3}], folds, problem, "float32")
    trained = train(population, shared)
    np.testing.assert_array_equal(trained.parameters[0], trained.parameters[1])
    assert not trained.diverged.any()


# --- streams


def test_configurations_of_a_shape_share_initial_parameters_and_folds_do_not():
    rng = np.random.default_rng(11)
    problem = PROBLEMS["softmax"]
    folds = [a_fold(index, 20, 3, problem, rng) for index in (4, 9)]
    configurations = [{"hidden": (4,), "optimizer": name} for name in ("adam", "sgd")]
    parameters = populate(configurations, folds, problem, "float32")[0].parameters
    np.testing.assert_array_equal(parameters[0], parameters[1])
    assert (parameters[0, 0] != parameters[0, 1]).any()
    double = populate(configurations, folds, problem, "float64")[0].parameters
    np.testing.assert_array_equal(double.astype(np.float32), parameters)


def test_dropout_is_paired_and_keeps_the_expected_activation():
    """With a rate of zero in company, dropout is drawn all the same; what it draws must not reach that lane."""
    rng = np.random.default_rng(12)
    problem = PROBLEMS["squared"]
    fold = a_fold(0, 40, 3, problem, rng)
    base = {"hidden": (6,), "optimizer": "sgd", "epochs": 2, "batch_size": 8}
    population, shared = populate([base, base | {"dropout": 0.5}, base | {"dropout": 0.5}], [fold], problem, "float32")
    results = lanes(train(population, shared), shared)
    alone, own = populate([base], [fold], problem, "float32")
    assert results[0, 0] == lanes(train(alone, own), own)[0, 0]
    assert results[1, 0] == results[2, 0]
    assert results[1, 0] != results[0, 0]


def test_dropout_switches_off_its_share_and_scales_up_the_others():
    """One update of gradient descent on the halved square, in loops, unit by unit and row by row."""
    rng = np.random.default_rng(20)
    fold = dataclasses.replace(a_fold(7, 16, 3, PROBLEMS["squared"], rng), weights=np.ones(16))
    shape = {"hidden": (5,), "activation": "tanh", "optimizer": "sgd", "epochs": 1, "batch_size": 16}
    chosen = shape | {"decay": "constant", "learning_rate": 0.3, "dropout": 0.25}
    population, shared = populate([chosen], [fold], PROBLEMS["squared"], "float64", seed=11)
    initial = population.parameters[0, 0]
    first, last = initial[:20].reshape(5, 4), initial[20:].reshape(1, 6)
    order = np.random.default_rng([11, 2, 7, 0]).permutation(16)
    uniforms = np.random.default_rng([11, 3, 7, 0]).random((5, 16), dtype=np.float32)
    gradients = np.zeros((5, 4)), np.zeros((1, 6))
    for column, row in enumerate(order):
        x = np.append(fold.features[row], 1.0)
        kept = np.array([0.0 if uniform < 0.25 else 4.0 / 3.0 for uniform in uniforms[:, column]])
        units = np.tanh(first @ x)
        hidden = np.append(kept * units, 1.0)
        error = (last @ hidden - fold.targets[row]) / 16
        gradients[1][:] += np.outer(error, hidden)
        gradients[0][:] += np.outer((last.T @ error)[:5] * kept * (1.0 - units**2), x)
    expected = initial - 0.3 * np.concatenate([each.ravel() for each in gradients])
    np.testing.assert_allclose(train(population, shared).parameters[0, 0], expected, rtol=1e-10)


# --- divergence


def exploding(count):
    """Least squares: the one of these losses on which a large rate really explodes."""
    rates = [1e-2, 1e12, 1e-2, 1e-1][:count]
    return [
        {
            "model": "linear",
            "optimizer": "sgd",
            "decay": "constant",
            "learning_rate": rate,
            "epochs": 12,
            "batch_size": 8,
        }
        for rate in rates
    ]


def test_divergence_is_isolated_and_dated():
    rng = np.random.default_rng(13)
    problem = PROBLEMS["squared"]
    folds = [a_fold(index, rows, 3, problem, rng) for index, rows in enumerate((40, 24))]
    population, shared = populate(exploding(4), folds, problem, "float32")
    trained = train(population, shared)
    dead = trained.places.index(1)
    assert (trained.diverged[dead] > 0).all()
    assert np.isnan(trained.parameters[dead]).all()
    assert trained.epoch == shared.epochs
    healthy, own = populate([exploding(4)[number] for number in (0, 2, 3)], folds, problem, "float32")
    expected = lanes(train(healthy, own), own)
    found = lanes(trained, shared)
    assert [found[number, 0] for number in (0, 2, 3)] == [expected[number, 0] for number in (0, 1, 2)]
    assert np.isfinite(trained.parameters[[row for row in range(4) if row != dead]]).all()


def test_the_epoch_of_divergence_is_the_first_with_numbers_that_are_not_finite():
    rng = np.random.default_rng(14)
    problem = PROBLEMS["squared"]
    configurations = exploding(2)
    population, shared = populate(configurations, [a_fold(0, 24, 3, problem, rng)], problem, "float32")
    epoch = int(train(population, shared).diverged[population.places.index(1), 0])
    assert epoch >= 1
    before = train(population, shared, epoch - 1)
    assert np.isfinite(before.parameters).all()
    assert not train(population, shared, epoch).diverged[population.places.index(0)].any()


def test_a_lane_that_diverges_leaves_the_other_folds_of_its_configuration_alone():
    rng = np.random.default_rng(15)
    problem = PROBLEMS["squared"]
    healthy = a_fold(1, 24, 3, problem, rng)
    poisoned = dataclasses.replace(a_fold(0, 24, 3, problem, rng), features=np.full((24, 3), 1e30))
    configuration = exploding(1)[0]
    population, shared = populate([configuration], [poisoned, healthy], problem, "float32")
    trained = train(population, shared)
    alone, own = populate([configuration], [healthy], problem, "float32")
    assert trained.diverged.tolist() == [[1, 0]]
    np.testing.assert_array_equal(trained.parameters[0, 1], train(alone, own).parameters[0, 0])


def test_when_everything_has_diverged_training_ends():
    rng = np.random.default_rng(16)
    configurations = [each | {"learning_rate": 1e30, "epochs": 10**6} for each in exploding(2)]
    folds = [a_fold(0, 24, 3, PROBLEMS["squared"], rng)]
    population, shared = populate(configurations, folds, PROBLEMS["squared"], "float32")
    trained = train(population, shared)
    assert (trained.diverged > 0).all()
    assert trained.epoch == 10**6


# --- stopping


def test_a_stop_is_obeyed_at_the_end_of_an_epoch_and_costs_nothing():
    rng = np.random.default_rng(17)
    problem = PROBLEMS["softmax"]
    configurations = [{"hidden": (4,), "epochs": 5, "optimizer": name} for name in ("adam", "momentum")]
    population, shared = populate(configurations, [a_fold(0, 20, 3, problem, rng)], problem, "float32")
    answers = iter([False, True])
    stopped = train(population, shared, should_stop=lambda: next(answers))
    assert stopped.epoch == 2
    same_values(train(stopped, shared), train(population, shared))
