"""Puts exported files together, one kind for each library."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

from lrtune.handover.averaging import averaging_text
from lrtune.handover.core import (
    WIDTH,
    SchedulePlan,
    constants,
    cycles,
    expected_updates,
    literal,
    plan_of,
    schedule_text,
    table_text,
    used_formulas,
)
from lrtune.handover.feedback import clock_table, clock_text, follows_clock, follows_loss, plateau_table, plateau_text
from lrtune.handover.templates import (
    DONE,
    KERAS,
    KERAS_CLOCK,
    KERAS_MOMENTUM,
    KERAS_PLATEAU,
    MOMENTUM_CHECK,
    OPTAX,
    OPTAX_CLOCK,
    OPTAX_MOMENTUM,
    OPTAX_MOMENTUM_CHECK,
    OPTAX_PLATEAU,
    PYTORCH,
    PYTORCH_CLOCK,
    PYTORCH_MOMENTUM,
    PYTORCH_PLATEAU,
)
from lrtune.handover.texts import parameters
from lrtune.text.errors import ConfigurationError
from lrtune.training.registry import RATE_GROUPS, Configuration, complete
from lrtune.training.schedules import multipliers, tabulate_momentum


def export(configuration: Configuration, steps: int, epochs: int, target: str) -> str:
    """Write a schedule as Python code for another library.

    Parameters
    ----------
    configuration
        What was chosen; missing keys have their defaults.
    steps
        Updates in an epoch.
    epochs
        The horizon.
    target
        One of `TARGETS`.

    Raises
    ------
    ConfigurationError
        If the library cannot follow this schedule exactly.

    """
    return written(plan_of(complete(configuration), steps, epochs), target)


def written(plan: SchedulePlan, target: str) -> str:
    """Write what `export` writes, of a plan."""
    return TARGETS[target](plan)


def _pytorch(plan: SchedulePlan) -> str:
    if follows_loss(plan):
        if plan.warm:
            raise ConfigurationError(
                "PyTorch's ReduceLROnPlateau has no warm-up, and chained with one it cuts at other epochs; "
                "use --warmup 0, or export to keras"
            )
        return _file(plan, "torch", PYTORCH_PLATEAU, _rule_constants(plan), plateau_table(plan))
    if follows_clock(plan):
        return _file(plan, "torch", PYTORCH_CLOCK, clock_text(plan), clock_table(plan))
    return _tabulated(plan, "torch", PYTORCH, PYTORCH_MOMENTUM, MOMENTUM_CHECK)


def _keras(plan: SchedulePlan) -> str:
    if follows_loss(plan):
        return _file(plan, "keras", KERAS_PLATEAU, plateau_text(plan), plateau_table(plan))
    if follows_clock(plan):
        return _file(plan, "keras", KERAS_CLOCK, clock_text(plan), clock_table(plan))
    return _tabulated(plan, "keras", KERAS, KERAS_MOMENTUM, MOMENTUM_CHECK)


def _optax(plan: SchedulePlan) -> str:
    if follows_loss(plan):
        return _file(plan, "optax", OPTAX_PLATEAU, plateau_text(plan), plateau_table(plan))
    if follows_clock(plan):
        return _file(plan, "optax", OPTAX_CLOCK, clock_text(plan), clock_table(plan))
    return _tabulated(plan, "optax", OPTAX, OPTAX_MOMENTUM, OPTAX_MOMENTUM_CHECK)


def _tabulated(plan: SchedulePlan, library: str, rates: str, momentum: str, momentum_check: str) -> str:
    """Put a file together whose rates are all known in advance."""
    if not cycles(plan):
        return _file(plan, library, rates + DONE, schedule_text(plan), _table(plan))
    ending = f"{momentum}\n{rates}{momentum_check}{DONE}"
    return _file(plan, library, ending, schedule_text(plan), f"{_table(plan)}\n\n{_momentum_table(plan)}")


TARGETS: Mapping[str, Callable[[SchedulePlan], str]] = {"pytorch": _pytorch, "keras": _keras, "optax": _optax}
"""Libraries that a schedule can be handed to."""

_IMPORTS = {
    "torch": ["import torch"],
    "keras": ["import keras", "import numpy as np", "from keras import ops"],
    "optax": ["import jax", "import jax.numpy as jnp", "import numpy as np", "import optax"],
}


def _file(plan: SchedulePlan, library: str, ending: str, schedule: str, table: str) -> str:
    body = "\n\n\n".join([schedule, table, *averaging_text(plan, library), ending.strip("\n")])
    imports = [each for each in _IMPORTS[library] if f"{each.split()[-1]}." in body]
    standard = [f"import {each}" for each in ("math", "time") if f"{each}." in body]
    blocks = [
        _heading(plan),
        "\n".join(standard),
        "\n".join(imports),
        "\n".join(constants(plan)) + "\n" + _gap(schedule),
    ]
    return "\n\n".join(each for each in blocks if each) + body + "\n"


def _gap(schedule: str) -> str:
    """Separate the constants from what follows: further constants, or definitions."""
    return "\n\n" if schedule.startswith(("def ", "class ")) else ""


def _heading(plan: SchedulePlan) -> str:
    """Say what the schedule is: formula, factors, warm-up."""
    entry = plan.entry
    lines = [*textwrap.wrap(f'"""The learning-rate schedule {plan.decay}: {entry.summary}.', WIDTH), ""]
    lines += textwrap.wrap(f"rate = PEAK * ({entry.formula})", WIDTH)
    if any(parameters(each) for each in used_formulas(plan)):
        lines += textwrap.wrap("t: epochs since the warm-up ended; T: epochs that were left then.", WIDTH)
    factors = [key for key in plan.configuration if key.startswith("decay")]
    lines += ["", "Factors, as lrtune calls them:", ""]
    lines += [f"    {key.removeprefix('decay.')} = {literal(plan.configuration[key])}" for key in factors]
    if plan.warm:
        shape = plan.configuration["warmup_shape"]
        lines += [f"    warmup = {plan.configuration['warmup']!r} of the horizon: {plan.warm} updates, {shape}"]
    lines += _trained_with(plan)
    lines += ["", *textwrap.wrap(f"Source: {entry.source}.", WIDTH)]
    lines += ["Run this file to check it: it compares its rates with those that lrtune computed.", '"""']
    return "\n".join(lines)


