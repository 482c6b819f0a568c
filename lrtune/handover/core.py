"""The part of exported code that is the schedule itself: constants, formulas and ``multiplier(update)``.

It is plain Python in double precision for every library. Where a library traces its schedules in single precision, the
rates are computed when the file is imported and looked up by the whole number of the update: a time in epochs has seven
digits there, and a jump that is found by comparing it comes updates early or late.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from lrtune.handover.factors import Factors, factors, momentum_factors
from lrtune.handover.jumps import turning_times
from lrtune.handover.texts import formula_texts, parameters, tolerance_text
from lrtune.training.declarations import number
from lrtune.training.registry import Configuration
from lrtune.training.schedules import fixed_momentum, momentum_of, warmup_steps

WIDTH = 100


class Plan(NamedTuple):
    """What is exported: a complete configuration, trained for so many steps in each of its epochs.

    ``warm`` is the number of updates of the warm-up, ``horizon`` what is left of the epochs after it.
    """

    configuration: Configuration
    steps: int
    epochs: int
    warm: int
    horizon: float

    @property
    def decay(self) -> str:
        """Name of the decay type."""
        return str(self.configuration["decay"])

    @property
    def peak(self) -> float:
        """The rate that everything multiplies."""
        return number(self.configuration["learning_rate"])

    @property
    def total(self) -> int:
        """Number of updates."""
        return self.steps * self.epochs


def plan_of(configuration: Configuration, steps: int, epochs: int) -> Plan:
    """Work out the warm-up of a complete configuration."""
    warm = warmup_steps(number(configuration["warmup"]), steps * epochs)
    return Plan(configuration, steps, epochs, warm, (steps * epochs - warm) / steps)


def literal(value: Any) -> str:
    """Write a value as Python does; infinity has no literal."""
    return 'float("inf")' if value == math.inf else repr(value)


def constants(plan: Plan) -> list[str]:
    """Define the numbers that every export has."""
    lines = [
        f"PEAK = {plan.peak!r}  # the learning rate that the schedule multiplies",
        f"EPOCHS = {plan.epochs}",
        f"STEPS_PER_EPOCH = {plan.steps}  # updates in one epoch",
        "TOTAL_STEPS = EPOCHS * STEPS_PER_EPOCH",
    ]
    if not plan.warm:
        return [*lines, "HORIZON = EPOCHS"]
    return [
        *lines,
        f"WARMUP_STEPS = {plan.warm}",
        "HORIZON = (TOTAL_STEPS - WARMUP_STEPS) / STEPS_PER_EPOCH  # epochs that the decay has",
    ]


def warmup_text(plan: Plan) -> list[str]:
    """Define ``warmup(update)`` if there is one."""
    if not plan.warm:
        return []
    start, shape = plan.configuration["warmup_start"], plan.configuration["warmup_shape"]
    first, rise = (1.0 / plan.warm, max(plan.warm - 1, 1)) if start is None else (number(start), plan.warm)
    if shape == "linear":
        value = "first + (1.0 - first) * min(update / rise, 1.0)"
    else:
        value = "first ** (1.0 - min(update / rise, 1.0))"
    body = [
        "def warmup(update):",
        f'    """Rise to the peak, {"in a straight line" if shape == "linear" else "exponentially"}."""',
        f"    first, rise = {first!r}, {rise}  # the first rate over PEAK, and after how many updates it is PEAK",
        f"    return {value}",
    ]
    return ["\n".join(body)]


def schedule_text(plan: Plan) -> str:
    """Define all that ``multiplier(update)`` needs, and it; and ``momentum(update)`` if the momentum is cycled."""
    texts = [*warmup_text(plan), _multiplier(plan, decay_call(plan))]
    names = used_formulas(plan)
    if cycles(plan):
        texts.append(_momentum(plan))
        names = [*names, *(f"{each}_height" for each in used_formulas(plan) if each in ("cyclical", "one_cycle"))]
    texts = [*formula_texts(names), *texts]
    tolerance = tolerance_text(texts)
    return "\n".join(tolerance) + ("\n\n\n" if tolerance else "") + "\n\n\n".join(texts)


def cycles(plan: Plan) -> bool:
    """Tell whether the momentum moves against the rate."""
    return momentum_of(plan.configuration) is not None


def used_formulas(plan: Plan) -> list[str]:
    """List the formulas of the decay, or of the decays that it is made of."""
    if plan.decay == "join":
        return [str(plan.configuration[f"decay.{part}"]) for part in ("first", "second")]
    return [str(plan.configuration["decay.shape"]) if plan.decay == "wall_clock" else plan.decay]


def decay_call(plan: Plan, *, time: str = "t") -> str:
    """Write the value of the decay at time ``t`` as an expression."""
    if plan.decay != "join":
        prefix = "decay.shape" if plan.decay == "wall_clock" else "decay"
        return _call(plan.configuration, prefix, time, "HORIZON", plan.horizon)
    return _joined(plan, _call)


def _call(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    function = str(configuration[prefix])
    return _written(function, time, name, factors(configuration, prefix, horizon))


def _written(function: str, time: str, horizon: str, given: Factors) -> str:
    places = {"t": time, "T": horizon}
    arguments = [places[each] for each in parameters(function)]
    arguments += [f"{key}={literal(value)}" for key, value in given.items()]
    return f"{function}({', '.join(arguments)})"


def _joined(plan: Plan, call: Any) -> str:
    """Choose between the two decays of a join, each with its own clock and horizon."""
    boundary = number(plan.configuration["decay.at"]) * plan.horizon
    first = call(plan.configuration, "decay.first", "t", literal(boundary), boundary)
    second = call(
        plan.configuration,
        "decay.second",
        f"max(t - {boundary!r}, 0.0)",
        literal(plan.horizon - boundary),
        plan.horizon - boundary,
    )
    return f"{first} if t < {boundary!r} - TOLERANCE else {second}"


def time_text(plan: Plan) -> str:
    """Write the time since the warm-up ended, in epochs or, where seconds are counted, as their share of the budget."""
    since = "max(update - WARMUP_STEPS, 0)" if plan.warm else "update"
    if plan.decay != "wall_clock":
        return f"{since} / STEPS_PER_EPOCH"
    seconds, budget = (number(plan.configuration[f"decay.{name}"]) for name in ("step_seconds", "budget"))
    left = budget - plan.warm * seconds
    share = f"min({since} * {seconds!r} / {left!r}, 1.0)" if left > 0.0 else "1.0"
    return f"HORIZON * {share}  # each update counts as {seconds!r} s of a budget of {budget!r} s"


def _multiplier(plan: Plan, call: str) -> str:
    lines = ["def multiplier(update):", '    """Give the rate of an update, counted from 0, divided by PEAK."""']
    if "t" in parameters_used(call):
        lines.append(f"    t = {time_text(plan)}")
    if plan.warm:
        lines += [f"    value = {call}", "    return warmup(update) if update < WARMUP_STEPS else value"]
    else:
        lines.append(f"    return {call}")
    return "\n".join(lines)


def parameters_used(call: str) -> set[str]:
    """List the words of an expression."""
    return set(textwrap.dedent(call).replace("(", " ").replace(",", " ").replace(")", " ").split())


def _momentum(plan: Plan) -> str:
    """Define ``momentum(update)``, which moves against the rate."""
    call = (
        _joined(plan, _momentum_call)
        if plan.decay == "join"
        else _momentum_call(plan.configuration, "decay", "t", "HORIZON", plan.horizon)
    )
    lines = [
        "def momentum(update):",
        '    """Give the momentum, or Adam\'s beta1, of this update: it moves against the rate."""',
        f"    t = {time_text(plan)}",
        f"    return {call}",
    ]
    return "\n".join(lines)


