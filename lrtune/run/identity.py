"""What makes two runs the same: the fingerprint of an experiment and its data, and the folder that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrtune.experiment import Experiment
from lrtune.run.versions import ENGINE
from lrtune.trainers.preparation import Prepared


def identity(experiment: Experiment, prepared: Prepared) -> dict[str, Any]:
    """Everything a result depends on, in JSON's types: experiment without budgets, data, folds, engine version."""
    return {
        "experiment": experiment.canonical(),
        "data": prepared.data_hash,
        "folds": prepared.folds_hash,
        "engine": ENGINE,
    }


def fingerprint(experiment: Experiment, prepared: Prepared) -> str:
    """Hash the `identity`: runs with equal fingerprints give equal results."""
    text = json.dumps(identity(experiment, prepared), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def run_folder(experiment: Experiment, prepared: Prepared, output: Path | None = None) -> Path:
    """Name the folder of the run: ``output``, or ``runs/<name>-<8 hex digits of the fingerprint>``."""
    return output or Path("runs") / f"{experiment.name}-{fingerprint(experiment, prepared)[:8]}"


_HASH = 64
"""Hexadecimal digits of a hash, of which a sentence shows the first."""


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], prefix: str = "") -> list[str]:
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
