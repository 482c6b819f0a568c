"""The flat sections of an experiment, frozen: `data`, `model`, `training`, `search` and `retrain`.

What `model` and `training` may hold is what stands in the tables of `lrtune.training.registry`; the others are
declared here. Descriptions end up in the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from lrtune.data.formats import listed
from lrtune.data.options import DataOptions, Skip
from lrtune.data.schema import FEWEST_FOLDS, RARE_ROWS, USUAL_FOLDS
from lrtune.engines.catalogue import ENGINES, LOCAL, engine_of
from lrtune.experiment.reading.document import repeated, shown
from lrtune.experiment.reading.trainer_form import ChosenTrainer
from lrtune.experiment.reading.vocabulary import SPACE_ONLY
from lrtune.sampling.catalogue import FREE_ROUND, STRATEGIES
from lrtune.text.durations import seconds
from lrtune.text.errors import nearest
from lrtune.text.written import Json
from lrtune.training.numbers.catalogue import USUAL
from lrtune.training.registry import (
    DATA_KEYS,
    METRICS,
    MODEL_KEYS,
    NUMBERS,
    SCHEDULE_KEYS,
    TRAINING_KEYS,
    Factor,
    Value,
    usual_metric,
)
from lrtune.verdict.choice.rules import SELECTION_RULES, rule
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.terms import ENOUGH, ENSEMBLES

if TYPE_CHECKING:
    from lrtune.data.describe import Meaning

AUTO = "auto"
DTYPE = Factor("dtype", "float32", "precision of the training", kind="choice", choices=("float32", "float64"))


class Section(BaseModel):
    """A frozen mapping of settings; unknown keys and values of another type are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Settings(dict[str, Value]):
    """What `model` or `training` says, defaults included, by key and as attributes; nobody changes it."""

    def __getattr__(self, key: str) -> Any:
        if key in self:
            return self[key]
        raise AttributeError(key)


DECLARED = {"model": "What is trained.", "training": "How it is trained, apart from what `space` holds."}
"""Sections whose keys stand in the registry, and what they are about."""


_FIRST = ("epochs", "batch_size")
"""With what `training` begins where it is written: what most people set."""


def declared(section: str) -> dict[str, Factor]:
    """List what may stand under `model` or `training`, by the key that it has there."""
    if section == "model":
        return {"type" if key == "model" else key: factor for key, factor in MODEL_KEYS.items()}
    keys = {key: TRAINING_KEYS[key] for key in (*_FIRST, *TRAINING_KEYS) if key not in SPACE_ONLY}
    decay = keys["weight_decay"]
    keys["weight_decay"] = decay._replace(default=None, meaning=f"{decay.meaning}; default: the optimizer's")
    return {**keys, DTYPE.name: DTYPE}


