import csv
import json

import pytest

MISTAKES = """\
data:
  path: blobs.csv
  target: kind
modle:
  hidden: [8]
training:
  epochs: many
  batch_size: 0
search:
  metric: acuracy
space:
  learning_rate: 0.1
  decay:
    - step: {evry: [5, 10]}
"""


def test_the_plan_says_what_would_be_done(run, folder):
    result = run("check", "blobs.yaml")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for expected in (
        "table blobs.csv",
        "task classification of 'kind'",
        "classes 3: k0, k1, k2",
        "rows 72 to search on, 18 rows kept for the test",
        "features 4 after encoding",
        "numeric 2: x, y",
        "categorical 1: letter",
        "target 1: kind",
        "metric accuracy",
        "strategy random",
        "configurations 6 of infinitely many",
        "fits 19: 3 folds each, and the best once more",
    ):
        assert expected in lines, expected
    assert result.stderr == ""
    assert not (folder / "runs").exists()


def test_the_plan_as_json(run):
    plan = json.loads(run("check", "blobs.yaml", "--json").stdout)
    assert plan["schema"] == 1
    assert plan["data"]["classes"] == ["k0", "k1", "k2"]
    assert plan["columns"][2] == {"name": "letter", "kind": "categorical", "role": "feature"}
    assert plan["search"]["space_size"] is None
    assert plan["search"]["fits"] == 6 * 3 + 1
    assert plan["estimate"]["seconds"] > 0
    assert plan["estimate"]["bytes"] > 1e7


def test_test_rows_that_are_training_rows_are_told_in_the_plan_and_on_the_page(run, folder):
    lines = (folder / "blobs.csv").read_text().splitlines()
    strangers = [f"{number}.5,0.25,a,k0" for number in range(48)]
    (folder / "test.csv").write_text("\n".join([*lines[:13], *strangers]) + "\n")
    said = "12 of the 60 test rows are training rows, too: "
    tested = ("blobs.yaml", "--set", "data.test_path=test.csv")
    (warning,) = json.loads(run("check", *tested, "--json").stdout)["warnings"]
    assert warning.startswith(said)
    assert said in " ".join(run("check", *tested).stdout.split())
    assert "12 of which are training rows, too" in " ".join(run("search", *tested).stdout.split())
    assert said in " ".join(run("show", "latest", "--details").stdout.split())
    for command in ("check", "search"):
        refused = run(command, "blobs.yaml", "--set", f"data.test_path={folder}/./blobs.csv")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"data.test_path: {folder}/./blobs.csv is the training table itself" in refused.stderr


def test_what_confirmation_and_an_outer_loop_cost_is_told(run):
    """Of six trials four more on three folds each, the whole in four outer folds as well; of those, rows 3 in 4."""
    usual = ("--set", "search.workers=1", "--set", "training.epochs=1000", "--set", "search.control=false")
    settings = (*usual, "--set", "search.confirm=4", "--set", "search.nested=4")
    plain = json.loads(run("check", "blobs.yaml", *usual, "--json").stdout)
    plan = json.loads(run("check", "blobs.yaml", *settings, "--json").stdout)
    assert plan["search"]["fits"] == (6 * 3 + 4 * 3 + 1) * 5
    assert 4 < plan["estimate"]["seconds"] / plain["estimate"]["seconds"] < 4 * 10 / 6 + 1
    shown = " ".join(run("check", "blobs.yaml", *settings).stdout.split())
    assert "3 folds each, 4 trials on fresh splits, and the best once more; the same again in each of 4 outer" in shown
    assert run("check", "blobs.yaml", "--set", "search.nested=700").exit_code == 2


def test_shapes_and_sizes_are_counted(run):
    settings = ("space={learning_rate: [0.01, 0.1], optimizer: adam, decay: constant, batch_size: [8, 16, 32]}",)
    plan = json.loads(run("check", "blobs.yaml", "--set", *settings, "--set", "search.strategy=grid", "--json").stdout)
    assert (plan["search"]["space_size"], plan["search"]["populations"]) == (6, 3)
    smaller = json.loads(run("check", "blobs.yaml", "--set", *settings, "--set", "search.trials=50", "--json").stdout)
    assert smaller["search"]["trials"] == 6


HUGE = "space.hidden=[[8], [16, 1000000000]]"


def test_what_this_machine_cannot_hold_is_refused(run):
    plain = run("check", "blobs.yaml", "--set", "model={}", "--set", HUGE.replace("1000000000", "16"))
    assert plain.exit_code == 0, plain.output
    result = run("check", "blobs.yaml", "--set", "model={}", "--set", HUGE)
    assert result.exit_code == 2
    (first, _) = result.stderr.splitlines()
    assert first.startswith("hidden [16, 1000000000], batch_size ")
    assert "TB, and this machine has" in first


