"""Whether another machine computes the same bits: what a worker must know of the process that gives out the work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lrtune.run.versions import kernels, versions

_COMPUTES = ("numpy", "scipy", "scikit-learn")
"""Libraries that decide bits; another version of them is like other kernels."""

_THREADS = "openmp"
"""Stands among the kernels where scikit-learn is loaded, and rounds nothing."""


def described(files: Iterable[Path]) -> dict[str, Any]:
    """Describe this process, and files that a worker must see as they are here."""
    return {"kernels": kernels(), "versions": versions(), "files": {str(each): _hash(each) for each in files}}


def likeness(about: Mapping[str, Any]) -> tuple[str, str]:
    """Compare this process with a described one.

    Returns
    -------
    tuple
        What it lacks to take part at all, and in what it computes differently; empty texts where there is nothing.

    """
    theirs, ours = about["versions"], versions()
    if theirs["lrtune"] != ours["lrtune"]:
        return f"has lrtune {ours['lrtune']} where the search has {theirs['lrtune']}", ""
    for path, found in about["files"].items():
        if _hash(Path(path)) != found:
            state = "is another file here" if Path(path).is_file() else "is not there"
            return f"needs what the search trains with, and {path} {state}", ""
    return "", "; ".join(_different(about["kernels"], theirs, ours))


def _different(kernels_there: Mapping[str, str], there: Mapping[str, str], here: Mapping[str, str]) -> Iterable[str]:
    for name, own in kernels().items():
        other = kernels_there.get(name, "")
        if _names(own) != _names(other):
            yield f"{name} {own} where the search has {other}"
    for name in _COMPUTES:
        if here[name] != there.get(name):
            yield f"{name} {here[name]} where the search has {there.get(name)}"


def _names(said: str) -> set[str]:
    return set(said.split(", ")) - {_THREADS}


def _hash(path: Path) -> str:
    """Hash a file (SHA-256); empty where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
