"""What a finished run chose: its best configuration, and how many updates an epoch of its final training had."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from lrtune.run import files
from lrtune.run.folder import open_run
from lrtune.run.names import DATABASE, RESULT
from lrtune.space.trial import Configuration, frozen
from lrtune.text.errors import StudyError
from lrtune.training.declarations import number
from lrtune.training.registry import SCHEDULE_KEYS, problems


def chosen_configuration(folder: Path) -> Configuration:
    """Read the complete configuration that a finished run chose; of another trainer than lrtune's own, its schedule.

    Raises
    ------
    StudyError
        If the run is not finished, its result is damaged, or what it trained takes no rates.

    """
    try:
        found = files.read_json(folder / RESULT)["best"]["configuration"]
        configuration = {key: frozen(each) for key, each in found.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudyError(f"{folder}: has no readable {RESULT}; a run has one when it is finished") from error
    # A result that was copied alone is of lrtune's own trainer, or the message below says what it has that is unknown.
    trainer = open_run(folder).study.header.asked.get("trainer") if (folder / DATABASE).is_file() else None
    if isinstance(trainer, Mapping):
        if "decay" not in configuration or not trainer["scheduled"]:
            raise StudyError(f"{folder}: what it trained takes no rates from lrtune, so that it has no schedule")
        configuration = {key: each for key, each in configuration.items() if key.partition(".")[0] in SCHEDULE_KEYS}
    if wrong := problems(configuration):
        raise StudyError(f"{folder / RESULT}: damaged ({wrong[0]}); run the search again to have it written anew")
    return configuration


def updates_in_epoch(folder: Path, configuration: Configuration) -> int:
    """Count the updates of an epoch of the final training, on all training rows.

    Raises
    ------
    StudyError
        If there is no study.

    """
    rows = open_run(folder).study.header.rows
    assert rows is not None  # a study that trains says how many
    return math.ceil(rows.train / number(configuration["batch_size"]))
