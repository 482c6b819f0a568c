"""A file or a text, and overrides -> an `Experiment`, or all that is wrong with them."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lrtune.data.formats import PACKED
from lrtune.experiment.core import Experiment, seen_from
from lrtune.experiment.reading.automatic import asking, filled, without_own
from lrtune.experiment.reading.document import Document, KeyPath, Origin, dotted
from lrtune.experiment.reading.grouped import path_of
from lrtune.experiment.reading.sections import SearchSection, homes, usual_round
from lrtune.experiment.reading.space_form import SpaceReader, check_warmup
from lrtune.experiment.reading.trainer_form import DEFAULTS, TRAINER, ChosenTrainer, read_trainer, settle_loader
from lrtune.experiment.reading.validation import Sections, check_metric, check_sections, read_sections
from lrtune.experiment.reading.vocabulary import LAYER_KEYS, OPTIMIZER_OWN, BuiltInNames, OwnNames, coerced, illegal
from lrtune.experiment.reading.yaml_text import override, read_file, read_text
from lrtune.experiment.writing.default_space import default_space
from lrtune.experiment.writing.yaml_text import plain
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import SearchSpace
from lrtune.space.trial import Value
from lrtune.text.braces import named_in
from lrtune.text.errors import nearest
from lrtune.text.paths import expanded
from lrtune.training.registry import COMMAND, DECAYS, ESTIMATOR, IN_COMMANDS, SCHEDULE_KEYS


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    data: str | Path | None = None,
    target: str | None = None,
    trainers: Collection[str] | None = None,
) -> Experiment:
    """Load an experiment from a file; `lrtune.experiment.suited` makes the one that a table has without a file.

    Parameters
    ----------
    path
        The experiment file.
    overrides
        Settings that replace those of the file, as ``"search.trials=20"``; the value is YAML.
    data, target
        The table, relative to the working folder, and its target column; they replace those of the file.
    trainers
        Names of those that can train; None leaves it to who prepares the training.

    Raises
    ------
    ExperimentError
        With everything that is wrong.

    """
    file = expanded(path)
    document = read_file(file)
    if data is not None:
        document.put(("data", "path"), seen_from(None, Path(), str(data)), Origin(f"--data {data}"))
    if target is not None:
        document.put(("data", "target"), target, Origin(f"--target {target}"))
    apply(document, overrides)
    return experiment_of(document, stem(str(path)), file.parent, trainers)


def apply(document: Document, overrides: Sequence[str]) -> None:
    """Set what overrides say, ``key.path=value`` each; what contradicts one of them goes."""
    for each in overrides:
        changed = override(document, each)
        if changed is not None:
            _take_out_of_the_way(document, changed)


def load_text(text: str, *, name: str = "experiment", base: Path | None = None) -> Experiment:
    """Load an experiment from the text of a file; `base` is the folder that its paths start from.

    Raises
    ------
    ExperimentError
        With everything that is wrong.

    """
    return experiment_of(read_text(text, name), name, base or Path())


def with_rates(experiment: Experiment, ranges: Mapping[str, tuple[float, float]]) -> Experiment:
    """Put ranges of learning rates where an experiment says ``auto``.

    One that stands directly under `space` moves into the branches of the optimizers that have none of their own.

    Parameters
    ----------
    experiment
        It stays as it is.
    ranges
        Lowest and highest rate by optimizer; the others get their documented range.

    """
    old = experiment._document  # noqa: SLF001 - the experiment is ours
    values = copy.deepcopy(old.values)
    values["space"] = filled(values["space"], ranges)
    return experiment_of(Document(values, old.root, dict(old.origins)), experiment.name, experiment.base)


def with_defaults(experiment: Experiment, defaults: Mapping[str, Value]) -> Experiment:
    """Put values of the default configuration of another trainer where the experiment does not say them.

    Parameters
    ----------
    experiment
        It stays as it is.
    defaults
        By parameter; those that the experiment does not search are passed over.

    """
    old = experiment._document  # noqa: SLF001 - the experiment is ours
    said = old.values.get(DEFAULTS) or {}
    wanted = {key: plain(defaults[key]) for key in sorted(experiment.in_space & set(defaults)) if key not in said}
    values = {**copy.deepcopy(old.values), DEFAULTS: {**said, **wanted}}
    return experiment_of(Document(values, old.root, dict(old.origins)), experiment.name, experiment.base)


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """Give an experiment another seed (``search.seed``); it stays as it is."""
    old = experiment._document  # noqa: SLF001 - the experiment is ours
    values = copy.deepcopy(old.values)
    values["search"] = {**(values.get("search") or {}), "seed": seed}
    return experiment_of(Document(values, old.root, dict(old.origins)), experiment.name, experiment.base)


def experiment_of(document: Document, name: str, base: Path, trainers: Collection[str] | None = None) -> Experiment:
    """Check a document as a whole, and freeze it; the arguments as in `load`, `load_text`.

    Raises
    ------
    ExperimentError
        With everything that is wrong.

    """
    trainer = read_trainer(document, trainers)
    settle_loader(document, trainer)
    check_metric(document, trainer)
    sections = read_sections(document, trainer)
    names = OwnNames(trainer.scheduled, trainer.defaults) if trainer.is_foreign else BuiltInNames()
    reader = SpaceReader(document, vocabulary=names)
    if document.values.get("space") is None:
        document.values["space"] = {} if trainer.is_foreign else default_space()
    space = reader.read(document.values["space"], model=_model_type(document))
    _refuse_both(document, reader)
    if trainer.is_foreign:
        _check_own(document, reader, trainer)
    if sections is not None:
        check_sections(document, sections, trainer)
        _refuse_watched(document, reader, space, trainer)
        _refuse_ranges(document, sections, reader)
        check_warmup(document, reader, space, _fixed(sections, reader, space, trainer))
    document.raise_problems()
    assert sections is not None
    return Experiment(
        name=name,
        base=base,
        data=sections.data,
        model=sections.model,
        training=sections.training,
        search=_with_defaults(sections.search, space),
        retrain=sections.retrain,
        space=space,
        trainer=trainer,
        fixed=_fixed(sections, reader, space, trainer),
        in_space=frozenset(reader.mentioned),
        automatic=asking(document.values["space"]) if reader.automatic else (),
        _document=document,
    )


def _model_type(document: Document) -> str:
    model = document.values.get("model")
    return str(model.get("type", "mlp")) if isinstance(model, dict) else "mlp"


def _with_defaults(search: SearchSection, space: SearchSpace) -> SearchSection:
    """Set what the file leaves to the strategy: how large a round is, and that a grid has all of its points."""
    suited: dict[str, int] = {"round": usual_round(search.strategy, search.pruning)}
    if STRATEGIES[search.strategy].walks:
        suited["trials"] = int(space.size)
    return search.model_copy(update={key: each for key, each in suited.items() if key not in search.model_fields_set})


def _refuse_ranges(document: Document, sections: Sections, reader: SpaceReader) -> None:
    """Report what no grid can walk."""
    for path in reader.ranges if STRATEGIES[sections.search.strategy].walks else ():
        document.report(path, "a grid needs finite dimensions; add `points: 5` to the range, or list values")


def _refuse_both(document: Document, reader: SpaceReader) -> None:
    """Report keys that are fixed in a section and searched as well."""
    fixed = homes()
    for key, place in reader.mentioned.items():
        home = path_of(fixed[key][:1], fixed[key][1]) if key in fixed else None
        if home is not None and home in document.origins:
            line = document.origins[home].line
            where = dotted(home) + (f" in line {line}" if line else "")
            document.report(place, f"is given by {where} as well; keep one of the two")


def _take_out_of_the_way(document: Document, changed: KeyPath) -> None:
    """Let an override win over what contradicts it: the same key in its other place, another source of test rows."""
    if changed == ("data", "test_path"):
        document.remove(("data", "test_size"))
    if changed in (("model", "type"), ("space", "model")) and document.at(changed) == "linear":
        for key in LAYER_KEYS:
            document.remove(path_of(("space",), key))
    for key in OPTIMIZER_OWN:
        if changed == path_of(("space",), key) and document.is_of_file(("space", "optimizer")):
            document.values["space"] = without_own(document.values["space"], key)
    for flat, (section, key) in homes().items():
        fixed, searched = path_of((section,), key), path_of(("space",), flat)
        if _meet(changed, searched) and document.has(searched):
            document.remove(fixed)
        elif len(changed) > 1 and _meet(changed, fixed) and document.has(fixed):
            document.remove(searched)


def _meet(one: KeyPath, other: KeyPath) -> bool:
    """Tell whether one of two places lies in the other, or is it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _check_own(document: Document, reader: SpaceReader, trainer: ChosenTrainer) -> None:
    """Report what is wrong with a space and the defaults of another trainer."""
    if not reader.mentioned:
        document.report(("space",), f"is missing: name parameters of {trainer.called}, and what to try of each")
    for path in reader.automatic:
        document.report(path, "'auto' is for lrtune's own networks; `lrtune finder` tells a range to write here")
    members = reader.vocabulary.members(tuple(trainer.defaults))
    for key, value in trainer.defaults.items():
        if key not in reader.mentioned:
            meant = nearest(key, sorted(reader.mentioned)) if reader.mentioned else "nothing stands there"
            document.report((DEFAULTS, key), f"expected a name that stands under space, too; {meant}")
        elif problem := illegal(members[key].factor, coerced(value, members[key].factor)):
            document.report((DEFAULTS, key), problem)
    if trainer.name == COMMAND:
        _check_braces(document, reader, trainer)
    shaping = [key for key in ("decay", "warmup", "warmup_shape", "warmup_start") if key in reader.mentioned]
    if shaping and trainer.scheduled and not _has_rate(reader, trainer):
        document.report(reader.mentioned[shaping[0]], "shapes a rate, and there is none: search learning_rate as well")


