import pytest

from lrtune.tuning import search
from lrtune.verdict import examination
from lrtune.verdict.health import rules


def not_attempted(_what, judge):
    """Judge without a net: in tests a defect of a judge is a failure and no finding."""
    return judge(), []


@pytest.fixture(autouse=True)
def defects_of_judges_fail(monkeypatch):
    for module in (search, examination, rules):
        monkeypatch.setattr(module, "attempted", not_attempted)
