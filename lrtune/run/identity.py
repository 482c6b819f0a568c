"""What makes two runs the same: the fingerprint of an experiment and its data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from lrtune.run.versions import ENGINE

Canonical: TypeAlias = Mapping[str, Any]
"""What a result depends on, in JSON's types and nested, to be hashed, and compared key by key."""


def identity(
    experiment: Canonical | None,
    data: str | None,
    folds: str | None,
    engine: int | None = ENGINE,
    *,
    code: str | None = None,
    taken: Canonical | None = None,
) -> Canonical:
    """Everything a result depends on, in JSON's types.

    Parameters
    ----------
    experiment
        As `Experiment.canonical` describes it, without budgets.
    data, folds
        Hashes of what training sees of the table, and of the rows of every fold.
    engine
        Version of the engine.
    code
        Hash of the files that the experiment names as what trains; None if it names none.
    taken
        Hashes of what the run takes over from others (`lrtune.run.taken`); None if that is nothing.

    """
    known = {"experiment": experiment, "data": data, "folds": folds, "engine": engine}
    more = {"code": code, "taken": taken}
    return {**known, **{key: each for key, each in more.items() if each is not None}}


def fingerprint(found: Canonical) -> str:
    """Hash an `identity`: runs with equal fingerprints give equal results."""
    return hashlib.sha256(json.dumps(found, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_HASH = 64
"""Hexadecimal digits of a hash, of which a sentence shows the first."""


def differences(theirs: Canonical, ours: Canonical, prefix: str = "") -> list[str]:
    """List the keys in which two nested mappings differ, with both values; dimensions of a space are told by name.

    >>> differences({"seed": 0, "space": [{"name": "k", "low": 0.1}]}, {"space": [{"name": "k", "low": 0.2}]})
    ['seed (0 there, absent here)', 'space.k.low (0.1 there, 0.2 here)']
    """
    found = []
    for key in sorted({*theirs, *ours}):
        old, new = _by_name(theirs.get(key)), _by_name(ours.get(key))
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new or (key in theirs) != (key in ours):
            there, here = (_short(each[key]) if key in each else "absent" for each in (theirs, ours))
            found.append(f"{prefix}{key} ({there} there, {here} here)")
    return found


def _by_name(value: Any) -> Any:
    """Turn the list of a space's dimensions into a mapping, and tell the options of a choice from their dimensions."""
    if isinstance(value, Mapping) and "options" in value:
        values = [each["value"] for each in value["options"]]
        inside = {str(each["value"]): each["space"] for each in value["options"] if each["space"]}
        return {**value, "options": values, **inside}
    if isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) for each in value):
        return {each["name"]: {key: each[key] for key in each if key != "name"} for each in value}
    return value


def _short(value: Any) -> str:
    """Write a value so that it finds room in a sentence: of a dimension what it holds, of a space its dimensions."""
    value = _by_name(value)
    if isinstance(value, Mapping):
        held = [value[key] for key in ("options", "values") if key in value]
        value = held[0] if held else [value["low"], value["high"]] if "low" in value else list(value)
    text = json.dumps(value)
    if isinstance(value, str) and len(value) == _HASH:
        return value[:8]
    return text if len(text) <= 60 else text[:57] + "..."
