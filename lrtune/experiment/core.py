"""The experiment as one frozen value."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrtune.experiment.reading.document import Document, KeyPath, Values
from lrtune.experiment.reading.grouped import together
from lrtune.experiment.reading.sections import (
    AUTO,
    BUDGETS,
    DataSection,
    RetrainSection,
    SearchSection,
    Section,
    Settings,
    homes,
    usual_round,
)
from lrtune.experiment.reading.trainer_form import DEFAULTS, LOADED, TRAINER, ChosenTrainer, read_trainer
from lrtune.experiment.writing.yaml_text import nested_space, plain, rate_space, yaml_text
from lrtune.run.identity import Canonical
from lrtune.space import Choice, SearchSpace
from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import nearest
from lrtune.text.paths import expanded
from lrtune.training.metrics.catalogue import foreign
from lrtune.training.registry import DATA_KEYS, KEYS, METRICS, Complete, complete, complete_schedule, usual_metric
from lrtune.verdict.choice.rules import rule
from lrtune.verdict.terms import ENOUGH, ENSEMBLES, Terms

TASKS = ("binary", "multiclass", "regression")
CONTENT = ("path", "test_path", "rare")
"""Keys of `data` that results depend on by the rows and labels alone that come of them, which have a hash."""

_MOST_KEPT = 10_000
"""So many configurations are kept once they are complete."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is to be done: the validated file.

    Attributes
    ----------
    name
        The file's name without its ending, or the table's.
    base
        Folder that relative paths in `data` start from.
    data, model, training, search, retrain
        The flat sections.
    space
        What is searched.
    fixed
        Flat keys that are the same in every configuration.
    in_space
        Flat keys that stand under `space`, in branches as well.
    automatic
        Optimizers whose learning rate is ``auto``: their range is still to be found (`lrtune.finder.resolved`), and
        until then the documented one.
    trainer
        What trains.

    """

    name: str
    base: Path
    data: DataSection
    model: Settings
    training: Settings
    search: SearchSection
    retrain: RetrainSection
    space: SearchSpace
    fixed: Mapping[str, Value]
    in_space: frozenset[str]
    automatic: tuple[str, ...] = ()
    trainer: ChosenTrainer = field(default_factory=ChosenTrainer)
    _document: Document = field(repr=False, compare=False)

    @property
    def folds(self) -> int | None:
        """Parts of the cross-validation that are asked for; None: as many as are usual, if the table bears them."""
        return self.search.folds if "folds" in self.search.model_fields_set else None

    @property
    def planned(self) -> int:
        """How many configurations a search will try: its budget, or the whole space if that is smaller."""
        return int(min(self.search.trials, self.space.size))

    @property
    def workers(self) -> int | None:
        """How many worker processes are asked for; None leaves it to the work there is."""
        return None if self.search.workers == AUTO else int(self.search.workers)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The ways in which configurations encode numbers; that of the default configuration comes first."""
        usual = self.configuration(self.space.default())["numbers"]
        searched = [each.dimension for each in self.space.places() if each.name == "numbers"]
        options = [option.value for each in searched if isinstance(each, Choice) for option in each.options]
        return tuple(str(each) for each in dict.fromkeys([usual, *options]))

    @property
    def horizon(self) -> int:
        """Epochs of the default configuration; 1 where a training has none."""
        epochs = self.configuration(self.space.default()).get("epochs", 1)
        assert isinstance(epochs, int)
        return epochs

    def seeds(self, trials: int) -> int:
        """Say with how many seeds each of so many trials is trained in the end."""
        members = self.retrain.members
        return -(-ENOUGH // trials) if members == AUTO else int(members)

    @property
    def networks(self) -> int:
        """How many networks may be trained in the end."""
        if self.retrain.bag:
            return self.search.folds * self.search.repeats
        trials = ENSEMBLES if self.retrain.ensemble == AUTO else (int(self.retrain.ensemble),)
        most = max(each * self.seeds(each) for each in (1, *trials))
        return int(most) * (2 if self.retrain.rows == "all" else 1)

    @property
    def loader(self) -> str | None:
        """The function that loads the rows, as ``file.py:function``; None: they are a table."""
        return self.data.path.removeprefix(LOADED) if self.data.path.startswith(LOADED) else None

    @property
    def inputs(self) -> dict[str, Path]:
        """Where it and its tables are read from, by what these files are; some of them may not be there."""
        named = {"the training table": None if self.loader else self.data.path, "the test table": self.data.test_path}
        tables = {what: self.base / expanded(each) for what, each in named.items() if each is not None}
        return {"the experiment file": Path(self._document.root.label), **tables}

    def configuration(self, point: Configuration) -> Complete:
        """Complete a point of the space with what is fixed and with the documented defaults; once for each point."""
        return self._completed(tuple(point.items()))

    @functools.cached_property
    def _completed(self) -> Callable[[tuple[tuple[str, Value], ...]], Complete]:
        return functools.lru_cache(maxsize=_MOST_KEPT)(lambda items: self._filled({**self.fixed, **dict(items)}))

    def _filled(self, configuration: Configuration) -> Complete:
        if not self.trainer.is_foreign:
            return complete(configuration)
        return complete_schedule(configuration) if self.trainer.scheduled else Complete(configuration)

    def canonical(self) -> Canonical:
        """Describe in JSON's types all that results depend on.

        Left out are budgets (`BUDGETS`), what is made of the best trials (`retrain`), and what the content of the table
        tells (`CONTENT`). Keys of configurations that stand under `data` are among what is fixed.
        """
        unsaid = (*CONTENT, *DATA_KEYS, *(("encode",) if self.data.encode else ()))
        data = {key: each for key, each in _values(self.data).items() if key not in unsaid}
        search = {key: each for key, each in _values(self.search).items() if key not in BUDGETS}
        if self.search.direction is None:
            del search["direction"]
        fixed = {key: plain(self.fixed[key]) for key in sorted(self.fixed)}
        trainer = {} if self.trainer == ChosenTrainer() else {TRAINER: plain(self.trainer.canonical())}
        return {
            **trainer,
            "data": data,
            "fixed": fixed,
            "dtype": self.training.dtype,
            "search": search,
            "space": self.space.canonical(),
        }

    @property
    def terms(self) -> Terms:
        """What a search is judged by, beside its scores."""
        search = self.search
        averaged = None if self.retrain.ensemble == AUTO else int(self.retrain.ensemble)
        return Terms(
            self.space,
            search.seed,
            rule(search.select),
            search.confirm,
            search.pruning,
            search.round,
            averaged,
            self.retrain.promote_if,
        )

    def check_trainer(self, trainers: Collection[str]) -> None:
        """Check that what trains is one of some trainers.

        Raises
        ------
        ExperimentError
            If it is none of them.

        """
        said = {key: each for key, each in self._document.values.items() if key in (TRAINER, DEFAULTS)}
        document = Document(said, self._document.root, self._document.origins)
        read_trainer(document, trainers)
        document.raise_problems()

    @property
    def own_names(self) -> frozenset[str]:
        """Parameters of another trainer than lrtune's own that the experiment sets; empty for that."""
        if not self.trainer.is_foreign:
            return frozenset()
        shared = {*homes(self.trainer), *(("learning_rate", "decay") if self.trainer.scheduled else ())}
        named = {key for key in self.in_space if not (self.trainer.scheduled and key.startswith("decay."))}
        return frozenset((named | set(self.trainer.defaults)) - shared)

    def refuse(self, wrong: Sequence[tuple[str, str]]) -> None:
        """Refuse what its trainer will not train: problems, each with the parameter it is about, or an empty text.

        Raises
        ------
        ExperimentError
            If there is any.

        """
        document = Document({}, self._document.root, self._document.origins)
        for key, problem in wrong:
            place: KeyPath = (TRAINER,) if not key else (DEFAULTS, key) if key not in self.in_space else ("space", key)
            document.report(place, problem)
        document.raise_problems()

    def metric(self, task: str) -> str:
        """Name the metric for a task, and check all that depends on the task.

        Parameters
        ----------
        task
            One of `TASKS`, as found in the table.

        Raises
        ------
        ExperimentError
            If the metric, the splitter or a training key does not fit the task.

        """
        document = Document({}, self._document.root, self._document.origins)
        name = usual_metric(task) if self.search.metric == AUTO else self.search.metric
        if self.search.direction is not None:
            name = foreign(name, larger_is_better=self.search.direction == "maximize")
        if task not in METRICS[name].tasks:
            fitting = [each.name for each in METRICS.values() if task in each.tasks]
            problem = f"'{name}' is for {' and '.join(METRICS[name].tasks)} targets and this one is {task}"
            document.report(("search", "metric"), f"{problem}; {nearest(name, fitting)}")
        if task == "regression":
            self._refuse_classification(document)
        document.raise_problems()
        return name

    def _refuse_classification(self, document: Document) -> None:
        if self.search.splitter == "stratified":
            document.report(("search", "splitter"), "'stratified' needs classes and this target is regression")
        for key in ("label_smoothing", "over_time.label_smoothing", "class_weight"):
            if key in self.in_space:
                document.report(("space", key), "needs classes and this target is regression")
            elif self.fixed.get(key, KEYS[key].default) != KEYS[key].default:
                document.report(("training", key), "needs classes and this target is regression")

    def to_yaml(self, folder: Path | None = None) -> str:
        """Write the whole experiment, overrides included, as a file that loads as the same experiment.

        Parameters
        ----------
        folder
            Where the file will stand: paths become relative to it. None makes them absolute.

        """
        fixed = {key: each for key, each in self.fixed.items() if key not in self.in_space}
        return self._written(folder, fixed, self._document.values["space"], defaults=self.trainer.defaults)

    def dump(self, configuration: Configuration, folder: Path | None = None) -> str:
        """Write an experiment in which everything is fixed to one complete configuration.

        Loading the text gives a space of one point, whose `configuration` is the one given. `folder` as in `to_yaml`.
        """
        if not self.trainer.is_foreign:
            return self._written(folder, configuration, nested_space(configuration), defaults={})
        rate = rate_space(configuration) if self.trainer.scheduled else {}
        own = sorted(self.own_names & self.in_space & set(configuration))
        fixed = {key: [plain(each)] if isinstance(each := configuration[key], tuple) else each for key in own}
        return self._written(folder, configuration, {**rate, **fixed}, defaults={})

    def _written(self, folder: Path | None, fixed: Configuration, space: Values, *, defaults: Values) -> str:
        data = {
            key: each
            for key, each in _values(self.data).items()
            if each is not None and key not in DATA_KEYS and not _is_left_out(key, each)
        }
        if self.loader is not None:
            del data["path"], data["target"]
            data = {"loader": self.loader, **data}
        for key in ("path", "test_path"):
            if key in data:
                data[key] = seen_from(folder, self.base, data[key])
        if "test_path" in data:
            del data["test_size"]
        if self.data.encode:
            del data["encode"]
        places = homes(self.trainer).items()
        settings, model, training = (
            together(
                {key: plain(fixed[flat]) for flat, (home, key) in places if home == section and _says(fixed, flat)}
            )
            for section in ("data", "model", "training")
        )
        training["dtype"] = self.training.dtype
        search = {key: each for key, each in _values(self.search).items() if each is not None}
        if self.folds is None:
            del search["folds"]
        if search["round"] == usual_round(self.search.strategy, self.search.pruning):
            del search["round"]  # so that another strategy gets its own
        written = {"data": data | settings, **({"model": model} if model else {}), "training": training}
        return yaml_text(
            {
                **self._said_of_trainer(folder, defaults),
                **written,
                "search": search,
                **self._retrain,
                "space": dict(space),
            }
        )

    @property
    def _retrain(self) -> dict[str, Values]:
        """What was said of the retraining, if anything was."""
        said = self.retrain.model_dump(exclude_unset=True)
        return {"retrain": said} if said else {}

    def _said_of_trainer(self, folder: Path | None, defaults: Values) -> dict[str, Values | str]:
        """Write what trains, unless it is lrtune itself, and defaults; its paths start from where they did."""
        if self.trainer == ChosenTrainer():
            return {}
        place = seen_from(folder, self.base, str(self.trainer.said.get("folder", ".")))
        said = {key: plain(each) for key, each in defaults.items()}
        return {TRAINER: plain(self.trainer.written(place)), **({DEFAULTS: said} if said else {})}


def _says(fixed: Configuration, key: str) -> bool:
    """Tell whether a key is written; one of a group only where it says something."""
    return key in fixed and not ("." in key and fixed[key] == KEYS[key].default)


def _is_left_out(key: str, value: Any) -> bool:
    """Whether a list is empty because nobody wrote it; one that replaces another by nothing is written."""
    return bool(value == [] and DataSection.model_fields[key].default == ())


def _values(section: Section) -> Values:
    return {key: plain(getattr(section, key)) for key in type(section).model_fields}


def seen_from(folder: Path | None, base: Path, path: str) -> str:
    """Rewrite a path that starts from `base` as one that starts from `folder`, or as an absolute one."""
    if path.startswith("sklearn:"):
        return path
    absolute = (base / expanded(path)).absolute()
    if folder is None:
        return absolute.as_posix()
    relative = Path(os.path.relpath(absolute, folder.absolute())).as_posix()
    return f"./{relative}" if relative.startswith("~") else relative
