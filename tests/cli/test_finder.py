import csv
import json

import numpy as np
import pytest

QUICK = ("--updates", 40, "--repetitions", 1)


def test_the_page_has_a_curve_an_answer_and_the_files(run, folder):
    result = run("finder", "blobs.yaml", *QUICK, "--optimizer", "adam", "--optimizer", "momentum")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("learning rate: ")
    for expected in ("● adam", "x momentum", "90 % interval", "minimum (edge)", "runs/blobs-finder: finder.json"):
        assert expected in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    names = {each.name for each in (folder / "runs" / "blobs-finder").iterdir()}
    assert names - {".lrtune.lock"} == {"finder.json", "finder.csv", "finder.svg"}


def test_json_and_csv_tell_the_same(run, folder):
    found = json.loads(run("finder", "blobs.yaml", *QUICK, "--output", "o", "--json").stdout)
    (entry,) = [each for each in found["optimizers"] if each["optimizer"] == "adam"]
    assert entry["status"] == "ok"
    assert entry["search_range"][0] < entry["recommended"] < entry["search_range"][1]
    with (folder / "o" / "finder.csv").open() as file:
        rows = [each for each in csv.DictReader(file) if each["optimizer"] == "adam"]
    assert [float(each["rate"]) for each in rows] == entry["curve"]["rates"]
    assert [float(each["median"]) if each["median"] else None for each in rows] == entry["curve"]["median"]
    assert all(0.0 <= float(each["diverged"]) <= 1.0 for each in rows)


def test_without_anything_it_is_about_the_bundled_digits_and_says_so(run):
    result = run("finder", *QUICK, "--optimizer", "adam")
    assert result.exit_code == 0, result.output
    assert "no experiment given and none in this folder: this is about scikit-learn's digits" in result.stdout


def test_an_experiment_of_the_usual_name_is_taken(run, folder):
    (folder / "config.yaml").write_text((folder / "blobs.yaml").read_text())
    result = run("finder", *QUICK)
    assert result.exit_code == 0, result.output
    assert "digits" not in result.stdout


def test_the_suggested_range_goes_into_the_file_and_comments_stay(run, folder):
    config = folder / "own.yaml"
    config.write_text(
        "# mine\ndata: {path: blobs.csv, target: kind}\n\nspace:\n  learning_rate: 0.1  # a guess\n  optimizer: adam\n"
    )
    found = json.loads(run("finder", "own.yaml", *QUICK, "--write", "own.yaml", "--json").stdout)
    low, high = found["optimizers"][0]["search_range"]
    lines = config.read_text().splitlines()
    assert [lines[0], lines[2]] == ["# mine", ""]
    (line,) = [each for each in lines if "learning_rate" in each]
    assert line.endswith("  # a guess")
    assert run("check", "own.yaml").exit_code == 0
    assert [float(each.split(",")[0].split("}")[0]) for each in line.split(": ")[2:4]] == [low, high]


def test_the_file_that_is_written_is_the_experiment_if_none_is_named(run, folder):
    (folder / "lrtune.yaml").write_text("data: {path: gone.csv, target: kind}\n")
    own = folder / "own.yaml"
    own.write_bytes(b"data: {path: blobs.csv, target: kind}\r\nspace: {learning_rate: 0.1, optimizer: adam} # mine\r\n")
    own.chmod(0o600)
    result = run("finder", *QUICK, "--write", "own.yaml")
    assert result.exit_code == 0, result.output
    assert "own.yaml: now has the suggested range of adam" in result.stdout
    written = own.read_bytes()
    assert written.endswith(b"} # mine\r\n")
    assert written.count(b"\n") == written.count(b"\r\n") == 2
    assert own.stat().st_mode & 0o777 == 0o600


def test_a_file_that_has_no_place_for_the_range_is_refused_before_training(run, folder):
    own = folder / "own.yaml"
    own.write_text("data: {path: blobs.csv, target: kind}\nspace: {learning_rate: 0.1, optimizer: momentum}\n")
    result = run("finder", "own.yaml", "--optimizer", "adam", "--write", "own.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "own.yaml: searches momentum; there is no place for adam" in result.stderr
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--plot", "lr.gif"), "unknown kind of figure '.gif'"),
        (("--optimizer", "adan"), "did you mean 'adam'?"),
        (("--method", "lader"), "did you mean 'ladder'?"),
        (("--low", -1), "lrtune: --low must be above 0 and finite, got -1"),
        (("--low", 0, "--updates", 0), "lrtune: --updates must be at least 1 and whole, got 0; --low must be above 0"),
        (("--low", 2, "--high", 1), "lrtune: --low must be below high, got 2 and 1"),
        (("--updates", 0), "lrtune: --updates must be at least 1"),
        (("--repetitions", 0), "lrtune: --repetitions must be at least 1"),
        (("--write", "no.yaml"), "no.yaml: no such file"),
    ],
)
def test_wrong_options_end_with_two_and_one_sentence(run, folder, options, words):
    result = run("finder", "blobs.yaml", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert not (folder / "runs").exists()


def test_labels_that_have_nothing_to_do_with_the_features_give_no_number(run, folder):
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.4f},{b:.4f},{label}"
        for (a, b), label in zip(rng.normal(size=(200, 2)), rng.choice(["u", "v"], 200), strict=True)
    ]
    (folder / "noise.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    result = run("finder", "--data", "noise.csv", "--target", "label", "--optimizer", "adam", "--json")
    assert result.exit_code == 5
    (entry,) = json.loads(result.stdout)["optimizers"]
    assert entry["status"] == "flat"
    assert {entry[key] for key in ("recommended", "interval", "minimum", "valley", "edge", "search_range")} == {None}
    page = run("finder", "--data", "noise.csv", "--target", "label", "--optimizer", "adam").stdout
    assert page.startswith("no learning rate can be recommended\n")


def test_a_constant_target_is_refused_with_the_reason(run, folder):
    (folder / "constant.csv").write_text("a,y\n" + "".join(f"{each},2.5\n" for each in range(40)))
    result = run("finder", "--data", "constant.csv", "--target", "y", "--set", "data.task=regression")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "2.5 in every row: nothing to learn" in result.stderr
