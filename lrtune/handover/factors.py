"""Factors as the formulas take them: what a configuration leaves to others is computed here, once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lrtune.handover.formulas import TOLERANCE
from lrtune.training.registry import DECAYS, Configuration

Factors = dict[str, Any]


def factors(configuration: Configuration, prefix: str, horizon: float) -> Factors:
    """Compute the factors of a decay for the function of that name in ``formulas``.

    Parameters
    ----------
    configuration
        A complete configuration.
    prefix
        Where the decay stands in it: ``decay``, or ``decay.first`` in a join.
    horizon
        Epochs that the decay has.

    """
    name = str(configuration[prefix])
    keys = {each.name: f"{prefix}.{each.name}" for each in DECAYS[name].factors}
    given = {short: configuration[key] for short, key in keys.items() if key in configuration}
    return _RESOLVERS[name](given, horizon) if name in _RESOLVERS else given


def _step(given: Factors, horizon: float) -> Factors:
    every = given.get("every") or horizon / (given["drops"] + 1)
    inside = max(math.ceil(horizon / every - TOLERANCE) - 1, 1)
    return {"factor": _drop(given, inside), "every": every}


def _multistep(given: Factors, horizon: float) -> Factors:
    times = given.get("milestones") or [each * horizon for each in given["at"]]
    inside = max(sum(each < horizon - TOLERANCE for each in times), 1)
    return {"factor": _drop(given, inside), "milestones": tuple(times)}


def _drop(given: Factors, inside: int) -> float:
    return float(given["final"] ** (1.0 / inside)) if "final" in given else float(given["factor"])


def _exponential(given: Factors, horizon: float) -> Factors:
    k = -math.log(given["final"]) / horizon if "final" in given else given["k"]
    return {"k": k, "staircase": given["staircase"]}


def _inverse_time(given: Factors, horizon: float) -> Factors:
    return {"k": (1.0 / given["final"] - 1.0) / horizon if "final" in given else given["k"]}


def _inverse_sqrt(given: Factors, horizon: float) -> Factors:
    if "final" not in given:
        return given
    slowness = 1.0 / given["final"] ** 2 - 1.0
    return {"timescale": horizon / slowness if slowness > 0.0 else math.inf}


def _cosine_restarts(given: Factors, horizon: float) -> Factors:
    ratio = given["multiplier"]
    period = given.get("period") or horizon / sum(ratio**index for index in range(given["cycles"]))
    return {"period": period, **{name: given[name] for name in ("multiplier", "peak_decay", "final")}}


def _cyclical(given: Factors, horizon: float) -> Factors:
    period = given.get("period") or horizon / given["cycles"]
    return {"low": given["low"], "period": period, **{name: given[name] for name in ("rise", "mode", "gamma")}}


def _one_cycle(given: Factors, _horizon: float) -> Factors:
    return {name: given[name] for name in ("initial", "rise", "tail", "shape", "final")}


_RESOLVERS = {
    "step": _step,
    "multistep": _multistep,
    "exponential": _exponential,
    "inverse_time": _inverse_time,
    "inverse_sqrt": _inverse_sqrt,
    "cosine_restarts": _cosine_restarts,
    "cyclical": _cyclical,
    "one_cycle": _one_cycle,
}


def momentum_factors(name: str, resolved: Mapping[str, Any]) -> Factors:
    """Pick from the factors of a cycled decay those of its height."""
    keys = ("period", "rise", "mode", "gamma") if name == "cyclical" else ("rise", "tail", "shape")
    return {key: resolved[key] for key in keys}
