"""From what a fit predicts to what metrics take: probabilities of all classes, or values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import Array, Doubles
from lrtune.data.targets import label_text
from lrtune.engines.contract import FailedError
from lrtune.text.errors import nearest
from lrtune.trainers.contract import Foreign
from lrtune.trainers.foreign.ending import VALUE, Ending
from lrtune.training.metrics.catalogue import METRICS, plain_name

NEAR_ONE = 1e-3
"""How far the sum of a row's probabilities may be from one: what float32 loses, and more."""


class Predicted(NamedTuple):
    """Predictions as metrics take them ``(1, O, M)``, and whether they are bare labels, of which no loss is known."""

    outputs: Doubles
    is_bare: bool = False


def predicted(ending: Ending, rows: int, foreign: Foreign, metric: str) -> Predicted | None:
    """Read the predictions of a fit for so many rows; None if it made none.

    Raises
    ------
    FailedError
        If they are no such thing, or the metric needs more than they say.

    """
    found = ending.predictions
    if found is None or METRICS[metric].is_told:
        return None
    if len(found) != rows:
        raise FailedError(f"predicts {len(found):,} rows; the validation rows are {rows:,}")
    if foreign.task == "regression":
        return Predicted(_values(found)[None, None])
    if ending.kind == "scores":
        return Predicted(_finite(found.astype(np.float64))[None, None], is_bare=True)
    classes = len(foreign.classes)
    if found.ndim == 2:
        shares = _probabilities(found, classes)
        return Predicted((shares[:, 1:] if classes == 2 else shares).T[None])
    if METRICS[metric].keeps != "label":
        raise FailedError(f"{metric} needs probabilities (n, {classes}), and what was predicted are labels (n,)")
    codes = found.astype(np.int64) if ending.kind == "codes" else _codes(found, foreign.classes)
    shares = np.eye(classes)[codes]
    return Predicted((shares[:, 1:] if classes == 2 else shares).T[None], is_bare=True)


def _values(found: Array) -> Doubles:
    values = found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise FailedError(f"predicts an array {found.shape} of {found.dtype}; expected a number for each row")
    return _finite(values.astype(np.float64))


def _finite(values: Doubles) -> Doubles:
    wrong = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if wrong.size:
        raise FailedError(f"predicts {values[wrong[0]]} for validation row {wrong[0] + 1}")
    return values


def _probabilities(found: Array, classes: int) -> Doubles:
    if found.shape[1] != classes:
        raise FailedError(f"predicts {found.shape[1]} columns; there are {classes} classes (run.classes)")
    if found.dtype.kind not in "fiub":
        raise FailedError(f"predicts an array of {found.dtype}; expected probabilities")
    shares = _finite(found.astype(np.float64))
    sums = shares.sum(axis=1)
    wrong = np.flatnonzero((np.abs(sums - 1.0) > NEAR_ONE) | (shares < -NEAR_ONE).any(axis=1))
    if wrong.size:
        row = wrong[0]
        raise FailedError(f"predicts probabilities that add up to {sums[row]:.4g} in validation row {row + 1}")
    clipped = np.clip(shares, 0.0, 1.0)
    whole: Doubles = clipped / clipped.sum(axis=1, keepdims=True)
    return whole


def _codes(found: Array, classes: Sequence[Any]) -> Array:
    """Find the numbers of classes by their names; 1 and 1.0 are the same."""
    numbers: Mapping[str, int] = {label_text(label): code for code, label in enumerate(classes)}
    texts = [label_text(each) for each in found.tolist()]
    unknown = [each for each in texts if each not in numbers]
    if unknown:
        raise FailedError(f"predicts '{unknown[0]}', which is no class; {nearest(unknown[0], numbers)}")
    return np.array([numbers[each] for each in texts], dtype=np.int64)


def _refuse_impossible(name: str, value: float, metric: str) -> None:
    """Refuse a score that the metric cannot have: one in per cent, or with the other sign."""
    most = 1.0 if METRICS[metric].larger_is_better else math.inf
    least = -math.inf if metric == "r2" else 0.0
    if not (least - NEAR_ONE <= value <= most + NEAR_ONE) and math.isfinite(value):
        said = "returns" if name == VALUE else "says"
        kinds = f"at most {most:g}" if metric == "r2" else "from 0 to 1" if most == 1 else "0 or more"
        percent = "; is it in per cent?" if 1 < value <= 100 and most == 1 else ""
        raise FailedError(f"{said} {metric} = {value:g}, and {metric} is {kinds}{percent}")


def told_score(values: Mapping[str, float], metric: str) -> float:
    """Find the score of a fit without predictions: the metric in its last report, oriented.

    Raises
    ------
    FailedError
        If it is not there.

    """
    called, is_told = plain_name(metric), METRICS[metric].is_told
    wanted = (VALUE, called, *(("loss",) if metric == "log_loss" else ()))
    name = next((each for each in wanted if each in values), None)
    if name is None:
        said = f"says {', '.join(sorted(values))}" if values else "says nothing"
        why = "" if is_told else ", and there are no predictions"
        raise FailedError(f"its last report {said} and not '{called}'{why}")
    value = values[name]
    if name in (VALUE, metric) and not is_told:
        _refuse_impossible(name, value, metric)
    return value if METRICS[metric].larger_is_better else -value
