"""The JSON Schema of experiment files, from the same tables as the validation, so that editors complete and check."""

from __future__ import annotations

import math
from typing import Any

from lrtune.experiment.reading.grouped import together
from lrtune.experiment.reading.sections import (
    AUTO,
    DECLARED,
    READ,
    SECTIONS,
    Section,
    declared,
)
from lrtune.experiment.reading.trainer_form import DEFAULTS, TRAINER
from lrtune.experiment.reading.trainer_options import FUNCTION_FORM, OPTIONS
from lrtune.experiment.reading.vocabulary import LISTS, Member, inside
from lrtune.experiment.writing.yaml_text import plain
from lrtune.space.dimensions import SCALES
from lrtune.text.written import Json
from lrtune.training.registry import (
    BUILT_IN,
    DECAYS,
    ESTIMATOR,
    KEY_GROUPS,
    KEYS,
    METRICS,
    OPTIMIZERS,
    SCHEDULE_KEYS,
    SCHEDULED,
    Factor,
)


def schema() -> Json:
    """Make the JSON Schema (draft 2020-12) of an experiment file."""
    sections = {name: _by_pydantic(READ[name]) if name in READ else _declared(name) for name in SECTIONS}
    sections["data"] = _with_loader(sections["data"])
    sections["search"] = _with_own_metric(sections["search"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lrtune experiment",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            TRAINER: _trainer(),
            DEFAULTS: _defaults(),
            **{name: sections[name] for name in SECTIONS},
            "space": {"type": "object", "description": _SEARCHED},
        },
        "if": {"required": [TRAINER], "properties": {TRAINER: _reference("foreign")}},
        "then": _of_foreign(),
        "else": {"properties": {DEFAULTS: False, "space": _space()}},
        "$defs": {
            "foreign": {"anyOf": [FUNCTION_FORM, {"type": "object"}]},
            "own_value": _own_value(),
            "own_dimension": _own_dimension(),
            **{f"key_{key}": _dimension(Member(key, factor)) for key, factor in KEYS.items()},
            **{f"decay_{name}": _branch(Member("decay", KEYS["decay"]), name) for name in DECAYS},
        },
    }


def _with_loader(data: Json) -> Json:
    """Let a function load the rows where no path is given."""
    about = "function that gives the rows, {X, y} and perhaps groups and time, for functions and commands"
    loader = {**FUNCTION_FORM, "description": about}
    required = [{"required": data["required"]}, {"required": ["loader"]}]
    rest = {key: each for key, each in data.items() if key not in ("required", "properties")}
    return {**rest, "properties": {**data["properties"], "loader": loader}, "anyOf": required}


def _with_own_metric(search: Json) -> Json:
    """Let a metric have any other name where its direction is said."""
    said, known = {"required": ["direction"], "properties": {"direction": {"type": "string"}}}, [AUTO, *METRICS]
    other = {"required": ["metric"], "properties": {"metric": {"not": {"enum": known}}}}
    return {**search, "if": said, "then": other, "else": {"properties": {"metric": {"enum": known}}}}


def _trainer() -> Json:
    name = {"type": "string", "minLength": 1, "description": "an entry of the table of trainers, or file.py:function"}
    kinds = [
        {
            "type": "object",
            "required": [kind],
            "additionalProperties": False,
            "properties": {key: {**each.form, "description": each.meaning} for key, each in options.items()},
        }
        for kind, options in OPTIONS.items()
    ]
    return {"description": "what trains", "default": BUILT_IN, "anyOf": [name, *kinds]}


def _defaults() -> Json:
    about = "default values of parameters of a function or a command, and of an estimator where they are not its own"
    return {"type": "object", "description": about, "additionalProperties": _reference("own_value")}


def _of_foreign() -> Json:
    """Describe what is different where code of somebody else trains: its parameters are its own business."""
    about = {"type": "object", "description": _SEARCHED, "propertyNames": {"pattern": _PARAMETER}}
    own = {**about, "additionalProperties": _reference("own_dimension")}
    scheduled = {**own, "properties": {key: _reference(f"key_{key}") for key in SCHEDULE_KEYS}}
    estimator = {"type": "object", "required": [ESTIMATOR]}
    other = {**estimator, "properties": {ESTIMATOR: {"not": {"enum": list(SCHEDULED)}}}}  # or a list: who knows
    return {
        "properties": {"model": {"maxProperties": 0}},
        "if": {"properties": {TRAINER: other}},
        "then": {"properties": {"space": own}},
        "else": {"properties": {"space": scheduled}},
    }


_SEARCHED = "What is searched: a scalar is fixed, a list means pick one, {low, high} is a range."
_PARAMETER = r"^[A-Za-z_][\w-]*$"


_SCALAR: Json = {"type": ["string", "number", "boolean", "null"]}


