"""Puts ranges of learning rates into the text of an experiment file; everything else stays, comments and all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from lrtune.errors import ExperimentError
from lrtune.experiment.reading import read_text

Ends = tuple[float, float]


def with_ranges(text: str, ranges: Mapping[str, Ends], where: str) -> str:
    """Write a range for each optimizer.

    An optimizer whose branch has a learning rate gets its range there. For the others the one directly under `space`
    is replaced, or added, with a range that covers theirs.

    Parameters
    ----------
    text
        The file.
    ranges
        Lowest and highest rate by optimizer.
    where
        Name of the file, for messages.

    Raises
    ------
    ExperimentError
        If the text cannot be read as an experiment.

    """
    read_text(text, where).raise_problems()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    space = _value(root, "space")
    if not isinstance(space, yaml.MappingNode) or not space.value:
        if space is not None:
            raise ExperimentError([f"{where}: space: must be a mapping of keys to put a learning rate into"])
        return text.rstrip("\n") + f"\n\nspace:\n  learning_rate: {_written(*_hull(ranges.values()))}\n"
    own = dict(_branches(_value(space, "optimizer")))
    changes = [(own[name], ends) for name, ends in ranges.items() if name in own]
    others = [ends for name, ends in ranges.items() if name not in own]
    outer = _value(space, "learning_rate")
    if others and outer is not None:
        changes.append((outer, _hull(others)))
    for node, ends in sorted(changes, key=lambda each: -each[0].start_mark.index):
        text = text[: node.start_mark.index] + _written(*ends) + text[_end(node) :]
    if others and outer is None:
        first = space.start_mark
        separator = ", " if space.flow_style else "\n" + " " * first.column
        place = first.index + bool(space.flow_style)
        text = f"{text[:place]}learning_rate: {_written(*_hull(others))}{separator}{text[place:]}"
    return text


def _value(node: Any, key: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _branches(node: Any) -> Iterator[tuple[str, Any]]:
    """Find the learning rates inside the branches of optimizers."""
    for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if isinstance(each, yaml.MappingNode):
            for name, factors in each.value:
                rate = _value(factors, "learning_rate")
                if rate is not None:
                    yield name.value, rate


def _end(node: Any) -> int:
    """Find where a node's own text ends; a block's end mark lies behind the comments that follow."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _hull(ranges: Any) -> Ends:
    ends = list(ranges)
    return min(low for low, _ in ends), max(high for _, high in ends)


def _written(low: float, high: float) -> str:
    return f"{{low: {_short(low)}, high: {_short(high)}, scale: log}}"


def _short(rate: float) -> str:
    """Write a rate as people do; YAML 1.2 and this package read `1e-4` as a number."""
    mantissa, exponent = f"{rate:.6e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
