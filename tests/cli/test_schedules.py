import csv
import json
import math

import pytest

from lrtune.reporting import figures
from lrtune.training.registry import DECAYS


def test_all_decays_are_listed_with_formula_and_factors(run):
    result = run("schedules")
    assert result.exit_code == 0, result.output
    for entry in DECAYS.values():
        assert f"{entry.name}: " in result.stdout
        for factor in entry.factors:
            assert f"\n  {factor.name} " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_the_list_for_programs(run):
    listed = json.loads(run("schedules", "--json").stdout)["schedules"]
    assert [each["name"] for each in listed] == list(DECAYS)
    rows = list(csv.DictReader(run("schedules", "--csv").stdout.splitlines()))
    assert {each["decay"] for each in rows} == set(DECAYS)
    assert ("exponential", "k", "0.1") in {(each["decay"], each["factor"], each["default"]) for each in rows}


def test_one_schedule_is_drawn_and_its_rates_are_printed(run):
    result = run("schedules", "cosine", "--set", "final=0.01", "--epochs", 30, "--rate", 0.1)
    assert result.exit_code == 0, result.output
    assert "cosine final=0.01" in result.stdout
    assert "30 epochs of 10 updates: 300 updates" in result.stdout
    assert ["0", "0.00", "0.1"] in [line.split()[:3] for line in result.stdout.splitlines()]
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_rates_as_json_and_csv(run):
    options = ("cosine", "--set", "final=0.1", "--epochs", 4, "--steps-per-epoch", 5, "--rate", 2, "--warmup", 0.2)
    found = json.loads(run("schedules", *options, "--json").stdout)
    late = [2 * (0.1 + 0.9 * (1 + math.cos(math.pi * (each - 4) / 16)) / 2) for each in range(4, 20)]
    assert found["rates"] == pytest.approx([0.5, 1.0, 1.5, 2.0, *late], rel=1e-12)
    rows = list(csv.DictReader(run("schedules", *options, "--csv").stdout.splitlines()))
    assert [float(each["rate"]) for each in rows] == found["rates"]
    assert rows[7]["epoch"] == "1.4"


def test_decays_compose(run):
    settings = ("first=exponential", "first.k=0.5", "second=cosine", "second.final=0.5", "at=0.5")
    options = [word for each in settings for word in ("--set", each)]
    found = json.loads(run("schedules", "join", *options, "--epochs", 4, "--rate", 1, "--json").stdout)["rates"]
    assert found[10] == pytest.approx(math.exp(-0.5))
    assert found[20] == pytest.approx(1.0)
    assert found[30] == pytest.approx(0.75)


@pytest.mark.parametrize("kind", ["png", "svg", "html"])
def test_figures(run, folder, kind):
    path = folder / f"figure.{kind}"
    result = run("schedules", "step", "--plot", path)
    assert result.exit_code == 0, result.output
    content = path.read_bytes()
    assert content.startswith({"png": b"\x89PNG", "svg": b"<svg", "html": b"<!DOCTYPE html>"}[kind])
    if kind == "svg":
        assert b"learning rate" in content


def drawn(monkeypatch, run, *words):
    """Catch the specification of a figure that a command draws."""
    caught = []
    monkeypatch.setattr(figures, "write", lambda figure, _path: caught.append(figure))
    result = run("schedules", *words, "--plot", "figure.svg")
    assert result.exit_code == 0, result.output
    (figure,) = caught
    return figure


RATES = {
    "cosine": lambda t: 0.1 * (1 + math.cos(math.pi * t / 12)) / 2,
    "step": lambda t: 0.1 * 0.5 ** math.floor(t / 4 + 1e-9),
    "exponential": lambda t: 0.1 * math.exp(-0.2 * t),
}
OVERLAY = (
    *("cosine", "step", "exponential", "--rate", 0.1, "--epochs", 12, "--steps-per-epoch", 5),
    *("--set", "k=0.2", "--set", "every=4", "--set", "factor=0.5"),
)


