"""A model as files: its description as JSON and its arrays as npz, never a pickle.

Both are read with suspicion: a damaged model, or one that does not fit itself, is refused with a sentence.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.data.encoding import Encoder
from lrtune.data.raw_frames import FrameShape
from lrtune.data.schema import Schema
from lrtune.model.core import Layer, Member, Model, TrainedNetwork
from lrtune.model.foreign import TrainedEstimator, TrainedProgram
from lrtune.run import files
from lrtune.run.names import DESCRIPTION, MODEL, RESULT, SAVED, WEIGHTS
from lrtune.space.trial import frozen
from lrtune.text.errors import ModelError
from lrtune.text.written import Json
from lrtune.training.embeddings import OUTPUTS, stacks
from lrtune.training.networks import embedded_features
from lrtune.training.tasks import UNLIMITED, Problem

FORMAT = 3


def save(model: Model, folder: Path) -> str:
    """Write the model's two files and return the hash of their content.

    The description is replaced last: a folder has either a whole model or none.

    Raises
    ------
    StudyError
        If the folder cannot be written.

    """
    weights = io.BytesIO()
    np.savez(weights, *(each for member in model.members for each in _arrays(member)))
    digest = hashlib.sha256(weights.getvalue()).hexdigest()
    # Sorted, because the order of keys is an accident: a configuration replayed from the journal has another one.
    text = json.dumps(_described(model, digest), ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
    files.make_folder(folder)
    for member in model.members:
        if isinstance(member, TrainedProgram) and member.folder.resolve() != (folder / SAVED).resolve():
            files.replace_folder(member.folder, folder / SAVED)
    files.write(folder / WEIGHTS, weights.getvalue())
    files.write(folder / DESCRIPTION, text)
    return hashlib.sha256(weights.getvalue() + text.encode()).hexdigest()[:16]


def describe(folder: Path, schema: Schema) -> None:
    """Let a saved model read other tables as one with the same content is written: with other signs, in another format.

    Nothing is written if it does so already.
    """
    saved = load(folder)
    if saved.schema != schema:
        save(replace(saved, schema=schema), folder)


def _described(model: Model, weights: str) -> Json:
    encoders = model.encoders
    places = {id(each): place for place, each in enumerate(encoders)}
    description = {
        "format": FORMAT,
        "schema": model.schema.to_dict(),
        "encoders": [each.to_dict() for each in encoders],
        "problem": model.problem._asdict(),
        "members": [_of_member(each, places[id(each.encoder)]) for each in model.members],
        "class_weights": model.class_weights,
        "weights": weights,
    }
    return {**description, "digest": _digest(description)}


def _arrays(member: Member) -> Iterator[npt.NDArray[Any]]:
    """List what is kept of a member as arrays."""
    if isinstance(member, TrainedNetwork):
        yield from (each for layer in member.layers for each in layer)
    elif isinstance(member, TrainedEstimator):
        yield np.frombuffer(member.content, dtype=np.uint8)


def _of_member(member: Member, encoder: int) -> Json:
    shared = {"encoder": encoder, "configuration": dict(member.configuration), "seed": member.seed}
    if isinstance(member, TrainedEstimator):
        return {**shared, "estimator": member.called}
    if isinstance(member, TrainedProgram):
        own = ("kind", "said", "base", "called", "task", "classes", "loader")
        return {**shared, "program": {key: getattr(member, key) for key in own}}
    return {
        "encoder": encoder,
        "configuration": dict(member.configuration),
        "layers": len(member.layers),
        "shift": member.shift,
        "scale": member.scale,
        "limits": None if member.limits == UNLIMITED else member.limits,
        "seed": member.seed,
    }


def _digest(description: Json) -> str:
    """Hash a description as it will be read back."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def is_saved(folder: Path) -> bool:
    """Tell whether the folder has a model's files."""
    return (folder / DESCRIPTION).is_file() and (folder / WEIGHTS).is_file()


def is_intact(folder: Path) -> bool:
    """Tell whether the folder has a model that can be loaded."""
    try:
        load(folder)
    except ModelError:
        return False
    return True


def class_names(folder: Path) -> list[str]:
    """Name the classes that the model of a run knows; none for a regression, and before there is a model."""
    return [str(each) for each in load(folder / MODEL).schema.classes] if is_saved(folder / MODEL) else []


def load(folder: Path, *, trust: bool = False) -> Model:
    """Read a saved model. Nothing in the files is executed.

    Parameters
    ----------
    folder
        The folder that it was saved to, or a run, whose model is in the folder ``model``.
    trust
        Whether an estimator that consists of other types than scikit-learn's may be made of it when it predicts, which
        may run code of the file.

    Raises
    ------
    ModelError
        If there is no model, it is damaged, or a newer lrtune made it.

    """
    if not (folder / DESCRIPTION).exists() and (folder / MODEL).is_dir():
        folder = folder / MODEL
    description = _description(folder / DESCRIPTION)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != description.get("weights"):
        raise ModelError(f"{folder / WEIGHTS}: damaged, or not the weights that {DESCRIPTION} describes")
    try:
        return _rebuilt(description, content, folder, trust=trust)
    except _DAMAGE as error:
        raise ModelError(f"{folder}: the model is damaged (its parts do not fit together)") from error


