"""lrtune tunes the learning rate, its decay type and its decay factors on your own table.

::

    arrays       what all that computes shares: types, random streams, one BLAS thread
    cli          the command line
    data         tables in, arrays out
    engines      where blocks run: a function is mapped over blocks, here or in worker processes
    experiment   from YAML to a frozen experiment, with the line of whatever is wrong, and back
    finder       the learning-rate range test: curves of loss against rate, and the answer
    handover     a schedule as a value, and as code for PyTorch, Keras and optax
    model        fitting on given rows; the retrained model, saved without pickle; scikit-learn estimators
    nights       from night to night: the champion, its drift, the history of all nights
    reporting    pages for people and files for programs: a result in, text out
    run          a run on the disk: file names, atomic writes, the lock, the journal, what its events add up to
    sampling     what to try next: grid, random, quasirandom, Bayesian, TPE
    space        what can be tried: configurations, trials, dimensions, the space as a tree
    text         errors, nearest names, formats, durations, JSON and CSV
    trainers     an experiment's data prepared, and what trains on them
    training     the built-in trainer: arrays in, arrays out
    tuning       the search as a function, from an experiment to its result
    verdict      what to make of the scores: which trial is chosen, how good it is, what is odd; nothing here trains
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "Regressor",
    "Result",
    "Schedule",
    "SearchCV",
    "Study",
    "find_learning_rate",
    "find_scaling",
    "load",
    "search",
    "search_steps",
    "suggest",
]

if TYPE_CHECKING:
    from lrtune.finder import find_learning_rate, find_scaling
    from lrtune.handover.schedule import Schedule
    from lrtune.model.estimator import Classifier, Regressor
    from lrtune.trainers.loading import load
    from lrtune.tuning.ask_and_tell import Study
    from lrtune.tuning.calls import search, search_steps
    from lrtune.tuning.estimator import SearchCV
    from lrtune.tuning.suggestions import suggest
    from lrtune.verdict.result import Result
else:  # a type checker that saw `__getattr__` would take every misspelt name for one that exists
    _HOMES = {
        "Classifier": "lrtune.model.estimator",
        "Regressor": "lrtune.model.estimator",
        "Result": "lrtune.verdict.result",
        "Schedule": "lrtune.handover.schedule",
        "SearchCV": "lrtune.tuning.estimator",
        "Study": "lrtune.tuning.ask_and_tell",
        "find_learning_rate": "lrtune.finder",
        "find_scaling": "lrtune.finder",
        "load": "lrtune.trainers.loading",
        "search": "lrtune.tuning.calls",
        "search_steps": "lrtune.tuning.calls",
        "suggest": "lrtune.tuning.suggestions",
    }
    """Where each name lives; imported when it is asked for, so that the command line starts without NumPy."""

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        raise AttributeError(f"module 'lrtune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
