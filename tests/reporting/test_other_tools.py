"""Runs handed over to Optuna and MLflow: real ones where they are installed, else stand-ins with the same calls."""

import math
import random
import sys
import types
from pathlib import Path

import pytest

from lrtune.experiment import load_text
from lrtune.reporting import to_mlflow, to_optuna
from lrtune.reporting.parameters import Distribution, Parameters
from lrtune.run.folder import open_run
from lrtune.run.journal import Event, Journal
from lrtune.run.study import FINISHED, REFIT, RESULT, STUDY, TRIAL, result_body
from lrtune.text.errors import LrtuneError, StudyError

EXPERIMENT = """
data: {path: sklearn:digits}
search: {metric: log_loss}
space:
  hidden: [[32], [64, 32]]
  batch_size: [32, 64]
  epochs: {low: 5, high: 50, scale: log}
  weight_decay: {low: 0.0, high: 0.1, scale: linear}
  optimizer:
    - adam: {learning_rate: {low: 1e-4, high: 1e-1, scale: log}}
    - momentum:
        learning_rate: {low: 1e-3, high: 1.0, scale: log}
        momentum: {low: 0.5, high: 0.99, scale: reversed_log}
    - sgd: {learning_rate: [0.1, 0.3], clip_norm: [null, 1.0]}
  decay:
    - constant
    - step: {factor: [0.1, 0.5], every: [5, 10]}
"""
RANGE = Distribution("float", 1e-4, 1e-1, log=True)


@pytest.fixture(scope="module")
def space():
    return load_text(EXPERIMENT).space


def test_the_parameters_of_a_configuration_are_those_of_its_branches(space):
    point = {
        "hidden": (64, 32), "batch_size": 64, "epochs": 20, "weight_decay": 0.01,
        "optimizer": "adam", "learning_rate": 0.01, "decay": "step", "decay.factor": 0.5, "decay.every": 10,
    }  # fmt: skip
    found = Parameters(space).of(point)
    assert found == {
        "optimizer": (Distribution("choice", choices=("adam", "momentum", "sgd")), "adam"),
        "learning_rate (adam)": (RANGE, 0.01),
        "decay": (Distribution("choice", choices=("constant", "step")), "step"),
        "decay.factor": (Distribution("choice", choices=(0.1, 0.5)), 0.5),
        "decay.every": (Distribution("choice", choices=(5, 10)), 10),
        "hidden": (Distribution("choice", choices=("32", "64-32")), "64-32"),
        "batch_size": (Distribution("choice", choices=(32, 64)), 64),
        "epochs": (Distribution("int", 5, 50, log=True), 20),
        "weight_decay": (Distribution("float", 0.0, 0.1), 0.01),
    }


def test_a_name_that_means_the_same_everywhere_stays_as_it_is():
    text = EXPERIMENT.replace("{learning_rate: [0.1, 0.3], clip_norm: [null, 1.0]}", "{clip_norm: [null, 1.0]}")
    found = Parameters(load_text(text + "  learning_rate: {low: 1e-2, high: 1.0, scale: log}").space)
    sampled = load_text(text + "  learning_rate: {low: 1e-2, high: 1.0, scale: log}").space.sample(random.Random(1))
    assert "learning_rate" in found.of(sampled)
    assert not [name for name in found.of(sampled) if "(" in name]


def test_every_value_is_in_its_distribution_and_every_name_has_one_kind(space):
    parameters, kinds = Parameters(space), {}
    for seed in range(300):
        point = space.sample(random.Random(seed))
        found = parameters.of(point)
        assert len(found) == len(point)
        for name, (distribution, value) in found.items():
            inside = distribution.choices or (distribution.low <= value <= distribution.high)
            assert value in distribution.choices if distribution.kind == "choice" else inside
            first = kinds.setdefault(name, distribution)
            assert first.fits(distribution), name


@pytest.fixture
def run(tmp_path, space):
    """A stopped run of seven trials: complete, pruned after one fold, diverged, failed, proposed."""
    folder = tmp_path / "digits-00000001"
    folder.mkdir()
    header = {
        "name": "digits", "metric": "log_loss", "fingerprint": "ab" * 32, "rows": {"train": 8, "test": 2},
        "experiment": {"space": space.canonical()}, "clock": {"versions": {"lrtune": "0"}},
    }  # fmt: skip
    with Journal(folder / "study.db", write=True) as journal:
        journal.append([Event(STUDY, header)])
        points = [space.default(), *(space.sample(random.Random(seed)) for seed in range(6))]
        journal.append([Event(TRIAL, {"trial": n, "configuration": p}) for n, p in enumerate(points)])
        results = [
            result_body(0, [-0.5, -0.7]),
            result_body(1, [-0.2, -0.3]),
            result_body(3, [None, -0.9], [4, None]),
            result_body(4, [], reason="its worker process died"),
            result_body(5, [-0.1, -0.4]),
        ]
        journal.append([Event(RESULT, each) for each in results])
        journal.append([Event(RESULT, {**result_body(2, [-2.0]), "more": True})])
        journal.append([Event("pruned", {"trial": 2, "stage": 0, "reason": "worse than the best"})])
        journal.append([Event(REFIT, {"trial": 1, "test": {"score": -0.25, "rows": 2}, "model": "0"})])
        journal.append([Event(FINISHED, {"reason": "timeout"})])
    (folder / "result.json").write_text("{}")
    return open_run(folder)


