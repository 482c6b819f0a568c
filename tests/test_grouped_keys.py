"""Keys that stand together under a name: ``rate_factors: {bias: 0.1}``."""

import random

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

import lrtune
from lrtune import experiment
from lrtune.cli import app
from lrtune.experiment.reading.loading import apply, experiment_of
from lrtune.experiment.reading.yaml_text import read_text
from lrtune.text.errors import ConfigurationError, ExperimentError

TEXT = """\
data: {path: "sklearn:iris"}
model: {hidden: [8]}
training: {epochs: 4, rate_factors: {first: 3, bias: 0.1}}
search: {trials: 5, folds: 3, round: 4}
space:
  learning_rate: {low: 1e-4, high: 1.0, scale: log}
  optimizer: [adam, momentum]
  rate_factors: {last: [0.5, 2], embedding: {low: 0.1, high: 1}}
"""
VALIDATOR = Draft202012Validator(experiment.schema())


def test_one_is_fixed_or_searched_by_the_rules_of_all_keys():
    made = experiment.load_text(TEXT)
    assert made.fixed["rate_factors.first"] == 3.0
    assert made.fixed["rate_factors.bias"] == 0.1
    assert made.fixed["rate_factors.hidden"] == 1.0
    names = [each.name for each in made.space.dimensions]
    assert names == ["learning_rate", "optimizer", "rate_factors.last", "rate_factors.embedding"]
    assert {made.space.sample(random.Random(number))["rate_factors.last"] for number in range(20)} == {0.5, 2.0}


def test_what_is_written_loads_as_the_same():
    made = experiment.load_text(TEXT)
    assert "rate_factors: {first: 3.0, bias: 0.1}" in made.to_yaml()
    assert experiment.load_text(made.to_yaml()).canonical() == made.canonical()
    chosen = made.configuration(made.space.sample(random.Random(1)))
    again = experiment.load_text(made.dump(chosen))
    assert again.space.size == 1
    assert again.configuration(again.space.default()) == chosen
    for text in (TEXT, made.to_yaml(), made.dump(chosen)):
        assert [each.message for each in VALIDATOR.iter_errors(read_text(text, "x").values)] == []


def test_an_override_wins_over_the_other_place():
    made = experiment_with("training.rate_factors.last=7")
    assert made.fixed["rate_factors.last"] == 7.0
    assert "rate_factors.embedding" in made.in_space
    made = experiment_with("space.rate_factors.bias=[0.1, 0.2]")
    assert made.fixed["rate_factors.first"] == 3.0
    assert "rate_factors.bias" in made.in_space
    made = experiment_with("training.rate_factors={embedding: 0.3}")
    assert "rate_factors.embedding" not in made.in_space
    assert made.fixed["rate_factors.first"] == 1.0
    assert "rate_factors.last" in made.in_space


