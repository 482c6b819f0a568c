"""Fisher matrices against brute force, steps against Newton's, and lanes that keep to themselves."""

import itertools

import numpy as np
import pytest

from lrtune.training.losses import LOSSES
from lrtune.training.networks import Network, backward, forward, split, workspace
from lrtune.training.networks import outputs as predicted
from lrtune.training.optimizers.curvature import Curvature, Embedded, exact_fisher, kronecker_factors, portions
from lrtune.training.optimizers.natural_gradient import MOST_EXACT_PARAMETERS
from lrtune.training.population import plan, start, train
from lrtune.training.tasks import Fold, Problem

PROBLEMS = {
    "softmax": Problem("softmax", 3, 3),
    "logistic": Problem("logistic", 1, 2),
    "squared": Problem("squared", 1, 0),
}
ONE = np.array([0]), np.array([0])


def fold(kind, rows=12, columns=4, *, seed=0, index=0, weights=None, scale=1.0):
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((rows, columns)) * scale
    if kind == "squared":
        targets = features @ generator.standard_normal(columns) + generator.standard_normal(rows)
    else:
        targets = generator.integers(0, PROBLEMS[kind].classes, rows)
    weights = generator.uniform(0.5, 2.0, rows) if weights is None else weights
    return Fold(index, features, targets, weights, features, targets)


def losses(kind, outputs, targets):
    """Loss of each row, ``outputs (N, O)``."""
    if kind == "squared":
        return 0.5 * (outputs[:, 0] - targets) ** 2
    if kind == "logistic":
        return np.log1p(np.exp(-np.where(targets == 1, 1, -1) * outputs[:, 0]))
    return np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(len(targets)), targets]


def outputs_of(layers, features):
    """Forward pass of a tanh network with weights ``(H, D + 1)``: outputs, and the inputs of each layer."""
    inputs = []
    values = features
    for number, weights in enumerate(layers):
        inputs.append(np.c_[values, np.ones(len(values))])
        values = inputs[-1] @ weights.T
        if number < len(layers) - 1:
            values = np.tanh(values)
    return values, inputs


def mean_loss(kind, layers, data):
    outputs, _ = outputs_of(layers, data.features)
    return np.average(losses(kind, outputs, data.targets), weights=data.weights)


def finite_differences(function, point, width):
    """Central differences of a scalar or vector function, one row per coordinate."""
    rows = []
    for place in np.ndindex(point.shape):
        moved = point.copy()
        moved[place] += width
        above = function(moved)
        moved[place] -= 2 * width
        rows.append((above - function(moved)) / (2 * width))
    return np.array(rows)


def configuration(**factors):
    exact = {"momentum": 0.0, "kl_clip": None, "curvature_every": 1, "inverse_every": 1, **factors}
    chosen = {
        "model": "linear",
        "activation": "tanh",
        "embedding": "none",
        "optimizer": "natural_gradient",
        "decay": "constant",
    }
    chosen["learning_rate"] = exact.pop("learning_rate", 1.0)
    chosen["hidden"] = exact.pop("hidden", (5,))
    for key in ("model", "activation", "weight_decay", "label_smoothing", "epochs"):
        if key in exact:
            chosen[key] = exact.pop(key)
    return chosen | {f"optimizer.{name}": value for name, value in exact.items()}


def trained(configurations, folds, kind, *, epochs=1, batch_size=64, dtype="float64", until=None):
    """Train; one step per epoch where the mini-batch holds all rows. Returns the population and the network."""
    configurations = [each | {"epochs": epochs} for each in configurations]
    shared = plan(configurations[0], folds, PROBLEMS[kind], batch_size=batch_size, seed=0, dtype=dtype)
    return train(start(configurations, shared), shared, until), shared


def initial(chosen, data, kind):
    shared = plan(chosen | {"epochs": 1}, [data], PROBLEMS[kind], batch_size=64, seed=0, dtype="float64")
    return start([chosen | {"epochs": 1}], shared).parameters[0, 0]


