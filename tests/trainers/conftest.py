"""A small table of three overlapping classes, one of values, and a folder to search in."""

import numpy as np
import pytest
from trainer_tables import write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    labels = np.arange(90) % 3
    points = np.round(rng.normal(size=(90, 3)) + 1.3 * np.eye(3)[labels], 4)
    names = np.array(["ash", "birch", "cedar"])[labels]
    write(tmp_path / "trees.csv", "a,b,c,kind", np.column_stack([points, names]).tolist())
    values = np.round(points @ [1.0, -2.0, 0.5] + 0.3 * rng.normal(size=90), 4)
    write(tmp_path / "values.csv", "a,b,c,height", np.column_stack([points, values]).tolist())
    two = np.where(labels > 0, "yes", "no")
    write(tmp_path / "two.csv", "a,b,c,kind", np.column_stack([points, two]).tolist())
    monkeypatch.chdir(tmp_path)
    return tmp_path
