"""What the page of a run that has no result says."""

from types import SimpleNamespace

from lrtune.reporting.status import TrialCounts, _facts
from lrtune.space.trial import Trial, TrialState


def test_a_run_without_a_score_says_why():
    trials = [Trial(0, {}, TrialState.DIVERGED), Trial(1, {}, TrialState.FAILED, reason="fold 1: ValueError: no")]
    counts = TrialCounts(planned=2, done=2, running=0, complete=0, pruned=0, diverged=1, failed=1)
    found = SimpleNamespace(
        state="finished",
        trials=counts,
        best=None,
        seconds=SimpleNamespace(search=1.0, left=None),
        no_model=None,
        fits=(),
        share=None,
    )
    facts = dict(_facts(SimpleNamespace(trials=trials, metric="accuracy"), found))
    assert facts["why"] == "trial 1: fold 1: ValueError: no"
    found.best = SimpleNamespace(number=2, mean=0.9, std=None, configuration={})
    assert "why" not in dict(_facts(SimpleNamespace(trials=trials, metric="accuracy"), found))