def curvature_of(kind, layers, data):
    """What the engine would hand out, from the forward pass of this file."""
    outputs, inputs = outputs_of(layers, data.features)
    shares = data.weights / data.weights.sum()
    if kind == "softmax":
        predictions = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    else:
        predictions = 1 / (1 + np.exp(-outputs))
    slopes = [1 - after[:, :-1].T ** 2 for after in inputs[1:]]
    return Curvature(
        kind,
        [each[None, None] for each in layers],
        [each.T[None, None] for each in inputs],
        [each[None, None] for each in slopes],
        (predictions * shares[:, None]).T[None, None],
        shares[None, None],
    )


def embedded_curvature(net, flat, features):
    """What the engine hands out of one row, and the outputs."""
    rows = np.c_[features, np.ones(1)][None]
    space, blocks = workspace(net, (1, 1), 1, flat.dtype), split(net, flat)
    found = forward(net, blocks, rows.swapaxes(-1, -2), space).copy()
    backward(net, blocks, split(net, np.empty_like(flat)), rows, space)
    waves, layers = space.embedding, blocks[2:]
    predictions = LOSSES[net.loss].prediction(found)
    stack = Embedded(blocks[1], waves.points[0], waves.units, waves.slopes)
    inputs = [waves.inputs, *space.inputs]
    return Curvature(net.loss, layers, inputs, list(space.slopes), predictions, np.ones((1, 1, 1)), stack), found[
        0, 0, :, 0
    ]


def fisher_of_outputs(kind, found):
    if kind == "squared":
        return np.eye(1)
    if kind == "logistic":
        chance = 1 / (1 + np.exp(-found[0]))
        return np.array([[chance * (1 - chance)]])
    chances = np.exp(found) / np.exp(found).sum()
    return np.diag(chances) - np.outer(chances, chances)


def brute_force(kind, layers, data):
    """Fisher matrix of every layer: for each row and each outcome, the gradient of its loss by finite differences."""
    outputs, _ = outputs_of(layers, data.features)
    shares = data.weights / data.weights.sum()
    blocks = [np.zeros((each.size, each.size)) for each in layers]
    for row, share in enumerate(shares):
        if kind == "softmax":
            chances = np.exp(outputs[row]) / np.exp(outputs[row]).sum()
            outcomes = list(enumerate(chances))
        elif kind == "logistic":
            chance = 1 / (1 + np.exp(-outputs[row, 0]))
            outcomes = [(0, 1 - chance), (1, chance)]
        else:
            outcomes = [(outputs[row, 0] + 1, 0.5), (outputs[row, 0] - 1, 0.5)]
        for (outcome, chance), number in itertools.product(outcomes, range(len(layers))):

            def loss(weights, number=number, row=row, outcome=outcome):
                changed = [*layers[:number], weights, *layers[number + 1 :]]
                result, _ = outputs_of(changed, data.features[row : row + 1])
                return losses(kind, result, np.array([outcome]))[0]

            gradient = finite_differences(loss, layers[number], 1e-5)
            blocks[number] += share * chance * np.outer(gradient, gradient)
    return blocks


