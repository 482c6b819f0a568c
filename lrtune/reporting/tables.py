"""What stands in tables: configurations in one line, scores in the metric's own sign, comparisons with the default."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.run.names import DESCRIPTION, SAVED
from lrtune.text import formats
from lrtune.text.formats import Show
from lrtune.training.registry import COMMAND, FUNCTION, KEYS
from lrtune.verdict.result import HeldOut
from lrtune.verdict.standing import canonical_keys, standing

if TYPE_CHECKING:
    from lrtune.space.trial import Configuration, Trial, Value

_HEADS = ("optimizer", "decay")
_NETWORK = ("hidden", "activation")
_LABELS = {"learning_rate": "rate", "batch_size": "batch", "hidden": "", "activation": ""}
"""How keys are called in one line; an empty label shows the value alone."""

_GROUPS = {"rate_factors": "rate_factor", "over_time": "over_time"}
"""What one of the keys is called that stand together under a name."""

_TELLING = "warmup_start"
"""Of it, null is a value like any: one divided by the steps of the warm-up."""


def varying_keys(configurations: Sequence[Configuration]) -> set[str]:
    """List the keys on which these configurations differ."""
    absent = object()
    return {
        key for key in canonical_keys(configurations) if len({each.get(key, absent) for each in configurations}) > 1
    }


def value_text(key: str, value: Value) -> str:
    """Write one value: rates as ``3.2e-3``, layer widths as ``64-64``, null as ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return "-".join(formats.number(each) for each in value)
    if isinstance(value, str):
        return formats.printable(value)
    return formats.rate(value) if key == "learning_rate" else formats.number(value)


def configuration_line(configuration: Configuration, keys: Iterable[str] | None = None) -> str:
    """Write a configuration in one line: optimizer, rate, decay, then the rest in the order of the registry.

    Parameters
    ----------
    configuration
        Flat configuration, complete or not.
    keys
        Leave out what is not among these; a choice stays when one of its factors is. None shows all.

    >>> configuration_line({"decay": "cosine", "decay.final": 0.01, "learning_rate": 0.032, "warmup": 0.05,
    ...                     "optimizer": "momentum", "optimizer.momentum": 0.9})
    'momentum 0.9 · rate 3.2e-2 · cosine final=0.01 · warmup 0.05'
    """
    wanted = set(configuration) if keys is None else set(keys)
    shown = [key for key in canonical_keys([configuration]) if key in wanted or _is_head_of(key, wanted)]
    first = [key for key in ("optimizer", "learning_rate") if key in shown]
    beside_model = _NETWORK if "model" in shown else ()
    heads = [key for key in [*first, *shown] if _stands_alone(key) and key not in beside_model]
    parts = [_part(configuration, key, wanted) for key in dict.fromkeys(heads)]
    return " · ".join(each for each in parts if each)


def _is_head_of(key: str, wanted: set[str]) -> bool:
    return key in _HEADS and any(each.startswith(f"{key}.") for each in wanted)


def _part(configuration: Configuration, key: str, wanted: set[str]) -> str:
    value = configuration[key]
    if key in _HEADS:
        factors = [each for each in sorted(configuration) if each.startswith(f"{key}.") and each in wanted]
        return " ".join([str(value), *(_factor(configuration, key, each) for each in factors)])
    if key == "model":
        return _model_text(configuration, wanted)
    if is_unused(key, value):
        return ""
    label = _LABELS.get(key, key_name(key))
    return f"{label} {value_text(key, value)}".strip()


def model_use(called: str, model: Path, trained_by: str, table: str = "data.csv") -> str:
    """Say how a model is used: by a command, or by whoever wrote the program that trained it.

    Parameters
    ----------
    called
        How commands call the run, or the folder with the model.
    model
        Where the model is.
    trained_by
        What trained (`lrtune.run.folder.Run.trained_by`).
    table
        Some rows to predict; empty if the model was trained on rows of no table, which a function has loaded.

    """
    if trained_by == COMMAND or (trained_by == FUNCTION and not (table and _predicts(model))):
        return f"what the program saved is in {model / SAVED}"
    trust = " --trust" if trained_by == FUNCTION else ""  # the code of the file predicts
    return f"lrtune predict {shlex.quote(called)} {shlex.quote(table)} -o predictions.csv{trust}"


