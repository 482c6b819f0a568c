"""YAML text -> plain values that remember where they came from. The only door to PyYAML for reading.

The YAML of an experiment is the core schema of YAML 1.2: ``1e-4`` is a number, only ``true`` and ``false`` are booleans
(``yes`` and ``on`` are text), dates are text. Aliases, tags and duplicate keys are refused: they are mistakes here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import yaml

from lrtune.data.formats import endings
from lrtune.experiment.reading.document import Document, KeyPath, Origin, dotted, shown
from lrtune.text.errors import ExperimentError, nearest

_TAG = "tag:yaml.org,2002:"
_DEEPEST = 30  # levels of nesting; a hand-written experiment needs six
_LONGEST = 100_000
_LONGEST_NUMBER = 300  # digits: what a float can hold; no setting is that large
_TOO_DEEP = f"nested deeper than {_DEEPEST} levels"
_NO_ALIAS = "aliases (*name) are not supported; write the value out"


def read_file(path: Path) -> Document:
    """Read an experiment file.

    Raises
    ------
    ExperimentError
        If it cannot be read, is not text, or is not YAML.

    """
    return read_text(text_of(path), str(path))


def read_text(text: str, label: str) -> Document:
    """Read the text of an experiment, a mapping; `label` is what messages call it.

    Raises
    ------
    ExperimentError
        If it is not YAML, or not a mapping.

    """
    document = Document({}, Origin(label))
    node = _compose(text, label)
    if node is None:
        raise ExperimentError([f"{label}: is empty; an experiment needs at least data.path and data.target"])
    if not isinstance(node, yaml.MappingNode):
        raise ExperimentError(
            [f"{label}:{_line(node)}: must be a mapping with keys such as 'data', 'search' and 'space'"]
        )
    document.values = _plain(node, (), document, lambda each: Origin(label, _line(each)))
    return document


def override(document: Document, text: str) -> KeyPath | None:
    """Apply ``key.path=value`` to the document; the value is YAML. Return the path unless the text was wrong."""
    origin = Origin(f"--set {text}")
    name, equals, value = text.partition("=")
    path = tuple(each.strip() for each in name.split("."))
    if not equals or not all(path):
        document.problems.append((origin, "must have the form key.path=value, such as search.trials=20"))
        return None
    try:
        node = _compose(value, origin.label)
    except ExperimentError as error:
        document.problems.append((origin, error.problems[0].removeprefix(origin.label).partition(": ")[2]))
        return None
    part = Document({}, origin)
    plain = None if node is None else _plain(node, path, part, lambda _: origin)
    document.put(path, plain, origin)
    document.origins.update(part.origins)
    document.problems.extend(part.problems)
    return path


def text_of(path: Path) -> str:
    """Read the text of an experiment file, line ends as they are; an `ExperimentError` says why that fails."""
    if path.suffix.lower() in endings():
        raise ExperimentError([f"{path}: is a table, not an experiment; use --data {path} --target COLUMN"])
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ExperimentError([f"{path}: no such file{_neighbour(path)}"]) from None
    except IsADirectoryError:
        raise ExperimentError([f"{path}: is a folder, not an experiment file"]) from None
    except (OSError, ValueError) as error:
        raise ExperimentError([f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > _LONGEST:
        raise ExperimentError([f"{path}: is too long for an experiment ({len(data):,} bytes); is it a table?"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExperimentError([f"{path}: is not a text file in UTF-8"]) from None
    if "\0" in text:
        raise ExperimentError([f"{path}: is a binary file, not an experiment"])
    return text


def _neighbour(path: Path) -> str:
    """Name the experiment file in the same folder that was probably meant."""
    names = sorted(each.name for each in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
    return f"; {nearest(path.name, names)}" if names else ""


class _Loader(yaml.SafeLoader):
    """Composes nodes with the resolvers of YAML 1.2, without aliases, and only so deep."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = cast("Any", self).peek_event()
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(problem=_NO_ALIAS, problem_mark=event.start_mark)
        if self.depth >= _DEEPEST:
            raise yaml.composer.ComposerError(problem=_TOO_DEEP, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """List the plain scalars of YAML 1.2's core schema by first character, in PyYAML's form."""
    kinds = (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        (
            "float",
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            list("-+.0123456789"),
        ),
    )
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, pattern, starts in kinds:
        for each in starts:
            table.setdefault(each, []).append((_TAG + kind, re.compile(f"^(?:{pattern})$")))
    return table


_Loader.yaml_implicit_resolvers = resolvers()


def _compose(text: str, label: str) -> yaml.Node | None:
    """Parse one YAML document into nodes; None for an empty one."""
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line, code = text.count("\n", 0, error.position) + 1, int(error.character)
        raise ExperimentError([f"{label}:{line}: has a character that no text has (U+{code:04X})"]) from None
    except (
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:  # a code that is no character: PyYAML hands on what chr() says
        raise ExperimentError([f"{label}: not valid YAML: {error}"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{label}:{mark.line + 1}" if mark else label
        raise ExperimentError([f"{place}: {_explained(error)}"]) from None


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    if "'\\t'" in problem:
        return "not valid YAML: a tab is used for indentation; YAML wants spaces"
    if "single document" in (error.context or ""):
        return "has more than one document (---); an experiment is a single one"
    if isinstance(error, yaml.composer.ComposerError):
        return problem
    return f"not valid YAML: {problem}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _plain(node: yaml.Node, path: KeyPath, document: Document, place: Callable[[yaml.Node], Origin]) -> Any:
    """Turn a node into a plain value; note where it stands and what is wrong with it."""
    document.origins.setdefault(path, place(node))
    kind = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        return [_plain(each, (*path, number), document, place) for number, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and kind == "map":
        return _mapping(node, path, document, place)
    if not isinstance(node, yaml.ScalarNode) or kind not in _SCALARS:
        document.report(path, f"the tag {node.tag.replace(_TAG, '!!')} is not supported; write the plain value")
        return None
    try:
        return _SCALARS[kind](node.value)
    except (KeyError, ValueError):
        document.report(path, f"{shown(node.value)} is not a legal {kind}")
        return None


def _mapping(
    node: yaml.MappingNode, path: KeyPath, document: Document, place: Callable[[yaml.Node], Origin]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        origin = place(key_node)
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
            name = shown(key) if isinstance(key, str) else "a collection"
            document.problems.append((origin, f"{dotted(path) or 'top level'}: a key must be text, got {name}"))
            continue
        inner = (*path, key)
        if key in values:
            first = document.origin(inner).line
            already = f"it is given in line {first} already" if first else "it is given twice"
            document.problems.append((origin, f"{dotted(inner)}: duplicate key; {already}"))
            continue
        document.origins[inner] = origin
        values[key] = _plain(value_node, inner, document, place)
    return values


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _integer,
    "float": _real,
    "bool": _boolean,
    "null": lambda _: None,
}