class TestFisher:
    @pytest.mark.parametrize("kind", PROBLEMS)
    def test_exact_is_the_hessian_of_a_linear_model(self, kind):
        """The losses are canonical; the Hessian comes from second differences of the loss."""
        data = fold(kind, weights=np.array([1.0, 2.0, 0.0] * 4))
        weights = 0.3 * np.random.default_rng(1).standard_normal((PROBLEMS[kind].outputs, 5))

        def gradient(point):
            return finite_differences(lambda each: mean_loss(kind, [each], data), point, 1e-3)

        hessian = finite_differences(gradient, weights, 1e-3)
        fisher = exact_fisher(curvature_of(kind, [weights], data), ONE)[0]
        np.testing.assert_allclose(fisher, hessian, atol=2e-6)

    @pytest.mark.parametrize("kind", PROBLEMS)
    @pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
    def test_factors_of_one_row_are_exact(self, kind, hidden):
        """With a single row, the block of each layer is the Kronecker product of its factors."""
        data = fold(kind, rows=1, columns=3)
        layers = network_of(kind, 3, hidden)
        factors = kronecker_factors(curvature_of(kind, layers, data), ONE)
        for (inputs, outputs), block in zip(factors, brute_force(kind, layers, data), strict=True):
            np.testing.assert_allclose(np.kron(outputs[0], inputs[0]), block, atol=1e-8)

    @pytest.mark.parametrize("kind", PROBLEMS)
    def test_factors_of_one_row_are_exact_for_embedded_numbers_too(self, kind):
        """The Fisher matrix J' F J, with a Jacobian of finite differences, of each number's two small layers."""
        problem, features = PROBLEMS[kind], np.array([[0.7, -0.3, 1.1]])
        net = Network((3, 4, problem.outputs), "tanh", kind, problem.classes, (0, 2))
        flat = 0.5 * np.random.default_rng(1).standard_normal((1, 1, net.size))
        curvature, found = embedded_curvature(net, flat, features)
        jacobian = finite_differences(
            lambda point: predicted(net, split(net, point[None]), features)[0, :, 0], flat[0, 0], 1e-5
        )
        fisher = jacobian @ fisher_of_outputs(kind, found) @ jacobian.T
        start = 0
        for (inputs, delta), (rows, columns) in zip(kronecker_factors(curvature, ONE), net.shapes, strict=True):
            place = slice(start, start + rows * columns)
            np.testing.assert_allclose(np.kron(delta[0], inputs[0]), fisher[place, place], atol=1e-8)
            start = place.stop
        assert start == net.size
        assert np.abs(fisher[:64, :64]).max() > 1e-3

    @pytest.mark.parametrize("kind", PROBLEMS)
    def test_factors_of_many_rows(self, kind):
        """Biases see an input of 1, so their part of the Fisher matrix is the factor of the outputs."""
        data = fold(kind, rows=7, columns=3)
        layers = network_of(kind, 3, (4, 3))
        factors = kronecker_factors(curvature_of(kind, layers, data), ONE)
        _, seen = outputs_of(layers, data.features)
        shares = data.weights / data.weights.sum()
        for (inputs, outputs), block, rows in zip(factors, brute_force(kind, layers, data), seen, strict=True):
            width = rows.shape[1]
            np.testing.assert_allclose(outputs[0], block[width - 1 :: width, width - 1 :: width], atol=1e-8)
            np.testing.assert_allclose(inputs[0], (rows * shares[:, None]).T @ rows, atol=1e-12)

    def test_exact_one_of_one_output_is_the_one_of_the_factors(self):
        data = fold("squared")
        curvature = curvature_of("squared", [np.ones((1, 5))], data)
        ((inputs, outputs),) = kronecker_factors(curvature, ONE)
        np.testing.assert_allclose(exact_fisher(curvature, ONE), inputs * outputs, rtol=1e-12)

    def test_portions_cover_all_lanes(self):
        lanes = np.arange(7), np.arange(7, 14)
        cut = list(portions(lanes, 10, at_once=25))
        assert [len(each[0]) for each in cut] == [2, 2, 2, 1]
        np.testing.assert_array_equal(np.concatenate([each[1] for each in cut]), lanes[1])
        assert len(list(portions(lanes, 10**9))) == 7


def network_of(kind, columns, hidden):
    widths = (columns, *hidden, PROBLEMS[kind].outputs)
    generator = np.random.default_rng(2)
    return [0.5 * generator.standard_normal((after, before + 1)) for before, after in itertools.pairwise(widths)]


