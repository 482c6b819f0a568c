"""Results written by hand: what a test does not say is as plain as can be."""

import math

from lrtune.training.registry import METRICS
from lrtune.verdict.result import Counts, DataHashes, Result, Seconds
from lrtune.verdict.standing import Standing


def standing(number=0, scores=(), *, mean=None, std=None, state="complete", beside=(), **configuration):
    """A trial with its scores in the metric's own sign; their mean is that of the scores unless it is given."""
    if mean is None and scores and None not in scores:
        mean = math.fsum(scores) / len(scores)
    return Standing(number, state, {"decay": "constant", **configuration}, mean, std, tuple(scores), dict(beside))


def result(scores=(0.9, 0.8), metric="accuracy", **more):
    """A finished result whose best trial has these scores."""
    usual = {
        "name": "case",
        "best": standing(1, scores),
        "default": standing(0, scores),
        "gain": None,
        "counts": Counts(2, 2, 0, 0, 0),
        "seconds": Seconds(1.0, 0.5, 1.5),
        "data": DataHashes("d", "f"),
        "finished": "trials",
    }
    return Result(metric=metric, larger_is_better=METRICS[metric].larger_is_better, **{**usual, **more})
