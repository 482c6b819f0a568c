"""A retrained model: what it takes to predict rows of a new table, saved as JSON and npz, never as a pickle."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lrtune.data.columns import Columns, arrays_for
from lrtune.data.encoding import Encoder
from lrtune.data.schema import Schema
from lrtune.data.tables import Table
from lrtune.errors import ModelError, StudyError
from lrtune.training.evaluate import predict_outputs
from lrtune.training.tasks import Problem
from lrtune.trial import Configuration

FORMAT = 1
DESCRIPTION, WEIGHTS = "model.json", "model.npz"

Layer = tuple[npt.NDArray[Any], npt.NDArray[Any]]


class Prediction(NamedTuple):
    """What a model says of some rows.

    ``values`` holds the labels as the table spelled them, or floats in the target's units; ``probabilities
    (N, classes)`` has its columns in the order of the model's classes and is None for regression.
    """

    values: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with everything around it.

    Attributes
    ----------
    schema
        The columns it was trained on, the target and its classes.
    encoder
        Turns their cells into ``D`` features.
    problem, configuration
        What was trained, and how; the configuration is complete.
    layers
        Weights ``(inputs, units)`` and biases ``(units,)`` of each layer.
    shift, scale
        A value in the target's units is ``output * scale + shift``.

    """

    schema: Schema
    encoder: Encoder
    problem: Problem
    configuration: Configuration
    layers: tuple[Layer, ...]
    shift: float = 0.0
    scale: float = 1.0

    def outputs(self, columns: Columns, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float64]:
        """Compute probabilities ``(N, classes)``, or values ``(N, 1)`` in the target's units, for all or some rows."""
        features = self.encoder.transform(columns, rows).astype(self.layers[0][0].dtype)
        activation = str(self.configuration["activation"])
        outputs = predict_outputs(self.layers, features, activation=activation, loss=self.problem.loss)
        return outputs * self.scale + self.shift if self.problem.loss == "squared" else outputs

    def predict(self, table: Table) -> Prediction:
        """Predict the rows of a table; columns are found by name.

        Raises
        ------
        ModelError
            If the table lacks columns, or holds text where numbers are expected.

        """
        outputs = self.outputs(arrays_for(table, self.schema))
        if self.problem.loss == "squared":
            return Prediction(outputs[:, 0], None)
        return Prediction(np.array(self.schema.classes)[outputs.argmax(axis=1)], outputs)


def save(model: Model, folder: Path) -> str:
    """Write the model's two files and return the hash of their content.

    The description is replaced last: a folder has either a whole model or none.

    Raises
    ------
    StudyError
        If the folder cannot be written.

    """
    weights = io.BytesIO()
    np.savez(weights, *(each for layer in model.layers for each in layer))
    digest = hashlib.sha256(weights.getvalue()).hexdigest()
    description = {
        "format": FORMAT,
        "schema": model.schema.to_dict(),
        "encoder": model.encoder.to_dict(),
        "problem": model.problem._asdict(),
        "configuration": dict(model.configuration),
        "shift": model.shift,
        "scale": model.scale,
        "weights": digest,
    }
    text = json.dumps(description, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / WEIGHTS, weights.getvalue())
        _replace(folder / DESCRIPTION, text.encode())
    except OSError as error:
        raise StudyError(f"{folder}: the model cannot be written ({error.strerror})") from error
    return hashlib.sha256(weights.getvalue() + text.encode()).hexdigest()[:16]


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def is_saved(folder: Path) -> bool:
    """Tell whether the folder has a model's files."""
    return (folder / DESCRIPTION).is_file() and (folder / WEIGHTS).is_file()


def load(folder: Path) -> Model:
    """Read a saved model. Nothing in the files is executed.

    Raises
    ------
    ModelError
        If there is no model, it is damaged, or a newer lrtune made it.

    """
    description = _description(folder / DESCRIPTION)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != description.get("weights"):
        raise ModelError(f"{folder / WEIGHTS}: damaged, or not the weights that {DESCRIPTION} describes")
    try:
        return _rebuilt(description, content)
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder / DESCRIPTION}: damaged ({type(error).__name__}: {error})") from error


def _description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent}: no model here (it has no {path.name})") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error})") from error
    found = description.get("format") if isinstance(description, dict) else None
    if not isinstance(found, int):
        raise ModelError(f"{path}: not a saved model")
    if found > FORMAT:
        raise ModelError(f"{path}: made by a newer lrtune (format {found}; this one knows {FORMAT}); upgrade lrtune")
    return dict(description)


def _rebuilt(description: dict[str, Any], content: bytes) -> Model:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        flat = [archive[name] for name in archive.files]
    layers = tuple(zip(flat[::2], flat[1::2], strict=True))
    configuration = {
        key: tuple(value) if isinstance(value, list) else value for key, value in description["configuration"].items()
    }
    return Model(
        Schema.from_dict(description["schema"]),
        Encoder.from_dict(description["encoder"]),
        Problem(**description["problem"]),
        configuration,
        layers,
        float(description["shift"]),
        float(description["scale"]),
    )
