"""What may grow, each once: how a training of another size is made, and the rules on offer for its learning rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lrtune.arrays import FEWER_ROWS, Integers, stream
from lrtune.text.errors import LrtuneError
from lrtune.trainers.contract import Setting
from lrtune.training.declarations import number
from lrtune.training.encoded import part_of
from lrtune.training.horizons import with_horizon
from lrtune.training.registry import Complete
from lrtune.training.tasks import Encoded, Fold

FEWEST = 3
"""Sizes that a trend takes at least."""

SHALLOW = "a linear model has no hidden layer; set model.hidden, or choose another kind of size"


class OfferedRule(NamedTuple):
    """A rule for how the best rate goes with a size: with its power ``exponent``."""

    name: str
    exponent: float
    source: str


class SizeKind(NamedTuple):
    """One kind of size.

    Attributes
    ----------
    name, noun, meaning
        Its name, what is counted, and what else stays as it is.
    factors
        Sizes that are measured unless others are named, over that of the experiment.
    least
        No size is below.
    size
        Of a training.
    most
        No measured size of it is above; None: there is no limit.
    sized
        The same training with another size.
    rules
        Those on offer.
    is_for_others
        Whether a trainer of somebody else can be given the size, too.
    is_dearer
        Whether a larger size takes longer.

    """

    name: str
    noun: str
    meaning: str
    factors: tuple[float, ...]
    least: int
    size: Callable[[Complete, Setting], int]
    most: Callable[[Complete, Setting], int | None]
    sized: Callable[[Complete, Setting, int], tuple[Complete, Setting]]
    rules: tuple[OfferedRule, ...]
    is_for_others: bool
    is_dearer: bool = True

    def usual(self, configuration: Complete, setting: Setting) -> tuple[int, ...]:
        """Choose the sizes that are measured unless others are named.

        Raises
        ------
        LrtuneError
            If there are too few, because the experiment is small.

        """
        own, most = self.size(configuration, setting), self.most(configuration, setting)
        own = own if most is None else min(own, int(most / max(self.factors)))
        found = sorted({round(own * each) for each in self.factors if round(own * each) >= self.least})
        if len(found) < FEWEST:
            raise LrtuneError(
                f"{self.name}: {own} {self.noun} leave no {FEWEST} sizes to compare; name some with sizes"
            )
        return tuple(found)

    def check(self, configuration: Complete, setting: Setting, sizes: Sequence[int]) -> tuple[int, ...]:
        """Sort sizes that were named; refuse those that cannot be.

        Raises
        ------
        LrtuneError
            If there are too few, or one is too small or too large.

        """
        most = self.most(configuration, setting)
        for each in sizes:
            if isinstance(each, bool) or not isinstance(each, int) or each < self.least:
                raise LrtuneError(f"sizes: expected whole numbers of at least {self.least} {self.noun}, got {each!r}")
            if most is not None and each > most:
                raise LrtuneError(f"sizes: there are at most {most} {self.noun} to measure with, got {each}")
        found = tuple(sorted(set(sizes)))
        if len(found) < FEWEST:
            raise LrtuneError(f"sizes: a trend takes at least {FEWEST} different ones, got {len(found)}")
        return found


def _epochs(configuration: Complete, _setting: Setting) -> int:
    return int(number(configuration["epochs"]))


def _of_epochs(configuration: Complete, setting: Setting, size: int) -> tuple[Complete, Setting]:
    return Complete(with_horizon(configuration, size)), setting


def _batch(configuration: Complete, _setting: Setting) -> int:
    return int(number(configuration["batch_size"]))


def _half_of_a_fold(_configuration: Complete, setting: Setting) -> int:
    """Take half of the rows of the smallest fold: two updates in an epoch are few enough."""
    return max(1, min(len(each.features) for each in setting.folds) // 2)


def _of_batch(configuration: Complete, setting: Setting, size: int) -> tuple[Complete, Setting]:
    return Complete({**configuration, "batch_size": size}), setting


def _width(configuration: Complete, _setting: Setting) -> int:
    hidden = configuration.get("hidden")
    if configuration.get("model") == "linear" or not isinstance(hidden, tuple | list) or not hidden:
        raise LrtuneError(f"width: {SHALLOW}")
    return int(hidden[0])


def _of_width(configuration: Complete, setting: Setting, size: int) -> tuple[Complete, Setting]:
    """Give the first hidden layer so many units, and the others the same share of theirs."""
    hidden = configuration["hidden"]
    assert isinstance(hidden, tuple | list)
    share = size / hidden[0]
    return Complete({**configuration, "hidden": tuple(max(1, round(each * share)) for each in hidden)}), setting


def _rows(_configuration: Complete, setting: Setting) -> int:
    return max(len(each.features) + len(each.validation_features) for each in setting.folds)


def _of_rows(configuration: Complete, setting: Setting, size: int) -> tuple[Complete, Setting]:
    """Keep a share of the training rows of each fold, drawn once; more rows are those of fewer and others.

    The rows to be scored on, and how features are encoded, stay as they are.
    """
    share = size / _rows(configuration, setting)
    kept = [_drawn(each, share, setting.seed) for each in setting.folds]
    folds = tuple(_with_rows(fold, rows) for fold, rows in zip(setting.folds, kept, strict=True))
    foreign = setting.foreign
    if foreign is not None:
        pairs = tuple((all_of[rows], other) for (all_of, other), rows in zip(foreign.rows, kept, strict=True))
        foreign = foreign._replace(rows=pairs)
    return configuration, setting._replace(folds=folds, foreign=foreign)


def _drawn(fold: Fold, share: float, seed: int) -> Integers:
    rows = len(fold.features)
    count = min(rows, max(1, round(rows * share)))
    return np.sort(stream(seed, FEWER_ROWS, fold.index).permutation(rows)[:count])


def _with_rows(fold: Fold, rows: Integers) -> Fold:
    if len(rows) == len(fold.features):
        return fold
    others = {
        name: Encoded(part_of(each.features, rows), each.validation_features) for name, each in fold.others.items()
    }
    return replace(
        fold,
        features=part_of(fold.features, rows),
        targets=fold.targets[rows],
        weights=fold.weights[rows],
        others=others,
    )


def _limitless(_configuration: Complete, _setting: Setting) -> None:
    return None


SAME = OfferedRule("the same rate", 0.0, "no rule at all")
LONGER = (
    OfferedRule("1 / square root", -0.5, "what the finder carries short runs over with; Defazio et al. 2023"),
    OfferedRule("power -0.32", -0.32, "Bjorck et al. 2025, for horizons"),
    SAME,
)
"""Rules for more updates."""

_ENTRIES = (
    SizeKind(
        "horizon",
        "epochs",
        "the schedule is stretched to them; all else stays as it is",
        (1 / 8, 1 / 4, 1 / 2, 1.0),
        1,
        _epochs,
        _limitless,
        _of_epochs,
        LONGER,
        is_for_others=True,
    ),
    SizeKind(
        "batch",
        "rows of a mini-batch",
        "the epochs stay, so that there are fewer updates",
        (1 / 2, 1.0, 2.0, 4.0),
        1,
        _batch,
        _half_of_a_fold,
        _of_batch,
        (
            OfferedRule("linear", 1.0, "Goyal et al. 2017, for SGD"),
            OfferedRule("square root", 0.5, "Malladi et al. 2022, for Adam, its betas scaled as well"),
            OfferedRule("the same rate, if beta2 keeps its half-life", 0.0, "Marek et al. 2025; the half-life in rows"),
        ),
        is_for_others=False,
        is_dearer=False,
    ),
    SizeKind(
        "width",
        "units of the first hidden layer",
        "other layers keep their share of it",
        (1 / 4, 1 / 2, 1.0, 2.0),
        2,
        _width,
        _limitless,
        _of_width,
        (
            OfferedRule("1 / width", -1.0, "Yang et al. 2022 (muP), for Adam's hidden matrices"),
            OfferedRule("1 / square root", -0.5, "between both"),
            SAME,
        ),
        is_for_others=False,
    ),
    SizeKind(
        "rows",
        "rows of the table",
        "the epochs stay, so that there are more updates",
        (1 / 8, 1 / 4, 1 / 2, 1.0),
        16,
        _rows,
        _rows,
        _of_rows,
        LONGER,
        is_for_others=True,
    ),
)

SIZE_KINDS = {each.name: each for each in _ENTRIES}
"""All kinds of sizes."""
