"""Saved models: the same bytes each time, and nothing but a clear sentence from a damaged file."""

import io
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import lrtune
from lrtune.data.columns import arrays_for
from lrtune.data.tables import from_frame
from lrtune.model import averaged, core
from lrtune.model import stored as model
from lrtune.text.errors import ModelError


@pytest.fixture(scope="module")
def trained():
    generator = np.random.default_rng(0)
    frame = {
        "x": generator.normal(size=60),
        "z": np.where(generator.random(60) < 0.1, np.nan, generator.normal(size=60)),
        "c": generator.choice(["a", "b", "c"], size=60),
    }
    labels = np.where(frame["x"] > 0, "yes", "no")
    import polars as pl

    frame = pl.DataFrame(frame)
    return lrtune.Classifier(epochs=4, hidden=(4,)).fit(frame, labels).model_, frame


def test_saving_twice_gives_the_same_bytes_and_digest(trained, tmp_path):
    digests = [model.save(trained[0], tmp_path / name) for name in ("a", "b")]
    assert digests[0] == digests[1]
    for name in (model.DESCRIPTION, model.WEIGHTS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_order_of_a_configuration_does_not_matter(trained, tmp_path):
    (member,) = trained[0].members
    other = replace(member, configuration=dict(reversed(member.configuration.items())))
    turned = replace(trained[0], members=(other,))
    assert model.save(turned, tmp_path / "a") == model.save(trained[0], tmp_path / "b")


def test_a_loaded_model_predicts_what_the_saved_one_did(trained, tmp_path):
    original, frame = trained
    model.save(original, tmp_path)
    before, after = (each.predict(from_frame(frame)) for each in (original, model.load(tmp_path)))
    assert np.array_equal(before.values, after.values)
    assert np.array_equal(before.probabilities, after.probabilities)


def test_new_tables_may_differ_in_order_extras_and_categories(trained):
    original, frame = trained
    import polars as pl

    turned = frame.select("c", "z", "x").with_columns(more=pl.lit(1))
    assert np.array_equal(original.predict(from_frame(turned)).values, original.predict(from_frame(frame)).values)
    unknown = frame.with_columns(c=pl.lit("never seen"))
    assert np.isfinite(original.predict(from_frame(unknown)).probabilities).all()
    with pytest.raises(ModelError, match="lacks the columns 'x', 'z'"):
        original.predict(from_frame(frame.drop("x", "z")))


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("name", [model.DESCRIPTION, model.WEIGHTS])
@pytest.mark.parametrize(
    "damage", [flipped, lambda content: content[: len(content) // 2], lambda _: b"", lambda _: b"[]"]
)
def test_damage_is_recognised(trained, tmp_path, name, damage):
    model.save(trained[0], tmp_path)
    path = tmp_path / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"damaged|cannot be read|not a saved model"):
        model.load(tmp_path)


@pytest.mark.parametrize("name", [model.DESCRIPTION, model.WEIGHTS])
def test_a_missing_file_is_named(trained, tmp_path, name):
    model.save(trained[0], tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=name):
        model.load(tmp_path)


@pytest.mark.parametrize(("number", "said"), [(99, "a newer lrtune"), (1, "an older lrtune .*; search again")])
def test_another_format_is_refused_politely(trained, tmp_path, number, said):
    model.save(trained[0], tmp_path)
    path = tmp_path / model.DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": number}))
    with pytest.raises(ModelError, match=f"made by {said}"):
        model.load(tmp_path)


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_inside_the_weights_is_never_run(trained, tmp_path):
    model.save(trained[0], tmp_path)
    mark = tmp_path / "executed"
    content = io.BytesIO()
    np.savez(content, np.array([Bomb(str(mark))], dtype=object))
    path = tmp_path / model.DESCRIPTION
    described = json.loads(path.read_text())
    described["weights"] = model.hashlib.sha256(content.getvalue()).hexdigest()
    described["digest"] = model._digest({key: each for key, each in described.items() if key != "digest"})
    path.write_text(json.dumps(described))
    (tmp_path / model.WEIGHTS).write_bytes(content.getvalue())
    with pytest.raises(ModelError, match="damaged"):
        model.load(tmp_path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(str(mark)))).close()  # it would have worked
    assert mark.exists()


def many(frame, rows=3_000):
    """Repeat rows until there are so many."""
    import polars as pl

    return pl.concat([frame] * (rows // frame.height + 1)).head(rows)


def test_rows_are_predicted_in_parts_to_the_same_bit(trained, monkeypatch):
    original, frame = trained
    two = averaged([original, original])
    table = from_frame(many(frame))
    at_once = [each.predict(table) for each in (original, two)]
    columns = arrays_for(table, original.schema)
    outputs = original.outputs(columns)
    monkeypatch.setattr(core, "_AT_ONCE", 1)
    for each, whole in zip((original, two), at_once, strict=True):
        assert [len(part.values) for part in each.predictions(table)] == [1024, 1024, 952]
        found = each.predict(table)
        assert np.array_equal(found.values, whole.values)
        assert np.array_equal(found.probabilities, whole.probabilities)
    assert np.array_equal(original.outputs(columns), outputs)
    rows = np.arange(2_999, 500, -1)
    assert np.array_equal(original.outputs(columns, rows), outputs[rows])


def test_a_cell_that_does_not_fit_has_the_number_of_its_row_in_the_table(trained, monkeypatch):
    import polars as pl

    original, frame = trained
    monkeypatch.setattr(core, "_AT_ONCE", 1)
    cells = pl.Series("x", ["1.5"] * 2_000 + ["one"] + ["1.5"] * 999)
    with pytest.raises(ModelError, match="column 'x' is 'one' in row 2001, where numbers are expected"):
        original.predict(from_frame(many(frame).with_columns(cells)))
