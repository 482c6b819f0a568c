"""One fit: the process that runs it, its folder, what is kept of it, and when it is tried again.

A fit of a function or a command has a folder, ``fits/<trial>/fold-<k>`` in that of the run. Once it is done, its ending
stands there, so that a search that was interrupted does not train it again; what else it has left goes, unless the
experiment says ``keep: true``.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import FITS, Array, stream
from lrtune.data.raw_frames import RawRows
from lrtune.engines.contract import FailedError
from lrtune.space.trial import LOGGED, Configuration
from lrtune.text.errors import encodable
from lrtune.trainers.contract import Foreign, Setting
from lrtune.trainers.foreign import messages
from lrtune.trainers.foreign.ending import Ending, Report
from lrtune.trainers.foreign.messages import Message
from lrtune.trainers.foreign.processes import CodeProcess, DiedError
from lrtune.training.registry import ESTIMATOR
from lrtune.training.tasks import Fold

KEPT = ("log.txt", "reports.jsonl", "ending")
"""Files of lrtune in the folder of a fit."""

ATTEMPTS = 2
"""A fit whose process was killed is tried once more: that may have been nothing it has done."""

_SHORTEST_LOG = 1


class Asked(NamedTuple):
    """A fit that is wanted.

    Attributes
    ----------
    place
        Of the fold among those that a process knows.
    configuration
        A complete one.
    trial, fold
        Numbers; the fold counts from 1, and is 0 for all rows.
    streams
        Number of the random streams.
    scales
        What the rates of each epoch are multiplied by, where that is known.
    final
        Whether it is the training on all rows.
    seconds
        What the search has left for it.

    """

    place: int
    configuration: Configuration
    trial: int
    fold: int
    streams: int
    scales: tuple[float, ...] = ()
    final: bool = False
    seconds: float = math.inf


class EndedFit(NamedTuple):
    """What came of a fit, and what is to be kept of an estimator."""

    ending: Ending
    content: bytes = b""


class Keeper:
    """The process of this worker, started when it is needed and replaced when it is not what it was."""

    def __init__(self) -> None:
        self.process: CodeProcess | None = None
        self.about: object = None
        self.foreign: Foreign | None = None

    def get(self, setting: Setting) -> CodeProcess:
        """Give a process that runs the code of a setting; one that knows other folds forgets them."""
        foreign = setting.foreign
        assert foreign is not None
        about = (setting.trainer, setting.metric, foreign._replace(folder=None, targets=None, rows=(), columns=None))  # type: ignore[arg-type]
        if self.process is None or not self.process.is_alive or self.about != about:
            self.close()
            self.process, self.about = CodeProcess(setting.trainer, foreign, setting.metric), about
        elif self.foreign is not foreign:
            self.process.folds.clear()
        self.foreign = foreign
        return self.process

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process = None


KEEPER = Keeper()


def fitted(setting: Setting, asked: Asked, arrays: Mapping[str, Array]) -> EndedFit:
    """Run a fit, or remember one.

    Parameters
    ----------
    setting
        What is trained.
    asked
        Which fit.
    arrays
        Of its fold, sent to a process that does not know it yet.

    Raises
    ------
    FailedError
        With the reason why there is no ending.
    OverdueError
        If the block's time is up.

    """
    foreign = setting.foreign
    assert foreign is not None
    folder = _folder(setting, foreign, asked)
    name = _name(setting, asked)
    if (known := _remembered(folder, name)) is not None:
        return known
    message = _tried(setting, foreign, asked, arrays, folder)
    found = EndedFit(_ending(message), message.arrays.get("content", np.empty(0, np.uint8)).tobytes())
    if folder is not None and not asked.final:
        _remember(folder, name, message, keep=bool(foreign.said.get("keep", False)))
    return found


def _tried(
    setting: Setting, foreign: Foreign, asked: Asked, arrays: Mapping[str, Array], folder: Path | None
) -> Message:
    """Run a fit as often as it may be tried."""
    retries, deaths, failure = int(foreign.said.get("retry", 0)), 0, ""
    attempt, is_healed = 0, False
    while attempt < retries + ATTEMPTS:
        process: CodeProcess | None = None
        try:
            process = KEEPER.get(setting)
            if asked.place not in process.folds:
                process.ask({"do": "fold", "place": asked.place}, arrays)
                process.folds.append(asked.place)
            message = _asked(process, setting, asked, folder)
        except DiedError as error:
            KEEPER.close()
            deaths, failure = deaths + 1, str(error)
            attempt += 1
            if deaths >= ATTEMPTS and attempt > retries:
                break
        except FailedError as error:
            # What failed may have spoilt its process, or was spoilt by a fit before it: a fresh one tells.
            failure = str(error)
            is_used = process is not None and process.is_alive and process.fits > 1
            KEEPER.close()
            if is_used and not is_healed:
                is_healed = True
                continue
            attempt += 1
            if attempt > retries:
                break
        except BaseException:
            KEEPER.close()
            raise
        else:
            if message.said["is"] != "again":
                if process.grew(message.said.get("memory", 0)):
                    KEEPER.close()
                return message
            failure, attempt = str(message.said["reason"]), attempt + 1
    if folder is not None:
        with contextlib.suppress(OSError):
            (folder / "ending").touch()  # of nothing: it has ended, and there is nothing to remember
    where = "" if asked.final else f"fold {asked.fold}: "
    raise FailedError(encodable(f"{where}{failure}{_log_hint(folder)}"))


def _asked(process: CodeProcess, setting: Setting, asked: Asked, folder: Path | None) -> Message:
    foreign = setting.foreign
    assert foreign is not None
    log = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for each in ("reports.jsonl", "ending"):
            (folder / each).unlink(missing_ok=True)
        log = folder / "log.txt"
    process.fits += 1
    process.ask({"do": "fit", "folder": None if folder is None else str(folder.resolve()), **_said(setting, asked)})
    own = float(foreign.said.get("timeout", math.inf))
    if asked.seconds < own:
        return process.wait(asked.seconds, log, limit="what --timeout had left for it")
    return process.wait(own, log)


def _said(setting: Setting, asked: Asked) -> dict[str, Any]:
    return {
        **asked._asdict(),
        "configuration": dict(asked.configuration),
        "stream_seed": setting.seed,
        "seed": int(stream(setting.seed, FITS, asked.streams).integers(2**31)),
    }


def arrays_of(fold: Fold, foreign: Foreign, place: int) -> dict[str, Array]:
    """Give the arrays of a fold as a process takes them: features, codes or values, row numbers."""
    parts = zip(("train", "validation"), foreign.rows[place], (fold.features, fold.validation_features), strict=True)
    found: dict[str, Array] = {}
    for name, rows, features in parts:
        found |= {f"{name}_targets": foreign.targets[rows], f"{name}_rows": rows}
        if foreign.shape is None or foreign.columns is None:
            found[f"{name}_X"] = features[:]
        else:
            found |= raw(name, foreign.shape.transform(foreign.columns, rows))
    return found


def raw(name: str, rows: RawRows) -> dict[str, Array]:
    """Name the arrays of rows that a process makes a data frame of."""
    return {f"{name}_numeric": rows.numeric, f"{name}_codes": rows.codes}


def _ending(message: Message) -> Ending:
    said = message.said
    curve = [Report(epoch, values) for epoch, values in said["curve"]]
    return Ending(said["values"], curve, message.arrays.get("predictions"), said["kind"], tuple(said["scales"]))


def _folder(setting: Setting, foreign: Foreign, asked: Asked) -> Path | None:
    """Name the folder of a fit; an estimator has none."""
    if setting.trainer == ESTIMATOR or foreign.folder is None:
        return None
    if asked.final:
        return Path(foreign.folder) / "final" / "all"
    epochs = asked.configuration.get("epochs")
    horizon = "" if epochs is None else f"-epochs-{epochs}"
    return Path(foreign.folder) / f"{asked.trial:04d}" / f"fold-{asked.fold}{horizon}"


def _name(setting: Setting, asked: Asked) -> str:
    """Hash what an ending depends on within a run."""
    said = {**_said(setting, asked), "metric": setting.metric}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _remembered(folder: Path | None, name: str) -> EndedFit | None:
    if folder is None:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError):
        message = messages.read(io.BytesIO((folder / "ending").read_bytes()))
        if message is not None and message.said.get("name") == name:
            return EndedFit(_ending(message))
    return None


def _remember(folder: Path, name: str, message: Message, *, keep: bool) -> None:
    content = io.BytesIO()
    messages.write(content, {**message.said, "name": name}, message.arrays)
    try:
        (folder / "ending.new").write_bytes(content.getvalue())
        (folder / "ending.new").replace(folder / "ending")
    except OSError:  # a full disk: the journal will say so
        return
    for each in () if keep else _others(folder):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


def _others(folder: Path) -> Iterator[Path]:
    for each in list(folder.iterdir()):
        empty = each.name == "log.txt" and each.stat().st_size < _SHORTEST_LOG
        if each.name not in KEPT or empty:
            yield each


def _log_hint(folder: Path | None) -> str:
    if folder is None or not (folder / "log.txt").is_file() or not (folder / "log.txt").stat().st_size:
        return ""
    return f"{LOGGED}{folder.parent.parent.name}/{folder.parent.name}/{folder.name}/log.txt"
