"""The file's `trainer`, and the space and the defaults of one that is not lrtune's own."""

import pytest

from lrtune.experiment import load, load_text
from lrtune.space.dimensions import Integer, Ordinal, Real
from lrtune.text.errors import ExperimentError

SVC = """\
trainer: {estimator: sklearn.svm.SVC}
data: {path: trees.csv, target: kind}
space:
  kernel: [linear, {rbf: {gamma: {low: 1e-3, high: 1, scale: log}}}]
  C: {low: 0.1, high: 10, scale: log}
"""
LOOP = """\
trainer: train.py:train
data: {path: trees.csv, target: kind}
training: {epochs: 5}
space:
  learning_rate: {low: 1e-3, high: 1, scale: log}
  decay: [constant, {exponential: {k: [0.1, 0.2]}}]
  width: [4, 8]
"""


def problems(text):
    with pytest.raises(ExperimentError) as caught:
        load_text(text, name="file.yaml")
    return [each.partition(": ")[2] for each in caught.value.problems]


def test_an_estimator_has_its_parameters_under_space_and_branches_as_everywhere():
    found = load_text(SVC)
    assert found.trainer.name == "estimator"
    assert found.trainer.said["estimator"] == (("", "sklearn.svm.SVC"),)
    assert not found.trainer.scheduled
    assert [each.name for each in found.space.dimensions] == ["C", "kernel"]
    inner = found.space.dimensions[1].options[1].space.dimensions
    assert inner == (Real("gamma", 1e-3, 1.0, inner[0].preferred, "log"),)
    point = found.space.at if False else found.space.default()
    assert found.configuration(point) == {**point, "numbers": "standard"}


@pytest.mark.parametrize(
    ("written", "kind", "size"),
    [
        ("{low: 1, high: 8}", Integer, 8),
        ("{low: 1.0, high: 8}", Real, float("inf")),
        ("[1, 4, 2]", Ordinal, 3),
    ],
)
def test_a_range_of_a_parameter_is_whole_where_its_ends_are(written, kind, size):
    found = load_text(f"{SVC}  degree: {written}\n").space.dimensions[1]
    assert isinstance(found, kind)
    assert found.size == size


def test_lists_and_names_and_nothing_are_values_of_a_parameter():
    space = load_text(f"{SVC}  hidden_layer_sizes: [[4], [4, 2]]\n  class_weight: [null, balanced]\n").space
    by_name = {each.name: each for each in space.dimensions}
    assert [each.value for each in by_name["hidden_layer_sizes"].options] == [(4,), (4, 2)]
    assert [each.value for each in by_name["class_weight"].options] == [None, "balanced"]


def test_steps_of_a_pipeline_have_the_names_that_scikit_learn_gives_them():
    pipeline = "[sklearn.preprocessing.StandardScaler, {model: sklearn.svm.SVC}]"
    found = load_text(SVC.replace("sklearn.svm.SVC", pipeline)).trainer
    assert found.said["estimator"] == (
        ("standardscaler", "sklearn.preprocessing.StandardScaler"),
        ("model", "sklearn.svm.SVC"),
    )
    assert found.called == "StandardScaler + SVC"


def test_a_function_takes_the_schedule_and_parameters_of_its_own():
    found = load_text(LOOP)
    assert found.trainer.name == "function"
    assert [each.name for each in found.space.dimensions] == ["learning_rate", "decay", "width"]
    whole = found.configuration({"learning_rate": 0.1, "decay": "exponential", "decay.k": 0.2, "width": 8})
    assert {key: whole[key] for key in ("epochs", "batch_size", "warmup", "decay.k", "width")} == {
        "epochs": 5,
        "batch_size": 64,
        "warmup": 0.0,
        "decay.k": 0.2,
        "width": 8,
    }
    assert "optimizer" not in whole
    assert "dropout" not in whole


