"""lrtune init: the file loads without mistakes, says what is in the table, and never replaces another."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lrtune import experiment
from lrtune.cli.init import STDOUT
from lrtune.trainers.preparation import prepare

DATASETS = Path(__file__).parent.parent.parent / "datasets"


def written(run, *words):
    result = run("init", *words)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize(
    ("name", "target", "metric"),
    [
        ("wine", "cultivar", "log_loss"),
        ("penguins", "species", "log_loss"),
        ("birdstrikes", "wildlife_size", "log_loss"),
        ("concrete", "compressive_strength", "rmse"),
        ("hpc_jobs", "class", "log_loss"),
    ],
)
def test_the_file_of_every_bundled_table_loads_and_can_be_searched(run, folder, name, target, metric):
    page = written(run, DATASETS / f"{name}.csv", "--target", target, "-o", "sub.yaml").stdout
    assert "lrtune search sub.yaml" in page
    assert max(map(len, page.splitlines())) <= 100
    made = experiment.load(folder / "sub.yaml")
    assert (made.base / made.data.path).resolve() == DATASETS / f"{name}.csv"
    assert made.data.target == target
    assert made.search.metric == metric
    steps = len(prepare(made).splits[0][0]) / made.training.batch_size
    assert 700 <= steps * made.training.epochs <= 3000


def test_what_it_says_of_the_classes_is_so(run, folder):
    written(run, "blobs.csv", "--target", "kind")
    text = (folder / "config.yaml").read_text()
    prepared = prepare(experiment.load(folder / "config.yaml"))
    rows = (folder / "blobs.csv").read_text().splitlines()[1:]
    counts = Counter(rows[place].rpartition(",")[2] for place in prepared.dataset.train_rows)
    assert ", ".join(f"{name} {counts[name]}" for name in sorted(counts)) in text


def test_a_file_that_is_there_stays(run, folder):
    (folder / "config.yaml").write_text("mine")
    refused = run("init", "blobs.csv", "--target", "kind")
    assert refused.exit_code == 2
    assert "config.yaml: is there already and stays as it is" in refused.stderr
    assert (folder / "config.yaml").read_text() == "mine"


def test_the_file_can_be_printed_instead(run, folder):
    before = sorted(folder.iterdir())
    text = written(run, "blobs.csv", "--target", "kind", "-o", STDOUT).stdout
    assert sorted(folder.iterdir()) == before
    assert experiment.load_text(text, base=folder).data.path == "blobs.csv"


def table(folder, **columns):
    rows = zip(*columns.values(), strict=True)
    quoted = ['"' + name.replace('"', '""') + '"' for name in columns]
    (folder / "table.csv").write_text("\n".join([",".join(quoted), *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.mark.parametrize("name", ["a: b", "x # y", "- z", "yes", "2024", "{k}", 'say "no"', "ä ö", "null", "'"])
def test_odd_names_of_targets_and_classes_come_through(run, folder, name):
    numbers = np.arange(60)
    table(folder, x=numbers % 7, **{name: [("no: #1", "'yes'")[each % 2] for each in numbers]})
    written(run, "table.csv", "--target", name)
    made = experiment.load(folder / "config.yaml")
    assert made.data.target == name
    assert made.data.positive == "no: #1"  # the last in code point order
    assert prepare(made).rows == 48


@pytest.mark.parametrize("positive", [1, 2.5])
def test_classes_that_are_numbers_come_through(run, folder, positive):
    table(folder, x=np.arange(60) % 7, y=[(0, positive)[each % 2] for each in range(60)])
    result = run("init", "table.csv", "--target", "y")
    assert result.exit_code == 0, result.output
    assert prepare(experiment.load(folder / "config.yaml")).rows == 48


def test_rare_classes_get_fewer_folds(run, folder):
    numbers = np.arange(200)
    table(folder, x=numbers % 7, y=["rare" if each < 4 else "usual" for each in numbers])
    written(run, "table.csv", "--target", "y")
    made = experiment.load(folder / "config.yaml")
    assert made.search.folds == 3  # one of the four rows is for the test
    assert "the rarest class has 3 training rows" in (folder / "config.yaml").read_text()
    prepare(made)


def test_heavy_tails_dates_groups_gaps_and_identifiers_are_noticed(run, folder):
    rng = np.random.default_rng(3)
    numbers = np.arange(300)
    table(
        folder,
        row_id=numbers + 1000,
        patient=[f"p{each % 40}" for each in numbers],
        sold=[f"2024-0{1 + each % 9}-1{each % 8}" for each in numbers],
        size=["" if each % 4 == 0 else each % 11 for each in numbers],
        price=np.round(np.exp(2.0 * rng.normal(size=300)), 3),
    )
    written(run, "table.csv", "--target", "price")
    text = (folder / "config.yaml").read_text()
    made = experiment.load(folder / "config.yaml")
    assert made.search.metric == "rmse"
    assert "mae less so" in text
    assert made.data.dates == "encode"
    assert "# order: sold" in text
    assert "# group: patient" in text
    assert "size 25 %" in text
    assert "cannot" not in text
    assert "nothing can be learnt from them: row_id" in text
    active = text.replace("# order: sold", "order: sold").replace("# group: patient ", "group: patient ")
    assert prepare(experiment.load_text(active.replace("order: sold", "# order: sold"), base=folder)).schema.group


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.csv", "--target", "x"), "nowhere.csv"),
        (("blobs.csv", "--target", "kid"), "did you mean 'kind'?"),
        (("blobs.csv",), "say which column is the target"),
    ],
)
def test_what_cannot_be_read_is_said(run, folder, words, said):
    result = run("init", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (folder / "config.yaml").exists()


def test_what_is_said_of_the_table_is_written(run, folder):
    rows = [f"{i % 7},{'?' if i % 9 == 0 else i / 4},{'+-'[i % 2]}" for i in range(60)]
    (folder / "t.csv").write_text("\n".join(["# made", "a,b,y", *rows]) + "\n")
    refused = run("init", "t.csv", "--target", "y", "--set", 'data.comment="#"')
    assert refused.exit_code == 2
    assert 'if it is a class, set data.missing: ["?"], else remove these rows' in " ".join(refused.stderr.split())
    said = ("--set", 'data.comment="#"', "--set", 'data.missing=["?"]', "--set", "data.positive=+")
    made = run("init", "t.csv", "--target", "y", "--output", "-", *said)
    assert made.exit_code == 0, made.output
    written = experiment.load_text(made.stdout, base=folder)
    assert (written.data.missing, written.data.comment, written.data.positive) == (("?",), "#", "+")
    schema = prepare(written).schema
    assert schema.classes == ("-", "+")
    assert [column.kind for column in schema.columns] == ["numeric", "numeric", "categorical"]


@pytest.mark.parametrize("setting", ["search.folds=3", "data.path=x.csv", "data.mising=[]"])
def test_init_takes_what_is_said_of_the_table_only(run, setting):
    refused = run("init", "blobs.csv", "--target", "kind", "--set", setting)
    assert refused.exit_code == 2
    assert "init takes what is said of the table only" in refused.stderr
