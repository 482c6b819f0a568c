"""All that looks at a finished search, on random conditional spaces whose branches share names with other ranges."""

import math
import zlib
from pathlib import Path

import numpy as np
import pytest

from lrtune.reporting import details
from lrtune.reporting.importance import importance, importance_page
from lrtune.run.bodies import Header, Refit, RowCounts
from lrtune.run.study import StudyState
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LINEAR, LOG, REVERSED_LOG, Integer, Ordinal, Real
from lrtune.space.trial import Curves, FinalScore, Trial, TrialState
from lrtune.verdict.explanation import explain
from lrtune.verdict.health import Case, findings, in_own_sign
from lrtune.verdict.health.dimensions import EDGE_TRIALS
from lrtune.verdict.making import result_of

SHARED = ("learning_rate", "decay.final", "decay.factor", "decay.k", "warmup", "weight_decay")
SEEDS = range(36)


def drawn_leaf(rng, name):
    kind = rng.integers(5)
    if kind == 0:
        low = float(10 ** rng.uniform(-5, -2))
        return Real(name, low, low * float(10 ** rng.uniform(0.5, 3)), low, LOG)
    if kind == 1:
        low = float(rng.uniform(0, 0.5))
        return Real(name, low, low + float(rng.uniform(0.01, 0.4)), low, str(rng.choice([LINEAR, REVERSED_LOG])))
    if kind == 2:
        low = int(rng.integers(0, 3))
        return Integer(name, low, low + int(rng.integers(1, 9)), low)
    if kind == 3:
        return Choice(name, (Option(None), Option("a"), Option(True)), None)
    values = sorted({float(each) for each in rng.choice([0.0, 0.1, 0.3, 0.5, 0.9, 1e-3], rng.integers(1, 6))})
    return Ordinal(name, tuple(values), values[0], LOG)  # a zero has no place on its scale


def drawn_branches(rng, name, options, taken, depth):
    """A choice whose branches draw from the same names, each with its own kind and range."""
    branches = []
    for each in options:
        free = [other for other in SHARED if other not in taken]
        names = rng.choice(free, rng.integers(0, min(3, len(free)) + 1), replace=False).tolist()
        inner = [drawn_leaf(rng, other) for other in names]
        if depth and rng.random() < 0.3:
            inner.append(drawn_branches(rng, f"{name}.inner", ("x", "y"), {*taken, *names}, depth - 1))
        branches.append(Option(each, SearchSpace(tuple(inner))))
    return Choice(name, tuple(branches), options[0])


def drawn_space(rng):
    outside = [drawn_leaf(rng, name) for name in SHARED if rng.random() < 0.2]
    taken = {each.name for each in outside}
    decay = drawn_branches(rng, "decay", ("constant", "linear", "exponential"), taken, 1)
    taken |= set(SearchSpace((decay,)).names())  # decays and optimizers are chosen independently of each other
    optimizer = drawn_branches(rng, "optimizer", ("adam", "momentum"), taken, 1)
    return SearchSpace((*outside, decay, optimizer))


def drawn_trial(rng, space, number, folds):
    point = space.default() if number == 0 else space.sample(rng)
    state = TrialState.COMPLETE if number == 0 or rng.random() < 0.8 else TrialState.DIVERGED
    scores = rng.normal(zlib.crc32(str(point).encode()) % 7 / 10.0, 0.05, folds).tolist()
    curves = Curves((1, 2, 3, 4), (0.9, 0.6, 0.5, 0.4), (0.9, 0.7, 0.6, 0.65))
    return Trial(
        number, point, state, tuple(scores) if state is TrialState.COMPLETE else (None,) * folds, curves=curves
    )


@pytest.fixture(scope="module", params=SEEDS)
def search(request):
    rng = np.random.default_rng(request.param)
    space = drawn_space(rng)
    trials = [drawn_trial(rng, space, number, 5) for number in range(int(rng.integers(12, 60)))]
    best = max((each for each in trials if each.mean is not None), key=lambda each: each.mean)
    return space, trials, best


def belongs(where, point):
    return all(str(point.get(name)) == str(value) for name, value in where.items())


def test_every_rule_has_an_answer_and_an_edge_is_about_its_own_branch(search):
    space, trials, best = search
    for each in findings(Case(trials, best, space, rows=400, test_rows=100, test=0.0, interval=(0.1, 0.2), share=0.1)):
        if each.name != "edge":
            continue
        numbers = each.numbers
        assert belongs(numbers["where"], best.configuration)
        assert numbers["low"] <= numbers["value"] <= numbers["high"]
        same = [trial for trial in trials if trial.mean is not None and belongs(numbers["where"], trial.configuration)]
        values = [trial.configuration[numbers["dimension"]] for trial in same]
        assert len(values) >= EDGE_TRIALS
        assert all(numbers["low"] <= value <= numbers["high"] for value in values)


def test_importance_has_an_answer_and_a_slice_is_about_its_own_branch(search):
    space, trials, _ = search
    if len({each.mean for each in trials}) < 3 or not any(each.dimension.size > 1 for each in space.places()):
        pytest.skip("nothing to explain")
    found = explain(space, trials, seed=0)
    summed_up = importance(found, "accuracy")
    assert importance_page(found, "accuracy", "latest", slices=True)
    for each in summed_up.slices:
        assert belongs(each.where, each.start)
        (dimension,) = (
            place.dimension for place in space.places() if place.name == each.key and dict(place.where) == each.where
        )
        for row in each.rows:
            assert dimension.point({**each.start, each.key: row.value}) or isinstance(dimension, Choice)
            assert all(math.isfinite(score) for score in row.scores)


def test_the_page_and_the_result_have_an_answer(search):
    space, trials, best = search
    study = StudyState(
        header=Header(name="random", metric="accuracy", rows=RowCounts(train=400, test=100)),
        trials={each.number: each for each in trials},
        refit=Refit(best.number, FinalScore(0.5, 100)),
        finished="trials",
    )
    odd = tuple(in_own_sign(each, "accuracy") for each in findings(Case(trials, best, space)))
    found = result_of(study, dict).but(health=odd)
    page = details.details_page(found, [best], best.configuration, folder=Path("runs/random"), run="random")
    assert page
