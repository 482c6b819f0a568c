"""The JSON Schema, judged by the `jsonschema` package: it takes what `load` takes, and refuses the usual mistakes."""

from pathlib import Path

import pytest
from experiment_forms import spaces
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from lrtune import experiment
from lrtune.experiment.reading.vocabulary import KEYS
from lrtune.experiment.reading.yaml_text import read_file, read_text
from lrtune.experiment.suited import look, suited
from lrtune.experiment.writing import first_file
from lrtune.training.registry import DECAYS, OPTIMIZERS

SCHEMA = experiment.schema()
VALIDATOR = Draft202012Validator(SCHEMA)
CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))


def is_valid(text):
    return VALIDATOR.is_valid(read_text(text, "x.yaml").values)


def test_it_is_a_schema_of_its_draft():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("draft/2020-12/schema")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_valid(path):
    assert [each.message for each in VALIDATOR.iter_errors(read_file(path).values)] == []


def test_what_lrtune_writes_is_valid():
    made, _ = suited("sklearn:wine")
    assert is_valid(first_file.text(look("sklearn:wine", made.data).found, "x.csv"))
    assert is_valid(made.to_yaml())
    assert is_valid(made.dump(made.configuration(made.space.default())))


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(spaces())
def test_every_legal_space_is_valid(form):
    assert [each.message for each in VALIDATOR.iter_errors({"space": form})] == []


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_optimizers_complete_with_their_factors(optimizer):
    names = [each.name for each in OPTIMIZERS[optimizer].factors]
    fixed = {each.name: each.default for each in OPTIMIZERS[optimizer].factors if each.kind in ("float", "int", "bool")}
    assert VALIDATOR.is_valid({"space": {"optimizer": [{optimizer: fixed}]}})
    assert not VALIDATOR.is_valid({"space": {"optimizer": [{optimizer: {"no_such_factor": 1}}]}})
    assert "no_such_factor" not in names


@pytest.mark.parametrize("decay", sorted(DECAYS))
def test_decays_complete_with_their_factors(decay):
    assert VALIDATOR.is_valid({"space": {"decay": decay}})
    assert VALIDATOR.is_valid({"space": {"decay": {decay: None}}})
    properties = SCHEMA["$defs"][f"decay_{decay}"]["properties"]
    assert list(properties) == [each.name for each in DECAYS[decay].factors]


@pytest.mark.parametrize(
    "text",
    [
        "serach: {}",
        "data: {path: x.csv, target: y, tset_size: 0.1}",
        "data: {target: y}",
        "search: {folds: 1}",
        "search: {strategy: gird}",
        "search: {metric: acuracy}",
        "search: {metric: ''}",
        "search: {metric: bleu, direction: up}",
        "search: {metric: accuracy, direction: maximize}",
        "search: {direction: maximize}",
        "search: {workers: 0}",
        "training: {epochs: ten}",
        "training: {epochs: 0}",
        "training: {learning_rate: 0.1}",
        "model: {type: mpl}",
        "model: {hidden: []}",
        "space: {lerning_rate: 1}",
        "space: {learning_rate: fast}",
        "space: {learning_rate: 0}",
        "space: {learning_rate: {low: 1}}",
        "space: {learning_rate: {low: 1, high: 2, scael: log}}",
        "space: {learning_rate: []}",
        "space: {hidden: [32, 64]}",
        "space: {optimizer: adm}",
        "space: {optimizer: {adam: {beta: 1}}}",
        "space: {optimizer: {adam: {}, sgd: {}}}",
        "space: {decay: [{step: {evry: 1}}]}",
    ],
)
def test_mistakes_are_not_valid(text):
    assert not is_valid(text)


ESTIMATOR = "trainer: {estimator: sklearn.svm.SVC}"
FOREIGN = [
    f"{ESTIMATOR}\nspace: {{C: {{low: 1, high: 2, scale: log}}, kernel: [linear, {{rbf: {{gamma: [1, 2]}}}}]}}",
    f"{ESTIMATOR}\nspace: {{learning_rate: [optimal], decay: 3}}",
    "trainer: {estimator: [a.B, {name: a.C}], timeout: 3m, retry: 1}\nspace: {name__x: [null, true, [1, 2]]}",
    "trainer: {estimator: sklearn.linear_model.SGDClassifier}\nspace: {decay: [cosine], learning_rate: 0.1, alpha: 1}",
    "trainer: train.py:train\ndefaults: {width: 3}\ntraining: {epochs: 3}\nspace: {width: [3, 4], learning_rate: 1}",
    "trainer: {function: a.b:train, keep: true, resources: {gpus: 1}, folder: x}\nspace: {width: {low: 1, high: 3}}",
    "trainer: {command: python x.py, grace: 5, report: {key: a.b, file: m.json}}\nspace: {n: {low: 1, high: 3}}",
    "trainer: {command: [x, 3], report: {pattern: 'a(.*)'}}\nspace: {branch: {one: {a: [1, 2]}}}",
    "trainer: a.py:train\ndata: {loader: a.py:load}\nspace: {a: 1}",
    "trainer: a.py:train\nsearch: {metric: bleu, direction: maximize}\nspace: {a: 1}",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_other_trainers_are_valid_and_their_parameters_are_their_own(text):
    values = read_text(text, "x.yaml").values
    assert [each.message for each in VALIDATOR.iter_errors(values)] == []
    data = "" if "loader" in text else "\ndata: {path: x.csv, target: y}"
    experiment.load_text(text + data)


@pytest.mark.parametrize(
    "text",
    [
        "space: {kernel: [linear, rbf]}",
        "defaults: {width: 3}",
        "trainer: {estimator: SVC}",
        "trainer: {estimator: []}",
        "trainer: {estimator: a.B, command: x}",
        "trainer: {estimator: a.B, folder: x}",
        "trainer: {estimator: a.B, retry: -1}",
        "trainer: {function: train}",
        "trainer: {command: ''}",
        "trainer: {command: x, report: {}}",
        "trainer: {command: x, report: {key: a, pattern: '(b)'}}",
        "trainer: {command: x, resources: {cpus: 1}}",
        "trainer: {commnad: x}",
        f"{ESTIMATOR}\nmodel: {{hidden: [3]}}",
        f"{ESTIMATOR}\nspace: {{C: {{low: 1, hihg: 2}}}}",
        f"{ESTIMATOR}\nspace: {{C: []}}",
        f"{ESTIMATOR}\nspace: {{1C: 3}}",
        f"{ESTIMATOR}\ndefaults: {{C: {{low: 1, high: 2}}}}",
        "trainer: a.py:train\nspace: {learning_rate: fast}",
        "trainer: a.py:train\nspace: {decay: [{step: {evry: 1}}]}",
        "data: {loader: load, path: x}",
    ],
)
def test_mistakes_of_other_trainers_are_not_valid(text):
    assert not is_valid(text)


def test_everything_has_a_description():
    for key in KEYS:
        assert SCHEMA["$defs"][f"key_{key}"]["description"]
    for section in ("data", "model", "training", "search"):
        assert all(each["description"] for each in SCHEMA["properties"][section]["properties"].values())
        assert SCHEMA["properties"][section]["description"]


def test_defaults_are_those_of_an_empty_experiment():
    made = experiment.load_text("data: {path: x.csv, target: y}")
    for section in ("model", "training", "search"):
        for key, described in SCHEMA["properties"][section]["properties"].items():
            if "default" in described and described["default"] is not None:
                value = getattr(getattr(made, section), key)
                assert described["default"] == (list(value) if isinstance(value, tuple) else value)
