"""Values of the sections -> frozen models; pydantic's findings and contradictions between keys as our own sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from lrtune.data.formats import names_its_target
from lrtune.experiment.reading.document import Document, KeyPath, Values, shown
from lrtune.experiment.reading.grouped import nearest_key, path_of, read_apart
from lrtune.experiment.reading.sections import (
    AUTO,
    SECTIONS,
    DataSection,
    RetrainSection,
    SearchSection,
    Section,
    Settings,
    declared,
    keys_of,
    shared,
)
from lrtune.experiment.reading.trainer_form import DEFAULTS, LOADED, TRAINER, ChosenTrainer
from lrtune.experiment.reading.vocabulary import coerced, illegal
from lrtune.text.errors import nearest
from lrtune.training.declarations import Factor
from lrtune.training.metrics.catalogue import METRICS, plain_name
from lrtune.training.registry import COMMAND, FUNCTION, KEYS
from lrtune.verdict.choice.rules import BEST
from lrtune.verdict.pruning import PRUNINGS

AnySection = TypeVar("AnySection", bound=Section)

_SENTENCES = {
    "string_type": "expected text",
    "string_too_short": "expected some text",
    "int_type": "expected a whole number",
    "int_parsing_size": "expected a smaller whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "less_than": "expected a number below {lt:g}",
    "finite_number": "expected a finite number",
}


class Sections(NamedTuple):
    """The flat sections."""

    data: DataSection
    model: Settings
    training: Settings
    search: SearchSection
    retrain: RetrainSection


def read_sections(document: Document, trainer: ChosenTrainer) -> Sections | None:
    """Read all sections and report every mistake in them; None if any section is unusable."""
    names = (*SECTIONS, TRAINER, DEFAULTS, "space")
    for key in document.values:
        if key not in names:
            document.report((key,), f"unknown section; {nearest(key, names)}")
    if trainer.is_foreign:
        _refuse_built_in(document, trainer)
    data = _section(document, "data", DataSection)
    model = _settings(document, "model")
    training = _settings(document, "training")
    search = _section(document, "search", SearchSection)
    retrain = _section(document, "retrain", RetrainSection)
    _require_data(document)
    if data is None or model is None or training is None or search is None or retrain is None:
        return None
    return Sections(data, model, training, search, retrain)


def _refuse_built_in(document: Document, trainer: ChosenTrainer) -> None:
    """Report settings of lrtune's own networks, which another trainer would not hear of."""
    if document.values.get("model"):
        problem = f"describes lrtune's own networks; the parameters of {trainer.called} stand under space"
        document.report(("model",), problem)
        document.remove(("model",))
    given, known = document.values.get("training"), ("dtype", *shared(trainer))
    for key in [key for key in given if key not in known] if isinstance(given, dict) else ():
        takes = "" if trainer.scheduled else ", which takes no schedule"
        document.report(
            ("training", key), f"has no effect on {trainer.called}{takes}; its parameters stand under space"
        )
        document.remove(("training", key))


def _section(document: Document, name: str, kind: type[AnySection]) -> AnySection | None:
    values = _values(document, name)
    if values is None:
        return None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            path: KeyPath = (name, *each["loc"])
            if each["type"] != "missing":  # said by _require_data
                document.report(path, _sentence(each, name))
        return None


def _settings(document: Document, name: str) -> Settings | None:
    """Read a section whose keys stand in the registry."""
    values, factors = _values(document, name), declared(name)
    if values is None:
        return None
    values = read_apart(document, values, (name,))
    given = {key: coerced(values[key], factor) for key, factor in factors.items() if key in values}
    wrong = {key: problem for key, value in given.items() if (problem := _illegal(factors[key], value))}
    wrong |= {key: _unknown(key, name) for key in values if key not in factors}
    for key, problem in wrong.items():
        document.report(path_of((name,), key), problem)
    return None if wrong else Settings({key: each.default for key, each in factors.items()} | given)


