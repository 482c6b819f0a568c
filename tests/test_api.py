"""The public API is a list, and importing the package costs nothing."""

import subprocess
import sys

import pytest

import lrtune

PUBLIC = [
    *("Classifier", "Regressor", "Result", "Schedule", "SearchCV", "Study"),
    *("find_learning_rate", "find_scaling", "load", "search", "search_steps", "suggest"),
]


def test_the_public_api_is_this_list():
    assert lrtune.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(lrtune))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_exists_and_is_documented(name):
    assert getattr(lrtune, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Classifer'"):
        _ = lrtune.Classifer


def test_importing_the_package_loads_no_numpy():
    probe = "import sys, lrtune; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout == "False\n"
