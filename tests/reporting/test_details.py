from dataclasses import replace
from pathlib import Path

import pytest

from lrtune.reporting import details
from lrtune.reporting.blocks import Words, word_lines
from lrtune.space.trial import ranking
from lrtune.text import formats
from lrtune.verdict.making import ahead, result_of
from lrtune.verdict.result import Anchor, ClassCounts, Rivals, Selection, Training


@pytest.fixture
def page_of(filled):
    def make(study, **more):
        ranked = ranking(study.in_order())
        more = {"folder": Path("runs/digits-0123abcd"), "run": "digits-0123abcd", **more}
        return details.details_page(result_of(study, filled), ranked, ranked[0].configuration, **more)

    return make


def flat(page):
    """Every text on the page, one per line."""
    lines = []
    for block in page:
        if isinstance(block, details.Headline):
            lines.append(block.text)
            continue
        lines.append(block.title)
        if isinstance(block, Words):
            lines.extend(word_lines(block))
        elif isinstance(block, details.Remarks):
            lines.extend(block.sentences)
        else:
            lines.extend(" | ".join(row) for row in block.rows)
    return "\n".join(lines)


def test_the_page_answers_the_questions_in_order(study, page_of):
    text = flat(page_of(study, notes=["task: classification, inferred"]))
    expected = [
        "The best, trial 1, has an accuracy of 0.9700 as a mean over the folds.",
        "On the 360 test rows, which the search never saw, it is 0.9600.",
        "best, by fold | 0.9500  0.9700  0.9900",
        "difference | better by 0.0500 ± 0.0000 (standard error), on 3 of 3 folds",
        "test | 0.9600 on 360 rows that the search never saw",
        "trials | 4: 2 complete, 1 diverged, 1 failed; 8.0 s to search, 0.5 s to retrain the best",
        "beside what was not tuned: means over the same folds",
        "0.9700 | trial 1, the best\n0.9200 | trial 0, the default",
        "best configuration (trial 1)",
        "searched | momentum 0.9 · rate 3.2e-2 · cosine final=0.01 · warmup 0.05",
        "fixed | mlp 64 relu · epochs 30 · batch 64",
        "2 best trials of 2 complete",
        "1 | 0.9700 | 0.0200 | momentum 0.9 · rate 3.2e-2 · cosine final=0.01 · warmup 0.05",
        "task: classification, inferred",
        "files     runs/digits-0123abcd",
        "next      lrtune predict digits-0123abcd data.csv -o predictions.csv",
    ]
    places = [text.find(each) for each in expected]
    assert [each for each, place in zip(expected, places, strict=True) if place < 0] == []
    assert places == sorted(places)


