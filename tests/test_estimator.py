import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import lrtune
from lrtune.data.tables import from_frame
from lrtune.experiment import load_text
from lrtune.experiment.reading.nesting import flat, nested
from lrtune.run.study import replay
from lrtune.text.errors import ConfigurationError, ModelError
from lrtune.trainers.preparation import prepare
from lrtune.training.registry import DECAYS, KEY_GROUPS, MODEL_KEYS, OPTIMIZERS, TRAINING_KEYS, complete
from lrtune.tuning import core as tuning

X, Y = load_iris(return_X_y=True)

CLASSES_ONLY = {lrtune.Classifier: (), lrtune.Regressor: ("label_smoothing", "class_weight")}
OWN_DEFAULT = {"learning_rate": None, "weight_decay": None}

MIXED = pd.DataFrame(
    {
        "size": np.where(np.arange(90) % 11 == 0, np.nan, np.linspace(-1, 1, 90) + np.tile([0.0, 0.1, 0.2], 30)),
        "colour": np.tile(["red", "green", "blue"], 30),
        "heavy": np.arange(90) % 2 == 0,
    }
)
KIND = pd.Series(np.where(MIXED["colour"] == "red", "warm", "cold"), name="kind")


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{getattr(check, 'func', check).__name__}")
        for each in (lrtune.Classifier(), lrtune.Regressor())
        for estimator, check in estimator_checks_generator(each, legacy=True)
    ],
)
@pytest.mark.filterwarnings("ignore:SCIPY_ARRAY_API")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_a_frame_with_mixed_columns_and_missing_cells_is_fine():
    classifier = lrtune.Classifier(hidden=(8,), epochs=40, batch_size=16).fit(MIXED, KIND)
    assert classifier.classes_.tolist() == ["cold", "warm"]
    assert classifier.score(MIXED, KIND) > 0.95
    assert classifier.model_.schema.target == "kind"
    other = pl.from_pandas(MIXED)
    assert classifier.predict(other).tolist() == classifier.predict(MIXED).tolist()


def test_it_works_in_pipelines_and_searches():
    pipeline = make_pipeline(StandardScaler(), lrtune.Classifier(epochs=20))
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.85
    grid = {"learning_rate": [1e-3, 1e-2], "decay": ["constant", {"cosine": {"final": 0.1}}]}
    search = GridSearchCV(lrtune.Classifier(epochs=5, hidden=(8,)), grid, cv=2).fit(X, Y)
    assert search.best_params_["learning_rate"] in grid["learning_rate"]


def test_class_weights_shift_the_decision():
    noise = np.random.default_rng(0).normal(size=(200, 2))
    labels = (noise[:, 0] + np.random.default_rng(1).normal(size=200) > 0).astype(int)
    shares = [
        lrtune.Classifier(model="linear", class_weight=weights).fit(noise, labels).predict(noise).mean()
        for weights in ({0: 20.0, 1: 1.0}, None, {0: 1.0, 1: 20.0})
    ]
    assert shares[0] < 0.2 < shares[1] < 0.7 < shares[2]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"optimizer": "adm"}, "optimizer: unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"decay": {"step": {"evry": 3}}}, "decay.step.evry: unknown factor; did you mean 'every'?"),
        ({"optimizer": {"momentum": {"momentum": 2.0}}}, "optimizer.momentum: expected a number .*got 2.0"),
        ({"optimizer": {"adam": 3}}, "optimizer: expected a mapping of the factors of adam, got 3"),
        ({"decay": {"exponential": {"k": 0.1, "final": 0.1}}}, "either 'final' or 'k', not both"),
        ({"decay": {"join": {"second": "cosin"}}}, r"decay.second: unknown decay 'cosin'; did you mean 'cosine'\?"),
        ({"warmup_shape": "exponential", "warmup_start": 0.0}, "an exponential warm-up cannot start from 0"),
        ({"class_weight": {"a": 1.0}}, "class_weight: y has no class 'a'; allowed: '0', '1', '2'"),
        ({"class_weight": {0: -1.0}}, "class_weight: expected numbers of at least 0, got -1.0"),
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, got 0"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number .*got -1.0"),
        ({"hidden": ()}, "hidden: expected a list of whole numbers"),
        ({"dtype": "float16"}, "dtype: expected 'float32' or 'float64', got 'float16'"),
    ],
)
def test_illegal_parameters_are_named_with_what_is_legal(parameters, message):
    with pytest.raises(ConfigurationError, match=message):
        lrtune.Classifier(**parameters).fit(X, Y)


