"""A retrained model: what it takes to predict rows of a new table.

It is one network, or the mean of several: of the best trials, or of one with several seeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Floats, one_blas_thread
from lrtune.data.columns import Columns, arrays_for
from lrtune.data.encoding import Encoder
from lrtune.data.raw_frames import FrameShape, RawRows
from lrtune.data.schema import Schema
from lrtune.data.stored import some_rows
from lrtune.data.tables import Table
from lrtune.model.foreign import TrainedEstimator, TrainedProgram
from lrtune.space.trial import Configuration
from lrtune.text.errors import ModelError
from lrtune.training.evaluate import predict_outputs
from lrtune.training.networks import ROWS_AT_ONCE, embedded_features
from lrtune.training.tasks import UNLIMITED, Problem

_AT_ONCE = 1 << 24
"""Bytes that the encoded features of some rows at a time may take (16 MB)."""

Layer = tuple[npt.NDArray[Any], npt.NDArray[Any]]


class Prediction(NamedTuple):
    """What a model says of some rows.

    ``values`` holds the labels as the table spelled them, or floats in the target's units; ``probabilities
    (N, classes)`` has its columns in the order of the model's classes and is None for regression, and where a member
    says labels alone.
    """

    values: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network of a model.

    Attributes
    ----------
    encoder
        Turns the cells of a table into ``D`` features.
    configuration
        How it was trained; complete.
    layers
        Weights ``(inputs, units)`` and biases ``(units,)`` of each layer; before them the embedding's, as
        `lrtune.training.evaluate.fit` gives them.
    shift, scale, limits
        A value in the target's units is ``output * scale + shift``, and lies within the limits.
    seed
        That it was trained with.

    """

    encoder: Encoder
    configuration: Configuration
    layers: tuple[Layer, ...]
    shift: float = 0.0
    scale: float = 1.0
    limits: tuple[float, float] = UNLIMITED
    seed: int = 0

    def outputs(self, features: Floats | RawRows, problem: Problem) -> npt.NDArray[np.float64]:
        """Compute probabilities ``(N, classes)``, or values ``(N, 1)`` in the target's units, of encoded rows.

        In float64 whatever the weights are, so that a row's prediction hardly depends on the rows beside it.
        """
        assert not isinstance(features, RawRows)
        layers = [(weights.astype(np.float64), biases.astype(np.float64)) for weights, biases in self.layers]
        activation, embedded = str(self.configuration["activation"]), embedded_features(self.configuration, problem)
        outputs = predict_outputs(layers, features, activation=activation, loss=problem.loss, embedded=embedded)
        return np.clip(outputs * self.scale + self.shift, *self.limits) if problem.loss == "squared" else outputs


Member: TypeAlias = TrainedNetwork | TrainedEstimator | TrainedProgram
"""What a model may consist of."""


@dataclass(frozen=True, eq=False)
class Model:
    """What was trained with everything around it; of several members the mean is what the model says.

    Attributes
    ----------
    schema
        The columns they were trained on, the target and its classes.
    problem
        What was trained.
    members
        One, or several.
    class_weights
        Factor of the rows' weights for each class of the schema, if there were any beside the configuration's.
    told
        Oriented score of the test rows, where only the training itself could tell it; it is not saved.

    """

    schema: Schema
    problem: Problem
    members: tuple[Member, ...]
    class_weights: tuple[float, ...] | None = None
    told: float | None = None

    @property
    def encoders(self) -> list[Encoder | FrameShape]:
        """Those of its members, each once."""
        return list({id(each.encoder): each.encoder for each in self.members}.values())

    def outputs(self, columns: Columns, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float64]:
        """Compute probabilities ``(N, classes)``, or values ``(N, 1)`` in the target's units, for all or some rows."""
        wanted = np.arange(columns.rows) if rows is None else rows
        parts = self._parts(len(wanted))
        if len(parts) == 1:
            return self._outputs(columns, rows)
        return np.concatenate([self._outputs(columns, wanted[part]) for part in parts])

    def _outputs(self, columns: Columns, rows: npt.NDArray[np.int64] | None) -> npt.NDArray[np.float64]:
        features = {id(each): each.transform(columns, rows) for each in self.encoders}
        with one_blas_thread():
            parts = [each.outputs(features[id(each.encoder)], self.problem) for each in self.members]
        return np.mean(parts, axis=0) if len(parts) > 1 else parts[0]

    def _parts(self, rows: int) -> list[slice]:
        """Part so many rows so that what a network makes of some at a time fits into the memory.

        A network goes through `ROWS_AT_ONCE` rows at a time in any case, so that whole multiples of them change no bit.
        Members of other kinds see all rows at once.
        """
        networks = [each for each in self.members if isinstance(each, TrainedNetwork)]
        if len(networks) < len(self.members):
            return [slice(0, rows)]
        width = max(each.encoder.width for each in networks)
        step = ROWS_AT_ONCE * max(1, _AT_ONCE // (8 * width * ROWS_AT_ONCE))
        return [slice(start, min(start + step, rows)) for start in range(0, max(rows, 1), step)]

    def refuse_tables(self) -> None:
        """Refuse to predict the rows of a table where what trained had rows of another kind.

        Raises
        ------
        ModelError
            If it had.

        """
        for each in self.members:
            if isinstance(each, TrainedProgram):
                each.refuse_tables()

    def predict(self, table: Table) -> Prediction:
        """Predict the rows of a table; columns are found by name.

        Raises
        ------
        ModelError
            If the table lacks columns, holds text where numbers are expected, or is not what it was trained on.

        """
        values, probabilities = zip(*self.predictions(table), strict=True)
        told = [each for each in probabilities if each is not None]
        return Prediction(np.concatenate(values), np.concatenate(told) if told else None)

    def predictions(self, table: Table) -> Iterator[Prediction]:
        """Predict the rows of a table, some after others; a large table is never in memory.

        Raises
        ------
        ModelError
            As `predict`, before the first prediction or later.

        """
        self.refuse_tables()
        parts = self._parts(table.rows)
        try:
            for each in parts:
                columns = table.columns if len(parts) == 1 else some_rows(table.columns, each.start, each.stop)
                yield self._prediction(self._outputs(arrays_for(replace(table, columns=columns), self.schema), None))
        except ModelError:
            if len(parts) > 1:
                arrays_for(table, self.schema)  # whose error has the number of the row in the table
            raise

    def _prediction(self, outputs: npt.NDArray[np.float64]) -> Prediction:
        if self.problem.loss == "squared":
            return Prediction(outputs[:, 0], None)
        labels = np.array(self.schema.classes)[outputs.argmax(axis=1)]
        bare = any(not isinstance(each, TrainedNetwork) and each.is_bare for each in self.members)
        return Prediction(labels, None if bare else outputs)


def averaged(models: Sequence[Model]) -> Model:
    """Make one model of several of the same table: its outputs are the mean of theirs.

    Members that encode rows in the same way share one encoder, so that rows are encoded once.
    """
    known: dict[str, Encoder | FrameShape] = {}
    members = []
    for each in (member for model in models for member in model.members):
        encoder = known.setdefault(json.dumps(each.encoder.to_dict()), each.encoder)
        members.append(replace(each, encoder=encoder))  # type: ignore[arg-type]  # it is of the same kind
    return replace(models[0], members=tuple(members))