def _trained_with(plan: SchedulePlan) -> list[str]:
    """Say which optimizer a run chose these rates with: they are rates of no other."""
    if plan.optimizer is None:
        return []
    factors = {key.removeprefix("optimizer."): each for key, each in plan.optimizer.items() if "." in key}
    lines = [f"    {name} = {literal(each)}" for name, each in factors.items()]
    return [
        "",
        f"Chosen together with the optimizer {plan.optimizer['optimizer']}, as lrtune calls its factors:",
        "",
        *lines,
        *_rate_factors(plan),
    ]


def _rate_factors(plan: SchedulePlan) -> list[str]:
    """Say which groups of parameters had a rate of their own; a library has parameter groups for that."""
    given = {group: plan.configuration.get(key, 1.0) for group, key in RATE_GROUPS.items()}
    lines = [f"    {group} = {literal(each)}" for group, each in given.items() if each != 1.0]
    about = "Chosen together with factors of the rate (and of decoupled weight decay) by group of parameters:"
    return ["", *textwrap.wrap(about, WIDTH), "", *lines] if lines else []


def _table(plan: SchedulePlan) -> str:
    rates = plan.peak * multipliers(plan.configuration, plan.steps, plan.epochs)
    rows = [(step, float(rates[step])) for step in expected_updates(plan)]
    return table_text("EXPECTED", "(update, rate) of lrtune", rows)


def _momentum_table(plan: SchedulePlan) -> str:
    momenta = tabulate_momentum([plan.configuration], [plan.steps], plan.epochs)
    assert momenta is not None
    rows = [(step, float(momenta[step, 0, 0])) for step in expected_updates(plan)]
    return table_text("EXPECTED_MOMENTA", "(update, momentum) of lrtune", rows)


def _rule_constants(plan: SchedulePlan) -> str:
    names = ("factor", "patience", "cooldown", "minimum", "threshold")
    return "\n".join(f"{name.upper()} = {plan.configuration[f'decay.{name}']!r}" for name in names)
