"""Loading as a whole: sections, overrides, the way back to YAML, and the files in `configs`."""

import json
import math
import pickle
from pathlib import Path

import pytest
from experiment_forms import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lrtune import experiment
from lrtune.experiment.reading.sections import SECTIONS, declared, homes, keys_of
from lrtune.experiment.reading.vocabulary import KEYS
from lrtune.experiment.writing.schema import schema
from lrtune.experiment.writing.yaml_text import yaml_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.text.errors import ExperimentError
from lrtune.training.registry import DATA_KEYS, DECAYS, METRICS, MODEL_KEYS, OPTIMIZERS, TRAINING_KEYS, complete

CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))
DATA = "data: {path: x.csv, target: y}\n"


def load(text, *overrides, tmp_path=None, **options):
    if tmp_path is None:
        return experiment.load_text(DATA + text if "data:" not in text else text, name="x.yaml")
    path = tmp_path / "x.yaml"
    path.write_text(DATA + text if "data:" not in text else text)
    return experiment.load(path, overrides, **options)


def mistakes(text, *overrides, tmp_path=None, **options):
    with pytest.raises(ExperimentError) as caught:
        load(text, *overrides, tmp_path=tmp_path, **options)
    prefix = f"{tmp_path}/" if tmp_path else ""
    return [each.removeprefix(prefix) for each in caught.value.problems]


