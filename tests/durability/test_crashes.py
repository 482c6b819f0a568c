"""Whatever kills a search, the same command goes on, and what comes out is what would have come out."""

import sys

import numpy as np
import pytest
from crashes import at_points, at_random_instants
from studies import content

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks of POSIX")


def test_a_search_that_is_killed_where_it_writes_loses_nothing(forks):
    """Some of the points here, all of them in `make torture`."""
    points = np.linspace(0, forks.points_of_all - 1, 8).astype(int).tolist()
    assert at_points(forks, "race.yaml", content(forks.folder / "undisturbed"), points) == []


def test_a_search_that_is_killed_at_any_instant_loses_nothing(forks):
    """One kill of a search here, fifty studies in `make torture`."""
    undisturbed, rng = content(forks.folder / "undisturbed"), np.random.default_rng()
    found = at_random_instants(
        forks.folder, "race.yaml", "random", rng, workers=1, seconds=2.0, undisturbed=undisturbed, most=1
    )
    assert found[1] == []