def test_what_this_machine_cannot_hold_fails_alone(run, folder):
    arguments = (
        "--set",
        "model={}",
        "--set",
        HUGE,
        "--set",
        "search.strategy=grid",
        "--set",
        "space.learning_rate=0.1",
    )
    result = run("search", "blobs.yaml", *arguments, "--output", "run")
    assert result.exit_code == 0, result.output
    with (folder / "run" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["hidden"]: row["state"] for row in rows} == {"8": "complete", "16-1000000000": "failed"}
    assert all(row["reason"].startswith("training it takes ") for row in rows if row["state"] == "failed")


def test_regression_and_the_positive_class_are_told(run, folder):
    rows = [f"{i},{i * i % 7},{'yes' if i % 3 else 'no'}" for i in range(60)]
    (folder / "more.csv").write_text("\n".join(["a,price,sold", *rows]) + "\n")
    value = run("check", "--data", "more.csv", "--target", "price", "--set", "data.task=regression")
    assert "regression of 'price'" in value.stdout
    assert "classes" not in value.stdout
    sold = run("check", "--data", "more.csv", "--target", "sold", "--set", "data.positive=no")
    assert "yes, no; 'no' is the positive one" in sold.stdout


def test_what_is_left_out_is_said_with_its_reason(run, folder):
    rows = [f"{i * i % 7},u{i},same,{i % 2}" for i in range(60)]
    (folder / "more.csv").write_text("\n".join(["a,user,origin,kind", *rows]) + "\n")
    result = run("check", "--data", "more.csv", "--target", "kind")
    assert "user (identifier)" in result.stdout
    assert "origin (constant)" in result.stdout


@pytest.mark.parametrize("name", ["check", "search"])
def test_five_mistakes_are_five_lines(run, folder, name):
    (folder / "wrong.yaml").write_text(MISTAKES)
    result = run(name, "wrong.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    *problems, last = result.stderr.splitlines()
    assert last == "lrtune: 5 mistakes"
    assert [line.split(":")[1] for line in problems] == ["4", "7", "8", "10", "14"]
    for line, words in zip(
        problems,
        ("modle", "training.epochs", "training.batch_size", "did you mean 'accuracy'?", "did you mean 'every'?"),
        strict=True,
    ):
        assert line.startswith("wrong.yaml:")
        assert words in line


def test_a_wrong_override_is_named(run):
    result = run("check", "blobs.yaml", "--set", "search.folds=many")
    assert result.exit_code == 2
    assert "--set search.folds=many: search.folds: expected a whole number" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--trials", "0", "--trials 0: search.trials: expected at least 1, got 0"),
        ("--strategy", "rndom", "--strategy rndom: search.strategy: unknown value 'rndom'; did you mean 'random'?"),
        ("--workers", "many", "--workers many: search.workers: expected 'auto' or a whole number"),
        ("--seed", "-1", "--seed -1: search.seed: expected at least 0"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_typed(run, option, value, words):
    for command in ("search", "check"):
        result = run(command, "blobs.yaml", option, value)
        assert result.exit_code == 2
        assert result.stderr.startswith(words)


def test_the_plan_is_that_of_the_options_of_a_search(run):
    options = ("--trials", "7", "--strategy", "random", "--pruning", "race", "--seed", "3", "--select", "one_se")
    plan = json.loads(run("check", "blobs.yaml", *options, "--json").stdout)
    settings = [
        f"search.{each[0].removeprefix('--')}={each[1]}" for each in zip(options[::2], options[1::2], strict=True)
    ]
    other = run("check", "blobs.yaml", *(word for each in settings for word in ("--set", each)), "--json").stdout
    assert plan == json.loads(other)
    assert "configurations  7 of" in run("check", "blobs.yaml", *options).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no_such.yaml",), "no_such.yaml: no such file"),
        (("--data", "blob.csv", "--target", "kind"), "did you mean 'blobs.csv'?"),
        (("--data", "blobs.csv", "--target", "knd"), "did you mean 'kind'?"),
        (("--data", "blobs.csv"), "--target"),
        (("--target", "kind"), "nothing to search"),
    ],
)
def test_wrong_files_and_columns_are_sentences(run, arguments, words):
    result = run("check", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_the_schema_is_a_json_schema_of_the_sections(run):
    schema = json.loads(run("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"trainer", "defaults", "data", "model", "training", "search", "retrain", "space"} == set(
        schema["properties"]
    )
