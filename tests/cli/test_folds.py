"""Tables with rare classes, and folds and tests without a score: what the commands make of them and say."""

import json

import numpy as np
import pytest

from lrtune import Classifier

QUICK = ("--set", "training.epochs=3", "--set", "model.hidden=[4]", "--trials", "3", "--workers", "1")


def write(folder, labels, groups=None, name="table.csv"):
    """Two numbers that tell the classes apart, and a group."""
    rng = np.random.default_rng(0)
    places = {label: place for place, label in enumerate(sorted(set(labels)))}
    groups = range(len(labels)) if groups is None else groups
    rows = [
        f"{3 * places[label] + x:.3f},{y - places[label]:.3f},g{group},{label}"
        for label, group, x, y in zip(labels, groups, *rng.normal(size=(2, len(labels))).tolist(), strict=True)
    ]
    (folder / name).write_text("\n".join(["x,z,g,y", *rows]) + "\n")


def settings(*pairs):
    return [word for each in pairs for word in ("--set", each)]


@pytest.fixture
def pure(folder):
    """Ten groups of one class each; with five folds, fold 3 has 'n' only."""
    groups = np.repeat(np.arange(10), 10).tolist()
    write(folder, ["ppnnnppnnn"[each] for each in groups], groups)
    return settings("data.group=g", "data.test_size=0", "search.metric=roc_auc", "training.epochs=30", "search.folds=5")


def shown(result):
    return " ".join(result.stdout.split())


# --- rare classes


@pytest.mark.parametrize(
    ("counts", "folds"),
    [
        ({"a": 60, "b": 50, "c": 1}, 2 * 10),
        ({"a": 80, "b": 1}, 2 * 10),
        ({"a": 142, "b": 6}, 3 * 5),
        ({"a": 60, "b": 4, "c": 3}, 3 * 3),
        ({"a": 60, "b": 50, "c": 2, "d": 1, "e": 1}, 3 * 3),
        ({"a": 2, "b": 2, "c": 2}, 3 * 3),
    ],
)
def test_a_plain_search_ends_with_a_page_as_the_plan_says(run, folder, counts, folds):
    write(folder, [label for label, count in counts.items() for _ in range(count)])
    plan = run("check", "--data", "table.csv", "--target", "y", "--json")
    assert plan.exit_code == 0, plan.output
    assert json.loads(plan.stdout)["search"]["folds"] == folds
    found = run("search", "--data", "table.csv", "--target", "y", *QUICK, "-o", "run")
    assert found.exit_code == 0, found.output
    assert len(json.loads((folder / "run" / "result.json").read_text())["best"]["fold_scores"]) == folds
    again = run("show", "run")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("counts", [{"a": 60, "b": 50, "c": 1}, {"a": 60, "b": 4, "c": 3}, {"a": 80, "b": 1}])
def test_the_file_that_init_writes_is_what_a_search_without_a_file_does(run, folder, counts):
    write(folder, [label for label, count in counts.items() for _ in range(count)])
    plain = json.loads(run("check", "--data", "table.csv", "--target", "y", "--json").stdout)
    assert run("init", "table.csv", "--target", "y", "-o", "table.yaml").exit_code == 0
    result = run("check", "table.yaml", "--json")
    assert result.exit_code == 0, result.output
    seconds = {"estimate": None}
    assert {**json.loads(result.stdout), **seconds} == {**plain, **seconds}


@pytest.mark.parametrize(("counts", "folds"), [({"a": 60, "b": 50, "c": 1}, 5), ({"a": 60, "b": 4, "c": 3}, 3)])
def test_a_file_that_does_not_say_how_many_folds_has_the_usual_ones(run, folder, counts, folds):
    write(folder, [label for label, count in counts.items() for _ in range(count)])
    (folder / "bare.yaml").write_text("data: {path: table.csv, target: y}\n")
    assert json.loads(run("check", "bare.yaml", "--json").stdout)["search"]["folds"] == folds


def test_one_note_names_all_classes_that_are_never_scored(run, folder):
    write(folder, ["a"] * 60 + ["b"] * 50 + ["c", "d", "e"])
    note = "classes 'c' (1 row), 'd' (1 row), 'e' (1 row) are never scored"
    assert note in shown(run("check", "--data", "table.csv", "--target", "y"))
    page = run("search", "--data", "table.csv", "--target", "y", *QUICK, "--details")
    assert note in shown(page)
    assert "data.rare: merge or drop would change that" in shown(page)


def test_rare_classes_are_merged_in_a_search_and_in_its_predictions(run, folder):
    write(folder, ["a"] * 60 + ["b"] * 50 + ["c"] * 3 + ["d", "e"])
    merged = (*QUICK, *settings("data.rare=merge", "training.epochs=40", "data.test_size=0"))
    assert run("search", "--data", "table.csv", "--target", "y", *merged, "-o", "run").exit_code == 0
    rows = run("predict", "run", "table.csv").stdout.splitlines()
    assert rows[0] == "y,probability_a,probability_b,probability_other"
    assert {each.split(",")[0] for each in rows[1:]} <= {"a", "b", "other"}
    assert run("search", "run/experiment.yaml", "-o", "run").exit_code == 0  # the same study


def test_what_cannot_be_split_names_all_rare_classes_and_a_way_out(run, folder):
    write(folder, ["a"] * 6 + ["b", "c", "d"])
    wrong = run("check", "--data", "table.csv", "--target", "y", *settings("search.folds=8", "data.test_size=0"))
    assert wrong.exit_code == 2
    assert "only 6 of 9 training rows can be validated, too few for 8 folds; use 6 or fewer" in wrong.stderr
    assert "data.rare: merge or drop, because classes 'b', 'c', 'd' have one row each" in wrong.stderr