def test_without_a_rate_there_is_no_schedule_and_no_horizon_that_nobody_named():
    text = LOOP.replace("  learning_rate: {low: 1e-3, high: 1, scale: log}\n", "").replace(
        "  decay: [constant, {exponential: {k: [0.1, 0.2]}}]\n", ""
    )
    found = load_text(text)
    assert found.configuration({"width": 4}) == {"epochs": 5, "numbers": "standard", "width": 4}
    bare = load_text(text.replace("training: {epochs: 5}\n", ""))
    assert bare.configuration({"width": 4}) == {"numbers": "standard", "width": 4}


def test_names_that_lrtune_has_for_its_own_networks_are_free_for_a_function():
    found = load_text(LOOP.replace("width: [4, 8]", "optimizer: [mine, yours]\n  dropout: [0.1, 7]\n  model: [a, b]"))
    assert found.own_names == {"optimizer", "dropout", "model"}


def test_defaults_make_the_default_configuration():
    found = load_text(f"defaults: {{width: 8, learning_rate: 0.02}}\n{LOOP}  depth: 3\n")
    default = found.configuration(found.space.default())
    assert (default["width"], default["depth"], default["learning_rate"]) == (8, 3, 0.02)
    assert found.fixed["depth"] == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"defaults: {{widht: 8}}\n{LOOP}",
            "defaults.widht: expected a name that stands under space, too; did you mean",
        ),
        (f"defaults: {{epochs: 8}}\n{LOOP}", "defaults.epochs: expected a name that stands under space, too; allowed:"),
        (f"defaults: {{gama: 8}}\n{SVC}", "defaults.gama: expected a name that stands under space, too; did you mean"),
    ],
)
def test_a_default_of_what_the_space_does_not_have_is_refused(text, expected):
    assert [each[: len(expected)] for each in problems(text)] == [expected]


def test_a_branch_may_have_defaults_and_the_best_file_does_without_them():
    found = load_text(f"defaults: {{gamma: 0.5}}\n{SVC}")
    assert found.trainer.defaults == {"gamma": 0.5}
    alone = load_text(found.dump(found.configuration({"kernel": "linear", "C": 1.0})))
    assert alone.space.size == 1
    assert alone.trainer.defaults == {}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python x.py {rate}", "trainer.command: {rate} in the command is no parameter; did you mean 'rates'?"),
        (
            "python x.py {widht} {config}",
            "trainer.command: {widht} in the command is no parameter; did you mean 'width'?",
        ),
        ("python x.py {decay.j}", "trainer.command: {decay.j} in the command is no parameter; did you mean 'decay.k'?"),
        ("python x.py {numbers}", "trainer.command: {numbers} in the command is no parameter; allowed: "),
        ("[python, x.py, '{sede}']", "trainer.command: {sede} in the command is no parameter; did you mean 'seed'?"),
    ],
)
def test_names_in_a_command_are_checked_when_it_is_read(command, expected):
    text = LOOP.replace(
        "trainer: train.py:train", f"trainer: {{command: {command if '[' in command else repr(command)}}}"
    )
    assert [each[: len(expected)] for each in problems(text)] == [expected]


@pytest.mark.parametrize(
    "command", ["x {width} {decay.k} {rates} {epochs} {seed} {python}", "sh -c 'echo ${HOME} {width}'"]
)
def test_names_of_a_command_that_stand_for_something_are_fine(command):
    found = load_text(LOOP.replace("trainer: train.py:train", f"trainer: {{command: {command!r}}}"))
    assert found.trainer.name == "command"


def test_rates_are_a_name_only_where_there_is_one():
    text = "trainer: {command: 'x {rates}'}\ndata: {path: trees.csv, target: kind}\nspace: {rate: [1, 2]}\n"
    assert problems(text) == ["trainer.command: {rates} in the command is no parameter; did you mean 'rate'?"]


