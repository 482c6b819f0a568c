"""The experiment that suits a table: one for a file that `init` writes, a path, a data frame and arrays."""

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

import lrtune
from lrtune import experiment
from lrtune.cli import app
from lrtune.data.memory import table_in_memory
from lrtune.experiment.reading.sections import DataSection
from lrtune.experiment.suited import look, suited
from lrtune.experiment.writing import first_file, sizes
from lrtune.experiment.writing.qualities import QUALITIES
from lrtune.text.errors import DataError, ExperimentError, LrtuneError
from lrtune.trainers.preparation import prepare
from lrtune.training.batches import effective_batch_size, steps_per_epoch


def columns(rows, target):
    """Two numbers and a target: values, or classes of the numbers of rows that are given."""
    rng = np.random.default_rng(1)
    if isinstance(target, dict):
        labels = [label for label, count in target.items() for _ in range(count)]
        y = [labels[place] for place in rng.permutation(len(labels))]
    else:
        y = rng.normal(size=rows).round(4).tolist()
    count = len(y)
    return {"a": rng.normal(size=count).round(4).tolist(), "b": rng.normal(size=count).round(4).tolist(), "y": y}


def made(table, *overrides, target="y"):
    """The experiment of a table in memory, which can be prepared."""
    chosen, table = suited(table_in_memory(table), overrides, target=target)
    return chosen, prepare(chosen, table=table)


def dimensions(chosen):
    return {each.name for each in chosen.space.places()}


def written(chosen):
    """The space of the file that is written."""
    return yaml.safe_load(chosen.to_yaml())["space"]


def csv(path, table):
    lines = [",".join(map(str, row)) for row in zip(*table.values(), strict=True)]
    path.write_text("\n".join([",".join(table), *lines]) + "\n")
    return path


# --- folds


@pytest.mark.parametrize(
    ("rows", "folds", "repeats"),
    [(40, 10, 2), (180, 10, 2), (190, 10, 1), (620, 10, 1), (640, 5, 1), (24_900, 5, 1), (25_100, 3, 1)],
)
def test_fewer_rows_have_more_folds(rows, folds, repeats):
    chosen, _ = suited(table_in_memory(columns(rows, None)), target="y")
    assert (chosen.search.folds, chosen.search.repeats) == (folds, repeats)


@pytest.mark.parametrize(
    ("counts", "folds", "repeats"),
    [
        ({"p": 150, "q": 150}, 10, 1),
        ({"p": 150, "q": 13}, 10, 2),  # 10 of them for the search
        ({"p": 150, "q": 8}, 5, 3),
        ({"p": 900, "q": 8}, 5, 1),
        ({"p": 900, "q": 5}, 4, 3),
        ({"p": 2_000, "q": 4}, 3, 3),
        ({"p": 150, "q": 150, "r": 1}, 10, 1),  # a class of one row is in no fold
        ({"p": 6, "q": 6}, 5, 3),
    ],
)
def test_a_rare_class_has_fewer_folds(counts, folds, repeats):
    chosen, prepared = made(columns(0, counts))
    assert (chosen.search.folds, chosen.search.repeats) == (folds, repeats)
    assert len(prepared.splits) == folds * repeats


@pytest.mark.parametrize("groups", [3, 8, 30])
def test_there_are_no_more_folds_than_groups(groups):
    table = columns(200, None)
    table["g"] = [f"g{place % groups}" for place in range(200)]
    chosen, prepared = made(table, "data.group=g")
    left = set(prepared.dataset.columns.groups[prepared.dataset.train_rows])
    assert chosen.search.folds == (10 if groups == 30 else min(5, len(left)))


def test_times_are_in_no_second_round():
    table = columns(200, None)
    table["t"] = list(range(200))
    for overrides in (["data.order=t"], ["search.splitter=time_series"]):
        chosen, _ = made(table, *overrides)
        assert (chosen.search.folds, chosen.search.repeats) == (5, 1)


def test_six_rows_are_enough():
    chosen, prepared = made(columns(6, None))
    assert len(prepared.splits) == chosen.search.folds * chosen.search.repeats


# --- updates


