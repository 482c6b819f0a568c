"""The search as a scikit-learn estimator, against scikit-learn's own checks and tools."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import lrtune
from lrtune import SearchCV
from lrtune.text.errors import LrtuneError

QUICK = {"trials": 3, "folds": 2, "workers": 1, "settings": {"training.epochs": 3, "training.batch_size": 8}}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([SearchCV(**{**QUICK, "trials": 2}, task=task) for task in ("classification", "regression")])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_it_is_the_search_on_all_rows(tmp_path):
    X, y = load_iris(return_X_y=True)
    found = SearchCV(**QUICK, output=tmp_path / "cv").fit(X, y)
    settings = ["data.test_size=0", "training.epochs=3", "training.batch_size=8"]
    same = lrtune.search(X=X, y=y, trials=3, folds=2, overrides=settings, output=tmp_path / "search")
    assert found.best_index_ == same.best.number
    assert found.best_params_ == dict(same.best.configuration)
    assert found.best_score_ == same.best.mean
    np.testing.assert_array_equal(found.predict(X), same.model.predict(X))
    assert found.score(X, y) == accuracy_score(y, found.predict(X))
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1.0, atol=1e-6)


def test_what_is_not_said_is_what_suits_the_table(tmp_path):
    X, y = load_iris(return_X_y=True)
    found = SearchCV(trials=1, settings={"training.epochs": 2}, output=tmp_path / "cv").fit(X, y).result_
    overrides = ["data.test_size=0", "training.epochs=2"]
    same = lrtune.search(X=X, y=y, trials=1, overrides=overrides, output=tmp_path / "search")
    assert found.fingerprint == same.fingerprint
    assert (found.metric, len(found.best.fold_scores)) == ("log_loss", 10)


def test_cv_results_have_a_row_for_each_trial(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    found = SearchCV(**QUICK, output=tmp_path / "cv", metric="rmse").fit(X, y)
    table = pd.DataFrame(found.cv_results_)
    assert len(table) == 3
    splits = table[["split0_test_score", "split1_test_score"]].to_numpy()
    np.testing.assert_allclose(table["mean_test_score"], splits.mean(axis=1))
    np.testing.assert_allclose(table["std_test_score"], splits.std(axis=1, ddof=1))
    assert table["rank_test_score"][found.best_index_] == 1
    assert found.best_score_ == table["mean_test_score"].min() > 0.0  # an error is positive, and smaller is better
    assert not hasattr(found, "predict_proba")


def test_it_is_a_part_like_any_other():
    X, y = load_iris(return_X_y=True)
    chain = make_pipeline(StandardScaler(), SearchCV(**QUICK, task="classification"))
    scores = cross_val_score(chain, X, y, cv=3)
    assert (scores > 0.4).all()


def test_without_an_output_nothing_is_left_and_the_model_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = load_iris(return_X_y=True)
    found = SearchCV(**QUICK).fit(X, y)
    assert list(tmp_path.iterdir()) == []
    assert len(found.predict(X)) == 150


def test_a_task_that_there_is_not():
    with pytest.raises(LrtuneError, match="task: expected one of auto, classification, regression, got 'clustering'"):
        SearchCV(task="clustering").fit([[1.0], [2.0]], [0, 1])