def test_five_mistakes_are_five_messages_with_their_lines():
    text = """\
data:
  path: x.csv
  target: y
  tset_size: 0.3
training:
  epochs: ten
search:
  strategy: gird
space:
  learning_rate: {low: 1, high: 1e-3}
  decay:
    - step: {evry: [5]}
"""
    assert mistakes(text) == [
        "x.yaml:4: data.tset_size: unknown key; did you mean 'test_size'?",
        "x.yaml:6: training.epochs: expected a whole number of at least 1, got 'ten'",
        "x.yaml:8: search.strategy: unknown value 'gird'; did you mean 'grid'?",
        "x.yaml:10: space.learning_rate: low must be below high, got 1.0 and 0.001",
        "x.yaml:12: space.decay.step.evry: unknown factor; did you mean 'every'?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("serach: {}\n", "x.yaml:2: serach: unknown section; did you mean 'search'?"),
        ("search: 5\n", "x.yaml:2: search: must be a mapping of keys, got 5"),
        ("space: [adam]\n", "x.yaml:2: space: must be a mapping of keys such as learning_rate, got ['adam']"),
        ("search: {folds: 1}\n", "x.yaml:2: search.folds: expected at least 2, got 1"),
        ("search: {folds: 5.0}\n", "x.yaml:2: search.folds: expected a whole number, got 5.0"),
        ("search: {folds: null}\n", "x.yaml:2: search.folds: expected a whole number, got null"),
        ("search: {trials: '50'}\n", "x.yaml:2: search.trials: expected a whole number, got '50'"),
        ("search: {trials: true}\n", "x.yaml:2: search.trials: expected a whole number, got true"),
        ("search: {trials: 0}\n", "x.yaml:2: search.trials: expected at least 1, got 0"),
        ("search: {seed: -1}\n", "x.yaml:2: search.seed: expected at least 0, got -1"),
        ("search: {seed: 4294967296}\n", "x.yaml:2: search.seed: expected at most 4294967295, got 4294967296"),
        ("search: {seed: 99999999999999999999999}\n", "x.yaml:2: search.seed: expected "),
        ("search: {strategy: annealing}\n", "x.yaml:2: search.strategy: unknown value 'annealing'; allowed: "),
        ("search: {metric: acuracy}\n", "x.yaml:2: search.metric: unknown value 'acuracy'; did you mean 'accuracy'?"),
        (
            "search: {metric: [accuracy]}\n",
            "x.yaml:2: search.metric: unknown value ['accuracy']; did you mean 'accuracy'?",
        ),
        ("search: {splitter: k_fold}\n", "x.yaml:2: search.splitter: unknown value 'k_fold'; did you mean 'kfold'?"),
        (
            "search: {workers: many}\n",
            "x.yaml:2: search.workers: expected 'auto' or a whole number from 1 to 1024, got 'many'",
        ),
        (
            "search: {workers: true}\n",
            "x.yaml:2: search.workers: expected 'auto' or a whole number from 1 to 1024, got true",
        ),
        ("search: {splitter: group}\n", "x.yaml:2: search.splitter: 'group' needs data.group"),
        ("search: {epochs: 3}\n", "x.yaml:2: search.epochs: unknown key; epochs belongs under training"),
        (
            "training: {learning_rate: 3}\n",
            "x.yaml:2: training.learning_rate: unknown key; learning_rate belongs under space, where a scalar is fixed",
        ),
        ("training: {hidden: [3]}\n", "x.yaml:2: training.hidden: unknown key; hidden belongs under model"),
        ("training: {dtype: float16}\n", "x.yaml:2: training.dtype: expected "),
        (
            "training: {weight_decay: null}\n",
            "x.yaml:2: training.weight_decay: expected a number of at least 0, got null",
        ),
        ("model: {type: tree}\n", "x.yaml:2: model.type: expected "),
        ("model: {hidden: 64}\n", "x.yaml:2: model.hidden: expected a list of whole numbers of at least 1, got 64"),
        ("model: {dropout: 1}\n", "x.yaml:2: model.dropout: expected a number of at least 0 and below 1, got 1.0"),
        ("model: {type: linear}\nspace: {hidden: [[3]]}\n", "x.yaml:3: space.hidden: has no effect on a linear model"),
        (
            "model:\n  hidden: [3]\nspace:\n  hidden: [[3]]\n",
            "x.yaml:5: space.hidden: is given by model.hidden in line 3 as well; keep one of the two",
        ),
        (
            "model: {type: mlp}\nspace: {model: mlp}\n",
            "x.yaml:3: space.model: is given by model.type in line 2 as well",
        ),
        (
            "training: {warmup: 0}\nspace: {warmup: 0}\n",
            "x.yaml:3: space.warmup: is given by training.warmup in line 2 as well",
        ),
        (
            "training: {weight_decay: 0}\nspace:\n  optimizer:\n    adamw: {weight_decay: 0.1}\n",
            "x.yaml:5: space.optimizer.adamw.weight_decay: is given by training.weight_decay in line 2 as well",
        ),
        (
            "space: {warmup_shape: [linear, exponential], warmup_start: [0, 0.5]}\n",
            "x.yaml:2: space.warmup_start: an exponential warm-up cannot start from 0",
        ),
        (
            "training: {warmup_start: 0}\nspace: {warmup_shape: exponential}\n",
            "x.yaml:2: training.warmup_start: an exponential warm-up cannot start from 0",
        ),
        (
            "search: {strategy: grid}\nspace:\n  optimizer:\n    - adam: {learning_rate: {low: 0.1, high: 1}}\n",
            "x.yaml:5: space.optimizer.adam.learning_rate: a grid needs finite dimensions; add `points: 5`",
        ),
        (
            "data: {path: x.csv}\n",
            "x.yaml:1: data.target: is missing: name the column to predict, here or with --target",
        ),
        ("data: {target: y}\n", "x.yaml:1: data.path: is missing: name the table to learn from, here or with --data"),
        ("data: {path: 5, target: y}\n", "x.yaml:1: data.path: expected text, got 5"),
        ("data: {path: '', target: y}\n", "x.yaml:1: data.path: expected some text, got ''"),
        ("data: {path: x.csv, target: [y]}\n", "x.yaml:1: data.target: expected text, got ['y']"),
        (
            "data: {path: x.csv, target: y, task: clasification}\n",
            "x.yaml:1: data.task: unknown value 'clasification'; did you mean 'classification'?",
        ),
        (
            "data: {path: x.csv, target: y, test_size: 1}\n",
            "x.yaml:1: data.test_size: expected a number below 1, got 1",
        ),
        ("data: {path: x.csv, target: y, test_size: .nan}\n", "x.yaml:1: data.test_size: expected "),
        ("data: {path: x.csv, target: y, ignore: [a, a]}\n", "x.yaml:1: data.ignore: 'a' is listed twice"),
        (
            "data: {path: x.csv, target: y, ignore: [[a]]}\n",
            "x.yaml:1: data.ignore: expected a list of texts, got ['a'] in it",
        ),
        ("data: {path: x.csv, target: y, ignore: y}\n", "x.yaml:1: data.ignore: column 'y' is the target"),
        ("data: {path: x.csv, target: y, group: y}\n", "x.yaml:1: data.group: column 'y' is data.target already"),
        (
            "data: {path: x.csv, target: y, decimal: ',', thousands: ','}\n",
            "x.yaml:1: data.thousands: is ',', which is data.decimal already",
        ),
        ("data: {path: x.csv, target: y, thousands: _}\n", "x.yaml:1: data.thousands: unknown value '_'"),
        (
            "data: {path: x.csv, target: y, separator: ab}\n",
            "x.yaml:1: data.separator: expected one character or 'tab'",
        ),
        ("data: {path: x.csv, target: y, comment: ''}\n", "x.yaml:1: data.comment: expected some text, got ''"),
        ("data: {path: x.csv, target: y, header: maybe}\n", "x.yaml:1: data.header: expected true or false"),
        ("data: {path: x.csv, target: y, missing: [null]}\n", "x.yaml:1: data.missing: expected a list of texts, got"),
        *(
            (
                f"data: {{path: x.csv, target: y, skip: {skip}}}\n",
                f"x.yaml:1: data.skip: expected a number of lines, or {{head: 3, tail: 2}}, got {got}",
            )
            for skip, got in [("-1", "-1"), ("a", "'a'"), ("{}", "{}"), ("{top: 3}", "{top: 3}"), ("[3, 2]", "[3, 2]")]
        ),
        (
            "data: {path: x.csv, target: y, features: [a], ignore: [a]}\n",
            "x.yaml:1: data.ignore: column 'a' stands under data.features as well",
        ),
        (
            "data: {path: x.csv, target: y, test_path: z.csv, test_size: 0.1}\n",
            "x.yaml:1: data.test_size: has no effect beside data.test_path",
        ),
        (
            "data: {path: x.csv, target: y, group: g, order: t}\n",
            "x.yaml:1: search.splitter: must say 'group' or 'time_series'",
        ),
        (
            "data: {path: x.csv, target: y, group: g}\nsearch: {splitter: kfold}\n",
            "x.yaml:1: data.group: has no effect on the splitter 'kfold'",
        ),
        (
            "data: {path: x.csv, target: y, order: t}\nsearch: {repeats: 2}\n",
            "x.yaml:2: search.repeats: time-series folds have one order",
        ),
        ("data: {path: x.csv, target: y, positive: [a]}\n", "x.yaml:1: data.positive: expected one class, got ['a']"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(text, expected):
    found = mistakes(text)
    assert len(found) == 1
    assert found[0].startswith(expected)


class TestDefaults:
    def test_the_smallest_experiment(self):
        made = load("")
        assert (made.name, made.search.trials, made.search.folds, made.data.test_size) == ("x.yaml", 50, 5, 0.2)
        assert made.space == experiment.parse_space(experiment.default_space())
        assert made.configuration(made.space.default()) == complete({})

    def test_empty_sections_are_sections(self):
        assert load("model:\ntraining:\nsearch:\nspace:\n").space == load("").space

    def test_a_grid_has_all_its_points_as_trials_unless_told(self):
        text = "search: {strategy: grid%s}\nspace: {learning_rate: [0.1, 1], warmup: [0, 0.1, 0.2]}\n"
        assert load(text % "").search.trials == 6
        assert load(text % ", trials: 4").search.trials == 4

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_a_round_suits_the_strategy_unless_told(self, strategy):
        text = "search: {strategy: %s%s}\nspace: {learning_rate: [0.1, 1]}\n"
        suited = 8 if strategy in ("bayesian", "tpe") else 256
        assert load(text % (strategy, "")).search.round == suited
        assert load(text % (strategy, ", round: 32")).search.round == 32
        written = load(text % (strategy, "")).to_yaml()
        assert load(written.replace(f"strategy: {strategy}", "strategy: bayesian")).search.round == 8

    def test_each_optimizer_brings_its_own_weight_decay_unless_told(self):
        text = "space: {optimizer: [adam, adamw]}\n"
        points = [load(text).space.at(number) for number in range(2)]
        assert [load(text).configuration(each)["weight_decay"] for each in points] == [
            OPTIMIZERS["adam"].weight_decay,
            OPTIMIZERS["adamw"].weight_decay,
        ]
        fixed = load("training: {weight_decay: 0.5}\n" + text)
        assert {fixed.configuration(each)["weight_decay"] for each in points} == {0.5}


class TestOverrides:
    TEXT = """\
training: {epochs: 5, batch_size: 64}
search: {trials: 9}
space:
  learning_rate: [0.1, 0.2]
  warmup: [0, 0.1]
"""

    def load(self, tmp_path, *overrides, **options):
        return load(self.TEXT, *overrides, tmp_path=tmp_path, **options)

    def test_values_are_yaml(self, tmp_path):
        made = self.load(
            tmp_path,
            "search.trials=20",
            "space.learning_rate={low: 1e-3, high: 1}",
            "data.positive=yes",
            "training.clip_norm=5",
        )
        assert made.search.trials == 20
        assert made.space.size == math.inf
        assert made.data.positive == "yes"
        assert made.fixed["clip_norm"] == 5.0

    def test_sections_and_keys_that_are_not_there_yet(self, tmp_path):
        made = self.load(tmp_path, "model.hidden=[3, 4]", "space.decay={step: {every: [5, 10]}}")
        assert made.fixed["hidden"] == (3, 4)
        assert made.space.size == 2 * 2 * 2

    def test_an_override_wins_over_the_same_key_in_its_other_place(self, tmp_path):
        assert self.load(tmp_path, "space.batch_size=[32, 128]").space.size == 8
        assert self.load(tmp_path, "training.warmup=0").space.size == 2
        assert self.load(tmp_path, "space={epochs: [1, 2, 3]}").space.size == 3
        assert self.load(tmp_path, "space.epochs=[1, 2]", "training.epochs=7").fixed["epochs"] == 7

    @pytest.mark.parametrize(("key", "value"), [("learning_rate", 0.5), ("ema", 0.9), ("rate_factors.bias", 3.0)])
    def test_an_override_wins_over_the_same_key_in_the_branches_of_the_file(self, tmp_path, key, value):
        head, _, inner = key.partition(".")
        own = f"{head}: {{{inner}: 2.0, first: 2.0}}" if inner else f"{key}: 0.25"
        text = f"space: {{optimizer: [{{sgd: {{{own}}}}}, {{adam: {{beta1: 0.8, {own}}}}}, adamw]}}\n"
        made = load(text, f"space.{key}={value}", tmp_path=tmp_path)
        points = [made.configuration(made.space.at(number)) for number in range(3)]
        assert [each[key] for each in points] == [value] * 3
        assert points[1]["optimizer.beta1"] == 0.8
        said = "space.optimizer=[{sgd: {ema: 0.25}}, adam]", "space.ema=0.9"
        for overrides in (said, said[::-1]):
            named = load(text, *overrides, tmp_path=tmp_path)
            assert [named.configuration(named.space.at(number))["ema"] for number in range(2)] == [0.25, 0.9]

    def test_a_linear_model_is_not_asked_for_layers(self, tmp_path):
        text = "model: {type: mlp}\nspace: {hidden: [[3], [5]], dropout: [0, 0.1], warmup: [0, 0.1]}\n"
        for told, size in (("model.type=linear", 2), ("space.model=linear", 2), ("space.model=[mlp, linear]", 10)):
            assert load(text, told, tmp_path=tmp_path).space.size == size

    def test_test_rows_from_a_file_win_over_a_share(self, tmp_path):
        text = "data: {path: x.csv, target: y, test_size: 0.3}\n"
        (tmp_path / "y.yaml").write_text(text)
        assert experiment.load(tmp_path / "y.yaml", ["data.test_path=z.csv"]).data.test_path == "z.csv"
        with pytest.raises(ExperimentError, match="keep one of the two"):
            experiment.load(tmp_path / "y.yaml", ["data.test_path=z.csv", "data.test_size=0.1"])

    def test_the_last_one_counts(self, tmp_path):
        assert self.load(tmp_path, "search.trials=20", "search.trials=30").search.trials == 30

    @pytest.mark.parametrize(
        ("override", "expected"),
        [
            ("search.trilas=20", "--set search.trilas=20: search.trilas: unknown key; did you mean 'trials'?"),
            ("search.trials=many", "--set search.trials=many: search.trials: expected a whole number, got 'many'"),
            ("search.trials=", "--set search.trials=: search.trials: expected a whole number, got null"),
            ("search.trials", "--set search.trials: must have the form key.path=value, such as search.trials=20"),
            ("=3", "--set =3: must have the form key.path=value, such as search.trials=20"),
            ("search..trials=3", "--set search..trials=3: must have the form key.path=value, such as search.trials=20"),
            ("space.decay=[a", "--set space.decay=[a: not valid YAML: expected ',' or ']', but got '<stream end>'"),
            (
                "space.decay={step: {evry: 1}}",
                "--set space.decay={step: {evry: 1}}: space.decay.step.evry: unknown factor; did you mean 'every'?",
            ),
            (
                "space.warmup={low: 0, low: 1}",
                "--set space.warmup={low: 0, low: 1}: space.warmup.low: duplicate key; it is given twice",
            ),
            (
                "space.warmup.low=3",
                "--set space.warmup.low=3: space.warmup is [0, 0.1] and has no keys; set space.warmup as a whole",
            ),
            ("serach.trials=3", "--set serach.trials=3: serach: unknown section; did you mean 'search'?"),
            ("search=3", "--set search=3: search: must be a mapping of keys, got 3"),
            (
                "model.type=[linear, mlp]",
                (
                    "--set model.type=[linear, mlp]: model.type: expected 'linear' or 'mlp', got ['linear', 'mlp']; "
                    "values to choose from belong under space.model"
                ),
            ),
            (
                "model.hidden=[[64], [32]]",
                (
                    "--set model.hidden=[[64], [32]]: model.hidden: expected a list of whole numbers of at least 1, "
                    "got [[64], [32]]; values to choose from belong under space.hidden"
                ),
            ),
            (
                "training.dtype=[float32, float64]",
                (
                    "--set training.dtype=[float32, float64]: training.dtype: expected 'float32' or 'float64', got "
                    "['float32', 'float64']"
                ),
            ),
        ],
    )
    def test_mistakes_name_the_option(self, tmp_path, override, expected):
        found = mistakes(self.TEXT, override, tmp_path=tmp_path)
        assert found[0] == expected

    def test_mistakes_of_the_file_come_first(self, tmp_path):
        found = mistakes("search: {folds: 0}\n", "search.trials=x", tmp_path=tmp_path)
        assert [each.split(":")[0] for each in found] == ["x.yaml", "--set search.trials=x"]

    def test_a_table_on_the_command_line_is_relative_to_the_working_folder(self, tmp_path, monkeypatch):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        monkeypatch.chdir(folder)
        made = self.load(tmp_path, data="t.csv", target="z")
        assert made.base / made.data.path == folder / "t.csv"
        assert made.data.target == "z"
        assert made.name == "x"


class TestMetric:
    @pytest.mark.parametrize(
        ("task", "expected"), [("binary", "log_loss"), ("multiclass", "log_loss"), ("regression", "rmse")]
    )
    def test_auto_follows_the_task(self, task, expected):
        assert load("").metric(task) == expected

    @pytest.mark.parametrize("task", experiment.TASKS)
    @pytest.mark.parametrize("name", sorted(METRICS))
    def test_a_metric_must_fit_the_task(self, task, name):
        made = load(f"search: {{metric: {name}}}\n")
        if task in METRICS[name].tasks:
            assert made.metric(task) == name
            return
        with pytest.raises(
            ExperimentError, match=f"x.yaml:2: search.metric: '{name}' is for .* targets and this one is {task}; "
        ):
            made.metric(task)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("training: {class_weight: balanced}\n", "x.yaml:2: training.class_weight: needs classes"),
            ("training: {label_smoothing: 0.1}\n", "x.yaml:2: training.label_smoothing: needs classes"),
            ("space: {label_smoothing: [0, 0.1]}\n", "x.yaml:2: space.label_smoothing: needs classes"),
            ("search: {splitter: stratified}\n", "x.yaml:2: search.splitter: 'stratified' needs classes"),
        ],
    )
    def test_what_needs_classes_is_refused_for_values(self, text, expected):
        assert load(text).metric("binary") == "log_loss"
        with pytest.raises(ExperimentError) as caught:
            load(text).metric("regression")
        assert caught.value.problems[0].startswith(expected)