def test_several_decays_in_one_figure(monkeypatch, run):
    figure = drawn(monkeypatch, run, *OVERLAY)
    assert figure["encoding"]["color"]["scale"]["domain"] == list(RATES)
    assert figure["encoding"]["color"]["legend"] is not None
    rows = figure["data"]["values"]
    assert len(rows) == 3 * 60
    for row in rows:
        assert row["epoch"] == row["update"] / 5
        assert row["rate"] == pytest.approx(RATES[row["schedule"]](row["epoch"]), rel=1e-9)


def test_several_decays_on_the_page_and_for_programs(run):
    page = run("schedules", *OVERLAY)
    assert page.exit_code == 0, page.output
    assert page.stdout.startswith("cosine, step, exponential: 12 epochs of 5 updates: 60 updates\n")
    assert max(map(len, page.stdout.splitlines())) <= 100
    header, *rows = [each.split() for each in page.stdout.split("\nrates\n")[1].splitlines()]
    assert header == ["epoch", "0", "2", "4", "6", "8", "10", "11.8"]
    for name, *rates in rows:
        assert [float(each) for each in rates] == pytest.approx([RATES[name](float(t)) for t in header[1:]], rel=6e-3)
    found = json.loads(run("schedules", *OVERLAY, "--json").stdout)["schedules"]
    assert [each["configuration"]["decay"] for each in found] == list(RATES)
    table = list(csv.DictReader(run("schedules", *OVERLAY, "--csv").stdout.splitlines()))
    for each in found:
        name = each["configuration"]["decay"]
        assert each["rates"] == pytest.approx([RATES[name](update / 5) for update in range(60)], rel=1e-9)
        assert [float(row[name]) for row in table] == each["rates"]


def test_what_is_named_twice_is_drawn_once(run):
    assert run("schedules", "rex", "rex", "--json").stdout == run("schedules", "rex", "--json").stdout


def test_an_overview_has_every_decay(monkeypatch, run):
    figure = drawn(monkeypatch, run)
    panels = {each["title"]["text"]: each["data"]["values"] for each in figure["concat"]}
    assert list(panels) == list(DECAYS)
    for rows in panels.values():
        assert (rows[0]["epoch"], rows[-1]["epoch"]) == (0.0, 30.0)
    for name, formula in {
        "constant": lambda _: 1.0,
        "linear": lambda t: 1.0 - t / 30,
        "cosine": lambda t: (1 + math.cos(math.pi * t / 30)) / 2,
        "exponential": lambda t: math.exp(-0.1 * t),
    }.items():
        shares = [formula(30 * each / 300) for each in range(300)]
        assert [row["share"] for row in panels[name]] == pytest.approx(shares, abs=1e-9)


def test_the_overview_is_a_picture(run, folder):
    assert run("schedules", "--plot", "all.svg").exit_code == 0
    text = (folder / "all.svg").read_text()
    assert all(f">{name}<" in text for name in DECAYS)


