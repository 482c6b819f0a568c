"""An experiment: the YAML file, read with lines, checked as a whole, frozen.

::

    core       experiment
    reading    YAML text -> plain values with their lines           door: PyYAML
    searched   the experiment of a run, as the file in its folder has it
    suited     the experiment that suits a table: where there is no file, and what `lrtune init` writes
    writing    plain values -> YAML text
"""

from lrtune.experiment.core import TASKS, Experiment
from lrtune.experiment.reading.loading import load, load_text, with_defaults, with_rates, with_seed
from lrtune.experiment.reading.space_form import parse_space
from lrtune.experiment.writing.default_space import default_space
from lrtune.experiment.writing.schema import schema

__all__ = [
    "TASKS",
    "Experiment",
    "default_space",
    "load",
    "load_text",
    "parse_space",
    "schema",
    "with_defaults",
    "with_rates",
    "with_seed",
]
