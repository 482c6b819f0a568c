"""Every name that an experiment may contain, with its factors, legal values and defaults; no NumPy in here.

`DECAYS`, `OPTIMIZERS`, `METRICS`, `NUMBERS`, `TRAINING_KEYS`, `MODEL_KEYS` and `DATA_KEYS` are the tables that the
search space, the validation, the documentation and ``--help`` read.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping

from lrtune.training.decays.catalogue import DECAYS, Decay
from lrtune.training.declarations import (
    Configuration,
    Factor,
    Names,
    Range,
    Value,
    check_value,
    describe_range,
)
from lrtune.training.metrics.catalogue import METRICS, Metric, usual_metric
from lrtune.training.numbers.catalogue import NUMBERS, USUAL
from lrtune.training.optimizers.catalogue import OPTIMIZERS, Optimizer

__all__ = [
    "BUILT_IN",
    "COMMAND",
    "DATA_KEYS",
    "DECAYS",
    "ESTIMATOR",
    "FUNCTION",
    "IN_COMMANDS",
    "KEYS",
    "KEY_GROUPS",
    "METRICS",
    "MODEL_KEYS",
    "NUMBERS",
    "OPTIMIZERS",
    "RATE_GROUPS",
    "SCHEDULED",
    "SCHEDULE_KEYS",
    "SHAPED",
    "TRAINING_KEYS",
    "Complete",
    "Configuration",
    "Decay",
    "Factor",
    "Metric",
    "Optimizer",
    "Range",
    "Value",
    "check_value",
    "complete",
    "complete_schedule",
    "describe_range",
    "problems",
    "usual_metric",
]


BUILT_IN = "population"
"""Name of the trainer that this room is."""

ESTIMATOR, FUNCTION, COMMAND = "estimator", "function", "command"
"""Names of the others, which are code of somebody else."""

IN_COMMANDS = (
    *("config", "rates", "report", "predictions", "train", "validation", "arrays", "data", "folder", "fold"),
    *("seed", "epochs", "python"),
)
"""Names of lrtune that may stand in braces in a command: its variables, and the interpreter that lrtune runs in."""

SCHEDULED = {"sklearn.linear_model.SGDClassifier": "eta0", "sklearn.linear_model.SGDRegressor": "eta0"}
"""Estimators that are trained batch by batch with a rate that anybody may set, and the name of that rate."""


RATE_FACTORS = "rate_factors"
OVER_TIME = "over_time"
KEY_GROUPS = {
    RATE_FACTORS: "what multiplies the rate, by group of parameters",
    OVER_TIME: "how other keys change over the horizon, by the name of a decay type with its default factors",
}
"""Names under which keys stand together, with a dot between, and what these are."""

RATE_GROUPS = {group: f"{RATE_FACTORS}.{group}" for group in ("first", "hidden", "last", "bias", "embedding")}
"""Groups of parameters that may have a rate of their own, and the keys of their factors."""

_GROUPED = {
    "first": "the weights of the first layer of an mlp",
    "hidden": "the weights of every layer between the first and the last",
    "last": "the weights of the last layer, which is the only one of a linear model",
    "bias": "every bias",
    "embedding": "everything in the embedding of numbers",
}

SHAPED = {key: f"{OVER_TIME}.{key}" for key in ("weight_decay", "dropout", "label_smoothing")}
"""Keys whose value may change over the horizon as a rate does, and the keys that say how."""

SHAPES = Names(lambda: (name for name, entry in DECAYS.items() if "join" in entry.inside))
"""The decay types that are functions of time alone."""


def _table(*factors: Factor) -> dict[str, Factor]:
    return {factor.name: factor for factor in factors}


MODEL_KEYS: dict[str, Factor] = _table(
    Factor("model", "mlp", "kind of network", kind="choice", choices=("linear", "mlp")),
    Factor(
        "hidden",
        (64,),
        "units of each hidden layer of an mlp",
        low=1,
        kind="widths",
        search=((32,), (64,), (128,), (64, 64)),
    ),
    Factor(
        "activation",
        "relu",
        "activation of the hidden layers",
        kind="choice",
        choices=("relu", "tanh", "gelu"),
        search=("relu", "tanh", "gelu"),
    ),
    Factor(
        "embedding",
        "none",
        "what joins each number that an mlp sees; periodic: three mixtures of 16 waves of it, all of them trained",
        kind="choice",
        choices=("none", "periodic"),
        search=("none", "periodic"),
    ),
    Factor(
        "dropout",
        0.0,
        "share of hidden units that is switched off at each training step",
        low=0.0,
        high=1.0,
        open_high=True,
        search=(0.0, 0.1, 0.3, 0.5),
    ),
)

TRAINING_KEYS: dict[str, Factor] = _table(
    OPTIMIZERS["adam"].rate,
    Factor("optimizer", "adam", "update rule", kind="choice", choices=OPTIMIZERS.keys()),
    Factor(
        "decay", "linear", "decay type: how the rate changes over the horizon", kind="choice", choices=DECAYS.keys()
    ),
    Factor(
        "warmup",
        0.0,
        "share of the horizon in which the rate rises to its peak",
        low=0.0,
        high=1.0,
        open_high=True,
        search=(0.0, 0.02, 0.05, 0.1),
    ),
    Factor(
        "warmup_shape",
        "linear",
        "how the rate rises during the warm-up",
        kind="choice",
        choices=("linear", "exponential"),
        search=("linear", "exponential"),
    ),
    Factor(
        "warmup_start",
        None,
        "first rate of the warm-up divided by the peak; null: 1 / (number of warm-up steps)",
        low=0.0,
        high=1.0,
        scale="log",
        search=Range(1e-3, 0.5),
        optional=True,
    ),
    Factor("epochs", 30, "horizon: how often every training row is seen", low=1, kind="int", search=(10, 30, 100)),
    Factor("batch_size", 64, "rows of a mini-batch", low=1, kind="int", search=(32, 64, 128)),
    Factor("weight_decay", 0.0, "strength of weight decay", low=0.0, scale="log", search=Range(1e-6, 1e-1)),
    Factor(
        "decoupled",
        default=False,
        meaning="apply weight decay to the parameters instead of adding it to the gradient",
        kind="bool",
    ),
    Factor(
        "label_smoothing",
        0.0,
        "probability taken from the true class and spread over all classes",
        low=0.0,
        high=1.0,
        open_high=True,
        search=(0.0, 0.05, 0.1),
    ),
    Factor(
        "clip_norm",
        None,
        "largest norm of a gradient; longer ones are shortened to it; null: no limit",
        low=0.0,
        open_low=True,
        scale="log",
        search=Range(0.1, 10.0),
        optional=True,
    ),
    Factor(
        "ema",
        0.0,
        "half-life, in epochs, of the moving average of the parameters that is scored and saved; 0: no average",
        low=0.0,
        scale="log",
        search=(0.0, 0.3, 1.0, 3.0),
        time="duration",
    ),
    Factor(
        "class_weight",
        None,
        "'balanced': rows weigh inversely to the frequency of their class; null: all rows weigh the same",
        kind="choice",
        choices=("balanced",),
        search=(None, "balanced"),
        optional=True,
    ),
    *(
        Factor(
            key,
            1.0,
            f"what multiplies the rate of {_GROUPED[group]}",
            low=0.0,
            scale="log",
            search=Range(0.1, 10.0),
        )
        for group, key in RATE_GROUPS.items()
    ),
    *(
        Factor(
            key,
            "constant",
            f"what multiplies {shaped} over the horizon, warm-up included: a decay type with its default factors",
            kind="choice",
            choices=SHAPES,
            search=("constant", "flat_cosine"),
        )
        for shaped, key in SHAPED.items()
    ),
)

DATA_KEYS: dict[str, Factor] = _table(
    Factor(
        "numbers",
        USUAL,
        "how numbers become features",
        kind="choice",
        choices=NUMBERS.keys(),
    ),
)

KEYS: Mapping[str, Factor] = ChainMap(DATA_KEYS, MODEL_KEYS, TRAINING_KEYS)  # which lists its last mapping first
"""Everything that a configuration holds beside factors, in the order in which dimensions stand in a space."""


SCHEDULE_KEYS = ("learning_rate", "decay", "warmup", "warmup_shape", "warmup_start", "epochs", "batch_size")
"""What a configuration of another trainer has from lrtune: the rate of every update, and how many there are."""


class Complete(dict[str, Value]):
    """A configuration in which every key has a value; `complete` makes it, and nobody changes it."""


def complete(configuration: Configuration) -> Complete:
    """Fill in the default of every missing key and factor; nothing that is given changes, and what is whole stays.

    A factor that another given one replaces (``k`` by ``final``) stays absent, and so does a replacement not given.

    Raises
    ------
    KeyError
        If the optimizer or a decay is not in the tables; experiments are validated before they come here.

    """
    if isinstance(configuration, Complete):
        return configuration
    filled = Complete(configuration)
    optimizer = OPTIMIZERS[str(filled.get("optimizer", TRAINING_KEYS["optimizer"].default))]
    filled.setdefault("learning_rate", optimizer.rate.default)
    filled.setdefault("weight_decay", optimizer.weight_decay)
    for key, factor in KEYS.items():
        filled.setdefault(key, factor.default)
    _fill(filled, "optimizer", optimizer.factors)
    _fill(filled, "decay", DECAYS[str(filled["decay"])].factors)
    return filled


def complete_schedule(configuration: Configuration) -> Complete:
    """Fill in what shapes the rates of another trainer, if there is a rate; its other keys are its own business."""
    filled = Complete(configuration)
    if "learning_rate" in filled:
        for key in SCHEDULE_KEYS:
            filled.setdefault(key, TRAINING_KEYS[key].default)
        _fill(filled, "decay", DECAYS[str(filled["decay"])].factors)
    return filled


def problems(configuration: Configuration) -> list[str]:
    """Say what is wrong with a configuration: illegal values, unknown keys, factors that determine each other.

    Each problem starts with the key it is about.
    """
    found = []
    for key, factor in KEYS.items():
        if key in configuration and (problem := check_value(factor, configuration[key])):
            found.append(f"{key}: {problem}")
    if found:
        return found
    filled = complete(configuration)
    optimizer, decay = OPTIMIZERS[str(filled["optimizer"])], DECAYS[str(filled["decay"])]
    found.extend(_factor_problems(filled, "optimizer", optimizer.factors))
    found.extend(_factor_problems(filled, "decay", decay.factors))
    if filled["warmup_shape"] == "exponential" and filled["warmup_start"] == 0.0:
        found.append("warmup_start: an exponential warm-up cannot start from 0")
    prefixes = ("optimizer.", "decay.")
    found.extend(f"{key}: unknown key" for key in filled if key not in KEYS and not key.startswith(prefixes))
    return found


def _fill(filled: dict[str, Value], prefix: str, factors: tuple[Factor, ...]) -> None:
    replaced = {each.replaces for each in factors if each.replaces and f"{prefix}.{each.name}" in filled}
    for factor in factors:
        key = f"{prefix}.{factor.name}"
        if not factor.replaces and factor.name not in replaced:
            filled.setdefault(key, factor.default)
        if factor.kind == "decay":
            _fill(filled, key, DECAYS[str(filled[key])].factors)


def _factor_problems(filled: Configuration, prefix: str, factors: tuple[Factor, ...]) -> Iterator[str]:
    known = {factor.name for factor in factors}
    for factor in factors:
        key = f"{prefix}.{factor.name}"
        if key not in filled:
            continue
        if problem := check_value(factor, filled[key]):
            yield f"{key}: {problem}"
        elif factor.kind == "decay":
            yield from _factor_problems(filled, key, DECAYS[str(filled[key])].factors)
        if factor.replaces and f"{prefix}.{factor.replaces}" in filled:
            yield f"{key}: give either '{factor.name}' or '{factor.replaces}', not both: one determines the other"
    for key in filled:
        name = key.removeprefix(f"{prefix}.").split(".")[0]
        if key.startswith(f"{prefix}.") and name not in known:
            yield f"{key}: unknown factor of {filled[prefix]}; allowed: {', '.join(sorted(known)) or 'none'}"
