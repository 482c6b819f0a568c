"""Every rate of every lane, computed before the first step: decay types, warm-up and their composition.

The decays themselves are in ``decays``. A decay's clock starts when the warm-up ends and runs over the rest of the
horizon, and time is measured in epochs, so the same factors mean the same on a fold and on the full training set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lrtune.arrays import Array
from lrtune.training.decays.functions import BoundDecay
from lrtune.training.decays.resolved import Factors
from lrtune.training.declarations import number
from lrtune.training.registry import DECAYS, SHAPED, Configuration, Value, complete


def decay_of(configuration: Configuration, prefix: str = "decay") -> BoundDecay:
    """Bind the decay type of a complete configuration to its factors: ``(epoch, horizon) -> multiplier``.

    >>> decay_of({"decay": "exponential", "decay.k": 0.1})(np.array([0.0, 10.0]), 30.0).round(6)
    array([1.      , 0.367879])
    """
    function, given = DECAYS[str(configuration[prefix])].function, _factors(configuration, prefix)
    return lambda epoch, horizon: function(epoch, horizon, **given)


def momentum_of(configuration: Configuration, prefix: str = "decay") -> BoundDecay | None:
    """Bind the momentum that a complete configuration cycles, or None if it keeps it fixed."""
    entry = DECAYS[str(configuration[prefix])]
    if entry.momentum is None:
        return None
    inside = [each.name for each in entry.factors if each.kind == "decay"]
    parts = {name: momentum_of(configuration, f"{prefix}.{name}") for name in inside}
    if not (any(parts.values()) if parts else configuration[f"{prefix}.cycle_momentum"]):
        return None
    fixed, function = fixed_momentum(configuration), entry.momentum.function
    given = _factors(configuration, prefix) | {name: each or _unchanged(fixed) for name, each in parts.items()}
    return lambda epoch, horizon: function(epoch, horizon, **given)


def fixed_momentum(configuration: Configuration) -> float:
    """Read the momentum of a complete configuration: ``momentum``, or Adam's ``beta1``, or 0 for want of either."""
    for key in ("optimizer.momentum", "optimizer.beta1"):
        if key in configuration:
            return number(configuration[key])
    return 0.0


def warmup_steps(fraction: float, total: int) -> int:
    """Count the steps of a warm-up: the nearest whole number, but at least one step is left for the decay."""
    return min(math.floor(fraction * total + 0.5), total - 1)


def warmup(update: Array, steps: int, *, shape: str = "linear", start: float | None = None) -> Array:
    """Rise to one within so many steps; ``update`` counts them from 0.

    Without a ``start`` the first rate is ``1 / steps`` and the last step of the warm-up has the full rate already:
    ``(t + 1) / steps`` for the linear shape. With one, the first rate is ``start`` and the full rate comes just after.

    >>> warmup(np.arange(4.0), 4)
    array([0.25, 0.5 , 0.75, 1.  ])
    >>> warmup(np.arange(4.0), 4, start=0.0)
    array([0.  , 0.25, 0.5 , 0.75])
    """
    first, span = (1.0 / steps, max(steps - 1, 1)) if start is None else (start, steps)
    done = np.minimum(update / span, 1.0)
    if shape == "linear":
        return first + (1.0 - first) * done
    if first <= 0.0:
        raise ValueError("warmup_start: an exponential warm-up cannot start from 0")
    return np.exp((1.0 - done) * math.log(first))


