"""An experiment: the YAML file, read with lines, checked as a whole, frozen.

::

    reading      YAML text -> plain values with their lines           door: PyYAML
    document     plain values, where they came from, what is wrong with them
    sections     the flat sections as frozen models                   door: pydantic
    validation   values -> sections; contradictions between keys
    vocabulary   the registry's tables, seen from the file
    leaves       scalars, lists and ranges -> dimensions
    space_form   branches -> a tree of dimensions
    nesting      configurations as nested parameters, and back
    automatic    learning_rate: auto, once its range is known
    core         Experiment
    loading      load
    starter      the default experiment
    schema       the JSON Schema
    writing      plain values -> YAML text
"""

from lrtune.experiment.core import TASKS, Experiment
from lrtune.experiment.reading.loading import load, load_text, with_rates
from lrtune.experiment.reading.space_form import parse_space
from lrtune.experiment.writing.schema import schema
from lrtune.experiment.writing.starter import default_space, starter

__all__ = [
    "TASKS",
    "Experiment",
    "default_space",
    "load",
    "load_text",
    "parse_space",
    "schema",
    "starter",
    "with_rates",
]
