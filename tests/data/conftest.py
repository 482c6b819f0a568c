from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "datasets"


@pytest.fixture(scope="session")
def bundled() -> list[Path]:
    """The seven tables that come with the project."""
    paths = sorted(FOLDER.glob("*.csv"))
    assert len(paths) == 7
    return paths
