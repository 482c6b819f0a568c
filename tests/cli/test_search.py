import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from lrtune.cli import exits

SEARCH = ("search", "blobs.yaml")
ESCAPES = re.compile(r"[\x00-\x09\x0b-\x1f]")


def only_run():
    (folder,) = Path("runs").iterdir()
    return folder


def test_a_search_prints_its_page_and_leaves_its_files(run):
    result = run(*SEARCH)
    assert result.exit_code == 0, result.output
    folder = only_run()
    assert re.fullmatch(r"blobs-[0-9a-f]{8}", folder.name)
    files = {each.name for each in folder.iterdir()}
    assert {"study.db", "result.json", "trials.csv", "best.yaml", "experiment.yaml", "model"} <= files
    found = json.loads((folder / "result.json").read_text())
    out = result.stdout
    corrected = found["corrected"]
    told = re.match(
        r"Expect an accuracy of ([\d.]+) on new rows like these \(95 % interval ([\d.]+) to ([\d.]+)\)\. ", out
    )
    for text, exact in zip(told.groups(), (corrected["score"], corrected["low"], corrected["high"]), strict=True):
        assert float(text) == pytest.approx(exact, abs=0.5 * 10 ** -len(text.partition(".")[2]))
    assert "On the 18 test rows, which the search never saw, it is " in " ".join(out.split())
    assert "(raw, 3 folds)" in " ".join(out.split())
    assert [each["name"] for each in found["anchors"]][:2] == ["majority", "linear"]
    assert re.search(rf"Best +trial {found['best']['number']}: ", out)
    assert f"lrtune predict {folder.name} blobs.csv -o predictions.csv" in out
    assert max(len(line) for line in out.splitlines()) <= 100
    assert len(out.splitlines()) <= 13
    assert not ESCAPES.search(out + result.stderr)
    assert "6 of 6 trials · best accuracy" in result.stderr


def test_json_is_the_result_and_nothing_else(run):
    result = run(*SEARCH, "--json")
    found = json.loads(result.stdout)
    assert result.stdout == (only_run() / "result.json").read_text()
    assert found["schema"] == 3
    assert found["metric"] == "accuracy"
    assert found["trials"]["total"] == 6
    assert found["test"]["rows"] == 18
    assert len(found["best"]["fold_scores"]) == 3
    assert found["best"]["mean"] == pytest.approx(sum(found["best"]["fold_scores"]) / 3)
    assert found["default"]["number"] == 0
    assert "task: classification" in result.stderr


@pytest.mark.parametrize("strategy", ["bayesian", "grid", "quasirandom", "random", "tpe"])
def test_every_strategy_can_be_asked_for_and_an_exhausted_space_is_said(run, strategy):
    space = "space={learning_rate: [0.01, 0.1], optimizer: [sgd, adam], decay: constant}"
    result = run(*SEARCH, "--strategy", strategy, "--set", space, "--trials", "9")
    assert result.exit_code == 0, result.output
    told = " ".join(run("show", "--details", "--notes").stdout.split())
    assert "; these are all configurations of the space" in told
    assert "the space has 4 configurations and all have been tried: the search ended before 9 trials" in told
    assert f"strategy: {strategy}" in (only_run() / "experiment.yaml").read_text()


def test_quiet_says_nothing_but_the_result(run):
    result = run(*SEARCH, "--quiet", "--json")
    assert result.stderr == ""
    json.loads(result.stdout)


def times_of_files():
    return {each.name: each.stat().st_mtime_ns for each in only_run().rglob("*.*") if each.suffix != ".lock"}


def test_the_same_command_again_trains_nothing_says_so_and_touches_nothing(run):
    first = run(*SEARCH)
    counts = json.loads((only_run() / "result.json").read_text())["trained"]
    assert counts == {"trials": 6, "fits": counts["fits"], "models": 1, "reused": 0}
    assert counts["fits"] >= 6 * 3  # and those of the controlled pair
    before = times_of_files()
    second = run(*SEARCH)
    said = "This session trained nothing: the study was finished, with 6 trials. "
    assert " ".join(second.stdout.split()) == said + " ".join(first.stdout.split())
    database = {"study.db", "study.db-wal", "study.db-shm"}
    between = times_of_files()
    assert {name for name in before if before[name] != between[name]} <= {*database, "result.json"}
    assert json.loads((only_run() / "result.json").read_text())["trained"] == dict.fromkeys(
        ("trials", "fits", "models", "reused"), 0
    )
    assert run(*SEARCH).stdout == second.stdout
    after = times_of_files()
    assert {name for name in before if between[name] != after[name]} <= database


def test_a_larger_number_of_trials_goes_on_in_the_same_run(run):
    run(*SEARCH)
    first = (only_run() / "trials.csv").read_text().splitlines()
    assert run(*SEARCH, "--trials", "9").exit_code == 0
    second = (only_run() / "trials.csv").read_text().splitlines()
    assert second[: len(first)] == first
    assert len(second) == 10


