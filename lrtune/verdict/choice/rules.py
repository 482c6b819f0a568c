"""The rules by which one of several configurations is chosen from its scores; oriented: larger is better.

``best``            the largest mean over the folds
``one_se``          the simplest of those that are within one standard error of the best (Breiman et al. 1984,
                    "Classification and regression trees", section 3.4.3); paired: the error is that of the difference
                    to the best, ``sd(best - configuration) / sqrt(folds)``
``within 1%``       the simplest of those whose mean is at most so much worse than the best, as a share of its value
``posterior_mean``  the largest mean according to the Gaussian process of Bayesian search, which has learned from all
                    trials: the best of its region, not the luckiest
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.text.errors import nearest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lrtune.space.trial import Configuration

    Doubles = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

BEST, ONE_SE, WITHIN, POSTERIOR_MEAN = "best", "one_se", "within", "posterior_mean"
NAMES = (BEST, ONE_SE, WITHIN, POSTERIOR_MEAN)

_MORE = ("learning_rate", "optimizer", "decay", "model", "hidden", "activation", "epochs", "batch_size")


class Rule(NamedTuple):
    """One of `NAMES`; ``share`` belongs to ``within``."""

    name: str
    share: float = 0.0

    def __str__(self) -> str:
        """Write it as it can be read again.

        >>> str(Rule("within", 0.01)), str(Rule("one_se"))
        ('within 1%', 'one_se')
        """
        return f"{self.name} {self.share * 100:g}%" if self.name == WITHIN else self.name


def rule(value: Any) -> Rule:
    """Read a rule: a name, ``within 1%`` (or ``within: 1%``), or a mapping ``{"within": "1%"}``.

    Raises
    ------
    ValueError
        With one sentence.

    """
    if isinstance(value, Rule):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, share),) = value.items()
    else:
        name, _, share = re.sub(r"[:=]", " ", str(value)).strip().partition(" ")
    if name not in NAMES:
        raise ValueError(f"unknown rule '{name}'; {nearest(str(name), NAMES)}")
    if name == WITHIN:
        return Rule(WITHIN, _share(share))
    if share:
        raise ValueError(f"'{name}' takes no value; only 'within' does, as in within: 1%")
    return Rule(name)


def _share(value: Any) -> float:
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise ValueError(f"'within' needs a share of the best score from 0% to 100%, as in 1%, not '{text}'")
    return share


def simplicity(configuration: Configuration) -> tuple[float, bool, int, float]:
    """Order configurations by how simple they are; the simplest come first.

    A smaller network comes before a larger one, then a constant rate before any decay, then fewer factors in use
    (those of optimizer and decay, warm-up, weight decay ...; 0, false and null mean "not in use"), then a smaller rate.
    """
    hidden = configuration.get("hidden") if configuration.get("model") != "linear" else None
    units = sum(hidden) if isinstance(hidden, tuple) else 0.0
    factors = sum(bool(value) for key, value in configuration.items() if key not in _MORE)
    rate = configuration.get("learning_rate")
    return units, configuration.get("decay", "constant") != "constant", factors, float(rate) if rate else 0.0  # type: ignore[arg-type]


class Smoothing(NamedTuple):
    """What a regression over the space makes of the configurations' mean scores.

    Attributes
    ----------
    means
        The mean scores that it has seen (C,).
    values
        What it thinks of each configuration (C,), on a scale of its own.
    weights
        How its values change with the means (C, C): row `i` says on which means value `i` depends.

    """

    means: Doubles
    values: Doubles
    weights: Doubles

    def __call__(self, means: Doubles) -> Doubles:
        """Give the values for other means (..., C), to first order."""
        return self.values + (means - self.means) @ self.weights.T


def pick(rule: Rule, means: Doubles, folds: Doubles, order: Integers, smoothing: Smoothing | None = None) -> Integers:
    """Choose a configuration; many times at once where there are leading axes.

    Parameters
    ----------
    rule
        By which rule.
    means
        Mean scores (..., C); ``-inf`` is never chosen.
    folds
        Scores of the folds (..., K, C), NaN where there is none; looked at by ``one_se`` only.
    order
        Place of each configuration in the order of `simplicity` (C,), 0 for the simplest.
    smoothing
        For ``posterior_mean``; without it, that is ``best``.

    Returns
    -------
    array
        Places of the chosen configurations (...); of equal ones, the first.

    """
    import numpy as np

    if rule.name == POSTERIOR_MEAN and smoothing is not None:
        finite = np.isfinite(means)
        values = smoothing(np.where(finite, means, smoothing.means))
        return np.asarray(np.where(finite, values, -np.inf).argmax(axis=-1))
    best = means.argmax(axis=-1)
    if rule.name in (BEST, POSTERIOR_MEAN):
        return np.asarray(best)
    top = np.take_along_axis(means, best[..., None], axis=-1)
    allowed = rule.share * np.abs(top) if rule.name == WITHIN else _paired_errors(folds, best)
    eligible = (means >= top - allowed) & np.isfinite(means)
    return np.asarray(np.where(eligible, order, len(order)).argmin(axis=-1))


def _paired_errors(folds: Doubles, best: Integers) -> Doubles:
    """Give the standard errors of the differences to the best (..., C); 0 on fewer than two common folds."""
    import numpy as np

    gaps = np.take_along_axis(folds, best[..., None, None], axis=-1) - folds
    seen = np.isfinite(gaps)
    count = seen.sum(axis=-2)
    mean = np.where(seen, gaps, 0.0).sum(axis=-2) / np.maximum(count, 1)
    squares = np.where(seen, np.square(gaps - mean[..., None, :]), 0.0).sum(axis=-2)
    return np.asarray(np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1)))
