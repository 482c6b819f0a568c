"""The same configuration on another horizon: the whole schedule, compressed or stretched.

Cutting a run short would favour the schedules that decay early. Here each one runs to its end: what is a share of the
horizon stays as it is, and what counts epochs or seconds goes with it. As a function of the share of the horizon the
rates are the same (a plateau's patience is rounded to whole epochs).
"""

from __future__ import annotations

from collections.abc import Iterator

from lrtune.training.declarations import Configuration, Factor, Value
from lrtune.training.registry import DECAYS, TRAINING_KEYS


def with_horizon(configuration: Configuration, epochs: int) -> Configuration:
    """Give a complete configuration another number of epochs, and all that counts them the same share of it."""
    share = epochs / int(configuration["epochs"])  # type: ignore[arg-type]
    if share == 1.0:
        return configuration
    timed = {key: factor for key, factor in _timed(configuration) if key in configuration}
    scaled = {key: _scaled(configuration[key], factor, share) for key, factor in timed.items()}
    return {**configuration, **scaled, "epochs": epochs}


def _timed(configuration: Configuration) -> Iterator[tuple[str, Factor]]:
    """Find what depends on the horizon."""
    yield from ((key, factor) for key, factor in TRAINING_KEYS.items() if factor.time)
    if "decay" in configuration:
        yield from _timed_factors(configuration, "decay")


def _timed_factors(configuration: Configuration, prefix: str) -> Iterator[tuple[str, Factor]]:
    """Find the factors of a decay, and of those inside it, that depend on the horizon."""
    for factor in DECAYS[str(configuration[prefix])].factors:
        key = f"{prefix}.{factor.name}"
        if factor.time:
            yield key, factor
        if factor.kind == "decay":
            yield from _timed_factors(configuration, key)


def _scaled(value: Value, factor: Factor, share: float) -> Value:
    if isinstance(value, tuple):
        return tuple(each * share for each in value)
    assert isinstance(value, int | float)
    if factor.kind == "int":
        return round(max(value * share, factor.low))
    if factor.time == "duration":
        return max(value * share, factor.low)
    return value / share if factor.time == "speed" else float(value) ** (1.0 / share)