_DAMAGE = (
    StopIteration,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and the constructors raise where a file does not hold what it should."""


def _why_none(description: Path) -> str:
    """Say why there is no model: its training failed, as the result of the run tells, or none was saved here."""
    for folder in description.parents[:2]:  # that of the run was given, or of the model in it
        with contextlib.suppress(OSError, ValueError):
            result = files.read_json(folder / RESULT)
            if isinstance(result, dict) and isinstance(result.get("no_model"), str):
                return str(result["no_model"])
    return f"it has no {description.name}"


def _description(path: Path) -> Json:
    try:
        description = files.read_json(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent}: no model here ({_why_none(path)})") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ModelError(f"{path}: damaged, or not a saved model ({error})") from error
    found = description.get("format") if isinstance(description, dict) else None
    if not isinstance(found, int):
        raise ModelError(f"{path}: not a saved model")
    if found < FORMAT:
        raise ModelError(f"{path}: made by an older lrtune (format {found}; this one reads {FORMAT}); search again")
    if found > FORMAT:
        raise ModelError(f"{path}: made by a newer lrtune (format {found}; this one knows {FORMAT}); upgrade lrtune")
    if description.pop("digest", None) != _digest(description):
        raise ModelError(f"{path}: damaged, or changed by hand")
    return dict(description)


def _rebuilt(description: Json, content: bytes, folder: Path, *, trust: bool) -> Model:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        flat = iter([archive[name] for name in archive.files])
    problem = Problem(**{**description["problem"], "numbers": tuple(description["problem"]["numbers"])})
    encoders: list[Encoder | FrameShape] = [
        FrameShape.from_dict(each) if "frame" in each else Encoder.from_dict(each) for each in description["encoders"]
    ]
    members = tuple(
        _foreign_member(each, encoders, flat, folder, trust=trust)
        if {"estimator", "program"} & set(each)
        else _member(each, encoders, flat, problem)
        for each in description["members"]
    )
    if not members or next(flat, None) is not None:
        raise ValueError("there are not as many weights as members")
    class_weights = description["class_weights"]
    return Model(
        schema=Schema.from_dict(description["schema"]),
        problem=problem,
        members=members,
        class_weights=None if class_weights is None else tuple(class_weights),
    )


def _foreign_member(
    described: Json,
    encoders: Sequence[Encoder | FrameShape],
    arrays: Iterator[npt.NDArray[Any]],
    folder: Path,
    *,
    trust: bool,
) -> TrainedEstimator | TrainedProgram:
    """Take what another trainer made from the file."""
    encoder, seed = encoders[described["encoder"]], int(described["seed"])
    configuration = {key: frozen(value) for key, value in described["configuration"].items()}
    if "estimator" in described:
        content = next(arrays).tobytes()
        return TrainedEstimator(encoder, configuration, content, str(described["estimator"]), seed, trust)
    own = {**described["program"], "classes": tuple(described["program"]["classes"])}
    return TrainedProgram(encoder, configuration, folder=folder / SAVED, seed=seed, **own)


def _member(
    described: Json, encoders: Sequence[Encoder | FrameShape], arrays: Iterator[npt.NDArray[Any]], problem: Problem
) -> TrainedNetwork:
    """Take a member's arrays from those of the file."""
    encoder, limits = encoders[described["encoder"]], described["limits"]
    configuration = {key: frozen(value) for key, value in described["configuration"].items()}
    layers = tuple((next(arrays), next(arrays)) for _ in range(described["layers"]))
    if not isinstance(encoder, Encoder):
        raise TypeError("a network takes encoded features")
    _check_shapes(layers, encoder.width, embedded_features(configuration, problem), problem.outputs)
    return TrainedNetwork(
        encoder=encoder,
        configuration=configuration,
        layers=layers,
        shift=float(described["shift"]),
        scale=float(described["scale"]),
        limits=UNLIMITED if limits is None else (float(limits[0]), float(limits[1])),
        seed=int(described["seed"]),
    )


def _check_shapes(layers: Sequence[Layer], features: int, embedded: Sequence[int], outputs: int) -> None:
    """Refuse layers that do not fit together."""
    small = [(numbers, columns - 1, rows) for numbers, rows, columns in stacks(len(embedded))]
    found, dense = [weights.shape for weights, _ in layers], layers[len(small) :]
    widths = [features + OUTPUTS * len(embedded), *(len(biases) for _, biases in dense)]
    if found != [*small, *itertools.pairwise(widths)] or widths[-1] != outputs or max(embedded, default=0) >= features:
        raise ValueError(f"layers of shapes {found} do not fit together")