class TestCanonical:
    def test_budgets_names_and_paths_do_not_count(self):
        one = load("search: {trials: 3, workers: 2}\n")
        other = experiment.load_text("data: {path: /elsewhere.csv, target: y}\n", name="other")
        assert json.dumps(one.canonical(), sort_keys=True) == json.dumps(other.canonical(), sort_keys=True)

    @pytest.mark.parametrize(
        "text",
        [
            "search: {seed: 1}\n",
            "search: {folds: 4}\n",
            "search: {strategy: grid}\nspace: {warmup: 0}\n",
            "training: {epochs: 29}\n",
            "training: {dtype: float64}\n",
            "training: {weight_decay: 0.0}\n",
            "model: {hidden: [64, 64]}\n",
            "data: {path: x.csv, target: y, test_size: 0.3}\n",
            "data: {path: x.csv, target: y, positive: a}\n",
            "space: {warmup: [0, 0.1]}\n",
        ],
    )
    def test_everything_else_does(self, text):
        assert load(text).canonical() != load("").canonical()

    def test_the_way_of_writing_does_not(self):
        one = load(
            "training: {epochs: 10, batch_size: 8}\nspace: {warmup: [0.1, 0], epochs: 5}\n".replace("epochs: 10, ", "")
        )
        other = load("space:\n  epochs: 5\n  warmup: [0.0, 1e-1]\ntraining:\n  batch_size: 8\n")
        assert one.canonical() == other.canonical()
        json.dumps(one.canonical(), allow_nan=False)