@pytest.mark.parametrize("text", [SVC, LOOP, f"defaults: {{learning_rate: 0.2, width: 8}}\n{LOOP}"])
def test_what_is_written_loads_as_the_same_experiment(text, tmp_path):
    found = load_text(text, base=tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.yaml").write_text(found.to_yaml(tmp_path / "run"))
    again = load(tmp_path / "run" / "experiment.yaml")
    assert again.canonical() == found.canonical()
    if found.trainer.name == "function":
        assert (again.base / again.trainer.said["folder"]).resolve() == tmp_path.resolve()


def test_a_configuration_that_is_written_out_is_the_only_one_of_its_space(tmp_path):
    found = load_text(LOOP, base=tmp_path)
    point = {"learning_rate": 0.1, "decay": "exponential", "decay.k": 0.2, "width": 8}
    alone = load_text(found.dump(found.configuration(point)), base=tmp_path)
    assert alone.space.size == 1
    assert alone.configuration(alone.space.default()) == found.configuration(point)


def test_the_same_space_is_the_same_in_whatever_order_it_is_written():
    first, second = (
        load_text(LOOP),
        load_text(LOOP.replace("  width: [4, 8]\n", "").replace("space:\n", "space:\n  width: [8, 4]\n")),
    )
    assert first.canonical() == second.canonical()


def test_where_code_lies_and_how_long_it_may_run_is_no_part_of_what_a_result_depends_on():
    long = LOOP.replace(
        "trainer: train.py:train", "trainer: {function: here/train.py:train, timeout: 5m, retry: 3, folder: up}"
    )
    assert load_text(long).canonical() == load_text(LOOP).canonical()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (("{estimator: sklearn.svm.SVC}", "{estimator: SVC}"), "trainer.estimator: expected a class with its module"),
        (
            ("{estimator: sklearn.svm.SVC}", "{}"),
            "trainer: expected one of 'estimator' or 'function' or 'command' in it",
        ),
        (("{estimator: sklearn.svm.SVC}", "{estimator: a.B, command: c}"), "trainer: has estimator and command"),
        (
            ("{estimator: sklearn.svm.SVC}", "{estimator: a.B, retyr: 1}"),
            "trainer.retyr: unknown key; did you mean 'retry'?",
        ),
        (
            ("{estimator: sklearn.svm.SVC}", "{estimatr: a.B}"),
            "trainer: expected one of 'estimator' or 'function' or 'command' in it, got 'estimatr'; did you mean",
        ),
        (
            ("{estimator: sklearn.svm.SVC}", "sklearn.svm.SVC"),
            "trainer: names no trainer; for a class write {estimator: sklearn.svm.SVC}",
        ),
        (("{estimator: sklearn.svm.SVC}", "{estimator: []}"), "trainer.estimator: an empty list is no pipeline"),
        (("{estimator: sklearn.svm.SVC}", "{estimator: [a.B, c.B]}"), "trainer.estimator: two steps are called 'b'"),
        (("{estimator: sklearn.svm.SVC}", "'train.py:'"), "trainer.function: expected file.py:function"),
        (("{estimator: sklearn.svm.SVC}", "{command: 'a \"b'}"), "trainer.command: is no command a shell could read"),
        (
            ("{estimator: sklearn.svm.SVC}", "{command: a, report: {pattern: '(x'}}"),
            "trainer.report: '(x' is no regular",
        ),
        (("{estimator: sklearn.svm.SVC}", "{command: a, report: {pattern: x}}"), "trainer.report: expected one group"),
        (("{estimator: sklearn.svm.SVC}", "{command: a, timeout: soon}"), "trainer.timeout: expected a duration"),
        (
            ("{estimator: sklearn.svm.SVC}", "{command: a, resources: {gpu: 1}}"),
            "trainer.resources: expected {gpus: 1}",
        ),
        (("space:\n", "model: {hidden: [3]}\nspace:\n"), "model: describes lrtune's own networks"),
        (
            ("space:\n", "training: {epochs: 3}\nspace:\n"),
            "training.epochs: has no effect on SVC, which takes no schedule",
        ),
        (("space:\n", "search: {pruning: halving}\nspace:\n"), "search.pruning: 'halving' trains for fewer epochs"),
        (("space:\n", "defaults: {C: {low: 1}}\nspace:\n"), "defaults.C: expected one value"),
        (("space:\n", "defaults: {'a b': 1}\nspace:\n"), "defaults.a b: expected a name that stands under space, too"),
        (("kernel: [linear,", "'k l': [linear,"), "space.k l: expected the name of a parameter"),
        (("kernel: [linear,", "kernel: [linear, {rbf: 3},"), "space.kernel: expected a value, alone or with a mapping"),
        (("C: {low: 0.1, high: 10, scale: log}", "C: .inf"), "space.C: expected a number, a text"),
        (("C: {low: 0.1, high: 10, scale: log}", "C: {low: 1, hihg: 2}"), "space.C.hihg: unknown key of a range"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(changed, expected):
    assert changed[0] in SVC
    assert any(each.startswith(expected) for each in problems(SVC.replace(*changed))), problems(SVC.replace(*changed))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (("  learning_rate: {low: 1e-3, high: 1, scale: log}\n", ""), "space.decay: shapes a rate, and there is none"),
        (("{low: 1e-3, high: 1, scale: log}", "auto"), "space.learning_rate: 'auto' is for lrtune's own networks"),
        (
            ("decay: [constant, {exponential: {k: [0.1, 0.2]}}]", "decay: [constnat]"),
            "space.decay: unknown decay 'constnat'",
        ),
        (("space:\n", "retrain: {ensemble: 3}\nspace:\n"), "retrain.ensemble: of train.py:train one model is trained"),
        (("target: kind}", "target: kind, loader: load.py:load}"), "data.path: has no effect beside data.loader"),
        (("path: trees.csv, target: kind", "loader: load"), "data.loader: expected file.py:function"),
        *(
            (("space:\n", f"search: {{{said}}}\nspace:\n"), f"search.{expected}")
            for said, expected in (
                ("metric: bleu", "metric: unknown value 'bleu'; allowed: 'auto', 'accuracy', "),
                ("metric: acuracy", "metric: unknown value 'acuracy'; did you mean 'accuracy'?; of a metric that trai"),
                ("metric: bleu, direction: up", "direction: unknown value 'up'; allowed: 'maximize', 'minimize'"),
                ("metric: rmse, direction: minimize", "direction: has no effect on rmse, of which smaller is better"),
                ("direction: minimize", "direction: is of a metric that training reports: name it in search.metric"),
                ("metric: a (larger is better), direction: maximize", "metric: 'a (larger is better)' says a directio"),
            )
        ),
    ],
)
def test_what_is_wrong_with_a_function_is_said_in_a_sentence(changed, expected):
    assert changed[0] in LOOP
    assert any(each.startswith(expected) for each in problems(LOOP.replace(*changed))), problems(LOOP.replace(*changed))


def test_a_space_must_say_what_is_searched():
    assert problems(SVC[: SVC.index("space:")]) == [
        "space: is missing: name parameters of SVC, and what to try of each"
    ]


def test_defaults_mean_nothing_to_networks_of_lrtune():
    text = "data: {path: trees.csv, target: kind}\ndefaults: {hidden: [3]}\n"
    assert problems(text) == ["defaults: has no effect on lrtune's own networks, whose defaults are documented"]


def test_nobody_computes_a_metric_of_ones_own_for_an_estimator():
    text = SVC.replace("space:", "search: {metric: bleu, direction: maximize}\nspace:")
    assert any(
        each.startswith("search.metric: 'bleu' is computed by nobody here: a metric of") for each in problems(text)
    )


def test_a_metric_of_ones_own_is_written_as_it_was_read():
    text = LOOP.replace("space:", "search: {metric: bleu, direction: maximize}\nspace:")
    made = load_text(text)
    again = load_text(made.to_yaml(), base=made.base)
    assert (again.search.metric, again.search.direction) == ("bleu", "maximize")
    assert again.metric("regression") == "bleu (larger is better)"
    assert again.canonical() == made.canonical()
    assert "direction" not in load_text(LOOP).canonical()["search"]