def multipliers(
    configuration: Configuration, steps: int, epochs: int, *, start: int = 0, stop: int | None = None
) -> Array:
    """Compute the rates of one lane divided by its peak, for each step of the epochs from ``start`` to ``stop``.

    Parameters
    ----------
    configuration
        A complete configuration.
    steps
        Steps per epoch of the lane's fold.
    epochs
        The horizon.
    start, stop
        Range of epochs.

    """
    update = _updates(steps, start, epochs if stop is None else stop)
    warm = warmup_steps(number(configuration["warmup"]), steps * epochs)
    values = decay_of(configuration)(*_decay_time(configuration, update, warm, steps, epochs))
    rising = update < warm
    if rising.any():
        first = configuration["warmup_start"]
        values[rising] = warmup(
            update[rising],
            warm,
            shape=str(configuration["warmup_shape"]),
            start=None if first is None else number(first),
        )
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
        ``C`` configurations; missing keys and factors have their defaults.
    steps
        Steps per epoch of each of the ``K`` folds.
    epochs
        The horizon.
    start, stop
        Range of epochs to tabulate, to bound memory; the rates are the same in any cut.

    Returns
    -------
    array (T, C, K)
        Rate per step. Row ``e * max(steps) + s`` is step ``s`` of epoch ``start + e``; where a fold has fewer steps,
        the remaining rows are zero and mean nothing.

    """
    stop = epochs if stop is None else stop
    table = _empty_table(configurations, steps, stop - start)
    known: dict[tuple[object, ...], Array] = {}
    for rates, given in zip(table, configurations, strict=True):
        configuration = complete(given)
        shape = _shape_key(configuration)
        for lane, count in zip(rates, steps, strict=True):
            key = (count, *shape)
            if key not in known:
                known[key] = multipliers(configuration, count, epochs, start=start, stop=stop).reshape(-1, count)
            np.multiply(known[key], number(configuration["learning_rate"]), out=lane[:, :count])
    return _by_step(table)


def tabulate_momentum(
    configurations: Sequence[Configuration],
    steps: Sequence[int],
    epochs: int,
    *,
    start: int = 0,
    stop: int | None = None,
) -> Array | None:
    """Compute every lane's momentum in advance, laid out as in `tabulate`; None if no configuration cycles it.

    Lanes that do not cycle it have their fixed momentum, or beta1, in every row.
    """
    completed = [complete(given) for given in configurations]
    cycles = [momentum_of(configuration) for configuration in completed]
    if not any(cycles):
        return None
    stop = epochs if stop is None else stop
    table = _empty_table(configurations, steps, stop - start)
    for momenta, configuration, cycle in zip(table, completed, cycles, strict=True):
        momenta[...] = fixed_momentum(configuration)
        if cycle is None:
            continue
        for lane, count in zip(momenta, steps, strict=True):
            warm = warmup_steps(number(configuration["warmup"]), count * epochs)
            values = _after_warmup(cycle, _updates(count, start, stop), warm, count, epochs)
            lane[:, :count] = values.reshape(-1, count)
    return _by_step(table)


def tabulate_shapes(
    configurations: Sequence[Configuration],
    steps: Sequence[int],
    epochs: int,
    *,
    start: int = 0,
    stop: int | None = None,
) -> dict[str, Array]:
    """Compute what multiplies other keys than the rate, by key, each laid out as in `tabulate`.

    Keys that no configuration changes over time are left out. The time is that of the whole horizon, so that a warm-up
    of the rate makes no difference.
    """
    stop = epochs if stop is None else stop
    completed = [complete(given) for given in configurations]
    tables = {}
    for shaped, key in SHAPED.items():
        names = [str(each[key]) for each in completed]
        if set(names) <= {"constant"}:
            continue
        table = _empty_table(configurations, steps, stop - start)
        for lanes, name in zip(table, names, strict=True):
            shape = decay_of(complete({"decay": name}))
            for lane, count in zip(lanes, steps, strict=True):
                values = shape(_updates(count, start, stop) / count, float(epochs))
                lane[:, :count] = values.reshape(-1, count)
        tables[shaped] = _by_step(table)
    return tables


def left_after(warm: int, steps: int, epochs: int) -> float:
    """Compute what is left of the horizon after so many steps of warm-up, in epochs."""
    return (steps * epochs - warm) / steps


def spent(seconds: Array, budget: float) -> Array:
    """Compute the share of a budget that is spent, at most 1; of a budget that is not positive nothing is left.

    >>> spent(np.array([0.0, 1.0, 9.0]), 4.0)
    array([0.  , 0.25, 1.  ])
    """
    return np.minimum(seconds / budget, 1.0) if budget > 0.0 else np.ones_like(seconds)


def _decay_time(configuration: Configuration, update: Array, warm: int, steps: int, epochs: int) -> tuple[Array, float]:
    """Compute the decay's own time since the end of the warm-up and its horizon, in epochs.

    The virtual clock of a wall-clock decay counts the same number of seconds for each update (see ``wall_clock``).
    """
    since, horizon = np.maximum(update - warm, 0.0), left_after(warm, steps, epochs)
    by_clock = DECAYS[str(configuration["decay"])].follows == "clock"
    seconds = configuration.get("decay.step_seconds") if by_clock else None
    if seconds is None:
        return since / steps, horizon
    budget = number(configuration["decay.budget"]) - warm * number(seconds)
    return horizon * spent(since * number(seconds), budget), horizon


def _updates(steps: int, start: int, stop: int) -> Array:
    return np.arange(start * steps, stop * steps, dtype=np.float64)


def _after_warmup(curve: BoundDecay, update: Array, warm: int, steps: int, epochs: int) -> Array:
    """Evaluate a curve on the clock that starts when the warm-up ends; before that, at its start."""
    return curve(np.maximum(update - warm, 0.0) / steps, left_after(warm, steps, epochs))


def _empty_table(configurations: Sequence[Configuration], steps: Sequence[int], epochs: int) -> Array:
    return np.zeros((len(configurations), len(steps), epochs, max(steps)))


def _by_step(table: Array) -> Array:
    """View ``(C, K, epochs, steps)`` as ``(T, C, K)``: a lane's rates stay contiguous, which makes filling fast."""
    return table.reshape(*table.shape[:2], -1).transpose(2, 0, 1)


def _shape_key(configuration: Configuration) -> tuple[tuple[str, Value], ...]:
    """Pick all that shapes the curve: configurations that agree in it share their multipliers."""
    return tuple(item for item in configuration.items() if item[0].startswith(("decay", "warmup")))


def _factors(configuration: Configuration, prefix: str) -> Factors:
    """Collect the factors of a decay under the names of its function; decays that it joins are bound themselves."""
    given: Factors = {}
    for factor in DECAYS[str(configuration[prefix])].factors:
        key = f"{prefix}.{factor.name}"
        if factor.kind == "decay":
            given[factor.name] = decay_of(configuration, key)
        elif key in configuration:
            given[factor.name] = configuration[key]
    return given


def _unchanged(momentum: float) -> BoundDecay:
    """Keep the momentum of a part that does not cycle it."""
    return lambda epoch, _horizon: np.full_like(epoch, momentum)