STATES = ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "FAIL", "COMPLETE"]
FOLDS = [{1: 0.5, 2: 0.7}, {1: 0.2, 2: 0.3}, {1: 2.0}, {2: 0.9}, {}, {1: 0.1, 2: 0.4}]


@pytest.mark.extra
def test_a_real_optuna_study_has_states_distributions_and_a_value_for_each_fold(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    path = tmp_path / "optuna.db"
    assert to_optuna.export(run, path) == 6
    study = optuna.load_study(study_name="digits-00000001", storage=f"sqlite:///{path}")
    check_study(study, run, study.direction.name)
    assert study.best_trial.user_attrs["trial"] in (1, 5)
    for each in study.trials:
        for name, distribution in each.distributions.items():
            internal = distribution.to_internal_repr(each.params[name])
            assert distribution._contains(internal)


def check_study(study, run, direction):
    assert direction.lower() == "minimize"
    assert [each.state.name for each in study.trials] == STATES
    assert [each.intermediate_values for each in study.trials] == FOLDS
    assert [each.value for each in study.trials][:2] == [0.6, 0.25]
    assert study.user_attrs["finished"] == "timeout"
    assert study.trials[3].user_attrs["reason"] == "diverged on 1 of its folds, first in epoch 4"
    parameters = Parameters(run.space)
    for trial, each in zip(run.trials, study.trials, strict=False):
        assert each.params == {name: value for name, (_, value) in parameters.of(trial.configuration).items()}


class StandInStudy:
    """Takes what the exporter gives, as strictly as Optuna does."""

    def __init__(self, **settings):
        self.settings = settings
        self.user_attrs = {}
        self.trials = []
        self.distributions = {}

    def set_metric_names(self, names):
        self.settings["metric_names"] = names

    def set_user_attr(self, key, value):
        self.user_attrs[key] = value

    def add_trials(self, trials):
        for each in trials:
            assert each.params.keys() == each.distributions.keys()
            for name, new in each.distributions.items():
                old = self.distributions.setdefault(name, new)
                assert old == new if new[0] == "categorical" else (old[0], old[-1]) == (new[0], new[-1])
            self.trials.append(each)


@pytest.fixture
def optuna(monkeypatch):
    made = types.ModuleType("optuna")
    made.studies = []
    made.logging = types.SimpleNamespace(WARNING=30, get_verbosity=lambda: 20, set_verbosity=lambda _level: None)
    states = {name: types.SimpleNamespace(name=name) for name in ("COMPLETE", "PRUNED", "FAIL")}
    made.trial = types.SimpleNamespace(TrialState=states, create_trial=types.SimpleNamespace)
    made.distributions = types.SimpleNamespace(
        CategoricalDistribution=lambda choices: ("categorical", tuple(choices)),
        IntDistribution=lambda low, high, log: ("int", low, high, log),
        FloatDistribution=lambda low, high, log: ("float", low, high, log),
    )

    def create_study(**settings):
        made.studies.append(StandInStudy(**settings))
        Path(settings["storage"].removeprefix("sqlite:///")).touch()
        return made.studies[-1]

    made.create_study = create_study
    monkeypatch.setitem(sys.modules, "optuna", made)
    return made


def test_optuna_is_given_states_distributions_and_a_value_for_each_fold(run, tmp_path, optuna):
    assert to_optuna.export(run, tmp_path / "study.db") == 6
    (study,) = optuna.studies
    check_study(study, run, study.settings["direction"])
    assert study.settings["study_name"] == "digits-00000001"
    assert study.settings["metric_names"] == ["log_loss"]
    assert study.distributions["learning_rate (adam)"] == ("float", 1e-4, 1e-1, True)
    assert (tmp_path / "study.db").is_file()
    assert [each.name for each in tmp_path.iterdir() if "partial" in each.name] == []


@pytest.mark.usefixtures("optuna")
def test_an_optuna_file_that_is_there_is_never_replaced(run, tmp_path):
    (tmp_path / "study.db").write_text("mine")
    with pytest.raises(StudyError, match="is there already; choose another --output"):
        to_optuna.export(run, tmp_path / "study.db")
    assert (tmp_path / "study.db").read_text() == "mine"


class StandInClient:
    def __init__(self, tracking_uri=None):
        self.uri = tracking_uri
        self.runs = {}
        self.artifacts = []
        StandInClient.last = self

    def get_experiment_by_name(self, _name):
        return None

    def create_experiment(self, name):
        self.experiment = name
        return "7"

    def create_run(self, experiment_id, run_name, tags):
        assert experiment_id == "7"
        self.runs[run_name] = {"tags": tags, "metrics": {}, "params": {}, "status": "RUNNING"}
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run_name))

    def log_batch(self, run_id, metrics, params):
        for key, value, _time, step in metrics:
            assert math.isfinite(value)
            self.runs[run_id]["metrics"].setdefault(key, {})[step] = value
        self.runs[run_id]["params"].update(params)

    def log_artifact(self, run_id, path):
        self.artifacts.append((run_id, path.rpartition("/")[2]))

    def set_terminated(self, run_id, status):
        self.runs[run_id]["status"] = status


