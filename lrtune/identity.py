"""What makes two runs the same: the fingerprint of an experiment and its data, and the folder that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrtune.experiment import Experiment
from lrtune.preparation import Prepared
from lrtune.versions import ENGINE


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


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], prefix: str = "") -> list[str]:
    """List the keys in which two nested mappings differ, with both values."""
    found = []
    for key in sorted({*theirs, *ours}):
        old, new = theirs.get(key), ours.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key} ({_short(old)} there, {_short(new)} here)")
    return found


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
