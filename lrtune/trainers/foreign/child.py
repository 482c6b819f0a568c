"""The process in which somebody else's code runs, one fit at a time; `lrtune.trainers.foreign.processes` starts it.

Its standard input and output are the worker's questions and its own answers; what the code prints goes to a log of the
fit. Where the worker is gone, the process ends, with all that it has started.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from lrtune.arrays import Array
from lrtune.data.raw_frames import FrameShape, RawRows
from lrtune.space.trial import frozen
from lrtune.trainers.foreign import commands, devices, estimators, functions, loading, messages, surroundings
from lrtune.trainers.foreign.ending import Ending, Report, as_array
from lrtune.trainers.foreign.run import FitRows, FitRun, TrainingError
from lrtune.trainers.foreign.surroundings import FitStoppedError, logged, peak_memory, seed
from lrtune.training.registry import DATA_KEYS, ESTIMATOR, FUNCTION, SCHEDULED


class Child:
    """What a worker has told this process, and how it is answered."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self.questions, self.answers = questions, answers
        self.inbox: queue.Queue[messages.Message] = queue.Queue()
        self.about: Mapping[str, Any] = {}
        self.folds: dict[int, tuple[Mapping[str, Any], Mapping[str, Array]]] = {}
        self.function: Any = None
        self.module: Any = None
        self.device = "cpu"
        self.loaded: loading.Loaded | None = None
        self.shape: FrameShape | None = None
        self.program: int | None = None
        self.pid = os.getpid()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Take questions as they come; at their end nobody is there any more."""
        while (message := messages.read(self.questions)) is not None:
            self.inbox.put(message)
        if self.program is not None:
            with contextlib.suppress(OSError):
                os.killpg(self.program, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    def answer(self, said: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Tell the worker something; a process that the code has forked, and that comes back to here, has no say."""
        if os.getpid() != self.pid:
            os._exit(0)
        messages.write(self.answers, said, arrays)

    def serve(self) -> None:
        """Answer questions, one after the other."""
        while True:
            said, arrays = self.inbox.get()
            if said["do"] == "stop":  # it came too late
                continue
            try:
                getattr(self, f"do_{said['do']}")(said, arrays)
            except FitStoppedError:
                self.answer({"is": "stopped"})
            except commands.AgainError as error:
                self.answer({"is": "again", "reason": str(error)})
            except TrainingError as error:
                traceback.print_exc()
                self.answer({"is": "failed", "reason": str(error)})
            except MemoryError:
                self.answer({"is": "failed", "reason": "out of memory"})
            except BaseException as error:  # noqa: BLE001 - whatever the code raises costs its fit and nothing else
                traceback.print_exception(error)
                self.answer({"is": "failed", "reason": functions.told(error)})

    def do_open(self, said: Mapping[str, Any], _arrays: Mapping[str, Array]) -> None:
        """Learn what is trained; import it."""
        self.about = said
        settings = said["said"]
        self.device = devices.take(settings.get("resources", {}).get("gpus", 0))
        if said["kind"] == FUNCTION:
            self.module, self.function = functions.found_function(settings[FUNCTION], said["folder"])
        elif said["kind"] == ESTIMATOR:
            sys.path.append(said["folder"])  # a class of one's own
            estimators.classes_of(settings[ESTIMATOR])
        if said["frame"] is not None:
            self.shape = FrameShape.from_dict(said["frame"])
        if said["loader"]:
            self.loaded = loading.load(said["loader"], said["folder"])
        self.answer({"is": "open"})

    def do_load(self, _said: Mapping[str, Any], _arrays: Mapping[str, Array]) -> None:
        """Tell what the worker needs of the rows."""
        assert self.loaded is not None
        self.answer({"is": "loaded"}, self.loaded.table())

    def do_describe(self, said: Mapping[str, Any], _arrays: Mapping[str, Array]) -> None:
        """Look at what is trained before it is."""
        kind, settings = self.about["kind"], self.about["said"]
        defaults: dict[str, Any] = {}
        wrong: list[tuple[str, str]] = []
        if kind == ESTIMATOR:
            asked = {"task": self.about["task"], "metric": self.about["metric"]}
            default = {key: frozen(value) for key, value in said["default"].items()}
            fixed = estimators.own(default, scheduled=settings[ESTIMATOR][-1][1] in SCHEDULED)
            defaults, wrong = estimators.described(settings[ESTIMATOR], said["names"], fixed, **asked)
        self.answer({"is": "described", "defaults": defaults, "wrong": wrong})

    def do_fold(self, said: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Keep the arrays of a fold."""
        self.folds[said["place"]] = said, arrays

    def do_fit(self, said: Mapping[str, Any], _arrays: Mapping[str, Array]) -> None:
        """Train one configuration on one fold."""
        folder = Path(said["folder"]) if said["folder"] else None
        with logged(folder):
            seed(said["seed"])
            run = self.run(said, folder)
            found, more = self.trained(run, self.folds[said["place"]][1]["train_targets"].copy())
        arrays = {} if found.predictions is None else {"predictions": found.predictions}
        self.answer({"is": "done", **_plain(found), "memory": peak_memory()}, {**arrays, **more})

    def do_predict(self, said: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Let the code predict rows with what it saved."""
        if self.about["kind"] != FUNCTION:
            raise TrainingError(
                "a program that trains has no way to predict here; it has saved its files in model/files"
            )
        predict = getattr(self.module, functions.PREDICT, None)
        if predict is None:
            raise TrainingError("there is no function predict(run, X) beside it")
        self.folds[-1] = {}, {**arrays}
        with logged(None):
            run = self.run(said, Path(said["folder"]))
            found = as_array(predict(run, run.validation.X))
        self.answer(
            {"is": "done", "kind": "labels" if found.dtype.kind in "USb" else "outputs"}, {"predictions": found}
        )

    def run(self, said: Mapping[str, Any], folder: Path | None) -> FitRun:
        """Make what a function is given."""
        _, arrays = self.folds[said["place"]]
        train, validation = (self.part(arrays, name) for name in ("train", "validation"))
        classes = self.about["classes"]
        return FitRun(
            {key: frozen(value) for key, value in said["configuration"].items() if key not in DATA_KEYS},
            train,
            validation,
            seed=said["seed"],
            stream_seed=said["stream_seed"],
            index=said["streams"],
            folder=folder or Path(),
            task=self.about["task"],
            classes=classes,
            fold=said["fold"],
            trial=said["trial"],
            final=said["final"],
            device=self.device,
            scales=said["scales"],
            scheduled=self.about["kind"] != ESTIMATOR or self.about["said"][ESTIMATOR][-1][1] in SCHEDULED,
        )

    def part(self, arrays: Mapping[str, Array], name: str) -> FitRows:
        """Copy the rows of a fold, of what the worker has sent or of what was loaded: code may change its arrays."""
        rows, targets = arrays[f"{name}_rows"].copy(), arrays[f"{name}_targets"].copy()
        classes = self.about["classes"]
        if self.loaded is not None and said_rows(arrays):
            y = None if self.loaded.y is None else self.loaded.y[rows]
            return FitRows(self.loaded.rows(rows), y, rows)
        labels = np.array(classes)[targets] if classes else targets
        return FitRows(self.features(arrays, name), labels, rows)

    def features(self, arrays: Mapping[str, Array], name: str) -> Any:
        """Take the features of some rows: encoded, or as a data frame."""
        if self.shape is None:
            return arrays[f"{name}_X"].copy()
        return self.shape.frame(RawRows(arrays[f"{name}_numeric"], arrays[f"{name}_codes"]))

    def trained(self, run: FitRun, targets: Array) -> tuple[Ending, dict[str, Array]]:
        """Train by what was opened; at the end also what is to be kept of an estimator."""
        kind, settings, metric = self.about["kind"], self.about["said"], self.about["metric"]
        tell = self.telling(run)
        if kind == ESTIMATOR:
            estimator = estimators.trained(settings[ESTIMATOR], run, targets, tell)
            found = estimators.ending(estimator, run, metric)
            return found, {"content": np.frombuffer(_dumped(estimator), np.uint8)} if run.final else {}
        if kind == FUNCTION:
            return functions.trained(self.function, run, tell), {}
        place = {"data": self.about["data"], "folder": self.about["folder"]}
        try:
            return commands.trained(settings, run, **place, tell=tell, obey=self.obey, started=self.began), {}
        finally:
            self.program = None

    def began(self, program: int) -> None:
        """Remember a program, so that it ends with this process; the worker may have to end it, too."""
        self.program = program
        self.answer({"is": "began", "group": program})

    def obey(self) -> None:
        """Give up if the worker wants the fit to end.

        Raises
        ------
        FitStoppedError
            If it does.

        """
        if not self.inbox.empty() and self.inbox.get().said["do"] == "stop":
            raise FitStoppedError

    def telling(self, run: FitRun) -> Any:
        """Make what is called after every report: it is written down, and the fit may be stopped."""
        path = run.folder / "reports.jsonl" if self.about["kind"] != ESTIMATOR else None

        def tell(report: Report) -> None:
            if path is not None:
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"epoch": report.epoch, **dict(functions.numbers(report))}) + "\n")
            self.obey()

        return tell


def said_rows(arrays: Mapping[str, Array]) -> bool:
    """Tell whether rows are those of the table; a model that predicts is given others."""
    return bool(len(arrays["train_rows"]))


def _plain(found: Ending) -> dict[str, Any]:
    curve = [(each.epoch, dict(each.values)) for each in found.curve]
    return {"values": dict(found.values), "curve": curve, "kind": found.kind, "scales": list(found.scales)}


def _dumped(estimator: Any) -> bytes:
    """Write an estimator without pickle."""
    import skops.io

    try:
        return bytes(skops.io.dumps(estimator))
    except Exception as error:
        raise TrainingError(f"{type(estimator).__name__} cannot be saved without pickle: {error}") from error


def main() -> None:
    """Serve the worker that started this process."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)  # whatever prints must not answer
    surroundings.IS_INSIDE = True
    Child(questions, answers).serve()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, subprocess.SubprocessError):
        main()
