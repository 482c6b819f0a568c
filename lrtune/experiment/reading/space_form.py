"""The file's `space` -> a `SearchSpace`: three rules, and one kind of branch.

A scalar is fixed, a list means pick one, ``{low, high}`` is a range. Where a key names something that has factors of
its own (an optimizer, a decay, a model), an item may be a mapping with one key: a branch, and the factors in it follow
the same three rules. What the keys are, and what is legal, is read from `lrtune.training.registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lrtune.experiment.reading.automatic import documented
from lrtune.experiment.reading.document import Document, KeyPath, Origin, Values, shown
from lrtune.experiment.reading.grouped import path_of, read_apart
from lrtune.experiment.reading.leaves import read_leaf
from lrtune.experiment.reading.sections import AUTO, homes
from lrtune.experiment.reading.vocabulary import (
    LAYER_KEYS,
    OPTIMIZER_OWN,
    BuiltInNames,
    Member,
    OwnNames,
    Vocabulary,
    coerced,
    illegal,
    inside,
    own_defaults,
    unknown_factor,
)
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Dimension, Ordinal, Real
from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import nearest
from lrtune.training.registry import KEYS, complete, problems


@dataclass
class SpaceReader:
    """Reads a space and reports every mistake to the document.

    Attributes
    ----------
    document
        Where the problems go.
    mentioned
        Where each flat key stands first, inside branches as well.
    ranges
        Where each real range stands, which no grid can walk.
    automatic
        Where a learning rate is ``auto``: until the finder has found a range, it has the documented one.
    vocabulary
        What may stand there.

    """

    document: Document
    mentioned: dict[str, KeyPath] = field(default_factory=dict)
    ranges: list[KeyPath] = field(default_factory=list)
    automatic: list[KeyPath] = field(default_factory=list)
    vocabulary: Vocabulary = field(default_factory=BuiltInNames)

    def read(self, values: Any, path: KeyPath = ("space",), *, model: str = "mlp") -> SearchSpace:
        """Read a space; `model` is the type of model where the space does not choose one.

        What is wrong is left out of the result, so that one call finds all mistakes.
        """
        if not isinstance(values, dict):
            self.document.report(path, f"must be a mapping of keys such as learning_rate, got {shown(values)}")
            return SearchSpace()
        if isinstance(self.vocabulary, BuiltInNames):
            values = read_apart(self.document, values, path)
        members = self.vocabulary.members([key for key in values if isinstance(key, str)])
        for key in values:
            if key not in members:
                self.document.report(path_of(path, str(key)), self.vocabulary.unknown(str(key)))
        dimensions = {each.name: each for each in self._all(values, path, members)}
        if isinstance(self.vocabulary, BuiltInNames):
            self._settle_layers(dimensions, model)
            _settle_optimizer(dimensions)
        return SearchSpace(tuple(dimensions.values()))

    def _all(self, values: Values, path: KeyPath, members: Mapping[str, Member]) -> list[Dimension]:
        """Read the known keys of a mapping, in the order of `members`."""
        found = [
            self._dimension(values[key], path_of(path, key), each) for key, each in members.items() if key in values
        ]
        return [each for each in found if each is not None]

    def _dimension(self, value: Any, path: KeyPath, member: Member) -> Dimension | None:
        self.mentioned.setdefault(member.key, path)
        if member.branches or (member.is_own and _has_branches(value)):
            return self._branches(value, path, member)
        if member.key == "learning_rate" and value == AUTO:
            self.automatic.append(path)
            value = documented(member.factor)
        dimension = read_leaf(self.document, value, path, member)
        if isinstance(dimension, Real):
            self.ranges.append(path)
        return dimension

    def _branches(self, value: Any, path: KeyPath, member: Member) -> Dimension | None:
        """Read the options of something that has factors of its own."""
        places = [((*path, number), each) for number, each in enumerate(value)] if isinstance(value, list) else []
        if value == []:
            self.document.report(path, "an empty list offers nothing to pick")
        options: dict[Value, Option] = {}
        for place, item in places or ([(path, value)] if value != [] else []):
            option = self._option(item, place, member)
            if option is not None and option.value in options:
                problem = f"'{option.value}' is listed twice; list the values of its factors inside one branch"
                self.document.report(place, problem)
            elif option is not None:
                options[option.value] = option
        return Choice(member.key, tuple(options.values()), member.factor.default) if options else None

    def _option(self, item: Any, path: KeyPath, member: Member) -> Option | None:
        if member.is_own:
            return self._own_option(item, path, member)
        if isinstance(item, dict) and len(item) == 1:
            ((name, factors),) = item.items()
            path = (*path, name)
        elif isinstance(item, str):
            name, factors = item, None
        else:
            self.document.report(path, _not_a_branch(item, member))
            return None
        if name not in member.names:
            self.document.report(path, f"unknown {member.noun} '{name}'; {nearest(name, member.names)}")
            return None
        if not isinstance(factors, dict | None):
            self.document.report(path, f"expected a mapping of its factors, got {shown(factors)}")
            return None
        return Option(name, self._inside(factors or {}, path, member, name))

    def _own_option(self, item: Any, path: KeyPath, member: Member) -> Option | None:
        """Read an option of another trainer's parameter, with the parameters that only it has."""
        value, factors = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, None)
        if isinstance(value, dict) or not isinstance(factors, dict | None):
            problem = f"expected a value, alone or with a mapping of the parameters that only it has, got {shown(item)}"
            self.document.report(path, problem)
            return None
        wrong = illegal(member.factor, legal := coerced(value, member.factor))
        if wrong is not None:
            self.document.report(path, wrong)
            return None
        assert isinstance(self.vocabulary, OwnNames)
        inner, path = factors or {}, (*path, str(value))
        members = self.vocabulary.own([str(key) for key in inner])
        for key in inner:
            if key not in members:
                self.document.report((*path, str(key)), self.vocabulary.unknown(str(key)))
        return Option(legal, SearchSpace(tuple(self._all(inner, path, members))))

    def _inside(self, values: Values, path: KeyPath, member: Member, name: str) -> SearchSpace:
        members = inside(member, name)
        if member.key == "optimizer":
            values = read_apart(self.document, values, path)
        for key in values:
            if key not in members:
                self.document.report(path_of(path, key), unknown_factor(key, member, name))
            elif members[key].factor.replaces in values:
                problem = f"determines '{members[key].factor.replaces}', which is given as well; keep one of the two"
                self.document.report((*path, key), problem)
        return SearchSpace(tuple(self._all(values, path, members)))

    def _settle_layers(self, dimensions: dict[str, Dimension], model: str) -> None:
        """Move what only an mlp has into its branch, so that a linear model is not tried once for each width."""
        choice = dimensions.get("model")
        options = choice.options if isinstance(choice, Choice) else ()
        for key in [each for each in LAYER_KEYS if each in dimensions]:
            if "mlp" not in ([each.value for each in options] or [model]):
                self.document.report(self.mentioned[key], "has no effect on a linear model")
            elif options:
                _push_down(dimensions, "model", key, {"mlp": None})


