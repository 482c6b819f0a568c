"""The part of exported code that is the schedule itself: constants, formulas and ``multiplier(update)``.

It is plain Python in double precision for every library. Where a library traces its schedules in single precision, the
rates are computed when the file is imported and looked up by the whole number of the update: a time in epochs has seven
digits there, and a jump that is found by comparing it comes updates early or late.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lrtune.handover.factors import factors, momentum_factors
from lrtune.handover.jumps import JOIN, turning_times
from lrtune.handover.texts import Formula, formula_texts, parameters, tolerance_text
from lrtune.training.decays.resolved import Factors
from lrtune.training.declarations import number
from lrtune.training.registry import DECAYS, Configuration, Decay
from lrtune.training.schedules import fixed_momentum, momentum_of, warmup_steps

WIDTH = 100


class SchedulePlan(NamedTuple):
    """What is exported: a complete configuration, trained for so many steps in each of its epochs.

    ``warm`` is the number of updates of the warm-up, ``horizon`` what is left of the epochs after it. ``optimizer`` has
    the keys of the one that a run chose together with it, and is None where none was.
    """

    configuration: Configuration
    steps: int
    epochs: int
    warm: int
    horizon: float
    optimizer: Configuration | None = None

    @property
    def decay(self) -> str:
        """Name of the decay type."""
        return str(self.configuration["decay"])

    @property
    def entry(self) -> Decay:
        """The entry of the decay type."""
        return DECAYS[self.decay]

    @property
    def prefix(self) -> str:
        """Where the decay stands that is a formula of time: inside of one that the clock runs."""
        return "decay.shape" if self.entry.follows == "clock" else "decay"

    @property
    def peak(self) -> float:
        """The rate that everything multiplies."""
        return number(self.configuration["learning_rate"])

    @property
    def total(self) -> int:
        """Number of updates."""
        return self.steps * self.epochs


def plan_of(configuration: Configuration, steps: int, epochs: int) -> SchedulePlan:
    """Work out the warm-up of a complete configuration."""
    warm = warmup_steps(number(configuration["warmup"]), steps * epochs)
    return SchedulePlan(configuration, steps, epochs, warm, (steps * epochs - warm) / steps)


def literal(value: Any) -> str:
    """Write a value as Python does; infinity has no literal."""
    return 'float("inf")' if value == math.inf else repr(value)


def constants(plan: SchedulePlan) -> list[str]:
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


def warmup_text(plan: SchedulePlan) -> list[str]:
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


def schedule_text(plan: SchedulePlan) -> str:
    """Define all that ``multiplier(update)`` needs, and it; and ``momentum(update)`` if the momentum is cycled."""
    texts = [*warmup_text(plan), _multiplier(plan, decay_call(plan))]
    formulas = used_formulas(plan)
    if cycles(plan):
        texts.append(_momentum(plan))
        momenta = (each.momentum for each in used_decays(plan))
        formulas += [each.height for each in momenta if each is not None and each.height is not None]
    texts = [*formula_texts(formulas), *texts]
    tolerance = tolerance_text(texts)
    return "\n".join(tolerance) + ("\n\n\n" if tolerance else "") + "\n\n\n".join(texts)


def cycles(plan: SchedulePlan) -> bool:
    """Tell whether the momentum moves against the rate."""
    return momentum_of(plan.configuration) is not None


def used_decays(plan: SchedulePlan) -> list[Decay]:
    """List the decays that this one is made of, or itself."""
    return list(_made_of(plan.configuration, "decay"))


def _made_of(configuration: Configuration, prefix: str) -> Iterator[Decay]:
    entry = DECAYS[str(configuration[prefix])]
    inside = [f"{prefix}.{each.name}" for each in entry.factors if each.kind == "decay"]
    for key in inside:
        yield from _made_of(configuration, key)
    if not inside:
        yield entry


def used_formulas(plan: SchedulePlan) -> list[Formula]:
    """List the formulas of the decays that this one is made of."""
    return [each.plain for each in used_decays(plan) if each.plain is not None]


def decay_call(plan: SchedulePlan, *, time: str = "t") -> str:
    """Write the value of the decay at time ``t`` as an expression."""
    return _value(plan.configuration, plan.prefix, time, "HORIZON", plan.horizon)


def _value(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    if configuration[prefix] == JOIN:
        return _joined(
            configuration, prefix, time, horizon, call=_value, scale=number(configuration[f"{prefix}.scale"])
        )
    return _call(configuration, prefix, time, name, horizon)


def _call(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    formula = DECAYS[str(configuration[prefix])].plain
    assert formula is not None
    return _written(formula, time, name, factors(configuration, prefix, horizon))


def _written(formula: Formula, time: str, horizon: str, given: Factors) -> str:
    places = {"t": time, "T": horizon}
    arguments = [places[each] for each in parameters(formula)]
    arguments += [f"{key}={literal(value)}" for key, value in given.items()]
    return f"{formula.__name__}({', '.join(arguments)})"


def _joined(
    configuration: Configuration, prefix: str, time: str, horizon: float, *, call: Any, scale: float = 1.0
) -> str:
    """Choose between the two decays of a join, each with its own clock and horizon; the second one is scaled."""
    boundary = number(configuration[f"{prefix}.at"]) * horizon
    rest = horizon - boundary
    first = call(configuration, f"{prefix}.first", time, literal(boundary), boundary)
    later = f"max({time} - {boundary!r}, 0.0)"
    second = call(configuration, f"{prefix}.second", later, literal(rest), rest)
    scaled = second if scale == 1.0 else f"{scale!r} * ({second})"
    text = f"{first} if {time} < {boundary!r} - TOLERANCE else {scaled}"
    return f"({text})" if prefix != "decay" else text


def time_text(plan: SchedulePlan) -> str:
    """Write the time since the warm-up ended, in epochs or, where seconds are counted, as their share of the budget."""
    since = "max(update - WARMUP_STEPS, 0)" if plan.warm else "update"
    if plan.entry.follows != "clock":
        return f"{since} / STEPS_PER_EPOCH"
    seconds, budget = (number(plan.configuration[f"decay.{name}"]) for name in ("step_seconds", "budget"))
    left = budget - plan.warm * seconds
    share = f"min({since} * {seconds!r} / {left!r}, 1.0)" if left > 0.0 else "1.0"
    return f"HORIZON * {share}  # each update counts as {seconds!r} s of a budget of {budget!r} s"


def _multiplier(plan: SchedulePlan, call: str) -> str:
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


def _momentum(plan: SchedulePlan) -> str:
    """Define ``momentum(update)``, which moves against the rate."""
    call = _momentum_value(plan.configuration, "decay", "t", "HORIZON", plan.horizon)
    lines = [
        "def momentum(update):",
        '    """Give the momentum, or Adam\'s beta1, of this update: it moves against the rate."""',
        f"    t = {time_text(plan)}",
        f"    return {call}",
    ]
    return "\n".join(lines)