class TestSteps:
    @pytest.mark.parametrize("kind", PROBLEMS)
    def test_exact_step_is_newtons(self, kind):
        data = fold(kind, rows=30)
        (population, shared), damping = trained([configuration(damping=1e-3)], [data], kind), 1e-3
        shape = shared.network.shapes[0]
        origin = np.zeros(shape)

        def gradient(point):
            return finite_differences(lambda each: mean_loss(kind, [each], data), point, 1e-3)

        hessian = finite_differences(gradient, origin, 1e-3)
        newton = -np.linalg.solve(hessian + damping * np.eye(origin.size), gradient(origin))
        np.testing.assert_allclose(population.parameters[0, 0], newton, rtol=1e-4, atol=1e-4)

    def test_lands_on_least_squares_at_once(self):
        data = fold("squared", rows=30, weights=np.ones(30))
        population, _ = trained([configuration(damping=1e-12)], [data], "squared")
        extended = np.c_[data.features, np.ones(30)]
        expected, *_ = np.linalg.lstsq(extended, data.targets, rcond=None)
        np.testing.assert_allclose(population.parameters[0, 0], expected, rtol=1e-8)

    @pytest.mark.parametrize("kind", ["softmax", "logistic"])
    def test_converges_quadratically_to_the_optimum(self, kind):
        data = fold(kind, rows=60)
        population, shared = trained([configuration(damping=1e-8, curvature_decay=0.0)], [data], kind, epochs=8)
        layers = split(shared.network, population.parameters[0, 0])
        gradient = finite_differences(lambda each: mean_loss(kind, [each], data), layers[0], 1e-5)
        assert np.abs(gradient).max() < 1e-8

    @pytest.mark.parametrize("kind", PROBLEMS)
    def test_kfac_step_is_the_dense_one(self, kind):
        """The damped Kronecker product, written out and solved."""
        data = fold(kind, rows=20)
        chosen = configuration(model="mlp", hidden=(5, 3), damping=0.05, learning_rate=0.5)
        population, shared = trained([chosen], [data], kind)
        before = initial(chosen, data, kind)
        layers = split(shared.network, before)
        curvature = curvature_of(kind, layers, data)
        expected = []
        for number, (inputs, outputs) in enumerate(kronecker_factors(curvature, ONE)):
            gradient = finite_differences(
                lambda each, number=number: mean_loss(kind, [*layers[:number], each, *layers[number + 1 :]], data),
                layers[number],
                1e-6,
            )
            a, g = inputs[0], outputs[0]
            pi = np.sqrt((np.trace(a) / len(a)) / (np.trace(g) / len(g)))
            damped = np.kron(g + np.sqrt(0.05) / pi * np.eye(len(g)), a + pi * np.sqrt(0.05) * np.eye(len(a)))
            expected.append(np.linalg.solve(damped, gradient))
        np.testing.assert_allclose(population.parameters[0, 0], before - 0.5 * np.concatenate(expected), atol=1e-6)

    def test_averages_are_corrected_for_their_start(self):
        """Two steps on changing mini-batches: the second uses ``(0.9 * F1 + F2) / 1.9``."""
        data = fold("squared", rows=16, weights=np.ones(16))
        chosen = configuration(damping=0.1, curvature_decay=0.9, learning_rate=0.3)
        population, shared = trained([chosen], [data], "squared", batch_size=8)
        from lrtune.training.batches import epoch_order

        order = epoch_order(0, 0, 0, 16, 8)
        extended = np.c_[data.features, np.ones(16)]
        point, total, weight = np.zeros(5), 0.0, 0.0
        for rows in order:
            x, t = extended[rows], data.targets[rows]
            total, weight = 0.9 * total + x.T @ x / 8, 0.9 * weight + 1
            gradient = x.T @ (x @ point - t) / 8
            point = point - 0.3 * np.linalg.solve(total / weight + 0.1 * np.eye(5), gradient)
        assert shared.steps == (2,)
        np.testing.assert_allclose(population.parameters[0, 0], point, rtol=1e-9)

    @pytest.mark.parametrize("model", ["linear", "mlp"])
    def test_clip_bounds_the_step(self, model):
        """``lr^2 <U, g>`` is the limit exactly where it would be above it; the direction stays."""
        data = fold("softmax", rows=30)
        free, limited, loose = (
            configuration(model=model, learning_rate=0.7, damping=0.01, kl_clip=limit) for limit in (None, 1e-3, 1e3)
        )
        population, shared = trained([free, limited, loose], [data], "softmax")
        before = initial(free, data, "softmax")
        steps = population.parameters[np.argsort(population.places), 0] - before
        np.testing.assert_array_equal(steps[2], steps[0])
        share = np.linalg.norm(steps[1]) / np.linalg.norm(steps[0])
        np.testing.assert_allclose(steps[1], share * steps[0], atol=1e-12)
        layers = split(shared.network, before)
        gradients = [
            finite_differences(
                lambda each, number=number: mean_loss("softmax", [*layers[:number], each, *layers[number + 1 :]], data),
                layers[number],
                1e-6,
            ).ravel()
            for number in range(len(layers))
        ]
        size = -0.7 * steps[0] @ np.concatenate(gradients)
        assert size > 1e-3
        assert share**2 * size == pytest.approx(1e-3, rel=1e-5)

    def test_momentum_and_weight_decay(self):
        """Velocity of the preconditioned gradient; decay shrinks the parameters by ``1 - lr * weight_decay``."""
        data = fold("squared", rows=20, weights=np.ones(20))
        chosen = configuration(damping=0.2, momentum=0.8, weight_decay=0.1, learning_rate=0.3, curvature_decay=0.0)
        population, _ = trained([chosen], [data], "squared", epochs=4)
        x = np.c_[data.features, np.ones(20)]
        inverse = np.linalg.inv(x.T @ x / 20 + 0.2 * np.eye(5))
        point, velocity = np.zeros(5), np.zeros(5)
        for _ in range(4):
            velocity = 0.8 * velocity + inverse @ (x.T @ (x @ point - data.targets) / 20)
            point = point * (1 - 0.3 * 0.1) - 0.3 * velocity
        np.testing.assert_allclose(population.parameters[0, 0], point, rtol=1e-9)

    def test_updates_happen_when_they_are_due(self):
        data = fold("softmax", rows=30)
        chosen = configuration(model="mlp", curvature_every=2, inverse_every=3, learning_rate=0.1)
        seen = []
        for until in range(1, 8):
            population, _ = trained([chosen], [data], "softmax", epochs=7, until=until)
            (state,) = population.states
            seen.append((state[3].copy(), state[-1].copy()))
        averages, inverses = zip(*seen, strict=True)
        assert [np.array_equal(*pair) for pair in itertools.pairwise(averages)] == [True, False] * 3
        assert [np.array_equal(*pair) for pair in itertools.pairwise(inverses)] == [True, True, False] * 2

    def test_smoothing_does_not_enter_the_fisher_matrix(self):
        data = fold("softmax", rows=30)
        plain, smooth = (configuration(label_smoothing=amount) for amount in (0.0, 0.3))
        population, _ = trained([plain, smooth], [data], "softmax")
        fisher = population.states[0][3]
        np.testing.assert_allclose(fisher[0], fisher[1], atol=1e-15)


