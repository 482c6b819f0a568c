"""``learning_rate: auto``: read, resolved by the finder, and the same study whenever it is run."""

import json

import pytest
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.experiment import load, load_text, parse_space, with_rates
from lrtune.finder import core as finder
from lrtune.text.errors import ExperimentError
from lrtune.trainers.preparation import prepare
from lrtune.training.registry import OPTIMIZERS
from lrtune.tuning.naming import fingerprint_of

DATA = "data: {path: 'sklearn:wine', target: target}\n"
BRANCHES = """\
space:
  learning_rate: auto
  optimizer:
    - adam
    - momentum: {momentum: [0.8, 0.9]}
    - rmsprop: {learning_rate: 0.01}
  decay: linear
"""


def rates_of(experiment):
    """Give the learning rate's dimension by optimizer."""
    (choice,) = (each for each in experiment.space.dimensions if each.name == "optimizer")
    return {
        option.value: next(each for each in option.space.dimensions if each.name == "learning_rate")
        for option in choice.options
    }


def test_each_optimizer_gets_its_range_and_what_is_given_stays():
    before = load_text(DATA + BRANCHES)
    after = with_rates(before, {"adam": (2e-3, 0.5)})
    assert (before.automatic, after.automatic) == (("adam", "momentum"), ())
    rates = rates_of(after)
    assert (rates["adam"].low, rates["adam"].high) == (2e-3, 0.5)
    documented = OPTIMIZERS["momentum"].rate.search
    assert (rates["momentum"].low, rates["momentum"].high) == (documented.low, documented.high)
    assert after.space.contains({"optimizer": "rmsprop", "learning_rate": 0.01, "decay": "linear"})
    assert not after.space.contains({"optimizer": "rmsprop", "learning_rate": 0.02, "decay": "linear"})
    assert after.space.contains(
        {"optimizer": "momentum", "optimizer.momentum": 0.8, "learning_rate": 0.1, "decay": "linear"}
    )


@pytest.mark.parametrize(
    "space",
    [
        "space: {learning_rate: auto}",
        "space: {learning_rate: auto, optimizer: adam}",
        "space: {optimizer: {adam: {learning_rate: auto}}}",
        "space: {optimizer: [{adam: {learning_rate: auto}}]}",
    ],
)
def test_auto_may_stand_wherever_a_learning_rate_may(space):
    found = with_rates(load_text(DATA + space), {"adam": (2e-3, 0.5)})
    point = {"optimizer": "adam"}
    assert found.space.contains({**point, "learning_rate": 0.4})
    assert not found.space.contains({**point, "learning_rate": 1e-3})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("search: {strategy: grid}\nspace: {learning_rate: auto}", "a grid needs finite dimensions"),
        ("space: {learning_rate: [auto]}", "learning_rate"),
        ("space: {learning_rate: automatic}", "learning_rate"),
        ("space: {warmup: auto}", "warmup"),
    ],
)
def test_where_auto_means_nothing_it_is_a_mistake(text, problem):
    with pytest.raises(ExperimentError, match=problem):
        load_text(DATA + text)


def test_a_space_without_data_needs_a_range():
    with pytest.raises(ExperimentError, match="'auto' needs data"):
        parse_space({"learning_rate": "auto"})


def test_the_ranges_are_those_of_the_finder():
    experiment = load_text(DATA + BRANCHES)
    prepared = prepare(experiment)
    made, finding = finder.resolved(experiment, prepared)
    assert finding.suggestions["adam"].status == "ok"
    assert list(finding.suggestions) == ["adam", "momentum"]
    for name in ("adam", "momentum"):
        rate = rates_of(made)[name]
        assert (rate.low, rate.high) == finding.suggestions[name].search_range
    assert finder.resolved(made, prepared) == (made, None)


def test_a_search_records_what_it_searched_and_goes_on_with_it(tmp_path):
    config = tmp_path / "wine.yaml"
    config.write_text(
        DATA
        + "training: {epochs: 3}\nsearch: {strategy: random, trials: 3, folds: 3, workers: 1}\n"
        + "space: {learning_rate: auto, optimizer: adam}\n"
    )
    folder = tmp_path / "run"
    first = CliRunner().invoke(app, ["search", str(config), "-o", str(folder), "--json"])
    assert first.exit_code == 0, first.stderr
    assert "learning_rate of adam: from" in first.stderr
    assert all((folder / f"finder.{kind}").stat().st_size for kind in ("json", "csv", "svg"))
    plan = CliRunner().invoke(app, ["check", str(config), "--json"])
    assert any("learning_rate of adam is auto" in note for note in json.loads(plan.stdout)["notes"])
    again = CliRunner().invoke(app, ["search", str(config), "-o", str(folder), "--json", "--quiet"])
    one, other = (json.loads(each.stdout) for each in (first, again))
    assert (again.exit_code, one.pop("trained")["trials"], other.pop("trained")["trials"]) == (0, 3, 0)
    assert one == other
    original = load(config)
    made, _ = finder.resolved(original, prepare(original))
    written = load(folder / "experiment.yaml")
    assert fingerprint_of(written, prepare(written)) == fingerprint_of(made, prepare(made))