@pytest.mark.parametrize("target", [None, "classes"])
@pytest.mark.parametrize("rows", [100, 150, 220, 300, 500, 700, 1_000, 1_500, 3_000, 12_000, 60_000])
def test_every_fold_gets_enough_updates(rows, target):
    chosen, prepared = made(columns(rows, target and {"p": rows // 2, "q": rows - rows // 2}))
    training = chosen.training
    for train, _ in prepared.splits:
        size = effective_batch_size(training.batch_size, len(train))
        assert 700 <= steps_per_epoch(size, len(train)) * training.epochs <= 3_000
    assert training.epochs <= sizes.MOST_EPOCHS


def test_the_comment_on_updates_is_so():
    found = look("sklearn:wine", suited("sklearn:wine")[0].data).found
    prepared = prepare(suited("sklearn:wine")[0])
    large = sizes.sizes(found)
    steps = {steps_per_epoch(large.batch_size, len(train)) for train, _ in prepared.splits}
    assert f"about {max(steps) * large.epochs} updates in each fold" in first_file.text(found, "x.csv")


def test_what_is_trained_and_by_what_it_is_judged():
    for target, metric in ((None, "rmse"), ({"p": 60, "q": 60}, "log_loss"), ({"p": 60, "q": 60, "r": 9}, "log_loss")):
        chosen, prepared = made(columns(120, target))
        assert (chosen.search.metric, prepared.metric) == (metric, metric)
        assert (chosen.search.strategy, chosen.search.trials) == ("bayesian", 50)
        assert chosen.fixed["hidden"] == (64,)
        models = {"model": ["mlp", "linear"]} if target is None else {}
        assert chosen.space == experiment.parse_space({**experiment.default_space(), **models})
    assert suited(table_in_memory(columns(26_000, None)), target="y")[0].fixed["hidden"] == (128,)


@pytest.mark.parametrize(
    ("rows", "classes", "numbers", "searched"),
    [
        (700, True, 2, None),
        (700, False, 2, {"numbers", "embedding"}),
        (2_000, True, 2, {"numbers", "embedding"}),
        (2_000, True, 13, {"numbers"}),
        (2_000, True, 0, set()),
    ],
)
def test_where_rows_are_enough_features_are_searched_and_halving_pays(rows, classes, numbers, searched):
    half = rows // 2
    table = columns(rows, {"p": half, "q": half} if classes else None)
    features = {f"x{place}": table["a"][place:] + table["a"][:place] for place in range(numbers)}
    chosen, _ = made({**features, "t": ["u", "v"] * half, "y": table["y"]})
    few = searched is None
    assert {"model", "numbers", "embedding", "hidden"} & chosen.in_space == (searched or set())
    assert (chosen.search.pruning, chosen.search.trials) == (("none", 50) if few else ("halving", 24))
    (optimizer,) = (each.dimension for each in chosen.space.places() if each.name == "optimizer")
    assert [each.value for each in optimizer.options] == (["adam", "momentum"] if few else ["adam"])
    assert {"learning_rate", "decay"} <= dimensions(chosen)
    assert chosen.fixed["hidden"] == (64,)


def test_a_linear_model_is_tried_unless_a_few_values_rule_the_target():
    table = columns(300, None)
    assert made(table)[0].in_space >= {"model"}
    table["y"][7] = 1e6
    skewed, _ = made(table)
    assert "model" not in skewed.in_space
    assert skewed.fixed["model"] == "mlp"


def test_qualities_are_more_and_less_of_the_same():
    table = table_in_memory(columns(700, {"p": 350, "q": 350}))
    fast, good, best = (suited(table, target="y", quality=each)[0] for each in ("fast", "good", "best"))
    assert suited(table, target="y")[0].canonical() == good.canonical()
    assert fast.search.trials < good.search.trials < best.search.trials
    assert fast.training.epochs <= good.training.epochs <= best.training.epochs
    assert (fast.retrain.members, good.retrain.members, best.retrain.members) == (1, "auto", "auto")
    with pytest.raises(LrtuneError, match="unknown value 'goood'; did you mean 'good'"):
        suited(table, target="y", quality="goood")


@pytest.mark.parametrize("numbers", [3, 40, 300])
@pytest.mark.parametrize("rows", [700, 3_000, 30_000])
def test_a_search_keeps_within_the_seconds_of_its_quality(rows, numbers):
    found, large, took = {}, {}, {}
    values = columns(rows, None)
    table = table_in_memory(
        {"y": values["y"], **{f"x{each}": values["a"][each:] + values["a"][:each] for each in range(numbers)}}
    )
    for name in QUALITIES:
        found[name] = look(table, DataSection(path="-", target="y"), quality=name).found
        large[name] = sizes.sizes(found[name])
        took[name] = sizes.seconds(found[name], large[name])
        fewest = found[name].quality.many[-1]
        least = (large[name].trials, large[name].folds) == (fewest.trials, min(fewest.folds, 3))
        assert least or took[name] <= found[name].quality.budget(found[name].rows)
    assert took["fast"] < took["good"] <= took["best"]
    assert large["fast"].trials <= large["good"].trials <= large["best"].trials
    assert all(each.folds in {3, 5} for each in large.values())


def test_wide_tables_are_searched_less():
    values = columns(3_000, None)
    wide = {"y": values["y"], **{f"x{each}": values["a"][each:] + values["a"][:each] for each in range(200)}}
    narrow = {"y": values["y"], "x": values["a"]}
    (few, _), (many, _) = (suited(table_in_memory(each), target="y") for each in (wide, narrow))
    assert few.search.trials * few.search.folds < many.search.trials * many.search.folds
    assert few.training.epochs > many.training.epochs  # of fewer rows, so that updates are as many


def test_a_file_says_itself_what_is_searched(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("data: {path: sklearn:wine}\n")
    for command in (["search", str(config)], ["check", str(config)]):
        result = CliRunner().invoke(app, [*command, "--quality", "best"])
        assert (result.exit_code, "without a file" in result.stderr) == (2, True)
    with pytest.raises(LrtuneError, match="without a file"):
        lrtune.search(config, quality="best")
    written = CliRunner().invoke(app, ["init", "sklearn:wine", "--quality", "fast", "-o", "-"]).stdout
    assert "trials: 20" in written


# --- overrides


def test_overrides_go_before_what_is_suggested():
    told = ("search.trials=7", "training.epochs=3", "search.strategy=tpe", "search.metric=mae", "model.hidden=[5]")
    chosen, _ = made(columns(200, None), *told)
    assert (chosen.search.trials, chosen.training.epochs, chosen.search.strategy) == (7, 3, "tpe")
    assert (chosen.search.metric, chosen.fixed["hidden"], chosen.search.folds) == ("mae", (5,), 10)
    assert "batch_size" not in made(columns(200, None), "space.batch_size=[16, 64]")[0].fixed


def test_what_is_suggested_of_the_model_goes_where_something_else_is_asked_for(tmp_path):
    plain = made(columns(200, None))[0].retrain
    assert (plain.ensemble, plain.members, plain.rows) == ("auto", "auto", "all")
    path = csv(tmp_path / "test.csv", columns(50, None))
    assert made(columns(200, None), f"data.test_path={path}")[0].retrain.rows == "search"
    bag = made(columns(200, None), "retrain.bag=true")[0].retrain
    assert (bag.ensemble, bag.members, bag.rows, bag.bag) == (1, 1, "search", True)


DOCUMENTED = {"low": 0.001, "high": 1.0, "scale": "log"}


@pytest.mark.parametrize("rows", [200, 700])
@pytest.mark.parametrize(
    ("told", "optimizer"),
    [
        ("momentum", {"momentum": {"learning_rate": DOCUMENTED}}),
        ("[momentum]", [{"momentum": {"learning_rate": DOCUMENTED}}]),
        ("{momentum: {momentum: 0.8}}", {"momentum": {"momentum": 0.8, "learning_rate": DOCUMENTED}}),
        ("[{sgd: {learning_rate: 0.1}}]", [{"sgd": {"learning_rate": 0.1}}]),
    ],
)
def test_an_optimizer_that_somebody_names_has_its_own_rates(rows, told, optimizer):
    chosen, _ = made(columns(rows, None), f"space.optimizer={told}")
    assert written(chosen)["optimizer"] == optimizer
    assert "learning_rate" not in written(chosen)


def test_the_usual_optimizer_keeps_the_suggested_rates():
    (suggested,) = (written(chosen)["learning_rate"] for chosen, _ in [made(columns(700, None))])
    named = written(made(columns(700, None), "space.optimizer=[adam, sgd]")[0])["optimizer"]
    assert named[0] == {"adam": {"learning_rate": suggested}}
    assert set(named[1]) == {"sgd"}


@pytest.mark.parametrize("rows", [200, 700])
@pytest.mark.parametrize("value", ["0.01", "{low: 0.01, high: 0.1, scale: log}"])
def test_a_rate_that_somebody_names_is_that_of_every_optimizer(rows, value):
    chosen, _ = made(columns(rows, None), f"space.learning_rate={value}")
    high = 0.01 if value == "0.01" else 0.1
    rng = random.Random(3)
    rates = [chosen.space.sample(rng)["learning_rate"] for _ in range(20)]
    assert all(0.01 <= rate <= high for rate in rates)
    both = ("space.optimizer=[{sgd: {learning_rate: 0.3}}, adam]", f"space.learning_rate={value}")
    for told in (both, both[::-1]):
        assert written(made(columns(rows, None), *told)[0])["optimizer"] == [
            {"sgd": {"learning_rate": 0.3}},
            "adam",
        ]


@pytest.mark.parametrize("told", ["model.type=linear", "space.model=linear"])
def test_a_linear_model_is_not_asked_for_what_only_networks_have(told):
    chosen, _ = made(columns(700, None), told)
    assert not {"hidden", "embedding"} & chosen.in_space
    assert chosen.fixed["model"] == "linear"


@pytest.mark.parametrize(("also", "repeats"), [((), 1), (("search.repeats=4",), 4)])
def test_who_says_how_many_folds_gets_so_many(also, repeats):
    chosen, prepared = made(columns(200, None), "search.folds=3", *also)
    assert (chosen.search.folds, chosen.search.repeats, len(prepared.splits)) == (3, repeats, 3 * repeats)


def test_what_is_said_of_the_table_is_heeded_when_it_is_looked_at(tmp_path):
    rows = [f"{place % 7};{'none' if place % 9 == 0 else place / 4};{place % 3}" for place in range(200)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["# made", "a;b;y", *rows]) + "\n")
    told = ['data.comment="#"', "data.separator=;", "data.missing=[none]"]
    numbers, table = suited(path, [*told, "data.task=regression"], target="y")
    assert (numbers.search.metric, table.names) == ("rmse", ("a", "b", "y"))
    classes, table = suited(path, told, target="y")
    assert classes.search.metric == "log_loss"
    assert [each.kind for each in prepare(classes, table=table).schema.columns] == ["numeric", "numeric", "numeric"]
    for rare in ("merge", "drop"):
        chosen, prepared = made(columns(0, {"p": 90, "q": 60, "r": 3, "s": 2}), f"data.rare={rare}")
        assert chosen.data.positive is None or chosen.data.positive in prepared.schema.classes


@pytest.mark.parametrize("rare", ["merge", "drop"])
def test_two_classes_that_are_left_are_two_classes(rare):
    counts = {"p": 90, "r": 4, "s": 3} if rare == "merge" else {"p": 90, "q": 60, "s": 3}
    _, prepared = made(columns(0, counts), f"data.rare={rare}")
    assert prepared.task == "binary"


def test_a_table_to_test_on_leaves_all_rows_to_the_search(tmp_path):
    train, test = csv(tmp_path / "t.csv", columns(620, None)), csv(tmp_path / "test.csv", columns(30, None))
    chosen, table = suited(train, [f"data.test_path={test}"], target="y")
    assert chosen.search.repeats == 1  # 620 rows and not 496
    assert (prepare(chosen, table=table).rows, prepare(chosen, table=table).test_rows) == (620, 30)
    with pytest.raises(DataError, match="is the training table itself"):
        suited(train, [f"data.test_path={train}"], target="y")


def test_dates_stay_out_if_that_is_said(tmp_path):
    table = columns(60, None)
    table["day"] = [f"2024-01-{1 + place % 28:02d}" for place in range(60)]
    path = csv(tmp_path / "t.csv", table)
    assert prepare(suited(path, target="y")[0]).features == 2 + 3
    chosen, _ = suited(path, ["data.dates=ignore"], target="y")
    assert prepare(chosen).features == 2


# --- names and mistakes


def test_its_name_and_its_paths_are_the_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my data").mkdir()
    csv(tmp_path / "my data" / "ü.csv", columns(60, None))
    chosen, table = suited("my data/ü.csv", target="y")
    assert (chosen.name, chosen.base, chosen.data.path, table.rows) == ("ü", Path(), "my data/ü.csv", 60)
    written = experiment.load_text(chosen.to_yaml(tmp_path / "runs" / "x"))
    assert written.data.path == "../../my data/ü.csv"
    assert written.canonical() == chosen.canonical()


def test_tables_that_name_their_target(tmp_path):
    assert suited("sklearn:wine")[0].name == "wine"
    assert suited("sklearn:wine")[0].data.target == "target"
    np.savez(tmp_path / "x.npz", X=np.random.default_rng(0).normal(size=(40, 2)), y=np.arange(40) % 2)
    assert suited(tmp_path / "x.npz")[0].data.target == "y"


@pytest.mark.parametrize(
    "target", ["y", "yes", "1e-4", "a: b", "#", "'", '"', "null", "ü" * 80, "x y" * 20, "1999", "{k}", "- z"]
)
def test_every_name_survives(tmp_path, target):
    (tmp_path / target).mkdir()
    table = columns(60, {"no: #1": 30, "'yes'": 30})
    lines = [",".join(map(str, row)) for row in zip(*table.values(), strict=True)]
    path = tmp_path / target / f"{target}.csv"
    path.write_text("\n".join(['a,b,"' + target.replace('"', '""') + '"', *lines]) + "\n")
    chosen, _ = suited(path, target=target)
    assert (chosen.data.path, chosen.data.target, chosen.data.positive) == (str(path), target, "no: #1")


@pytest.mark.parametrize("labels", [(0, 1), (-1.5, 2.0), (False, True), ("no", "yes"), ("1e-4", "null"), ("", "+")])
def test_every_class_survives(labels):
    table = columns(60, {"p": 30, "q": 30})
    table["y"] = np.array([labels[each == "q"] for each in table["y"]], dtype=object if "" in labels else None)
    if "" in labels:
        table["y"][table["y"] == ""] = "-"
    chosen, prepared = made(table)
    assert chosen.data.positive == prepared.schema.positive


def test_all_mistakes_are_said_at_once_and_before_the_table_is_read():
    with pytest.raises(ExperimentError) as caught:
        suited("nowhere.csv", ["search.trilas=3", "training.epochs=x", "model.hidden=[3]"], target="y")
    assert [each.partition(": ")[0] for each in caught.value.problems] == [
        "--set training.epochs=x",
        "--set search.trilas=3",
    ]
    with pytest.raises(ExperimentError) as caught:
        suited("nowhere.csv")
    said = "default experiment: data.target: is missing: name the column to predict, here or with --target"
    assert caught.value.problems == (said,)


# --- one experiment, whichever way a table comes


TABLES = [columns(300, None), columns(0, {"p": 170, "q": 130}), columns(0, {"p": 90, "q": 60, "r": 5})]


@pytest.mark.parametrize("table", TABLES)
def test_path_frame_and_arrays_have_one_experiment(tmp_path, table):
    of_path, read = suited(csv(tmp_path / "t.csv", table), target="y")
    text = first_file.text(look(read, of_path.data).found, "t.csv")
    expected = json.dumps(experiment.load_text(text, base=tmp_path).canonical(), sort_keys=True)
    features = np.column_stack([table["a"], table["b"]])
    named = pd.DataFrame({"a": table["a"], "b": table["b"]}), pd.Series(table["y"], name="y")
    others = [
        (of_path, read),
        suited(table_in_memory(table), target="y"),
        suited(table_in_memory(pd.DataFrame(table)), target="y"),
        suited(table_in_memory(pl.DataFrame(table)), target="y"),
        suited(table_in_memory(X=named[0], y=named[1]), target="y"),
    ]
    hashes = set()
    for chosen, held in others:
        assert json.dumps(chosen.canonical(), sort_keys=True) == expected
        hashes.add((prepare(chosen, table=held).data_hash, prepare(chosen, table=held).folds_hash))
    assert len(hashes) == 1
    arrays, _ = suited(table_in_memory(X=features, y=table["y"]), target="target")
    assert json.dumps({**arrays.canonical(), "data": None}) == json.dumps({**of_path.canonical(), "data": None})


def test_what_is_made_of_the_best_trials_stays_where_they_are_confirmed():
    usual = suited(table_in_memory(columns(200, None)), target="y")[0]
    confirmed = suited(table_in_memory(columns(200, None)), ["search.confirm=3"], target="y")[0]
    assert confirmed.search.confirm == 3
    assert confirmed.retrain == usual.retrain