def test_lost_files_are_written_again(run):
    run(*SEARCH)
    for name in ("trials.csv", "best.yaml", "result.json"):
        (only_run() / name).unlink()
    assert run(*SEARCH).exit_code == 0
    assert (only_run() / "result.json").is_file()


def test_a_changed_setting_gets_a_run_of_its_own(run):
    run(*SEARCH)
    assert run(*SEARCH, "--set", "training.epochs=4").exit_code == 0
    assert run(*SEARCH, "--seed", "3").exit_code == 0
    assert len(list(Path("runs").iterdir())) == 3


def test_without_a_file_a_table_and_its_target_are_enough(run):
    result = run("search", "--data", "blobs.csv", "--target", "kind", "--trials", "3", "--set", "training.epochs=2")
    assert result.exit_code == 0, result.output
    folder = only_run()
    assert folder.name.startswith("blobs-")
    again = run("check", folder / "experiment.yaml", "--json")
    assert json.loads(again.stdout)["data"]["rows"] == {"train": 72, "test": 18}


@pytest.mark.parametrize("target", ["kind", "x"])
def test_a_table_without_a_file_is_searched_as_the_file_of_init_says(run, target):
    few = ("--trials", "1", "--set", "training.epochs=2", "--json")
    assert run("init", "blobs.csv", "--target", target).exit_code == 0
    results = [
        json.loads(run("search", *words, *few).stdout)
        for words in (("config.yaml",), ("--data", "blobs.csv", "--target", target))
    ]
    assert results[0]["fingerprint"] == results[1]["fingerprint"]
    assert results[0]["metric"] == ("log_loss" if target == "kind" else "rmse")
    assert len(results[0]["best"]["fold_scores"]) == 20
    plans = [
        json.loads(run("check", *words, "--json").stdout)["search"]
        for words in (("config.yaml",), ("--data", "blobs.csv", "--target", target))
    ]
    assert plans[0] == plans[1]


def test_settings_go_before_what_suits_the_table(run):
    told = ("--strategy", "random", "--trials", "2", "--set", "search.folds=3", "--set", "training.epochs=2")
    made = json.loads(run("search", "--data", "blobs.csv", "--target", "kind", *told, "--json").stdout)
    assert (made["trials"]["total"], len(made["best"]["fold_scores"])) == (2, 3)
    written = (only_run() / "experiment.yaml").read_text()
    assert "strategy: random" in written
    assert "epochs: 2" in written
    assert "metric: log_loss" in written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "knd"), ["did you mean 'kind'?"]),
        (
            (),
            [
                "default experiment: data.target: is missing: name the column to predict, here or with --target",
                "there are 'x', 'y', 'letter', 'kind'. Perhaps it is 'kind': add --target kind",
            ],
        ),
        (("--target", "kind", "--set", "data.task=regression"), ["'kind'"]),
        (("--target", "kind", "--set", "data.ignore=z"), ["no column 'z'"]),
        (("--target", "kind", "--set", "data.test_path=blobs.csv"), ["is the training table itself"]),
        (
            ("--target", "kind", "--set", "search.metric=rmse"),
            ["--set search.metric=rmse: search.metric: 'rmse' is for"],
        ),
        (
            ("--target", "kind", "--trials", "0", "--set", "search.fold=3", "--set", "model.hiden=[3]"),
            ["--trials 0: search.trials: expected at least 1", "did you mean 'folds'?", "did you mean 'hidden'?"],
        ),
    ],
)
@pytest.mark.parametrize("command", ["search", "check", "finder"])
def test_mistakes_without_a_file_are_sentences(run, folder, command, words, said):
    if "--trials" in words and command != "search":
        words, said = words[:2] + words[4:], said[1:]
    result = run(command, "--data", "blobs.csv", *words)
    assert result.exit_code == 2
    assert all(each in " ".join(result.stderr.split()) for each in said)
    assert "Traceback" not in result.stderr
    assert not (folder / "runs").exists()


def test_best_yaml_is_an_experiment_with_everything_fixed(run):
    run(*SEARCH)
    best = json.loads((only_run() / "result.json").read_text())["best"]
    result = run("search", only_run() / "best.yaml", "--json", "--output", "again")
    again = json.loads(result.stdout)
    assert again["trials"]["total"] == 1
    assert again["best"]["configuration"] == best["configuration"]
    assert again["best"]["fold_scores"] == best["fold_scores"]


def test_output_names_the_folder_and_refuses_another_experiment(run):
    assert run(*SEARCH, "--output", "out").exit_code == 0
    assert Path("out/result.json").is_file()
    result = run(*SEARCH, "--output", "out", "--set", "training.epochs=4")
    assert result.exit_code == exits.WRONG
    assert "epochs" in result.stderr
    assert result.stdout == ""


