"""Every optimizer: name, update, learning rate, factors, source. The update rules live in ``optimizers``.

In the formulas ``g`` is the gradient, ``x`` the parameters and ``lr`` the rate of this step. The rate stands outside of
every moving average, as in PyTorch: a lower rate acts at once.
"""

from __future__ import annotations

from lrtune.training.declarations import Factor, OptimizerEntry, Range


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
_ADAM = (_BETA1, _BETA2, _epsilon(1e-8))
_SGD_FORMULA = "x -= lr * g"

_ENTRIES = (
    OptimizerEntry(
        "sgd",
        "plain gradient descent on mini-batches",
        _SGD_FORMULA,
        "Robbins & Monro 1951",
        _rate(0.1, 1e-3, 3.0),
    ),
    OptimizerEntry(
        "momentum",
        "SGD with Polyak's heavy ball",
        "v = momentum * v + g;  x -= lr * v",
        "Polyak 1964; PyTorch SGD(momentum)",
        _rate(0.03, 1e-4, 1.0),
        (_MOMENTUM,),
    ),
    OptimizerEntry(
        "nesterov",
        "SGD with Nesterov's look-ahead momentum",
        "v = momentum * v + g;  x -= lr * (g + momentum * v)",
        "Nesterov 1983; Sutskever et al. 2013; PyTorch SGD(nesterov=True)",
        _rate(0.03, 1e-4, 1.0),
        (_MOMENTUM,),
    ),
    OptimizerEntry(
        "adagrad",
        "rates shrink with the sum of squared gradients",
        "s += g^2;  x -= lr * g / (sqrt(s) + epsilon)",
        "Duchi et al. 2011; PyTorch Adagrad",
        _rate(0.03, 1e-3, 1.0),
        (
            _epsilon(1e-10),
            Factor("accumulator", 0.0, "what the sum of squared gradients starts from", low=0.0, search=(0.0, 0.1)),
        ),
    ),
    OptimizerEntry(
        "rmsprop",
        "rates follow the moving average of squared gradients",
        "v = rho * v + (1 - rho) * g^2;  x -= lr * g / (sqrt(v) + epsilon)",
        "Tieleman & Hinton 2012; PyTorch RMSprop, where rho is called alpha",
        _rate(1e-3, 1e-5, 1e-2),
        (
            _average("rho", 0.99, "share of the mean squared gradient that is kept each step", (0.9, 0.99, 0.999)),
            _epsilon(1e-8),
        ),
    ),
    OptimizerEntry(
        "adam",
        "momentum divided by the root mean square of the gradient, both corrected for their start",
        "m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;  x -= lr * m^ / (sqrt(v^) + epsilon)",
        "Kingma & Ba 2015, arXiv 1412.6980",
        _rate(3e-3, 1e-5, 1e-1),
        _ADAM,
    ),
    OptimizerEntry(
        "adamw",
        "Adam whose weight decay acts on the parameters, not on the gradient",
        "x -= lr * weight_decay * x, then as adam",
        "Loshchilov & Hutter 2019, arXiv 1711.05101",
        _rate(3e-3, 1e-5, 1e-1),
        _ADAM,
        weight_decay=0.01,
        decoupled=True,
    ),
)

OPTIMIZERS: dict[str, OptimizerEntry] = {entry.name: entry for entry in _ENTRIES}
