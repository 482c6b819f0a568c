"""Recipes of CONTRIBUTING, followed word for word: an entry that is added to a table passes a whole search."""

import csv
import gzip
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as peer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from lrtune.cli import COMMANDS, app
from lrtune.cli.names import filled
from lrtune.data.formats import FORMATS, Format
from lrtune.engines.catalogue import ENGINES
from lrtune.experiment import load
from lrtune.experiment.reading.vocabulary import KEYS
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE
from lrtune.sampling.catalogue import STRATEGIES, Strategy
from lrtune.space.trial import Trial, TrialState
from lrtune.trainers.catalogue import TRAINERS
from lrtune.training.decays.catalogue import DECAYS, Decay
from lrtune.training.metrics import scoring
from lrtune.training.metrics.catalogue import METRICS, Metric
from lrtune.training.numbers.catalogue import NUMBERS
from lrtune.training.optimizers.catalogue import OPTIMIZERS, Optimizer
from lrtune.training.population import evaluated, plan, start, train
from lrtune.training.registry import TRAINING_KEYS, complete
from lrtune.training.tasks import Fold, Problem
from lrtune.training.treatments import TREATMENTS, Treatment
from lrtune.verdict.choice.rules import SELECTION_RULES, SelectionRule
from lrtune.verdict.health.rules import HEALTH_RULES, HealthRule

CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"
TABLES = (
    METRICS,
    DECAYS,
    OPTIMIZERS,
    STRATEGIES,
    SELECTION_RULES,
    HEALTH_RULES,
    FORMATS,
    NUMBERS,
    TRAINING_KEYS,
    TREATMENTS,
    COMMANDS,
    ENGINES,
    TRAINERS,
)

