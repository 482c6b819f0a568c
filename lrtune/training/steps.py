"""One mini-batch update of all lanes.

What only some configurations ask for (the `treatments`, dropout, label smoothing) is applied to runs of neighbouring
configurations that ask for it. The others are not touched, so they have the same bits as without that company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.training.batches import Batch
from lrtune.training.declarations import Configuration
from lrtune.training.dropout import Dropout
from lrtune.training.losses import LOSSES
from lrtune.training.networks import Network, Workspace, backward, forward, parted, split, workspace
from lrtune.training.optimizers.curvature import Curvature, Embedded
from lrtune.training.rate_factors import asks, rate_factors
from lrtune.training.registry import OPTIMIZERS, Optimizer
from lrtune.training.runs import amount, column, runs, shaped
from lrtune.training.treatments import TREATMENTS, Treated
from lrtune.training.updates import State, StepValues

UNSHAPED: Mapping[str, Array] = {}
"""What multiplies keys whose value changes over time: none does."""


class Group(NamedTuple):
    """The lanes of one optimizer, seen on the folds that still have a step to do."""

    optimizer: Optimizer
    lanes: slice
    parameters: Array
    gradient: Array
    state: State
    scratch: tuple[Array, Array]
    factors: dict[str, Array]
    weight_decay: Array
    rate_factors: Array | None


class Lanes(NamedTuple):
    """Views of all arrays of a population on its first ``k`` folds."""

    parameters: Array
    gradient: Array
    scratch: Array
    blocks: list[Array]
    gradients: list[Array]
    space: Workspace
    groups: list[Group]


def groups(configurations: Sequence[Configuration]) -> list[tuple[str, slice]]:
    """Find the slices of equal optimizers."""
    found, start = [], 0
    for name, members in groupby(str(each["optimizer"]) for each in configurations):
        stop = start + sum(1 for _ in members)
        found.append((name, slice(start, stop)))
        start = stop
    return found


def factors(configurations: Sequence[Configuration], dtype: np.dtype[Any]) -> dict[str, Array]:
    """Stack the factors ``(C, 1, 1)`` of configurations with the same optimizer."""
    entry = OPTIMIZERS[str(configurations[0]["optimizer"])]
    keys = {each.name: f"optimizer.{each.name}" for each in entry.factors}
    return {
        name: column([each[key] for each in configurations], dtype)
        for name, key in keys.items()
        if all(key in each for each in configurations)
    }


def company(configuration: Configuration) -> tuple[str | bool, ...]:
    """Sort key that brings together the configurations which are updated in the same way."""
    return (
        str(configuration["optimizer"]),
        amount(configuration["ema"]) > 0.0,
        *(each.amount(configuration) > 0.0 for each in TREATMENTS.values()),
        asks(configuration),
        amount(configuration["dropout"]) > 0.0,
        amount(configuration["label_smoothing"]) > 0.0,
    )


class Stepper:
    """Updates the lanes of a population in place, with arrays that it allocates once.

    Parameters
    ----------
    configurations, parameters, states
        ``C`` complete configurations, their ``(C, K, P)`` and the state of each optimizer's slice; the arrays are
        changed in place.
    network, batch_size, seed
        What is trained.
    folds
        Stream number of each fold.

    """

    def __init__(
        self,
        configurations: Sequence[Configuration],
        parameters: Array,
        states: Sequence[State],
        *,
        network: Network,
        batch_size: int,
        seed: int,
        folds: Sequence[int],
    ) -> None:
        self._network, self._configurations = network, configurations
        self._parameters, self._states = parameters, states
        self._gradient = np.empty_like(parameters)
        self._scratch = np.empty((2, *parameters.shape), parameters.dtype)
        dtype = parameters.dtype
        self._space = workspace(network, parameters.shape[:2], batch_size, dtype)
        self._blocks = tuple(network.blocks)
        self._loss = LOSSES[network.loss]
        self._rate_factors = rate_factors(configurations, network, dtype)
        self._treated = [
            (each, [(*run, self._factors_of(run[0])) for run in runs(configurations, each.amount, dtype)])
            for each in TREATMENTS.values()
        ]
        smoothing = (lambda each: amount(each["label_smoothing"])) if network.classes else _never
        self._smoothed = runs(configurations, smoothing, dtype)
        self._dropout = Dropout(configurations, dtype, network=network, batch_size=batch_size, seed=seed, folds=folds)
        self._known: dict[int, Lanes] = {}

    def start_epoch(self, epoch: int) -> None:
        """Open the random streams of an epoch."""
        self._dropout.start_epoch(epoch)

    def step(
        self, batch: Batch, rates: Array, momenta: Array | None = None, shapes: Mapping[str, Array] = UNSHAPED
    ) -> None:
        """Do one update of the lanes ``(C, k)`` in ``batch``.

        Rates, and momenta if cycled, are ``(C, K, 1)``, and so is what multiplies the key of each of the ``shapes``.
        """
        k = len(batch.rows)
        now = {key: each[:, :k] for key, each in shapes.items()}
        if k not in self._known:
            self._known[k] = self._lanes(k)
        lanes = self._known[k]
        drop = self._dropout if self._dropout.runs else None
        self._dropout.start_step(now.get("dropout"))
        outputs = forward(self._network, lanes.blocks, batch.columns, lanes.space, drop)
        self._loss.gradient(outputs, batch.targets, batch.weights)
        curvatures = [self._curvature(lanes, group, batch, outputs) for group in lanes.groups]
        self._smooth(outputs, batch, now.get("label_smoothing"))
        backward(self._network, lanes.blocks, lanes.gradients, batch.rows, lanes.space)
        self._treat(lanes, rates[:, :k], now)
        for group, curvature in zip(lanes.groups, curvatures, strict=True):
            momentum = None if momenta is None else momenta[group.lanes, :k]
            values = StepValues(
                rates[group.lanes, :k],
                group.factors,
                shaped(group.weight_decay, group.lanes, now.get("weight_decay")),
                momentum,
                group.rate_factors,
                self._blocks,
            )
            group.optimizer.update(group.parameters, group.gradient, group.state, values, group.scratch, curvature)

    def _curvature(self, lanes: Lanes, group: Group, batch: Batch, gradient: Array) -> Curvature | None:
        """Hand out what the Fisher matrix is made of; ``gradient``, of the outputs, is ``w * p - targets``."""
        if not group.optimizer.needs_curvature:
            return None
        stack, layers = parted(self._network, lanes.blocks)
        space, chosen = lanes.space, group.lanes
        waves = space.embedding
        seen = np.broadcast_to(batch.columns, (len(gradient), *batch.columns.shape)) if waves is None else waves.inputs
        layers, inputs, slopes = (
            [each[chosen] for each in part] for part in (layers, [seen, *space.inputs], space.slopes)
        )
        expected = gradient[chosen] + batch.targets
        embedding = (
            None
            if waves is None
            else Embedded(stack[1][chosen], waves.points[0], waves.units[chosen], waves.slopes[chosen])
        )
        return Curvature(self._network.loss, layers, inputs, slopes, expected, batch.weights, embedding)

    def _smooth(self, outputs: Array, batch: Batch, shape: Array | None) -> None:
        """Move the targets of a classification towards the uniform distribution by ``label_smoothing``."""
        if self._smoothed:
            away = batch.targets - batch.weights / self._network.classes
        for lanes, amounts in self._smoothed:
            outputs[lanes] += shaped(amounts, lanes, shape)[..., None] * away

    def _treat(self, lanes: Lanes, rates: Array, shapes: Mapping[str, Array]) -> None:
        """Do to gradients and parameters what their configurations ask for before an update."""
        for treatment, asking in self._treated:
            shape = shapes.get(treatment.shaped)
            for run, amounts, own in asking:
                scaled = rates[run] if own is None else rates[run] * own
                now = shaped(amounts, run, shape)
                treatment.act(Treated(lanes.parameters[run], lanes.gradient[run], lanes.scratch[run], scaled, now))

    def _factors_of(self, lanes: slice) -> Array | None:
        """Get the rate factors ``(C, 1, P)`` of neighbouring configurations; None if none of them asks for any."""
        asked = self._rate_factors is not None and any(map(asks, self._configurations[lanes]))
        return self._rate_factors[lanes] if self._rate_factors is not None and asked else None

    def _lanes(self, k: int) -> Lanes:
        parameters, gradient, scratch = self._parameters[:, :k], self._gradient[:, :k], self._scratch[:, :, :k]
        dtype = parameters.dtype
        members = [
            Group(
                OPTIMIZERS[name],
                lanes,
                parameters[lanes],
                gradient[lanes],
                tuple(each[:, :k] for each in state),
                (scratch[0, lanes], scratch[1, lanes]),
                factors(self._configurations[lanes], dtype),
                column([each["weight_decay"] for each in self._configurations[lanes]], dtype),
                self._factors_of(lanes),
            )
            for (name, lanes), state in zip(groups(self._configurations), self._states, strict=True)
        ]
        blocks, gradients = split(self._network, parameters), split(self._network, gradient)
        return Lanes(parameters, gradient, scratch[0], blocks, gradients, self._space.folds(k), members)


def _never(_configuration: Configuration) -> float:
    return 0.0