def test_workers_do_not_change_the_trials(run):
    run(*SEARCH, "--output", "one", "--workers", "1")
    assert run(*SEARCH, "--output", "two", "--workers", "2").exit_code == 0
    assert Path("one/trials.csv").read_bytes() == Path("two/trials.csv").read_bytes()


def test_the_usual_file_of_the_folder_is_found(run, folder):
    (folder / "blobs.yaml").rename("config.yaml")
    assert run("search", "--json").exit_code == 0
    assert only_run().name.startswith("config-")
    Path("lrtune.yaml").write_text(Path("config.yaml").read_text().replace("trials: 6", "trials: 2"))
    assert json.loads(run("search", "--json").stdout)["name"] == "lrtune"


@pytest.mark.parametrize("name", ["search", "check"])
def test_nothing_to_search_names_the_two_ways(run, folder, name):
    (folder / "blobs.yaml").unlink()
    result = run(name)
    assert result.exit_code == 2
    assert "lrtune search config.yaml" in result.stderr
    assert "--data table.csv --target column" in result.stderr


def test_a_table_given_as_experiment_is_told(run):
    result = run("search", "blobs.csv")
    assert result.exit_code == 2
    assert "--data blobs.csv" in result.stderr


def test_trials_csv_tells_every_trial(run):
    run(*SEARCH)
    with (only_run() / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == [str(number) for number in range(6)]
    assert list(rows[0])[:8] == ["number", "state", "mean", "std", "balanced_accuracy", "log_loss", "roc_auc", "fold_1"]
    found = json.loads((only_run() / "result.json").read_text())
    for each in (found["best"], found["default"]):
        row = rows[each["number"]]
        assert {name: float(row["mean" if name == "accuracy" else name]) for name in each["beside"]} == each["beside"]
    for row in rows:
        scores = [float(row[f"fold_{fold}"]) for fold in (1, 2, 3)]
        assert float(row["mean"]) == pytest.approx(sum(scores) / 3)
        assert row["optimizer"] in {"adam", "momentum"}
        assert (row["optimizer.momentum"] == "") == (row["optimizer"] == "adam")


def test_when_every_trial_diverges_there_is_no_result_but_a_table(run):
    divergent = ("--set", "space={learning_rate: [1e30, 2e30], optimizer: sgd, decay: constant}")
    result = run(*SEARCH, *divergent)
    assert result.exit_code == exits.UNUSABLE
    assert "2 diverged" in result.stderr
    assert result.stdout == ""
    assert "diverged" in (only_run() / "trials.csv").read_text()
    assert not (only_run() / "result.json").exists()


def test_names_with_markup_and_codes_are_shown_as_they_are(run, folder):
    text = (folder / "blobs.csv").read_text().replace("letter,kind", "[red]letter[/red],[bold]kind")
    (folder / "odd.csv").write_text(text.replace("k1", "[link=x]k\x1b[31m1"))
    arguments = ("--data", "odd.csv", "--target", "[bold]kind", "--trials", "2", "--set", "training.epochs=2")
    for name in ("search", "check"):
        result = run(name, *(arguments if name == "search" else arguments[:4]))
        assert result.exit_code == 0, result.output
        shown = run("show", "latest", "--notes") if name == "search" else result
        assert "[bold]kind" in shown.stdout
        assert "\x1b" not in shown.output
        assert "\x1b" not in result.output


def commands_of(page):
    """Every command on a page, put together again where it goes on in another line."""
    whole = re.sub(r" \\\n +", " ", page)
    return [found[1] for found in re.finditer(r"^ +(?:\w+ +)?(lrtune .*)$", whole, re.MULTILINE)]


@pytest.mark.parametrize("output", [(), ("-o", "my runs/it's a run"), ("-o", "runs/short")])
@pytest.mark.parametrize("columns", ["60", "200"])
def test_every_command_on_the_page_works_as_it_is_printed(run, monkeypatch, output, columns):
    monkeypatch.setenv("COLUMNS", columns)
    page = run(*SEARCH, *output).stdout
    found = commands_of(page)
    assert [shlex.split(each)[1] for each in found] == ["predict"]
    if "more: --details)" in " ".join(page.split()):
        whole = run(*SEARCH, *output, "--details")  # as the page says; it shows what is there
        assert (whole.exit_code, commands_of(whole.stdout)) == (0, found)
        found += re.findall(r"what to do: (lrtune health .+?) (?:notes|files) ", " ".join(whole.stdout.split()))
        assert len(found) == 2
    for each in found:
        done = run(*shlex.split(each)[1:])
        assert done.exit_code == 0, (each, done.output)
    assert Path("predictions.csv").is_file()
