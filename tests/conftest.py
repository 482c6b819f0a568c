from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lrtune.tuning import search
from lrtune.verdict import examination
from lrtune.verdict.health import rules

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


SLOW = (
    *("correction", "durability", "handover", "sampling", "training", "test_estimator.py", "test_release.py"),
    *("cli/test_ci_logs.py", "cli/test_finder.py", "cli/test_folds.py", "cli/test_processes.py", "cli/test_pruning.py"),
    *("browser", "cli/test_watch.py"),
    *("cli/test_signals.py", "cli/test_whole_run.py", "test_confirmation.py", "test_finder.py", "test_judging.py"),
    *("test_anchors.py", "test_beside.py", "test_controlled.py"),
    *("test_docs.py", "test_docs_run.py", "test_nested.py", "test_showdowns.py", "test_tuning.py", "test_workers.py"),
    "test_workflows.py",
    *("test_exchange.py", "test_clusters.py"),
    *("cli/test_help.py", "cli/test_gating.py", "cli/test_retrain.py", "cli/test_homes.py", "cli/test_check.py"),
    *("api/test_search_cv.py", "api/test_types.py", "api/test_study.py", "data/test_damaged.py", "test_injected.py"),
)
"""What `make quick` leaves out; what is left still runs every room, and whole searches."""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            place = item.path.relative_to(here).as_posix()
            if place.startswith(SLOW):
                item.add_marker("slow")


def not_attempted(_what, judge):
    """Judge without a net: in tests a defect of a judge is a failure and no finding."""
    return judge(), []


@pytest.fixture(autouse=True)
def defects_of_judges_fail(monkeypatch):
    for module in (search, examination, rules):
        monkeypatch.setattr(module, "attempted", not_attempted)