@pytest.mark.parametrize("kind", [lrtune.Classifier, lrtune.Regressor])
def test_every_key_of_a_configuration_is_a_parameter_with_its_default(kind):
    """Those that only classes need are missing in the regressor; None means the optimizer's own default."""
    keys = {key: each for key, each in (TRAINING_KEYS | MODEL_KEYS).items() if key not in CLASSES_ONLY[kind]}
    found = kind().get_params()
    alone = {key: each for key, each in keys.items() if "." not in key}
    assert {key: found[key] for key in alone} == {key: each.default for key, each in alone.items()} | OWN_DEFAULT
    assert {key: found[key] for key in KEY_GROUPS} == dict.fromkeys(KEY_GROUPS)
    assert kind().configuration == complete({})


def test_numpys_numbers_and_lists_are_as_good_as_pythons():
    parameters = {"learning_rate": np.float64(0.01), "epochs": np.int64(2), "hidden": [np.int64(4), 3]}
    spelled = lrtune.Classifier(learning_rate=0.01, epochs=2, hidden=(4, 3)).configuration
    assert lrtune.Classifier(**parameters).configuration == spelled
    assert lrtune.Classifier(**parameters | {"hidden": np.array([4, 3])}).configuration == spelled
    assert {type(each) for each in spelled["hidden"]} == {int}


def test_an_optimizers_branch_may_carry_its_own_rate_as_in_the_experiment_file():
    nested = lrtune.Regressor(learning_rate=0.5, optimizer={"momentum": {"momentum": 0.8, "learning_rate": 1}})
    assert nested.configuration["learning_rate"] == 1.0
    assert nested.configuration["optimizer.momentum"] == 0.8


def test_divergence_is_an_error_that_names_the_rate():
    with pytest.raises(ValueError, match=r"diverged .*learning_rate: 100000.0.*smaller"):
        lrtune.Regressor(learning_rate=1e5, optimizer="sgd", decay="constant").fit(X[:, :3], X[:, 3])


EXPERIMENT = """
data: {path: table.csv, target: kind, test_size: 0}
model: {hidden: [8]}
training: {epochs: 5}
search: {trials: 3, folds: 3, seed: 7}
space: {learning_rate: {low: 1e-3, high: 1e-1, scale: log}, optimizer: [momentum: {momentum: 0.8}]}
"""


@pytest.fixture
def finished_run(tmp_path):
    MIXED.assign(kind=KIND).to_csv(tmp_path / "table.csv", index=False)
    experiment = load_text(EXPERIMENT, base=tmp_path)
    prepared = prepare(experiment)
    study = replay(tuning.tune(experiment, prepared, tmp_path / "run", workers=1))
    return tmp_path / "run", experiment, study


def test_a_run_is_loaded_as_a_fitted_estimator(finished_run):
    folder, _, _ = finished_run
    for path in (folder, folder / "model", str(folder)):
        loaded = lrtune.load(path)
        assert isinstance(loaded, lrtune.Classifier)
        assert loaded.classes_.tolist() == ["cold", "warm"]
        assert loaded.predict_proba(MIXED).sum(axis=1) == pytest.approx(1.0)
    shuffled = MIXED[["heavy", "colour", "size"]].assign(more=1)
    assert loaded.predict(shuffled).tolist() == loaded.predict(MIXED).tolist()
    with pytest.raises(ValueError, match="lacks the column 'colour'"):
        loaded.predict(MIXED.drop(columns="colour"))


def test_what_the_search_retrains_is_what_fit_gives(finished_run):
    """The same rows, configuration and seed: the same model to the last bit."""
    folder, _, _ = finished_run
    loaded = lrtune.load(folder)
    again = clone(loaded).fit(pd.read_csv(folder.parent / "table.csv").drop(columns="kind"), KIND)
    for mine, theirs in zip(again.model_.members[0].layers, loaded.model_.members[0].layers, strict=True):
        assert np.array_equal(mine[0], theirs[0])
        assert np.array_equal(mine[1], theirs[1])
    assert again.get_params() == loaded.get_params()


def test_a_run_with_a_chosen_positive_class_keeps_the_labels_sorted(finished_run):
    """The engine trains on another order of the classes; scikit-learn's tools need the sorted one."""
    folder, _, _ = finished_run
    table = pd.read_csv(folder.parent / "table.csv")
    experiment = load_text(EXPERIMENT.replace("test_size", "positive: cold, test_size"), base=folder.parent)
    prepared = prepare(experiment)
    replay(tuning.tune(experiment, prepared, folder.parent / "turned", workers=1))
    loaded = lrtune.load(folder.parent / "turned")
    assert loaded.model_.schema.classes == ("warm", "cold")
    assert loaded.classes_.tolist() == ["cold", "warm"]
    assert loaded.get_params()["positive"] == "cold"
    theirs = loaded.model_.predict(from_frame(table))
    assert loaded.predict(table).tolist() == list(theirs[0])
    assert np.array_equal(loaded.predict_proba(table)[:, ::-1], theirs.probabilities)
    again = clone(loaded).fit(table.drop(columns="kind"), table["kind"])
    assert np.array_equal(again.predict_proba(table.drop(columns="kind")), loaded.predict_proba(table))


