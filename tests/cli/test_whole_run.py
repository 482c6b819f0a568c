"""A search from its first file to its last: one writer at a time, results before judgements, nothing through links."""

import json
import os
from pathlib import Path

import pytest
from patience import PATIENCE

from lrtune.reporting import figures, rate_files
from lrtune.tuning import search
from lrtune.verdict import examination, findings

SEARCH = ("search", "blobs.yaml", "-o", "out")
BUSY = "lrtune: out: another lrtune process works in this folder; wait for it, or choose another --output\n"


@pytest.fixture
def meanwhile(monkeypatch, run):
    """Run other commands while a search does something; what they gave is collected."""

    def during(module, name, *commands):
        original, results = getattr(module, name), []

        def wrapped(*arguments, **options):
            results.extend(run(*each) for each in commands)
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, wrapped)
        return results

    return during


OTHERS = (
    ("search", "blobs.yaml", "--set", "search.seed=7", "-o", "out"),
    ("search", "blobs.yaml", "-o", "out", "--fresh"),
    ("retrain", "out", "--trial", "1", "-o", "out", "--force"),
)


@pytest.mark.parametrize("name", ["judge", "examined"])
def test_nobody_else_works_in_the_folder_while_a_search_is_judged(run, meanwhile, name):
    results = meanwhile(search, name, *OTHERS)
    first = run(*SEARCH)
    assert first.exit_code == 0, first.output
    assert {(each.exit_code, each.stderr.replace("\r", "")) for each in results} == {(2, BUSY)}
    assert json.loads(Path("out/result.json").read_text())["trials"]["total"] == 6


def test_a_search_is_running_until_its_nested_searches_are_over(run, meanwhile):
    results = meanwhile(search, "search_inside", ("status", "out"), OTHERS[1])
    assert run(*SEARCH, "--set", "search.nested=2", "--trials", "2").exit_code == 0
    looks, others = results[::2], results[1::2]
    assert len(looks) == 2
    assert all(each.stdout.startswith("out: running, 2 of 2 trials done\n") for each in looks)
    assert all(each.exit_code == 2 for each in others)
    assert run("status", "out").stdout.startswith("out: finished")


@pytest.mark.parametrize(
    ("module", "name", "what"),
    [(search, "judge", "the correction of the score"), (examination, "examine", "the health report")],
)
def test_a_defect_of_a_judge_costs_no_result(run, monkeypatch, module, name, what):
    def defect(*_arguments):
        raise IndexError("tuple.index(x): x not in tuple")

    monkeypatch.setattr(module, "attempted", findings.attempted)
    monkeypatch.setattr(module, name, defect)
    first = run(*SEARCH)
    assert first.exit_code == 0, first.output
    found = json.loads(Path("out/result.json").read_text())
    assert found["best"]["mean"] is not None
    assert found["test"]["rows"] == 18
    (finding,) = (each for each in found["health"] if each["name"] == "defect")
    assert finding["sentence"] == f"{what} could not be computed (IndexError: tuple.index(x): x not in tuple)"
    assert (found["corrected"] is None) == (name == "judge")
    assert finding["sentence"].removeprefix("the ") in " ".join(first.stdout.split())


def test_what_was_trained_is_written_before_anything_judges_it(run, monkeypatch):
    def stop(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "judge", stop)
    assert run(*SEARCH).exit_code == 130
    found = json.loads(Path("out/result.json").read_text())
    assert (found["trials"]["total"], found["corrected"]) == (6, None)
    assert Path("out/trials.csv").read_text().count("\n") == 7


@pytest.mark.parametrize("name", ["study.db", "out_of_fold.bin", ".lrtune.lock", "model", "nested"])
def test_nothing_is_written_through_a_link(run, name):
    Path("out").mkdir()
    Path("elsewhere").mkdir()
    goal = Path("elsewhere") / name
    goal.mkdir() if name in ("model", "nested") else goal.write_text("precious")
    (Path("out") / name).symlink_to(goal.resolve())
    result = run(*SEARCH)
    assert result.exit_code == 2
    assert result.stderr.endswith(
        f"out/{name}: is a link, and nothing is written through one; remove it, or choose another --output\n"
    )
    assert list(goal.iterdir()) == [] if goal.is_dir() else goal.read_text() == "precious"