def test_a_default_that_wins_is_called_so(make_study, page_of):
    text = flat(page_of(make_study([{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[0.9, 0.8], [0.1, 0.2]])))
    assert text.startswith("So far the best, trial 0, has an accuracy of 0.8500 as a mean over the folds.")
    assert "trial 0, the default" not in text
    assert "difference | none: the default configuration is the best that was tried" in text


def test_a_default_that_is_as_good_is_called_so(make_study, page_of):
    study = make_study([{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[0.9, 0.8, 0.7], [0.8, 0.9, 0.75]])
    text = flat(page_of(study))
    assert text.startswith("So far the best, trial 1, has an accuracy of 0.8167 as a mean over the folds.")
    assert "on 2 of 3 folds; probability 56 %: the folds cannot tell them apart\n" in text


def test_a_default_that_diverged_is_called_so(make_study, page_of):
    text = flat(page_of(make_study([{"learning_rate": 9.0}, {"learning_rate": 0.2}], [[None, 0.5], [0.8, 0.9]])))
    assert "trial 0, the default" not in text  # there is no mean to set beside the best
    assert "unknown: the default configuration has no score on every fold" in text


def test_an_error_is_better_when_it_is_smaller(make_study, page_of):
    study = make_study(
        [{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[-50.0, -52.0], [-40.0, -42.1]], metric="rmse"
    )
    text = flat(page_of(study))
    assert text.startswith("So far the best, trial 1, has an RMSE of 41.05, in the units of the target, as a mean")
    assert "better by 9.95 ± " in text


def test_a_single_fold_has_no_spread(make_study, page_of):
    text = flat(page_of(make_study([{"learning_rate": 0.1}, {"learning_rate": 0.2}], [[0.8], [0.9]])))
    assert text.startswith("So far the best, trial 1, has an accuracy of 0.9000 as a mean over the folds.")
    assert "better by 0.1000 on the only fold, which cannot say how sure that is" in text


def test_many_folds_and_notes_are_shortened(make_study, page_of):
    study = make_study([{"learning_rate": 0.1}], [[0.5 + 0.01 * fold for fold in range(15)]])
    text = flat(page_of(study, notes=[f"note {number}" for number in range(9)]))
    assert "0.5900  and 5 more" in text
    assert "note 3\nand 5 more, shown by: lrtune show digits-0123abcd --notes" in text
    assert "note 4" not in text
    assert "note 7\nnote 8\n" in flat(page_of(study, notes=[f"note {number}" for number in range(9)], all_notes=True))


@pytest.mark.parametrize(
    ("state", "said"), [("running", None), ("stopped", "lrtune search runs/digits-0123abcd/experiment.yaml")]
)
def test_a_search_that_is_not_finished_counts_what_is_complete_and_says_how_to_go_on_only_if_it_stopped(
    make_study, page_of, state, said
):
    study = make_study([{"learning_rate": each} for each in (0.1, 0.2, 0.3)], [[0.5, 0.6], [0.6, 0.7]])
    text = flat(page_of(study, state=state))
    assert "2 best trials of 2 complete" in text
    assert "lrtune predict" not in text
    assert ("to go on" in text) is (said is not None)
    assert said is None or said in text


def test_commands_can_be_copied_even_with_blanks_in_the_path(study, page_of):
    page = page_of(study, folder=Path("my runs/a"), run="my runs/a")
    assert "lrtune predict 'my runs/a' data.csv -o predictions.csv" in flat(page)


def test_a_model_that_fails_on_the_test_rows_is_called_so(make_study, page_of):
    study = make_study(
        [{"learning_rate": 0.1}], [[0.5, 0.5]], test={"score": None, "rows": 9, "has": "no finite prediction"}
    )
    assert "test | no score (no finite prediction) on 9 rows that the search never saw" in flat(page_of(study))


@pytest.mark.parametrize("key", ["decay", "optimizer"])
def test_kinds_are_compared_in_a_table_from_four_on(key, make_study, filled):
    kinds = {
        "decay": ["constant", "linear", "cosine", "exponential"],
        "optimizer": ["sgd", "adam", "momentum", "nadam"],
    }
    points = [{"learning_rate": 0.1, "decay": "linear", key: each} for each in kinds[key]]
    study = make_study(points, [[0.8, 0.9 + 0.01 * n] for n in range(4)])
    ranked = ranking(study.in_order())
    text = flat(details.details_page(result_of(study, filled), ranked, points[0], folder=Path("runs/a"), run="a"))
    control, other = kinds[key][0], {"decay": "optimizers", "optimizer": "decays"}[key]
    name = {"decay": "decay type", "optimizer": "optimizer"}[key]
    assert f"the best trial of each {name}, beside the best with {control}; their rates and {other} differ, too" in text


def test_what_was_not_tuned_stands_beside_the_best_by_every_metric(study, filled):
    found = result_of(study, filled)
    best = replace(found.best, beside={"accuracy": 0.97, "log_loss": 0.1, "roc_auc": None})
    shown = (
        Anchor("majority", 0.5, (0.5,) * 3, {"accuracy": 0.5, "log_loss": 0.7, "roc_auc": 0.5}, None),
        Anchor("linear", 0.96, (0.96,) * 3, {"accuracy": 0.96, "log_loss": 0.125, "roc_auc": 0.99}, None),
    )
    ranked = ranking(study.in_order())
    page = details.details_page(found.but(best=best, anchors=shown), ranked, {}, folder=Path("runs/a"), run="a")
    (table,) = [block for block in page if isinstance(block, details.Grid) and block.title.startswith("beside what")]
    assert table.header == ("accuracy", "log_loss", "roc_auc", "")
    assert [row[-1] for row in table.rows] == ["trial 1, the best", "the shares of the classes", "a linear model"]
    assert [[float(each) for each in row[:2]] for row in table.rows] == [[0.97, 0.1], [0.5, 0.7], [0.96, 0.125]]
    assert table.rows[1][2] != table.rows[0][2] == formats.MISSING


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ((ClassCounts("bad", 30, 20), ClassCounts("good", 70, 80)), None),
        ((ClassCounts("y", 50, 62), ClassCounts("x", 12, 0)), "never predicts 'x' (12 rows)"),
        (
            (ClassCounts("x", 1, 0), ClassCounts("y", 8, 9)),
            "never predicts 'x' (1 row); 9 of 160 rows are validated",
        ),
        (tuple(ClassCounts(each, 5, 0) for each in "abcde"), "'b' (5 rows), 'c' (5 rows) and 2 more"),
        ((ClassCounts("a", 0, 0), ClassCounts("b", 9, 5), ClassCounts("c", 9, 13)), None),
        ((), None),
    ],
)
def test_classes_that_are_never_predicted_are_said(classes, said, study, filled):
    text = with_classes(study, filled, classes)
    assert ("classes | " in text) is (said is not None)
    assert said is None or said in text


def with_classes(study, filled, classes, metric="accuracy"):
    found = result_of(study, filled).but(classes=classes, metric=metric, training=Training(160, 144))
    return flat(details.details_page(found, ranking(study.in_order()), {}, folder=Path("runs/a"), run="a"))


@pytest.mark.parametrize(
    ("metric", "rows", "said"),
    [("f1", (30, 70), True), ("f1", (70, 30), False), ("f1", (49, 51), False), ("log_loss", (30, 70), False)],
)
def test_a_positive_majority_is_said_where_the_metric_is_about_the_positive_class(metric, rows, said, study, filled):
    classes = [ClassCounts(name, count, count) for name, count in zip(("bad", "good"), rows, strict=True)]
    text = with_classes(study, filled, tuple(classes), metric)
    assert ("the positive class 'good' is the majority (70 %)" in text) is said
    assert ("majority" in text) is said


def test_all_rows_validated_are_not_counted(study, filled):
    classes = (ClassCounts("x", 60, 0), ClassCounts("y", 100, 160))
    assert "are validated" not in with_classes(study, filled, classes)


@pytest.mark.parametrize(
    ("searched", "fixed"),
    [
        ({"model": "mlp"}, "mlp 64 relu"),
        ({"model": "mlp", "hidden": (64,)}, "mlp relu"),
        ({"hidden": (64,), "activation": "relu"}, "mlp"),
        ({}, "mlp 64 relu"),
    ],
)
def test_a_network_is_called_so_whatever_of_it_is_searched(searched, fixed, study, filled):
    page = details.details_page(
        result_of(study, filled), ranking(study.in_order()), searched, folder=Path("runs/a"), run="a"
    )
    assert f"fixed | {fixed} · epochs 30" in flat(page)


def test_a_linear_model_has_no_layers_to_show(make_study, filled):
    points = [{"model": "linear", "learning_rate": 0.1, "optimizer": "adam", "decay": "constant"}]
    study = make_study(points, [[0.9, 0.8]])
    ranked = ranking(study.in_order())
    for point, fixed in (({}, "linear model · epochs"), ({"model": "linear"}, "epochs")):
        text = flat(details.details_page(result_of(study, filled), ranked, point, folder=Path("runs/a"), run="a"))
        assert f"fixed | {fixed}" in text


def test_a_choice_by_rule_is_not_called_the_best(study, filled):
    """Trial 0 has 0.92 and was chosen; trial 1 has 0.97, on each fold 0.05 more."""
    chosen, default = study.trials[1], study.trials[0]
    found = result_of(study, filled)
    by_rule = found.but(
        best=found.default,
        gain=None,
        ahead=ahead(chosen, default, "accuracy"),
        selection=Selection("within 20%", 1, Rivals(0, ())),
        anchors=(Anchor("majority", 0.5, (0.5,) * 3, {}, None),),
    )
    text = flat(details.details_page(by_rule, ranking(study.in_order()), {}, folder=Path("runs/a"), run="a"))
    assert "chosen by | the rule within 20%: trial 0; trial 1 has the best mean, ahead by 0.0500" in text
    assert "difference | trial 1 is better by 0.0500 ± 0.0000" in text
    for words in ("trial 0, chosen", "chosen configuration (trial 0)", "chosen, by fold", "to retrain trial 0"):
        assert words in text
    for words in ("the best that was tried", "trial 0, the best", "best configuration"):
        assert words not in text


def test_the_best_mean_is_nothing_to_remark_where_it_was_chosen(study, filled):
    assert result_of(study, filled).ahead is None
