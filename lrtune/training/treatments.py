"""What is done to the gradient and the parameters of some lanes before every update: clipping, then weight decay.

Only lanes whose configuration asks for a treatment are touched, so that the others have the same bits as without that
company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lrtune.arrays import Array
from lrtune.training.declarations import Configuration
from lrtune.training.registry import OPTIMIZERS
from lrtune.training.runs import amount

_CLIP_MARGIN = 1e-6
"""Added to the norm before dividing by it, as PyTorch does."""


class Treated(NamedTuple):
    """Lanes of neighbouring configurations that ask for a treatment, as views of the population's arrays.

    ``parameters``, ``gradient`` and ``scratch`` are ``(C, K, P)``; ``scratch`` holds nothing. ``rates`` are those of
    this update, ``(C, K, 1)``, or ``(C, K, P)`` where parameters have factors of it, and ``amounts`` how much each
    configuration asks for, ``(C, 1, 1)``, or ``(C, K, 1)`` where that changes over time.
    """

    parameters: Array
    gradient: Array
    scratch: Array
    rates: Array
    amounts: Array


class Treatment(NamedTuple):
    """One thing that is done before an update.

    Attributes
    ----------
    name
        What it is called.
    amount
        How much of it a complete configuration asks for; 0: nothing.
    act
        Does it, in place. Nothing may mix lanes: a lane's bits are the same alone and in any company.
    shaped
        The key whose shape over time multiplies the amount, if there is one.

    """

    name: str
    amount: Callable[[Configuration], float]
    act: Callable[[Treated], None]
    shaped: str = ""


def _clip(lanes: Treated) -> None:
    """Shorten the gradients of lanes whose norm is above the limit."""
    np.multiply(lanes.gradient, lanes.gradient, out=lanes.scratch)
    norms = np.sqrt(np.add.reduce(lanes.scratch, axis=-1, keepdims=True))
    np.multiply(lanes.gradient, np.minimum(lanes.amounts / (norms + _CLIP_MARGIN), 1.0), out=lanes.gradient)


def _couple(lanes: Treated) -> None:
    """Add weight decay to the gradient."""
    np.multiply(lanes.parameters, lanes.amounts, out=lanes.scratch)
    np.add(lanes.gradient, lanes.scratch, out=lanes.gradient)


def _shrink(lanes: Treated) -> None:
    """Apply weight decay to the parameters."""
    np.multiply(lanes.parameters, 1.0 - lanes.rates * lanes.amounts, out=lanes.parameters)


def _coupled_decay(configuration: Configuration) -> float:
    return 0.0 if _is_decoupled(configuration) else amount(configuration["weight_decay"])


def _decoupled_decay(configuration: Configuration) -> float:
    itself = OPTIMIZERS[str(configuration["optimizer"])].decays_itself
    return amount(configuration["weight_decay"]) if _is_decoupled(configuration) and not itself else 0.0


def _is_decoupled(configuration: Configuration) -> bool:
    return bool(configuration["decoupled"]) or OPTIMIZERS[str(configuration["optimizer"])].decoupled


_ENTRIES = (
    Treatment("clipping", lambda each: amount(each["clip_norm"]), _clip),
    Treatment("coupled weight decay", _coupled_decay, _couple, shaped="weight_decay"),
    Treatment("decoupled weight decay", _decoupled_decay, _shrink, shaped="weight_decay"),
)

TREATMENTS: dict[str, Treatment] = {entry.name: entry for entry in _ENTRIES}
"""What is done before an update, in this order."""
