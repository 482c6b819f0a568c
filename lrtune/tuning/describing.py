"""What another trainer than lrtune's own says before it trains: its default configuration, and what it refuses."""

from __future__ import annotations

from lrtune import experiment as experiments
from lrtune.experiment import Experiment
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.preparation import Prepared


def described(experiment: Experiment, prepared: Prepared) -> Experiment:
    """Let code of somebody else say what it would not train, and fill in its default configuration.

    Raises
    ------
    ExperimentError
        With all that is wrong.

    """
    setting = prepared.setting
    names = sorted(experiment.own_names)
    found = TRAINERS[setting.trainer].describe(setting, names, experiment.configuration(experiment.space.default()))
    experiment.refuse(found.wrong)
    return experiments.with_defaults(experiment, found.defaults) if found.defaults else experiment
