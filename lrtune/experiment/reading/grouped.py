"""Keys that stand together under a name: ``rate_factors: {bias: 0.1}`` in the file, ``rate_factors.bias`` inside.

They are ordinary keys of the registry with a dot in them; here is how the two ways of writing them become each other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lrtune.experiment.reading.document import Document, KeyPath, Values, shown
from lrtune.text.errors import nearest
from lrtune.training.registry import KEY_GROUPS, KEYS


def inside_of(group: str) -> list[str]:
    """List what may stand under the name of a group.

    >>> inside_of("rate_factors")[:2]
    ['first', 'hidden']
    """
    return [key.removeprefix(f"{group}.") for key in KEYS if key.startswith(f"{group}.")]


def path_of(home: KeyPath, key: str) -> KeyPath:
    """Tell where a key stands in a part of the file."""
    return (*home, *key.split("."))


def apart(values: Values) -> dict[str, Any]:
    """Take groups apart: their keys get a dot; what is no mapping stays as it is.

    >>> apart({"epochs": 3, "rate_factors": {"bias": 0.1}})
    {'epochs': 3, 'rate_factors.bias': 0.1}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = value if key in KEY_GROUPS and hasattr(value, "items") else {"": value}
        flat |= {f"{key}.{name}" if name else key: each for name, each in inner.items()}
    return flat


def together(values: Values) -> dict[str, Any]:
    """Turn `apart` round.

    >>> together({"epochs": 3, "rate_factors.bias": 0.1})
    {'epochs': 3, 'rate_factors': {'bias': 0.1}}
    """
    nested: dict[str, Any] = {}
    for key, value in values.items():
        head, dot, inner = key.partition(".")
        if dot:
            nested.setdefault(head, {})[inner] = value
        else:
            nested[key] = value
    return nested


def read_apart(document: Document, values: Values, path: KeyPath) -> dict[str, Any]:
    """Take the groups of a part of the file apart, and report those that are no mappings."""
    flat = apart(values)
    for key in sorted(set(flat) & set(KEY_GROUPS)):
        document.report((*path, key), wrong_group(key, flat.pop(key)))
    return flat


def wrong_group(key: str, value: Any) -> str:
    """Say what is wrong with the name of a group that is no mapping, or with an unknown key."""
    if key in KEY_GROUPS:
        return f"expected a mapping with keys such as {' and '.join(inside_of(key)[:2])}, got {shown(value)}"
    return f"unknown key; {nearest_key(key, KEYS)}"


def nearest_key(key: str, names: Collection[str]) -> str:
    """Say which of some keys is meant by one that does not exist; within a group, which of its own."""
    head, dot, inner = key.partition(".")
    return nearest(inner, inside_of(head)) if dot and head in KEY_GROUPS else nearest(key, names)
