"""Words of the command line -> the configuration whose schedule is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lrtune.cli.runs import find
from lrtune.experiment.reading.document import Document, Origin
from lrtune.experiment.reading.vocabulary import LISTS, Member, coerced, illegal, inside, unknown_factor
from lrtune.experiment.reading.yaml_text import override
from lrtune.handover.core import SchedulePlan, plan_of
from lrtune.run.chosen import chosen_configuration, updates_in_epoch
from lrtune.space.trial import Value
from lrtune.text.errors import ConfigurationError, ExperimentError, nearest
from lrtune.training.registry import DECAYS, KEYS, complete, problems

KEYS_BESIDE = ("warmup", "warmup_shape", "warmup_start", "ema")
"""What else than a factor of the decay can be set."""

STEPS_PER_EPOCH = 10
"""Where nothing says how many updates an epoch has."""


class Given(NamedTuple):
    """What options say; None where nothing is said."""

    settings: Sequence[str] = ()
    rate: float | None = None
    warmup: float | None = None
    epochs: int | None = None
    steps: int | None = None

    def keys(self) -> dict[str, Value]:
        """Gather the options that are keys of a configuration."""
        named = {"learning_rate": self.rate, "warmup": self.warmup, "epochs": self.epochs}
        return {key: value for key, value in named.items() if value is not None}


def named(name: str, given: Given) -> SchedulePlan:
    """Find the schedule of a decay type, with the factors that are set.

    Raises
    ------
    ExperimentError
        With everything that is wrong.

    """
    if name not in DECAYS:
        raise ExperimentError([f"unknown decay '{name}'; {nearest(name, DECAYS)}"])
    return _settled({"decay": name}, given, STEPS_PER_EPOCH if given.steps is None else given.steps)


def several(names: Sequence[str], given: Given) -> list[SchedulePlan]:
    """Find the schedules of several decay types; a factor is set wherever there is one of its name.

    Raises
    ------
    ExperimentError
        With everything that is wrong, also with a factor that none of them has.

    """
    if len(names) == 1:
        return [named(names[0], given)]
    own = {name: [each for each in given.settings if _key(each) in _keys(name)] for name in names}
    known = sorted({key for name in names for key in _keys(name)})
    strange = [each for each in given.settings if _key(each) not in known]
    if strange:
        raise ExperimentError([f"--set {each}: unknown factor; {nearest(_key(each), known)}" for each in strange])
    return [named(name, given._replace(settings=settings)) for name, settings in own.items()]


def _key(setting: str) -> str:
    """Name the factor that a setting sets, or that it is inside of."""
    return setting.partition("=")[0].strip().removeprefix("decay.").split(".")[0]


def _keys(name: str) -> set[str]:
    """Name what can be set of a decay type; nothing of one that does not exist."""
    return {*KEYS_BESIDE, *(each.name for each in DECAYS[name].factors)} if name in DECAYS else set()


def of_run(run: str, given: Given) -> SchedulePlan:
    """Find the schedule of a finished run's best configuration; what is given goes before what was found.

    Raises
    ------
    StudyError
        If the run is not finished.

    """
    folder = find(run)
    configuration = chosen_configuration(folder)
    steps = updates_in_epoch(folder, configuration) if given.steps is None else given.steps
    plan = _settled(dict(configuration), given, steps)
    own = {key: each for key, each in plan.configuration.items() if key.partition(".")[0] == "optimizer"}
    return plan._replace(optimizer=own) if "optimizer" in configuration else plan


def _settled(configuration: dict[str, Value], given: Given, steps: int) -> SchedulePlan:
    found: list[str] = []
    configuration |= given.keys()
    for text in sorted(given.settings, key=lambda each: each.partition("=")[0].count(".")):
        found.extend(f"--set {text}: {each}" for each in _set(configuration, text))
    found = found or [_as_option(each) for each in problems(configuration)]
    if steps < 1:
        found.append(f"--steps-per-epoch: expected a whole number of at least 1, got {steps}")
    if found:
        raise ExperimentError(found)
    whole = complete(configuration)
    return plan_of(whole, steps, int(str(whole["epochs"])))


def _as_option(problem: str) -> str:
    for key, option in (("learning_rate", "rate"), ("warmup", "warmup"), ("epochs", "epochs")):
        if problem.startswith(f"{key}: "):
            return f"--{option}{problem.removeprefix(key)}"
    return problem.removeprefix("decay.")


def _set(configuration: dict[str, Value], text: str) -> list[str]:
    """Apply ``factor=value`` to a configuration; give back what is wrong with it."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        return ["must have the form factor=value, such as final=0.01"]
    document = Document({}, Origin("value"))
    override(document, f"value={value}")
    if document.problems:
        return [problem for _, problem in document.problems]
    try:
        member = _member(configuration, key.strip().removeprefix("decay."))
    except ConfigurationError as error:
        return [str(error)]
    legal = coerced(document.values["value"], member.factor)
    if problem := illegal(member.factor, legal):
        misspelt = member.branches and isinstance(legal, str)
        return [f"unknown decay '{legal}'; {nearest(legal, member.names)}" if misspelt else problem]
    configuration[member.key] = tuple(legal) if member.factor.kind in LISTS and legal is not None else legal
    return []


def _member(configuration: dict[str, Value], key: str) -> Member:
    """Find the declaration of a factor; ``first.final`` is inside the decay that ``first`` names."""
    if key in KEYS_BESIDE:
        return Member(key, KEYS[key])
    member = Member("decay", KEYS["decay"])
    for part in key.split("."):
        name = str(configuration.get(member.key, member.factor.default))
        members = inside(member, name) if member.branches else {}
        if part not in members:
            raise ConfigurationError(
                unknown_factor(part, member, name) if member.branches else f"{member.factor.name} has no factors"
            )
        member = members[part]
    return member
