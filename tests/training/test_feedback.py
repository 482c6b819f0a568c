"""Reduce on plateau: PyTorch's counting, lane by lane, on rows that nobody else looks at."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.training import feedback
from lrtune.training.batches import effective_batch_size
from lrtune.training.evaluate import evaluate, fit, shape_key
from lrtune.training.population import evaluated, plan, start, take, train
from lrtune.training.range_test import ramp
from lrtune.training.registry import OPTIMIZERS, complete
from lrtune.training.tasks import Fold, Problem

PROBLEMS = {
    "softmax": Problem("softmax", 3, 3),
    "logistic": Problem("logistic", 1, 2),
    "squared": Problem("squared", 1, 0),
}


class OneLane:
    """``torch.optim.lr_scheduler.ReduceLROnPlateau`` for one scale, after its documentation."""

    def __init__(self, factor=0.1, patience=10, cooldown=0, minimum=0.0, threshold=1e-4):
        self.factor, self.patience, self.cooldown = factor, patience, cooldown
        self.minimum, self.threshold = minimum, threshold
        self.lr, self.best, self.num_bad_epochs, self.cooldown_counter = 1.0, math.inf, 0, 0

    def is_better(self, loss):
        if math.isinf(self.best):
            return loss < self.best
        return loss < self.best - self.threshold * abs(self.best)

    def step(self, loss):
        if self.is_better(loss):
            self.best, self.num_bad_epochs = loss, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.lr = max(self.lr * self.factor, self.minimum)
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        return self.lr


def factors(**given):
    return complete({"decay": "plateau", **{f"decay.{key}": value for key, value in given.items()}})


def scales(losses, **given):
    """The scale that each epoch trains with, and the one that would come next."""
    losses = np.asarray(losses, float)
    state = feedback.beginning((1, 1), len(losses) + 1)
    for epoch, loss in enumerate(losses):
        feedback.update(state, np.array([[loss]]), np.array([[True]]), epoch, feedback.rules([factors(**given)]))
    return state.scales[0, 0].tolist()


# --- when it cuts

PLAIN = {"factor": 0.5, "patience": 2, "threshold": 0.0}


def test_patience_2_cuts_after_the_third_bad_epoch():
    assert scales([3, 2, 2, 2, 2, 2, 2, 2], **PLAIN) == [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_patience_0_cuts_after_every_bad_epoch_and_no_good_one():
    assert scales([3, 2, 2, 1, 2, 3], factor=0.5, patience=0) == [1, 1, 1, 0.5, 0.5, 0.25, 0.125]


def test_a_good_epoch_starts_the_counting_anew():
    assert scales([3, 3, 3, 2, 2, 2, 1], **PLAIN) == [1] * 8


def test_cooldown_ignores_bad_epochs_but_not_good_ones():
    found = scales([1, 1, 1, 1, 1, 1, 1], factor=0.5, patience=0, cooldown=2)
    assert found == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    # the best falls during the cooldown, so what was good before is bad after it
    assert scales([3, 3, 1, 2, 2], factor=0.5, patience=0, cooldown=1) == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_minimum_is_relative_to_the_peak_and_the_first_epoch_has_the_peak():
    assert scales([1] * 5, factor=0.1, patience=0, minimum=0.05) == [1, 1, 0.1, 0.05, 0.05, 0.05]
    assert scales([1] * 3, factor=0.1, patience=0, minimum=1.0) == [1, 1, 1, 1]


def test_the_threshold_is_a_share_of_the_best_whatever_its_sign():
    assert scales([1.0, 0.95], factor=0.5, patience=0, threshold=0.1)[-1] == 0.5
    assert scales([1.0, 0.85], factor=0.5, patience=0, threshold=0.1)[-1] == 1
    assert scales([-1.0, -1.05], factor=0.5, patience=0, threshold=0.1)[-1] == 0.5
    assert scales([-1.0, -1.15], factor=0.5, patience=0, threshold=0.1)[-1] == 1


def test_negative_losses_that_stall_are_cut():
    """PyTorch's ``best * (1 - threshold)`` never cuts here: pytorch#47513."""
    assert scales([-2.0] * 4, factor=0.5, patience=0, threshold=0.01) == [1, 1, 0.5, 0.25, 0.125]


def test_a_loss_of_zero_cannot_get_better_but_by_becoming_negative():
    assert scales([0, 0, 0], factor=0.5, patience=0, threshold=0.5) == [1, 1, 0.5, 0.25]
    assert scales([0, -1e-9, -1], factor=0.5, patience=0, threshold=0.5) == [1, 1, 1, 1]


