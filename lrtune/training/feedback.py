"""Reduce on plateau: every lane watches a loss and cuts its own rate when that has stopped falling.

What needs feedback is not a schedule: the rates are tabulated as for any decay, and each lane has a *scale* that
multiplies them and changes at the ends of epochs. The scales are part of the population, so training in pieces,
compaction and company change nothing.

The loss is that of a *holdout*: a tenth of the fold's training rows, which keep their places in the mini-batches but
have weight 0 there. So comparisons with other decays stay paired, and the fold's validation rows are never looked at.
It is the training loss without smoothing and dropout, weighted as the rows are, at the parameters that would be scored.

The counting is PyTorch's (``ReduceLROnPlateau``, mode ``min``, relative threshold), with which people compare:

* an epoch is *good* if ``loss < best - threshold * |best|``, else *bad*; NaN is bad. PyTorch writes
  ``best * (1 - threshold)``: the same for positive losses, but with a negative one every stall is good, and it never
  cuts;
* the rate is cut after more than ``patience`` bad epochs in a row: with 2, after the third (Keras and optax: after the
  second), with 0, after every bad epoch;
* bad epochs do not count during ``cooldown`` epochs after a cut;
* a cut multiplies the scale by ``factor`` and stops at ``minimum``, which is relative to the peak; PyTorch's ``min_lr``
  is absolute, and its ``eps``, which leaves out tiny cuts, does not exist here.

Counting begins with the first epoch at whose end the warm-up is over.

At the final retraining every row trains and the trajectory of the median fold is replayed: the scale of each epoch is
known in advance, and nothing is held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lrtune.arrays import WATCHED, Array, Doubles, Integers, stream
from lrtune.training.batches import BatchTable
from lrtune.training.declarations import Configuration, number
from lrtune.training.encoded import EncodedRows, Features, part_of
from lrtune.training.losses import LOSSES
from lrtune.training.networks import Network, outputs, split
from lrtune.training.registry import DECAYS
from lrtune.training.schedules import warmup_steps
from lrtune.training.tasks import Flags

SHARE = 0.1
"""Of a fold's training rows, so many are held out."""

Scales: TypeAlias = tuple[float, ...]
"""What one lane's rates were multiplied by, epoch by epoch."""


class Rules(NamedTuple):
    """The factors of the decay, each ``(C, 1)``; for their meaning see the catalogue."""

    factor: Doubles
    patience: Doubles
    cooldown: Doubles
    minimum: Doubles
    threshold: Doubles


class Feedback(NamedTuple):
    """What a lane has learnt from its losses.

    Parameters
    ----------
    best
        ``(C, K)``: lowest loss of a good epoch, infinite before the first.
    bad
        ``(C, K)``: bad epochs in a row that count.
    cooling
        ``(C, K)``: epochs left in which bad ones do not count.
    scales
        ``(C, K, epochs)``: what the rates of each epoch are multiplied by; those of the future are as it stands now.

    """

    best: Doubles
    bad: Integers
    cooling: Integers
    scales: Doubles


class Holdout(NamedTuple):
    """Training rows of one fold that train nothing: ``features (M, D)``, ``targets (O, M)``, ``shares (M,)``.

    The shares are the rows' weights divided by their sum.
    """

    features: Features
    targets: Array
    shares: Doubles


def is_watched(configuration: Configuration) -> bool:
    """Tell whether a complete configuration needs a holdout."""
    entry = DECAYS.get(str(configuration.get("decay")))  # what another trainer trains may have no rate
    return entry is not None and entry.follows == "loss"


def rules(configurations: Sequence[Configuration]) -> Rules:
    """Stack the factors of configurations whose decay is a plateau."""
    columns = ([number(each[f"decay.{name}"]) for each in configurations] for name in Rules._fields)
    return Rules(*(np.array(column)[:, None] for column in columns))


def beginning(lanes: tuple[int, int], epochs: int, scales: Scales = ()) -> Feedback:
    """Make the feedback of ``(C, K)`` lanes before the first epoch, or with scales that are known in advance."""
    whole = np.ones((*lanes, epochs))
    if scales:
        whole[...] = scales
    return Feedback(np.full(lanes, np.inf), np.zeros(lanes, np.int64), np.zeros(lanes, np.int64), whole)


def taken(feedback: Feedback | None, keep: Flags) -> Feedback | None:
    """Copy the configurations for which ``keep (C,)`` is true."""
    return None if feedback is None else Feedback._make(each[keep] for each in feedback)


def put(feedback: Feedback, places: Flags, part: Feedback) -> None:
    """Write the configurations at ``places (C,)``, in place."""
    whole: Array
    for whole, piece in zip(feedback, part, strict=True):
        whole[places] = piece


