import csv
import gzip
import io
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.data import frames, scratch, tables
from lrtune.model import core


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


def with_names(folder):
    """The rows of blobs.csv with a number of its own spelling, a name and a remark that is missing now and then."""
    header, *rows = (folder / "blobs.csv").read_text().splitlines()
    lines = [f"00{place},n{place},{'' if place % 3 else 'rare, odd'},{row}" for place, row in enumerate(rows)]
    quoted = [line.replace("rare, odd", '"rare, odd"') for line in lines]
    (folder / "named.csv").write_text("\n".join([f"id,name,remark,{header}", *quoted]) + "\n")
    return [(f"00{place}", f"n{place}", "" if place % 3 else "rare, odd") for place in range(len(rows))]


@pytest.mark.parametrize(
    "how", [("--keep", "id,name,remark"), ("--keep", "id", "--keep", "name, remark", "--keep", "id")]
)
def test_columns_are_kept_as_they_are_spelled_beside_the_same_predictions(searched, folder, how):
    expected = with_names(folder)
    done = searched("predict", "latest", "named.csv", *how)
    assert done.exit_code == 0, done.output
    rows = table(done.stdout)
    assert list(rows[0])[:4] == ["id", "name", "remark", "kind"]
    assert [(row["id"], row["name"], row["remark"]) for row in rows] == expected
    plain = table(searched("predict", "latest", "blobs.csv").stdout)
    assert [{key: row[key] for key in plain[0]} for row in rows] == plain


def test_a_name_with_a_comma_is_one_column(searched, folder):
    lines = (folder / "blobs.csv").read_text().splitlines()
    text = "\n".join(['"a,b",' + lines[0], *(f"{place},{line}" for place, line in enumerate(lines[1:]))])
    (folder / "new.csv").write_text(text + "\n")
    rows = table(searched("predict", "latest", "new.csv", "--keep", "a,b").stdout)
    assert [row["a,b"] for row in rows] == [str(place) for place in range(len(rows))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nam", "named.csv has no column 'nam' to keep; did you mean 'name'?"),
        ("id,", "named.csv has no column '' to keep; it has 'id'"),
    ],
)
def test_columns_that_cannot_be_kept_are_a_sentence(searched, folder, asked, said):
    with_names(folder)
    done = searched("predict", "latest", "named.csv", "--keep", asked, "-o", "out.csv")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not Path("out.csv").exists()


def test_the_target_is_kept_beside_what_is_predicted(searched):
    plain, kept = (table(searched("predict", "latest", "blobs.csv", *how).stdout) for how in ((), ("--keep", "kind")))
    assert list(kept[0])[:3] == ["kind", "predicted_kind", "probability_k0"]
    assert [row["kind"] for row in kept] == [f"k{number % 3}" for number in range(90)]
    assert [row["predicted_kind"] for row in kept] == [row["kind"] for row in plain]


def test_a_column_like_a_probability_cannot_be_kept(searched, folder):
    text = (folder / "blobs.csv").read_text().replace("letter", "letter,probability_k1", 1)
    header, *rows = text.splitlines()
    place = header.split(",").index("probability_k1")
    lines = [",".join([*row.split(",")[:place], "1", *row.split(",")[place:]]) for row in rows]
    (folder / "new.csv").write_text("\n".join([header, *lines]) + "\n")
    done = searched("predict", "latest", "new.csv", "--keep", "probability_k1")
    assert done.exit_code == 2
    assert "column 'probability_k1' cannot be kept" in done.stderr


def test_a_stream_is_read_and_written_like_a_file(searched, folder):
    expected = searched("predict", "latest", "blobs.csv").stdout
    content = (folder / "blobs.csv").read_bytes()
    for data in (content, gzip.compress(content)):
        done = CliRunner().invoke(app, ["predict", "latest", "-", "-o", "-"], input=data)
        assert (done.exit_code, done.stdout) == (0, expected)
    assert not Path("-").exists()
    nothing = CliRunner().invoke(app, ["predict", "latest", "-"], input=b"")
    assert nothing.exit_code == 2
    assert "standard input" in str(nothing.output) or "standard input" in str(nothing.exception)


