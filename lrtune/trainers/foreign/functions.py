"""A Python function that trains: a generator that yields reports, or a plain function that returns what came of it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lrtune.text.errors import encodable, nearest, reason
from lrtune.trainers.foreign.ending import Ending, Report, ask_for_predictions
from lrtune.trainers.foreign.run import FitRun, TrainingError

PREDICT = "predict"
"""Name of the function beside the one that trains, which serves `lrtune predict`."""


def found_function(spec: str, folder: str) -> tuple[ModuleType, Callable[..., Any]]:
    """Import a function by ``file.py:name`` or ``package.module:name``; files and packages are found in a folder.

    Raises
    ------
    TrainingError
        If there is no such file or function, or importing it fails.

    """
    where, _, name = spec.rpartition(":")
    module = _from_file(Path(folder) / where) if where.endswith(".py") else _by_name(where, folder)
    found = getattr(module, name, None)
    if not callable(found):
        functions = [key for key, each in vars(module).items() if callable(each) and not key.startswith("_")]
        raise TrainingError(
            f"{where} has no function '{name}'; {nearest(name, functions) if functions else 'it has none'}"
        )
    return module, found


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TrainingError(f"{path}: there is no such file")
    sys.path.insert(0, str(path.parent.resolve()))
    made = importlib.util.spec_from_file_location(path.stem, path)
    assert made is not None
    assert made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules[path.stem] = module
    with _explained(f"{path.name} cannot be imported"):
        made.loader.exec_module(module)
    return module


def _by_name(name: str, folder: str) -> ModuleType:
    sys.path.insert(0, str(Path(folder).resolve()))
    if name == "__main__":
        raise TrainingError(
            "a function of a notebook or of the program itself cannot be found by other processes; "
            "write it into a file (in a notebook by %%writefile train.py as the first line of its cell), "
            "and give train.py:train"
        )
    with _explained(f"{name} cannot be imported"):
        return importlib.import_module(name)


class _explained:  # noqa: N801 - reads as what it does
    """Turn whatever importing raises into one sentence."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt):
            traceback.print_exception(error)
            raise TrainingError(f"{self.what}: {told(error)}") from error


def told(error: BaseException) -> str:
    """Say what an error is and where it was raised, in the code of the user if that is among the callers."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "lrtune/trainers" not in each.filename]
    own = [each for each in frames if "site-packages" not in each.filename and "/lib/python" not in each.filename]
    place = (own or frames)[-1] if frames else None
    where = f" ({Path(place.filename).name}, line {place.lineno})" if place else ""
    return f"{type(error).__name__}: {reason(error)}{where}"


def trained(function: Callable[[FitRun], Any], run: FitRun, tell: Callable[[Report], None]) -> Ending:
    """Run a function to its end; `tell` is called after every report, and may raise in order to stop it."""
    made = function(run)
    last: Any = {}
    count, curve = 0, []
    if inspect.isgenerator(made):
        try:
            while True:
                try:
                    found = next(made)
                except StopIteration as end:
                    made_last = end.value
                    break
                count += 1
                report = checked(found, run.epoch_of(count))
                if run.watches:
                    _watch(run, report)
                last = found
                curve.append(report)
                tell(report)
        finally:
            made.close()
    else:
        made_last = made
        if isinstance(made, Mapping):
            last, made_last = made, None
            curve.append(checked(last, run.epoch_of(1)))
    return ask_for_predictions(made_last, last, curve, run.scales)


def _watch(run: FitRun, report: Report) -> None:
    if "monitor" not in report.values:
        raise TrainingError(
            f"decay {run['decay']} watches a loss: every report needs 'monitor', the loss on run.monitor"
        )
    run.watch(report.values["monitor"], report.epoch)


def checked(found: Any, epoch: int) -> Report:
    """Read a report: numbers by name; predictions in it are left where they are."""
    if not isinstance(found, Mapping):
        raise TrainingError(f"reported {_short(found)}; expected a mapping such as {{'loss': 0.4}}")
    values = {}
    for key, value in found.items():
        if key == "predictions":
            continue
        try:
            values[encodable(str(key))] = float(_not_truth(value))
        except (TypeError, ValueError):
            raise TrainingError(f"reported {key} = {_short(value)}; expected a number") from None
    return Report(epoch, values)


def _not_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def numbers(report: Report) -> Iterator[tuple[str, float | None]]:
    """List what a report says, in JSON's types."""
    return ((key, value if math.isfinite(value) else None) for key, value in report.values.items())