def scale(feedback: Feedback | None, epoch: int, dtype: np.dtype[Any]) -> Array | None:
    """Get what multiplies the rates ``(C, K, 1)`` of an epoch."""
    return None if feedback is None else feedback.scales[..., epoch, None].astype(dtype)


def update(feedback: Feedback, losses: Doubles, counts: Flags, epoch: int, rules: Rules) -> None:
    """Judge an epoch, counted from 0, by its losses ``(C, K)``, in place; lanes that do not count stay as they are."""
    best, bad, cooling, scales = feedback
    with np.errstate(invalid="ignore"):
        least = np.where(np.isfinite(best), best - rules.threshold * np.abs(best), best)
        good = counts & (losses < least)
    best[good] = losses[good]
    bad += counts
    bad[good] = 0
    cools = counts & (cooling > 0)
    cooling -= cools
    bad[cools] = 0
    cut = counts & (bad > rules.patience)
    bad[cut] = 0
    cooling[cut] = np.broadcast_to(rules.cooldown, cut.shape)[cut]
    lower = np.maximum(scales[..., epoch] * rules.factor, rules.minimum)
    scales[cut, epoch + 1 :] = lower[cut][:, None]


def hold_out(table: BatchTable, seed: int) -> tuple[BatchTable, Holdout]:
    """Draw the rows of a fold that are held out, and give them weight 0; rows of weight 0 anyway are not drawn.

    At least one row is held out and at least one is left, if there are two.
    """
    order = stream(seed, WATCHED, table.index).permutation(len(table.weights))
    order = order[table.weights[order] > 0.0]
    count = max(min(max(round(SHARE * len(order)), 1), len(order) - 1), 0)
    rows = np.sort(order[:count])
    weights = table.weights.copy()
    weights[rows] = 0
    own = table.weighing(rows)
    features = part_of(table.features, rows)
    features = features if isinstance(features, EncodedRows) else features[:, :-1]
    return replace(table, weights=weights), Holdout(features, table.wanted(rows), own / own.sum())


class Watcher:
    """Looks at the holdouts at the end of an epoch.

    Parameters
    ----------
    configurations
        ``C`` complete configurations.
    network
        The shape of their model.
    steps, epochs
        Steps per epoch of each of the ``K`` folds; the horizon.
    holdouts
        One of each fold; empty where nothing is watched.

    """

    def __init__(
        self,
        configurations: Sequence[Configuration],
        network: Network,
        steps: Sequence[int],
        epochs: int,
        holdouts: Sequence[Holdout],
    ) -> None:
        self._network, self._holdouts = network, holdouts
        if holdouts:
            self._rules = rules(configurations)
            self._first = first_epochs(configurations, steps, epochs)

    def judge(self, feedback: Feedback, parameters: Array, living: Flags, epoch: int) -> None:
        """Let the lanes ``(C, K)`` that live learn from the losses of ``parameters (C, K, P)``; in place."""
        with np.errstate(all="ignore"):
            losses = holdout_losses(self._network, parameters, self._holdouts)
        update(feedback, losses, living & (epoch >= self._first), epoch, self._rules)


def holdout_losses(network: Network, parameters: Array, holdouts: Sequence[Holdout]) -> Doubles:
    """Compute the loss of every lane's holdout, ``(C, K)``, from parameters ``(C, K, P)``."""
    losses = np.empty(parameters.shape[:2])
    for lane, each in enumerate(holdouts):
        found = outputs(network, split(network, parameters[:, lane]), each.features)
        losses[:, lane] = np.sum(LOSSES[network.loss].rows(found, each.targets) * each.shares, axis=-1)
    return losses


def first_epochs(configurations: Sequence[Configuration], steps: Sequence[int], epochs: int) -> Integers:
    """Find the first epoch, counted from 0, at whose end the warm-up of each lane ``(C, K)`` is over."""
    table = [
        [-(-warmup_steps(number(each["warmup"]), count * epochs) // count) for count in steps]
        for each in configurations
    ]
    return np.maximum(np.array(table, np.int64) - 1, 0)


def trajectories(feedback: Feedback | None, lane: int, configurations: int) -> list[Scales]:
    """List the scales of every configuration on one fold; empty ones where there is no feedback."""
    if feedback is None:
        return [()] * configurations
    return [tuple(each) for each in feedback.scales[:, lane].tolist()]


def median_scales(folds: Sequence[Scales]) -> Scales:
    """Choose the fold whose mean scale is the median (the lower one of two), the first of equal ones."""
    ranked = sorted(folds, key=sum)
    return ranked[(len(ranked) - 1) // 2] if ranked else ()
