"""Decay types as pure functions of time, and their table of rates, computed before the first step.

A schedule maps time to a multiplier of the peak rate: ``name(epoch, horizon, *, factors) -> multiplier``. Time and
horizon are in epochs, counted from the end of the warm-up, and everything broadcasts: ``epoch (T, 1, K)`` with factors
``(C, 1)`` gives ``(T, C, K)``. Names and factors are those of the registry; a choice is a plain string.

The rate of a step is the schedule's value *before* that step, so the value at ``epoch == horizon`` belongs to the
step that would come next: the last step of a decay to zero still has a rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lrtune.training.registry import DECAYS, Configuration, Value, complete

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = Array | float
Schedule: TypeAlias = Callable[..., Array]

_TOLERANCE = 1e-9
"""Epochs by which a jump comes early, so that rounding of ``step / steps_per_epoch`` never delays it by a step."""


def constant(epoch: Array, horizon: Numbers) -> Array:
    """One, always."""
    return np.ones(np.broadcast_shapes(np.shape(epoch), np.shape(horizon)))


def linear(epoch: Array, horizon: Numbers, *, final: Numbers) -> Array:
    """Fall along ``1 - (1 - final) * t / T``, then stay at ``final``."""
    return 1.0 - (1.0 - final) * _progress(epoch, horizon)


def step(
    epoch: Array,
    horizon: Numbers,
    *,
    factor: Numbers | None = None,
    drops: Numbers | None = None,
    every: Numbers | None = None,
    final: Numbers | None = None,
) -> Array:
    """Fall to ``factor ^ floor(t / every)``, where ``every = T / (drops + 1)`` and ``factor = final ^ (1 / drops)``."""
    if every is None:
        every = horizon / (_needed("step", "drops", drops) + 1.0)
    if factor is None:
        inside = np.ceil(horizon / every - _TOLERANCE) - 1.0
        if np.any(inside < 1.0):
            raise ValueError(
                f"step: final needs a drop within the horizon, but every = {every} and T = {horizon} epochs"
            )
        factor = _power(_needed("step", "final", final), 1.0 / inside)
    return _power(factor, np.floor(epoch / every + _TOLERANCE))


def exponential(epoch: Array, horizon: Numbers, *, k: Numbers | None = None, final: Numbers | None = None) -> Array:
    """Fall along ``e ^ (-k * t)``, where ``k = -ln(final) / T``."""
    if k is None:
        k = -np.log(_needed("exponential", "final", final)) / horizon
    return np.exp(-k * epoch)


def cosine(epoch: Array, horizon: Numbers, *, final: Numbers) -> Array:
    """Fall along ``final + (1 - final) * (1 + cos(pi * t / T)) / 2``, then stay at ``final``."""
    return final + (1.0 - final) * _half_wave(_progress(epoch, horizon))


SCHEDULES: dict[str, Schedule] = {
    each.__name__: each
    for each in (
        constant,
        linear,
        step,
        exponential,
        cosine,
    )
}


def warmup_steps(fraction: float, total: int) -> int:
    """Count the steps of a warm-up: the nearest whole number, but at least one step is left for the decay."""
    return min(math.floor(fraction * total + 0.5), total - 1)


def warmup(update: Array, steps: int, *, shape: str = "linear", start: float | None = None) -> Array:
    """Rise to one over so many steps.

    Without a ``start`` the first rate is ``1 / steps`` and the last step of the warm-up has the full rate:
    ``(t + 1) / steps`` for the linear shape. With one, the rate is ``start`` at first and full just after the warm-up.
    """
    first, span = (start, steps) if start is not None else (1.0 / steps, max(steps - 1, 1))
    done = np.minimum(update / span, 1.0)
    if shape == "exponential":
        return np.exp((1.0 - done) * math.log(first))
    return first + (1.0 - first) * done


def multipliers(
    configuration: Configuration, steps: int, epochs: int, start: int = 0, stop: int | None = None
) -> Array:
    """Compute the rates of one lane relative to its peak, for the steps of the epochs from ``start`` to ``stop``.

    The decay's clock starts when the warm-up ends and runs over the rest of the horizon.
    """
    update = np.arange(start * steps, (epochs if stop is None else stop) * steps, dtype=np.float64)
    warm = warmup_steps(_number(configuration["warmup"]), steps * epochs)
    horizon = (steps * epochs - warm) / steps
    values = _decay(configuration, "decay")(np.maximum(update - warm, 0.0) / steps, horizon)
    rising = update < warm
    if rising.any():
        shape, first = configuration["warmup_shape"], configuration["warmup_start"]
        values[rising] = warmup(update[rising], warm, shape=str(shape), start=None if first is None else _number(first))
    return values


def tabulate(
    configurations: Sequence[Configuration],
    steps: Sequence[int],
    epochs: int,
    *,
    start: int = 0,
    stop: int | None = None,
) -> Array:
    """Compute every rate of every lane in advance.

    Parameters
    ----------
    configurations
        ``C`` configurations; missing factors have their defaults.
    steps
        Steps per epoch of each of the ``K`` folds.
    epochs
        The horizon.
    start, stop
        Range of epochs to tabulate, to bound memory.

    Returns
    -------
    array (T, C, K)
        Rate per step. Row ``e * max(steps) + s`` is step ``s`` of epoch ``start + e``; where a fold has fewer steps,
        the remaining rows are zero and mean nothing.

    """
    stop = epochs if stop is None else stop
    width = max(steps)
    table = np.zeros((len(configurations), len(steps), stop - start, width))
    known: dict[tuple[Value, ...], Array] = {}
    for rates, given in zip(table, configurations, strict=True):
        configuration = complete(given)
        shape = tuple(item for item in configuration.items() if item[0].startswith(("decay", "warmup")))
        for lane, count in zip(rates, steps, strict=True):
            key: Any = (count, *shape)
            if key not in known:
                known[key] = multipliers(configuration, count, epochs, start, stop).reshape(-1, count)
            np.multiply(known[key], _number(configuration["learning_rate"]), out=lane[:, :count])
    return table.reshape(len(configurations), len(steps), -1).transpose(2, 0, 1)


def _decay(configuration: Configuration, prefix: str) -> Callable[[Array, Numbers], Array]:
    """Bind a decay type to the factors that a configuration gives it."""
    name = str(configuration[prefix])
    keys = {factor.name: f"{prefix}.{factor.name}" for factor in DECAYS[name].factors}
    given = {factor: configuration[key] for factor, key in keys.items() if key in configuration}
    return lambda epoch, horizon: SCHEDULES[name](epoch, horizon, **given)


def _progress(epoch: Array, horizon: Numbers) -> Array:
    return np.minimum(epoch / horizon, 1.0)


def _half_wave(progress: Array) -> Array:
    return 0.5 * (1.0 + np.cos(np.pi * progress))


def _power(base: Numbers, exponent: Numbers) -> Array:
    """Compute ``base ^ exponent`` with the same bits for every shape; NumPy squares where the exponent is a lone 2."""
    return np.exp(exponent * np.log(base))


def _needed(schedule: str, name: str, value: Numbers | None) -> Numbers:
    if value is None:
        raise ValueError(f"{schedule}: {name} is missing")
    return value


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return float(value)