def _momentum_call(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    function = str(configuration[prefix])
    if not configuration.get(f"{prefix}.cycle_momentum"):
        return repr(fixed_momentum(configuration))
    low, high = (number(configuration[f"{prefix}.{each}_momentum"]) for each in ("low", "high"))
    given = momentum_factors(function, factors(configuration, prefix, horizon))
    return f"{high!r} - {high - low!r} * {_written(f'{function}_height', time, name, given)}"


def expected_updates(plan: Plan, count: int = 9) -> list[int]:
    """Choose updates whose rates are written into the code: each jump or bend with its neighbours, and some between."""
    last = plan.total - 1
    even = [round(index * last / (count - 1)) for index in range(count)]
    around = [turn + offset for turn in turning_updates(plan) for offset in (-1, 0, 1)]
    return sorted({each for each in (*even, *around) if 0 <= each <= last})


def turning_updates(plan: Plan) -> list[int]:
    """List the end of the warm-up, and the first updates at or after the times at which the decay jumps or bends.

    Rounding may make one of them an update too early or too late, but not more.
    """
    prefix = "decay.shape" if plan.decay == "wall_clock" else "decay"
    times = turning_times(plan.configuration, prefix, plan.horizon)
    return [plan.warm, *(plan.warm + math.ceil(time * _pace(plan) - _ROUNDING) for time in times)]


_ROUNDING = 1e-6


def _pace(plan: Plan) -> float:
    """Count the updates in an epoch of the decay's own time."""
    if plan.decay != "wall_clock":
        return plan.steps
    seconds, budget = (number(plan.configuration[f"decay.{name}"]) for name in ("step_seconds", "budget"))
    return max(budget / seconds - plan.warm, 0.0) / plan.horizon


def table_text(name: str, comment: str, rows: Sequence[tuple[Any, ...]]) -> str:
    """Define a table of expected values."""
    entries = "\n".join(f"({', '.join(literal(each) for each in row)})," for row in rows)
    return f"{name} = (  # {comment}\n{textwrap.indent(entries, ' ' * 4)}\n)"
