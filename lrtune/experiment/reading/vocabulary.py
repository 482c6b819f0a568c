"""What may stand where in a space: the registry's tables, seen from the experiment file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

from lrtune.experiment.reading.document import shown
from lrtune.experiment.reading.grouped import nearest_key
from lrtune.text.errors import nearest
from lrtune.training.declarations import Names
from lrtune.training.registry import (
    DECAYS,
    KEYS,
    MODEL_KEYS,
    OPTIMIZERS,
    RATE_GROUPS,
    SCHEDULE_KEYS,
    SHAPED,
    Factor,
    Value,
    check_value,
)

SPACE_ONLY = ("learning_rate", "optimizer", "decay")
"""Keys that have no place but `space`: a search is about them."""

LAYER_KEYS = Names(lambda: [each for each in MODEL_KEYS if each != "model"])
"""Keys that mean nothing to a linear model."""

OPTIMIZER_OWN = (
    *("learning_rate", "weight_decay", "decoupled", "clip_norm", "ema"),
    *RATE_GROUPS.values(),
    *SHAPED.values(),
)
"""Keys that an optimizer's branch may set for itself, overriding the same key outside."""

LISTS = ("widths", "numbers")
"""Kinds of factors whose values are lists."""

_NAME = re.compile(r"[A-Za-z_][\w-]*")

OWN = "any"
"""Kind of the parameters of another trainer: nothing is known of them but the values that are given."""

_LARGEST = 10**9  # epochs, rows, units: a larger number is a slip


class Member(NamedTuple):
    """What may stand in a place of the file: the flat key that it sets, and its declaration."""

    key: str
    factor: Factor

    @property
    def is_own(self) -> bool:
        """Whether it is a parameter of another trainer."""
        return self.factor.kind == OWN

    @property
    def branches(self) -> bool:
        """Whether its values are names with factors of their own."""
        return self.key in ("model", "optimizer", "decay") or self.factor.kind == "decay"

    @property
    def noun(self) -> str:
        """What its values are called."""
        return self.key if self.key in ("model", "optimizer") else "decay"

    @property
    def names(self) -> list[str]:
        """The names that it may take."""
        return [str(each) for each in self.factor.choices]


class Vocabulary(Protocol):
    """What may stand directly under `space`."""

    def members(self, keys: Collection[str]) -> dict[str, Member]:
        """List what may stand there, if these keys do, in the order of the dimensions."""

    def unknown(self, key: str) -> str:
        """Say what is wrong with a key that is not among the members."""


class BuiltInNames:
    """The keys of lrtune's own networks."""

    def members(self, _keys: Collection[str]) -> dict[str, Member]:
        """List the registry."""
        return {key: Member(key, factor) for key, factor in KEYS.items()}

    def unknown(self, key: str) -> str:
        """Say what is wrong with a key."""
        return unknown_key(key)


class OwnNames(NamedTuple):
    """The parameters of another trainer, and the keys of a schedule if it takes one.

    Attributes
    ----------
    scheduled
        Whether it takes the rate of every update from lrtune.
    defaults
        Values of the default configuration, as far as they are known.

    """

    scheduled: bool
    defaults: Mapping[str, Value]

    def members(self, keys: Collection[str]) -> dict[str, Member]:
        """List the keys of the schedule, then the parameters by name: how they are written is no difference."""
        shared = [key for key in SCHEDULE_KEYS if self.scheduled]
        found = {key: Member(key, self._with_default(KEYS[key])) for key in shared}
        return found | self.own([key for key in keys if key not in shared])

    def own(self, keys: Collection[str]) -> dict[str, Member]:
        """Make the places of parameters, as far as their names are legal."""
        factors = [Factor(key, None, "", kind=OWN) for key in sorted(keys) if _NAME.fullmatch(key)]
        return {each.name: Member(each.name, self._with_default(each)) for each in factors}

    def _with_default(self, factor: Factor) -> Factor:
        return factor._replace(default=self.defaults.get(factor.name, factor.default))

    def unknown(self, _key: str) -> str:
        """Say what is wrong with a key."""
        return "expected the name of a parameter: letters, digits, _ and -"


def inside(member: Member, name: str) -> dict[str, Member]:
    """List what may stand inside the branch `name` of a member, by the name that it has there."""
    if member.key == "model":
        return {key: Member(key, MODEL_KEYS[key]) for key in LAYER_KEYS} if name == "mlp" else {}
    factors = OPTIMIZERS[name].factors if member.key == "optimizer" else DECAYS[name].factors
    members = {each.name: Member(f"{member.key}.{each.name}", each) for each in factors}
    return members | _own(name) if member.key == "optimizer" else members


def own_defaults(optimizer: str) -> dict[str, Value]:
    """List the defaults that depend on the optimizer."""
    entry = OPTIMIZERS[optimizer]
    return {"learning_rate": entry.rate.default, "weight_decay": entry.weight_decay}


def _own(optimizer: str) -> dict[str, Member]:
    keys = [each for each in OPTIMIZER_OWN if not (each == "decoupled" and OPTIMIZERS[optimizer].decoupled)]
    defaults = own_defaults(optimizer)
    return {key: Member(key, KEYS[key]._replace(default=defaults.get(key, KEYS[key].default))) for key in keys}


def coerced(value: Any, factor: Factor) -> Any:
    """Give a YAML value the type of its factor: whole numbers become floats where those are meant, lists tuples.

    >>> coerced(1, Factor("dropout", 0.0, "")), coerced([64, 64], Factor("hidden", (64,), "", kind="widths"))
    (1.0, (64, 64))
    """
    if factor.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if factor.kind == OWN and isinstance(value, list | tuple):
        return tuple(value)
    if factor.kind in LISTS and isinstance(value, list | tuple):
        item = factor._replace(kind="float" if factor.kind == "numbers" else "int")
        return tuple(coerced(each, item) for each in value)
    return value


def illegal(factor: Factor, value: Any) -> str | None:
    """Say why a coerced value is illegal; None if it is legal."""
    problem = check_value(factor, value)
    if problem is None and factor.kind in ("int", "widths"):
        numbers = value if isinstance(value, tuple) else (value,)
        if any(each is not None and each > _LARGEST for each in numbers):
            return f"expected at most {_LARGEST:,}, got {shown(value)}"
    return problem


def unknown_key(key: str) -> str:
    """Say what is wrong with a key directly under `space`."""
    if key == "type":
        return "unknown key; in a space, the type of the model is called 'model'"
    owners = [name for name, factors in _factors_by_entry().items() if key in factors]
    if owners:
        return f"unknown key; it is a factor of {' and '.join(owners)} and belongs inside that branch"
    return f"unknown key; {nearest_key(key, KEYS)}"


def unknown_factor(key: str, member: Member, name: str) -> str:
    """Say what is wrong with a key inside the branch `name`."""
    members = inside(member, name)
    others = [each for each in member.names if each != name and key in inside(member, each)]
    if others:
        return f"unknown factor of {name}; it belongs to {' and '.join(others)}"
    if not members:
        return f"unknown factor; {name} has none"
    return f"unknown factor; {nearest(key, members)}"


def _factors_by_entry() -> dict[str, set[str]]:
    factors = {name: entry.factors for name, entry in OPTIMIZERS.items()}
    factors |= {name: entry.factors for name, entry in DECAYS.items()}
    return {name: {each.name for each in own} for name, own in factors.items()}
