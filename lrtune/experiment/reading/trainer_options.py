"""The settings of a trainer that is code of somebody else: each with its reader, its form and its meaning."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lrtune.experiment.reading.document import Values, shown
from lrtune.text.durations import seconds
from lrtune.text.written import Json
from lrtune.training.registry import COMMAND, ESTIMATOR, FUNCTION

_CLASS = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+"
_STEP = r"[A-Za-z_]\w*"
_FUNCTION = r"([^:]+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):[A-Za-z_]\w*"

_MOST_RETRIES, _MOST_GPUS = 100, 64


class TrainerOption(NamedTuple):
    """A setting.

    Attributes
    ----------
    read
        Turns what a file says into what `ChosenTrainer.said` holds; ValueError says what is wrong with it.
    form
        What the JSON Schema says of it.
    meaning
        What it is for.
    default
        What holds where it is not given, as people read it.

    """

    read: Callable[[Any], Any]
    form: Json
    meaning: str
    default: str = ""


def _steps(value: Any) -> tuple[tuple[str, str], ...]:
    """Read an estimator: a class, or the steps of a pipeline, which may have names."""
    if not isinstance(value, list):
        return (("", _class(value)),)
    if not value:
        raise ValueError("an empty list is no pipeline")
    steps = [next(iter(each.items())) if isinstance(each, dict) and len(each) == 1 else ("", each) for each in value]
    named = [(name or _class(path).rpartition(".")[2].lower(), _class(path)) for name, path in steps]
    for name, _ in named:
        if not isinstance(name, str) or not re.fullmatch(_STEP, name) or "__" in name:
            raise ValueError(f"expected a name of letters, digits and single underscores for a step, got {shown(name)}")
        if [each for each, _ in named].count(name) > 1:
            raise ValueError(f"two steps are called '{name}'; name them, as in [{{first: module.Class}}, ...]")
    return tuple(named)


def _class(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(_CLASS, value):
        return value
    raise ValueError(f"expected a class with its module, such as sklearn.svm.SVC, got {shown(value)}")


def function_name(value: Any) -> str:
    """Read ``file.py:function`` or ``package.module:function``."""
    if isinstance(value, str) and re.fullmatch(_FUNCTION, value):
        return value
    raise ValueError(f"expected file.py:function or package.module:function, got {shown(value)}")


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and value and all(isinstance(each, str | int | float) for each in value):
        return tuple(map(str, value))
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a command, such as python train.py, got {shown(value)}")
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise ValueError(f"is no command a shell could read ({error}): {shown(value)}") from error


def _report(value: Any) -> Values:
    """Read where a program that cannot be changed says its score."""
    keys = ("key", "file", "pattern")
    if not isinstance(value, dict) or not value or set(value) - set(keys):
        raise ValueError(
            f"expected {{key: val.loss, file: metrics.json}} or {{pattern: 'loss=(.*)'}}, got {shown(value)}"
        )
    wrong = [key for key, each in value.items() if not isinstance(each, str) or not each]
    if wrong:
        raise ValueError(f"expected text for {wrong[0]}, got {shown(value[wrong[0]])}")
    if ("pattern" in value) == ("key" in value):
        raise ValueError("expected either 'key', of a JSON file, or 'pattern', of lines of text")
    if "pattern" in value:
        try:
            pattern = re.compile(value["pattern"])
        except re.error as error:
            raise ValueError(f"'{value['pattern']}' is no regular expression ({error})") from error
        if pattern.groups != 1:
            raise ValueError(f"expected one group, (...), around the number in '{value['pattern']}'")
    return dict(value)


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is int and least <= value <= most:
            return value
        raise ValueError(f"expected a whole number from {least} to {most}, got {shown(value)}")

    return read


def _resources(value: Any) -> Values:
    """Read what a fit needs for itself alone."""
    if not isinstance(value, dict) or set(value) != {"gpus"}:
        raise ValueError(f"expected {{gpus: 1}}, got {shown(value)}")
    return {"gpus": _whole(0, _MOST_GPUS)(value["gpus"])}


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"expected true or false, got {shown(value)}")


def _folder(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"expected a folder, got {shown(value)}")


_CLASS_FORM: Json = {"type": "string", "pattern": f"^{_CLASS}$"}
FUNCTION_FORM: Json = {"type": "string", "pattern": f"^{_FUNCTION}$"}
_STEP_FORM: Json = {
    "anyOf": [
        _CLASS_FORM,
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "patternProperties": {f"^{_STEP}$": _CLASS_FORM},
            "additionalProperties": False,
        },
    ]
}
_TEXT: Json = {"type": "string", "minLength": 1}
_DURATION: Json = {"type": ["number", "string"]}
_REPORT_FORM: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "key": {**_TEXT, "description": "of a JSON file, with dots between levels"},
        "file": {**_TEXT, "description": "that file; of a .jsonl its last line", "default": "metrics.json"},
        "pattern": {**_TEXT, "description": "a regular expression with one group; its last match in the output counts"},
    },
    "oneOf": [{"required": ["key"]}, {"required": ["pattern"]}],
}

_RETRY = TrainerOption(
    _whole(0, _MOST_RETRIES),
    {"type": "integer", "minimum": 0, "maximum": _MOST_RETRIES},
    "how often a fit that fails is tried again, in its folder",
    "0",
)
_FITS = {
    "timeout": TrainerOption(seconds, _DURATION, "how long a fit may take, such as `90s`, `30m`, `2h`", "no limit"),
    "retry": _RETRY,
}
_PROGRAMS = {
    **_FITS,
    "folder": TrainerOption(_folder, _TEXT, "folder that the code is found and run in", "that of the file"),
    "keep": TrainerOption(_flag, {"type": "boolean"}, "keep what fits leave in their folders", "false"),
    "resources": TrainerOption(
        _resources,
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["gpus"],
            "properties": {"gpus": {"type": "integer", "minimum": 0, "maximum": _MOST_GPUS}},
        },
        "what a fit has for itself alone: `{gpus: 1}`",
        "no graphics card",
    ),
}

OPTIONS: Mapping[str, Mapping[str, TrainerOption]] = {
    ESTIMATOR: {
        ESTIMATOR: TrainerOption(
            _steps,
            {"anyOf": [_CLASS_FORM, {"type": "array", "minItems": 1, "items": _STEP_FORM}]},
            "a class with its module, or a list of them: the steps of a pipeline, each perhaps with a name",
        ),
        **_FITS,
    },
    FUNCTION: {
        FUNCTION: TrainerOption(function_name, FUNCTION_FORM, "`file.py:function` or `package.module:function`"),
        **_PROGRAMS,
    },
    COMMAND: {
        COMMAND: TrainerOption(
            _words,
            {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}}]},
            "the command, as text or as a list of words; `{name}` stands for a parameter or a variable",
        ),
        "report": TrainerOption(_report, _REPORT_FORM, "where a program that cannot be changed tells its score"),
        "grace": TrainerOption(seconds, _DURATION, "time between SIGTERM and SIGKILL", "10s"),
        **_PROGRAMS,
    },
}
"""Trainers that are code of somebody else: the first key names it, the others say how a fit runs."""
