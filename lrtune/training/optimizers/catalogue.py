"""Every optimizer: one entry holds what it is, its learning rate and factors, and its start and update.

In the formulas ``g`` is the gradient, ``x`` the parameters and ``lr`` the rate of this step. The rate stands outside of
every moving average, as in PyTorch: a lower rate acts at once.

Default rates and their ranges are those at which an mlp with 64 units did well on the bundled tables (30 epochs,
mini-batches of 64, linear decay), rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.training.declarations import Factor, Range
from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.arrays import Floats
    from lrtune.training import updates
    from lrtune.training.optimizers import (
        adam_family,
        adaptive,
        gradient_descent,
        muon,
        natural_gradient,
        prodigy,
        schedule_free,
    )
    from lrtune.training.updates import Scratch, Shapes, State, StepValues
else:
    updates = Deferred("lrtune.training.updates")
    adam_family = Deferred("lrtune.training.optimizers.adam_family")
    adaptive = Deferred("lrtune.training.optimizers.adaptive")
    gradient_descent = Deferred("lrtune.training.optimizers.gradient_descent")
    muon = Deferred("lrtune.training.optimizers.muon")
    natural_gradient = Deferred("lrtune.training.optimizers.natural_gradient")
    prodigy = Deferred("lrtune.training.optimizers.prodigy")
    schedule_free = Deferred("lrtune.training.optimizers.schedule_free")


def where_it_is(parameters: Floats, _state: State) -> Floats:
    """Score the parameters themselves."""
    return parameters


def no_products(_shapes: Shapes) -> int:
    """Need none."""
    return 0


class Optimizer(NamedTuple):
    """An update rule and its declaration.

    Parameters
    ----------
    name
        In the experiment file.
    summary, formula, source
        What it is, without a full stop; its update; who published it.
    rate
        Its own learning rate, because rates of different optimizers do not compare.
    start
        ``(parameters, factors, shapes) -> state``; every array of the state has leading axes ``(C, K)``.
    update
        ``(parameters, gradient, state, values, scratch, curvature)`` changes parameters and state in place; the
        gradient and the two scratch arrays, all ``(C, K, P)``, may be overwritten.
    factors
        What else can be set.
    evaluated
        ``(parameters, state) -> parameters``: the point that is scored.
    weight_decay
        Its default.
    decoupled
        Whether weight decay is always applied to the parameters and never added to the gradient.
    decays_itself
        Whether the update applies decoupled weight decay, so that its caller must not.
    needs_curvature
        Whether ``curvature`` must be given.
    products
        ``(shapes) -> multiplications`` in matrix products of its own, for each update of a lane; curvature apart.

    """

    name: str
    summary: str
    formula: str
    source: str
    rate: Factor
    start: Callable[..., State]
    update: Callable[[Floats, Floats, State, StepValues, Scratch, Any], None]
    factors: tuple[Factor, ...] = ()
    evaluated: Callable[[Floats, State], Floats] = where_it_is
    weight_decay: float = 0.0
    decoupled: bool = False
    decays_itself: bool = False
    needs_curvature: bool = False
    products: Callable[[Shapes], int] = no_products


def _rate(default: float, low: float, high: float) -> Factor:
    return Factor(
        "learning_rate",
        default,
        "peak learning rate, per step",
        low=0.0,
        open_low=True,
        scale="log",
        search=Range(low, high),
    )


def _average(name: str, default: float, meaning: str, search: tuple[float, ...] | Range | None = None) -> Factor:
    return Factor(name, default, meaning, low=0.0, high=1.0, open_high=True, scale="reversed_log", search=search)


def _epsilon(default: float, search: Range | None = None) -> Factor:
    return Factor(
        "epsilon",
        default,
        "added to the denominator, outside of the square root",
        low=0.0,
        open_low=True,
        scale="log",
        search=search,
    )


_MOMENTUM = _average("momentum", 0.9, "share of the previous velocity that is kept each step", Range(0.7, 0.99))
_BETA1 = _average("beta1", 0.9, "share of the mean gradient that is kept each step", Range(0.7, 0.98))
_BETA2 = _average("beta2", 0.999, "share of the mean squared gradient that is kept each step", (0.95, 0.99, 0.999))
_INTERPOLATION = Factor(
    "momentum",
    0.9,
    "where gradients are taken: 1 is the average, 0 the newest point",
    low=0.0,
    high=1.0,
    open_low=True,
    open_high=True,
    scale="reversed_log",
    search=Range(0.7, 0.98),
)
_ADAM = (_BETA1, _BETA2, _epsilon(1e-8))
_SGD_FORMULA = "x -= lr * g"

_ENTRIES = (
    Optimizer(
        "sgd",
        "plain gradient descent on mini-batches",
        _SGD_FORMULA,
        "Robbins & Monro 1951",
        _rate(0.1, 3e-3, 3.0),
        start=updates.stateless,
        update=gradient_descent.sgd,
    ),
    Optimizer(
        "momentum",
        "SGD with Polyak's heavy ball",
        "v = momentum * v + g;  x -= lr * v",
        "Polyak 1964; PyTorch SGD(momentum)",
        _rate(0.05, 1e-3, 1.0),
        start=updates.one_buffer,
        update=gradient_descent.momentum,
        factors=(_MOMENTUM,),
    ),
    Optimizer(
        "nesterov",
        "SGD with Nesterov's look-ahead momentum",
        "v = momentum * v + g;  x -= lr * (g + momentum * v)",
        "Nesterov 1983; Sutskever et al. 2013; PyTorch SGD(nesterov=True)",
        _rate(0.05, 1e-3, 1.0),
        start=updates.one_buffer,
        update=gradient_descent.nesterov,
        factors=(_MOMENTUM,),
    ),
    Optimizer(
        "adagrad",
        "rates shrink with the sum of squared gradients",
        "s += g^2;  x -= lr * g / (sqrt(s) + epsilon)",
        "Duchi et al. 2011; PyTorch Adagrad",
        _rate(0.05, 1e-3, 1.0),
        start=adaptive.adagrad_start,
        update=adaptive.adagrad,
        factors=(
            _epsilon(1e-10),
            Factor("accumulator", 0.0, "what the sum of squared gradients starts from", low=0.0, search=(0.0, 0.1)),
        ),
    ),
    Optimizer(
        "rmsprop",
        "rates follow the moving average of squared gradients",
        "v = rho * v + (1 - rho) * g^2;  b = momentum * b + g / (sqrt(v) + epsilon);  x -= lr * b;  centred: v - m^2, "
        "m the mean of g",
        "Tieleman & Hinton 2012; PyTorch RMSprop, where rho is called alpha",
        _rate(3e-3, 1e-4, 1e-1),
        start=adaptive.rmsprop_start,
        update=adaptive.rmsprop,
        factors=(
            _average("rho", 0.99, "share of the mean squared gradient that is kept each step", (0.9, 0.99, 0.999)),
            _epsilon(1e-8),
            _average("momentum", 0.0, "share of the previous velocity that is kept each step", (0.0, 0.9)),
            Factor(
                "centred",
                default=False,
                meaning="divide by the standard deviation of the gradient in place of its root mean square",
                kind="bool",
            ),
        ),
    ),
    Optimizer(
        "adam",
        "momentum divided by the root mean square of the gradient, both corrected for their start",
        "m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;  x -= lr * m^ / (sqrt(v^) + epsilon)",
        "Kingma & Ba 2015, arXiv 1412.6980",
        _rate(0.01, 1e-4, 0.3),
        start=adam_family.adam_start,
        update=adam_family.adam,
        factors=_ADAM,
    ),
    Optimizer(
        "adamw",
        "Adam whose weight decay acts on the parameters, not on the gradient",
        "x -= lr * weight_decay * x, then as adam",
        "Loshchilov & Hutter 2019, arXiv 1711.05101",
        _rate(0.01, 1e-4, 0.3),
        start=adam_family.adam_start,
        update=adam_family.adam,
        factors=_ADAM,
        weight_decay=0.01,
        decoupled=True,
    ),
    Optimizer(
        "amsgrad",
        "Adam whose rates never rise again",
        "as adam, with the largest v so far",
        "Reddi et al. 2018; PyTorch Adam(amsgrad=True)",
        _rate(0.01, 1e-4, 0.3),
        start=adam_family.amsgrad_start,
        update=adam_family.amsgrad,
        factors=_ADAM,
    ),
    Optimizer(
        "nadam",
        "Adam with Nesterov's look-ahead and a momentum that rises with time",
        "mu_t = beta1 * (1 - 0.96 ^ (t * momentum_decay) / 2);  x -= lr * (mu_t+1 * m^ + (1 - mu_t) * g^) / "
        "(sqrt(v^) + epsilon)",
        "Dozat 2016; PyTorch NAdam",
        _rate(0.01, 1e-4, 0.3),
        start=adam_family.nadam_start,
        update=adam_family.nadam,
        factors=(
            *_ADAM,
            Factor("momentum_decay", 4e-3, "how fast the momentum rises to beta1, per step", low=0.0, scale="log"),
        ),
    ),
    Optimizer(
        "radam",
        "Adam with an automatic warm-up: plain momentum until v is trustworthy",
        "as adam, times the rectification r_t; x -= lr * m^ while there is none",
        "Liu et al. 2020, arXiv 1908.03265; PyTorch RAdam",
        _rate(0.03, 1e-4, 0.3),
        start=adam_family.radam_start,
        update=adam_family.radam,
        factors=_ADAM,
    ),
    Optimizer(
        "adadelta",
        "rates in the units of the parameters, from past squared steps",
        "d = g * sqrt(u + epsilon) / sqrt(v + epsilon);  v, u: averages of g^2, d^2;  x -= lr * d",
        "Zeiler 2012, arXiv 1212.5701; PyTorch Adadelta",
        _rate(3.0, 0.1, 30.0),
        start=updates.two_buffers,
        update=adaptive.adadelta,
        factors=(
            _average("rho", 0.9, "share of both mean squares that is kept each step", (0.9, 0.95, 0.99)),
            _epsilon(1e-6, Range(1e-8, 1e-2))._replace(meaning="added inside of both square roots"),
        ),
    ),
    Optimizer(
        "lion",
        "steps of equal size in the direction of a sign",
        "x -= lr * sign(beta1 * m + (1 - beta1) * g);  m = beta2 * m + (1 - beta2) * g",
        "Chen et al. 2023, arXiv 2302.06675",
        _rate(1e-3, 3e-5, 3e-2),
        start=updates.one_buffer,
        update=gradient_descent.lion,
        factors=(
            _BETA1,
            _average("beta2", 0.99, "share of the mean gradient that is kept each step", (0.9, 0.99, 0.999)),
        ),
        decoupled=True,
    ),
    Optimizer(
        "natural_gradient",
        "the gradient times the inverse Fisher matrix: exact for small linear models, K-FAC for all others",
        "v = momentum * v + nu * (F + damping)^-1 g;  x -= lr * v;  nu shortens the step to kl_clip",
        "Amari 1998; Martens & Grosse 2015, arXiv 1503.05671",
        _rate(0.2, 1e-3, 1.0),
        start=natural_gradient.natural_gradient_start,
        update=natural_gradient.natural_gradient,
        factors=(
            Factor(
                "damping",
                1e-2,
                "added to the eigenvalues of the Fisher matrix",
                low=0.0,
                open_low=True,
                scale="log",
                search=Range(1e-4, 1e-1),
            ),
            _average("momentum", 0.0, "share of the previous velocity that is kept each step", (0.0, 0.9)),
            _average("curvature_decay", 0.95, "share of the Fisher matrix that is kept when it is updated"),
            Factor("curvature_every", 5, "steps between two updates of the Fisher matrix", low=1, kind="int"),
            Factor("inverse_every", 10, "steps between two inversions of the Fisher matrix", low=1, kind="int"),
            Factor(
                "kl_clip",
                1e-3,
                "largest lr^2 * g (F + damping)^-1 g of a step; null: no limit",
                low=0.0,
                open_low=True,
                scale="log",
                optional=True,
            ),
        ),
        decoupled=True,
        needs_curvature=True,
        decays_itself=True,
    ),
    Optimizer(
        "muon",
        "momentum whose matrices are made orthogonal; Adam trains the last layer, biases and embeddings",
        "V = momentum * V + G;  W -= lr * s * orthogonal(G + momentum * V);  s = 0.2 * sqrt(max(rows, columns)); "
        "the rest as adamw, with adam_factor * lr",
        "Jordan et al. 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv 2502.16982; on tables: arXiv "
        "2604.15297",
        _rate(0.01, 1e-4, 0.3),
        start=muon.muon_start,
        update=muon.muon,
        factors=(
            _average("momentum", 0.95, "share of the previous velocity of a matrix that is kept", Range(0.8, 0.99)),
            Factor(
                "adam_factor",
                1.0,
                "Adam's rate, of all that is in no matrix, divided by learning_rate",
                low=0.0,
                scale="log",
                search=Range(0.1, 10.0),
            ),
            Factor(
                "match_rms",
                default=True,
                meaning="whether s makes steps as large as Adam's, so that its rates serve; false: sqrt(max(1, rows / "
                "columns)), as first published",
                kind="bool",
            ),
            *_ADAM,
        ),
        weight_decay=0.01,
        decoupled=True,
        decays_itself=True,
        products=muon.products,
    ),
    Optimizer(
        "schedule_free_sgd",
        "SGD whose average replaces a decaying rate; scored at the average",
        "y = (1 - momentum) * z + momentum * x;  z -= lr * g(y);  x: mean of all z, weighted by lr^2",
        "Defazio et al. 2024, arXiv 2405.15682",
        _rate(0.2, 1e-2, 3.0),
        start=schedule_free.schedule_free_start,
        update=schedule_free.schedule_free_sgd,
        factors=(_INTERPOLATION,),
        decoupled=True,
        evaluated=schedule_free.averaged,
        decays_itself=True,
    ),
    Optimizer(
        "schedule_free_adamw",
        "AdamW whose average replaces a decaying rate; scored at the average",
        "as schedule_free_sgd, with z -= lr * g / (sqrt(v^) + epsilon)",
        "Defazio et al. 2024, arXiv 2405.15682",
        _rate(0.02, 1e-3, 0.3),
        start=schedule_free.schedule_free_adamw_start,
        update=schedule_free.schedule_free_adamw,
        factors=(_INTERPOLATION._replace(name="beta1"), _BETA2, _epsilon(1e-8)),
        decoupled=True,
        evaluated=schedule_free.averaged,
        decays_itself=True,
    ),
    Optimizer(
        "prodigy",
        "Adam that estimates its own rate; learning_rate scales the estimate",
        "as adam with lr * d, d an estimate of the distance from the start to the solution",
        "Mishchenko & Defazio 2023, arXiv 2306.06101",
        _rate(1.0, 0.03, 3.0),
        start=prodigy.prodigy_start,
        update=prodigy.prodigy,
        factors=(
            *_ADAM,
            Factor("d0", 1e-6, "first estimate of the distance", low=0.0, open_low=True, scale="log"),
            Factor("d_coef", 1.0, "factor of every later estimate", low=0.0, open_low=True, scale="log"),
        ),
        decoupled=True,
        decays_itself=True,
    ),
)

OPTIMIZERS: dict[str, Optimizer] = {entry.name: entry for entry in _ENTRIES}