def _illegal(factor: Factor, value: object) -> str | None:
    """Say what is wrong with a value; where it is a list of good ones, also where a list belongs."""
    problem = illegal(factor, value)
    several = [coerced(each, factor) for each in value] if isinstance(value, list | tuple) else []
    if problem and several and factor.name in KEYS and not any(illegal(factor, each) for each in several):
        return f"{problem}; values to choose from belong under space.{factor.name}"
    return problem


def _values(document: Document, name: str) -> Values | None:
    values = document.values.get(name)
    if isinstance(values, dict | None):
        return values or {}
    document.report((name,), f"must be a mapping of keys, got {shown(values)}")
    return None


def _sentence(error: Mapping[str, Any], section: str) -> str:
    """Say what pydantic found."""
    got, context = error["input"], error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), section)
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        allowed = re.findall("'([^']*)'", context["expected"])
        return f"unknown value {shown(got)}; {nearest(str(got), allowed)}"
    sentence = _SENTENCES.get(error["type"])
    return f"{sentence.format(**context)}, got {shown(got)}" if sentence else f"{error['msg']}, got {shown(got)}"


def _unknown(key: str, section: str) -> str:
    if key in keys_of(section):
        return "unknown key"
    homes = [name for name in SECTIONS if key in keys_of(name)]
    if key in KEYS and not homes:
        return f"unknown key; {key} belongs under space, where a scalar is fixed"
    if homes:
        return f"unknown key; {key} belongs under {homes[0]}"
    return f"unknown key; {nearest_key(key, keys_of(section))}"


NO_TARGET = "is missing: name the column to predict, here or with --target"


def _require_data(document: Document) -> None:
    data = document.values.get("data")
    given = data if isinstance(data, dict) else {}
    if data is not None and not isinstance(data, dict):
        return
    if "path" not in given:
        document.report(("data", "path"), "is missing: name the table to learn from, here or with --data")
    if "target" not in given and not _names_its_target(str(given.get("path", ""))):
        document.report(("data", "target"), NO_TARGET)


def _names_its_target(path: str) -> bool:
    return path.startswith("sklearn:") or names_its_target(path)


def check_metric(document: Document, trainer: ChosenTrainer) -> None:
    """Report a metric that nobody knows, and a direction that says nothing new."""
    search = document.values.get("search")
    if not isinstance(search, dict):
        return
    name, direction, tells = search.get("metric", AUTO), search.get("direction"), trainer.name in (FUNCTION, COMMAND)
    if not isinstance(name, str) or not name.strip():
        return  # said where the section is read
    if direction is None:
        if name not in (AUTO, *METRICS):
            hint = "; of a metric that training reports, say search.direction: maximize or minimize" if tells else ""
            document.report(("search", "metric"), f"unknown value '{name}'; {nearest(name, [AUTO, *METRICS])}{hint}")
    elif name == AUTO:
        document.report(("search", "direction"), "is of a metric that training reports: name it in search.metric")
    elif name in METRICS:
        better = "larger" if METRICS[name].larger_is_better else "smaller"
        document.report(("search", "direction"), f"has no effect on {name}, of which {better} is better; leave it out")
    elif plain_name(name) != name:
        document.report(("search", "metric"), f"'{name}' says a direction itself; write '{plain_name(name)}'")
    elif not tells:
        document.report(
            ("search", "metric"),
            f"'{name}' is computed by nobody here: a metric of your own is reported by a function or a command; "
            f"{nearest(name, [AUTO, *METRICS])}",
        )


def check_sections(document: Document, sections: Sections, trainer: ChosenTrainer) -> None:
    """Report keys that contradict each other."""
    _check_columns(document, sections.data)
    _check_splitter(document, sections.data, sections.search)
    _check_ensemble(document, sections.search, sections.retrain)
    if trainer.is_foreign:
        _check_foreign(document, sections, trainer)
    elif not sections.data.encode:
        document.report(("data", "encode"), "is for other trainers; lrtune's own networks take encoded features")