class TestWriting:
    @settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
    @given(spaces(), st.integers(0, 2**32 - 1))
    def test_a_dumped_configuration_loads_as_exactly_that_configuration(self, form, seed):
        made = experiment.load_text(yaml_text({"data": {"path": "x.csv", "target": "y"}, "space": form}))
        for point in (made.space.default(), made.space.sample(_Sequence(seed))):
            configuration = made.configuration(point)
            again = experiment.load_text(made.dump(configuration))
            assert again.space.size == 1
            assert again.configuration(again.space.default()) == configuration
            assert again.configuration({}) == configuration

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(spaces())
    def test_the_whole_experiment_can_be_written_and_loaded(self, form):
        made = experiment.load_text(yaml_text({"data": {"path": "x.csv", "target": "y"}, "space": form}))
        again = experiment.load_text(made.to_yaml())
        assert again.canonical() == made.canonical()
        assert again.space == made.space
        assert again.fixed == made.fixed

    def test_configurations_that_went_through_json_can_be_dumped(self):
        made = load("space: {hidden: [[3, 4]], decay: {multistep: {milestones: [[2, 5]]}}}\n")
        configuration = made.configuration(made.space.default())
        assert made.dump(json.loads(json.dumps(configuration))) == made.dump(configuration)

    def test_overrides_are_written(self, tmp_path):
        made = load("search: {trials: 3}\n", "search.trials=4", "space.warmup=[0, 0.5]", tmp_path=tmp_path)
        again = experiment.load_text(made.to_yaml())
        assert (again.search.trials, again.space) == (4, made.space)

    @pytest.mark.parametrize(
        "said",
        [
            {"missing": []},
            {"missing": ["NA", "-", "none", "1"]},
            {"comment": "#", "skip": {"head": 3, "tail": 2}, "header": False},
            {"header": True, "thousands": " ", "decimal": ",", "separator": "tab"},
        ],
    )
    def test_what_is_said_of_reading_is_kept(self, said):
        text = json.dumps({"data": {"path": "x.csv", "target": "y", **said}})
        made = experiment.load_text(text)
        again = experiment.load_text(made.to_yaml())
        fixed = experiment.load_text(made.dump(made.configuration(made.space.default())))
        assert again.canonical() == made.canonical()
        assert fixed.canonical()["data"] == made.canonical()["data"]
        unsaid = experiment.load_text(json.dumps({"data": {"path": "x.csv", "target": "y"}}))
        assert unsaid.canonical() != made.canonical()

    def test_lines_to_skip_are_those_above(self):
        one, other = (experiment.load_text(DATA.replace("}", f", skip: {skip}}}")) for skip in ("3", "{head: 3}"))
        assert one.data == other.data
        assert one.data.skip == {"head": 3, "tail": 0}

    def test_paths_follow_the_file(self, tmp_path):
        (tmp_path / "configs").mkdir()
        path = tmp_path / "configs" / "x.yaml"
        path.write_text("data: {path: ../data/x.csv, target: y, test_path: /abs/z.csv}\n")
        made = experiment.load(path)
        run = tmp_path / "runs" / "x-1"
        written = experiment.load_text(made.to_yaml(run)).data
        assert written.path == "../../data/x.csv"
        assert (run / written.test_path).resolve() == Path("/abs/z.csv")
        assert experiment.load_text(made.to_yaml()).data.path == str(tmp_path / "configs/../data/x.csv")
        named = experiment.load_text("data: {path: 'sklearn:digits'}\n")
        assert experiment.load_text(named.to_yaml(run)).data.path == "sklearn:digits"

    def test_texts_that_look_like_something_else_stay_texts(self):
        text = (
            "data: {path: x.csv, target: 'yes', positive: 'no', ignore: ['1e-4', 'null'], missing: ['-999', 'off']}\n"
        )
        again = experiment.load_text(load(text).to_yaml()).data
        assert (again.target, again.positive, again.ignore, again.missing) == (
            "yes",
            "no",
            ("1e-4", "null"),
            ("-999", "off"),
        )


