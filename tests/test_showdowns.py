"""The showdowns in `configs` leave nobody out: who adds a decay type or an optimizer adds it there."""

from pathlib import Path

import pytest

from lrtune import experiment
from lrtune.training.registry import DECAYS, OPTIMIZERS

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize(
    ("file", "key", "table"), [("decay_showdown", "decay", DECAYS), ("optimizers", "optimizer", OPTIMIZERS)]
)
def test_every_entry_takes_part_at_as_many_points(file, key, table):
    space = experiment.load(CONFIGS / f"{file}.yaml").space
    points = [space.at(index)[key] for index in range(int(space.size))]
    assert {name: points.count(name) for name in points} == dict.fromkeys(table, len(points) // len(table))
