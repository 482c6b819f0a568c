"""Reads ``result.json`` of any age, and describes it for programs.

pydantic checks every type and says where a wrong one is; it follows from the declarations in `lrtune.verdict.result`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lrtune.text.errors import StudyError, counted, nearest
from lrtune.text.written import Json
from lrtune.training.metrics.catalogue import METRICS, plain_name
from lrtune.verdict.result import FILE_KEYS, SCHEMA, Result


def from_json(value: object, where: object = "result") -> Result:
    """Read what `Result.to_json` gave, also that of older versions.

    Parameters
    ----------
    value
        The content of the file.
    where
        What to call it in errors.

    Raises
    ------
    StudyError
        If it is no result, or something in it has a wrong type; with the place.

    """
    from pydantic import ValidationError

    if not isinstance(value, Mapping) or not {"metric", "best"} <= value.keys():
        raise StudyError(f"{where}: is no result of a search")
    if isinstance(value.get("schema"), int) and value["schema"] > SCHEMA:
        raise StudyError(f"{where}: a newer lrtune wrote it (schema {value['schema']}, this one reads up to {SCHEMA})")
    names = {key: name for name, key in FILE_KEYS.items()}
    try:
        renamed = {names.get(key, key): each for key, each in _renewed(value).items()}
        found: Result = _adapter().validate_json(json.dumps(renamed), strict=True)
    except (ValidationError, TypeError, ValueError, AttributeError) as error:
        raise StudyError(f"{where}: {_problem(error)}") from error
    if found.metric not in METRICS and plain_name(found.metric) == found.metric:
        raise StudyError(f"{where}: 'metric' is unknown; {nearest(found.metric, METRICS)}")
    return found


def _renewed(value: Json) -> Json:
    """Bring an older result up to date.

    In schema 1 the numbers of a gate stood beside its name. Up to schema 2 kinds and the constant rate had errors: they
    are passed over.
    """
    if value.get("schema", 1) != 1:
        return {**value, "schema": SCHEMA} if value["schema"] == 2 else dict(value)
    gates = [_renewed_gate(each) for each in value.get("gates") or ()]
    renewed = {**value, "schema": SCHEMA, "gates": gates}
    for key in ("best", "default"):
        renewed[key] = {"state": "complete", **renewed[key]}
    return renewed


def _renewed_gate(gate: Json) -> Json:
    own = ("name", "state", "sentence")
    return {**{key: gate.get(key) for key in own}, "numbers": {key: gate[key] for key in gate if key not in own}}


def _problem(error: Exception) -> str:
    """Say where the first thing is that is wrong, and what."""
    errors: Sequence[Any] = getattr(error, "errors", lambda **_: ())(include_url=False)
    if not errors:
        return "is damaged"
    first, more = errors[0], len(errors) - 1
    place = ".".join(str(each) for each in first["loc"])
    problem = "is missing" if first["type"] == "missing" else f"{first['msg'][0].lower()}{first['msg'][1:]}"
    return f"'{place}' {problem}" + (f", and {counted(more, 'more problem')}" if more else "")


@functools.cache
def _adapter() -> Any:
    from pydantic import TypeAdapter  # takes its time, and most commands read no result

    return TypeAdapter(Result)


def json_schema() -> Json:
    """Describe ``result.json`` as a JSON Schema (draft 2020-12)."""
    found: Json = _adapter().json_schema(mode="serialization")
    properties = {FILE_KEYS.get(key, key): each for key, each in found["properties"].items()}
    required = [FILE_KEYS.get(key, key) for key in found["required"]]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "result.json of lrtune"}
    return {**head, **found, "properties": properties, "required": required, "title": head["title"]}