def test_parquet_in_and_out_keeps_types(searched, folder):
    named = with_names(folder)
    frame = pl.read_csv(folder / "named.csv", schema_overrides={"id": pl.String}).with_columns(
        day=pl.date(2024, 2, 29), whole=pl.int_range(pl.len()), half=pl.int_range(pl.len()) / 2
    )
    frame.write_parquet(folder / "new.parquet")
    kept = ("--keep", "id,remark,day,whole,half")
    assert searched("predict", "latest", "new.parquet", *kept, "-o", "out.parquet").exit_code == 0
    found = pl.read_parquet("out.parquet")
    assert found["id"].to_list() == [each[0] for each in named]
    assert found["whole"].to_list() == list(range(90))
    assert found["whole"].dtype == pl.Int64
    assert found["half"].to_list() == [place / 2 for place in range(90)]
    assert found["day"].unique().to_list() == ["2024-02-29"]
    assert found["remark"].null_count() == 60
    by_text = table(searched("predict", "latest", "named.csv").stdout)
    assert found["kind"].to_list() == [row["kind"] for row in by_text]
    assert found["probability_k0"].to_list() == [float(row["probability_k0"]) for row in by_text]


def test_the_table_to_predict_is_not_overwritten(searched):
    done = searched("predict", "latest", "blobs.csv", "-o", "blobs.csv")
    assert done.exit_code == 2
    assert "would be overwritten" in done.stderr


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


def predicted(run, name, new):
    result = run("predict", name, new)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_numbers_of_a_new_table_mean_what_they_meant_in_the_training_table(run, folder):
    shares = [(f"{5 + i % 40 / 8:.3f}", f"{i % 7}", "uv"[i % 7 > 3]) for i in range(80)]
    lines = [f"{area};{share},5;{label}" for area, share, label in shares]
    (folder / "train.csv").write_text("\n".join(["area;share;y", *lines]) + "\n")
    for name, end in (("a", ",0"), ("b", "")):  # the same numbers, with and without a decimal comma
        rows = [f"{area};{share}{end};{label}" for area, share, label in shares]
        (folder / f"{name}.csv").write_text("\n".join(["area;share;y", *rows]) + "\n")
    command = ("search", "--data", "train.csv", "--target", "y", "--trials", "2", "--set", "search.metric=accuracy")
    assert run(*command).exit_code == 0
    assert predicted(run, "train", "a.csv") == predicted(run, "train", "b.csv")
    scores = []
    for name in "ab":
        tested = run(*command, "--set", f"data.test_path={name}.csv", "--output", name, "--json")
        scores.append(json.loads(tested.stdout)["test"])
    assert scores[0] == scores[1]
    assert scores[0]["score"] > 0.9
    (folder / "c.csv").write_text("area;share\n5.125;1,5\n5.125;1.5\n")
    refused = run("predict", "train", "c.csv")
    assert refused.exit_code == 2
    assert "column 'share' is '1.5' in row 2, where numbers are expected" in refused.stderr
    assert "decimal comma" in refused.stderr


def test_missing_cells_of_a_new_table_are_spelled_as_in_the_training_table(run, folder):
    regions = ["NA", "EU", "AS"]
    frame = pl.DataFrame(
        {
            "region": [regions[i % 3] for i in range(90)],
            "z": [None if i % 11 == 0 else i % 5 / 2 for i in range(90)],
            "y": ["yes" if i % 3 == 0 else "no" for i in range(90)],
        }
    )
    frame.write_csv(folder / "t.csv")
    frame.write_parquet(folder / "t.parquet")
    for trained in ("csv", "parquet"):
        command = ("search", "--data", f"t.{trained}", "--target", "y", "--trials", "2", "--output", trained)
        assert run(*command).exit_code == 0
        assert predicted(run, trained, "t.csv") == predicted(run, trained, "t.parquet")
        by_frame = lrtune.load(trained).predict_proba(frame.drop("y"))
        shares = [float(row["probability_yes"]) for row in table(predicted(run, trained, "t.csv"))]
        assert by_frame[:, 1].tolist() == pytest.approx(shares)


def test_a_model_without_its_experiment_reads_tables_the_same(run, folder):
    lines = [f"{i % 7};{i % 5},5;{'uv'[i % 7 > 3]}" for i in range(60)]
    (folder / "train.csv").write_text("\n".join(["no row", *lines]) + "\n")
    said = ("--set", "data.skip=1", "--set", "data.header=false")
    assert run("search", "--data", "train.csv", "--target", "column_3", "--trials", "1", *said).exit_code == 0
    run_folder = next(Path("runs").iterdir())
    (folder / "copy").mkdir()
    shutil.copytree(run_folder / "model", folder / "copy" / "model")
    assert predicted(run, "copy", "train.csv") == predicted(run, "train", "train.csv")


