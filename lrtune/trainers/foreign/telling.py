"""What a program tells: lines of its report file, a score in a file or an output of its own, predictions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrtune.arrays import Array
from lrtune.text.errors import nearest, reason
from lrtune.trainers.foreign.ending import Report
from lrtune.trainers.foreign.run import TrainingError

TAIL = 20
"""Lines of a program's output that say why it failed."""


class Reports:
    """The lines of the report file, as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.curve: list[Report] = []
        self._read = 0
        self._rest = b""

    def new(self) -> Iterator[Report]:
        """Read what has been appended, as far as lines are whole."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except FileNotFoundError:
            return
        self._read += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            if line.strip():
                self.curve.append(self._report(line))
                yield self.curve[-1]

    def _report(self, line: bytes) -> Report:
        number = len(self.curve) + 1
        try:
            found = json.loads(line)
        except ValueError:
            raise TrainingError(
                f"line {number} of LRTUNE_REPORT is no JSON: {line.decode(errors='replace')[:80]}"
            ) from None
        if not isinstance(found, dict):
            raise TrainingError(f'line {number} of LRTUNE_REPORT is no object such as {{"loss": 0.4}}')
        values = {
            str(key): float(each)
            for key, each in found.items()
            if isinstance(each, int | float) and not isinstance(each, bool)
        }
        epoch = found.get("epoch")
        return Report(epoch if isinstance(epoch, int) and epoch > 0 else number, values)


def told_score(said: Mapping[str, str], folders: Sequence[Path], lines: Sequence[str], began: float) -> float:
    """Find the score of a program that does not know lrtune: in a file of its own, or in its output."""
    if "pattern" in said:
        found = [match[1] for line in lines if (match := re.search(said["pattern"], line))]
        if not found:
            last = " | ".join(lines[-TAIL:])
            raise TrainingError(f"'{said['pattern']}' matches none of {len(lines)} lines of output; the last: {last}")
        return _number(found[-1], f"what '{said['pattern']}' matches")
    name = said.get("file", "metrics.json")
    path = next((each / name for each in folders if _is_new(each / name, began)), None)
    if path is None:
        raise TrainingError(f"{name} was not written, neither in LRTUNE_FOLDER nor in {folders[1]}")
    try:
        text = path.read_text(encoding="utf-8").strip()
        found_value: Any = json.loads(text.splitlines()[-1] if path.suffix == ".jsonl" else text)
    except (ValueError, IndexError) as error:
        raise TrainingError(f"{name} is no JSON ({reason(error)})") from error
    for part in said["key"].split("."):
        if not isinstance(found_value, dict) or part not in found_value:
            keys = sorted(found_value) if isinstance(found_value, dict) else []
            raise TrainingError(
                f"{name} has no '{said['key']}'; {nearest(part, keys) if keys else 'it has no keys there'}"
            )
        found_value = found_value[part]
    return _number(found_value, f"'{said['key']}' of {name}")


def _is_new(path: Path, began: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= began - 1.0


def _number(value: Any, called: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TrainingError(f"{called} is {value!r}; expected a number") from None


def predictions_of(path: Path) -> Array | None:
    """Read predictions, if the program wrote any."""
    for each in (path, path.with_suffix(".npy"), path.with_suffix(".csv")):
        if each.is_file():
            break
    else:
        return None
    try:
        content = each.open("rb").read(6)
        if content.startswith(b"\x93NUMPY"):
            return np.asarray(np.load(each, allow_pickle=False))
        rows = [line.split(",") for line in each.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise TrainingError(f"{each.name} cannot be read ({reason(error)})") from error
    try:
        found = np.array([[float(cell) for cell in row] for row in rows])
        return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
    except ValueError:
        return np.array([row[0].strip() for row in rows])
