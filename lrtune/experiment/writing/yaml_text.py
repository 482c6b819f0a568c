"""Plain values -> YAML text that people like to read: sections as blocks, their values on one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.vocabulary import LISTS, Member, inside
from lrtune.experiment.reading.yaml_text import resolvers
from lrtune.space.trial import Configuration
from lrtune.training.registry import KEYS


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would read as something else, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


class _Block(dict[str, object]):
    """A mapping that is written as a block, one key on each line."""


class _Line(dict[str, object]):
    """A mapping that is written on one line, with all that is in it."""


def _represent_block(dumper: _Dumper, block: _Block) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", block, flow_style=False)


def _represent_line(dumper: _Dumper, line: _Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True)


_Dumper.add_representer(_Block, _represent_block)
_Dumper.add_representer(_Line, _represent_line)
for _start, _patterns in resolvers().items():
    for _tag, _pattern in _patterns:
        _Dumper.add_implicit_resolver(_tag, _pattern, [_start or None])


def yaml_text(values: Values) -> str:
    """Write plain values as YAML; reading the text gives the same values.

    >>> print(yaml_text({"data": {"positive": "yes"}, "space": {"warmup": [0.0, 0.05]}}), end="")
    data:
      positive: 'yes'
    space:
      warmup: [0.0, 0.05]
    """
    blocks = _Block({key: _section(each) for key, each in values.items()})
    text = yaml.dump(blocks, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
    return str(text)


def quoted(text: str) -> str:
    """Write a text on one line, in quotes if YAML needs them; JSON's strings are YAML's.

    >>> quoted("price"), quoted("no"), quoted("a: b")
    ('price', "'no'", "'a: b'")
    """
    written = yaml_text({"text": text}).removeprefix("text: ").rstrip("\n")
    return json.dumps(text, ensure_ascii=False) if "\n" in written else written


def _section(values: Any) -> Any:
    return _Block({key: _styled(each) for key, each in values.items()}) if isinstance(values, Mapping) else values


def _styled(value: Any) -> Any:
    """Give each item of a list its line; write the factors of a branch behind its name."""
    if isinstance(value, list):
        return [_styled(each) for each in value]
    if isinstance(value, Mapping) and any(isinstance(each, Mapping) for each in value.values()):
        return _Block({key: _Line(each) if isinstance(each, Mapping) else each for key, each in value.items()})
    return value


def nested_space(configuration: Configuration) -> Values:
    """Write the learning rate, the optimizer and the decay of a complete configuration as a space of one point."""
    optimizer = _branch(configuration, Member("optimizer", KEYS["optimizer"]))
    rate = rate_space(configuration)
    return {"learning_rate": rate["learning_rate"], "optimizer": optimizer, "decay": rate["decay"]}


def rate_space(configuration: Configuration) -> Values:
    """Write the learning rate and the decay of a complete configuration, if it has them."""
    if "learning_rate" not in configuration:
        return {}
    decay = _branch(configuration, Member("decay", KEYS["decay"]))
    return {"learning_rate": configuration["learning_rate"], "decay": decay}


def _branch(configuration: Configuration, member: Member) -> Any:
    """Nest what is set below a name: ``{"cosine": {"final": 0.0}}``, or the name alone if nothing is."""
    name = str(configuration[member.key])
    factors = {}
    for short, each in inside(member, name).items():
        if each.key == f"{member.key}.{short}" and each.key in configuration:
            factors[short] = _branch(configuration, each) if each.branches else _fixed(configuration[each.key], each)
    return {name: factors} if factors else name


def _fixed(value: Any, member: Member) -> Any:
    """Write a fixed value under the rule that a list means pick one."""
    return [plain(value)] if member.factor.kind in LISTS and value is not None else value


def plain(value: Any) -> Any:
    """Turn tuples into lists, for YAML and JSON."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
