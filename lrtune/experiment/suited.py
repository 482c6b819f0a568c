"""The experiment that suits a table: what is done where there is no file, and what `lrtune init` writes.

Overrides are checked before the table is read, so that every mistake in them is reported at once. What they say of the
table is heeded when it is looked at; what they say of the search goes before what is suggested.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrtune.data.dataset import open_dataset, refuse_itself
from lrtune.data.tables import Table, load
from lrtune.experiment.core import Experiment
from lrtune.experiment.reading.automatic import filled
from lrtune.experiment.reading.document import Document, Origin, Values
from lrtune.experiment.reading.loading import apply, experiment_of, stem
from lrtune.experiment.reading.sections import AUTO, DataSection
from lrtune.experiment.reading.validation import NO_TARGET
from lrtune.experiment.reading.yaml_text import read_text
from lrtune.experiment.writing import first_file, qualities, sizes
from lrtune.experiment.writing.seen import Seen, seen
from lrtune.text.errors import ExperimentError, LrtuneError, named

LABEL = "default experiment"
"""What messages call a file that nobody wrote."""

WITHDRAWN = {
    ("search", "folds"): ("search", "repeats"),  # suggested for the other number of folds
    ("search", "strategy"): ("search", "round"),  # suggested for one that learns
    ("retrain", "bag"): ("retrain",),  # what has its folds' models delivered is a single trial
    ("data", "test_path"): ("retrain", "rows"),  # a table of its own is there to judge
}
"""What is not suggested where an override says something of another place."""

DATES = "encode"


@dataclass(frozen=True, eq=False)
class Look:
    """A table that was looked at.

    Attributes
    ----------
    table
        All of it.
    said
        What somebody says of it; dates are encoded, unless that says something else.
    found
        What was seen.

    """

    table: Table
    said: DataSection
    found: Seen


def bare(
    data: str | Path | Table,
    overrides: Sequence[str] = (),
    *,
    target: str | None = None,
    trainers: Collection[str] | None = None,
) -> Experiment:
    """Make an experiment of overrides alone, which checks them; the arguments and errors of `suited`."""
    document = Document({"data": {"path": _path(data)}}, Origin(LABEL))
    if target is not None:
        document.put(("data", "target"), target, Origin(f"--target {target}"))
    apply(document, overrides)
    return experiment_of(document, LABEL, Path(), trainers)


def look(
    data: str | Path | Table, said: DataSection, *, seed: int = 0, splitter: str = "auto", quality: str | None = None
) -> Look:
    """Read a table, unless it is in memory, and see what is in it.

    Parameters
    ----------
    data
        A path, relative to the working folder, or the table.
    said
        What somebody says of it.
    seed, splitter
        Of the search: which rows are for the test, and how the others get into folds.
    quality
        How much the search is to do (`lrtune.experiment.writing.qualities`).

    Raises
    ------
    DataError
        If it cannot be read, or does not fit what is said of it.

    """
    wanted = qualities.quality(quality)
    if "dates" not in said.model_fields_set:
        said = said.model_copy(update={"dates": DATES})
    if said.test_path is not None and not isinstance(data, Table):
        refuse_itself(data, said.test_path)
    table = data if isinstance(data, Table) else load(data, options=said.options)
    share = 0.0 if said.test_path is not None else said.test_size
    dataset = open_dataset(table, test_size=share, seed=seed, **said.meaning)
    return Look(table, said, seen(table, dataset, splitter, wanted))


def suited(
    data: str | Path | Table,
    overrides: Sequence[str] = (),
    *,
    target: str | None = None,
    quality: str | None = None,
    trainers: Collection[str] | None = None,
) -> tuple[Experiment, Table]:
    """Make the experiment that suits a table: the one that `lrtune init` writes, and overrides in it.

    Parameters
    ----------
    data
        A path, relative to the working folder, or a table in memory.
    overrides
        Settings that replace what is suggested, as ``"search.trials=20"``; the value is YAML.
    target
        The column to predict; None if the table or an override names it.
    quality
        How much the search is to do: ``fast``, ``good`` or ``best``; None: good.
    trainers
        Names of those that can train; None leaves it to who prepares the training.

    Returns
    -------
    tuple
        The experiment, and the table, which need not be read again.

    Raises
    ------
    ExperimentError
        With everything that is wrong with the overrides.
    DataError
        If the table cannot be read, or does not fit what is said of it.

    """
    try:
        asked = bare(data, overrides, target=target, trainers=trainers)
    except ExperimentError as error:
        raise _with_columns(error, data) from error
    source = data if isinstance(data, Table) else asked.data.path
    if asked.trainer.is_foreign:  # what suits a table is a network of lrtune's; others are as they are asked for
        return asked, source if isinstance(source, Table) else load(source, options=asked.data.options)
    looked = look(source, asked.data, seed=asked.search.seed, splitter=asked.search.splitter, quality=quality)
    document = read_text(first_file.text(looked.found, looked.said.path), LABEL)
    for place, suggestion in WITHDRAWN.items():
        if _is_set(overrides, place):
            document.remove(suggestion)
    apply(document, overrides)
    rate = ("space", "learning_rate")
    if _is_set(overrides, ("space", "optimizer")) and (document.is_of_file(rate) or not document.has(rate)):
        document.values["space"] = _with_rates(document.values["space"])
    return experiment_of(document, stem(_path(data)), Path(), trainers), looked.table


def _with_rates(space: Values) -> Values:
    """Give each optimizer that an override names a range of rates: the one suggested for it, or its documented one."""
    suggested = {sizes.OPTIMIZER: sizes.RATES} if "learning_rate" in space else {}
    return filled({**space, "learning_rate": AUTO}, suggested)


LIKELY = ("target", "label", "class", "outcome", "response")
"""Names that columns to predict often have, the likeliest first; where none is there, it is often the last column."""


def likely_target(names: Sequence[str]) -> str:
    """Choose the column that is most likely the one to predict; nothing is done with it that nobody has said.

    >>> likely_target(["Label", "length", "width"]), likely_target(["x", "y", "kind"])
    ('Label', 'kind')
    """
    known = {name.lower(): name for name in reversed(names)}
    return next((known[each] for each in LIKELY if each in known), names[-1])


def _with_columns(error: ExperimentError, data: str | Path | Table) -> ExperimentError:
    """Say which columns there are, if a mistake is that none is named; the table may be unreadable as well."""
    if not any(each.endswith(NO_TARGET) for each in error.problems):
        return error
    try:
        names = (data if isinstance(data, Table) else load(data)).names
    except LrtuneError:
        return error
    likely = likely_target(names)
    said = f"{NO_TARGET}; there are {named(names)}. Perhaps it is '{likely}': add --target {shlex.quote(likely)}"
    return ExperimentError([each.replace(NO_TARGET, said) for each in error.problems])


def _path(data: str | Path | Table) -> str:
    return data.source if isinstance(data, Table) else str(data)


def _is_set(overrides: Sequence[str], place: tuple[str, ...]) -> bool:
    names = [tuple(part.strip() for part in each.partition("=")[0].split(".")) for each in overrides]
    return place in names