def _name(value: Any) -> Any:
    """Take a number for the name of a column: YAML reads the header `2024` as one."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _names(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        value = [value]
    names = [_name(each) for each in value]
    wrong = [each for each in names if not isinstance(each, str)]
    if wrong:
        raise ValueError(f"expected a list of texts, got {shown(wrong[0])} in it")
    twice = repeated(names)
    if twice:
        raise ValueError(f"{shown(names[twice[0]])} is listed twice")
    return tuple(names)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"expected one class, got {shown(value)}")


def engines() -> list[str]:
    """List the names of the engines."""
    return list(ENGINES)


def _schemes() -> list[str]:
    """List what addresses of engines begin with."""
    return [scheme for each in ENGINES.values() for scheme in each.schemes]


def _engine(value: Any) -> str:
    if not isinstance(value, str) or engine_of(value) is None:
        instead = (
            f"addresses begin with {', '.join(_schemes())}" if "://" in str(value) else nearest(str(value), ENGINES)
        )
        raise ValueError(f"unknown value {shown(value)}; {instead}")
    return value


def _engine_schema() -> Json:
    schemes = [{"type": "string", "pattern": f"^{each}"} for each in _schemes()]
    return {"anyOf": [{"enum": list(ENGINES)}, *schemes]}


class _LiveSchema:
    """Describes a value in the JSON Schema anew whenever that is made, because tables may have grown."""

    def __init__(self, make: Callable[[], Json]) -> None:
        self._make = make

    def __get_pydantic_json_schema__(self, _core: Any, _handler: Any) -> Json:
        return self._make()


def _one_of(*tables: Collection[str]) -> Any:
    """Make a text that must be one of some names, or of the names of a table as it is when that is asked."""

    def names() -> list[str]:
        return [name for table in tables for name in table]

    def check(value: Any) -> str:
        if value not in names():
            raise ValueError(f"unknown value {shown(value)}; {nearest(str(value), names())}")
        return str(value)

    return (PlainValidator(check), _LiveSchema(lambda: {"enum": names()}))


def _metric_name(value: Any) -> str:
    """Take any text: whether it names a metric depends on the direction beside it (`trainer_form.check_metric`)."""
    names = [AUTO, *METRICS]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"unknown value {shown(value)}; {nearest(str(value), names)}")
    return value


def _told(describe: Callable[[], str]) -> Any:
    """Put the description of a key into the JSON Schema that names what stands in a table."""
    return lambda schema: schema.update(description=describe())


def _workers(value: Any) -> int | str:
    if value == AUTO or (type(value) is int and 1 <= value <= 1024):
        return AUTO if value == AUTO else int(value)
    raise ValueError(f"expected 'auto' or a whole number from 1 to 1024, got {shown(value)}")


def _averaged(value: Any) -> int | str:
    if value == AUTO or (type(value) is int and 1 <= value <= MOST_MEMBERS):
        return AUTO if value == AUTO else int(value)
    raise ValueError(f"expected 'auto' or a whole number from 1 to {MOST_MEMBERS}, got {shown(value)}")


def _duration(value: Any) -> float | None:
    return None if value is None else seconds(value)


def _select(value: Any) -> str:
    return str(rule(value))


def _outer(value: Any) -> int:
    if type(value) is int and (value == 0 or 2 <= value <= 1000):
        return value
    raise ValueError(f"expected a whole number from 2 to 1000, or 0 for none, got {shown(value)}")


def _separator(value: Any) -> str | None:
    text = None if value is None else str(value)
    if text is None or text in {"tab", "\\t"} or (isinstance(value, str) and len(text) == 1 and text not in '"\n\r'):
        return text
    raise ValueError(f"expected one character or 'tab', got {shown(value)}")


def _skipped(value: Any) -> Mapping[str, int] | None:
    """Take a number of lines for those above the header."""
    given = {"head": value} if type(value) is int else value
    if given is None:
        return None
    lines = list(given.values()) if isinstance(given, dict) and given and set(given) <= {"head", "tail"} else [-1]
    if any(type(each) is not int or not 0 <= each <= 10**9 for each in lines):
        raise ValueError(f"expected a number of lines, or {{head: 3, tail: 2}}, got {shown(value)}")
    return {"head": given.get("head", 0), "tail": given.get("tail", 0)}


_NAME_SCHEMA = {"type": ["string", "number"]}
_NAMES_SCHEMA = {"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA, "uniqueItems": True}]}
Name = Annotated[str, BeforeValidator(_name), WithJsonSchema(_NAME_SCHEMA)]
Names = Annotated[tuple[str, ...], PlainValidator(_names), WithJsonSchema(_NAMES_SCHEMA)]
Separator = Annotated[
    str | None,
    PlainValidator(_separator),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 1}, {"enum": ["tab", "\\t"]}]}),
]
_LINES = {"type": "integer", "minimum": 0, "maximum": 10**9}
Skipped = Annotated[
    Mapping[str, int] | None,
    PlainValidator(_skipped),
    WithJsonSchema(
        {
            "anyOf": [
                _LINES,
                {"type": "object", "properties": {"head": _LINES, "tail": _LINES}, "additionalProperties": False},
            ]
        }
    ),
]
Scalar = Annotated[Any, PlainValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]

Duration = Annotated[
    float | None,
    PlainValidator(_duration),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": "[0-9]"}]}),
]

_STRATEGY, _PRUNING = _one_of(STRATEGIES), _one_of(PRUNINGS)
_NUMBERS = _one_of(NUMBERS)
Strategy = Annotated[str, _STRATEGY[0], _STRATEGY[1]]
MetricName = Annotated[str, PlainValidator(_metric_name), _LiveSchema(lambda: {"type": "string", "minLength": 1})]
PruningName = Annotated[str, _PRUNING[0], _PRUNING[1]]
EngineName = Annotated[str, PlainValidator(_engine), _LiveSchema(_engine_schema)]
NumbersName = Annotated[str, _NUMBERS[0], _NUMBERS[1]]
Workers = Annotated[
    int | str,
    PlainValidator(_workers),
    WithJsonSchema({"anyOf": [{"const": AUTO}, {"type": "integer", "minimum": 1, "maximum": 1024}]}),
]

MOST_MEMBERS = 20
"""Trials, or seeds, whose mean a model may be."""

Averaged = Annotated[
    int | str,
    PlainValidator(_averaged),
    WithJsonSchema({"anyOf": [{"const": AUTO}, {"type": "integer", "minimum": 1, "maximum": MOST_MEMBERS}]}),
]


def _select_schema() -> Json:
    alone = [name for name, entry in SELECTION_RULES.items() if not entry.takes_share]
    shares = [name for name, entry in SELECTION_RULES.items() if entry.takes_share]
    nested = {
        "type": "object",
        "properties": {name: {"type": ["string", "number"]} for name in shares},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    return {"anyOf": [{"enum": alone}, {"type": "string", "pattern": f"^({'|'.join(shares)})"}, nested]}


Select = Annotated[str, PlainValidator(_select), _LiveSchema(_select_schema)]

Outer = Annotated[
    int,
    PlainValidator(_outer),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "integer", "minimum": 2, "maximum": 1000}]}),
]


def _path_text() -> str:
    return f"{listed('or')} file, relative to this one; or sklearn:digits and the like"


def _numbers_text() -> str:
    return f"{DATA_KEYS['numbers'].meaning}; {'; '.join(f'{each.name}: {each.summary}' for each in NUMBERS.values())}"


def _trials_text() -> str:
    walking = " and ".join(each.name for each in STRATEGIES.values() if each.walks)
    return f"how many configurations; default: 50, for {walking} all of them"


def usual_metrics() -> str:
    """Say which metric is the default of which tasks.

    >>> usual_metrics()
    'log_loss for classes, rmse for values'
    """
    nouns = {"binary": "classes", "multiclass": "classes", "regression": "values"}
    pairs = dict.fromkeys((usual_metric(task), noun) for task, noun in nouns.items())
    return ", ".join(f"{metric} for {noun}" for metric, noun in pairs)


def _metric_text() -> str:
    return f"what is optimised; auto: {usual_metrics()}"


def _round_text() -> str:
    own = [f"{each.round} for {each.name}" for each in STRATEGIES.values() if each.round]
    pruned = [f"with {each.name} {each.round}" for each in PRUNINGS.values() if each.round]
    sizes = ", ".join([*own, f"else {FREE_ROUND}", *pruned])
    return f"configurations proposed and trained together; default: {sizes}"


def _engine_text() -> str:
    return f"where configurations are trained; {'; '.join(f'{each.name}: {each.summary}' for each in ENGINES.values())}"


def _pruning_text() -> str:
    spared = "; ".join(f"{each.name}: {each.spares}" for each in PRUNINGS.values())
    return f"what part of the training bad configurations are spared; {spared}"


def _select_text() -> str:
    return f"which trial is chosen in the end: {', '.join(each.form for each in SELECTION_RULES.values())}"


class DataSection(Section):
    """The table, and what its columns are."""

    path: str = Field(min_length=1, json_schema_extra=_told(_path_text))
    test_path: str | None = Field(default=None, min_length=1, description="table that the search never sees")
    target: Name | None = Field(default=None, description="column to predict")
    task: Literal["classification", "regression"] | None = Field(
        default=None, description="default: found from the target's values, and said"
    )
    positive: Scalar = Field(default=None, description="the positive one of two classes; default: the last")
    features: Names | None = Field(default=None, description="the only columns to learn from; default: all others")
    ignore: Names = Field(default=(), description="columns not to learn from")
    categorical: Names = Field(default=(), description="columns that are categories, whatever they look like")
    numeric: Names = Field(default=(), description="columns that are numbers, whatever they look like")
    dates: Literal["ignore", "encode"] = Field(
        default="ignore", description="whether date columns become features (day, month, weekday, hour)"
    )
    numbers: NumbersName = Field(default=USUAL, json_schema_extra=_told(_numbers_text))
    encode: bool = Field(
        default=True,
        description="whether features are encoded; false: another trainer than lrtune's own gets data frames of pandas",
    )
    rare: Literal["keep", "drop", "merge"] = Field(
        default="keep",
        description=f"what becomes of classes with fewer than {RARE_ROWS} rows; keep: they stay as they are, drop: "
        "their rows are left out, merge: they are one class together",
    )
    missing: Names | None = Field(
        default=None,
        description="the texts that mean a missing cell, as an empty one does; default: NA, None, ?, - ...",
    )
    test_size: float = Field(
        default=0.2, ge=0, lt=1, description="share of the rows that the search never sees; 0: none"
    )
    separator: Separator = Field(default=None, description="one character or 'tab'; default: found")
    decimal: Literal[".", ","] | None = Field(
        default=None, description="decimal sign of columns that can be read both ways; default: found"
    )
    thousands: Literal[",", ".", " ", "'", "none"] | None = Field(
        default=None, description="what parts thousands; default: a comma or a point where it can be nothing else"
    )
    encoding: str | None = Field(default=None, min_length=1, description="of a text file; default: found")
    comment: str | None = Field(
        default=None, min_length=1, description="what a line of a text file begins with that is no row, such as '#'"
    )
    skip: Skipped = Field(
        default=None, description="lines above the header of a text file: 3, or {head: 3, tail: 2} with those below"
    )
    header: bool | None = Field(
        default=None, description="whether the first line names the columns; false: column_1, column_2, ..."
    )
    group: Name | None = Field(default=None, description="column whose equal values stay together in one fold")
    order: Name | None = Field(default=None, description="column that puts the rows in order for time_series")

    @property
    def options(self) -> DataOptions:
        """What it says about reading tables."""
        return DataOptions(
            separator=self.separator,
            decimal=self.decimal,
            thousands=self.thousands,
            encoding=self.encoding,
            missing=self.missing,
            comment=self.comment,
            skip=Skip(**(self.skip or {})),
            header=self.header,
        )

    @property
    def meaning(self) -> Meaning:
        """What it says about the columns of its table, as `lrtune.data.dataset.open_dataset` wants it."""
        return {
            "target": self.target,
            "task": self.task,
            "positive": self.positive,
            "features": self.features,
            "ignore": self.ignore,
            "categorical": self.categorical,
            "numeric": self.numeric,
            "dates": self.dates,
            "group": self.group,
            "order": self.order,
            "rare": self.rare,
        }


class SearchSection(Section):
    """How the space is searched, and by what a configuration is judged."""

    strategy: Strategy = Field(default="random", description="how configurations are proposed")
    trials: int = Field(default=50, ge=1, le=10**7, json_schema_extra=_told(_trials_text))
    metric: MetricName = Field(default=AUTO, json_schema_extra=_told(_metric_text))
    direction: Literal["maximize", "minimize"] | None = Field(
        default=None,
        description="which way is better, of a metric that lrtune does not know: a function or a command reports it",
    )
    folds: int = Field(
        default=USUAL_FOLDS,
        ge=2,
        le=1000,
        description="parts of the cross-validation; default: fewer where the rarest class with two rows or more has "
        f"fewer rows, as many as it has, but at least {FEWEST_FOLDS}",
    )
    splitter: Literal["auto", "kfold", "stratified", "group", "time_series"] = Field(
        default="auto",
        description="how rows get into folds; auto: by data.group or data.order, stratified for classes, else kfold",
    )
    repeats: int = Field(default=1, ge=1, le=1000, description="how often the rows are put into folds anew")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="of everything random")
    workers: Workers = Field(default=AUTO, description="processes; auto: as many as the work is worth")
    engine: EngineName = Field(default=LOCAL, json_schema_extra=_told(_engine_text))
    mixed: bool = Field(
        default=False, description="whether workers take part whose machines compute other last digits; they are named"
    )
    round: int = Field(
        default=FREE_ROUND,
        ge=1,
        le=10_000,
        json_schema_extra=_told(_round_text),
    )
    pruning: PruningName = Field(default="none", json_schema_extra=_told(_pruning_text))
    select: Select = Field(default="best", json_schema_extra=_told(_select_text))
    target: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="mean score over the folds with which the search is content; an error if the metric is one",
    )
    stop: Literal["none", "no_gain"] = Field(
        default="none",
        description="no_gain: the search ends when what it may still gain is less than the folds can tell apart",
    )
    timeout: Duration = Field(
        default=None,
        description="how long all sessions may take together, retraining included, such as 90s, 10m, 1h30m",
    )
    block_timeout: Duration = Field(
        default=None,
        description="how long configurations trained together may take; beyond it they fail and the search goes on",
    )
    confirm: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="how many of the best are scored again on fresh splits and seeds, by which one is then chosen",
    )
    nested: Outer = Field(
        default=0,
        description="folds of an outer cross-validation around the whole search, which scores the procedure; 0: none",
    )
    control: bool = Field(
        default=True,
        description="whether the winner is trained with a constant rate, too, to tell what decay is worth",
    )
    warmup_control: bool = Field(
        default=False,
        description="whether the winner is trained with and without warm-up, too, to tell whether it is needed",
    )
    min_trials: int = Field(default=20, ge=1, le=10**7, description="how many configurations no_gain waits for")


class RetrainSection(Section):
    """What is made of the best trials once the search is over; none of it changes a score of a trial."""

    ensemble: Averaged = Field(
        default=1,
        description="of how many of the best trials the model is the mean; auto: as many as the folds speak for, one "
        f"or {', '.join(map(str, ENSEMBLES[:-1]))} or {ENSEMBLES[-1]}",
    )
    members: Averaged = Field(
        default=1,
        description="with how many seeds each of them is trained, and averaged; auto: so many that the model has at "
        f"least {ENOUGH} networks",
    )
    rows: Literal["search", "all"] = Field(
        default="search",
        description="what the model is trained on: the rows of the search, or those of the test as well, once a model "
        "without them has been scored there",
    )
    promote_if: float = Field(
        default=0.0,
        description="what the gain over a champion must be above, in the metric's unit and with 95 %, for another "
        "configuration to take its place",
    )
    bag: bool = Field(
        default=False,
        description="deliver the models of the folds of the best trial, and their mean, in place of one of all rows",
    )


BUDGETS = (
    "trials",
    "workers",
    "engine",
    "mixed",
    "select",
    "target",
    "stop",
    "min_trials",
    "timeout",
    "block_timeout",
    "confirm",
    "nested",
    "control",
    "warmup_control",
)
"""Keys of `search` that say how far it goes and on what machines: changing one continues the study."""


def shared(trainer: ChosenTrainer) -> tuple[str, ...]:
    """List the keys of `training` that another trainer than lrtune's own takes."""
    return tuple(key for key in SCHEDULE_KEYS if key not in SPACE_ONLY and trainer.scheduled)


def usual_round(strategy: str, pruning: str) -> int:
    """Say how many configurations are proposed together unless the experiment does."""
    return STRATEGIES[strategy].round or PRUNINGS[pruning].round or FREE_ROUND


READ: dict[str, type[Section]] = {"data": DataSection, "search": SearchSection, "retrain": RetrainSection}
"""Sections whose keys are declared here."""

SECTIONS = ("data", *DECLARED, "search", "retrain")


def keys_of(section: str) -> Collection[str]:
    """List what may stand in a section."""
    if section in DECLARED:
        return declared(section)
    return READ[section].model_fields


def homes(trainer: ChosenTrainer | None = None) -> dict[str, tuple[str, str]]:
    """Tell in which section and key each flat key of a configuration is fixed; the others have no place but `space`.

    Of another trainer than lrtune's own, how its table is encoded and, if it takes one, the schedule.
    """
    if trainer is not None and trainer.is_foreign:
        return {key: place for key, place in homes().items() if place[0] == "data" or key in shared(trainer)}
    declarations = {
        "model" if key == "type" else key: (section, key)
        for section in DECLARED
        for key in declared(section)
        if key != DTYPE.name
    }
    return {**declarations, **{key: ("data", key) for key in DATA_KEYS}}
