"""The encoder against scikit-learn's imputer, scaler and one-hot encoder; and that nothing leaks."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from lrtune.data.columns import Columns, arrays, fit_levels
from lrtune.data.describe import describe
from lrtune.data.encoding import Encoder, _medians, fit_encoder
from lrtune.data.schema import ColumnSpec, Schema, encoded_names
from lrtune.data.tables import from_frame, load
from lrtune.text.errors import ModelError
from lrtune.training.numbers.catalogue import NUMBERS

RNG = np.random.default_rng(3)


def schema_of(*columns: ColumnSpec, min_count: int = 2) -> Schema:
    return Schema("regression", "y", (), columns, min_count=min_count)


def number(name="x", *, missing=False, kind="numeric", distinct=100):
    return ColumnSpec(name, kind, "feature", missing=missing, distinct=() if kind == "boolean" else (distinct,))


def category(*levels, name="c", grouped=False, missing=False):
    return ColumnSpec(name, "categorical", "feature", missing, levels, grouped)


def columns_of(numeric=(), codes=()):
    """Columns from lists of columns."""
    rows = len(numeric[0] if len(numeric) else codes[0])
    return Columns(
        np.array(numeric, dtype=float).reshape(-1, rows).T,
        np.array(codes, dtype=np.int32).reshape(-1, rows).T,
    )


@pytest.mark.parametrize("width", [1, 7, 600])
def test_medians_are_numpys(width):
    values = RNG.normal(size=(41, width)) * 10.0 ** RNG.integers(-5, 6, width)
    values[RNG.random(values.shape) < 0.3] = np.nan
    values[:, ::5] = np.nan
    values[0, ::5] = 3.0
    expected = [np.median(column[~np.isnan(column)]) for column in values.T]
    np.testing.assert_array_equal(_medians(values), expected)
    assert _medians(np.full((3, 2), np.nan)).tolist() == [0.0, 0.0]
    assert _medians(np.array([[1.7e308], [1.7e308], [1.6e308], [1.7e308]])).tolist() == [1.7e308]


def test_numbers_are_imputed_and_scaled_as_by_scikit_learn():
    values = RNG.normal(size=(50, 4)) * [1e-3, 1.0, 1e4, 1e9] + [0, 5, 1e5, -1e9]
    values[RNG.random(values.shape) < 0.2] = np.nan
    train, valid = np.arange(0, 50, 2), np.arange(1, 50, 2)
    schema = schema_of(*(number(f"x{i}", missing=True) for i in range(4)))
    columns = columns_of(values.T, np.empty((0, 50)))
    encoder = fit_encoder(columns, train, schema)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(values[train])
    marks = MissingIndicator(features="all").fit(values[train])
    for rows in (train, valid):
        expected = np.hstack([pipeline.transform(values[rows]), marks.transform(values[rows])])
        np.testing.assert_allclose(encoder.transform(columns, rows), expected, rtol=1e-9, atol=1e-12)
    assert encoder.names == encoded_names(schema)
    assert encoder.names[3:6] == ("x3", "x0 (missing)", "x1 (missing)")


def test_categories_are_one_hot_as_by_scikit_learn():
    texts = RNG.choice(["red", "green", "blue", "rare1", "rare2"], p=[0.4, 0.3, 0.26, 0.02, 0.02], size=300)
    table = from_frame({"c": texts, "y": RNG.normal(size=300)})
    schema = fit_levels(table, describe(table, target="y"), np.arange(300))
    rows = np.arange(300)
    ours = fit_encoder(arrays(table, schema), rows, schema).transform(arrays(table, schema))
    counts = {level: int((texts == level).sum()) for level in set(texts)}
    frequent = sorted(level for level, count in counts.items() if count >= 3)
    reference = OneHotEncoder(categories=[frequent], handle_unknown="ignore", sparse_output=False)
    expected = reference.fit_transform(texts[np.isin(texts, frequent)][:, None])
    np.testing.assert_array_equal(ours[np.isin(texts, frequent)][:, : len(frequent)], expected)
    if len(frequent) < len(counts):
        np.testing.assert_array_equal(ours[:, -1], ~np.isin(texts, frequent))


def test_the_layout_is_the_schemas():
    schema = schema_of(
        number("a", missing=True),
        category("u", "v", name="c", grouped=True, missing=True),
        number("b", kind="boolean"),
        category("w", name="d"),
    )
    assert encoded_names(schema) == ("a", "b", "a (missing)", "c=u", "c=v", "c (other)", "c (missing)", "d=w")
    assert schema.width == 8
    columns = columns_of([[1, 3], [0, 1]], [[0, -2], [0, 0]])
    encoded = fit_encoder(columns, None, schema).transform(columns)
    np.testing.assert_array_equal(encoded, [[-1, 0, 0, 1, 0, 0, 0, 1], [1, 1, 0, 0, 0, 1, 0, 1]])


def test_booleans_stay_zero_and_one_and_take_the_frequent_value():
    schema = schema_of(number(kind="boolean", missing=True))
    columns = columns_of([[0, 1, 1, np.nan]], np.empty((0, 4)))
    encoder = fit_encoder(columns, None, schema)
    np.testing.assert_array_equal(encoder.transform(columns), [[0, 0], [1, 0], [1, 0], [1, 1]])
    tied = fit_encoder(columns, np.array([0, 1]), schema)
    assert tied.transform(columns)[3].tolist() == [0, 1]


def test_a_number_without_spread_in_training_is_zero_everywhere():
    columns = columns_of([[5, 5, 5, 9], [0.1, 0.1, 0.1, 7], [np.nan, np.nan, np.nan, 3]], np.empty((0, 4)))
    encoder = fit_encoder(columns, np.arange(3), schema_of(number("a"), number("b"), number("c", missing=True)))
    np.testing.assert_array_equal(encoder.transform(columns)[:, :3], np.zeros((4, 3)))
    np.testing.assert_array_equal(encoder.transform(columns)[:, 3], [1, 1, 1, 0])


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-3, 1.0, 1e4, 1e160, 1e300])
def test_any_scale_gives_mean_zero_and_deviation_one(scale):
    values = np.array([1.0, 2.0, 4.0, 8.0]) * scale
    columns = columns_of([values], np.empty((0, 4)))
    encoded = fit_encoder(columns, None, schema_of(number())).transform(columns)[:, 0]
    expected = StandardScaler().fit_transform([[1.0], [2.0], [4.0], [8.0]])[:, 0]
    np.testing.assert_allclose(encoded, expected, rtol=1e-12)


@pytest.mark.parametrize("numbers", NUMBERS)
def test_rounding_is_no_spread(numbers):
    columns = columns_of([[0.1 + 0.2, 0.3, 0.3]], np.empty((0, 3)))
    assert (fit_encoder(columns, None, schema_of(number()), numbers).transform(columns) == 0).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e4, 1e300])
def test_robust_numbers_are_scikit_learns_pulled_in(scale):
    values = np.sinh(RNG.normal(size=(60, 3)) * [0.5, 1.0, 3.0]) * scale
    values[RNG.random(values.shape) < 0.1] = np.nan
    train, schema = np.arange(40), schema_of(number("a"), number("b"), number("c"))
    columns = columns_of(values.T, np.empty((0, 60)))
    found = fit_encoder(columns, train, schema, "robust").transform(columns)
    filled = SimpleImputer(strategy="median").fit(values[train] / scale).transform(values / scale)
    far = RobustScaler().fit(filled[train]).transform(filled)
    np.testing.assert_allclose(found, far / np.sqrt(1 + (far / 3) ** 2), rtol=1e-9, atol=1e-12)
    assert np.abs(far).max() > 10
    assert np.abs(found).max() < 3


def test_half_the_range_stands_in_for_an_interquartile_range_of_zero():
    columns = columns_of([[5, 5, 5, 5, 5, 5, 9], [7, 7, 7, 7, 7, 7, 7]], np.empty((0, 7)))
    found = fit_encoder(columns, None, schema_of(number("a"), number("b")), "robust").transform(columns)
    assert found[:, 0].tolist() == [0, 0, 0, 0, 0, 0, pytest.approx(2 / math.sqrt(1 + 4 / 9))]
    assert found[:, 1].tolist() == [0] * 7


def interpolated(x, edges, bin_):
    """How far x has come through a bin, as NumPy interpolates."""
    return np.interp(x, edges[bin_ : bin_ + 2], [0.0, 1.0])


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_piecewise_numbers_come_through_the_bins_between_quantiles(scale):
    values, few = np.sinh(RNG.normal(size=60)) * scale, RNG.permutation(np.arange(60) % 4) ** 2.0
    few[3] = np.nan
    train, schema = np.arange(50), schema_of(number("a"), number("b", distinct=5), number("f", kind="boolean"))
    columns = columns_of([values, few, RNG.integers(0, 2, 60)], np.empty((0, 60)))
    encoder = fit_encoder(columns, train, schema, "piecewise")
    found = encoder.transform(columns)
    np.testing.assert_array_equal(found[:, :3], fit_encoder(columns, train, schema).transform(columns))
    assert encoder.names == (
        "a",
        "b",
        "f",
        *(f"a [{bin_}]" for bin_ in range(1, 9)),
        *(f"b [{bin_}]" for bin_ in (1, 2, 3, 4)),
    )
    edges = np.quantile(values[train] / scale, np.arange(9) / 8)
    for bin_ in range(8):
        np.testing.assert_allclose(found[:, 3 + bin_], interpolated(values / scale, edges, bin_), atol=1e-9)
    filled = np.where(np.isnan(few), np.nanmedian(few[train]), few)
    edges = np.unique(filled[train])  # 0, 1, 4, 9, and what stands for missing cells if that is none of them
    for bin_ in range(len(edges) - 1):
        np.testing.assert_allclose(found[:, 11 + bin_], interpolated(filled, edges, bin_), atol=1e-9)
    assert not found[:, 11 + len(edges) - 1 :].any()


def test_a_number_of_two_values_or_without_spread_has_no_bins():
    schema = schema_of(number("a", distinct=2), number("b", distinct=1), number("c", distinct=3))
    columns = columns_of([[1, 2, 2, 1], [5, 5, 5, 5], [1, 1, 2, 3]], np.empty((0, 4)))
    encoder = fit_encoder(columns, np.arange(3), schema, "piecewise")
    assert encoder.names == ("a", "b", "c", "c [1]", "c [2]")
    found = encoder.transform(columns)[:, 3:]  # where a fold lacks a value, its bin is empty and still there
    np.testing.assert_allclose(found, [[0, 0], [0, 0], [1, 0], [1, 0]], atol=1e-12)


def test_different_values_are_counted_in_the_training_rows():
    rows = {"a": [1, 2, 2, 9], "d": ["2020-01-01", "2020-02-01", "2020-02-02", "2021-01-01"], "y": [1.5, 2.5, 3.5, 4.5]}
    table = from_frame({**rows, "b": [0.5, None, 1.5, 2.5]})
    schema = fit_levels(table, describe(table, target="y", dates="encode"), np.arange(3))
    assert {column.name: column.distinct for column in schema.features} == {"a": (2,), "d": (3, 2, 3), "b": (3,)}
    assert len(schema.distinct) == len(schema.numbers) == 5


def test_unseen_and_rare_categories_become_other():
    schema = schema_of(category("a", "b", grouped=True, missing=True), min_count=6)
    codes = [0] * 4 + [1] * 2 + [-2] * 2 + [-1]
    columns = columns_of((), [codes])
    encoded = fit_encoder(columns, None, schema).transform(columns)
    assert encoded.argmax(axis=1).tolist() == [0] * 4 + [2] * 2 + [2] * 2 + [3]
    np.testing.assert_array_equal(encoded.sum(axis=1), 1)


def test_what_training_never_showed_is_all_zeros():
    schema = schema_of(category("a", "b", grouped=True, missing=True))
    columns = columns_of((), [[0, 0, 1, -2, -1]])
    encoder = fit_encoder(columns, np.arange(2), schema)
    np.testing.assert_array_equal(encoder.transform(columns), np.eye(4)[[0, 0, 0, 0, 0]] * [[1], [1], [0], [0], [0]])


def test_missing_is_other_where_training_rows_have_none():
    schema = schema_of(category("a", grouped=True, missing=True))
    columns = columns_of((), [[0, 0, -2, -1]])
    encoded = fit_encoder(columns, np.arange(3), schema).transform(columns)
    np.testing.assert_array_equal(encoded, [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]])
    unmarked = fit_encoder(columns, np.arange(3), schema_of(category("a", grouped=True)))
    np.testing.assert_array_equal(unmarked.transform(columns)[3], [0, 1])


@st.composite
def problems(draw):
    """Columns with gaps and rare levels, and training rows."""
    rows = draw(st.integers(2, 12))
    cell = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0]))
    numeric = draw(arrays_of.arrays(float, (rows, 2), elements=cell))
    flags = draw(arrays_of.arrays(float, (rows, 1), elements=st.sampled_from([0.0, 1.0, np.nan])))
    codes = draw(arrays_of.arrays(np.int32, (rows, 2), elements=st.integers(-2, 2)))
    chosen = draw(st.sets(st.integers(0, rows - 1), min_size=1, max_size=rows - 1))
    specs = [number("a", missing=draw(st.booleans())), number("b"), number("f", kind="boolean", missing=True)]
    specs += [
        category("u", "v", "w", name=name, grouped=draw(st.booleans()), missing=draw(st.booleans())) for name in "cd"
    ]
    schema = schema_of(*specs, min_count=draw(st.integers(2, 6)))
    numbers = draw(st.sampled_from(sorted(NUMBERS)))
    return Columns(np.hstack([numeric, flags]), codes), np.array(sorted(chosen)), schema, numbers


@settings(deadline=None, max_examples=150)
@given(problems(), st.integers(0, 2**32 - 1))
def test_nothing_leaks_from_validation_rows(problem, seed):
    columns, train, schema, numbers = problem
    rng = np.random.default_rng(seed)
    valid = np.setdiff1d(np.arange(columns.rows), train)
    numeric, codes = columns.numeric.copy(), columns.codes.copy()
    numeric[valid] = rng.choice([np.nan, 0.0, 1.0, -1e300, 1e300], size=numeric[valid].shape)
    codes[valid] = rng.integers(-2, 3, size=codes[valid].shape)
    changed = replace(columns, numeric=numeric, codes=codes)
    before, after = (fit_encoder(each, train, schema, numbers) for each in (columns, changed))
    assert before.to_dict() == after.to_dict()
    np.testing.assert_array_equal(before.transform(columns, train), after.transform(changed, train))


@settings(deadline=None, max_examples=100)
@given(problems())
def test_an_encoder_survives_json_to_the_last_bit(problem):
    columns, train, schema, numbers = problem
    encoder = fit_encoder(columns, train, schema, numbers)
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    assert again.to_dict() == encoder.to_dict()
    encoded = encoder.transform(columns)
    np.testing.assert_array_equal(again.transform(columns), encoded)
    assert encoded.shape == (columns.rows, encoder.width)
    assert np.isfinite(encoded).all()


@settings(deadline=None, max_examples=50)
@given(problems())
def test_rows_are_encoded_one_by_one_as_together(problem):
    columns, train, schema, numbers = problem
    encoder = fit_encoder(columns, train, schema, numbers)
    together = encoder.transform(columns)
    for row in range(columns.rows):
        np.testing.assert_array_equal(encoder.transform(columns, np.array([row]))[0], together[row])


@pytest.mark.parametrize(
    "damage",
    [
        {"fill": [1.0, 2.0]},
        {"names": []},
        {"parts": {"shift": ["x"], "factor": [1.0]}},
        {"parts": {"shift": [1.0, 2.0]}},
        {"numbers": "rank"},
        {"scaled": [5]},
        {"places": None},
        {"marks": [7]},
    ],
)
def test_a_damaged_encoder_is_refused(damage):
    columns = columns_of([[1, 2]], [[0, 1]])
    values = fit_encoder(columns, None, schema_of(number(), category("a", "b"))).to_dict()
    with pytest.raises(ModelError, match="encoder is damaged"):
        Encoder.from_dict(values | damage)
    with pytest.raises(ModelError, match="encoder is damaged"):
        Encoder.from_dict({key: value for key, value in values.items() if key not in damage})


def test_every_fold_has_the_same_width(bundled):
    (path,) = [path for path in bundled if path.stem == "birdstrikes"]
    table = load(path)
    schema = fit_levels(table, describe(table, target="damaged"), np.arange(3000))
    columns = arrays(table, schema)
    for part in np.array_split(RNG.permutation(3000), 5):
        encoder = fit_encoder(columns, np.setdiff1d(np.arange(3000), part), schema)
        assert encoder.names == encoded_names(schema)
        assert encoder.transform(columns, part).shape == (600, schema.width)


def test_rows_farther_than_any_number_of_single_precision_do_not_overflow():
    """New rows may hold whatever a file can; what is beyond a billion standard deviations is a billion away."""
    train = columns_of([[0.0, 1.0, 2.0, 3.0], [1e-300, 2e-300, 3e-300, 4e-300]])
    encoder = fit_encoder(train, None, schema_of(number("a"), number("b")))
    new = encoder.transform(columns_of([[1e300, -1e300, 1.5], [1e300, -1e300, 2.5e-300]]))
    np.testing.assert_allclose(new, [[1e9, 1e9], [-1e9, -1e9], [0.0, 0.0]], atol=1e-12)
    assert np.isfinite(new.astype(np.float32)).all()
