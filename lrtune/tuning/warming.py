"""A warm start: earlier studies, read and mapped to the space that is searched now.

What is mapped is a configuration with everything that was fixed or usual there. A dimension that is new has the value
that the configuration had without being searched, or the space's default where that is not in the space. A trial with
a searched value that the space no longer has is left out: there is no place for what it knows. Keys that are not
searched any more are passed over. Whatever is left out, or was trained in another way, is said in a sentence.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lrtune.experiment import Experiment
from lrtune.run.folder import Run, changed_at, is_run, open_run
from lrtune.run.taken import Earlier, Fit
from lrtune.sampling.candidates import rebuilt
from lrtune.sampling.prior import point_of
from lrtune.sampling.scores import estimate
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Dimension
from lrtune.space.trial import Configuration, Value
from lrtune.text.errors import LrtuneError, StudyError, counted, listed
from lrtune.text.written import cell
from lrtune.trainers.preparation import Prepared
from lrtune.tuning.naming import identity_of
from lrtune.tuning.reusing import fit_key, fits_of

STUDIES, POINTS = 5, 120
"""The most studies that are taken over, the newest ones, and the most of their points."""

FIRST = 7
"""Points that are tried first: with the default they fill a round of a strategy that learns."""


def warm_start(
    sources: Sequence[Path], experiment: Experiment, prepared: Prepared, own: Path | None = None
) -> tuple[tuple[Earlier, ...], tuple[Fit, ...]]:
    """Read what earlier studies know, the newest first; and the fits of those that trained on the very same rows.

    Parameters
    ----------
    sources
        Runs, and folders of runs. One that is not there yet knows nothing: the first of many nights has none.
    experiment, prepared
        What is searched now, and on what.
    own
        The folder of this run, which is no earlier one.

    Raises
    ------
    StudyError
        If a run that was named cannot be read.

    """
    found: list[Earlier] = []
    fits: dict[object, Fit] = {}
    for source in sources:
        folders = _folders(source, own)
        if not folders:
            found.append(Earlier(str(source), remarks=(f"there is no earlier study in {source}",)))
        for folder in folders[: max(0, STUDIES - len(found))]:
            called = str(source) if folder == source else str(folder)
            run, remark = _opened(folder, called, experiment, prepared)
            same = [] if run is None else list(fits_of(run, called, experiment, prepared))
            if run is None:
                found.append(Earlier(called, remarks=(remark,)))
            elif same:
                found.append(_same_rows(called, experiment, [each.configuration for each in same]))
                fits = {**{fit_key(each.configuration): each for each in same}, **fits}
            else:
                room = POINTS - sum(len(each.points) for each in found)
                found.append(_study(run, called, experiment, prepared, room))
    return _with_first(found), tuple(fits.values())


def same_search(sources: Sequence[Path], runs: Path, experiment: Experiment, prepared: Prepared) -> Path | None:
    """Find the run that searches the very same on the same data, whatever it took over; None if there is none.

    Parameters
    ----------
    sources
        As `warm_start` takes them.
    runs
        The folder that runs are in: those elsewhere are somebody else's, and are read only.
    experiment, prepared
        What is searched now, and on what.

    """
    ours = identity_of(experiment, prepared)
    for folder in (each for source in sources for each in _folders(source, None)):
        if folder.parent.resolve() != runs.resolve():
            continue
        try:
            theirs = open_run(folder).study.header.identity
        except StudyError:
            continue
        if {key: each for key, each in theirs.items() if key != "taken"} == ours:
            return folder
    return None


def _folders(source: Path, own: Path | None) -> list[Path]:
    """List the runs that are meant, the newest first."""
    if is_run(source):
        return [source]
    inside = [each for each in source.glob("*") if each.is_dir() and is_run(each)] if source.is_dir() else []
    others = [each for each in inside if own is None or each.resolve() != own.resolve()]
    return sorted(others, key=lambda each: (-changed_at(each), each.name))


def _opened(folder: Path, called: str, experiment: Experiment, prepared: Prepared) -> tuple[Run | None, str]:
    """Open a run; or say what keeps it from being taken over."""
    try:
        run = open_run(folder)
    except LrtuneError as error:
        return None, f"{called} is passed over: {error}"
    reason = _unlike(run, experiment, prepared)
    return (run, "") if reason is None else (None, f"{called} is passed over: {reason}")


def _same_rows(called: str, experiment: Experiment, fits: Sequence[Configuration]) -> Earlier:
    """Take over all that a study has scored on the very same rows: as first trials, and no noisy knowledge."""
    points: dict[object, Configuration] = {}
    for each in fits:
        point = experiment.space.point(each)
        if point is not None and experiment.configuration(point) == each:
            points.setdefault(point_of(point), point)
    left = len(fits) - len(points)
    what = f"{counted(left, 'configuration')} of {called}, scored by the very same rows"
    said = f"{what}, cannot be tried in this space, and the correction does not count them"
    return Earlier(called, first=tuple(points.values()), remarks=(said,) if left else ())


def _study(run: Run, called: str, experiment: Experiment, prepared: Prepared, room: int) -> Earlier:
    """Read what a study of other rows, or of another split, knows."""
    found = estimate(run.trials)
    mapping = _Mapping(experiment, run)
    best: dict[object, list[float]] = defaultdict(list)
    points: dict[object, Configuration] = {}
    for trial, mean in zip(found.trials, found.means.tolist(), strict=True):
        point = mapping.mapped(trial.configuration)
        if point is not None:
            points.setdefault(point_of(point), point)
            best[point_of(point)].append(mean)
    scores = {key: math.fsum(each) / len(each) for key, each in best.items()}
    kept = _kept(list(scores), scores, room)
    remarks = list(mapping.sentences(called, len(found.trials)))
    if run.study.header.data == prepared.data_hash:
        remarks.append(
            f"{called}: searched the same rows in another way, and the correction does not count what it tried"
        )
    return Earlier(
        called,
        tuple(points[key] for key in kept),
        tuple(scores[key] if math.isfinite(scores[key]) else None for key in kept),
        remarks=tuple(remarks),
    )


def _unlike(run: Run, experiment: Experiment, prepared: Prepared) -> str | None:
    if run.is_told:
        return "its trials were trained elsewhere (lrtune.Study)"
    if run.metric != prepared.metric:
        return f"its scores are its {run.metric}, and this search goes by {prepared.metric}"
    if run.study.header.asked.get("trainer") != experiment.canonical().get("trainer"):
        return "it was trained by something else"
    if not run.ranked:
        return "it has no complete trial"
    return None


def _kept(keys: Sequence[object], scores: Mapping[object, float], room: int) -> list[object]:
    """Choose points as a model does that has too many: half are the best, half the others at even steps of ranks."""
    if len(keys) <= room:
        return list(keys)
    ranked = sorted(keys, key=lambda each: -scores[each])
    best, rest = ranked[: room // 2], ranked[room // 2 :]
    places = np.linspace(0, len(rest) - 1, room - len(best)).round().astype(int).tolist()
    chosen = {*best, *(rest[place] for place in places)}
    return [each for each in keys if each in chosen]


def _with_first(studies: Sequence[Earlier]) -> tuple[Earlier, ...]:
    """Choose the points that are tried first: the best of each study in turn, beginning with the newest."""
    ranked = [
        [point for _, _, point in sorted((-s, place, p) for place, (p, s) in enumerate(_scored(each)))]
        for each in studies
    ]
    first: list[list[Configuration]] = [[] for _ in studies]
    taken: set[object] = set()
    for rank in range(max(map(len, ranked), default=0)):
        for place, points in enumerate(ranked):
            if rank < len(points) and point_of(points[rank]) not in taken and len(taken) < FIRST:
                taken.add(point_of(points[rank]))
                first[place].append(points[rank])
    return tuple(
        Earlier(each.called, each.points, each.scores, each.first or tuple(own), each.remarks)
        for each, own in zip(studies, first, strict=True)
    )


def _scored(study: Earlier) -> Iterator[tuple[Configuration, float]]:
    for point, score in zip(study.points, study.scores, strict=True):
        if score is not None:
            yield point, score


class _AbsentError(Exception):
    """A value that the space does not have, as ``name value``."""


class _Mapping:
    """Maps configurations of an earlier study to the space of now, and remembers what did not fit."""

    def __init__(self, experiment: Experiment, run: Run) -> None:
        self.experiment = experiment
        self.run = run
        self.taken = 0
        self.absent: Counter[str] = Counter()
        self.other: dict[str, str] = {}

    def mapped(self, there: Configuration) -> Configuration | None:
        """Find the point of a configuration; None if the space has no place for it."""
        whole = self.run.configuration(there)
        space = self.experiment.space
        try:
            point = space.point(whole) or self.by_name(space, whole, there)
        except _AbsentError as error:
            self.absent[str(error)] += 1
            return None
        self.taken += 1
        here = self.experiment.configuration(point)
        for key in {*whole, *here} - (point.keys() & there.keys()):
            if key in whole and key in here and whole[key] != here[key]:
                self.other[key] = cell(here[key])
            elif key in there and key not in here:
                self.other[key] = "absent"
        return point

    def by_name(self, space: SearchSpace, whole: Configuration, there: Configuration) -> Configuration:
        """Take every value of the same name, and the default of what has none, or was not searched there."""

        def option(choice: Choice) -> Option:
            found = choice.option(whole[choice.name]) if choice.name in whole else None
            if found is None and choice.name in there:
                raise _AbsentError(f"{choice.name} {cell(whole[choice.name])}")
            return found or choice.option(choice.preferred) or choice.options[0]

        def number(dimension: Dimension) -> dict[str, Value]:
            found = dimension.point(whole)
            if found is None and dimension.name in there:
                raise _AbsentError(f"this {dimension.name}")
            return dimension.default() if found is None else found

        return rebuilt(space, option, number)

    def sentences(self, called: str, trials: int) -> Iterator[str]:
        """Say what was not taken over."""
        if self.absent:
            left_out = [f"{count} with {what}" for what, count in self.absent.most_common()]
            of = f"{self.taken} of its {counted(trials, 'trial')} are taken over"
            yield f"{called}: {of}; the space has no place for {listed(left_out, 5)}"
        if self.other:
            keys = [f"{key} (here {value})" for key, value in sorted(self.other.items())]
            yield f"{called}: it was searched with other values of {listed(keys, 5)}, which are passed over"
