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
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrtune.text.braces import BRACES
from lrtune.trainers.foreign.ending import LABELS, VALUE, Ending, Report
from lrtune.trainers.foreign.processes import PROGRAM_GRACE
from lrtune.trainers.foreign.run import FitRun, TrainingError
from lrtune.trainers.foreign.telling import TAIL, Reports, predictions_of, told_score

AGAIN = 75
"""Exit code of a program that asks to be run once more (EX_TEMPFAIL of sysexits.h)."""

_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.1


class AgainError(TrainingError):
    """The program asks to be run once more."""


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
    words = filled(said["command"], values)
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
    reports = Reports(Path(variables["report"]))
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
        values_told[VALUE] = told_score(said["report"], (run.folder, Path(folder)), _lines(log, start), began)
    predictions = predictions_of(Path(variables["predictions"]))
    if predictions is None and not values_told and not run.final:
        raise TrainingError(f"wrote nothing to LRTUNE_REPORT; the last lines of its output: {_tail(log, start)}")
    kind = LABELS if predictions is not None and predictions.dtype.kind == "U" else "outputs"
    return Ending(values_told, reports.curve, predictions, kind, run.scales)


def filled(words: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Put values in the place of names in braces.

    A parameter of a branch that a configuration does not take has no value: its option goes, with its name before it.

    >>> filled(["train", "--rate={rate}", "--gamma", "{gamma}", "--k={k}", "-c", "{rate}{k}"], {"rate": "0.1"})
    ['train', '--rate=0.1', '-c', '0.1']
    """
    found: list[str] = []
    for word in words:
        missing = [name for name in BRACES.findall(word) if name not in values]
        is_all = bool(missing) and word == f"{{{missing[0]}}}"
        if is_all and found and found[-1].startswith("-"):
            found.pop()
        if not (is_all or (missing and word.startswith("-"))):
            found.append(BRACES.sub(lambda name: values.get(name[1], ""), word))
    return found


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
    process: subprocess.Popen[bytes], reports: Reports, tell: Callable[[Report], None], obey: Callable[[], None]
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
        if getattr(part, key) is not None
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
