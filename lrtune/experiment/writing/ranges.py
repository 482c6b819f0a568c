"""Puts ranges of learning rates into the text of an experiment file; everything else stays, comments and all."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from lrtune.experiment.reading.automatic import names
from lrtune.experiment.reading.loading import load_text
from lrtune.experiment.reading.yaml_text import read_text
from lrtune.experiment.writing.default_space import default_space
from lrtune.experiment.writing.yaml_text import yaml_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.text.errors import ExperimentError

Ends = tuple[float, float]

_POINTS = 5
"""Of a range in a grid, where the file lists no rates."""

_KEY_ALONE = re.compile(r"\s*:[ \t]*\r?\n[ \t]*")
"""What is between a key and a block that begins in the next line, without a comment."""


class _Edit(NamedTuple):
    """A stretch of the text, and what comes in its place."""

    start: int
    end: int
    text: str


def with_ranges(text: str, ranges: Mapping[str, Ends], where: str) -> str:
    """Write a range for each optimizer.

    An optimizer whose branch has a learning rate gets its range there. For the others the one directly under `space`
    is replaced, or added, with a range that covers theirs. A file without a `space` gets the one that this means,
    written out. Line ends stay as they are.

    Parameters
    ----------
    text
        The file.
    ranges
        Lowest and highest rate by optimizer; at least one of them is `offered` by the file.
    where
        Name of the file, for messages.

    Raises
    ------
    ExperimentError
        If the text cannot be read as an experiment, or a range does not fit into it.

    """
    document = read_text(text, where)
    document.raise_problems()
    if document.values.get("space") is None:
        return with_ranges(_with_space(text), ranges, where)
    if not isinstance(document.values["space"], dict):
        raise ExperimentError([f"{where}: space: must be a mapping of keys to put a learning rate into"])
    given = {name: ends for name, ends in ranges.items() if name in offered(text, where)}
    search = document.values.get("search")
    grid = isinstance(search, dict) and search.get("strategy") in _walking()
    changed = text
    for edit in sorted(_edits(text, given, grid=grid), reverse=True):
        changed = _with(changed, edit)
    _require_no_harm(text, changed, where)
    return changed


def _walking() -> list[str]:
    """Name the strategies that need finite dimensions."""
    return [name for name, entry in STRATEGIES.items() if entry.walks]


def offered(text: str, where: str) -> tuple[str, ...]:
    """List the optimizers that an experiment file may choose; an `ExperimentError` if it cannot be read as one."""
    space = read_text(text, where).values.get("space")
    return names(space if isinstance(space, dict) else default_space())


def _require_no_harm(text: str, changed: str, where: str) -> None:
    """Refuse a text that is no experiment any more; one that leaves something to options was none before."""
    try:
        load_text(text, name=where)
    except ExperimentError:
        return
    try:
        load_text(changed, name=where)
    except ExperimentError as error:
        raise ExperimentError([f"{each} (with the suggested range)" for each in error.problems]) from error


def _with_space(text: str) -> str:
    """Write out the space that a file without one has."""
    root = _root(text)
    empty, line_end = _value(root, "space"), _line_end(text)
    if root.flow_style:
        written = json.dumps(default_space())
        place = root.start_mark.index + 1
        new = f"space: {written}, " if empty is None else f" {written}"
        return _with(text, _Edit(place, place, new) if empty is None else _Edit(*_span(text, empty), new))
    block = textwrap.indent(yaml_text({"space": default_space()}), " " * root.start_mark.column)
    block = block.replace("\n", line_end)
    if empty is None:
        place = root.end_mark.index  # before the dots that may end a document
        last = text[:place].rpartition("\n")[2]
        return _with(text, _Edit(place, place, f"{line_end if last else ''}{line_end}{block}"))
    start, end = _span(text, empty)
    place = end + len(text[end:].partition(line_end)[0])  # a comment may follow in the line of the key
    body = block.partition(line_end)[2].removesuffix(line_end)
    start = len(text[:start].rstrip(" "))
    return _with(_with(text, _Edit(place, place, f"{line_end}{body}")), _Edit(start, end, ""))


def _with(text: str, edit: _Edit) -> str:
    return text[: edit.start] + edit.text + text[edit.end :]


def _edits(text: str, ranges: Mapping[str, Ends], *, grid: bool) -> Iterator[_Edit]:
    """Say what changes in a text with a space."""
    space = _value(_root(text), "space")
    own = dict(_branches(_value(space, "optimizer")))
    for name in own.keys() & ranges.keys():
        yield from _replaced(text, *own[name], ranges[name], grid=grid)
    others = [ends for name, ends in ranges.items() if name not in own]
    if not others:
        return
    outer = _pair(space, "learning_rate")
    if outer is not None:
        yield from _replaced(text, *outer, _hull(others), grid=grid)
        return
    first = space.start_mark
    written = f"learning_rate: {_written(_hull(others), _POINTS if grid else None)}"
    if not space.flow_style:
        yield _Edit(first.index, first.index, f"{written}{_line_end(text)}{' ' * first.column}")
    else:
        yield _Edit(first.index + 1, first.index + 1, f"{written}, " if space.value else written)


def _replaced(text: str, key: Any, node: Any, ends: Ends, *, grid: bool) -> Iterator[_Edit]:
    """Replace the value of a learning rate: the ends of a range each in its place, anything else as a whole."""
    inner = {name.value: value for name, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    if {"low", "high"} <= inner.keys():
        new = {"low": _short(ends[0]), "high": _short(ends[1]), "scale": "log"}
        yield from (_Edit(*_span(text, inner[name]), new[name]) for name in inner.keys() & new.keys())
        return
    start, end = _span(text, node)
    listed = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
    written = _written(ends, max(listed, 2) if grid and listed else _POINTS if grid else None)
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        if _KEY_ALONE.fullmatch(text, key.end_mark.index, start):
            start, written = text.index(":", key.end_mark.index) + 1, f" {written}"
        elif node.start_mark.column <= key.start_mark.column:
            written = f"  {written}"
    comments = [] if isinstance(node, yaml.ScalarNode) else _between_tokens(text, start, end)
    if not comments:
        yield _Edit(start, end, written)
        return
    tail = text[end:].partition("\n")[0]
    if tail.strip():
        comments.append(" " * (key.start_mark.column + 1))
    yield _Edit(start, end, written + _line_end(text).join(comments))


def _between_tokens(text: str, start: int, end: int) -> list[str]:
    """Take the comments, and the empty lines, out of a stretch of the text, line by line; the first may be empty."""
    within = [False] * (end - start)
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        low, high = max(token.start_mark.index, start), min(token.end_mark.index, end)
        if low < high:
            within[low - start : high - start] = [True] * (high - low)
    found, place = [], 0
    for number, line in enumerate(text[start:end].split("\n")):
        mask = within[place : place + len(line)]
        left = "".join(each for each, token in zip(line, mask, strict=True) if not token).rstrip()
        if left or number == 0 or not line.strip():
            found.append(left)
        place += len(line) + 1
    return found if any(found) or len(found) > 1 else []


def _root(text: str) -> Any:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _pair(node: Any, key: str) -> tuple[Any, Any] | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((name, value) for name, value in pairs if name.value == key), None)


def _value(node: Any, key: str) -> Any:
    return (_pair(node, key) or (None, None))[1]


def _branches(node: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Find the learning rates inside the branches of optimizers: key and value."""
    for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        for name, factors in each.value if isinstance(each, yaml.MappingNode) else ():
            rate = _pair(factors, "learning_rate")
            if rate is not None:
                yield name.value, rate


def _span(text: str, node: Any) -> tuple[int, int]:
    """Find where a node's own text begins and ends; a block's marks lie behind the blanks and comments that follow."""
    start, end = int(node.start_mark.index), _end(node)
    return start, start + len(text[start:end].rstrip())


def _end(node: Any) -> int:
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _hull(ranges: Iterable[Ends]) -> Ends:
    ends = list(ranges)
    return min(low for low, _ in ends), max(high for _, high in ends)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _written(ends: Ends, points: int | None) -> str:
    more = "" if points is None else f", points: {points}"
    return f"{{low: {_short(ends[0])}, high: {_short(ends[1])}, scale: log{more}}}"


def _short(rate: float) -> str:
    """Write a rate as people do; YAML 1.2 and this package read `1e-4` as a number."""
    mantissa, exponent = f"{rate:.6e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