def _momentum_value(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    if configuration[prefix] == JOIN:
        return _joined(configuration, prefix, time, horizon, call=_momentum_value)
    return _momentum_call(configuration, prefix, time, name, horizon)


def _momentum_call(configuration: Configuration, prefix: str, time: str, name: str, horizon: float) -> str:
    momentum = DECAYS[str(configuration[prefix])].momentum
    if momentum is None or not configuration[f"{prefix}.cycle_momentum"]:
        return repr(fixed_momentum(configuration))
    assert momentum.height is not None
    low, high = (number(configuration[f"{prefix}.{each}_momentum"]) for each in ("low", "high"))
    given = momentum_factors(momentum.height, factors(configuration, prefix, horizon))
    return f"{high!r} - {high - low!r} * {_written(momentum.height, time, name, given)}"


def expected_updates(plan: SchedulePlan, count: int = 9) -> list[int]:
    """Choose updates whose rates are written into the code: each jump or bend with its neighbours, and some between."""
    last = plan.total - 1
    even = [round(index * last / (count - 1)) for index in range(count)]
    around = [turn + offset for turn in turning_updates(plan) for offset in (-1, 0, 1)]
    return sorted({each for each in (*even, *around) if 0 <= each <= last})


def turning_updates(plan: SchedulePlan) -> list[int]:
    """List the end of the warm-up, and the first updates at or after the times at which the decay jumps or bends.

    Rounding may make one of them an update too early or too late, but not more.
    """
    times = turning_times(plan.configuration, plan.prefix, plan.horizon)
    return [plan.warm, *(plan.warm + math.ceil(time * _pace(plan) - _ROUNDING) for time in times)]


_ROUNDING = 1e-6


def _pace(plan: SchedulePlan) -> float:
    """Count the updates in an epoch of the decay's own time."""
    if plan.entry.follows != "clock":
        return plan.steps
    seconds, budget = (number(plan.configuration[f"decay.{name}"]) for name in ("step_seconds", "budget"))
    return max(budget / seconds - plan.warm, 0.0) / plan.horizon


def table_text(name: str, comment: str, rows: Sequence[tuple[Any, ...]]) -> str:
    """Define a table of expected values."""
    entries = "\n".join(f"({', '.join(literal(each) for each in row)})," for row in rows)
    return f"{name} = (  # {comment}\n{textwrap.indent(entries, ' ' * 4)}\n)"
