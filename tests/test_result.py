"""The typed result: to JSON and back, older layouts, and the schema that describes the file."""

import contextlib
import json
from pathlib import Path

import jsonschema
import pytest
from results import result, standing

from lrtune.text.errors import StudyError
from lrtune.verdict.comparison import Difference, Gain
from lrtune.verdict.conditions import Gate, State
from lrtune.verdict.findings import WARNING, Finding
from lrtune.verdict.reading import from_json, json_schema
from lrtune.verdict.result import (
    SCHEMA,
    Anchor,
    ClassCounts,
    Confirmation,
    Confirmed,
    ConstantRate,
    Control,
    Corrected,
    FirstPruned,
    HeldOut,
    Kind,
    KindDifference,
    Nested,
    OuterScore,
    Rivals,
    Savings,
    Selection,
    Training,
    TriedRate,
    Unscored,
)

BESIDE = {"accuracy": 0.85, "log_loss": 0.4, "roc_auc": None}
WHOLE = result(
    best=standing(
        4, [0.9, 0.8], std=0.07, beside=BESIDE, hidden=(64, 32), learning_rate=0.1, warmup=None, decoupled=True
    ),
    default=standing(0, [0.7, None], state="diverged"),
    gain=Difference(0.1, 0.02, 2, 2, 0.04, 0.98),
    corrected=Corrected("bootstrap", 0.85, 0.01, 0.84, 0.8, 0.9, 2000, 0.6, Gain(0.1, 0.05, 0.2, 0.99)),
    selection=Selection("within 1%", 3, Rivals(2, (1, 3))),
    constant=ConstantRate(2, 0.7),
    anchors=(
        Anchor("majority", 0.5, (0.5, 0.5), {"accuracy": 0.5, "roc_auc": None}, Difference(0.35, 0.1, 2, 2, 0.2, 0.9)),
        Anchor("default", None, (0.7, None), {}, None),
    ),
    control=Control(
        *(4, "cosine", "constant", 0.05, (TriedRate(0.1, 0.8), TriedRate(0.05, None))),
        *(True, (0.9, 0.8, 0.8), (0.7, 0.8, 0.9), 0.1, 0.02, 0.05, 0.15),
    ),
    training=Training(100, 50),
    classes=(ClassCounts("a", 60, 80), ClassCounts("b", 40, 20)),
    confirmation=Confirmation((Confirmed(4, 0.85, None, (0.8, None)),), None),
    nested=Nested(0.8, 0.1, 0.02, 3, (OuterScore(0.8, 30, 4, 0.85),)),
    decays=(Kind("cosine", 3, 4, 0.85, 0.1, KindDifference(0.1, 2, 2)), Kind("constant", 2, 2, 0.7, 0.1, None)),
    test=HeldOut(None, 9, "only class 'a'"),
    unscored=Unscored(3, ((2, "only class 'p'"),)),
    pruning=Savings("race", 3, FirstPruned(1, "after 1 of 2 folds"), 0.3, 1.5),
    fingerprint="0123",
    versions={"lrtune": "1"},
    health=(Finding("edge", WARNING, "sentence", "advice", {"where": {"decay": "step"}, "range": [0.1, 1]}),),
    gates=(Gate("fail-under", State.FAILED, "sentence", {"limit": 0.9, "judged": "mean", "p": None}),),
    notes=("a note",),
)


@pytest.mark.parametrize("made", [WHOLE, result()], ids=["whole", "plain"])
def test_what_is_written_is_read_back(made):
    written = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert from_json(written) == made
    assert from_json(written).to_json() == written


def test_whole_numbers_stay_whole():
    hidden = from_json(json.loads(json.dumps(WHOLE.to_json()))).best.configuration["hidden"]
    assert [type(each) for each in hidden] == [int, int]


def test_names_that_programs_read():
    written = WHOLE.to_json()
    assert (written["metric"], written["default"]["mean"]) == ("accuracy", None)
    assert written["best"]["mean"] == pytest.approx(0.85)
    assert written["best"]["fold_scores"] == [0.9, 0.8]
    assert written["trials"] == {"total": 2, "complete": 2, "pruned": 0, "failed": 0, "diverged": 0}
    assert (written["seconds"]["search"], written["seconds"]["total"]) == (1.0, 1.5)
    assert [written["corrected"][key] for key in ("score", "low", "high")] == [0.84, 0.8, 0.9]
    assert (written["fingerprint"], written["versions"]) == ("0123", {"lrtune": "1"})


