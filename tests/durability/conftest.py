import pytest
from studies import PLAIN, RACE, Forks


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """A folder with two experiments, an undisturbed run of one, and a quick way to run commands there."""
    folder = tmp_path_factory.mktemp("forks")
    (folder / "race.yaml").write_text(RACE)
    (folder / "plain.yaml").write_text(PLAIN)
    with Forks(folder) as running:
        assert running.run("search", "race.yaml", "--output", "undisturbed", "--workers", 1, "--quiet") == 0
        running.points_of_all = running.points
        yield running