def test_nan_and_infinity_are_bad():
    assert scales([math.nan, math.inf, 1, math.nan], factor=0.5, patience=0) == [1, 0.5, 0.25, 0.25, 0.125]
    assert scales([-math.inf, -math.inf], factor=0.5, patience=0) == [1, 1, 0.5]


LOSSES = st.one_of(st.floats(-3, 3), st.sampled_from([0.0, 1.0, 1.0, 0.9999, -1.0, math.nan, math.inf, -math.inf]))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_every_lane_counts_like_pytorch(data):
    rules = [
        {
            "factor": data.draw(st.sampled_from([0.1, 0.3, 0.5, 0.9])),
            "patience": data.draw(st.integers(0, 3)),
            "cooldown": data.draw(st.integers(0, 3)),
            "minimum": data.draw(st.sampled_from([0.0, 0.01, 0.2])),
            "threshold": data.draw(st.sampled_from([0.0, 1e-4, 0.1])),
        }
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    shape = (data.draw(st.integers(0, 15)), len(rules), 2)
    losses = np.array(data.draw(st.lists(LOSSES, min_size=math.prod(shape), max_size=math.prod(shape)))).reshape(shape)
    state = feedback.beginning(shape[1:], shape[0] + 1)
    for epoch, each in enumerate(losses):
        everyone = np.ones(shape[1:], bool)
        feedback.update(state, each, everyone, epoch, feedback.rules([factors(**rule) for rule in rules]))
    for row, column in itertools.product(range(shape[1]), range(2)):
        lane = OneLane(**rules[row])
        expected = [1.0, *(lane.step(loss) for loss in losses[:, row, column])]
        assert state.scales[row, column].tolist() == expected


def test_pytorch_with_positive_losses_has_the_same_threshold():
    """Its ``a < best * (1 - threshold)``, beside ours, on losses away from the rounding of the two."""
    rng = np.random.default_rng(0)
    for best, loss in rng.uniform(0.1, 2.0, (200, 2)):
        assert (loss < best * (1 - 0.1)) == (scales([best, loss], patience=0, threshold=0.1)[-1] == 1.0)


def test_lanes_that_do_not_count_stay_as_they_are():
    state = feedback.beginning((1, 2), 4)
    rule = feedback.rules([factors(factor=0.5, patience=0)])
    for epoch in range(3):
        feedback.update(state, np.ones((1, 2)), np.array([[True, False]]), epoch, rule)
    assert state.scales[0].tolist() == [[1, 1, 0.5, 0.25], [1, 1, 1, 1]]
    assert state.best[0].tolist() == [1, math.inf]


@pytest.mark.parametrize(
    ("warmup", "expected"), [(0.0, [0, 0]), (0.1, [0, 0]), (0.2, [1, 1]), (0.25, [2, 2]), (0.5, [4, 4])]
)
def test_counting_begins_when_the_warm_up_is_over(warmup, expected):
    found = feedback.first_epochs([complete({"decay": "plateau", "warmup": warmup})], (7, 4), 10)
    assert found.tolist() == [expected]


# --- what it looks at


def a_fold(index, rows, features, problem, rng):
    targets = rng.normal(size=rows) if problem.loss == "squared" else rng.integers(0, problem.classes, rows)
    weights = rng.choice([0.0, 1.0, 2.5], rows, p=[0.1, 0.6, 0.3])
    x = rng.normal(size=(rows, features))
    return Fold(index, x, targets, weights, x[:2], targets[:2])


def populate(configurations, folds, problem, dtype, *, scales=(), seed=3):
    first = complete(configurations[0])
    batch_size = effective_batch_size(first["batch_size"], max(len(fold.features) for fold in folds))
    shared = plan(first, folds, problem, batch_size=batch_size, seed=seed, dtype=dtype, scales=scales)
    return start(configurations, shared), shared


def held_rows(fold, seed):
    """The documented draw, written again: the first tenth, in the stream's order, of the rows that have a weight."""
    order = np.random.default_rng([seed, 5, fold.index]).permutation(len(fold.weights))
    order = [row for row in order.tolist() if fold.weights[row] > 0]
    return sorted(order[: max(1, round(0.1 * len(order)))])


def test_a_tenth_of_the_rows_is_held_out_and_the_mini_batches_stay():
    rng = np.random.default_rng(1)
    problem = PROBLEMS["softmax"]
    fold = a_fold(4, 200, 3, problem, rng)
    _, watched = populate([{"decay": "plateau"}], [fold], problem, "float64", seed=8)
    _, plain = populate([{"decay": "constant"}], [fold], problem, "float64", seed=8)
    rows = held_rows(fold, 8)
    assert 15 <= len(rows) <= 20
    assert np.flatnonzero(watched.tables[0].weights != plain.tables[0].weights).tolist() == rows
    assert (watched.tables[0].weights[rows] == 0).all()
    assert watched.steps == plain.steps
    np.testing.assert_array_equal(watched.tables[0].features, plain.tables[0].features)
    np.testing.assert_array_equal(watched.holdouts[0].features, fold.features[rows])
    assert watched.holdouts[0].targets.argmax(axis=0).tolist() == fold.targets[rows].tolist()
    np.testing.assert_allclose(watched.holdouts[0].shares, fold.weights[rows] / fold.weights[rows].sum())
    assert plain.holdouts == ()


@pytest.mark.parametrize(("rows", "expected"), [(1, 0), (2, 1), (3, 1), (14, 1), (16, 2), (100, 10)])
def test_at_least_one_row_is_held_out_and_one_left(rows, expected):
    x = np.arange(float(rows))[:, None]
    fold = Fold(0, x, x[:, 0], np.ones(rows), x, x[:, 0])
    _, shared = populate([{"decay": "plateau", "batch_size": 4}], [fold], PROBLEMS["squared"], "float64")
    assert len(shared.holdouts[0].shares) == expected
    assert np.count_nonzero(shared.tables[0].weights) == rows - expected


def test_configurations_that_watch_are_a_population_of_their_own():
    assert shape_key({"decay": "plateau"}) != shape_key({"decay": "constant"})
    assert shape_key({"decay": "plateau", "decay.factor": 0.5}) == shape_key({"decay": "plateau"})
    assert shape_key({"decay": "linear"}) == shape_key({"decay": "wall_clock"})


def naive_loss(network_layers, x, target, loss):
    """The loss of one row by the textbook."""
    for number, layer in enumerate(network_layers):
        x = layer @ np.append(x, 1.0)
        if number < len(network_layers) - 1:
            x = np.maximum(x, 0.0)
    if loss == "softmax":
        return math.log(np.exp(x).sum()) - x[target]
    if loss == "logistic":
        return math.log1p(math.exp(x[0])) - target * x[0]
    return 0.5 * (x[0] - target) ** 2


@pytest.mark.parametrize("loss", sorted(PROBLEMS))
@pytest.mark.parametrize("warmup", [0.0, 0.35])
def test_the_scales_follow_the_loss_of_the_held_out_rows(loss, warmup):
    """Epoch by epoch, from the parameters alone: the textbook's loss, then PyTorch's counting."""
    rng = np.random.default_rng(2)
    problem = PROBLEMS[loss]
    folds = [a_fold(index, rows, 3, problem, rng) for index, rows in enumerate((60, 43))]
    base = {"hidden": (5,), "epochs": 12, "batch_size": 8, "decay": "plateau", "warmup": warmup}
    quick = {"decay.patience": 0, "decay.factor": 0.5, "decay.threshold": 0.01}
    configurations = [base | quick | {"learning_rate": 0.1}, base | {"optimizer": "sgd", "decay.patience": 1}]
    population, shared = populate(configurations, folds, problem, "float64")
    history = [train(population, shared, until) for until in range(13)]
    for row, lane in itertools.product(range(2), range(2)):
        place, chosen = shared.places[lane], complete(configurations[population.places[row]])
        fold = folds[place]
        rows = held_rows(fold, 3)
        names = ("factor", "patience", "cooldown", "minimum", "threshold")
        counter = OneLane(**{name: chosen[f"decay.{name}"] for name in names})
        warm = math.floor(warmup * 12 * shared.steps[lane] + 0.5)
        expected = [1.0]
        for epoch in range(11):
            flat = evaluated(history[epoch + 1])[row, lane]
            cut = 5 * 4
            layers = [flat[:cut].reshape(5, 4), flat[cut:].reshape(-1, 6)]
            each = [naive_loss(layers, fold.features[held], fold.targets[held], loss) for held in rows]
            total = np.average(each, weights=fold.weights[rows])
            counts = (epoch + 1) * shared.steps[lane] >= warm
            expected.append(counter.step(total) if counts else 1.0)
        assert history[-1].feedback.scales[row, lane].tolist() == expected
        assert row > 0 or len(set(expected)) > 1  # something was cut


def test_validation_rows_have_no_say():
    rng = np.random.default_rng(3)
    problem = PROBLEMS["softmax"]
    fold = a_fold(0, 60, 3, problem, rng)
    other = dataclasses.replace(fold, validation_features=rng.normal(size=(9, 3)), validation_targets=np.zeros(9, int))
    configuration = {"decay": "plateau", "decay.patience": 0, "epochs": 8, "batch_size": 8}
    one, two = (
        evaluate([configuration], [each], problem, "accuracy", seed=1, dtype="float32")[0] for each in (fold, other)
    )
    assert one.scales == two.scales
    assert min(one.scales[0]) < 1


# --- what comes of it


def test_the_rates_of_each_epoch_are_scaled_and_the_outcome_says_by_what():
    """The same lane, trained piece by piece as a constant rate that is multiplied by hand."""
    rng = np.random.default_rng(4)
    problem = PROBLEMS["squared"]
    fold = a_fold(0, 60, 3, problem, rng)
    fixed = {"optimizer": "sgd", "hidden": (4,), "epochs": 10, "batch_size": 8, "learning_rate": 0.05}
    watched = fixed | {"decay": "plateau", "decay.patience": 0, "decay.factor": 0.5}
    (outcome,) = evaluate([watched], [fold], problem, "rmse", seed=3, dtype="float64")
    assert len(outcome.scales[0]) == 10
    assert len(set(outcome.scales[0])) > 2
    population, shared = populate([watched], [fold], problem, "float64")
    by_hand, rest = population, shared._replace(holdouts=())
    for epoch, scale in enumerate(outcome.scales[0]):
        chosen = complete(fixed | {"decay": "constant", "learning_rate": 0.05 * scale})
        by_hand = train(by_hand._replace(configurations=(chosen,), feedback=None), rest, epoch + 1)
    np.testing.assert_allclose(train(population, shared).parameters, by_hand.parameters, rtol=1e-12)


def test_other_decays_have_no_scales():
    rng = np.random.default_rng(5)
    problem = PROBLEMS["squared"]
    fold = a_fold(0, 30, 3, problem, rng)
    (outcome,) = evaluate([{"epochs": 2}], [fold, fold], problem, "rmse", seed=3, dtype="float64")
    assert outcome.scales == ((), ())


def test_a_replay_trains_on_all_rows_with_the_given_scales():
    rng = np.random.default_rng(6)
    problem = PROBLEMS["softmax"]
    fold = a_fold(0, 60, 3, problem, rng)
    configuration = {"decay": "plateau", "decay.patience": 0, "epochs": 8, "batch_size": 8}
    given = (1.0,) * 3 + (0.5,) * 3 + (0.25,) * 2
    replayed = fit(configuration, fold, problem, seed=3, dtype="float32", scales=given)
    population, shared = populate([configuration], [fold], problem, "float32", scales=given)
    assert shared.holdouts == ()
    assert train(population, shared).feedback.scales.tolist() == [[list(given)]]
    for (one, _), (two, _) in zip(replayed, fit(configuration, fold, problem, seed=3, dtype="float32"), strict=True):
        assert not np.array_equal(one, two)
    constant = fit(configuration | {"decay": "constant"}, fold, problem, seed=3, dtype="float32")
    ones = fit(configuration, fold, problem, seed=3, dtype="float32", scales=(1.0,) * 8)
    np.testing.assert_array_equal(ones[0][0], constant[0][0])


def test_replaying_a_lane_on_its_rows_gives_its_bits():
    rng = np.random.default_rng(7)
    problem = PROBLEMS["softmax"]
    fold = a_fold(2, 60, 3, problem, rng)
    configuration = {"decay": "plateau", "decay.patience": 0, "epochs": 8, "batch_size": 8, "warmup": 0.1}
    (outcome,) = evaluate([configuration], [fold], problem, "accuracy", seed=3, dtype="float32")
    weights = fold.weights.copy()
    weights[held_rows(fold, 3)] = 0.0
    rest = dataclasses.replace(fold, weights=weights)
    replayed = fit(configuration, rest, problem, seed=3, dtype="float32", scales=outcome.scales[0])
    watched = fit(configuration, fold, problem, seed=3, dtype="float32")
    for one, two in zip(replayed, watched, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


def test_the_median_fold_is_the_one_of_the_median_mean_scale():
    low, middle, high = (1.0, 0.1, 0.1), (1.0, 0.5, 0.1), (1.0, 1.0, 0.5)
    assert feedback.median_scales([high, low, middle]) == middle
    assert feedback.median_scales([high, low]) == low
    assert feedback.median_scales([high, low, middle, high]) == middle
    assert feedback.median_scales([low]) == low
    assert feedback.median_scales([]) == ()


# --- the invariants of the engine


@st.composite
def cases(draw):
    problem = PROBLEMS[draw(st.sampled_from(sorted(PROBLEMS)))]
    shape = {
        "decay": "plateau",
        "model": draw(st.sampled_from(["linear", "mlp"])),
        "hidden": draw(st.lists(st.integers(1, 9), min_size=1, max_size=2).map(tuple)),
        "activation": draw(st.sampled_from(["relu", "gelu"])),
        "epochs": draw(st.integers(2, 7)),
        "batch_size": draw(st.integers(4, 16)),
    }
    configurations = [
        shape
        | {
            "optimizer": draw(st.sampled_from(sorted(OPTIMIZERS))),
            "learning_rate": draw(st.sampled_from([1e-3, 0.3, 3.0, 1e20])),
            "warmup": draw(st.sampled_from([0.0, 0.0, 0.4])),
            "dropout": draw(st.sampled_from([0.0, 0.3])),
            "decay.patience": draw(st.integers(0, 1)),
            "decay.factor": draw(st.sampled_from([0.1, 0.5])),
            "decay.cooldown": draw(st.integers(0, 1)),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.lists(st.integers(17, 45), min_size=1, max_size=3))
    folds = [a_fold(index, count, 3, problem, rng) for index, count in enumerate(rows)]
    return configurations, folds, problem, draw(st.sampled_from(["float32", "float64"]))


def same_values(one, other):
    arrays = [[each.parameters, each.diverged, *each.feedback, *itertools.chain(*each.states)] for each in (one, other)]
    for left, right in zip(*arrays, strict=True):
        np.testing.assert_array_equal(left, right)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_a_lane_is_bitwise_the_same_alone_and_in_any_population(case):
    assert_lanes_are_the_same_alone(*case)


@pytest.mark.parametrize("loss", sorted(PROBLEMS))
def test_so_is_a_lane_of_more_parameters_than_a_buffer_of_numpy_holds(loss):
    rng = np.random.default_rng(8)
    problem = PROBLEMS[loss]
    base = {"decay": "plateau", "decay.patience": 0, "hidden": (101, 97), "epochs": 4, "batch_size": 13}
    configurations = [base | {"optimizer": name} for name in ("adam", "momentum", "schedule_free_sgd")]
    folds = [a_fold(index, rows, 7, problem, rng) for index, rows in enumerate((40, 53, 25))]
    assert_lanes_are_the_same_alone(configurations, folds, problem, "float32")


def assert_lanes_are_the_same_alone(configurations, folds, problem, dtype):
    together, shared = populate(configurations, folds, problem, dtype)
    trained = train(together, shared)
    for row, number in enumerate(trained.places):
        for lane, place in enumerate(shared.places):
            population, own = populate([configurations[number]], [folds[place]], problem, dtype)
            alone = train(population, own)
            for one, two in zip(alone.feedback, trained.feedback, strict=True):
                np.testing.assert_array_equal(one[0, 0], two[row, lane])
            np.testing.assert_array_equal(alone.parameters[0, 0], trained.parameters[row, lane])


@settings(deadline=None, max_examples=30)
@given(cases(), st.data())
def test_training_in_pieces_and_compaction_change_nothing(case, data):
    population, shared = populate(*case)
    until = data.draw(st.integers(0, shared.epochs))
    count = len(population.configurations)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any)))
    whole, half = train(population, shared), train(population, shared, until)
    same_values(train(half, shared), whole)
    same_values(train(take(half, keep), shared), take(whole, keep))


def test_training_leaves_what_it_is_given_as_it_was():
    rng = np.random.default_rng(9)
    problem = PROBLEMS["softmax"]
    configurations = [{"decay": "plateau", "decay.patience": 0, "epochs": 6, "batch_size": 8}]
    population, shared = populate(configurations, [a_fold(0, 40, 3, problem, rng)], problem, "float32")
    train(population, shared)
    assert (population.feedback.scales == 1).all()
    assert np.isinf(population.feedback.best).all()


def test_the_finder_trains_on_all_rows_whatever_the_decay():
    rng = np.random.default_rng(10)
    problem = PROBLEMS["softmax"]
    fold = a_fold(0, 40, 3, problem, rng)
    losses = [
        ramp([{"decay": name}], [fold], problem, np.geomspace(1e-3, 1.0, 6), seed=0, dtype="float64").losses
        for name in ("plateau", "constant")
    ]
    np.testing.assert_array_equal(*losses)
