"""Trainers that take data frames instead of encoded features (``data.encode: false``)."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from trainer_tables import write

import lrtune
from lrtune.experiment import load_text
from lrtune.text.errors import ExperimentError
from lrtune.trainers.preparation import prepare

TEXT = """\
trainer: {estimator: sklearn.ensemble.HistGradientBoostingClassifier}
data: {path: mixed.csv, target: kind, encode: false}
search: {strategy: grid, folds: 3, workers: 1}
space: {max_iter: [5, 10], categorical_features: from_dtype}
"""


@pytest.fixture
def mixed(folder):
    rng = np.random.default_rng(2)
    size, colour = rng.normal(size=120), rng.choice(["red", "green", "blue"], 120)
    kind = np.where(size + (colour == "red") + 0.5 * rng.normal(size=120) > 0.4, "big", "small")
    sizes = ["" if place % 9 == 0 else f"{each:.3f}" for place, each in enumerate(size)]
    write(folder / "mixed.csv", "size,colour,kind", zip(sizes, colour, kind, strict=True))
    return folder


def test_an_estimator_sees_the_columns_as_they_are(mixed):
    (mixed / "file.yaml").write_text(TEXT)
    found = lrtune.search("file.yaml", output=mixed / "run")
    setting = prepare(load_text(TEXT, base=mixed)).setting
    table = pd.read_csv(mixed / "mixed.csv")
    table["colour"] = table["colour"].astype("category")
    kinds = (table["kind"] == "small").to_numpy().astype(int)
    for row in found.trials.iter_rows(named=True):
        for number, (fold, (train, validation)) in enumerate(zip(setting.folds, setting.foreign.rows, strict=True), 1):
            seed = int(np.random.default_rng([0, 61, fold.index]).integers(2**31))
            peer = HistGradientBoostingClassifier(
                max_iter=row["max_iter"], random_state=seed, categorical_features="from_dtype"
            )
            peer.fit(table[["size", "colour"]].iloc[train], kinds[train])
            shares = peer.predict_proba(table[["size", "colour"]].iloc[validation])
            assert row[f"fold_{number}"] == pytest.approx(log_loss(kinds[validation], shares), rel=1e-6)
    shares = lrtune.load(found.folder).predict_proba(pl.read_csv(mixed / "mixed.csv"))
    assert shares.shape == (120, 2)
    new = pl.DataFrame({"size": [0.3, None], "colour": ["violet", None]})  # what the training rows do not have
    assert np.isfinite(lrtune.load(found.folder).predict_proba(new)).all()


def test_a_function_sees_them_too_and_predicts_from_them(mixed):
    (mixed / "train.py").write_text(
        "def train(run):\n"
        "    assert list(run.train.X.columns) == ['size', 'colour'], run.train.X\n"
        "    assert set(run.train.X['colour'].dropna()) == {'red', 'green', 'blue'}\n"
        "    return predict(run, run.validation.X)\n\n\n"
        "def predict(run, X):\n"
        "    return [run.classes[int(size < 0.4)] for size in X['size']]\n"
    )
    text = TEXT.replace("{estimator: sklearn.ensemble.HistGradientBoostingClassifier}", "train.py:train")
    text = text.replace("folds: 3", "folds: 3, metric: accuracy")
    (mixed / "file.yaml").write_text(text[: text.index("space:")] + "space: {a: [1]}\n")
    found = lrtune.search("file.yaml", output=mixed / "run")
    table = pl.read_csv(mixed / "mixed.csv")
    expected = ["small" if size is not None and size < 0.4 else "big" for size in table["size"]]
    assert lrtune.load(found.folder, trust=True).predict(table).tolist() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: {path: mixed.csv, target: kind, encode: false}", "data.encode: is for other trainers"),
        (
            TEXT.replace("estimator: sklearn.ensemble.HistGradientBoostingClassifier", "command: ls"),
            "is for estimators and",
        ),
    ],
)
def test_where_it_means_nothing_is_said(text, expected):
    with pytest.raises(ExperimentError, match=expected):
        load_text(text)


def test_it_is_written_where_it_is_said_and_is_part_of_what_a_result_depends_on():
    found, plain = load_text(TEXT), load_text(TEXT.replace(", encode: false", ""))
    assert "encode: false" in found.to_yaml()
    assert "encode" not in plain.to_yaml()
    assert found.canonical() != plain.canonical()