EXPERIMENT = """\
data: {path: points.csv, target: kind, positive: yes}
training: {epochs: 4, batch_size: 16}
search: {trials: 10, folds: 3, workers: 1, metric: accuracy}
space:
  learning_rate: {low: 1e-3, high: 3e-1, scale: log}
  hidden: [[2], [4], [8]]
  decay: [constant, linear]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A table of two overlapping classes and an experiment; what is added to a table is taken out again."""
    before = [dict(table) for table in TABLES]
    rng = np.random.default_rng(3)
    labels = np.arange(150) % 3 == 0
    points = rng.normal(size=(150, 2)) + labels[:, None]
    rows = [f"{x:.4f},{y:.4f},{'yes' if label else 'no'}" for (x, y), label in zip(points, labels, strict=True)]
    (tmp_path / "points.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    (tmp_path / "again.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    (tmp_path / "points.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for table, entries in zip(TABLES, before, strict=True):
        table.clear()
        table.update(entries)


def follow(kind):
    """Run the block of code of a recipe, at its own place in the file, so that its functions have a text."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    article = "An" if kind[0] in "aeiou" else "A"
    start = text.index("```python\n", text.index(f"\n**{article} {kind}.**"))
    start += len("```python\n")
    block = text[start : text.index("```", start)]
    names = {"__name__": f"recipe_of_a_{kind}"}
    exec(compile("\n" * text[:start].count("\n") + block, str(CONTRIBUTING), "exec"), names)
    return names


def run(*words):
    """Run a command in this process; it must end well."""
    done = CliRunner().invoke(app, [str(each) for each in words], prog_name="lrtune", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def searched(*settings):
    """Run a whole search; give its result, the rows of its trials, and what the page says."""
    words = [word for each in settings for word in ("--set", each)]
    page = run("search", "points.yaml", "-o", "run", "-q", "--details", *words)
    result = json.loads(Path("run/result.json").read_text())
    with Path("run/trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    assert result["health"] == [each for each in result["health"] if each["name"] != "defect"]
    return result, trials, " ".join((page + run("show", "run")).split())


def column(path, place):
    with Path(path).open() as file:
        return [row[place] for row in csv.reader(file)][1:]


@pytest.mark.parametrize("pruning", ["none", "race"])
def test_a_metric(pruning):
    follow("metric")
    settings = ("search.metric=recall", f"search.pruning={pruning}", "search.trials=16", "data.test_path=again.csv")
    result, trials, page = searched(*settings)
    assert (result["metric"], result["larger_is_better"]) == ("recall", True)
    assert result["corrected"]["method"] == "bootstrap"
    assert 0.0 <= result["corrected"]["low"] <= result["corrected"]["score"] <= result["corrected"]["high"] <= 1.0
    assert "Expect a recall of 0." in page
    assert any(each["state"] == "pruned" for each in trials) == (pruning == "race")
    run("predict", "run", "points.csv", "-o", "predicted.csv")
    truth, predicted = column("points.csv", -1), column("predicted.csv", 0)
    assert result["test"]["score"] == pytest.approx(peer.recall_score(truth, predicted, pos_label="yes"))
    assert "'recall'" in run("schema").replace('"', "'")


def test_the_functions_of_a_metric_agree():
    follow("metric")
    rng = np.random.default_rng(0)
    labels, targets = rng.integers(2, size=(5, 40)), rng.integers(2, size=40)
    found = scoring.score("recall", labels, targets, 2)
    assert found == pytest.approx([peer.recall_score(targets, each) for each in labels])
    assert scoring.row_values("recall", labels, targets).mean(axis=1) == pytest.approx(found)
    counts = rng.poisson(1.0, size=(6, 40)).astype(np.float32)
    again = scoring.scorer("recall", labels, targets, 2)(counts)
    wanted = [[peer.recall_score(targets, each, sample_weight=line) for each in labels] for line in counts]
    assert again == pytest.approx(np.array(wanted))
    assert np.isnan(scoring.score("recall", labels, np.zeros(40, int), 2)).all()


def test_a_metric_that_has_no_score_on_a_fold_names_another():
    follow("metric")
    Path("points.csv").write_text("x,kind\n" + "\n".join(f"{x / 7:.2f},{'no' if x else 'yes'}" for x in range(60)))
    settings = ("search.metric=recall", "search.splitter=kfold", "data.test_size=0")
    words = [word for each in settings for word in ("--set", each)]
    done = CliRunner().invoke(app, ["check", "points.yaml", *words], prog_name="lrtune")
    assert done.exit_code == 2
    assert "search.metric: log_loss" in done.output


def test_a_decay():
    follow("decay type")
    decays = "[constant, parabola: {final: [0.0, 0.1]}, join: {first: parabola}, wall_clock: {shape: parabola}]"
    result, trials, page = searched(f"space.decay={decays}", "search.strategy=quasirandom")
    assert {each["decay"] for each in trials} == {"constant", "parabola", "join", "wall_clock"}
    assert {each["name"] for each in result["decays"]} >= {"constant", "parabola"}
    assert "parabola" in page
    assert "## parabola" not in run("schedules")
    assert "parabola: slow at first, then ever faster" in run("schedules")
    run("check", "points.yaml", "--set", "space.decay=parabola")
    assert "decay_parabola" in json.loads(run("schema"))["$defs"]


def test_the_rates_of_a_decay_and_its_exported_code_are_the_formula():
    follow("decay type")
    words = ["parabola", "--set", "final=0.2", "--epochs", 4, "--steps-per-epoch", 5, "--rate", 0.5]
    rates = json.loads(run("schedules", *words, "--json"))["rates"]
    assert rates == pytest.approx([0.5 * (1.0 - 0.8 * (step / 20) ** 2) for step in range(20)])
    code = run("schedules", "export", *words, "--to", "pytorch")
    names = {}
    exec(code.partition("import torch")[0] + code.partition("import torch")[2].partition("EXPECTED")[0], names)
    assert [0.5 * names["multiplier"](step) for step in range(20)] == pytest.approx(rates)


@pytest.mark.parametrize("decay", ["constant", "one_cycle", "plateau"])
def test_an_optimizer(decay):
    follow("optimizer")
    result, trials, page = searched("space.optimizer=[adam, sign_sgd]", f"space.decay={decay}")
    assert {each["optimizer"] for each in trials} == {"adam", "sign_sgd"}
    assert {each["name"] for each in result["optimizers"]} == {"adam", "sign_sgd"}
    assert "sign_sgd" in page
    rates = [float(each["learning_rate"]) for each in trials if each["optimizer"] == "sign_sgd"]
    assert all(1e-3 <= each <= 3e-1 for each in rates)
    assert KEYS["optimizer"].choices == OPTIMIZERS.keys()


def test_the_range_of_an_optimizer_of_its_own_can_be_found():
    follow("optimizer")
    result, _, _ = searched("space={optimizer: [sign_sgd: {learning_rate: auto}], decay: [constant, linear]}")
    assert result["best"]["configuration"]["optimizer"] == "sign_sgd"


def test_a_training_key_is_fixed():
    follow("training key")
    sizes = {}
    for strength in (0, 1):
        result, _, _ = searched(f"training.l1={strength}", "training.epochs=30", "search.trials=1")
        assert result["best"]["configuration"]["l1"] == strength
        assert f"l1: {float(strength)}" in Path("run/experiment.yaml").read_text()
        with np.load("run/model/model.npz") as arrays:
            sizes[strength] = sum(np.abs(each).sum() for each in arrays.values())
        Path("run").rename(f"run_{strength}")
    assert sizes[1] < 0.5 * sizes[0]


def test_a_training_key_is_searched():
    follow("training key")
    _, trials, page = searched("space.l1=[0, 0.001, 0.3]", "search.strategy=quasirandom", "search.trials=12")
    assert {float(each["l1"]) for each in trials} == {0.0, 0.001, 0.3}
    assert "l1 0.001" in page
    listed = [
        float(each["configuration"]["l1"])
        for each in json.loads(run("trials", "run", "--sort", "l1", "--json"))["trials"]
    ]
    assert listed == sorted(listed)
    assert complete({})["l1"] == 0.0


def test_what_reads_experiments_knows_an_added_key():
    follow("training key")
    known = json.loads(run("schema"))
    assert known["properties"]["training"]["properties"]["l1"]["default"] == 0.0
    assert known["else"]["properties"]["space"]["properties"]["l1"] == {"$ref": "#/$defs/key_l1"}
    assert "training.l1: expected a number of at least 0" in refused("check", "points.yaml", "--set", "training.l1=-1")
    assert "space.l1: expected a number of at least 0" in refused("check", "points.yaml", "--set", "space.l1=[0, -1]")
    Path("both.yaml").write_text(EXPERIMENT.replace("{epochs: 4,", "{l1: 0.1, epochs: 4,") + "  l1: [0, 0.1]\n")
    assert "is given by training.l1 in line 2 as well" in refused("check", "both.yaml")
    run("check", "both.yaml", "--set", "training.l1=0.3")  # which takes the other out of the way


def test_an_encoder_of_numbers():
    follow("encoder of numbers")
    result, trials, page = searched("space.numbers=[standard, log]", "search.strategy=quasirandom")
    assert {each["numbers"] for each in trials} == {"standard", "log"}
    assert "numbers log" in page
    assert run("predict", "run", "points.csv")
    Path("run").rename("other")
    result, _, _ = searched("data.numbers=log", "search.trials=1")
    assert result["best"]["configuration"]["numbers"] == "log"
    known = json.loads(run("schema"))
    assert known["properties"]["data"]["properties"]["numbers"]["enum"] == [*NUMBERS]
    assert known["$defs"]["key_numbers"]


def a_population(configurations):
    rng = np.random.default_rng(1)
    rows, labels = rng.normal(size=(2, 20, 3)), rng.integers(2, size=(2, 20))
    folds = [Fold(place, rows[place], labels[place], np.ones(20), rows[place], labels[place]) for place in (0, 1)]
    shared = plan(complete(configurations[0]), folds, Problem("logistic", 1, 2), batch_size=10, seed=0, dtype="float32")
    return start(configurations, shared), shared


def test_an_update_with_an_added_key_is_the_formula():
    follow("training key")
    usual = {"optimizer": "sgd", "decay": "constant", "learning_rate": 0.1, "epochs": 1, "batch_size": 20}
    population, shared = a_population([usual, {**usual, "l1": 0.5}])
    shared = shared._replace(steps=(1, 1), batch_size=20)
    trained = evaluated(train(population, shared))
    assert trained[0] - trained[1] == pytest.approx(0.1 * 0.5 * np.sign(population.parameters[0]), abs=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "schedule_free_adamw"])
def test_a_lane_with_an_added_key_is_the_same_alone_and_in_company(optimizer):
    follow("training key")
    usual = {"optimizer": optimizer, "epochs": 3, "hidden": (5,)}
    others = [{}, {"l1": 0.1}, {"clip_norm": 0.1, "l1": 0.01}, {"weight_decay": 0.1}, {"dropout": 0.3, "l1": 0.2}]
    configurations = [{**usual, **each} for each in others]
    together = train(*a_population(configurations))
    scored = evaluated(together)
    for row, place in enumerate(together.places):
        alone = evaluated(train(*a_population([configurations[place]])))
        assert alone.tobytes() == scored[row].tobytes()
    assert len({each.tobytes() for each in scored}) == len(configurations)


def test_a_sampler():
    follow("sampler")
    result, trials, _ = searched("search.strategy=near_best")
    assert len(trials) == 10
    assert len({tuple(each[key] for key in ("learning_rate", "hidden", "decay")) for each in trials}) == 10
    assert any("the search that followed their scores" in each for each in result["notes"])
    assert json.loads(run("check", "points.yaml", "--set", "search.strategy=near_best", "--json"))["search"]
    assert "strategy near_best" in " ".join(run("check", "points.yaml", "--set", "search.strategy=near_best").split())
    assert "round: 4" not in Path("run/experiment.yaml").read_text()  # it is the strategy's own


def test_a_sampler_keeps_what_all_of_them_keep():
    space = load("points.yaml").space
    follow("sampler")
    strategy = STRATEGIES["near_best"]
    points = strategy(space, [], 5, 1)
    assert points[0] == space.default()
    history = [Trial(place, each, TrialState.COMPLETE, (0.1 * place,)) for place, each in enumerate(points)]
    assert strategy(space, history, 3, 1) == strategy(space, history, 6, 1)[:3]
    assert not [each for each in strategy(space, history, 6, 1) if each in points]


def test_a_selection_rule():
    follow("selection rule")
    result, trials, page = searched("search.select=steady")
    assert result["selection"]["rule"] == "steady"
    complete = [each for each in trials if each["state"] == "complete"]
    worst = {int(each["number"]): min(float(each[f"fold_{fold}"]) for fold in (1, 2, 3)) for each in complete}
    assert result["best"]["number"] == min(worst, key=lambda number: (-worst[number], number))
    assert "chosen by the rule steady: trial" in page
    assert result["corrected"]["method"] == "bootstrap"


def test_a_health_rule():
    follow("health rule")
    result, _, page = searched()
    (finding,) = (each for each in result["health"] if each["name"] == "few_folds")
    assert finding["numbers"] == {"folds": 3}
    assert "there are 3 folds only" in " ".join(run("health", "run").split())
    assert page


def refused(*words):
    """Run a command that must refuse what it was given; give what it says."""
    done = CliRunner().invoke(app, [str(each) for each in words], prog_name="lrtune")
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def json_lines():
    """Write the points as a table in the added format, plain and compressed."""
    with Path("points.csv").open() as file:
        rows = [{**row, "x": float(row["x"]), "y": float(row["y"])} for row in csv.DictReader(file)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("points.jsonl").write_text(text)
    Path("packed").write_bytes(gzip.compress(text.encode()))  # known by what it holds


@pytest.mark.parametrize("name", ["points.jsonl", "packed"])
def test_a_file_format(name):
    follow("file format")
    json_lines()
    _, from_text, _ = searched()
    Path("run").rename("of_text")
    _, trials, _ = searched(f"data.path={name}")
    assert trials == from_text
    assert "nothing is wrong with it" in run("check", "points.yaml", "--data", name)
    for folder in ("run", "of_text"):
        run("predict", folder, name, "-o", f"{folder}.csv")
    assert Path("run.csv").read_text() == Path("of_text.csv").read_text()
    run("init", name, "--target", "kind", "-o", "first.yaml")
    run("check", "first.yaml")


def test_what_names_formats_names_an_added_one():
    follow("file format")
    json_lines()
    assert "csv, tsv, parquet, npz or jsonl" in " ".join(run("schema").split())
    assert filled("<formats>") == "csv, tsv, parquet, npz or jsonl"
    assert "did you mean 'points.jsonl'" in refused("check", "points.yaml", "--data", "point.jsonl")
    assert "is a table, not an experiment; use --data points.jsonl" in refused("check", "points.jsonl")
    Path("noise").write_bytes(bytes(range(256)))
    assert "csv, tsv, parquet, npz and jsonl can be read" in refused("check", "points.yaml", "--data", "noise")


def test_a_file_of_an_added_format_may_have_gaps_and_be_damaged():
    follow("file format")
    json_lines()
    lines = Path("points.jsonl").read_text().splitlines()
    Path("gaps.jsonl").write_text(
        "\n".join(['{"y": 0.5, "kind": "no", "more": [1]}', '{"x": null, "kind": "yes"}', *lines])
    )
    assert "left out" in run("check", "points.yaml", "--data", "gaps.jsonl")
    Path("damaged.jsonl").write_text("\n".join(lines)[:-9])
    assert "damaged.jsonl cannot be read as JSON Lines" in refused("check", "points.yaml", "--data", "damaged.jsonl")


def listed_in_help(name):
    """Find what the help says of a command, and under which title."""
    title = ""
    for line in run("--help").splitlines():
        title = line.strip() if line.endswith(":") else title
        if line.split()[:1] == [name]:
            return title, " ".join(line.split()[1:])
    raise AssertionError(f"{name} is not listed")


def test_a_command():
    follow("command")
    assert listed_in_help("metrics") == ("Prepare:", "List the metrics.")
    assert "Example: lrtune metrics" in run("metrics", "--help")
    assert "rmse for regression" in " ".join(run("metrics").split())
    assert json.loads(run("metrics", "--json"))["metrics"]["rmse"] == ["regression"]
    assert "Did you mean 'metrics'" in refused("metric")


def test_a_command_that_is_taken_out_is_gone():
    follow("command")
    run("metrics")
    del COMMANDS["metrics"]
    assert "No such command 'metrics'" in refused("metrics")


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_a_report_page(metric):
    follow("report page")
    _, trials, _ = searched(f"search.metric={metric}")
    assert listed_in_help("worst") == ("Look:", "List the worst trials of a run.")
    scores = {int(each["number"]): float(each["mean"]) for each in trials if each["state"] == "complete"}
    sign = 1 if metric == "accuracy" else -1
    found = json.loads(run("worst", "run", "--json"))["worst"]
    assert [each["score"] for each in found] == sorted(scores.values(), key=lambda score: sign * score)[:5]
    assert all(each["score"] == scores[each["number"]] for each in found)
    page = run("worst", "run")
    assert page.splitlines()[0] == f"run: the last of {len(scores)} complete trials"
    rows = [line.split() for line in page.split("where they differ\n")[1].splitlines()]
    assert [int(row[0]) for row in rows if row] == [each["number"] for each in found]
    assert "no run 'nowhere'" in refused("worst", "nowhere")


@pytest.mark.parametrize(
    ("option", "kind", "name"),
    [("--strategy", "sampler", "near_best"), ("--select", "selection rule", "steady")],
)
def test_what_is_added_is_completed(option, kind, name):
    import typer

    follow(kind)
    command = typer.main.get_command(app).commands["search"]
    (parameter,) = (each for each in command.params if option in each.opts)
    found = [each.value for each in parameter.shell_complete(None, name[:4])]
    assert found == [name]


@pytest.mark.parametrize(
    "entry",
    [
        lambda: Metric("recall", "a share", ("binary",), larger_is_better=True, keeps="label"),
        lambda: Decay("parabola", "slow", "1", "an example", function=math.sqrt),
        lambda: Optimizer("sign_sgd", "steps", "x", "an example"),
        lambda: Strategy("near_best", "draws", "spaces"),
        lambda: SelectionRule("steady", "the largest"),
        lambda: HealthRule("few_folds"),
        lambda: Format("jsonl", "lines", (".jsonl",)),
        lambda: Treatment("l1", amount=math.sqrt),
    ],
)
def test_an_entry_that_lacks_something_cannot_be_made(entry):
    with pytest.raises(TypeError, match=re.escape("missing")):
        entry()


def content(folder):
    """All that a study is, in bytes: what its events say, and its files without times."""
    with Journal(Path(folder) / DATABASE) as journal:
        events = canonical(journal.events())
    return events, *((Path(folder) / name).read_bytes() for name in ("trials.csv", "model/model.npz"))


def test_an_engine_changes_no_result():
    run("search", "points.yaml", "-o", "here", "-q")
    follow("engine")
    run("search", "points.yaml", "-o", "threads", "-q", "--set", "search.engine=threads", "--workers", "3")
    assert content("threads") == content("here")
    assert "engine: threads" in Path("threads/experiment.yaml").read_text()
    assert "threads of this process" in run("schema")


def test_an_engine_or_a_trainer_that_does_not_exist():
    words = ("--set", "search.engine=lokal")
    done = CliRunner().invoke(app, ["check", "points.yaml", *words], prog_name="lrtune")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "search.engine: unknown value 'lokal'; did you mean 'local'?" in done.output
    for text, problem in (("populaton", "'populaton'; did you mean 'population'?"), ("[1]", "expected the name of a")):
        done = CliRunner().invoke(app, ["check", "points.yaml", "--set", f"trainer={text}"], prog_name="lrtune")
        assert done.exit_code == 2
        assert "trainer: " in done.output
        assert problem in done.output
    words = ("--set", "trainer=populaton", "--set", "search.trials=none", "--set", "model.foo=1")
    done = CliRunner().invoke(app, ["check", "points.yaml", *words], prog_name="lrtune")
    assert "did you mean 'population'" in done.output
    assert "3 mistakes" in done.output  # all at once


def test_a_trainer():
    follow("trainer")
    result, trials, page = searched("trainer=ridge", "data.test_path=again.csv", "search.metric=log_loss")
    assert {each["state"] for each in trials} == {"complete"}
    assert result["corrected"]["method"] == "bootstrap"
    assert "log_loss" in page
    assert "trainer: ridge" in Path("run/experiment.yaml").read_text()
    assert "trainer: ridge" in Path("run/best.yaml").read_text()
    run("predict", "run", "points.csv", "-o", "predicted.csv")
    with Path("points.csv").open() as file:
        rows = list(csv.DictReader(file))
    scaled = StandardScaler().fit_transform([[float(each["x"]), float(each["y"])] for each in rows])
    features = np.hstack([scaled, np.ones((len(rows), 1))])
    targets = np.array([1.0 if each["kind"] == "yes" else -1.0 for each in rows])
    penalty = result["best"]["configuration"]["learning_rate"] * len(rows)
    fitted = Ridge(alpha=penalty, fit_intercept=False).fit(features, targets).predict(features)
    assert column("predicted.csv", 0) == ["yes" if each > 0 else "no" for each in fitted]
    _, _, again = searched("trainer=ridge", "data.test_path=again.csv", "search.metric=log_loss")
    assert again.startswith("This session trained nothing: the study was finished, with")
    assert again.endswith(page)
    run("retrain", "run", "--trial", "3", "-o", "third")
    refused = CliRunner().invoke(app, ["search", "points.yaml", "-o", "run"], prog_name="lrtune")
    assert refused.exit_code == 2
    assert "trainer" in refused.output
