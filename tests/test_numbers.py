"""Encoders and embeddings of numbers through whole searches: each configuration sees its own, and so does the model."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.model import save
from lrtune.model.fitting import encoded
from lrtune.text.errors import ExperimentError, ModelError
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate, fit, shape_key
from lrtune.training.networks import network
from lrtune.training.numbers.functions import robust, scaled
from lrtune.training.registry import NUMBERS, complete
from lrtune.training.tasks import Problem

EXPERIMENT = """
data: {path: table.csv, target: y}
training: {epochs: 4, batch_size: 16}
search: {strategy: grid, folds: 3, workers: 1, seed: 5}
space:
  learning_rate: [0.01, 0.03]
  numbers: [robust, standard]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    x, flag = np.sinh(rng.normal(size=(90, 2)) * 2), rng.integers(0, 2, 90)
    y = np.sin(x[:, 0]) + flag + rng.normal(size=90) / 5
    rows = [f"{a:.5f},{'' if a > 3 else f'{b:.4f}'},{'yn'[c]},{d:.4f}" for (a, b), c, d in zip(x, flag, y, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,c,y", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def searched(folder, text=EXPERIMENT, **arguments):
    (folder / "e.yaml").write_text(text)
    return lrtune.search("e.yaml", output=folder / "run", **arguments)


def test_every_trial_is_trained_on_its_own_encoding(folder):
    searched(folder)
    experiment = load_text(EXPERIMENT, base=folder)
    assert experiment.numbers == ("standard", "robust")
    prepared = prepare(experiment)
    with (folder / "run" / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    assert sorted(each["numbers"] for each in trials) == ["robust", "robust", "standard", "standard"]
    for trial in trials:
        point = {"learning_rate": float(trial["learning_rate"]), "numbers": trial["numbers"]}
        folds = [
            encoded(
                prepared.dataset.columns,
                prepared.schema,
                *split,
                index=index,
                dtype="float32",
                numbers=trial["numbers"],
            )[1]
            for index, split in enumerate(prepared.splits)
        ]
        whole = complete({**experiment.fixed, **point})
        (alone,) = evaluate([whole], folds, prepared.setting.problem, "rmse", seed=5, dtype="float32")
        found = [float(trial[f"fold_{fold}"]) for fold in (1, 2, 3)]
        assert found == pytest.approx(-np.array(alone.scores), rel=1e-6)


@pytest.mark.parametrize("numbers", NUMBERS)
def test_the_model_predicts_with_the_encoder_that_it_was_trained_with(folder, numbers):
    searched(folder, EXPERIMENT.replace("[robust, standard]", numbers))
    model = lrtune.load(folder / "run").model_
    assert model.members[0].encoder.encoding.numbers == numbers
    prepared = prepare(load_text(EXPERIMENT.replace("[robust, standard]", numbers), base=folder))
    _, fold = encoded(
        prepared.dataset.columns,
        prepared.schema,
        prepared.dataset.train_rows,
        prepared.dataset.test_rows,
        index=2**31,
        dtype="float32",
        numbers=numbers,
    )
    layers = fit(model.members[0].configuration, fold, prepared.setting.problem, seed=5, dtype="float32")
    units = fold.validation_features
    for number, (weights, biases) in enumerate(layers):
        units = (np.maximum(units, 0) if number else units) @ weights + biases
    found = model.outputs(prepared.dataset.columns, prepared.dataset.test_rows)
    np.testing.assert_allclose(found, units * fold.scale + fold.shift, rtol=1e-4, atol=1e-5)


def test_an_experiment_is_written_and_read_with_its_encoders(folder):
    searching = load_text(EXPERIMENT, base=folder)
    again = load_text(searching.to_yaml(), base=folder)
    assert again.canonical() == searching.canonical()
    assert "numbers" not in searching.canonical()["data"]
    chosen = complete({**searching.fixed, "learning_rate": 0.01, "numbers": "robust"})
    dumped = load_text(searching.dump(chosen), base=folder)
    assert dumped.data.numbers == "robust"
    assert dumped.configuration(dumped.space.default()) == chosen


def test_another_encoder_is_another_experiment_and_another_population():
    one, other = (load_text(f"data: {{path: a.csv, target: y, numbers: {each}}}") for each in ("standard", "robust"))
    assert one.canonical() != other.canonical()
    assert shape_key({"numbers": "standard"}) == shape_key({}) != shape_key({"numbers": "robust"})


def test_a_name_that_does_not_exist_and_one_given_twice_are_refused():
    with pytest.raises(ExperimentError, match=r"data.numbers: unknown value 'robst'; did you mean 'robust'\?"):
        load_text("data: {path: a.csv, target: y, numbers: robst}")
    with pytest.raises(ExperimentError, match=r"space.numbers: expected .*'standard'.*got 'robst'"):
        load_text("data: {path: a.csv, target: y}\nspace: {numbers: [standard, robst]}")
    with pytest.raises(ExperimentError, match=r"space.numbers: is given by data.numbers in line 1 as well"):
        load_text("data: {path: a.csv, target: y, numbers: robust}\nspace: {numbers: [standard, robust]}")


def test_an_estimator_encodes_as_it_is_told(folder):
    rng = np.random.default_rng(0)
    x = np.sinh(2 * rng.normal(size=(80, 3)))
    model = lrtune.Regressor(numbers="robust", epochs=3).fit(x, x[:, 0])
    assert model.model_.members[0].encoder.encoding.numbers == "robust"
    model.save(folder / "model")
    again = lrtune.load(folder / "model")
    assert again.numbers == "robust"
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


EMBEDDED = """
data: {path: table.csv, target: y}
model: {embedding: periodic, hidden: [7], activation: tanh}
training: {epochs: 4, batch_size: 16}
search: {trials: 2, folds: 3, workers: 1, seed: 5}
space: {learning_rate: [0.01, 0.03]}
"""


def by_hand(layers, numbers, features):
    """Outputs of a saved model, from its arrays: waves of each number, mixtures of them, all features, two layers."""
    (waves, phases), (mixing, offsets), (first, bias), (last, end) = layers
    joined = [
        np.cos(2 * np.pi * features[:, [place]] * waves[row, 0] + phases[row]) @ mixing[row] + offsets[row]
        for row, place in enumerate(numbers)
    ]
    seen = np.hstack([*joined, features])
    return np.tanh(seen @ first + bias) @ last + end


def test_a_saved_model_has_its_embedding(folder):
    searched(folder, EMBEDDED)
    model = lrtune.load(folder / "run").model_
    (member,) = model.members
    assert member.encoder.names[:3] == ("a", "b", "c")
    assert model.problem.numbers == (0, 1)  # c is a boolean, and marks of missing cells are none either
    assert [weights.shape for weights, _ in member.layers] == [(2, 1, 16), (2, 16, 3), (6 + 4, 7), (7, 1)]
    prepared = prepare(load_text(EMBEDDED, base=folder))
    columns, rows = prepared.dataset.columns, prepared.dataset.test_rows
    expected = by_hand(member.layers, (0, 1), member.encoder.transform(columns, rows)) * member.scale + member.shift
    np.testing.assert_allclose(model.outputs(columns, rows), expected, rtol=1e-9)
    page = CliRunner().invoke(app, ["show", "run", "--details"]).stdout
    assert "mlp 7 tanh · embedding periodic" in " ".join(page.split())
    assert "numbers standard" not in page


def test_a_model_whose_embedding_does_not_fit_is_refused(folder):
    searched(folder, EMBEDDED)
    model = lrtune.load(folder / "run").model_
    (member,) = model.members
    for layers in (member.layers[2:], member.layers[:1] + member.layers[2:], member.layers[::-1]):
        save(replace(model, members=(replace(member, layers=layers),)), folder / "damaged")
        with pytest.raises(ModelError, match="its parts do not fit together"):
            lrtune.load(folder / "damaged")


@pytest.mark.parametrize("decay", ["plateau", "wall_clock: {budget: 0.05}"])
def test_an_embedding_is_searched_beside_none_with_every_kind_of_schedule(folder, decay):
    text = EMBEDDED.replace("embedding: periodic, ", "").replace("trials: 2", "trials: 4, strategy: grid")
    text = text.replace("0.03]}", "0.03], embedding: [none, periodic], decay: [" + decay + "]}")
    searched(folder, text)
    with (folder / "run" / "trials.csv").open() as file:
        assert {each["state"] for each in csv.DictReader(file)} == {"complete"}
    model = lrtune.load(folder / "run").model_
    (member,) = model.members
    assert (len(member.layers) == 4) == (member.configuration["embedding"] == "periodic")


def test_the_finder_looks_at_embedded_networks(folder):
    (folder / "e.yaml").write_text(EMBEDDED.replace("[0.01, 0.03]", "auto"))
    plain = EMBEDDED.replace("embedding: periodic, ", "").replace("[0.01, 0.03]", "auto")
    (folder / "plain.yaml").write_text(plain)
    one, other = (lrtune.find_learning_rate(each).curves[0] for each in ("e.yaml", "plain.yaml"))
    assert np.isfinite(one.start).all()
    assert not np.array_equal(one.losses, other.losses)


def test_a_linear_model_has_no_embedding():
    linear = {"model": "linear", "embedding": "periodic"}
    assert shape_key(linear) == shape_key({"model": "linear"})
    assert shape_key({"embedding": "periodic"}) != shape_key({})
    assert network(complete(linear), Problem("squared", 1, 0, (0, 1)), 3).size == 4
    with pytest.raises(ExperimentError, match=r"space.embedding: has no effect on a linear model"):
        load_text("data: {path: a.csv, target: y}\nmodel: {type: linear}\nspace: {embedding: [none, periodic]}")


def test_a_middle_range_without_an_inverse_is_none():
    tiny = 2.3e-313
    values = np.array([[-1.0], [tiny], [tiny], [tiny], [tiny * 1.5], [tiny * 2]])
    parts = robust(values)
    assert np.isfinite(parts["factor"]).all()
    assert scaled(values, parts)[0, 0] == pytest.approx(-2.0)  # half of the whole range is the unit then
