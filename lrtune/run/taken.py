"""What a run takes over from others: copied into its folder before the first trial, and read from there ever after.

So a run that goes on is the same whatever has become of its sources. The hash of each section is a part of the run's
identity (`lrtune.run.identity`); what people called a source is not. A run that takes over nothing has no such file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lrtune.run import files
from lrtune.run.identity import Canonical
from lrtune.run.names import TAKEN
from lrtune.space.trial import Configuration, frozen
from lrtune.text.errors import StudyError, named
from lrtune.text.written import Json, json_text, to_json

CALLED, REMARKS = "called", "remarks"
"""Keys of an entry that say what people called its source, and what was said of it: no content."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is known of a champion from the night before; scores are in the metric's own sign.

    Attributes
    ----------
    metric
        Of the score.
    score, low, high
        One that did not elect it, and its 95 % interval; without ends where that is not known.
    elected
        Whether it was elected there: the score is then corrected for the choice. Else it was the champion already.
    data
        Hash of what training saw of the table.
    rows
        What single rows added to the score, in the text form of `lrtune.run.row_scores`; None where nobody kept that.

    """

    metric: str
    score: float
    low: float | None
    high: float | None
    elected: bool
    data: str | None
    rows: str | None = None


@dataclass(frozen=True, slots=True)
class Champion:
    """Configurations that are tried first, because they were delivered before.

    Attributes
    ----------
    called
        What the user called it.
    configurations
        Points of the space that is searched; several where a mean of them was delivered, the best first. Empty if it
        cannot be tried.
    refused
        Why it cannot be tried.
    reference
        What it scored before.
    unknown
        Why that is not known.

    """

    called: str
    configurations: tuple[Configuration, ...] = ()
    refused: str = ""
    reference: Reference | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier study of the same or a similar space: what it knows shapes the search, and is no score of it.

    Attributes
    ----------
    called
        What the user called it.
    points
        Of the space that is searched now (N).
    scores
        Their oriented means over the folds of that study (N); None for what came to nothing.
    first
        Points that are tried first, the best ones.
    remarks
        What of it was not taken over, in sentences.

    """

    called: str
    points: tuple[Configuration, ...] = ()
    scores: tuple[float | None, ...] = ()
    first: tuple[Configuration, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """What a configuration came to on all folds of the very same rows, split and seed: it is not trained again.

    Attributes
    ----------
    called
        What the user called the study that trained it.
    study
        Fingerprint of that study.
    configuration
        With everything that trains it (`lrtune.training.registry.complete`).
    said
        The result as that study recorded it (`lrtune.run.study.result_body`), without trial and stage.
    records
        Its out-of-fold results on all folds, as base64, by what a result calls their hash: those of the metric, and the
        probabilities of all classes; empty where it has none.

    """

    called: str
    study: str
    configuration: Configuration
    said: Json
    records: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What a run takes over; a field for each entry of `SECTIONS`.

    Attributes
    ----------
    champions
        Tried first, in this order; the first one is the champion that drift and gain are about.
    earlier
        What a warm start knows, the newest study first.
    fits
        What studies of the same rows, split and seed have trained.

    """

    champions: tuple[Champion, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    fits: tuple[Fit, ...] = ()

    @property
    def identity(self) -> Canonical | None:
        """The hash of each section that has entries; None if there is nothing."""
        found = {name: _digest(each) for name, each in self._said().items() if any(_content(each))}
        return found or None

    def write(self, folder: Path) -> None:
        """Copy it into a run's folder, unless there is nothing.

        Raises
        ------
        StudyError
            If the folder cannot be written.

        """
        said = self._said()
        if said:
            files.write(folder / TAKEN, json_text(said))

    def _said(self) -> Json:
        return {name: to_json(each) for name in SECTIONS if (each := getattr(self, name))}


NOTHING = TakenOver()


def read(folder: Path) -> TakenOver:
    """Read the copy in a run's folder; of a run without one, that nothing was taken over.

    Raises
    ------
    StudyError
        If it is damaged, or a newer lrtune wrote it.

    """
    path = folder / TAKEN
    try:
        said = files.read_json(path)
        unknown = [each for each in said if each not in SECTIONS]
        if unknown:
            raise StudyError(f"{path}: a newer lrtune wrote it: it has {named(unknown)}")
        return TakenOver(**{name: SECTIONS[name].read(each) for name, each in said.items()})
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudyError(
            f"{path}: damaged, and the run cannot go on without it; --fresh begins anew and keeps this run beside"
        ) from error


def _content(entries: Sequence[Json]) -> Iterator[Json]:
    """Leave out what is no content, and entries that have nothing else."""
    for each in entries:
        content = {key: value for key, value in each.items() if key not in (CALLED, REMARKS)}
        if any(content.values()):
            yield content


def _digest(entries: Sequence[Json]) -> str:
    content = list(_content(entries))
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _champions(said: Sequence[Json]) -> tuple[Champion, ...]:
    return tuple(map(_champion, said))


def _champion(said: Json) -> Champion:
    points = _points(said["configurations"])
    reference = None if said["reference"] is None else Reference(**said["reference"])
    return Champion(said[CALLED], points, said["refused"], reference, said["unknown"])


def _points(said: Sequence[Json]) -> tuple[Configuration, ...]:
    return tuple({key: frozen(value) for key, value in each.items()} for each in said)


def _earlier(said: Sequence[Json]) -> tuple[Earlier, ...]:
    return tuple(
        Earlier(
            each[CALLED], _points(each["points"]), tuple(each["scores"]), _points(each["first"]), tuple(each[REMARKS])
        )
        for each in said
    )


def _fits(said: Sequence[Json]) -> tuple[Fit, ...]:
    return tuple(
        Fit(each[CALLED], each["study"], _points([each["configuration"]])[0], each["said"], each["records"])
        for each in said
    )


class TakenSection(NamedTuple):
    """A kind of thing that is taken over: the field of `TakenOver`, and how its entries are read from JSON."""

    name: str
    read: Callable[[Sequence[Json]], tuple[Any, ...]]


_ENTRIES = (
    TakenSection("champions", _champions),
    TakenSection("earlier", _earlier),
    TakenSection("fits", _fits),
)

SECTIONS: dict[str, TakenSection] = {entry.name: entry for entry in _ENTRIES}
