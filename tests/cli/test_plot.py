"""lrtune plot and the pictures of results: files of every format, and a sentence where a run has none."""

import xml.etree.ElementTree as ET

import pytest

import lrtune
from lrtune.reporting.html.catalogue import FIGURES
from lrtune.reporting.html.subject import subject

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("kind", FIGURES)
def test_every_kind_is_a_picture_or_a_sentence(run, made_runs, kind):
    shown = run("plot", "blobs-00000001", kind)
    if shown.exit_code == 2:
        assert f"has no figure '{kind}': " in shown.stderr
        assert not (made_runs.parent / f"{kind}.svg").exists()
        return
    assert (shown.exit_code, shown.stdout) == (0, f"{kind}.svg\n"), shown.output
    tree = ET.parse(made_runs.parent / f"{kind}.svg").getroot()
    assert tree.tag == f"{SVG}svg"
    assert tree.find(f"{SVG}title").text == FIGURES[kind].title
    assert tree.find(f"{SVG}desc").text
    places = [float(each.get(name)) for each in tree.iter() for name in ("cx", "cy", "x1", "y1") if each.get(name)]
    width, height = (float(tree.get(name)) for name in ("width", "height"))
    assert all(0 <= each <= max(width, height) for each in places)


def test_a_run_of_classes_has_its_pictures_and_not_those_of_numbers(made_runs):
    about = subject(made_runs / "blobs-00000001")
    there = {name for name, each in FIGURES.items() if not isinstance(each.make(about), str)}
    assert {"anchors", "optimism", "history", "rates", "parallel", "curves", "schedule", "folds"} <= there
    assert {"confusion", "roc", "pr", "calibration", "certainty", "classes"} <= there
    assert not {"predicted", "residuals", "finder"} & there


def test_the_files_ending_is_the_format(run, made_runs):
    for name in ("a.png", "a.html", "a.SVG"):
        assert run("plot", "blobs-00000001", "history", "-o", name).exit_code == 0
    here = made_runs.parent
    assert (here / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert (here / "a.html").read_text().startswith("<!doctype html>")
    assert "http:" not in (here / "a.html").read_text()
    assert (here / "a.SVG").read_text().startswith("<svg")


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("histroy",), "did you mean 'history'?"),
        (("history", "-o", "a.jpeg"), "unknown kind of picture '.jpeg'"),
        (("residuals",), "this run predicts classes, not numbers"),
        (("history", "-o", "missing/a.svg"), "missing"),
        (("history", "-o", "runs/blobs-00000001/result.json"), "unknown kind of picture '.json'"),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(run, words, said):
    shown = run("plot", "blobs-00000001", *words)
    assert shown.exit_code == 2
    assert said in shown.stderr
    assert "Traceback" not in shown.output


def test_without_a_kind_it_says_which_there_are_and_why_not_the_others(run, made_runs):
    before = sorted(each.name for each in made_runs.parent.iterdir())
    shown = run("plot", "blobs-00000001")
    assert shown.exit_code == 0
    assert "history" in shown.stdout
    assert "this run predicts classes" in " ".join(shown.stdout.split())
    assert sorted(each.name for each in made_runs.parent.iterdir()) == before


def test_the_help_names_every_kind(run):
    text = " ".join(run("plot", "--help").stdout.split())
    assert [each for each in FIGURES if each not in text] == []


def test_results_and_findings_draw_themselves(folder):
    result = lrtune.search("blobs.yaml", trials=3, output="run", report=False)
    assert not (folder / "run" / "report.html").exists()
    assert "Pictures:" not in result._repr_html_()
    picture = result.plot("rates")
    assert picture.save(folder / "rates.svg") == folder / "rates.svg"
    assert picture._repr_svg_() == (folder / "rates.svg").read_text()
    assert picture._repr_html_().startswith("<img alt=")
    with pytest.raises(lrtune.text.errors.LrtuneError, match="did you mean 'history'"):
        result.plot("histori")
    again = lrtune.search("blobs.yaml", trials=3, output="run")
    assert (folder / "run" / "report.html").is_file()
    assert "report.html" in again._repr_html_()
    finding = lrtune.find_learning_rate("blobs.yaml", optimizers=["adam"])
    assert "<svg" in finding.plot().svg()
    assert finding._repr_html_().startswith("<img")