class _Sequence:
    """A source of numbers that is not NumPy's, so that nothing here depends on it."""

    def __init__(self, seed):
        self.state = seed

    def random(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state / 2**64


def test_experiments_are_frozen_and_can_be_sent_to_other_processes():
    made = load("space: {warmup: [0, 0.1]}\n")
    with pytest.raises(ValidationError, match="frozen"):
        made.search.trials = 3
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert again.configuration(again.space.default()) == made.configuration(made.space.default())


def test_the_sections_have_every_key_of_the_registry_and_its_default():
    assert {each for each in declared("model") if each != "type"} == set(MODEL_KEYS) - {"model"}
    assert set(declared("training")) - {"dtype"} == set(TRAINING_KEYS) - {"learning_rate", "optimizer", "decay"}
    assert list(KEYS) == [*TRAINING_KEYS, *MODEL_KEYS, *DATA_KEYS]
    assert set(homes()) == set(KEYS) - {"learning_rate", "optimizer", "decay"}
    made = load("")
    for flat, (section, key) in homes().items():
        if flat != "weight_decay":  # its default is the optimizer's
            assert getattr(getattr(made, section), key) == KEYS[flat].default


def test_every_field_says_what_it_means():
    for name in SECTIONS:
        properties = schema()["properties"][name]["properties"]
        assert all(properties[key.partition(".")[0]]["description"] for key in keys_of(name))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configs_load_and_can_be_written(path):
    made = experiment.load(path)
    assert made.name == path.stem
    assert (made.base / made.data.path).is_file()
    assert made.space.contains(made.space.default())
    assert experiment.load_text(made.to_yaml()).canonical() == made.canonical()
    assert "# " in path.read_text().splitlines()[0]


def test_there_are_configs():
    names = {each.stem for each in CONFIGS}
    assert names >= {"digits", "penguins", "concrete", "hpc_jobs", "birdstrikes", "wine", "breast_cancer"}


@pytest.mark.parametrize("decay", sorted(DECAYS))
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_names_alone_are_a_complete_space(optimizer, decay):
    made = load(f"space: {{optimizer: {optimizer}, decay: [{decay}]}}\n")
    assert made.configuration(made.space.default()) == complete({"optimizer": optimizer, "decay": decay})


# ---------------------------------------------------------------------------------------------------------- mutations


def is_loaded_or_explained(text):
    problems = ()
    try:
        made = experiment.load_text(text)
    except ExperimentError as error:
        problems = error.problems
    else:
        assert made.space.contains(made.space.default())
        assert made.configuration(made.space.default())
        return
    assert problems
    assert all("\n" not in each and len(each) < 2000 for each in problems)


WHOLE = next(each for each in CONFIGS if each.stem == "digits").read_text()


@settings(deadline=None, max_examples=250)
@given(st.data())
def test_a_damaged_file_is_loaded_or_explained(data):
    """Lines dropped, doubled, indented, characters replaced: never anything but an `ExperimentError`."""
    lines = WHOLE.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        column = data.draw(st.integers(0, len(line)))
        piece = data.draw(
            st.sampled_from(
                [
                    "",
                    " ",
                    "  ",
                    "\t",
                    ":",
                    "- ",
                    "{",
                    "}",
                    "[",
                    "]",
                    "'",
                    '"',
                    "#",
                    "&a ",
                    "*a",
                    "!",
                    "1e400",
                    "null",
                    ",",
                    "|",
                    "%",
                    "é",
                    "\x85",
                    "true",
                    "0",
                    "-",
                    "?",
                ]
            )
        )
        how = data.draw(st.integers(0, 3))
        lines[place : place + 1] = [
            [line[:column] + piece + line[column + 1 :]],
            [line[:column] + piece + line[column:]],
            [line, line],
            [" " + line],
        ][how]
    is_loaded_or_explained("\n".join(lines))


leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["adam", "step", "auto", "mlp"]),
)
words = st.sampled_from(
    [
        "data",
        "model",
        "training",
        "search",
        "space",
        "optimizer",
        "decay",
        "step",
        "adam",
        "mlp",
        "linear",
        "learning_rate",
        "low",
        "high",
        "scale",
        "points",
        "hidden",
        "path",
        "target",
        "ignore",
        "epochs",
        "every",
        "final",
        "momentum",
        "join",
        "first",
        "workers",
        "x",
    ]
)
trees = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)


@settings(deadline=None, max_examples=250)
@given(
    st.fixed_dictionaries(
        {"data": trees | st.just({"path": "x", "target": "y"})},
        optional={each: st.dictionaries(words, trees, max_size=4) for each in ("model", "training", "search", "space")},
    )
)
def test_any_values_are_loaded_or_explained(values):
    is_loaded_or_explained(yaml_text(values))