def _check_braces(document: Document, reader: SpaceReader, trainer: ChosenTrainer) -> None:
    """Report names in braces of a command that nothing stands for."""
    rated = _has_rate(reader, trainer)
    own = [each for each in IN_COMMANDS if rated or each != "rates"]
    fixed = [key for key, (section, _) in homes(trainer).items() if section != "data"]
    known = sorted({*reader.mentioned, *fixed, *(SCHEDULE_KEYS if rated else ()), *own})
    for name in named_in(trainer.said.get(COMMAND, ())):
        if name not in known:
            document.report((TRAINER, COMMAND), f"{{{name}}} in the command is no parameter; {nearest(name, known)}")


def _refuse_watched(document: Document, reader: SpaceReader, space: SearchSpace, trainer: ChosenTrainer) -> None:
    """Report a decay that follows a loss where nobody is told of a loss while it trains."""
    if trainer.name not in (COMMAND, ESTIMATOR):
        return
    decays = [each.dimension for each in space.places() if each.name == "decay"]
    options = {str(each.value) for dimension in decays for each in getattr(dimension, "options", ())}
    for each in sorted(options | {str(trainer.defaults.get("decay"))}):
        if each in DECAYS and DECAYS[each].follows == "loss":
            place = reader.mentioned.get("decay", (DEFAULTS, "decay"))
            problem = f"{each} follows the loss of the training, and {trainer.called} has its rates before it trains"
            document.report(place, problem)


