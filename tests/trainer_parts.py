"""A part of the built-in trainer replaced, for one test."""

from lrtune.trainers.catalogue import TRAINERS
from lrtune.training.registry import BUILT_IN


def replace_part(monkeypatch, **parts):
    """Put other functions into the trainer's entry."""
    monkeypatch.setitem(TRAINERS, BUILT_IN, TRAINERS[BUILT_IN]._replace(**parts))
