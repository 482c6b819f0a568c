"""What programs read: values in JSON's types, JSON and CSV as text; the same bytes for the same content."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""An object of JSON, as a file holds it: not yet read, or about to be written; who makes or reads it says its keys."""


def to_json(value: Any) -> Any:
    """Write a value of dataclasses, tuples and mappings in JSON's types."""
    if dataclasses.is_dataclass(value):
        return {each.name: to_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    return str(value) if isinstance(value, str) else value


def json_text(value: Json) -> str:
    """Write JSON for people and programs: indented, one line end at the end, no NaN; no line is a command to a CI."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return text.replace("##", "#\\u0023") + "\n"  # two of them stand in a text only, and mean the same


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV with LF line ends; a row that looks like a command to a CI server is quoted."""
    buffer = io.StringIO()
    plain, quoted = (
        csv.writer(buffer, lineterminator="\n", quoting=each) for each in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    for each in rows:
        (quoted if str(next(iter(each), "")).lstrip().startswith("::") else plain).writerow(each)
    return buffer.getvalue()


def cell(value: object) -> str:
    """Write a value of a configuration exactly: null as ``null``, layer widths as ``64-64``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "-".join(cell(each) for each in value)
    return value if isinstance(value, str) else repr(value)
