import csv
import io
from pathlib import Path

import pytest


@pytest.fixture
def searched(run):
    """A finished run."""
    assert run("search", "blobs.yaml").exit_code == 0
    return run


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_labels_and_probabilities_go_to_the_file(searched):
    result = searched("predict", "latest", "blobs.csv", "-o", "predictions.csv")
    assert (result.exit_code, result.output) == (0, "")
    rows = table(Path("predictions.csv").read_text())
    assert list(rows[0]) == ["kind", "probability_k0", "probability_k1", "probability_k2"]
    assert len(rows) == 90
    for row in rows:
        shares = {key.removeprefix("probability_"): float(row[key]) for key in list(row)[1:]}
        assert sum(shares.values()) == pytest.approx(1)
        assert row["kind"] == max(shares, key=shares.get)
    right = sum(row["kind"] == f"k{number % 3}" for number, row in enumerate(rows))
    assert right > 60


def test_without_a_file_they_go_to_standard_output(searched):
    assert searched("predict", "latest", "blobs.csv").stdout.startswith("kind,probability_k0,")


def test_order_and_number_of_columns_do_not_matter(searched, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "blobs.csv").read_text())))
    lines = ["extra,letter,y,x", *(f"1,{row['letter']},{row['y']},{row['x']}" for row in rows)]
    (folder / "new.csv").write_text("\n".join(lines) + "\n")
    assert searched("predict", "latest", "new.csv").stdout == searched("predict", "latest", "blobs.csv").stdout


def test_a_table_that_lacks_a_column_is_refused_by_its_name(searched, folder):
    (folder / "new.csv").write_text("x,letter\n1,a\n2,b\n")
    result = searched("predict", "latest", "new.csv", "-o", "out.csv")
    assert result.exit_code == 2
    assert "'y'" in result.stderr
    assert not Path("out.csv").exists()


def test_unseen_categories_and_missing_cells_are_predicted(searched, folder):
    (folder / "new.csv").write_text("x,y,letter\n1,,zebra\n,2,\n")
    result = searched("predict", "latest", "new.csv")
    assert result.exit_code == 0, result.output
    assert len(table(result.stdout)) == 2


def test_a_regression_gives_values(run, folder):
    lines = ["a,price", *(f"{i / 10},{i / 5 + 100}" for i in range(80))]
    (folder / "prices.csv").write_text("\n".join(lines) + "\n")
    assert run("search", "--data", "prices.csv", "--target", "price", "--trials", "4").exit_code == 0
    rows = table(run("predict", "prices", "prices.csv").stdout)
    assert list(rows[0]) == ["price"]
    assert all(95 < float(row["price"]) < 121 for row in rows)


def test_new_tables_are_read_as_the_experiment_says(run, folder):
    lines = ["a;price", *(f"{i},5;{i / 5 + 100:.1f}".replace(".", ",") for i in range(80))]
    (folder / "prices.csv").write_text("\n".join(lines) + "\n")
    told = ("--set", "data.separator=;", "--set", "data.decimal=','", "--set", "training.epochs=2")
    assert run("search", "--data", "prices.csv", "--target", "price", "--trials", "1", *told).exit_code == 0
    (folder / "new.csv").write_text("a;b\n1,5;1,25\n")
    assert len(table(run("predict", "prices", "new.csv").stdout)) == 1


def test_wrong_runs_and_tables_are_sentences(run, folder):
    missing = run("predict", "latest", "blobs.csv")
    assert missing.exit_code == 2
    assert "no finished run" in missing.stderr
    (folder / "empty").mkdir()
    empty = run("predict", "empty", "blobs.csv")
    assert empty.exit_code == 2
    assert "no model here" in empty.stderr


def test_a_file_that_cannot_be_written_is_a_sentence(searched):
    result = searched("predict", "latest", "blobs.csv", "-o", "nowhere/out.csv")
    assert result.exit_code == 2
    assert "nowhere/out.csv: cannot be written" in result.stderr


@pytest.mark.parametrize("name", ["latest", "blobs"])
def test_a_missing_table_is_a_sentence(searched, name):
    result = searched("predict", name, "blob.csv")
    assert result.exit_code == 2
    assert "did you mean 'blobs.csv'?" in result.stderr
