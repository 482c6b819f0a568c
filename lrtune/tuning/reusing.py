"""Fits that another study has made on the very same rows, split and seed: they are taken over and not made again.

A lane is bitwise the same alone and in any company, so that what a configuration came to follows from its content: the
hashes of what training sees and of the folds, the seed, the precision, the metric, the engine and everything in the
configuration. Two studies that agree in these differ in what they try, and in nothing that a fit depends on. Their fits
are all taken over, because a correction has to count every configuration that these rows have scored.

Only lrtune's own training is: of other code nobody knows what else it depends on. Neither is what follows a clock, nor
what was scored in stages, or on a shorter horizon.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lrtune.experiment import Experiment
from lrtune.run.bodies import CLOCK, Body, Header
from lrtune.run.folder import Run
from lrtune.run.journal import Journal
from lrtune.run.names import DATABASE
from lrtune.run.study import RESULT
from lrtune.run.taken import Fit
from lrtune.space.trial import Configuration, Stage
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import BUILT_IN
from lrtune.training.wall_clock import follows_clock
from lrtune.tuning.naming import identity_of
from lrtune.tuning.records import Records

MOST_BYTES = 64 * 2**20
"""What the out-of-fold results of fits may take that are copied into a run."""

_APART = ("trial", "stage", "predictions", "probabilities", "reused", CLOCK)
"""What a result says of its own study."""

_PARTS = ("shorter", "more", "reason")
"""What a result says that is not the whole of a training, or has failed."""

_SEARCH = ("folds", "repeats", "splitter", "seed", "metric")


def fit_key(configuration: Configuration) -> frozenset[Any]:
    """Name a complete configuration so that equal ones have equal names."""
    return frozenset(configuration.items())


def is_whole(stage: Stage, folds: int) -> bool:
    """Tell whether a stage is the whole of a training."""
    return stage.first == 0 and stage.end == folds and stage.shorter == 1


def is_same_training(header: Header, experiment: Experiment, prepared: Prepared) -> bool:
    """Tell whether a study trained on the very same rows, split and seed, as this search does."""
    ours, theirs = identity_of(experiment, prepared), header.identity
    if any(ours[key] != theirs[key] for key in ("data", "folds", "engine")) or ours.get("code") != theirs.get("code"):
        return False
    here, there = ours["experiment"], header.asked
    if any(here.get(key) != there.get(key) for key in ("data", "dtype", "trainer")) or experiment.trainer.is_foreign:
        return False
    return all(here["search"].get(key) == there.get("search", {}).get(key) for key in _SEARCH)


def fits_of(run: Run, called: str, experiment: Experiment, prepared: Prepared) -> Iterator[Fit]:
    """Read the complete fits of a study that trained on the very same rows; none of another one."""
    header = run.study.header
    is_staged = experiment.search.pruning != "none"
    if is_staged or run.trained_by != BUILT_IN or not is_same_training(header, experiment, prepared):
        return
    records = Records(run.folder, prepared)
    if (header.predictions, header.probabilities) != records.new_layouts(experiment.search.trials):
        return
    records.take(header)
    if not records.are_whole:
        return
    room = MOST_BYTES
    for number, said in _whole_results(run.folder, len(prepared.setting.folds)):
        configuration = run.configuration(run.study.trials[number].configuration)
        if follows_clock(configuration):
            continue
        texts = {key: file.text(number, str(said[key])) for key, file in records.files.items() if said.get(key)}
        found = {key: each for key, each in texts.items() if each is not None}
        size = sum(map(len, found.values()))
        if len(found) < len(texts) or size > room:
            continue
        room -= size
        kept = {key: value for key, value in said.items() if key not in _APART}
        yield Fit(called, str(said.get("reused") or header.fingerprint), configuration, kept, found)


def _whole_results(folder: Path, folds: int) -> Iterator[tuple[int, Body]]:
    """List the results on all folds at once, of trials that did not fail."""
    with Journal(folder / DATABASE) as journal:
        events = journal.events()
    for each in events:
        said = each.body
        if each.kind == RESULT and len(said["scores"]) == folds and said.keys().isdisjoint(_PARTS):
            yield int(said["trial"]), said
