import pytest

from lrtune.run.journal import Event
from lrtune.run.study import FINISHED, REFIT, RESULT, STUDY, TRIAL, replay, result_body
from lrtune.space.trial import Trial, TrialState
from lrtune.training.registry import complete

ADAM = {"learning_rate": 0.003, "optimizer": "adam", "decay": "constant", "warmup": 0.0}
MOMENTUM = {
    "learning_rate": 0.032,
    "optimizer": "momentum",
    "optimizer.momentum": 0.9,
    "decay": "cosine",
    "decay.final": 0.01,
    "warmup": 0.05,
}
STEP = {**ADAM, "learning_rate": 9.0, "decay": "step", "decay.factor": 0.5, "decay.every": 5, "hidden": [64, 32]}
HEADER = {
    "name": "digits",
    "metric": "accuracy",
    "fingerprint": "0123abcd" * 8,
    "clock": {"versions": {"lrtune": "0.1.0", "numpy": "2.4.6"}, "kernels": {}},
}


def events(configurations, results, *, metric="accuracy", test=None):
    """Write a study's events: results are lists of oriented fold scores, empty for a trial that failed."""
    yield Event(STUDY, {**HEADER, "metric": metric})
    for number, configuration in enumerate(configurations):
        yield Event(TRIAL, {"trial": number, "configuration": configuration})
    for number, scores in enumerate(results):
        diverged = [3 if each is None else None for each in scores]
        reason = {} if scores else {"reason": "its worker process died"}
        yield Event(RESULT, result_body(number, scores, diverged, **reason) | {"clock": {"seconds": 2.0}})
    if test is not None:
        means = {number: sum(each) for number, each in enumerate(results) if each and None not in each}
        best = max(means, key=means.get)
        yield Event(REFIT, {"trial": best, "test": test, "model": "abc", "clock": {"seconds": 0.5, "retraining": 0.5}})
        yield Event(FINISHED, {"reason": "trials"})


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def study():
    """Four trials: the default, a better one, one that diverged on its second fold, one that failed."""
    results = [[0.90, 0.92, 0.94], [0.95, 0.97, 0.99], [0.5, None, 0.4], []]
    return replay(events([ADAM, MOMENTUM, STEP, ADAM], results, test={"score": 0.96, "rows": 360}))


@pytest.fixture
def make_study():
    def make(configurations, results, **more):
        return replay(events(configurations, results, **more))

    return make


@pytest.fixture
def trial():
    def make(scores, number=0, state=TrialState.COMPLETE, **configuration):
        return Trial(number, configuration, state, tuple(scores))

    return make


@pytest.fixture
def filled():
    return complete
