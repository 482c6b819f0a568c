"""How sure a drift is: rows that both nights have pair the scores."""

import numpy as np
import pytest

from lrtune.nights.drift import NORMAL, NightEstimate, change, common, estimate
from lrtune.run.row_scores import MarkedRows, as_text, from_text, write
from lrtune.text.errors import StudyError


def rows(marks, values, folds=None):
    one = np.zeros((len(marks), 1), np.int64)
    return MarkedRows(np.array(marks, np.uint64), np.array(values, np.float64), one if folds is None else folds)


def test_an_interval_gives_its_error_back():
    found = estimate(0.9, 0.9 - NORMAL * 0.02, 0.9 + NORMAL * 0.02)
    assert found == (0.9, pytest.approx(0.02))


def test_equal_nights_differ_by_nothing_for_sure_and_other_rows_by_both_errors():
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    same = common(rows([5, 2, 9, 1, 7], values), rows([5, 2, 9, 1, 7], values))
    assert same == (5, pytest.approx(1.0), None)
    assert change(NightEstimate(0.6, 0.2), NightEstimate(0.6, 0.2), same.correlation).error == pytest.approx(
        0.0, abs=1e-8
    )
    other = common(rows([5, 2, 9, 1, 7], values), rows([15, 12, 19, 11, 17], values))
    assert other == (0, 0.0, None)
    assert change(NightEstimate(0.6, 0.3), NightEstimate(0.6, 0.4), other.correlation).error == pytest.approx(0.5)


def test_the_error_of_the_difference_of_two_means_is_what_resampled_tables_show():
    """Rows of a growing table: the second night has those of the first with values of its own, and new ones."""
    rng = np.random.default_rng(7)
    size, grown, tables = 300, 420, 4000
    base = rng.normal(size=(tables, grown))
    first = base[:, :size] + 0.5 * rng.normal(size=(tables, size))
    second = base + 0.5 * rng.normal(size=(tables, grown))
    truth = (second.mean(axis=1) - first.mean(axis=1)).std()
    one, marks = 17, np.arange(grown)
    shared = common(rows(marks, second[one]), rows(marks[:size], first[one]))
    errors = [each[one].std(ddof=1) / np.sqrt(each.shape[1]) for each in (second, first)]
    found = change(NightEstimate(0.0, errors[0]), NightEstimate(0.0, errors[1]), shared.correlation)
    assert shared.rows == size
    assert found.error == pytest.approx(truth, rel=0.1)
    assert found.error < 0.75 * np.hypot(*errors)


def crossed(rng, rows, *, folds, repeats=1, luck, shared=1.0, own=0.5, grown=0):
    """Two nights of one table; the model of a fold lifts all rows of the fold, by so much as ``luck`` says."""
    size = rows + grown
    level = shared * rng.normal(size=size)
    nights = []
    for count in (rows, size):
        parts = np.stack([rng.permutation(np.arange(count) % folds) for _ in range(repeats)], axis=1)
        parts += folds * np.arange(repeats)
        lifts = luck * rng.normal(size=folds * repeats)
        nights.append((level[:count] + own * rng.normal(size=count) + lifts[parts].mean(axis=1), parts))
    return nights


@pytest.mark.parametrize(
    ("folds", "repeats", "luck", "grown"), [(3, 1, 0.1, 0), (3, 1, 0.1, 60), (5, 1, 0.0, 0), (3, 2, 0.15, 30)]
)
def test_folds_tell_the_variance_of_a_drift_with_the_luck_of_training(folds, repeats, luck, grown):
    """The variance of thousands of drifts, beside the mean of what each pair of nights says of it."""
    rng, size = np.random.default_rng(folds + repeats), 240
    drifts, said, plain = [], [], []
    for _ in range(2500):
        (before, old), (now, new) = crossed(rng, size, folds=folds, repeats=repeats, luck=luck, grown=grown)
        marks = np.arange(size + grown)
        found = common(rows(marks, now, new), rows(marks[:size], before, old))
        deltas = now / len(now)
        deltas = deltas - deltas.mean()
        deltas[:size] -= (before - before.mean()) / size
        drifts.append(now.mean() - before.mean())
        plain.append(np.square(deltas).sum())
        said.append(found.luck.ratio * plain[-1])
        assert found.luck.freedom == (folds - 1) * repeats
    assert np.mean(said) == pytest.approx(np.var(drifts), rel=0.12)
    if luck:
        assert np.mean(plain) < 0.75 * np.var(drifts)


def test_rows_that_are_equal_do_not_change_what_folds_tell_of_the_others():
    rng = np.random.default_rng(8)
    (before, old), (now, new) = crossed(rng, 90, folds=3, luck=0.3)
    found = common(rows(np.arange(90), now, new), rows(np.arange(90), before, old))
    other = common(rows(np.arange(90) // 2, now, new), rows(np.arange(90) // 2, before, old))
    assert found.luck.ratio != pytest.approx(other.luck.ratio)
    assert other.luck.freedom == found.luck.freedom == 2


def test_one_fold_tells_nothing_of_the_luck_of_training():
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert common(rows([5, 2, 9, 1, 7], values), rows([5, 2, 9, 1, 8], values)).luck is None


def test_rows_that_are_equal_count_together():
    doubled = common(rows([1, 1, 2], [0.0, 1.0, 1.0]), rows([1, 2, 2], [0.0, 1.0, 0.0]))
    influence = {1: (0.0 + 1.0 - 4 / 3) / 3, 2: (1.0 - 2 / 3) / 3}, {1: (0.0 - 1 / 3) / 3, 2: (1.0 - 2 / 3) / 3}
    product = sum(influence[0][each] * influence[1][each] for each in (1, 2))
    norm = np.prod([np.sqrt(sum(value**2 for value in each.values())) for each in influence])
    assert doubled == (3, pytest.approx(product / norm), None)


def test_constant_values_correlate_with_nothing():
    assert common(rows([1, 2], [1.0, 1.0]), rows([1, 2], [1.0, 0.0])) == (2, 0.0, None)


def test_the_file_gives_the_rows_back_and_the_same_bytes_whatever_their_order(tmp_path):
    folds = np.array([[0, 3], [1, 5], [2, -1]])
    write(tmp_path / "one", rows([3, 1, 2], [0.5, 1.0, 0.0], folds))
    write(tmp_path / "two", rows([2, 3, 1], [0.0, 0.5, 1.0], folds[[2, 0, 1]]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    back = from_text(as_text(tmp_path / "one"))
    assert back.folds.tolist() == [[1, 5], [2, -1], [0, 3]]
    assert back.marks.tolist() == [1, 2, 3]
    assert back.values.tolist() == [1.0, 0.0, 0.5]
    assert as_text(tmp_path / "three") is None


@pytest.mark.parametrize("text", ["", "no base", "UEsDBA==", "AAAA"])
def test_a_damaged_text_is_told(text):
    with pytest.raises(StudyError, match="damaged"):
        from_text(text)
