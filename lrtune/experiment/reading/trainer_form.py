"""The file's `trainer` -> what trains, with its settings: the built-in networks, or code of somebody else.

Nothing is imported here: a file that names code is read, shown and compared without running it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from lrtune.experiment.reading.document import Document, KeyPath, Values, shown
from lrtune.experiment.reading.trainer_options import OPTIONS, function_name
from lrtune.text.errors import nearest
from lrtune.training.registry import BUILT_IN, COMMAND, ESTIMATOR, FUNCTION, SCHEDULED

TRAINER = "trainer"
"""The key that stands beside the sections: what trains."""

DEFAULTS = "defaults"
"""The key beside it: values of the default configuration of another trainer."""

LOADED = "loader:"
"""What a path begins with that names a function whose rows are the table (``data.loader``)."""

LOADED_TARGET = "y"
"""What the target is called there."""


@dataclass(frozen=True)
class ChosenTrainer:
    """What trains.

    Attributes
    ----------
    name
        Its entry in `lrtune.trainers.catalogue.TRAINERS`.
    said
        What the experiment says of it, checked and in JSON's types; empty for the built-in one. Under the name of its
        kind stands what it trains: the steps of an estimator as pairs of a name and a class, ``file.py:function``, or
        the words of a command.
    scheduled
        Whether it takes the rate of every update from lrtune.
    defaults
        Values of its default configuration, as far as they are known.

    """

    name: str = BUILT_IN
    said: Values = field(default_factory=dict)
    scheduled: bool = True
    defaults: Values = field(default_factory=dict)

    @property
    def is_foreign(self) -> bool:
        """Whether that is code of somebody else."""
        return bool(self.said)

    @property
    def called(self) -> str:
        """How sentences call it: a class, a function or a command."""
        if self.name == ESTIMATOR:
            return " + ".join(path.rpartition(".")[2] for _, path in self.said[ESTIMATOR])
        return str(self.said[FUNCTION]) if self.name == FUNCTION else shlex.join(self.said[COMMAND])

    def canonical(self) -> Values | str:
        """Describe what results depend on; where code lies, and how long it may run, is left out."""
        if not self.is_foreign:
            return self.name
        kept = {key: self.said[key] for key in (self.name, "report") if key in self.said}
        if self.name == FUNCTION:
            kept[FUNCTION] = re.split(r"[/\\]", str(kept[FUNCTION]))[-1]
        return {**kept, "scheduled": self.scheduled}

    def written(self, folder: str | None) -> Values | str:
        """Write it in the form of the file; relative paths in it start from a folder."""
        if not self.is_foreign:
            return self.name
        steps = self.said.get(ESTIMATOR)
        form = {} if steps is None else {ESTIMATOR: steps[0][1] if not steps[0][0] else [{n: p} for n, p in steps]}
        return {**self.said, **form, **({} if folder is None or self.name == ESTIMATOR else {"folder": folder})}


_UNKNOWN = ChosenTrainer(FUNCTION, {FUNCTION: "trainer"})
"""What stands for code that was named wrongly, so that the parameters in the space are not called wrong as well."""


def read_trainer(document: Document, trainers: Collection[str] | None) -> ChosenTrainer:
    """Read what trains, and its default configuration; reports what is wrong.

    Parameters
    ----------
    document
        The file.
    trainers
        Names of those that can train; None leaves it to who prepares the training.

    """
    value = document.values.get(TRAINER, BUILT_IN)
    if isinstance(value, str) and ":" in value:
        value = {FUNCTION: value}
    if isinstance(value, dict):
        return _foreign(document, value)
    if DEFAULTS in document.values:
        document.report((DEFAULTS,), "has no effect on lrtune's own networks, whose defaults are documented")
    if not isinstance(value, str) or not value:
        document.report((TRAINER,), f"expected the name of a trainer, or {_forms()}, got {shown(value)}")
        return _UNKNOWN
    if "." in value:
        document.report((TRAINER,), f"names no trainer; for a class write {{estimator: {value}}}")
        return _UNKNOWN
    if trainers is not None and value not in trainers:
        named = [each for each in trainers if each not in OPTIONS]
        document.report((TRAINER,), f"unknown value '{value}'; {nearest(value, named)}, or {_forms()}")
    return ChosenTrainer(value)


def settle_loader(document: Document, trainer: ChosenTrainer) -> None:
    """Turn ``data.loader`` into the path of a table that a function loads; reports what is wrong with it."""
    data = document.values.get("data")
    if not isinstance(data, dict) or "loader" not in data:
        return
    place: KeyPath = ("data", "loader")
    spec, origin = data.pop("loader"), document.origin(place)
    try:
        function_name(spec)
    except ValueError as error:
        document.report(place, str(error))
        spec = "invalid.py:load"
    if trainer.name not in (FUNCTION, COMMAND):
        document.report(place, "is for functions and commands; an estimator takes a table (data.path)")
    for key in ("path", "target", "test_path"):
        if key in data:
            document.report(("data", key), "has no effect beside data.loader; keep one of the two")
    document.put(("data", "path"), f"{LOADED}{spec}", origin)
    document.put(("data", "target"), LOADED_TARGET, origin)


def _forms() -> str:
    return "{estimator: module.Class}, file.py:function or {command: ...}"


def _foreign(document: Document, value: Values) -> ChosenTrainer:
    kinds = [each for each in OPTIONS if each in value]
    if len(kinds) != 1:
        document.report((TRAINER,), _not_one_kind(kinds, value))
        return _UNKNOWN
    (kind,) = kinds
    options, said = OPTIONS[kind], {}
    for key, given in value.items():
        if key not in options:
            document.report((TRAINER, str(key)), f"unknown key; {nearest(str(key), options)}")
            continue
        try:
            said[key] = options[key].read(given)
        except ValueError as error:
            document.report((TRAINER, key), str(error))
    if kind not in said:
        return _UNKNOWN
    scheduled = kind != ESTIMATOR or said[ESTIMATOR][-1][1] in SCHEDULED
    return ChosenTrainer(kind, said, scheduled, _defaults(document))


def _not_one_kind(kinds: Sequence[str], value: Values) -> str:
    """Say that it is not clear what trains."""
    if kinds:
        return f"has {' and '.join(kinds)}; keep one of them"
    known = {key for options in OPTIONS.values() for key in options}
    wrong = next((str(key) for key in value if key not in known), None)
    names = " or ".join(f"'{each}'" for each in OPTIONS)
    return f"expected one of {names} in it" + ("" if wrong is None else f", got '{wrong}'; {nearest(wrong, OPTIONS)}")


def _defaults(document: Document) -> Values:
    given = document.values.get(DEFAULTS, {})
    if not isinstance(given, dict):
        document.report((DEFAULTS,), f"must be a mapping of parameters, got {shown(given)}")
        return {}
    found = {}
    for key, value in given.items():
        path: KeyPath = (DEFAULTS, str(key))
        if isinstance(value, dict):
            document.report(path, f"expected one value, got {shown(value)}; what is searched stands under space")
        else:
            found[str(key)] = tuple(value) if isinstance(value, list) else value
    return found
