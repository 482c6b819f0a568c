"""The same configuration on a shorter horizon, for races: the whole schedule, compressed."""

from __future__ import annotations

from lrtune.space.trial import Configuration
from lrtune.training.horizons import with_horizon
from lrtune.verdict.races import LEAST_EPOCHS


def compressed(configuration: Configuration, shorter: int) -> Configuration:
    """Divide the horizon of a complete configuration by ``shorter``, as far as `LEAST_EPOCHS` are left."""
    epochs = configuration.get("epochs")
    if shorter == 1 or not isinstance(epochs, int):
        return configuration
    fewer = min(epochs, max(LEAST_EPOCHS, round(epochs / shorter)))
    return with_horizon(configuration, fewer) if fewer < epochs else configuration
