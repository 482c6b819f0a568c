import pytest

import lrtune.verdict.health
import lrtune.verdict.health.rules


def not_attempted(_what, judge):
    """Judge without a net: in tests a defect of a judge is a failure and no finding."""
    return judge(), []


@pytest.fixture(autouse=True)
def defects_of_judges_fail(monkeypatch):
    monkeypatch.setattr(lrtune.verdict.health, "attempted", not_attempted)
    monkeypatch.setattr(lrtune.verdict.health.rules, "attempted", not_attempted)
