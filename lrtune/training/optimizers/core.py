"""Every optimizer as a start and an update; names and factors are those of the catalogue.

A new one is a function in a module of its kind, a line here, and an entry in the catalogue.
"""

from __future__ import annotations

from lrtune.training.optimizers.adam_family import (
    adam,
    adam_start,
    amsgrad,
    amsgrad_start,
    nadam,
    nadam_start,
    radam,
    radam_start,
)
from lrtune.training.optimizers.adaptive import adadelta, adagrad, adagrad_start, rmsprop
from lrtune.training.optimizers.gradient_descent import lion, momentum, nesterov, sgd
from lrtune.training.optimizers.natural_gradient import NATURAL_GRADIENT
from lrtune.training.optimizers.prodigy import prodigy, prodigy_start
from lrtune.training.optimizers.schedule_free import (
    averaged,
    schedule_free_adamw,
    schedule_free_adamw_start,
    schedule_free_sgd,
    schedule_free_start,
)
from lrtune.training.updates import Optimizer, State, StepValues, one_buffer, stateless, two_buffers

__all__ = ["OPTIMIZERS", "Optimizer", "State", "StepValues"]

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(stateless, sgd),
    "momentum": Optimizer(one_buffer, momentum),
    "nesterov": Optimizer(one_buffer, nesterov),
    "adagrad": Optimizer(adagrad_start, adagrad),
    "rmsprop": Optimizer(one_buffer, rmsprop),
    "adadelta": Optimizer(two_buffers, adadelta),
    "adam": Optimizer(adam_start, adam),
    "adamw": Optimizer(adam_start, adam),
    "amsgrad": Optimizer(amsgrad_start, amsgrad),
    "nadam": Optimizer(nadam_start, nadam),
    "radam": Optimizer(radam_start, radam),
    "lion": Optimizer(one_buffer, lion),
    "natural_gradient": NATURAL_GRADIENT,
    "schedule_free_sgd": Optimizer(schedule_free_start, schedule_free_sgd, averaged, decays_itself=True),
    "schedule_free_adamw": Optimizer(schedule_free_adamw_start, schedule_free_adamw, averaged, decays_itself=True),
    "prodigy": Optimizer(prodigy_start, prodigy, decays_itself=True),
}
