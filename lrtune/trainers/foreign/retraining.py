"""Before and after the search: what is said of a trainer before it trains, its fit on all rows, and its model."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Array, Floats
from lrtune.data.encoding import problem_of
from lrtune.data.raw_frames import FrameShape, RawRows
from lrtune.engines.contract import FailedError
from lrtune.model import Model
from lrtune.model.fitting import FINAL, encoded
from lrtune.model.foreign import TrainedEstimator, TrainedProgram
from lrtune.space.trial import Configuration, Value, frozen
from lrtune.text.errors import DataError, ModelError, NoUsableResultError
from lrtune.trainers.contract import Foreign, Retraining, Setting
from lrtune.trainers.foreign.ending import Ending
from lrtune.trainers.foreign.fits import KEEPER, Asked, EndedFit, arrays_of, fitted, raw
from lrtune.trainers.foreign.predictions import predicted, told_score
from lrtune.trainers.foreign.processes import DiedError
from lrtune.training.metrics.scoring import keep, score
from lrtune.training.registry import ESTIMATOR
from lrtune.training.tasks import Problem

_PLACE = -1
"""Of all rows, among the folds that a process knows."""


def described(
    setting: Setting, names: Sequence[str], default: Configuration
) -> tuple[Mapping[str, Value], Sequence[tuple[str, str]]]:
    """Start the code and look at it: values of its default configuration, and what is wrong with the experiment."""
    try:
        process = KEEPER.get(setting)
        process.ask({"do": "describe", "names": list(names), "default": dict(default)})
        said = process.wait().said
    except (FailedError, DiedError) as error:
        return {}, [("", str(error))]
    return {key: frozen(each) for key, each in said["defaults"].items()}, [(key, each) for key, each in said["wrong"]]


def loaded(kind: str, said: Mapping[str, Any], called: str, base: str, loader: str) -> Mapping[str, Array]:
    """Let a function load the rows: their numbers as features ``X (N, D)``, ``y``, and perhaps groups and times.

    Raises
    ------
    DataError
        If it cannot be run, or returns something else.

    """
    foreign = Foreign(said, called, base, "", None, "", (), np.empty(0), (), loader)
    setting = Setting((), Problem("squared", 1, 0), "", 0, "float32", kind, foreign)
    try:
        process = KEEPER.get(setting)
        process.ask({"do": "load"})
        return process.wait().arrays
    except (FailedError, DiedError) as error:
        raise DataError(f"data.loader: {loader}: {error}") from error
    finally:
        KEEPER.close()


def fit(task: Retraining) -> Model:
    """Train a configuration on given rows.

    Raises
    ------
    NoUsableResultError
        If the fit fails there.

    """
    setting, foreign = task.setting, task.setting.foreign
    assert foreign is not None
    numbers = str(task.configuration["numbers"])
    encoder, fold = encoded(
        task.columns, task.schema, task.rows, task.test_rows, index=FINAL, dtype=setting.dtype, numbers=numbers
    )
    place = foreign.folder or tempfile.mkdtemp(prefix="lrtune-")
    everything = foreign._replace(rows=((task.rows, task.test_rows),), folder=place)
    final = setting._replace(foreign=everything)
    asked = Asked(_PLACE, task.configuration, 0, 0, FINAL + task.copy, task.scales, final=True, seconds=task.seconds)
    arrays, taken = arrays_of(fold, everything, 0), foreign.shape or encoder
    try:
        found = fitted(final, asked, arrays)
    except FailedError as error:
        raise NoUsableResultError(
            f"{foreign.called} failed when it was trained on all {len(task.rows)} training rows: {error}"
        ) from error
    seed = setting.seed
    if setting.trainer == ESTIMATOR:
        called = str(foreign.said[ESTIMATOR][-1][1])
        content, place = found.content, str(Path(foreign.base).resolve())
        estimator = TrainedEstimator(taken, task.configuration, content, called, seed, trusted=True, folder=place)
        return Model(task.schema, problem_of(task.schema), (estimator,))
    folder = Path(place) / "final" / "all"
    program = TrainedProgram(
        encoder=taken,
        configuration=task.configuration,
        kind=setting.trainer,
        said=dict(foreign.said),
        base=foreign.base,
        called=foreign.called,
        task=foreign.task,
        classes=tuple(foreign.classes),
        folder=folder,
        seed=seed,
        loader=foreign.loader,
    )
    model = Model(task.schema, problem_of(task.schema), (program,))
    return replace(model, told=_told(final, found, fold.validation_targets) if len(task.test_rows) else None)


def _told(setting: Setting, found: EndedFit, targets: npt.NDArray[Any]) -> float | None:
    """Score the test rows by what the training on all rows said of them."""
    assert setting.foreign is not None
    try:
        prediction = predicted(found.ending, len(targets), setting.foreign, setting.metric)
        if prediction is None:
            value = told_score(found.ending.values, setting.metric)
        else:
            kept = keep(setting.metric, prediction.outputs, targets)
            value = float(score(setting.metric, kept, targets, setting.problem.classes)[0])
    except FailedError:
        return None
    return value if math.isfinite(value) else None


def awake(model: Model) -> Model:
    """Let the members of a model that are code of somebody else predict, by running that code.

    Raises
    ------
    ModelError
        If it cannot be started.

    """
    members = tuple(_awake(each) if isinstance(each, TrainedProgram) else each for each in model.members)
    return replace(model, members=members)


def _awake(member: TrainedProgram) -> TrainedProgram:
    foreign = Foreign(
        said=member.said,
        called=member.called,
        base=member.base,
        table="",
        folder=None,
        task=member.task,
        classes=member.classes,
        targets=np.empty(0),
        rows=(),
        shape=member.encoder if isinstance(member.encoder, FrameShape) else None,
    )

    def predict(features: Floats | RawRows, problem: Problem) -> tuple[npt.NDArray[np.float64], bool]:
        setting = Setting((), problem, "", member.seed, "float32", member.kind, foreign)
        return _asked(setting, member, features)

    return replace(member, predict=predict)


def _asked(
    setting: Setting, member: TrainedProgram, features: Floats | RawRows
) -> tuple[npt.NDArray[np.float64], bool]:
    """Ask the code for predictions of encoded rows; as `Model.outputs`."""
    assert setting.foreign is not None
    nothing = np.empty(0, dtype=np.int64)
    count = len(features.numeric) if isinstance(features, RawRows) else len(features)
    arrays: dict[str, Array] = {
        "train_targets": nothing,
        "train_rows": nothing,
        "validation_targets": np.zeros(count, dtype=np.int64),
        "validation_rows": np.arange(count),
    }
    if isinstance(features, RawRows):
        arrays |= raw("train", RawRows(features.numeric[:0], features.codes[:0])) | raw("validation", features)
    else:
        arrays |= {"train_X": features[:0].astype(np.float32), "validation_X": features.astype(np.float32)}
    about = {"place": _PLACE, "configuration": dict(member.configuration), "seed": 0, "stream_seed": 0, "streams": 0}
    rest = {"fold": 0, "trial": 0, "final": True, "scales": [], "folder": str(member.folder.resolve())}
    try:
        process = KEEPER.get(setting)
        process.ask({"do": "predict", **about, **rest}, arrays)
        message = process.wait()
        ending = Ending({}, (), message.arrays["predictions"], message.said["kind"])
        found = predicted(ending, count, setting.foreign, _metric_for(member, ending))
    except (FailedError, DiedError) as error:
        raise ModelError(f"{member.called}: {error}") from error
    assert found is not None
    outputs = found.outputs[0].T
    return (np.hstack([1.0 - outputs, outputs]) if setting.problem.loss == "logistic" else outputs), found.is_bare


def _metric_for(member: TrainedProgram, ending: Ending) -> str:
    """Name a metric that what was predicted will do for."""
    assert ending.predictions is not None
    return "accuracy" if member.classes and ending.predictions.ndim == 1 else "log_loss" if member.classes else "rmse"