def _own_value() -> Json:
    return {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}


def _own_dimension() -> Json:
    value, inner = _reference("own_value"), _reference("own_dimension")
    ends = {"not": {"anyOf": [{"required": [key]} for key in _range(KEYS["learning_rate"])["properties"]]}}
    branch = {
        "type": "object",
        "description": "a value, and the parameters that only it has",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"type": ["object", "null"], "additionalProperties": inner},
        **ends,
    }
    choice = {"type": "array", "minItems": 1, "items": {"anyOf": [value, branch]}}
    return {"anyOf": [_SCALAR, branch, choice, _range(Factor("", None, ""))]}


def _by_pydantic(kind: type[Section]) -> Json:
    plainer: Json = _without_titles(kind.model_json_schema())
    return plainer


def _without_titles(value: Any) -> Any:
    """Drop pydantic's titles, which only repeat the keys."""
    if isinstance(value, dict):
        return {key: _without_titles(each) for key, each in value.items() if key != "title" or isinstance(each, dict)}
    return [_without_titles(each) for each in value] if isinstance(value, list) else value


def _declared(section: str) -> Json:
    properties = {}
    for key, factor in declared(section).items():
        default = {} if factor.default is None else {"default": plain(factor.default)}
        properties[key] = {**value_schema(factor), "description": factor.meaning, **default}
    return _mapping(properties, DECLARED[section])


def _mapping(properties: Json, about: str) -> Json:
    """Describe a mapping of keys; those that stand together under a name are one within it."""
    inner = {
        key: _mapping(each, KEY_GROUPS[key]) if key in KEY_GROUPS else each
        for key, each in together(properties).items()
    }
    return {"type": "object", "description": about, "additionalProperties": False, "properties": inner}


def value_schema(factor: Factor) -> Json:
    """Describe one value of a factor."""
    if factor.kind in ("choice", "decay"):
        return {"enum": [*plain(list(factor.choices)), *([None] if factor.optional else [])]}
    if factor.kind in LISTS:
        item = value_schema(factor._replace(kind="int" if factor.kind == "widths" else "float", optional=False))
        return {"type": "array", "items": item, "minItems": 1}
    kind = {"float": "number", "int": "integer", "bool": "boolean"}[factor.kind]
    return {"type": [kind, "null"] if factor.optional else kind, **_bounds(factor)}


def _bounds(factor: Factor) -> Json:
    bounds = {}
    if math.isfinite(factor.low):
        bounds["exclusiveMinimum" if factor.open_low else "minimum"] = factor.low
    if math.isfinite(factor.high):
        bounds["exclusiveMaximum" if factor.open_high else "maximum"] = factor.high
    return bounds


def _space() -> Json:
    dimensions = {key: _reference(f"key_{key}") for key in KEYS}
    return _mapping(dimensions, _SEARCHED)


def _dimension(member: Member) -> Json:
    factor = member.factor
    forms = _branch_forms(member) if member.branches else _leaf_forms(factor)
    if member.key == "learning_rate":
        forms.append({"const": AUTO, "description": "the finder chooses the range"})
    return {"description": factor.meaning, "anyOf": forms}


def _leaf_forms(factor: Factor) -> list[Json]:
    one = value_schema(factor)
    forms: list[Json] = [{"type": "array", "items": one, "minItems": 1, "uniqueItems": True}]
    if factor.kind not in LISTS:
        forms.insert(0, one)
    if factor.kind in ("float", "int"):
        forms.append(_range(factor))
    return forms


def _range(factor: Factor) -> Json:
    end = value_schema(factor._replace(optional=False))
    properties = {
        "low": end,
        "high": end,
        "scale": {"enum": list(SCALES), "default": factor.scale},
        "points": {"type": "integer", "minimum": 2, "description": "how many values a grid takes of the range"},
    }
    return {"type": "object", "additionalProperties": False, "required": ["low", "high"], "properties": properties}


def _branch_forms(member: Member) -> list[Json]:
    names = {"enum": member.names}
    branches = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            name: _reference(f"decay_{name}") if member.noun == "decay" else _branch(member, name)
            for name in member.names
        },
    }
    return [names, branches, {"type": "array", "minItems": 1, "items": {"anyOf": [names, branches]}}]


def _branch(member: Member, name: str) -> Json:
    factors = {
        short: _reference(f"key_{short}") if each.key == short else _dimension(each)
        for short, each in inside(member, name).items()
    }
    return {**_mapping(factors, _summary(member, name)), "type": ["object", "null"]}


def _reference(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _summary(member: Member, name: str) -> str:
    if member.key == "model":
        return {"linear": "no hidden layer", "mlp": "hidden layers"}[name]
    entry = OPTIMIZERS[name] if member.key == "optimizer" else DECAYS[name]
    return f"{entry.summary}: {entry.formula}"
