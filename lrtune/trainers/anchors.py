"""What a sceptic compares a tuned network with: what no feature is needed for, and a linear model. scikit-learn's door.

Both see the folds of the search, encoded as the networks see them, and are scored by the same code. They are neither
lanes nor trials. Where several ways to encode numbers are searched, the linear model has the one that is best for it on
these folds.

``majority``, ``mean``
    The share of each class among the training rows, half a row more of each so that none is impossible; the mean of
    the training targets.
``linear``
    scikit-learn's `LogisticRegression` (fitted to convergence) or `Ridge`, with their defaults. Beyond `MOST_ROWS`
    training rows, a fixed sample of these.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lrtune.arrays import ANCHORS, Doubles, Rows, one_blas_thread, stream
from lrtune.engines.machine import give_back
from lrtune.space.trial import mean_of
from lrtune.trainers.contract import Setting
from lrtune.training.encoded import EncodedRows, Features
from lrtune.training.outcomes import cells, outcome_of
from lrtune.training.tasks import Fold

MOST_ROWS = 50_000
"""Training rows that a linear model sees."""

_PIECE = 2**11  # rows of a large table that are encoded at a time
_ITERATIONS = 10_000  # L-BFGS converges long before
_EXPECTED_ITERATIONS, _PRODUCTS_PER_SECOND, _CALL = 30, 1.5e9, 4e-3

Anchor = Callable[[Setting, Fold], Doubles]


class Fitted(NamedTuple):
    """What an anchor has on the folds.

    Attributes
    ----------
    scores, beside, predicted
        As those of `lrtune.training.tasks.Outcome`.
    numbers
        How numbers were encoded, where several ways were tried.

    """

    scores: tuple[float | None, ...]
    beside: Mapping[str, tuple[float | None, ...]]
    predicted: tuple[int, ...]
    numbers: str | None = None


def constant_name(setting: Setting) -> str:
    """Name the anchor that looks at no feature: of classes or of values."""
    return "majority" if setting.problem.classes else "mean"


def anchors(setting: Setting) -> dict[str, Fitted]:
    """Fit and score every anchor on every fold."""
    with one_blas_thread():
        return {constant_name(setting): _scored(setting, _constant), "linear": _best_linear(setting)}


def encodings(fold: Fold) -> tuple[str, ...]:
    """List the ways in which numbers are encoded in a fold, the usual one first."""
    return (fold.numbers, *fold.others)


def _best_linear(setting: Setting) -> Fitted:
    """Fit a linear model to each encoding that is searched, and take the best."""
    ways = encodings(setting.folds[0])
    if len(ways) == 1:
        return _scored(setting, _linear)
    found = [_scored(_encoded_as(setting, each), _linear)._replace(numbers=each) for each in ways]
    means = [mean_of(each.scores) for each in found]
    return found[max(range(len(found)), key=lambda place: (means[place] is not None, means[place] or 0.0, -place))]


def _encoded_as(setting: Setting, numbers: str) -> Setting:
    return setting._replace(folds=tuple(fold.encoded_as(numbers) for fold in setting.folds))


def anchor_seconds(setting: Setting) -> float:
    """Estimate what `anchors` takes on one core (seconds)."""
    outputs = max(setting.problem.outputs, 1)
    sizes = [
        min(len(fold.features), MOST_ROWS) * fold.encoded_as(each).features.shape[1] * outputs
        for fold in setting.folds
        for each in encodings(fold)
    ]
    return float(len(sizes) * _CALL + 4 * _EXPECTED_ITERATIONS * sum(sizes) / _PRODUCTS_PER_SECOND)


def _scored(setting: Setting, fitted: Anchor) -> Fitted:
    rows = []
    for fold in setting.folds:
        prediction = fitted(setting, fold).T[None]
        rows += cells(setting.metric, prediction, fold, setting.problem.classes)
        give_back()
    found = outcome_of(rows)
    return Fitted(found.scores, found.beside, found.predicted)


def _constant(setting: Setting, fold: Fold) -> Doubles:
    """Predict the same for each validation row (M, outputs)."""
    if not setting.problem.classes:
        return np.full((len(fold.validation_targets), 1), float(np.mean(fold.targets)) * fold.scale + fold.shift)
    counts = np.bincount(fold.targets.astype(np.int64), minlength=setting.problem.classes) + 0.5
    return np.tile(_outputs(setting, counts[None] / counts.sum()), (len(fold.validation_targets), 1))


def _linear(setting: Setting, fold: Fold) -> Doubles:
    """Predict by a linear model (M, outputs)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    rows = _sample(setting.seed, fold, setting.problem.classes)
    features, targets = _matrix(fold.features, rows), fold.targets[rows]
    give_back()  # the pieces that the matrix was made of
    if not setting.problem.classes:
        fitted = Ridge().fit(features, targets.astype(np.float64))
        return fold.in_units(_of_validation(fold, fitted.predict)[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=_ITERATIONS).fit(features, targets)
    found = np.zeros((len(fold.validation_targets), setting.problem.classes))
    told = _of_validation(fold, model.predict_proba)
    found[:, model.classes_.astype(np.int64)] = told  # a class may be missing in training
    return _outputs(setting, found)


def _matrix(features: Features, rows: Rows) -> Any:
    """Take rows for a linear model: of a large table as a sparse matrix, since most features of categories are 0."""
    if not isinstance(features, EncodedRows):
        return features[rows].astype(np.float64)
    from scipy import sparse

    starts = range(0, len(rows), _PIECE)
    return sparse.vstack([sparse.csr_matrix(features[rows[each : each + _PIECE]], dtype=np.float32) for each in starts])


def _of_validation(fold: Fold, predict: Callable[[Doubles], Doubles]) -> Doubles:
    """Predict the validation rows of a fold, so many at a time."""
    features = fold.validation_features
    at_once = _PIECE if isinstance(features, EncodedRows) else max(1, len(features))
    starts = range(0, max(1, len(features)), at_once)
    parts = [predict(features[start : start + at_once].astype(np.float64)) for start in starts]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _outputs(setting: Setting, probabilities: Doubles) -> Doubles:
    """Give the probabilities of all classes (M, classes) as the metrics take them."""
    return probabilities[:, 1:] if setting.problem.outputs == 1 else probabilities


def _sample(seed: int, fold: Fold, classes: int) -> Rows:
    """Take all training rows, or of many a fixed sample, in which of each class there is one row at least."""
    rows = len(fold.features)
    if rows <= MOST_ROWS:
        return np.arange(rows)
    order = stream(seed, ANCHORS, fold.index).permutation(rows)
    if classes:
        firsts = np.unique(fold.targets[order], return_index=True)[1]
        order = np.concatenate([order[firsts], np.delete(order, firsts)])
    return np.sort(order[:MOST_ROWS])