MISTAKES = {
    ("cosin",): "unknown decay 'cosin'; did you mean 'cosine'?",
    ("step", "--set", "evry=3"): "--set evry=3: unknown factor; did you mean 'every'?",
    ("step", "--set", "factor=0"): "--set factor=0: expected a number above 0 and at most 10, got 0.0",
    ("step", "--set", "every=3", "--set", "drops=2"): "give either 'every' or 'drops', not both",
    ("step", "--set", "every"): "must have the form factor=value",
    ("constant", "--set", "final=1"): "unknown factor of constant; it belongs to linear",
    ("join", "--set", "first=cosin"): "unknown decay 'cosin'; did you mean 'cosine'?",
    ("join", "--set", "first.k=1"): "unknown factor of constant",
    ("join", "--set", "at.k=1"): "at has no factors",
    ("cosine", "--warmup", "1.5"): "--warmup: expected a number of at least 0 and below 1, got 1.5",
    ("cosine", "--rate", "0"): "--rate: expected a number above 0, got 0.0",
    ("cosine", "--epochs", "0"): "--epochs: expected a whole number of at least 1, got 0",
    ("cosine", "--steps-per-epoch", "0"): "--steps-per-epoch: expected",
    ("cosine", "--plot", "figure.jpg"): "unknown kind of figure '.jpg'",
    ("cosine", "--json", "--csv"): "not both",
    ("cosine", "linar"): "unknown decay 'linar'; did you mean 'linear'?",
    ("cosine", "step", "--set", "evry=3"): "--set evry=3: unknown factor; did you mean",
    ("cosine", "step", "--set", "every=0"): "--set every=0: expected",
    ("export", "cosine", "linear", "--to", "optax"): "export: expected one decay type, got cosine linear",
    tuple(list(DECAYS)[:9]): "expected at most 8 decay types in one picture, got 9",
    ("--epochs", "9", "--plot", "all.svg"): "name a decay type for these options",
    ("cosine", "--run", "latest"): "not both",
    ("--rate", "0.1"): "name a decay type for these options",
    ("cosine", "--to", "pytorch"): "belong to `lrtune schedules export`",
    ("export",): "export needs a decay type",
    ("export", "cosine"): "--to says for which library: pytorch, keras, optax",
    ("export", "cosine", "--to", "pytroch"): "did you mean 'pytorch'?",
    ("export", "cosine", "--to", "optax", "--json"): "do not belong",
    ("export", "plateau", "--warmup", "0.1", "--to", "pytorch"): "ReduceLROnPlateau has no warm-up",
    ("--run", "nowhere"): "no run 'nowhere'",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_mistakes_end_in_a_sentence(run, words):
    result = run("schedules", *words)
    assert result.exit_code == 2, result.output
    assert MISTAKES[words] in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_export_to_a_file(run, folder):
    printed = run("schedules", "export", "rex", "--rate", 0.3, "--to", "pytorch")
    assert printed.exit_code == 0, printed.output
    assert run("schedules", "export", "rex", "--rate", 0.3, "--to", "pytorch", "-o", "rex.py").stdout == ""
    assert (folder / "rex.py").read_text() == printed.stdout
    assert "PEAK = 0.3 " in printed.stdout


def test_the_schedule_of_a_run(run, folder):
    done = run("search", "blobs.yaml", "--set", "search.trials=2", "-o", "found", "--quiet")
    assert done.exit_code == 0, done.output
    best = json.loads((folder / "found" / "result.json").read_text())["best"]["configuration"]
    shown = json.loads(run("schedules", "--run", "found", "--json").stdout)
    assert shown["configuration"]["learning_rate"] == best["learning_rate"]
    assert (shown["epochs"], shown["steps_per_epoch"]) == (5, math.ceil(72 / 16))
    assert len(shown["rates"]) == 25
    code = run("schedules", "export", "--run", "found", "--to", "optax")
    assert code.exit_code == 0, code.output
    assert f"PEAK = {best['learning_rate']!r} " in code.stdout
    assert "STEPS_PER_EPOCH = 5 " in code.stdout
    assert f"the optimizer {best['optimizer']}, as" in code.stdout
    for key in best:
        if key.startswith("optimizer."):
            assert f"{key.removeprefix('optimizer.')} = {best[key]!r}\n" in code.stdout


def test_an_average_can_be_set(run):
    code = run("schedules", "export", "linear", "--set", "ema=0.5", "--to", "keras")
    assert code.exit_code == 0, code.output
    assert "HALF_LIFE = 0.5 " in code.stdout
    assert "optimizer adam" not in code.stdout


def test_a_run_that_is_not_finished(run, folder):
    (folder / "half").mkdir()
    result = run("schedules", "--run", "half")
    assert result.exit_code == 2
    assert "a run has one when it is finished" in result.stderr