_ENDS = ("low", "high", "scale", "points")


def _has_branches(value: Any) -> bool:
    """Tell whether a parameter has an option with parameters of its own; a range is none."""
    items = value if isinstance(value, list) else [value]
    return any(isinstance(each, dict) and len(each) == 1 and not set(each) & set(_ENDS) for each in items)


def _settle_optimizer(dimensions: dict[str, Dimension]) -> None:
    """Let keys inside an optimizer's branch override those outside, and prefer what suits the optimizer."""
    choice = dimensions.get("optimizer")
    options = choice.options if isinstance(choice, Choice) else ()
    taken = {each.name for option in options for each in option.space.dimensions}
    for key in OPTIMIZER_OWN:
        if key in dimensions and key in taken:
            defaults = {option.value: own_defaults(str(option.value)).get(key) for option in options}
            _push_down(dimensions, "optimizer", key, defaults)
    usual = choice.default()["optimizer"] if choice else KEYS["optimizer"].default
    for key, preferred in own_defaults(str(usual)).items():
        if key in dimensions:
            dimensions[key] = _preferring(dimensions[key], preferred)


def _push_down(dimensions: dict[str, Dimension], name: str, key: str, defaults: Mapping[Value, Value]) -> None:
    """Move a dimension into those options of a choice that `defaults` names and that do not have it."""
    outer, choice = dimensions.pop(key), dimensions[name]
    assert isinstance(choice, Choice)
    options = []
    for each in choice.options:
        own = each.space.dimensions
        if each.value in defaults and key not in [inner.name for inner in own]:
            own = (_preferring(outer, defaults[each.value]), *own)
        options.append(Option(each.value, SearchSpace(own)))
    dimensions[name] = replace(choice, options=tuple(options))


def _preferring(dimension: Dimension, preferred: Value) -> Dimension:
    """Change the documented default of a range or list of numbers."""
    if isinstance(dimension, Real | Ordinal) and isinstance(preferred, int | float):
        return replace(dimension, preferred=preferred)
    return dimension


def _not_a_branch(item: Any, member: Member) -> str:
    noun = member.noun
    if isinstance(item, dict) and len(item) > 1:
        return (
            f"a branch is one {noun} with its factors, got {len(item)} keys; write a list with an item for each {noun}"
        )
    return f"expected the name of the {noun}, alone or with a mapping of its factors, got {shown(item)}"


def check_warmup(document: Document, reader: SpaceReader, space: SearchSpace, fixed: Configuration) -> None:
    """Report the one combination that no branch can exclude: keys of the warm-up that contradict each other."""
    shape, start = KEYS["warmup_shape"], KEYS["warmup_start"]
    contradiction: dict[str, Value] = {shape.name: "exponential", start.name: 0.0}
    settled = complete({key: fixed[key] for key in contradiction if key in fixed})
    possible = {
        each.name: each.point(contradiction) is not None for each in space.dimensions if each.name in contradiction
    }
    if all(possible.get(key, settled[key] == value) for key, value in contradiction.items()):
        place = reader.mentioned.get(start.name, homes()[start.name])
        document.report(place, problems(contradiction)[0].partition(": ")[2])


def parse_space(values: Values, *, model: str = "mlp") -> SearchSpace:
    """Make a space of plain values in the form of the experiment file's `space`.

    Parameters
    ----------
    values
        Mappings, lists (or tuples) and scalars.
    model
        Type of the model where the space does not choose one.

    Raises
    ------
    ExperimentError
        With all mistakes.

    """
    document = Document({}, Origin("space"))
    reader = SpaceReader(document)
    space = reader.read(_with_lists(values), (), model=model)
    check_warmup(document, reader, space, {})
    for each in reader.automatic:
        document.report(each, "'auto' needs data to find a range on; give a range here")
    document.raise_problems()
    return space


def _with_lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_lists(each) for key, each in value.items()}
    return [_with_lists(each) for each in value] if isinstance(value, list | tuple) else value
