"""The bundled tables, described as their README describes them, and the way from a file to arrays."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from lrtune.data.columns import arrays_for
from lrtune.data.dataset import open_dataset
from lrtune.data.encoding import fit_encoder
from lrtune.data.folds import make_folds
from lrtune.data.tables import from_frame, load
from lrtune.text.errors import DataError

FACTS = {  # target: rows, problem, classes, kinds of used columns
    "birdstrikes": ("damaged", 3000, "binary", 2, {"categorical": 8, "numeric": 1}),
    "breast_cancer": ("diagnosis", 569, "binary", 2, {"numeric": 30}),
    "concrete": ("compressive_strength", 1030, "regression", 0, {"numeric": 8}),
    "digits": ("digit", 1797, "multiclass", 10, {"numeric": 61}),
    "hpc_jobs": ("class", 4331, "multiclass", 4, {"categorical": 2, "numeric": 5}),
    "penguins": ("species", 344, "multiclass", 3, {"categorical": 2, "numeric": 5}),
    "wine": ("cultivar", 178, "multiclass", 3, {"numeric": 13}),
}


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_bundled_tables(bundled, name):
    target, rows, problem, classes, kinds = FACTS[name]
    (path,) = [path for path in bundled if path.stem == name]
    dataset = open_dataset(path, target=target)
    schema = dataset.schema
    assert dataset.columns.rows == rows == len(dataset.train_rows) + len(dataset.test_rows)
    assert (schema.problem, len(schema.classes), schema.kinds) == (problem, classes, kinds)
    assert len(dataset.test_rows) == round(rows * 0.2)
    for train, valid in make_folds(dataset.columns, schema, dataset.train_rows):
        encoder = fit_encoder(dataset.columns, train, schema)
        encoded = encoder.transform(dataset.columns, train)
        assert encoder.transform(dataset.columns, valid).shape == (len(valid), schema.width)
        numeric = encoded[:, : len(schema.numeric)]
        np.testing.assert_allclose(numeric.mean(axis=0), 0, atol=1e-10)
        spread = numeric.std(axis=0)
        np.testing.assert_allclose(spread[spread > 0], 1)


def test_digits_are_whole_numbers_and_constant_pixels_are_left_out(bundled):
    dataset = open_dataset(next(path for path in bundled if path.stem == "digits"), target="digit")
    assert dataset.schema.classes == tuple(range(10))
    assert any("'p00', 'p32', 'p39'" in note for note in dataset.schema.notes)
    assert any("task: classification, since the target 'digit' has only 10 distinct" in n for n in dataset.schema.notes)
    as_numbers = open_dataset(next(p for p in bundled if p.stem == "digits"), target="digit", task="regression")
    assert as_numbers.schema.problem == "regression"
    assert as_numbers.columns.target.dtype == float


def test_birdstrikes_have_a_date_and_a_positive_class(bundled):
    path = next(path for path in bundled if path.stem == "birdstrikes")
    dataset = open_dataset(path, target="damaged", positive="yes")
    assert dataset.schema.classes == ("no", "yes")
    assert dataset.schema.positive == "yes"
    assert dataset.columns.target.mean() == pytest.approx(0.11, abs=0.01)
    assert dataset.schema.warnings == ("the date column 'flight_date' is ignored; set data.dates: encode to use it",)
    assert max(len(column.levels) for column in dataset.schema.categorical) <= 100
    turned = open_dataset(path, target="damaged", positive="no", dates="encode")
    assert turned.schema.classes == ("yes", "no")
    assert turned.schema.kinds["date"] == 1


def test_penguins_have_missing_cells(bundled):
    dataset = open_dataset(next(path for path in bundled if path.stem == "penguins"), target="species")
    marked = {column.name for column in dataset.schema.features if column.missing}
    assert marked <= {"bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"}
    assert "sex" in marked
    assert np.isnan(dataset.columns.numeric).sum() == 8


def test_test_rows_decide_nothing():
    rng = np.random.default_rng(2)
    cells = {"c": rng.choice(["a", "b", "c"], 100), "x": rng.normal(size=100), "y": rng.permutation([0, 1] * 50)}
    dataset = open_dataset(from_frame(cells), target="y")
    strange, holes = cells["c"].astype(object), cells["x"].copy()
    strange[dataset.test_rows] = "z"
    holes[dataset.test_rows] = np.nan
    changed = open_dataset(from_frame(cells | {"c": strange, "x": holes}), target="y")
    assert changed.schema.columns == dataset.schema.columns
    np.testing.assert_array_equal(changed.test_rows, dataset.test_rows)
    np.testing.assert_array_equal(changed.columns.codes[dataset.train_rows], dataset.columns.codes[dataset.train_rows])
    assert (changed.columns.codes[dataset.test_rows] == -2).all()


def test_a_test_file_is_put_below(tmp_path):
    (tmp_path / "train.csv").write_text(
        "x,c,g,t,y\n" + "".join(f"{i / 8},u{i % 3},{i % 7},{i},{i % 2}\n" for i in range(40))
    )
    (tmp_path / "test.csv").write_text("y,c,x\n1,u0,3.5\n0,new,\n")
    dataset = open_dataset("train.csv", base=tmp_path, target="y", group="g", order="t", test="test.csv")
    assert dataset.columns.rows == 42
    assert dataset.train_rows.tolist() == list(range(40))
    assert dataset.test_rows.tolist() == [40, 41]
    assert dataset.columns.target[-2:].tolist() == [1, 0]
    assert dataset.columns.codes[-2:, 0].tolist() == [0, -2]
    assert np.isnan(dataset.columns.numeric[-1, 0])
    make_folds(dataset.columns, dataset.schema, dataset.train_rows, kind="group")


def test_a_test_file_that_does_not_fit_is_refused(tmp_path):
    (tmp_path / "train.csv").write_text("x,y\n" + "".join(f"{i / 7},{i % 2}\n" for i in range(40)))
    (tmp_path / "test.csv").write_text("x,z\n1,0\n")
    with pytest.raises(DataError, match=r"test table does not fit: test\.csv lacks the column 'y'"):
        open_dataset("train.csv", base=tmp_path, target="y", test="test.csv")


ROWS = [f"{i / 8},u{i % 3},{i},{'no' if i % 2 else 'yes'}" for i in range(40)]
HEADER = "x,c,id,y"


def two_tables(folder, test, header=HEADER):
    (folder / "train.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    (folder / "test.csv").write_text("\n".join([header, *test]) + "\n")
    return open_dataset("train.csv", base=folder, target="y", test="test.csv")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ([*ROWS[:12], *(f"{row}5,u0,{row},no" for row in range(48))], "12 of the 60 test rows are training rows, too"),
        ([ROWS[7], "0.3,u0,7,no"], "1 of the 2 test rows is a training row, too"),
        (ROWS[:5], "all 5 test rows are training rows, too"),
        (ROWS[:1], "the only test row is a training row, too"),
        (["0.125,u1,1,yes", "0.125,u1,100,no", "0.125,u2,1,no", "0.126,u1,1,no", ",u1,1,no", "0.125,,1,no"], None),
    ],
)
def test_test_rows_that_are_training_rows_are_counted(tmp_path, test, said):
    notes = two_tables(tmp_path, test).notes
    assert [note.partition(":")[0] for note in notes] == [said] * (said is not None)


def test_columns_that_one_table_has_alone_decide_nothing_on_repeated_rows(tmp_path):
    (note,) = two_tables(tmp_path, ["no,new,0.125,u1", "no,new,0.126,u1"], header="y,more,x,c").notes
    assert note.startswith("1 of the 2 test rows is a training row, too: equal in every column that both tables have")


def test_repeated_rows_are_found_however_a_table_is_written(tmp_path):
    frame = pl.DataFrame(
        {
            "x": [None if i % 7 == 0 else i / 4 for i in range(80)],
            "name": [f"{i:03d}" for i in range(80)],
            "size": [f"{1 + i % 3}.50" for i in range(80)],
            "sold": [i % 5 == 0 for i in range(80)],
            "day": [date(2024, 1, 1) + timedelta(days=i) for i in range(80)],
            "y": [i % 2 for i in range(80)],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(pl.col("size").cast(pl.Float64)).write_parquet(tmp_path / "b.parquet")
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "b.csv", separator=";", null_value="NA")
    for train, test in itertools.permutations(["a.parquet", "b.parquet", "a.csv", "b.csv"], 2):
        (note,) = open_dataset(train, base=tmp_path, target="y", test=test).notes
        assert note.startswith("all 80 test rows are training rows, too"), (train, test)


def test_a_table_in_memory_is_compared_with_the_test_file(tmp_path):
    (tmp_path / "test.csv").write_text("x,y\n0.125,1\n0.5,1\n")
    cells = {"x": np.arange(40) / 8, "y": np.arange(40) % 2}
    (note,) = open_dataset(from_frame(cells), base=tmp_path, target="y", test="test.csv").notes
    assert note.startswith("1 of the 2 test rows is")  # 0.5 stands beside target 0 there


def test_the_training_table_is_no_test_table(tmp_path):
    two_tables(tmp_path, ROWS)
    (tmp_path / "link.csv").symlink_to("train.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "train.csv")
    other = f"../{tmp_path.name}/./train.csv"
    for test in ("train.csv", "./train.csv", "link.csv", "hard.csv", other, tmp_path / "train.csv"):
        with pytest.raises(DataError, match="is the training table itself") as caught:
            open_dataset("train.csv", base=tmp_path, target="y", test=test)
        assert str(caught.value).startswith(f"data.test_path: {test} ")
    with pytest.raises(DataError, match="sklearn:iris is the training table itself"):
        open_dataset("sklearn:iris", test="sklearn:iris")


def test_the_hash_ignores_where_the_table_lies(tmp_path, bundled):
    path = next(path for path in bundled if path.stem == "wine")
    copy = tmp_path / "copy.tsv"
    copy.write_text(path.read_text().replace(",", "\t"))
    hashes = {open_dataset(each, target="cultivar").hash for each in (path, copy)}
    assert len(hashes) == 1
    assert open_dataset(path, target="cultivar", ignore=["hue"]).hash not in hashes


def test_a_table_predicts_itself(bundled):
    path = next(path for path in bundled if path.stem == "penguins")
    dataset = open_dataset(path, target="species")
    again = arrays_for(load(path), dataset.schema)
    np.testing.assert_array_equal(again.numeric, dataset.columns.numeric)
    np.testing.assert_array_equal(again.codes, dataset.columns.codes)