def test_a_link_or_a_pipe_in_the_place_of_a_whole_file_is_replaced(run):
    Path("out").mkdir()
    Path("precious").write_text("precious")
    for name in ("result.json", "trials.csv", "observed.npz"):
        (Path("out") / name).symlink_to(Path("precious").resolve())
    os.mkfifo("out/best.yaml")
    assert run(*SEARCH).exit_code == 0
    assert Path("precious").read_text() == "precious"
    assert json.loads(Path("out/result.json").read_text())["trials"]["total"] == 6
    assert "learning_rate" in Path("out/best.yaml").read_text()


def test_a_pipe_in_the_place_of_the_predictions_is_refused(run):
    Path("out").mkdir()
    os.mkfifo("out/out_of_fold.bin")
    result = run(*SEARCH)
    assert result.exit_code == 2
    assert "out/out_of_fold.bin: is neither a file nor a folder; remove it, or choose another --output" in result.stderr


# --- figures


def test_a_control_character_in_a_name_is_drawn_as_an_escape(run):
    Path("t\x01.csv").write_text(Path("blobs.csv").read_text())
    result = run("finder", "--data", "t\x01.csv", "--target", "kind", "-o", "rates", "--plot", "rates.png")
    assert result.exit_code == 0, result.output
    assert "\\x01" in Path("rates/finder.svg").read_text()
    assert Path("rates.png").read_bytes().startswith(b"\x89PNG")
    assert "\x01" not in result.output


def test_the_figure_comes_last(run, monkeypatch):
    def abort(*_arguments):
        raise SystemExit(134)

    monkeypatch.setattr(figures, "drawn", abort)
    monkeypatch.setattr(rate_files.figures, "drawn", abort)
    Path("change.yaml").write_text(Path("blobs.yaml").read_text())
    run("finder", "blobs.yaml", "-o", "rates", "--write", "change.yaml", "--plot", "rates.png")
    assert json.loads(Path("rates/finder.json").read_text())["optimizers"]
    assert Path("rates/finder.csv").is_file()
    assert Path("change.yaml").read_text() != Path("blobs.yaml").read_text()


def test_a_name_cannot_end_the_script_of_a_page():
    title = "</script><script>alert(1)</script>"
    page = figures.drawn({"mark": "bar", "data": {"values": [{"a": 1}]}, "title": title}, ".html").decode()
    assert "<script>alert" not in page
    assert "\\u003c/script>\\u003cscript>alert(1)\\u003c/script>" in page


def test_retrain_can_be_quiet(run):
    run(*SEARCH)
    result = run("retrain", "out", "--trial", "1", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "blobs.yaml", "--output", ""), "--output"),
        (("search", "--data="), "--data"),
        (("predict", "latest", ""), "an argument"),
        (("finder", "blobs.yaml", "--plot", ""), "--plot"),
    ],
)
def test_an_empty_word_is_refused_and_nothing_is_written(run, folder, words, said):
    before = sorted(each.name for each in folder.iterdir())
    result = run(*words)
    assert (result.exit_code, result.stderr) == (2, f"lrtune: {said}: expected a value, got an empty text\n")
    assert sorted(each.name for each in folder.iterdir()) == before


def test_a_limit_of_address_space_is_told_before_a_library_hangs(command):
    resource = pytest.importorskip("resource")
    limit = (600_000_000, 600_000_000)
    process = command("search", "blobs.yaml", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert said == (
        "lrtune: this process may have 0.6 GB of address space, and reading tables needs 1.5 GB: "
        "raise the limit (ulimit -v)\n"
    )
