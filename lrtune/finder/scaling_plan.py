"""What `lrtune.finder.scaling` is about to train: sizes, rates as far as they are known, and what that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lrtune.experiment import Experiment
from lrtune.finder.core import base, offered
from lrtune.finder.foreign import called, check, chosen_configuration
from lrtune.finder.sizes import SIZE_KINDS, SizeKind
from lrtune.finder.trends import MARGIN
from lrtune.text.errors import LrtuneError, nearest
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import OPTIMIZERS, Complete

RATES_AT_FIRST, RATES_AFTERWARDS = 13, 2 * MARGIN + 2
"""Rates that the cheapest size takes, and each other one: about so many, because the losses decide."""

FARTHER = (2, 4)
"""Sizes that are predicted unless one is named, over the largest measured one."""


class ScalingCost(NamedTuple):
    """What it takes: about so many trainings on all folds at each size, and seconds on one core if they are known."""

    trainings: tuple[tuple[int, int], ...]
    seconds: float | None


@dataclass(frozen=True, eq=False)
class ScalingPlan:
    """What is about to be trained.

    Attributes
    ----------
    kind, sizes, at
        What grows, what is measured, and what is predicted.
    names
        Of the optimizers.
    configurations
        Of each, as planned.

    """

    experiment: Experiment
    prepared: Prepared
    kind: SizeKind
    names: tuple[str, ...]
    configurations: tuple[Complete, ...]
    sizes: tuple[int, ...]
    at: tuple[int, ...]

    @property
    def in_order(self) -> tuple[int, ...]:
        """The sizes, the cheapest first."""
        return self.sizes if self.kind.is_dearer else self.sizes[::-1]

    @property
    def cost(self) -> ScalingCost:
        """What it takes for all optimizers."""
        first, *others = self.in_order
        counts = {first: RATES_AT_FIRST, **dict.fromkeys(others, RATES_AFTERWARDS)}
        trainings = tuple((size, counts[size] * len(self.names)) for size in self.sizes)
        if self.prepared.setting.foreign is not None:
            return ScalingCost(trainings, None)
        return ScalingCost(
            trainings, sum(self._seconds(each, *pair) for each in self.configurations for pair in counts.items())
        )

    def _seconds(self, configuration: Complete, size: int, count: int) -> float:
        own, setting = self.kind.sized(configuration, self.prepared.setting, size)
        return count * expected_seconds(own, setting, lanes=count * len(setting.folds))


def plan_scaling(
    experiment: Experiment,
    prepared: Prepared,
    kind: str,
    *,
    sizes: Sequence[int] = (),
    at: Sequence[int] = (),
    optimizers: Sequence[str] = (),
) -> ScalingPlan:
    """Say what is to be trained.

    Raises
    ------
    LrtuneError
        If an argument is wrong.

    """
    if kind not in SIZE_KINDS:
        raise LrtuneError(f"unknown kind of size '{kind}'; {nearest(kind, SIZE_KINDS)}")
    entry, setting = SIZE_KINDS[kind], prepared.setting
    for each in at:
        if isinstance(each, bool) or not isinstance(each, int) or each < entry.least:
            raise LrtuneError(f"at: expected a whole number of at least {entry.least} {entry.noun}, got {each!r}")
    names = tuple(dict.fromkeys(optimizers)) or offered(experiment)
    if experiment.trainer.is_foreign:
        if not entry.is_for_others:
            able = " and ".join(name for name, each in SIZE_KINDS.items() if each.is_for_others)
            raise LrtuneError(
                f"{kind} is for lrtune's own networks; of {experiment.trainer.called} lrtune knows {able}"
            )
        check(experiment, names)
        default = experiment.configuration(experiment.space.default())
        configurations = tuple(chosen_configuration(default, each, names) for each in names or [called(setting)])
        names = names or (called(setting),)
    else:
        for name in names:
            if name not in OPTIMIZERS:
                raise LrtuneError(f"unknown optimizer '{name}'; {nearest(name, OPTIMIZERS)}")
        configurations = tuple(base(experiment, each) for each in names)
    first = configurations[0]
    found = entry.check(first, setting, sizes) if sizes else entry.usual(first, setting)
    return ScalingPlan(
        experiment,
        prepared,
        entry,
        names,
        configurations,
        found,
        tuple(at) or tuple(each * found[-1] for each in FARTHER),
    )
