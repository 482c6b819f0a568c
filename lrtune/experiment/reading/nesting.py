"""Configurations in the form that the estimators' parameters have, and back to flat keys.

Nested as in the experiment file: an optimizer or a decay is a name, or a mapping with one key that holds its factors.
The registry's tables say what may stand where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.grouped import apart, together, wrong_group
from lrtune.experiment.reading.vocabulary import Member, coerced, inside, unknown_factor
from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import ConfigurationError, nearest
from lrtune.training.registry import KEY_GROUPS, KEYS, problems

Branch: TypeAlias = str | Mapping[str, Values]
"""An optimizer or a decay: its name, or a mapping with one key, the name, that holds its factors."""

_BRANCHES = ("optimizer", "decay")
_OWN_DEFAULT = ("learning_rate", "weight_decay")


def flat(nested: Values) -> dict[str, Value]:
    """Turn nested parameters into a flat configuration, all of it checked; what is not given is left out.

    None for the learning rate or the weight decay means the optimizer's own default.

    >>> flat({"epochs": 5, "decay": {"exponential": {"k": 0.1}}, "learning_rate": None})
    {'epochs': 5, 'decay': 'exponential', 'decay.k': 0.1}

    Raises
    ------
    ConfigurationError
        With all illegal values and all names that do not exist.

    """
    configuration, problems = flattened(nested)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return configuration


def flattened(nested: Values) -> tuple[dict[str, Value], list[str]]:
    """Turn nested parameters into a flat configuration, as far as their names exist; with all that is wrong."""
    configuration: dict[str, Value] = {}
    unknown: list[str] = []
    for key, value in apart(nested).items():
        unsaid = value is None and (key in _OWN_DEFAULT or key in KEY_GROUPS)
        if key in KEYS and key not in _BRANCHES and not unsaid:
            configuration[key] = coerced(python_value(value), KEYS[key])
        elif key not in KEYS and not unsaid:
            unknown.append(f"{key}: {wrong_group(key, value)}")
    for key in _BRANCHES:
        if key in nested:
            configuration.update(_flat_branch(nested[key], Member(key, KEYS[key]), unknown))
    return configuration, [*unknown, *problems(configuration)]


def nested(configuration: Configuration) -> Values:
    """Turn `flat` round.

    >>> nested({"epochs": 5, "decay": "exponential", "decay.k": 0.1})
    {'epochs': 5, 'decay': {'exponential': {'k': 0.1}}}
    """
    values = {
        key: _nested_branch(configuration, Member(key, KEYS[key])) if key in _BRANCHES else configuration[key]
        for key in configuration
        if key in KEYS
    }
    return together(values)


def _flat_branch(value: Any, member: Member, unknown: list[str]) -> Iterator[tuple[str, Value]]:
    """Yield the flat keys of a branch; what has a name that does not exist is left out and goes to ``unknown``."""
    name, factors = next(iter(value.items())) if isinstance(value, Mapping) and len(value) == 1 else (value, None)
    if not isinstance(name, str) or name not in member.names:
        unknown.append(f"{member.key}: unknown {member.noun} {name!r}; {nearest(str(name), member.names)}")
        return
    yield member.key, name
    if not isinstance(factors, Mapping | None):
        unknown.append(f"{member.key}: expected a mapping of the factors of {name}, got {factors!r}")
        return
    members = inside(member, name)
    for factor, each in apart(factors or {}).items():
        if factor not in members:
            unknown.append(f"{member.key}.{name}.{factor}: {unknown_factor(factor, member, name)}")
        elif (below := members[factor]).branches:
            yield from _flat_branch(each, below, unknown)
        else:
            yield below.key, coerced(python_value(each), below.factor)


def _nested_branch(configuration: Configuration, member: Member) -> Any:
    name = str(configuration[member.key])
    factors = {}
    for factor, below in inside(member, name).items():
        if below.key == f"{member.key}.{factor}" and below.key in configuration:
            factors[factor] = _nested_branch(configuration, below) if below.branches else configuration[below.key]
    return {name: factors} if factors else name


def python_value(value: Any) -> Any:
    """Turn what NumPy makes of numbers and lists, in a search over an array of rates say, into Python's own."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(python_value(each) for each in value) if isinstance(value, list | tuple) else value