@pytest.fixture
def mlflow(monkeypatch):
    made = types.ModuleType("mlflow")
    made.tracking = types.SimpleNamespace(MlflowClient=StandInClient)
    made.entities = types.SimpleNamespace(Metric=lambda *four: four, Param=lambda *two: two)
    made.exceptions = types.SimpleNamespace(MlflowException=type("MlflowException", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "mlflow", made)
    return made


@pytest.mark.usefixtures("mlflow")
def test_mlflow_is_given_a_run_for_the_search_and_one_for_each_trial(run):
    assert to_mlflow.export(run, "sqlite:///x.db") == 6
    client = StandInClient.last
    assert (client.uri, client.experiment) == ("sqlite:///x.db", "digits")
    search = client.runs["digits-00000001"]
    assert search["metrics"]["log_loss"] == {0: 0.25}
    assert search["metrics"]["test_log_loss"] == {0: 0.25}
    assert search["status"] == "FINISHED"
    assert client.artifacts == [("digits-00000001", "result.json")]
    trials = [client.runs[f"trial {number}"] for number in range(6)]
    statuses = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}
    assert [each["status"] for each in trials] == [statuses[state] for state in STATES]
    assert [each["metrics"].get("log_loss_fold", {}) for each in trials] == FOLDS
    assert all(each["tags"]["mlflow.parentRunId"] == "digits-00000001" for each in trials)
    assert trials[4]["tags"]["lrtune.reason"] == "its worker process died"
    assert trials[0]["params"]["learning_rate"] == repr(run.trials[0].configuration["learning_rate"])
    assert trials[0]["params"]["hidden"] == "-".join(map(str, run.trials[0].configuration["hidden"]))


@pytest.mark.extra
@pytest.mark.filterwarnings("default")  # what MLflow uses is not ours to mend
def test_a_real_mlflow_store_has_the_runs(run, tmp_path, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.chdir(tmp_path)  # where such a store puts files
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert to_mlflow.export(run, uri) == 6
    client = tracking.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("digits").experiment_id
    runs = {each.info.run_name: each for each in client.search_runs([experiment])}
    assert runs.keys() == {"digits-00000001", *(f"trial {number}" for number in range(6))}
    search = runs.pop("digits-00000001")
    assert search.data.metrics["log_loss"] == 0.25
    assert {each.data.tags["mlflow.parentRunId"] for each in runs.values()} == {search.info.run_id}
    for number, state in enumerate(STATES):
        found = runs[f"trial {number}"]
        steps = client.get_metric_history(found.info.run_id, "log_loss_fold")
        assert {each.step: each.value for each in steps} == FOLDS[number]
        assert found.info.status == {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}[state]


def test_what_mlflow_refuses_is_a_sentence(run, mlflow, monkeypatch):
    def refuse(*_arguments, **_more):
        raise mlflow.exceptions.MlflowException("no such server\nmore")

    monkeypatch.setattr(StandInClient, "create_run", refuse)
    with pytest.raises(LrtuneError, match=r"^MLflow refuses: no such server$"):
        to_mlflow.export(run)


@pytest.mark.parametrize(("name", "exporter"), [("optuna", to_optuna), ("mlflow", to_mlflow)])
def test_what_is_not_installed_is_said(run, tmp_path, monkeypatch, name, exporter):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LrtuneError, match=rf"pip install 'lrtune\[{name}\]'"):
        exporter.export(run, tmp_path / "x.db")