VARIED = [
    {"damping": 0.01, "momentum": 0.0, "curvature_every": 1, "inverse_every": 2, "kl_clip": 1e-3},
    {"damping": 0.1, "momentum": 0.9, "curvature_every": 2, "inverse_every": 3, "kl_clip": None},
    {"damping": 0.001, "curvature_decay": 0.5, "curvature_every": 3, "inverse_every": 1, "kl_clip": 1e-2},
]


class TestLanes:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize(
        ("model", "columns", "hidden"), [("linear", 4, ()), ("mlp", 4, (6, 5)), ("mlp", 150, (60,))]
    )
    @pytest.mark.parametrize("kind", ["softmax", "squared"])
    def test_are_bitwise_independent(self, dtype, model, columns, hidden, kind):
        """Ragged folds and factors that fall due at different times; the largest net has 9,243 parameters."""
        folds = [fold(kind, rows, columns, seed=index, index=index) for index, rows in enumerate((21, 30, 37))]
        chosen = [configuration(model=model, hidden=hidden or (1,), learning_rate=0.05, **each) for each in VARIED]
        together, shared = trained(chosen, folds, kind, epochs=3, batch_size=8, dtype=dtype)
        assert np.isfinite(together.parameters).all()
        for c, each in enumerate(together.configurations):
            for k, place in enumerate(shared.places):
                alone, _ = trained([dict(each)], [folds[place]], kind, epochs=3, batch_size=8, dtype=dtype)
                np.testing.assert_array_equal(together.parameters[c, k], alone.parameters[0, 0])

    @pytest.mark.parametrize("model", ["linear", "mlp"])
    def test_training_in_pieces_changes_nothing(self, model):
        data = [fold("softmax", rows, seed=index, index=index) for index, rows in enumerate((21, 30))]
        chosen = [configuration(model=model, learning_rate=0.05, epochs=6, **each) for each in VARIED]
        whole, shared = trained(chosen, data, "softmax", epochs=6, batch_size=8)
        pieces = start([each | {"epochs": 6} for each in chosen], shared)
        for until in (1, 4, 6):
            pieces = train(pieces, shared, until)
        np.testing.assert_array_equal(whole.parameters, pieces.parameters)

    @pytest.mark.parametrize(("damping", "value"), [(1e-300, 1.0), (5e-324, 0.0)])
    def test_a_singular_matrix_stops_no_other_lane(self, damping, value):
        """A feature that repeats the bias (LAPACK gives up) or is zero (it overflows): the lane keeps its last inverse.

        That is the identity at first, so the step is that of gradient descent.
        """
        data = fold("squared", rows=16, columns=1, scale=0.0, weights=np.ones(16))
        data.features[:] = value
        broken = configuration(damping=damping, learning_rate=0.01)
        sound = configuration(damping=0.1, learning_rate=0.01)
        together, _ = trained([broken, sound], [data], "squared", epochs=3)
        alone, _ = trained([sound], [data], "squared", epochs=3)
        lanes = together.parameters[np.argsort(together.places), 0]
        np.testing.assert_array_equal(lanes[1], alone.parameters[0, 0])
        x, point = np.c_[data.features, np.ones(16)], np.zeros(2)
        for _ in range(3):
            point = point - 0.01 * x.T @ (x @ point - data.targets) / 16
        np.testing.assert_allclose(lanes[0], point, rtol=1e-9)

    def test_a_singular_block_stops_neither_the_other_lanes_nor_the_other_blocks(self):
        """All rows are alike and a feature repeats the bias: factors of inputs are singular but for the damping."""
        data = fold("logistic", rows=16, columns=1, scale=0.0, weights=np.ones(16))
        data.features[:] = 1.0
        broken, sound = (
            configuration(model="mlp", hidden=(3,), damping=each, learning_rate=0.01) for each in (1e-300, 0.1)
        )
        together, _ = trained([broken, sound], [data], "logistic", epochs=3)
        alone, _ = trained([sound], [data], "logistic", epochs=3)
        rows = np.argsort(together.places)
        assert together.diverged.max() == 0
        np.testing.assert_array_equal(together.parameters[rows[1], 0], alone.parameters[0, 0])
        of_inputs, _, _, of_outputs = (each[rows[0], 0] for each in together.states[0][-4:])
        np.testing.assert_array_equal(of_inputs, np.eye(2))
        assert of_outputs >= 4.0, "p * (1 - p) is at most a quarter"

    def test_a_lane_that_is_not_finite_stops_no_other(self):
        data = fold("squared", rows=40)
        wild = configuration(model="mlp", damping=1e-10, learning_rate=1e200, activation="relu")
        sound = configuration(model="mlp", damping=0.1, learning_rate=0.1, activation="relu")
        together, _ = trained([wild, sound], [data], "squared", epochs=3, batch_size=8)
        alone, _ = trained([sound], [data], "squared", epochs=3, batch_size=8)
        lanes = together.parameters[np.argsort(together.places), 0]
        assert together.diverged[np.argsort(together.places), 0].tolist() == [1, 0]
        np.testing.assert_array_equal(lanes[1], alone.parameters[0, 0])

    def test_large_linear_models_use_factors(self):
        wide = fold("softmax", rows=20, columns=MOST_EXACT_PARAMETERS // 3 + 1)
        population, _ = trained([configuration(learning_rate=0.1, damping=0.1)], [wide], "softmax")
        assert [each.shape[-1] for each in population.states[0][3:]] == [172, 3, 172, 3]
