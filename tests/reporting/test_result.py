import json

import pytest

from lrtune.text.errors import NoUsableResultError
from lrtune.verdict.making import result_of
from lrtune.verdict.result import SCHEMA


def result(study, completed):
    """What is written of a study."""
    return result_of(study, completed).to_json()


def test_a_result_says_what_was_found(study, filled):
    found = result(study, filled)
    assert found["schema"] == SCHEMA
    assert (found["name"], found["metric"], found["larger_is_better"]) == ("digits", "accuracy", True)
    assert found["best"]["number"] == 1
    assert found["best"]["mean"] == pytest.approx(0.97)
    assert found["best"]["std"] == pytest.approx(0.02)
    assert found["best"]["fold_scores"] == [0.95, 0.97, 0.99]
    assert found["default"]["number"] == 0
    assert found["default"]["mean"] == pytest.approx(0.92)
    assert found["gain"]["mean"] == pytest.approx(0.05)
    assert (found["gain"]["wins"], found["gain"]["folds"]) == (3, 3)
    assert found["test"] == {"score": 0.96, "rows": 360, "has": None, "repeated": 0}
    assert found["trials"] == {"total": 4, "complete": 2, "pruned": 0, "failed": 1, "diverged": 1}
    assert found["seconds"] == {"search": 8.0, "retrain": 0.5, "total": 8.5}
    assert found["finished"] == "trials"
    assert found["fingerprint"] == "0123abcd" * 8
    assert found["versions"] == {"lrtune": "0.1.0", "numpy": "2.4.6"}


def test_configurations_are_whole_and_plain(study, filled):
    configuration = result(study, filled)["best"]["configuration"]
    assert configuration["learning_rate"] == 0.032
    assert configuration["decay.final"] == 0.01
    assert configuration["epochs"] == 30
    assert list(configuration)[:3] == ["learning_rate", "optimizer", "optimizer.momentum"]
    assert json.loads(json.dumps(configuration))["hidden"] == [64]


def test_errors_are_positive_and_a_smaller_one_is_a_gain(make_study, filled):
    study = make_study([{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[-4.0, -6.0], [-3.0, -2.0]], metric="rmse")
    found = result(study, filled)
    assert found["larger_is_better"] is False
    assert (found["best"]["number"], found["best"]["mean"], found["best"]["fold_scores"]) == (1, 2.5, [3.0, 2.0])
    assert found["gain"]["mean"] == 2.5


def test_without_test_rows_there_is_no_test(make_study, filled):
    configurations, results = [{"learning_rate": 0.1}], [[0.5, 0.5]]
    assert result(make_study(configurations, results), filled)["test"] is None
    nothing = {"score": None, "rows": 0}
    assert result(make_study(configurations, results, test=nothing), filled)["test"] is None


def test_a_model_that_fails_on_the_test_rows_has_null_there(make_study, filled):
    study = make_study([{"learning_rate": 0.1}], [[0.5, 0.5]], test={"score": None, "rows": 9})
    assert result(study, filled)["test"] == {"score": None, "rows": 9, "has": None, "repeated": 0}


def test_a_default_that_diverged_has_nulls_and_no_gain(make_study, filled):
    found = result(make_study([{"learning_rate": 9.0}, {}], [[None, 0.1], [0.5, 0.6]]), filled)
    assert (found["default"]["mean"], found["default"]["std"]) == (None, None)
    assert found["default"]["fold_scores"] == [None, 0.1]
    assert found["gain"] is None
    json.dumps(found, allow_nan=False)


def test_a_study_that_goes_on_has_not_finished(make_study, filled):
    assert result(make_study([{}, {}], [[0.5, 0.6]]), filled)["finished"] is None


def test_nothing_usable_is_an_error_of_its_own(make_study, filled):
    with pytest.raises(NoUsableResultError, match="1 diverged"):
        result(make_study([{}], [[None, None]]), filled)
