"""No command writes into a file that it reads, into one of a run, or twice into the same."""

import json
import shutil
from pathlib import Path

import pytest

from lrtune.run.files import run_of


def contents(folder):
    """Read all files but those that SQLite makes for readers."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each: each.read_bytes() for each in files if not each.name.endswith((".lock", "-wal", "-shm"))}


@pytest.fixture
def refused(run, folder):
    """Run a command that must end in a sentence and change no file."""

    def invoke(*words):
        before = contents(folder)
        result = run(*words)
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert contents(folder) == before
        return result.stderr.removeprefix("lrtune: ").rstrip("\n")

    return invoke


@pytest.fixture
def spellings(folder):
    """List names of a file, as messages show them."""

    def made(name):
        (folder / f"link-{name}").symlink_to(name)
        (folder / f"hard-{name}").hardlink_to(folder / name)
        return name, folder / name, f"../{folder.name}/{name}", f"link-{name}", f"hard-{name}"

    return made


@pytest.mark.usefixtures("made_runs")
def test_predictions_never_replace_the_table_to_predict(refused, spellings):
    for each in spellings("blobs.csv"):
        said = f"--output {each}: is the table to predict and would be overwritten; choose another file"
        assert refused("predict", "blobs", "blobs.csv", "-o", each) == said
        assert refused("predict", "blobs", each, "-o", "blobs.csv").startswith("--output blobs.csv: is the table to ")


OWN = ("study.db", "result.json", "trials.csv", "experiment.yaml", "model/model.json")


@pytest.mark.parametrize("name", OWN)
def test_a_file_of_a_run_is_replaced_by_nothing_else(refused, made_runs, name):
    run_folder = made_runs / "blobs-00000001"
    path = Path("runs/blobs-00000001") / name
    said = f" {path}: is a file of the run {run_folder} and would be overwritten; choose another file"
    assert refused("predict", "blobs", "blobs.csv", "-o", path) == f"--output{said}"
    assert refused("export", "blobs", "--to", "csv", "-o", path) == f"--output{said}"
    assert refused("export", "blobs", "--to", "optuna", "-o", path) == f"--output{said}"
    assert refused("export", "blobs", "--to", "mlflow", "-o", f"sqlite:///{path}") == f"--output{said}"
    assert refused("schedules", "export", "cosine", "--to", "optax", "-o", path) == f"--output{said}"
    assert refused("search", "blobs.yaml", "--junit", path) == f"--junit{said}"
    assert refused("finder", "blobs.yaml", "--write", path) == f"--write{said}"


def test_a_link_to_a_file_of_a_run_is_one(refused, made_runs, folder):
    for name in ("plot.svg", "page.csv"):
        (folder / name).symlink_to("runs/blobs-00000001/result.json")
    run_folder = made_runs / "blobs-00000001"
    assert refused("schedules", "cosine", "--plot", "plot.svg").startswith(
        f"--plot plot.svg: is a file of the run {run_folder}"
    )
    assert run_of(folder / "page.csv") == run_folder


def test_other_files_in_the_folder_of_a_run_may_be_replaced(run, made_runs):
    for _ in range(2):
        assert run("predict", "blobs", "blobs.csv", "-o", "runs/blobs-00000001/predicted.csv").exit_code == 0
    assert run_of(made_runs / "blobs-00000001" / "predicted.csv") is None
    assert run_of(made_runs / "blobs-00000001" / "no such file") is None
    assert run_of(made_runs) is None


@pytest.mark.parametrize("option", ["--junit", "--summary"])
def test_reports_replace_nothing_that_a_search_reads(refused, folder, spellings, option):
    shutil.copy(folder / "blobs.csv", folder / "test.csv")
    tested = ("blobs.yaml", "--set", "data.test_path=test.csv")
    for each in spellings("blobs.yaml"):
        assert refused("search", *tested, option, each).startswith(f"{option} {each}: is the experiment file and would")
    for each in spellings("blobs.csv"):
        assert refused("search", *tested, option, each).startswith(f"{option} {each}: is the training table and would")
    assert refused("search", *tested, option, "test.csv").startswith(f"{option} test.csv: is the test table")
    assert refused("search", "--data", "blobs.csv", "--target", "no", option, "blobs.csv").startswith(option)
    (folder / "config.yaml").write_text((folder / "blobs.yaml").read_text())
    assert refused("search", option, "config.yaml") == (
        f"{option} config.yaml: is the experiment file and would be overwritten; choose another file"
    )
    (folder / "earlier.json").write_text("{}")
    both = ("--baseline", "earlier.json", option, "earlier.json")
    assert refused("search", *tested, *both).startswith(f"{option} earlier.json: is the baseline")


def test_two_reports_have_two_files(refused):
    said = "--summary report: is the file of --junit as well; choose another one"
    assert refused("search", "blobs.yaml", "--junit", "report", "--summary", "./report") == said


def test_a_report_does_not_replace_a_file_that_the_search_has_made_itself(run, folder):
    result = run("search", "blobs.yaml", "-o", "out", "--junit", "out/result.json")
    assert result.exit_code == 2
    assert "out/result.json: is a file of the run" in result.stderr
    assert json.loads((folder / "out" / "result.json").read_text())["trials"]["total"] == 6


@pytest.mark.parametrize("name", ["trials.csv", "finder.csv"])
def test_a_table_called_like_a_file_of_a_run_survives(refused, folder, name):
    shutil.copy(folder / "blobs.csv", folder / name)
    said = f"{name}: is the training table and would be overwritten; choose another --output"
    search = ("search", "--data", name, "--target", "kind", "--trials", 1, "-o", ".")
    assert refused(*search) == said if name == "trials.csv" else f"./{said}"


def test_a_search_in_the_folder_of_its_files_spares_them(refused, run, folder):
    (folder / "experiment.yaml").write_text((folder / "blobs.yaml").read_text())
    said = "experiment.yaml: is the experiment file and would be overwritten; choose another --output"
    assert refused("search", "experiment.yaml", "-o", ".") == said
    shutil.copy(folder / "blobs.csv", folder / "finder.csv")
    said = "finder.csv: is the training table and would be overwritten; choose another --output"
    assert refused("finder", "--data", "finder.csv", "--target", "kind", "-o", ".") == said
    assert run("search", "blobs.yaml", "-o", "out").exit_code == 0
    assert run("search", "out/experiment.yaml", "-o", "out").exit_code == 0


def test_a_picture_replaces_nothing_that_the_finder_reads(refused, folder):
    shutil.copy(folder / "blobs.csv", folder / "blobs.svg")
    shutil.copy(folder / "blobs.yaml", folder / "blobs.html")
    swept = ("finder", "blobs.html", "--set", "data.path=blobs.svg")
    assert refused(*swept, "--plot", "blobs.svg") == (
        "--plot blobs.svg: is the training table and would be overwritten; choose another file"
    )
    assert refused(*swept, "--plot", "blobs.html").startswith("--plot blobs.html: is the experiment file and would")
    both = ("finder", "blobs.yaml", "--write", "blobs.html", "--plot", "./blobs.html")
    assert refused(*both).startswith("--plot blobs.html: is the file of --write and would be overwritten")


@pytest.mark.usefixtures("made_runs")
def test_a_retrained_model_comes_with_an_experiment_that_replaces_no_other(refused, run, folder):
    shutil.copy(folder / "blobs.yaml", folder / "experiment.yaml")
    assert refused("retrain", "blobs", "--trial", 1, "-o", ".", "--force") == (
        "experiment.yaml: would be overwritten; choose another folder with --output"
    )
    again = ("retrain", "blobs", "--trial", 1, "-o", "one", "--force", "--quiet")
    assert run(*again).exit_code == run(*again).exit_code == 0
