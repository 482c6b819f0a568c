"""The speed of the virtual clock: how many seconds an update counts in a study whose decay follows the time.

Rates that follow a real clock are never the same twice. So a study measures once what an update takes here, for each
network, batch size and optimizer, and records it; from then on the time is the number of updates times that, in every
process and after every crash. What is measured is a lane that trains alone, as the final retraining does.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping
from typing import TypeAlias

from lrtune.arrays import one_blas_thread
from lrtune.space.trial import Configuration, Value
from lrtune.trainers.contract import Setting
from lrtune.training.batches import effective_batch_size
from lrtune.training.declarations import number
from lrtune.training.evaluate import seen_by
from lrtune.training.population import plan, start, train
from lrtune.training.registry import complete
from lrtune.training.wall_clock import Clock, follows_clock

SpeedKey: TypeAlias = tuple[tuple[str, Value], ...]
"""What the time of an update depends on, sorted by name."""

_KEYS = ("batch_size", "model", "numbers", "optimizer")
_LAYER_KEYS = ("activation", "embedding", "hidden")

_SECONDS, _FEWEST, _MOST = 0.1, 4, 64
"""A measurement ends after so many seconds but not before so many epochs, or after so many."""


def speed_key(configuration: Configuration) -> SpeedKey:
    """Take out of a complete configuration what the time of an update depends on."""
    keys = (*_KEYS, *_LAYER_KEYS) if configuration.get("model") == "mlp" else _KEYS
    return tuple((key, configuration.get(key)) for key in sorted(keys))


def with_speed(configuration: Configuration, speeds: Mapping[SpeedKey, float]) -> Configuration:
    """Let a wall-clock decay without a speed of its own have the measured one; others stay as they are."""
    known = speeds.get(speed_key(configuration)) if follows_clock(configuration) else None
    return configuration if known is None else {**configuration, "decay.step_seconds": known}


def measured_step_seconds(configuration: Configuration, setting: Setting, clock: Clock) -> float:
    """Measure one update of a complete configuration on the first fold, trained alone: the median over epochs.

    Three digits, which is more than there is to know.
    """
    kept = {key: each for key, each in configuration.items() if key.startswith("optimizer.")}
    slow: dict[str, Value] = {"learning_rate": 1e-6, "decay": "constant", "epochs": _MOST}
    chosen = complete({**dict(speed_key(configuration)), **kept, **slow})
    fold = seen_by(chosen, setting.folds[0], setting.problem)
    size = effective_batch_size(int(number(chosen["batch_size"])), len(fold.features))
    shared = plan(chosen, [fold], setting.problem, batch_size=size, seed=setting.seed, dtype=setting.dtype)
    times = [clock()]

    def is_enough() -> bool:
        times.append(clock())
        return len(times) > _FEWEST and times[-1] - times[0] >= _SECONDS

    with one_blas_thread():
        train(start([chosen], shared), shared, should_stop=is_enough)
    epochs = [end - begin for begin, end in itertools.pairwise(times)]
    return float(f"{max(statistics.median(epochs) / shared.steps[0], 1e-9):.3g}")