def _predicts(model: Path) -> bool:
    """Tell whether there is a function ``predict`` beside the one that trained, as far as reading its file tells."""
    try:
        program = json.loads((model / DESCRIPTION).read_text(encoding="utf-8"))["members"][0]["program"]
        place = Path(program["base"]) / str(program["said"].get("folder", ".")) / program["said"]["function"]
        file = place.with_name(place.name.rpartition(":")[0])
        body = ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SyntaxError):
        return True  # a package by its name, or files that are gone: `lrtune predict` says what is the matter
    imported = (alias.asname or alias.name for each in body if isinstance(each, ast.ImportFrom) for alias in each.names)
    return "predict" in {*(each.name for each in body if isinstance(each, ast.FunctionDef)), *imported}


def key_name(key: str) -> str:
    """Write a key in words; the parameter of a step of a pipeline keeps its name.

    >>> key_name("weight_decay"), key_name("svc__C"), key_name("rate_factors.bias")
    ('weight decay', 'svc__C', 'bias rate factor')
    """
    head, _, inner = key.partition(".")
    words = f"{inner}_{_GROUPS[head]}" if inner and head in _GROUPS else key
    return words if "__" in words else words.replace("_", " ")


def _stands_alone(key: str) -> bool:
    """Whether a key is no factor of a choice, which stands behind it."""
    return "." not in key or key in KEYS


def is_unused(key: str, value: Value) -> bool:
    """Whether a value says that something is not used, and is not worth room in a line: a default of 0, false or null.

    Of keys that stand together under a name, any default says so.

    >>> is_unused("dropout", 0.0), is_unused("clip_norm", None), is_unused("clip_norm", 1.0)
    (True, True, False)
    """
    factor = KEYS.get(key)
    says_nothing = factor is not None and (not factor.default or "." in key)
    return factor is not None and says_nothing and value == factor.default and key != _TELLING


def _model_text(configuration: Configuration, wanted: set[str]) -> str:
    if configuration["model"] == "linear":  # a decay is called so, too
        return "linear model"
    network = [value_text(key, configuration[key]) for key in _NETWORK if key in configuration and key in wanted]
    return " ".join([str(configuration["model"]), *network])


def _factor(configuration: Configuration, head: str, key: str) -> str:
    name = key.removeprefix(f"{head}.")
    text = value_text(key, configuration[key])
    # "momentum 0.9" says as much as "momentum momentum=0.9".
    return text if name == configuration[head] else f"{name}={text}"


def tested_text(test: HeldOut, scores: Show) -> str:
    """Write a score on test rows, or why there is none.

    >>> tested_text(HeldOut(0.5, 9), str), tested_text(HeldOut(None, 9, "only class 'a'"), str)
    ('0.5', "no score (only class 'a')")
    """
    return scores(test.score) if test.score is not None else f"no score ({formats.printable(test.has or '')})"


def top_rows(ranked: Sequence[Trial], metric: str, limit: int = 5) -> list[tuple[str, ...]]:
    """Tabulate the first trials of a ranking: number, mean, std and what they differ in.

    Keys on which these trials agree are left out: they are in the best configuration above the table.
    """
    chosen = list(ranked[:limit])
    standings = [standing(each, metric) for each in chosen]
    keys = varying_keys([each.configuration for each in chosen]) if len(chosen) > 1 else None
    show = formats.score_format(each.mean for each in standings)
    return [
        (
            str(each.number),
            show(each.mean),
            show(each.std),
            " · ".join(["champion"] * (trial.champion is not None) + [configuration_line(each.configuration, keys)]),
        )
        for trial, each in zip(chosen, standings, strict=True)
    ]


def canonical_heads(configuration: Mapping[str, Value]) -> list[str]:
    """List the keys of a configuration without their factors, in the order of the registry."""
    return [
        key
        for key in canonical_keys([configuration])
        if _stands_alone(key) and not ("." in key and is_unused(key, configuration[key]))
    ]


def facts(configuration: Mapping[str, Value]) -> list[tuple[str, str]]:
    """List a configuration as pairs of a name and a value, with the factors beside their choice."""
    heads = canonical_heads(configuration)
    return [
        (
            key_name(key),
            _part(configuration, key, set(configuration)) if key in _HEADS else value_text(key, value),
        )
        for key, value in ((each, configuration[each]) for each in heads)
    ]


def branch_text(option: Value) -> str:
    """Write what a branch of the space is called: the option that it belongs to.

    >>> branch_text("adam"), branch_text((64, 32))
    ('adam', '[64, 32]')
    """
    return str(list(option) if isinstance(option, tuple) else option)
