"""The page of a search has about ten lines on a terminal of 100 columns, and no page is wider."""

import random
import string
from dataclasses import replace
from pathlib import Path

import pytest

from lrtune.reporting import console, details, pages
from lrtune.reporting.blocks import Grid
from lrtune.space.trial import ranking
from lrtune.verdict.comparison import Gain
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
