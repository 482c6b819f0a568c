import pytest
from hypothesis import HealthCheck, settings

from lrtune.tuning import search
from lrtune.verdict import examination
from lrtune.verdict.health import rules

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


def not_attempted(_what, judge):
    """Judge without a net: in tests a defect of a judge is a failure and no finding."""
    return judge(), []


@pytest.fixture(autouse=True)
def defects_of_judges_fail(monkeypatch):
    for module in (search, examination, rules):
        monkeypatch.setattr(module, "attempted", not_attempted)