def test_an_estimator_learns_a_class_of_one_row():
    x = np.concatenate([np.random.default_rng(0).normal(size=(40, 2)), [[30.0, 30.0]]])
    fitted = Classifier(epochs=40, learning_rate=0.05).fit(x, ["a"] * 20 + ["b"] * 20 + ["c"])
    assert fitted.predict([[30.0, 30.0]]).tolist() == ["c"]


# --- groups


def test_groups_that_scikit_learn_leaves_a_fold_empty_with(run, folder):
    """Its splitter puts two of five groups into one of five folds, and refuses classes rarer than the folds."""
    sizes = {"g0": "aaa", "g1": "bbbbbb", "g2": "a", "g3": "bbbbb", "g4": "aaaaaa"}
    write(folder, [each for labels in sizes.values() for each in labels], [g for g, s in sizes.items() for _ in s])
    grouped = settings("data.group=g", "data.test_size=0", "search.folds=5")
    assert run("search", "--data", "table.csv", "--target", "y", *QUICK, *grouped, "-o", "run").exit_code == 0
    assert len(json.loads((folder / "run" / "result.json").read_text())["best"]["fold_scores"]) == 5
    write(folder, list("acbcaba"), ["g0", "g0", "g1", "g1", "g2", "g2", "g3"])
    rare = settings("data.group=g", "data.test_size=0", "search.folds=4")
    assert run("search", "--data", "table.csv", "--target", "y", *QUICK, *rare).exit_code == 0


# --- folds and tests without a score


def test_a_fold_without_a_score_is_told_of_everywhere(run, folder, pure):
    words = "judged on 4 of 5 folds; fold 3 has only class 'n'"
    assert words in shown(run("check", "--data", "table.csv", "--target", "y", *pure))
    searched = ("search", "--data", "table.csv", "--target", "y", *QUICK, *pure, "-o", "run", "--details")
    page = run(*searched, "--fail-under", "0.9", "--baseline", "run")
    again = run(*searched, "--fail-under", "0.9", "--baseline", "run")
    assert again.exit_code == 0, again.output
    assert shown(again).count(words) == 4  # scores, notes, both gates
    assert words in shown(page)
    result = json.loads((folder / "run" / "result.json").read_text())
    assert len(result["best"]["fold_scores"]) == 4
    assert min(result["best"]["fold_scores"]) > 0.95
    assert result["unscored"] == {"of": 5, "folds": [[3, "only class 'n'"]]}
    assert next(each for each in result["health"] if each["name"] == "unscored")["numbers"] == {"of": 5, "folds": [3]}
    assert words in shown(run("health", "run"))
    assert words in shown(run("show", "run", "--details"))
    assert "(raw, 4 folds)" in shown(run("show", "run"))


def test_a_test_without_a_score_is_a_sentence(run, folder):
    write(folder, ["n", "p"] * 30)
    write(folder, ["p"] * 7, name="test.csv")
    (folder / "case.yaml").write_text(
        "data: {path: table.csv, target: y, test_path: test.csv, ignore: g}\nsearch: {metric: roc_auc}\n"
    )
    page = run("search", "case.yaml", *QUICK, "-o", "run")
    assert page.exit_code == 0, page.output
    assert "On the 7 test rows, which the search never saw, it has no score (only class 'p')" in shown(page)
    result = json.loads((folder / "run" / "result.json").read_text())
    assert result["test"] == {"score": None, "rows": 7, "has": "only class 'p'", "repeated": 0}
    assert result["unscored"] is None
    best = result["best"]["number"]
    retrained = run("retrain", "run", "--trial", (best + 1) % 3)
    assert "no score (only class 'p') on 7 rows" in shown(retrained)
    assert (
        json.loads(run("retrain", "run", "--trial", (best + 1) % 3, "--json", "--force").stdout)["test"]["score"]
        is None
    )
    own = run("compare", f"run:{best}", f"run:{best}")
    assert "no score (only class 'p') and no score (only class 'p')" in shown(own)
    assert "no score (only class 'p') on 7 rows that the search never saw" in shown(run("show", "run", "--details"))
    assert json.loads(run("show", "run", "--json").stdout)["test"]["score"] is None


@pytest.mark.parametrize("command", ["check", "search"])
def test_a_metric_without_scores_is_refused_before_anything_is_trained(run, folder, command):
    rows = [f"{x:.3f},{y:.3f}" for x, y in np.random.default_rng(0).normal(size=(8, 2)).tolist()]
    (folder / "few.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    found = run(command, "--data", "few.csv", "--target", "y", *settings("search.metric=r2", "search.folds=5"))
    assert found.exit_code == 2
    assert "r2 has a score on 1 of 5 folds, and at least 2 are needed" in found.stderr
    assert "set search.metric: rmse" in found.stderr
    assert not (folder / "runs").exists()


def test_nested_folds_without_a_score_are_left_out(run, folder, pure):
    nested = (*QUICK, *pure, *settings("search.nested=5", "training.epochs=2"))
    page = run("search", "--data", "table.csv", "--target", "y", *nested, "-o", "run", "--quiet", "--details")
    assert page.exit_code == 0, page.output
    found = json.loads((folder / "run" / "result.json").read_text())["nested"]
    assert found["of"] == 5
    turns = sorted(int(each.name) for each in (folder / "run" / "nested").iterdir())
    assert len(turns) == len(found["folds"]) < 5
    assert all(0.0 <= each["score"] <= 1.0 for each in found["folds"])
    assert f"on {len(turns)} of 5 outer folds" in shown(page)