def _check_foreign(document: Document, sections: Sections, trainer: ChosenTrainer) -> None:
    """Report what another trainer cannot do."""
    if not sections.data.encode and trainer.name == COMMAND:
        document.report(("data", "encode"), "is for estimators and functions; a command reads LRTUNE_DATA itself")
    if not sections.data.encode and sections.data.path.startswith(LOADED):
        document.report(("data", "encode"), "has no effect beside data.loader, whose X is taken as it is")
    if PRUNINGS[sections.search.pruning].shortens and not trainer.scheduled:
        document.report(
            ("search", "pruning"),
            f"'{sections.search.pruning}' trains for fewer epochs at first, and {trainer.called} has none; 'race' "
            "drops configurations after the first fold",
        )
    several = [key for key in ("ensemble", "members", "bag") if getattr(sections.retrain, key) not in (1, AUTO, False)]
    for key in several if trainer.name in (FUNCTION, COMMAND) else ():
        document.report(("retrain", key), f"of {trainer.called} one model is trained in the end, no mean of several")


BESIDE_A_BAG = ("ensemble", "members", "rows")
"""Keys of `retrain` that say what else is trained."""


def _usual(section: RetrainSection, key: str) -> object:
    return type(section).model_fields[key].default


def _check_ensemble(document: Document, search: SearchSection, retrain: RetrainSection) -> None:
    """Report what contradicts a mean of several; ``auto`` takes what there is."""
    if retrain.bag:
        others = [f"retrain.{key}" for key in BESIDE_A_BAG if getattr(retrain, key) != _usual(retrain, key)]
        if others:
            document.report(
                ("retrain", "bag"),
                f"delivers the models of one trial's folds as they are; leave {', '.join(others)} out",
            )
    if retrain.ensemble in (1, AUTO):
        return
    if search.confirm:
        document.report(
            ("retrain", "ensemble"),
            "cannot be told beside search.confirm, which scores single trials again; keep one of the two",
        )
    if search.select != BEST:
        document.report(
            ("retrain", "ensemble"),
            f"is of the best means, and search.select: {search.select} chooses a single trial; keep one of the two",
        )


def _check_columns(document: Document, data: DataSection) -> None:
    roles = {key: getattr(data, key) for key in ("target", "group", "order") if getattr(data, key) is not None}
    for key, name in roles.items():
        first = next(each for each, other in roles.items() if other == name)
        if first != key:
            document.report(("data", key), f"column '{name}' is data.{first} already")
        for lists in ("features", "ignore"):
            if name in (getattr(data, lists) or ()) and key == "target":
                document.report(("data", lists), f"column '{name}' is the target")
    for one, other in (("features", "ignore"), ("categorical", "numeric")):
        for name in set(getattr(data, one) or ()) & set(getattr(data, other)):
            document.report(("data", other), f"column '{name}' stands under data.{one} as well")
    if data.decimal is not None and data.thousands == data.decimal:
        document.report(("data", "thousands"), f"is {shown(data.thousands)}, which is data.decimal already")
    if data.test_path is not None and "test_size" in data.model_fields_set and data.test_size > 0:
        document.report(("data", "test_size"), "has no effect beside data.test_path; keep one of the two")


def _check_splitter(document: Document, data: DataSection, search: SearchSection) -> None:
    splitter = search.splitter
    if splitter == "auto" and data.group is not None and data.order is not None:
        document.report(("search", "splitter"), "must say 'group' or 'time_series', as data has a group and an order")
    if splitter == "group" and data.group is None:
        document.report(("search", "splitter"), "'group' needs data.group, the column whose equal values stay together")
    if splitter not in ("auto", "group") and data.group is not None:
        document.report(("data", "group"), f"has no effect on the splitter '{splitter}'; use 'group' or 'auto'")
    if splitter not in ("auto", "time_series") and data.order is not None:
        document.report(("data", "order"), f"has no effect on the splitter '{splitter}'; use 'time_series' or 'auto'")
    if search.repeats > 1 and (splitter == "time_series" or (splitter == "auto" and data.order is not None)):
        document.report(("search", "repeats"), "time-series folds have one order and cannot be repeated")
