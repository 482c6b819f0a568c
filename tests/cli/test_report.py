"""lrtune report: one file that asks for nothing and runs nothing, and whose numbers are those of the result."""

import csv
import json
import re
import sqlite3
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import lrtune
from lrtune.reporting.html.catalogue import FIGURES
from lrtune.reporting.html.figures import BAND, LINE, POINTS, Series
from lrtune.reporting.html.marks import Frame, drawn_series
from lrtune.reporting.html.page import report
from lrtune.reporting.html.subject import subject
from lrtune.run import observed
from lrtune.run.folder import open_run
from lrtune.run.names import OBSERVED
from lrtune.training.metrics.scoring import kept
from lrtune.verdict.recorded import records

EMPTY = {"meta"}

DIVERGENT = ("--set", "space={learning_rate: [1e30, 2e30], optimizer: sgd, decay: constant}")


class Page(HTMLParser):
    """What stands in a page: its elements in order, the text of each, and the tables of its figures."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.tables, self.section, self.text = [], [], {}, None, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.elements.append((tag, found))
        if tag == "article":
            self.section = found.get("id")
        elif tag == "tr":
            self.tables.setdefault(self.section, []).append([])
        elif tag in ("td", "th"):
            self.tables[self.section][-1].append("")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[self.section][-1][-1] += data


@pytest.fixture
def page(run, made_runs):
    """The report of the finished run."""

    def make(name="blobs-00000001"):
        shown = run("report", name, "-o", "page.html")
        assert (shown.exit_code, shown.stdout) == (0, "page.html\n"), shown.output
        return (made_runs.parent / "page.html").read_text(encoding="utf-8")

    return make


def test_every_element_is_closed_and_every_link_arrives(page):
    found = Page(page())
    assert found.open == []
    names = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = [attributes["href"] for tag, attributes in found.elements if tag == "a"]
    assert links
    assert {each.removeprefix("#") for each in links} <= set(names)


def test_nothing_is_loaded_and_no_script_runs(page):
    text = page()
    found = Page(text)
    assert not {tag for tag, _ in found.elements} & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert not [key for _, attributes in found.elements for key in attributes if key.startswith("on") or key == "src"]
    assert not re.search(r"https?:|//\w|url\(|@import", text)
    assert "default-src 'none'" in text


def test_every_figure_has_a_sentence_a_text_alternative_and_its_numbers(page):
    found = Page(page())
    figures = [attributes for tag, attributes in found.elements if tag == "svg" and "aria-hidden" not in attributes]
    assert len(figures) >= 14
    described = {attributes["id"] for tag, attributes in found.elements if tag in ("title", "desc") and attributes}
    for figure in figures:
        assert figure["role"] == "img"
        assert set(figure["aria-labelledby"].split()) <= described
        name = figure["aria-labelledby"].split()[0].rpartition("-")[0].rpartition("-")[0]
        header, *rows = found.tables[name]
        assert rows
        assert {len(each) for each in rows} == {len(header)}


def test_its_numbers_are_those_of_the_result(page, made_runs):
    tables = Page(page()).tables
    result = json.loads((made_runs / "blobs-00000001" / "result.json").read_text())
    with (made_runs / "blobs-00000001" / "trials.csv").open(newline="") as file:
        trials = list(csv.DictReader(file))
    folds = tables["folds"]
    best = folds[0].index(f"the best (trial {result['best']['number']})")
    assert [float(row[best]) for row in folds[1:]] == pytest.approx(result["best"]["fold_scores"], abs=1e-3)
    assert [row[0] for row in tables["history"][1:]] == [row["number"] for row in trials]
    assert [float(row[1]) for row in tables["history"][1:]] == pytest.approx(
        [float(row["mean"]) for row in trials], abs=1e-3
    )
    rates = sorted(float(row["learning_rate"]) for row in trials)
    assert [float(row[0]) for row in tables["rates"][1:]] == pytest.approx(rates, rel=0.05)


def test_bands_of_learning_curves_go_from_the_lowest_fold_to_the_highest(page, made_runs):
    header, *rows = Page(page()).tables["curves"]
    about = subject(made_runs / "blobs-00000001")
    assert header[1:5] == [
        f"the best (trial {about.best}), {each}" for each in ("validation", "lowest fold", "highest fold", "training")
    ]
    curves = about.run.study.trials[about.best].curves
    assert [int(row[0]) for row in rows] == list(curves.epochs)
    for place, losses in enumerate((curves.validation, curves.low, curves.high, curves.train), 1):
        assert [float(row[place]) for row in rows] == pytest.approx(losses, rel=5e-3)
    (panel,) = FIGURES["curves"].make(about).panels
    band = next(each for each in panel.series if each.kind == BAND)
    assert (band.low, band.high) == (list(curves.low), list(curves.high))
    linear = next(each for each in panel.series if each.label == "a linear model, validation")
    scores = about.run.study.anchors["linear"].beside["log_loss"]
    assert linear.y == pytest.approx([-sum(scores) / len(scores)] * 2)
    place = header.index("a linear model, validation")
    expected = [-sum(scores) / len(scores), -max(scores), -min(scores)]
    assert [float(each) for each in rows[0][place : place + 3]] == pytest.approx(expected, rel=5e-3)


def test_the_best_so_far_is_drawn_by_its_corners_and_says_what_it_is_at_every_trial(made_runs):
    about = subject(made_runs / "blobs-00000001")
    (panel,) = FIGURES["history"].make(about).panels
    line = next(each for each in panel.series if each.kind == LINE)
    scores = [about.own(each) for each in about.scored]
    best = max if about.larger_is_better else min
    for place, each in enumerate(about.scored):
        known = [y for x, y in zip(line.x, line.y, strict=True) if x <= each.number]
        assert known[-1] == pytest.approx(about.until([best(scores[: place + 1])])[0])
    assert line.x[-1] == about.run.trials[-1].number
    assert len(line.x) == 2 * len(set(line.y))


def test_dots_that_are_drawn_by_their_distances_are_where_they_belong():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 680, 500).round(1).tolist(), rng.uniform(-5, 300, 500).round(1).tolist()
    (path,) = drawn_series(
        Series(POINTS, x + x, y + y, "a trial"), lambda at: at, lambda at: at, Frame(0, 680, 0, 300, 680, 300, False)
    )
    steps = re.findall(r"m(-?[\d.]+) ?(-?[\d.]+)h0", path)
    places = np.cumsum(np.array(steps, dtype=float), axis=0).round(1)
    assert {*map(tuple, places.tolist())} == {*zip(x, y, strict=True)}
    assert len(places) == 500


def test_the_confusion_matrix_counts_out_of_fold_predictions(page, made_runs):
    rows = Page(page()).tables["confusion"]
    folder = made_runs / "blobs-00000001"
    found, seen = open_run(folder), observed.read(folder / OBSERVED)
    best = found.study.trials[json.loads((folder / "result.json").read_text())["best"]["number"]]
    (record,) = records(found.study, folder, [best], seen)
    labels = kept("accuracy", record[None])[0]
    counts = [[int(each) for each in row[1:]] for row in rows[1:]]
    np.testing.assert_array_equal(counts, confusion_matrix(seen.targets, labels))
    assert [row[0] for row in rows[1:]] == ["k0", "k1", "k2"]


def test_no_two_kinds_look_alike_however_many_there_are(run, folder):
    text = (folder / "blobs.yaml").read_text().split("space:")[0]
    (folder / "many.yaml").write_text(
        f"{text}space:\n  learning_rate: {{low: 1e-3, high: 1.0, scale: log}}\n"
        "  optimizer: [sgd, adam, momentum, nesterov, rmsprop, adagrad, lion]\n"
        "  decay: [constant, linear, cosine, exponential, step, polynomial, inverse_time]\n"
    )
    assert run("search", "many.yaml", "--trials", "30", "-q", "-o", "many", "--no-report").exit_code == 0
    legend = FIGURES["rates"].make(subject(folder / "many")).legend
    assert len(legend) >= 12
    assert len({(each.kind, each.tone) for each in legend}) == len(legend)


def test_the_same_run_gives_the_same_bytes(page):
    assert page() == page()


def test_markup_and_control_characters_of_a_table_mean_nothing(run, folder):
    table = (
        (folder / "blobs.csv").read_text().replace("k1\n", "<script>alert(1)</script>\n").replace("k2\n", "\x1b[2J\n")
    )
    (folder / "blobs.csv").write_text(table)
    made = run("search", "blobs.yaml", "--trials", "3", "-q", "-o", "<b>&amp;")
    assert made.exit_code == 0, made.output
    assert run("report", "<b>&amp;").exit_code == 0
    text = (folder / "<b>&amp;" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


def test_an_unfinished_run_has_a_report_that_says_so(page):
    assert "The search is stopped" in " ".join(Page(page("stopped-00000002")).text)


def test_a_run_without_a_score_has_none(run, folder):
    made = run("search", "blobs.yaml", "--trials", "2", "-q", "-o", "none", *DIVERGENT)
    assert made.exit_code == 5
    shown = run("report", "none")
    assert shown.exit_code == 5
    assert not (folder / "none" / "report.html").exists()


@pytest.mark.usefixtures("made_runs")
def test_a_folder_that_cannot_be_written_is_a_sentence(run):
    shown = run("report", "blobs-00000001", "-o", "missing/page.html")
    assert shown.exit_code != 0
    assert "missing" in shown.stderr
    assert "Traceback" not in shown.output


def test_a_regression_shows_values_beside_the_truth(run, folder):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    lines = [f"{a:.3f},{b:.3f},{a - b:.3f}" for a, b in x]
    (folder / "blobs.csv").write_text("\n".join(["x,y,kind", *lines]) + "\n")
    made = run("search", "blobs.yaml", "--trials", "3", "-q", "-o", "values", "--set", "search.metric=rmse")
    assert made.exit_code == 0, made.output
    assert run("report", "values", "-o", "values.html").exit_code == 0
    rows = Page((folder / "values.html").read_text()).tables["predicted"]
    seen = observed.read(folder / "values" / OBSERVED)
    assert [float(row[0]) for row in rows[1:]] == pytest.approx(seen.targets.tolist(), rel=1e-3, abs=1e-3)


def report_of(folder):
    return (folder / "report.html").read_bytes()


def test_a_search_leaves_the_same_report_wherever_it_runs_and_however_often_it_stops(run, folder):
    assert run("search", "blobs.yaml", "-q", "-o", "one").exit_code == 0
    assert run("search", "blobs.yaml", "-q", "-o", "far/away/two").exit_code == 0
    assert run("search", "blobs.yaml", "-q", "-o", "three", "--trials", "3").exit_code == 0
    before = report_of(folder / "three")
    assert run("search", "blobs.yaml", "-q", "-o", "three").exit_code == 0
    one = report_of(folder / "one")
    assert one == report_of(folder / "far" / "away" / "two") == report_of(folder / "three")
    assert one != before
    assert str(folder).encode() not in one


def test_a_search_can_do_without_a_report(run, folder):
    assert run("search", "blobs.yaml", "--trials", "2", "-q", "-o", "one", "--no-report").exit_code == 0
    assert not (folder / "one" / "report.html").exists()


def test_a_report_that_fails_spoils_no_search(run, folder, monkeypatch):
    monkeypatch.setattr("lrtune.reporting.html.pictures.report", lambda _folder, **_more: 1 / 0)
    made = run("search", "blobs.yaml", "--trials", "2", "-q", "-o", "one")
    assert made.exit_code == 0
    assert "report.html could not be written (ZeroDivisionError" in made.stderr
    assert (folder / "one" / "result.json").is_file()


def test_runs_are_compared_fold_by_fold(run, folder):
    for name, more in (("one", ()), ("other", ("--set", "search.folds=4"))):
        assert run("search", "blobs.yaml", "--trials", "3", "-q", "-o", name, *more).exit_code == 0
    assert run("search", "blobs.yaml", "-q", "-o", "more").exit_code == 0
    shown = run("report", "one", "more", "other", "-o", "both.html")
    assert (shown.exit_code, shown.stdout) == (0, "both.html\n"), shown.output
    text = (folder / "both.html").read_text(encoding="utf-8")
    found = Page(text)
    one, more = (json.loads((folder / name / "result.json").read_text()) for name in ("one", "more"))
    gaps = np.subtract(more["best"]["fold_scores"], one["best"]["fold_scores"])
    header, *rows = found.tables["differences"]
    assert [row[0] for row in rows] == ["more"]
    assert float(rows[0][header.index("better by")]) == pytest.approx(gaps.mean(), abs=1e-3)
    assert int(rows[0][header.index("better on")]) == (gaps > 0).sum()
    assert "other cannot be compared with one fold by fold: their folds differ (folds 3 and 4)" in text
    assert [row[0] for row in found.tables["scores"][1:]] == ["one", "more", "other"]
    assert run("report", "one", "one").exit_code == 2


def test_a_run_that_has_begun_has_a_report_without_scores(folder, made_runs):
    path = made_runs / "stopped-00000002"
    with sqlite3.connect(path / "study.db") as database:
        database.execute("DELETE FROM events WHERE kind NOT IN ('study', 'trial')")
    text = report(path)
    assert "No trial is complete yet." in text
    assert "The search is stopped" in text
    assert Page(text).open == []
    assert folder.exists()


def test_a_study_that_is_told_its_scores_has_a_report(folder):
    study = lrtune.Study(
        {"learning_rate": {"low": 1e-3, "high": 1.0, "scale": "log"}}, metric="rmse", folder=folder / "told"
    )
    for _ in range(6):
        (trial,) = study.ask()
        study.tell(trial, (trial.configuration["learning_rate"] - 0.1) ** 2)
    found = Page(report(folder / "told"))
    assert len(found.tables["history"]) == 7
    assert "it has scores, and no model" in " ".join(found.text)


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize("name", ["blobs.csv", "report.txt", "page"])
def test_a_report_never_takes_the_place_of_another_kind_of_file(run, folder, name):
    before = (folder / "blobs.csv").read_bytes()
    done = run("report", "blobs-00000001", "-o", name)
    assert done.exit_code == 2
    assert "expected a name that ends in .html" in " ".join(done.stderr.split())
    assert (folder / "blobs.csv").read_bytes() == before


@pytest.mark.usefixtures("made_runs")
def test_a_link_stays_a_link_and_a_pipe_gets_the_page(run, folder):
    (folder / "there.html").write_text("old")
    (folder / "link.html").symlink_to("there.html")
    assert run("report", "blobs-00000001", "-o", "link.html").exit_code == 0
    assert (folder / "link.html").is_symlink()
    assert (folder / "there.html").read_text().startswith("<!doctype html>")
    printed = run("report", "blobs-00000001", "-o", "-").stdout
    assert printed == (folder / "there.html").read_text()
    assert not (folder / "-").exists()


def test_a_report_into_the_folder_of_a_model_is_refused(run, made_runs):
    done = run("report", "blobs-00000001", "-o", made_runs / "blobs-00000001" / "model" / "x.html")
    assert done.exit_code == 2
    assert "file of the run" in " ".join(done.stderr.split())
