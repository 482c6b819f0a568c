"""The page of a search has about ten lines on a terminal of 100 columns, and no page is wider."""

import random
import string
from dataclasses import replace
from pathlib import Path

import pytest
from results import result as written
from results import standing

from lrtune.reporting import console, details, pages
from lrtune.reporting.blocks import Grid
from lrtune.space.trial import ranking
from lrtune.verdict.comparison import Difference, Gain
from lrtune.verdict.findings import HINT, Finding
from lrtune.verdict.making import result_of
from lrtune.verdict.result import (
    Anchor,
    ClassCounts,
    Confirmation,
    Confirmed,
    Control,
    Corrected,
    FirstPruned,
    HeldOut,
    Nested,
    OuterScore,
    Rivals,
    Savings,
    Selection,
    Training,
    TriedRate,
    Unscored,
)

DECAYS = ("constant", "cosine", "linear", "exponential", "step", "wsd", "one_cycle")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw", "nesterov", "lion")


def words(rng, count):
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 14))) for _ in range(count))


def study_of(make_study, kinds, folds):
    configurations = [
        {"learning_rate": 0.01 * (place + 1), "optimizer": OPTIMIZERS[place % kinds], "decay": DECAYS[place // kinds]}
        for place in range(kinds * kinds)
    ]
    scores = [[0.5 + 0.001 * place + 0.01 * fold for fold in range(folds)] for place in range(kinds * kinds)]
    return make_study(configurations, scores, test={"score": 0.9, "rows": 100})


STEPS = {"decay": "step", "decay.factor": 0.3, "decay.every": 10.0, "warmup": 0.05}
BESIDE = {"accuracy": 0.91, "balanced_accuracy": 0.9, "log_loss": 0.31, "roc_auc": 0.95}


def widest(found):
    """Whatever may stand on a page beside the tables and remarks."""
    anchors = tuple(Anchor(name, 0.5, (0.5,) * 10, BESIDE, None) for name in ("majority", "linear", "default"))
    rates = (TriedRate(0.1, 0.5), TriedRate(0.05, 0.5), TriedRate(0.033, 0.5))
    low = tuple(OuterScore(0.5, 100, 3, 0.5) for _ in range(5))
    return found.but(
        best=replace(found.best, beside=BESIDE),
        anchors=anchors,
        corrected=Corrected("bootstrap", 0.85, 0.01, 0.84, 0.8, 0.9, 2000, 0.6, Gain(0.1, -0.05, 0.2, 0.9)),
        selection=Selection("one_se", 2, Rivals(2, (1, 3))),
        control=Control(
            *(found.best.number, "cyclic_exponential", "constant", 0.033, rates),
            *(True, (0.5,) * 3, (0.5,) * 3, 0.01, 0.01, -0.01, 0.03),
        ),
        training=Training(100_000, 80_000),
        classes=(ClassCounts("c" * 30, 10, 0), ClassCounts("d" * 30, 30, 40)),
        confirmation=Confirmation((Confirmed(found.best.number, 0.5, 0.1, (0.5,) * 5),), 0.01),
        nested=Nested(0.5, 0.1, 0.02, 5, low),
        unscored=Unscored(12, ((2, "only class 'p'"), (7, "only class 'n'"))),
        pruning=Savings("race", 3, FirstPruned(1, "after 1 of 10 folds"), 0.3, 1.5),
    )


ADVICE = "the noise of the folds is too large, and so on until a line is full of it; set search.repeats: 3 or more"
MOST_LINES = 13


@pytest.mark.parametrize("metric", ["accuracy", "rmse", "perplexity"])
@pytest.mark.parametrize("tested", [True, False])
def test_an_ordinary_page_has_at_most_13_lines(metric, tested):
    """Of classes, of numbers, and of code of somebody else, whose metric is its own and whose parameters have names."""
    own = metric == "perplexity"
    called = "perplexity (smaller is better)" if own else metric
    searched = {"svc__C": 958.0, "svc__gamma": 0.000383} if own else STEPS
    best = standing(22, (0.95, 0.97, 0.99), optimizer="adam", learning_rate=0.02231, **searched)
    anchors = [("majority" if metric == "accuracy" else "mean", 0.5), ("linear", 0.93), ("default", 0.92)]
    found = written(
        best=best,
        default=standing(0, (0.90, 0.92, 0.94)),
        gain=Difference(0.05, 0.03, 2, 3, 0.1, 0.95),
        corrected=Corrected("bootstrap", 0.97, 0.01, 0.96, 0.94, 0.98, 2000, 0.6, Gain(0.04, 0.02, 0.06, 0.99)),
        anchors=tuple(Anchor(name, mean, (mean,) * 3, {}, None) for name, mean in anchors),
        control=Control(22, "step", "constant", 0.0223, (), True, (0.9,) * 3, (0.9,) * 3, 0.0003, 0.02, -0.04, 0.04),
        health=tuple(
            Finding("rule", HINT, "19 of 29 other trials cannot be told from the best", ADVICE, {}) for _ in "123"
        ),
        test=HeldOut(0.95, 360) if tested else None,
    ).but(metric=called)
    page = pages.search_page(found, searched, folder=Path("runs/digits-0123abcd"), run="digits-0123abcd")
    lines = console.page_text(console.console(), page).splitlines()
    assert 9 <= len(lines) <= MOST_LINES
    assert "(2 more: --details)" in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("dressed", [False, True])
@pytest.mark.parametrize("kinds", [2, 4, 6])
@pytest.mark.parametrize("remarks", [0, 3, 9])
def test_every_page_fits(make_study, filled, kinds, remarks, dressed):
    rng = random.Random(kinds)
    study = study_of(make_study, kinds, folds=10)
    health = tuple(Finding("rule", HINT, words(rng, 20), words(rng, 15), {}) for _ in range(remarks))
    found = result_of(study, filled).but(health=health)
    found = widest(found) if dressed else found
    ranked = ranking(study.in_order())
    more = {"folder": Path("runs/digits-0123abcd"), "run": "digits-0123abcd"}
    page = pages.search_page(found, ranked[0].configuration, **more)
    text = console.page_text(console.console(), page)
    assert len(text.splitlines()) < 24  # with second opinions, classes and findings of any length
    assert max(map(len, text.splitlines())) <= 100
    whole = details.details_page(found, ranked, ranked[0].configuration, notes=[words(rng, 25)] * remarks, **more)
    text = console.page_text(console.console(), whole)
    assert max(map(len, text.splitlines())) <= 100
    assert "beside what was not tuned" in text
    assert f"{min(5, kinds * kinds)} best trials" in text
    assert ("the best trial of each decay type" in text) is (kinds >= 4)
    assert ("shown by: lrtune show digits-0123abcd --notes" in text) is (remarks > 4)
    longer = details.details_page(found, ranked, ranked[0].configuration, top=12, **more)
    (table,) = [block for block in longer if isinstance(block, Grid) and "best trials of" in block.title]
    assert [row[0] for row in table.rows] == [str(each.number) for each in ranked[:12]]
