"""A program that trains: it is told by files and variables, and tells by lines of a file.

Variables, and the same names in braces within the command:

======================  ==============================================================================================
``LRTUNE_CONFIG``       the configuration, a JSON file
``LRTUNE_RATES``        the rate of every update, a number on each line
``LRTUNE_REPORT``       where the program appends its reports, a JSON object on each line
``LRTUNE_PREDICTIONS``  where it may write predictions of the validation rows, ``.csv`` without a header or ``.npy``
``LRTUNE_TRAIN``        row numbers to train on, counted from 0, one on each line
``LRTUNE_VALIDATION``   row numbers that are scored
``LRTUNE_ARRAYS``       the same rows encoded, an npz file: ``train_X``, ``train_y``, ``validation_X``, ``validation_y``
``LRTUNE_DATA``         the table
``LRTUNE_FOLDER``       for files of this fit; one that is tried again finds what it has left there
``LRTUNE_FOLD``         number of the fold from 1; 0 at the end, on all rows
``LRTUNE_SEED``         of everything random
``LRTUNE_EPOCHS``       the horizon, if there is one
======================  ==============================================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrtune.arrays import Array
from lrtune.text.errors import nearest, reason
from lrtune.trainers.foreign.ending import LABELS, VALUE, Ending, Report
from lrtune.trainers.foreign.processes import PROGRAM_GRACE
from lrtune.trainers.foreign.run import FitRun, TrainingError

AGAIN = 75
"""Exit code of a program that asks to be run once more (EX_TEMPFAIL of sysexits.h)."""

TAIL = 20
"""Lines of a program's output that say why it failed."""

_PLACES = ("config", "rates", "report", "predictions", "train", "validation", "arrays", "data", "folder", "fold")
_NAMES = (*_PLACES, "seed", "epochs", "python")
_BRACES = re.compile(r"\{([A-Za-z_][\w-]*)\}")

_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.1


class AgainError(TrainingError):
    """The program asks to be run once more."""


def described(words: Sequence[str], names: Sequence[str]) -> list[tuple[str, str]]:
    """Say what is wrong with a command before it is run: names in braces that nothing stands for."""
    known = {*names, *_NAMES}
    return [
        ("", f"{{{name}}} in the command is no parameter; {nearest(name, sorted(known))}")
        for word in words
        for name in _BRACES.findall(word)
        if name not in known
    ]


def trained(
    said: Mapping[str, Any],
    run: FitRun,
    *,
    data: str,
    folder: str,
    tell: Callable[[Report], None],
    obey: Callable[[], None],
    started: Callable[[int], None],
) -> Ending:
    """Run a command to its end; `tell` is called after every report, `obey` often: it raises in order to stop it."""
    variables = _variables(run, data)
    for name in ("report", "predictions"):
        Path(variables[name]).unlink(missing_ok=True)
    values = {**{key: _text(each) for key, each in run.configuration.items()}, **variables, "python": sys.executable}
    words = [_BRACES.sub(lambda found: values.get(found[1], found[0]), word) for word in said["command"]]
    environment = {**os.environ, **{f"LRTUNE_{key.upper()}": each for key, each in variables.items()}}
    log = run.folder / "log.txt"
    began = time.time()
    with log.open("ab") as output:
        start = output.tell()
        try:
            process = subprocess.Popen(  # noqa: S603 - the experiment names the program, and a search says that it runs it
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it takes no lock
            )
        except OSError as error:
            raise TrainingError(f"{words[0]} cannot be run: {error.strerror}") from error
    started(process.pid)
    reports = _Reports(Path(variables["report"]))
    try:
        code = _followed(process, reports, tell, obey)
    finally:
        stop(process, float(said.get("grace", PROGRAM_GRACE)))
    if code == AGAIN:
        raise AgainError(f"exit code {AGAIN}: the program asks to be run once more")
    if code:
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise TrainingError(f"{cause}; the last lines of its output: {_tail(log, start)}")
    values_told = dict(reports.curve[-1].values) if reports.curve else {}
    if "report" in said:
        values_told[VALUE] = _reported(said["report"], (run.folder, Path(folder)), _lines(log, start), began)
    predictions = _predictions(Path(variables["predictions"]))
    if predictions is None and not values_told and not run.final:
        raise TrainingError(f"wrote nothing to LRTUNE_REPORT; the last lines of its output: {_tail(log, start)}")
    kind = LABELS if predictions is not None and predictions.dtype.kind == "U" else "outputs"
    return Ending(values_told, reports.curve, predictions, kind, run.scales)


def stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a program and all it has started: SIGTERM, some time, SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent() -> None:
    """Let the kernel end the program if this process is killed."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _followed(
    process: subprocess.Popen[bytes], reports: _Reports, tell: Callable[[Report], None], obey: Callable[[], None]
) -> int:
    wait = _FIRST_WAIT
    while True:
        code = process.poll()
        for each in reports.new():
            tell(each)
        if code is not None:
            return code
        obey()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


class _Reports:
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
        values = {str(key): float(each) for key, each in found.items() if isinstance(each, int | float)}
        epoch = found.get("epoch")
        return Report(epoch if isinstance(epoch, int) and epoch > 0 else number, values)


def _variables(run: FitRun, data: str) -> dict[str, str]:
    """Write the files that tell a program what to do, and name them."""
    folder = run.folder
    config = folder / "config.json"
    config.write_text(json.dumps(dict(run.configuration), indent=1) + "\n", encoding="utf-8")
    shared = folder.parent.parent / "folds"
    places = {
        "config": config,
        "report": folder / "report.jsonl",
        "predictions": folder / "predictions",
        "train": shared / f"fold-{run.fold}-train.txt",
        "validation": shared / f"fold-{run.fold}-validation.txt",
        "arrays": shared / f"fold-{run.fold}.npz",
        "folder": folder,
    }
    _write_rows(run, places)
    variables = {key: str(each.resolve()) for key, each in places.items()}
    if "learning_rate" in run:
        rates = folder / "rates.txt"
        rates.write_text("".join(f"{each!r}\n" for each in run.rates.tolist()), encoding="utf-8")
        variables["rates"] = str(rates.resolve())
    epochs = {"epochs": str(run.epochs)} if "epochs" in run else {}
    return {**variables, "data": data, "fold": str(run.fold), "seed": str(run.seed), **epochs}


def _write_rows(run: FitRun, places: Mapping[str, Path]) -> None:
    """Write the rows of a fold, unless another fit has."""
    if all(places[key].exists() for key in ("train", "validation", "arrays")) and not run.final:
        return
    places["arrays"].parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}_{key}": getattr(part, key)
        for name, part in (("train", run.train), ("validation", run.validation))
        for key in ("X", "y")
    }
    temporary = places["arrays"].with_name(f"{places['arrays'].stem}.{os.getpid()}.npz")
    np.savez(temporary, allow_pickle=False, **arrays)
    temporary.replace(places["arrays"])
    for name, part in (("train", run.train), ("validation", run.validation)):
        temporary = places[name].with_suffix(f".{os.getpid()}")
        temporary.write_text("".join(f"{each}\n" for each in part.indices.tolist()), encoding="utf-8")
        temporary.replace(places[name])


def _text(value: Any) -> str:
    """Write a value into a command."""
    return json.dumps(value) if isinstance(value, bool | list | tuple) or value is None else str(value)


def _lines(log: Path, start: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace").splitlines()


def _tail(log: Path, start: int) -> str:
    lines = [each.rstrip() for each in _lines(log, start) if each.strip()]
    return " | ".join(lines[-TAIL:]) or "(none)"


def _reported(said: Mapping[str, str], folders: Sequence[Path], lines: Sequence[str], began: float) -> float:
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


def _predictions(path: Path) -> Array | None:
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