@pytest.mark.parametrize("made", [WHOLE, result()], ids=["whole", "plain"])
def test_the_schema_describes_what_is_written(made):
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(made.to_json(), json_schema())
    for key, value in (("best", None), ("metric", 3), ("notes", "x"), ("trials", {})):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**made.to_json(), key: value}, json_schema())


def test_a_result_of_the_first_layout_is_read():
    """Gates had their numbers beside their names, and standings had no state."""
    old = {**WHOLE.to_json(), "schema": 1}
    gate = {"name": "fail-under", "state": "failed", "sentence": "sentence"}
    old["gates"] = [{**gate, "limit": 0.9, "judged": "mean", "p": None}]
    for key in ("best", "default"):
        old[key] = {name: each for name, each in old[key].items() if name != "state"}
    for key in ("unscored", "constant", "confirmation"):
        del old[key]
    found = from_json(old)
    assert found.gates == WHOLE.gates
    assert (found.schema, found.best.state, found.constant) == (SCHEMA, "complete", None)


def test_a_result_of_the_second_layout_is_read():
    """Kinds and the constant rate had errors, and there was nothing beside the best."""
    old = {**WHOLE.to_json(), "schema": 2}
    old["constant"] = {**old["constant"], "gain": {"mean": 0.1, "error": 0.1, "wins": 1, "folds": 2}}
    cosine, constant = old["decays"]
    old["decays"] = [{**cosine, "difference": {**cosine["difference"], "error": 0.1}}, constant]
    for key in ("anchors", "control", "training", "classes"):
        del old[key]
    old["best"] = {key: each for key, each in old["best"].items() if key != "beside"}
    found = from_json(old)
    assert (found.schema, found.constant, found.decays) == (SCHEMA, WHOLE.constant, WHOLE.decays)
    assert (found.anchors, found.control, found.training, found.classes, found.best.beside) == ((), None, None, (), {})
    assert from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: [], "here: is no result of a search"),
        (lambda _: {"schema": 3}, "here: is no result of a search"),
        (lambda whole: {**whole, "schema": 4}, "here: a newer lrtune wrote it (schema 4, this one reads up to 3)"),
        (lambda whole: {**whole, "best": None}, "here: 'best' "),
        (lambda whole: {**whole, "metric": "acuracy"}, "here: 'metric' is unknown; did you mean 'accuracy'?"),
        (
            lambda whole: {**whole, "best": {**whole["best"], "mean": "x"}},
            "here: 'best.mean' input should be a valid number",
        ),
        (lambda whole: {**whole, "notes": [1], "metric": 2}, ", and 1 more problem"),
        (lambda whole: {key: each for key, each in whole.items() if key != "seconds"}, "here: 'seconds' is missing"),
        (lambda whole: {**whole, "gates": [3], "schema": 1}, "here: "),
        (lambda whole: {**whole, "best": 3, "schema": 1}, "here: "),
    ],
)
def test_what_is_no_result_is_one_sentence(change, sentence):
    with pytest.raises(StudyError) as raised:
        from_json(change(WHOLE.to_json()), "here")
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_expectations_are_the_corrected_score_where_there_is_one():
    assert str(WHOLE.expected) == "accuracy 0.84 (95 % interval 0.8 to 0.9)"
    assert str(result().expected) == "accuracy 0.85"


def test_the_shipped_schema_is_the_one_of_the_code():
    shipped = Path(__file__).parent.parent / "docs" / "result.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("value", [5, True, "x", [1], {"x": 1}, [[]]], ids=str)
@pytest.mark.parametrize("key", WHOLE.to_json())
def test_a_field_of_another_type_is_read_or_refused_in_one_sentence(key, value):
    read = None
    with contextlib.suppress(StudyError):
        read = from_json({**WHOLE.to_json(), key: value})
    assert read is None or read.to_json() == {**WHOLE.to_json(), key: value}
