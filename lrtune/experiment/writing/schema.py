"""The JSON Schema of experiment files, from the same tables as the validation, so that editors complete and check."""

from __future__ import annotations

import math
from typing import Any

from lrtune.experiment.reading.sections import (
    AUTO,
    DECLARED,
    READ,
    SECTIONS,
    Section,
    declared,
)
from lrtune.experiment.reading.trainer_form import TRAINER
from lrtune.experiment.reading.vocabulary import LISTS, Member, inside
from lrtune.experiment.writing.yaml_text import plain
from lrtune.space.dimensions import SCALES
from lrtune.text.written import Json
from lrtune.training.registry import BUILT_IN, DECAYS, KEYS, OPTIMIZERS, Factor


def schema() -> Json:
    """Make the JSON Schema (draft 2020-12) of an experiment file."""
    sections = {name: _by_pydantic(READ[name]) if name in READ else _declared(name) for name in SECTIONS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lrtune experiment",
        "type": "object",
        "additionalProperties": False,
        "properties": {TRAINER: _trainer(), **{name: sections[name] for name in SECTIONS}, "space": _space()},
        "$defs": {
            **{f"key_{key}": _dimension(Member(key, factor)) for key, factor in KEYS.items()},
            **{f"decay_{name}": _branch(Member("decay", KEYS["decay"]), name) for name in DECAYS},
        },
    }


def _trainer() -> Json:
    return {"type": "string", "minLength": 1, "default": BUILT_IN, "description": "what trains"}


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
    about = DECLARED[section]
    return {"type": "object", "description": about, "additionalProperties": False, "properties": properties}


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
    return {
        "type": "object",
        "description": "What is searched: a scalar is fixed, a list means pick one, {low, high} is a range.",
        "additionalProperties": False,
        "properties": dimensions,
    }


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
        end = value_schema(factor._replace(optional=False))
        properties = {
            "low": end,
            "high": end,
            "scale": {"enum": list(SCALES), "default": factor.scale},
            "points": {"type": "integer", "minimum": 2, "description": "how many values a grid takes of the range"},
        }
        required = ["low", "high"]
        forms.append({"type": "object", "additionalProperties": False, "required": required, "properties": properties})
    return forms


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
    return {
        "type": ["object", "null"],
        "description": _summary(member, name),
        "additionalProperties": False,
        "properties": factors,
    }


def _reference(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _summary(member: Member, name: str) -> str:
    if member.key == "model":
        return {"linear": "no hidden layer", "mlp": "hidden layers"}[name]
    entry = OPTIMIZERS[name] if member.key == "optimizer" else DECAYS[name]
    return f"{entry.summary}: {entry.formula}"
