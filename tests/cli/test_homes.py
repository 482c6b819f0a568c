"""`~` in the names of files and folders: a home folder where it is one, a character like any other where it is not."""

from pathlib import Path

import pytest

from lrtune import experiment, load
from lrtune.text.paths import expanded

SMALL = ("--set", "search.trials=1", "--set", "training.epochs=2", "--set", "search.folds=2")


@pytest.fixture
def home(folder, monkeypatch):
    path = folder / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    (path / "t.csv").write_text((folder / "blobs.csv").read_text())
    return path


def succeeded(run, *words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def test_a_tilde_is_the_home_folder_wherever_a_path_enters(run, folder, home):
    succeeded(run, "search", "--data", "~/t.csv", "--target", "kind", "--output=~/out", *SMALL)
    assert (home / "out" / "result.json").is_file()
    succeeded(run, "predict", "~/out", "~/t.csv", "--output=~/p.csv")
    assert (home / "p.csv").is_file()
    for command in (("show", "~/out"), ("health", "~/out"), ("compare", "~/out", "~/out:0")):
        succeeded(run, *command)
    succeeded(run, "export", "~/out", "--to", "csv", "--output=~/t2.csv")
    succeeded(run, "retrain", "~/out", "--trial", "0", "--output=~/again")
    succeeded(run, "init", "~/t.csv", "--target", "kind", "--output=~/made.yaml")
    succeeded(run, "check", "~/made.yaml")
    (home / "test.csv").write_bytes((home / "t.csv").read_bytes())
    succeeded(run, "check", "blobs.yaml", "--data=~/t.csv", "--set", "data.test_path=~/test.csv")
    (folder / "x.yaml").write_text('data: {path: "~/t.csv", target: kind}\n')
    succeeded(run, "search", "x.yaml", *SMALL, "--baseline=~/out/result.json")
    assert load("~/again").predict([[0.0, 0.0, "a"]]).shape == (1,)
    assert experiment.load("~/made.yaml").base == home
    assert not list(folder.glob("~*"))


@pytest.mark.parametrize("name", ["~t.csv", "~", "~nobody.of.that.name"])
def test_a_tilde_is_a_character_where_nobody_has_that_name(run, folder, name):
    place = folder / name if name != "~" else folder / "x" / name
    place.parent.mkdir(exist_ok=True)
    place.mkdir()
    data = place / "~t.csv"
    data.write_text((folder / "blobs.csv").read_text())
    given = data.relative_to(folder).as_posix()
    out = (place / "~out").relative_to(folder).as_posix()
    succeeded(run, "search", "--data", given, "--target", "kind", "--output", out, *SMALL)
    assert (place / "~out" / "result.json").is_file()
    assert succeeded(run, "predict", out, given).stdout.startswith("kind,")
    again = experiment.load(place / "~out" / "experiment.yaml")
    assert (again.base / again.data.path).resolve() == data.resolve()
    made = (place / "~made.yaml").relative_to(folder).as_posix()
    succeeded(run, "init", given, "--target", "kind", "--output", made)
    assert experiment.load(made).data.path == "./~t.csv"
    succeeded(run, "check", made)


def test_a_table_that_is_not_there_is_a_sentence(run):
    result = run("check", "--data", "~nobody.of.that.name/t.csv", "--target", "y")
    assert result.exit_code == 2
    assert "~nobody.of.that.name/t.csv does not exist" in result.stderr


def test_homes_are_those_of_the_system(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert expanded("~/x") == Path("/somewhere/x")
    assert expanded("a/~/x") == Path("a/~/x")
    assert expanded("~nobody.of.that.name/x") == Path("~nobody.of.that.name/x")
    assert expanded("~root") != Path("~root")