def test_an_array_for_a_loaded_model_has_the_columns_of_the_training_table(tmp_path):
    lrtune.Classifier(epochs=3).fit(X, Y).save(tmp_path)
    loaded = lrtune.load(tmp_path)
    assert loaded.target == "target"
    assert loaded.predict(X).shape == (150,)
    with pytest.raises(ValueError, match="X has 2 columns, but the model was trained on a table of 4"):
        loaded.predict(X[:, :2])


def test_an_array_may_lack_what_the_model_does_not_use(tmp_path):
    frame = MIXED.assign(one=1.0)
    fitted = lrtune.Classifier(epochs=3).fit(frame, KIND)
    fitted.save(tmp_path)
    loaded = lrtune.load(tmp_path)
    expected = fitted.predict_proba(frame)
    assert np.array_equal(loaded.predict_proba(frame.to_numpy()), expected)
    assert np.array_equal(loaded.predict_proba(MIXED.to_numpy()), expected)
    with pytest.raises(ValueError, match="a table of 4, or the 3 that it uses: size, colour, heavy"):
        loaded.predict(X[:, :2])


def test_lists_and_object_arrays_may_mix_numbers_and_texts():
    cells = MIXED[["size", "colour"]].to_numpy()
    by_array = lrtune.Classifier(epochs=3).fit(cells, KIND)
    assert [each.kind for each in by_array.model_.schema.features] == ["numeric", "categorical"]
    by_list = lrtune.Classifier(epochs=3).fit(cells.tolist(), KIND.tolist())
    assert np.array_equal(by_list.predict_proba(cells), by_array.predict_proba(cells.tolist()))


def test_every_column_of_an_array_of_numbers_is_used():
    counting = np.arange(40.0)[:, None]  # in a file this would be an identifier
    fitted = lrtune.Regressor(epochs=200, model="linear", learning_rate=0.05).fit(counting, 3 * counting[:, 0] + 1)
    assert fitted.score(counting, 3 * counting[:, 0] + 1) > 0.99


@pytest.mark.parametrize("labels", [Y == 0, np.where(Y == 0, -1.0, 1.0), np.where(Y == 0, "x", "1"), Y * 10 - 5])
def test_labels_of_any_type_survive_saving(tmp_path, labels):
    classifier = lrtune.Classifier(epochs=3, class_weight={labels[0]: 2.0}).fit(X, labels)
    classifier.save(tmp_path)
    loaded = lrtune.load(tmp_path)
    assert classifier.classes_.tolist() == loaded.classes_.tolist() == np.unique(labels).tolist()
    assert loaded.predict(X).dtype.kind == labels.dtype.kind
    assert np.array_equal(loaded.predict(X), classifier.predict(X))
    again = clone(loaded).fit(X, labels)
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))


# A decay by training time follows a clock, so that no two fits are alike; its parameters survive like all others.
@pytest.mark.parametrize("decay", [name for name in DECAYS if name != "wall_clock"])
def test_a_loaded_estimators_clone_fits_the_same_model(tmp_path, decay):
    fitted = lrtune.Classifier(epochs=3, hidden=(4,), decay=decay, warmup=0.3, warmup_shape="exponential").fit(X, Y)
    fitted.save(tmp_path)
    loaded = lrtune.load(tmp_path)
    assert loaded.configuration == fitted.configuration
    assert np.array_equal(clone(loaded).fit(X, Y).predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize(("branch", "table"), [("optimizer", OPTIMIZERS), ("decay", DECAYS)])
def test_nesting_turns_flat_keys_round(branch, table):
    for name in table:
        configuration = complete({branch: name})
        assert flat(nested(configuration)) == configuration


@pytest.mark.parametrize("kind", [lrtune.Classifier, lrtune.Regressor])
def test_saving_and_loading_changes_no_prediction(tmp_path, kind):
    fitted = kind(epochs=3, hidden=(4, 3), decay={"exponential": {"k": 0.2}}).fit(X[:, :3], Y)
    fitted.save(tmp_path)
    loaded = lrtune.load(tmp_path)
    assert type(loaded) is kind
    assert np.array_equal(loaded.predict(X[:, :3]), fitted.predict(X[:, :3]))
    assert loaded.get_params()["decay"]["exponential"]["k"] == 0.2


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ModelError, match="no model here"):
        lrtune.load(tmp_path)
