"""Values of the sections -> frozen models; pydantic's findings and contradictions between keys as our own sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import ValidationError

from lrtune.experiment.reading.document import Document, KeyPath, shown
from lrtune.experiment.reading.sections import (
    SECTIONS,
    DataSection,
    ModelSection,
    SearchSection,
    Section,
    TrainingSection,
)
from lrtune.experiment.reading.vocabulary import KEYS
from lrtune.text.errors import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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
    """The four flat sections."""

    data: DataSection
    model: ModelSection
    training: TrainingSection
    search: SearchSection


def read_sections(document: Document) -> Sections | None:
    """Read all sections and report every mistake in them; None if any section is unusable."""
    names = (*SECTIONS, "space")
    for key in document.values:
        if key not in names:
            document.report((key,), f"unknown section; {nearest(key, names)}")
    data = _section(document, "data", DataSection)
    model = _section(document, "model", ModelSection)
    training = _section(document, "training", TrainingSection)
    search = _section(document, "search", SearchSection)
    _require_data(document)
    if data is None or model is None or training is None or search is None:
        return None
    return Sections(data, model, training, search)


def _section(document: Document, name: str, kind: type[AnySection]) -> AnySection | None:
    values = document.values.get(name)
    if not isinstance(values, dict | None):
        document.report((name,), f"must be a mapping of keys, got {shown(values)}")
        return None
    try:
        return kind.model_validate(values or {})
    except ValidationError as error:
        for each in error.errors(include_url=False):
            path: KeyPath = (name, *each["loc"])
            if each["type"] != "missing":  # said by _require_data
                document.report(path, _sentence(each, kind))
        return None


def _sentence(error: ErrorDetails, kind: type[Section]) -> str:
    """Say what pydantic found."""
    got, context = error["input"], error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), kind)
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        allowed = re.findall("'([^']*)'", context["expected"])
        return f"unknown value {shown(got)}; {nearest(str(got), allowed)}"
    sentence = _SENTENCES.get(error["type"])
    return f"{sentence.format(**context)}, got {shown(got)}" if sentence else f"{error['msg']}, got {shown(got)}"


def _unknown(key: str, kind: type[Section]) -> str:
    if key in kind.model_fields:
        return "unknown key"
    homes = [name for name, other in SECTIONS.items() if key in other.model_fields]
    if key in KEYS and not homes:
        return f"unknown key; {key} belongs under space, where a scalar is fixed"
    if homes:
        return f"unknown key; {key} belongs under {homes[0]}"
    return f"unknown key; {nearest(key, kind.model_fields)}"


def _require_data(document: Document) -> None:
    data = document.values.get("data")
    given = data if isinstance(data, dict) else {}
    if data is not None and not isinstance(data, dict):
        return
    if "path" not in given:
        document.report(("data", "path"), "is missing: name the table to learn from, here or with --data")
    if "target" not in given and not _names_its_target(str(given.get("path", ""))):
        document.report(("data", "target"), "is missing: name the column to predict, here or with --target")


def _names_its_target(path: str) -> bool:
    return path.startswith("sklearn:") or path.endswith(".npz")


def check_sections(document: Document, sections: Sections) -> None:
    """Report keys that contradict each other."""
    _check_columns(document, sections.data)
    _check_splitter(document, sections.data, sections.search)


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