def _has_rate(reader: SpaceReader, trainer: ChosenTrainer) -> bool:
    """Tell whether another trainer is given rates: its learning rate is searched, or fixed."""
    return trainer.scheduled and "learning_rate" in reader.mentioned


def _fixed(sections: Sections, reader: SpaceReader, space: SearchSpace, trainer: ChosenTrainer) -> dict[str, Value]:
    """Collect what every configuration has: the sections without what is searched, and dimensions of one point."""
    fixed: dict[str, Value] = {}
    said = reader.document.values.get("training") or {}
    unsaid = trainer.is_foreign and not _has_rate(reader, trainer)  # then nobody needs epochs that nobody named
    for flat, (section, key) in homes(trainer).items():
        if unsaid and section == "training" and key not in said:
            continue
        value = getattr(getattr(sections, section), key)
        left_to_the_optimizer = flat == "weight_decay" and value is None
        if flat not in reader.mentioned and not left_to_the_optimizer:
            fixed[flat] = value
    for each in space.dimensions:
        if each.size == 1:
            fixed.update(each.default())
    return fixed


def stem(path: str) -> str:
    """Name an experiment by the path of its file, or of its table."""
    name = Path(path.removeprefix("sklearn:"))
    if name.suffix in PACKED:
        name = name.with_suffix("")
    return name.stem or "experiment"
