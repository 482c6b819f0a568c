"""Factors as the formulas of ``plain`` take them: ``(given factors, horizon in epochs) -> factors``.

What a configuration leaves to another factor, or to the horizon, is computed here, once.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from lrtune.training.decays.plain import TOLERANCE

Factors: TypeAlias = dict[str, Any]
"""Values of factors by name: numbers, tuples of them, texts; of a decay that is joined, its function."""


def as_given(given: Factors, _horizon: float) -> Factors:
    """Take every factor as it is."""
    return given


def step(given: Factors, horizon: float) -> Factors:
    """Compute the distance of drops, and the factor that leads to a given end."""
    every = given.get("every") or horizon / (given["drops"] + 1)
    inside = max(math.ceil(horizon / every - TOLERANCE) - 1, 1)
    return {"factor": _drop(given, inside), "every": every}


def multistep(given: Factors, horizon: float) -> Factors:
    """Compute the times of drops in epochs, and the factor that leads to a given end."""
    times = given.get("milestones") or [each * horizon for each in given["at"]]
    inside = max(sum(each < horizon - TOLERANCE for each in times), 1)
    return {"factor": _drop(given, inside), "milestones": tuple(times)}


def _drop(given: Factors, inside: int) -> float:
    return float(given["final"] ** (1.0 / inside)) if "final" in given else float(given["factor"])


def exponential(given: Factors, horizon: float) -> Factors:
    """Compute the decay constant."""
    k = -math.log(given["final"]) / horizon if "final" in given else given["k"]
    return {"k": k, "staircase": given["staircase"], "floor": given["floor"]}


def inverse_time(given: Factors, horizon: float) -> Factors:
    """Compute the decay constant."""
    k = (1.0 / given["final"] - 1.0) / horizon if "final" in given else given["k"]
    return {"k": k, "floor": given["floor"]}


def inverse_sqrt(given: Factors, horizon: float) -> Factors:
    """Compute the timescale."""
    if "final" not in given:
        return given
    slowness = 1.0 / given["final"] ** 2 - 1.0
    return {"timescale": horizon / slowness if slowness > 0.0 else math.inf}


def cosine_restarts(given: Factors, horizon: float) -> Factors:
    """Compute the length of the first cycle."""
    ratio = given["multiplier"]
    period = given.get("period") or horizon / sum(ratio**index for index in range(given["cycles"]))
    return {"period": period, **{name: given[name] for name in ("multiplier", "peak_decay", "final", "rise")}}


def cyclical(given: Factors, horizon: float) -> Factors:
    """Compute the length of a cycle, and leave the momentum out."""
    period = given.get("period") or horizon / given["cycles"]
    return {"low": given["low"], "period": period, **{name: given[name] for name in ("rise", "mode", "gamma")}}


def one_cycle(given: Factors, _horizon: float) -> Factors:
    """Leave the momentum out."""
    return {name: given[name] for name in ("initial", "rise", "tail", "shape", "final")}