def experiment_with(override):
    document = read_text(TEXT, "x")
    apply(document, [override])
    return experiment_of(document, "x", experiment.load_text(TEXT).base)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bias: 0.1", "bias: -1", "training.rate_factors.bias: expected a number of at least 0, got -1.0"),
        ("bias: 0.1", "bais: 1", "x:3: training.rate_factors.bais: unknown key; did you mean 'bias'"),
        ("{first: 3, bias: 0.1}", "3", "training.rate_factors: expected a mapping with keys such as first and hidden"),
        ("last: [0.5, 2]", "lats: 3", "x:8: space.rate_factors.lats: unknown key; did you mean 'last'"),
        ("last: [0.5, 2]", "first: 3", "is given by training.rate_factors.first in line 3 as well"),
        ("{last: [0.5, 2], embedding: {low: 0.1, high: 1}}", "[1, 2]", "space.rate_factors: expected a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old, new, message):
    assert old in TEXT
    with pytest.raises(ExperimentError) as raised:
        experiment.load_text(TEXT.replace(old, new), name="x")
    assert message in str(raised.value)


def test_estimators_take_them_as_a_mapping():
    chosen = lrtune.Classifier(rate_factors={"bias": 0.1}).configuration
    assert chosen["rate_factors.bias"] == 0.1
    with pytest.raises(ConfigurationError, match=r"rate_factors\.bais: unknown key; did you mean 'bias'"):
        _ = lrtune.Classifier(rate_factors={"bais": 0.1}).configuration
    with pytest.raises(ConfigurationError, match="rate_factors: expected a mapping"):
        _ = lrtune.Regressor(rate_factors=3).configuration


def run(*words):
    done = CliRunner().invoke(app, list(words), prog_name="lrtune", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_search_of_them_goes_on_as_if_it_had_not_stopped_and_says_what_it_found(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(TEXT)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run("search", str(file), "-o", str(whole), "-q")
    for trials in ("2", "5"):
        run("search", str(file), "-o", str(parts), "-q", "--set", f"search.trials={trials}")
    for name in ("trials.csv", "best.yaml", "model/model.npz", "out_of_fold.bin"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
    page = " ".join(run("show", str(whole), "--details").split())
    assert "first rate factor 3" in page
    assert "bias rate factor 0.1" in page
    code = run("schedules", "export", "--run", str(whole), "--to", "pytorch")
    assert "    first = 3.0\n" in code
    assert "    bias = 0.1\n" in code


SHAPES = "over_time: {weight_decay: [constant, flat_cosine]}"
BRANCHED = TEXT.replace(
    "optimizer: [adam, momentum]", f"optimizer: [momentum, adam: {{rate_factors: {{bias: [0.1, 0.2]}}, {SHAPES}}}]"
).replace(", bias: 0.1", "")


def test_an_optimizer_has_its_own_in_its_branch():
    made = experiment.load_text(BRANCHED)
    points = [made.space.sample(random.Random(number)) for number in range(60)]
    assert {each.get("rate_factors.bias") for each in points if each["optimizer"] == "adam"} == {0.1, 0.2}
    assert {each.get("over_time.weight_decay") for each in points if each["optimizer"] == "adam"} == {
        "constant",
        "flat_cosine",
    }
    assert {each.get("rate_factors.bias") for each in points if each["optimizer"] == "momentum"} == {None}
    assert made.configuration(points[0])["rate_factors.first"] == 3.0
    assert [each.message for each in VALIDATOR.iter_errors(read_text(BRANCHED, "x").values)] == []
    assert experiment.load_text(made.to_yaml()).canonical() == made.canonical()
    one = next(each for each in points if each["optimizer"] == "adam")
    again = experiment.load_text(made.dump(made.configuration(one)))
    assert again.configuration(again.space.default()) == made.configuration(one)


def test_what_an_optimizer_says_itself_overrides_what_all_have():
    made = experiment.load_text(BRANCHED.replace("{last: [0.5, 2]", "{bias: [0.5, 2]"))
    points = [made.space.sample(random.Random(number)) for number in range(60)]
    assert {each["rate_factors.bias"] for each in points if each["optimizer"] == "momentum"} == {0.5, 2.0}
    assert {each["rate_factors.bias"] for each in points if each["optimizer"] == "adam"} == {0.1, 0.2}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{bias: [0.1, 0.2]}", "{bais: 1}", "space.optimizer.adam.rate_factors.bais: unknown factor; did you mean"),
        ("{bias: [0.1, 0.2]}", "3", "space.optimizer.adam.rate_factors: expected a mapping with keys such as first"),
        ("[0.1, 0.2]", "[-1]", "space.optimizer.adam.rate_factors.bias: expected a number"),
    ],
)
def test_what_is_wrong_in_a_branch_is_said_with_its_place(old, new, message):
    with pytest.raises(ExperimentError, match=message.replace(".", r"\.")):
        experiment.load_text(BRANCHED.replace(old, new))


def test_estimators_take_them_in_a_branch():
    one = lrtune.Classifier(optimizer={"adam": {"rate_factors": {"bias": 0.1}}}, epochs=1)
    other = lrtune.Classifier(optimizer="adam", rate_factors={"bias": 0.1}, epochs=1)
    X, y = [[0.0], [1.0], [2.0], [3.0]] * 5, ["a", "a", "b", "b"] * 5
    assert (one.fit(X, y).predict_proba(X) == other.fit(X, y).predict_proba(X)).all()