def test_compressed_tables_are_read_wherever_a_table_is(run, folder):
    for name in ("blobs.csv.gz", "test.csv.gz"):
        (folder / name).write_bytes(gzip.compress((folder / "blobs.csv").read_bytes()))
    assert run("check", "--data", "blobs.csv.gz", "--target", "kind").exit_code == 0
    made = run("init", "blobs.csv.gz", "--target", "kind", "-o", "made.yaml")
    assert made.exit_code == 0, made.output
    small = ("--set", "search.trials=1", "--set", "training.epochs=2", "--set", "data.test_path=test.csv.gz")
    assert run("search", "--data", "blobs.csv.gz", "--target", "kind", *small).exit_code == 0
    (made_in,) = Path("runs").iterdir()
    assert made_in.name.startswith("blobs-")
    assert predicted(run, "blobs", "blobs.csv.gz") == predicted(run, "blobs", "blobs.csv")


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


def test_a_table_with_the_same_content_is_read_as_it_is_written(run, folder):
    lines = [f"{i % 7}.5,{i % 5}.25,{'uv'[i % 7 > 3]}" for i in range(60)]
    (folder / "t.csv").write_text("\n".join(["a,b,y", *lines]) + "\n")
    points, commas = (folder / "t.csv").read_text(), (folder / "t.csv").read_text().translate(str.maketrans(",.", ";,"))
    command = ("search", "--data", "t.csv", "--target", "y", "--trials", "2")
    first = run(*command)
    model = next(Path("runs").iterdir()) / "model" / "model.json"
    before = model.stat().st_mtime_ns
    assert run(*command).exit_code == first.exit_code == 0
    assert model.stat().st_mtime_ns == before
    expected = predicted(run, "t", "t.csv")
    (folder / "t.csv").write_text(commas)
    assert run("predict", "t", "t.csv").exit_code == 2
    assert run(*command).exit_code == 0
    assert len(list(Path("runs").iterdir())) == 1
    assert predicted(run, "t", "t.csv") == expected
    (folder / "t.csv").write_text(points)
    assert run(*command).exit_code == 0
    assert predicted(run, "t", "t.csv") == expected


def test_a_format_that_is_not_written_is_refused(searched):
    done = searched("predict", "latest", "blobs.csv", "-o", "p.json")
    assert done.exit_code == 2
    assert "expected .csv or .parquet" in done.stderr
    assert not Path("p.json").exists()


def test_a_large_table_is_predicted_in_pieces_like_a_small_one(searched, folder, monkeypatch):
    """As if everything were large: the table is read, its columns are kept, and rows are predicted in pieces."""
    with_names(folder)
    repeated = pl.concat([pl.read_csv(folder / "named.csv", infer_schema=False)] * 20)
    repeated.write_csv(folder / "long.csv")
    repeated.with_columns(pl.col("x", "y").cast(pl.Float64)).write_parquet(folder / "long.parquet")
    (folder / "long.gz").write_bytes(gzip.compress((folder / "long.csv").read_bytes()))
    names = ("long.csv", "long.parquet", "long.gz")

    def predicted(name, output):
        assert searched("predict", "latest", name, "--keep", "id,remark,x", "-o", output).exit_code == 0
        return Path(output).read_bytes()

    def streamed():
        content = (folder / "long.csv").read_bytes()
        return CliRunner().invoke(app, ["predict", "latest", "-", "--keep", "id"], input=content).stdout

    at_once = [predicted(name, output) for name in names for output in ("out.csv", "out.parquet")]
    stream = streamed()
    for module in (tables, frames, scratch):
        monkeypatch.setattr(module, "PIECES_FROM", 1)
    monkeypatch.setattr(tables, "PIECE", 500)
    monkeypatch.setattr(frames, "_SMALL", 1)
    monkeypatch.setattr(core, "_AT_ONCE", 1)
    assert [predicted(name, output) for name in names for output in ("out.csv", "out.parquet")] == at_once
    assert streamed() == stream


def test_nothing_is_written_where_a_later_row_cannot_be_predicted(searched, folder, monkeypatch):
    monkeypatch.setattr(core, "_AT_ONCE", 1)
    header, *rows = (folder / "blobs.csv").read_text().splitlines()
    first = header.split(",").index("x")
    cells = rows[0].split(",")
    bad = ",".join([*cells[:first], "oops", *cells[first + 1 :]])
    (folder / "new.csv").write_text("\n".join([header, *rows * 20, bad]) + "\n")
    Path("out.csv").write_text("old")
    for output in ("out.csv", "-"):
        done = searched("predict", "latest", "new.csv", "-o", output)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "column 'x' is 'oops' in row 1801" in done.stderr
    assert Path("out.csv").read_text() == "old"
    assert not [each for each in folder.iterdir() if each.suffix == ".tmp"]
