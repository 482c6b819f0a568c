"""What is there when a night begins in a folder of champions: its number, its seed, the champion, what goes on.

**The seed of a night** is that of the experiment and one more for each night before it: folds that elected a champion
would flatter it on the next night as well. On the table of the last night, and for the same experiment, the seed of
that night counts, and its run goes on: what was trained is not trained again, and a larger budget adds to it. Another
seed searches that table anew, which is no drift. A night whose time was over before the champion was trained is made up
for by the one that goes on: that one's drift counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lrtune.experiment import Experiment
from lrtune.nights import folder as champions
from lrtune.nights import history as histories
from lrtune.nights.folder import Current, Tonight
from lrtune.nights.history import UNTRIED, History, Night
from lrtune.run.folder import is_run
from lrtune.trainers.preparation import Prepared


@dataclass(frozen=True, slots=True)
class Evening:
    """A night that begins.

    Attributes
    ----------
    folder
        The folder of champions.
    night, seed
        Its number, and from what its folds follow.
    history
        All nights before it.
    current
        The champion; None before there is one.
    run
        The folder of a run that goes on; None: a new one.
    repeats
        Whether the table is that of the night before, which has tried the champion and goes on or is searched anew.
    data, asked
        Hashes of the table, and of the experiment without its seed.

    """

    folder: Path
    night: int
    seed: int
    history: History
    current: Current | None
    run: Path | None
    repeats: bool
    data: str
    asked: str

    @property
    def champions(self) -> list[Path]:
        """Where the champion is, if there is one."""
        return [] if self.current is None else [champions.path_of(self.folder, self.current.night)]

    @property
    def since(self) -> int | None:
        """The night that the champion came from; None where there is none."""
        return None if self.current is None else self.current.night

    def begin(self, run: Path) -> None:
        """Write down that the night has begun."""
        champions.begin(self.folder, Tonight(self.night, str(run), self.seed, self.data, self.asked))


def evening(
    folder: Path, experiment: Experiment, prepared: Prepared, output: Path | None = None, *, fresh: bool = False
) -> Evening:
    """Say how a night begins; the caller holds the folder's lock.

    Parameters
    ----------
    folder
        The folder of champions, which may be empty.
    experiment, prepared
        As the user has asked for it, with the seed of the first night.
    output
        The folder of the run that the user has named, if any.
    fresh
        Whether to begin anew, whatever could go on.

    Raises
    ------
    StudyError
        If the folder is damaged.

    """
    history, current = histories.read(folder), champions.current(folder)
    last, begun = history.last, champions.begun(folder)
    data, asked = prepared.data_hash, _asked(experiment)
    is_same = begun is not None and (begun.data, begun.asked) == (data, asked)
    if begun is not None and last is not None and begun.night == last.night:  # it died when its line was written
        current = _mended(folder, current, last)
        history = History(history.nights[:-1], history.torn) if is_same else history
    night = 1 + max([last.night if last else 0, *champions.nights(folder)])
    seed = experiment.search.seed + len(history.nights)
    run: Path | None = None
    repeats = False
    if begun is not None and is_same:
        night, seed, run = begun.night, begun.seed, Path(begun.run)
    elif last is not None and (last.data, last.asked) == (data, asked) and _stands(current, last):
        repeats = last.outcome != UNTRIED
        if experiment.search.seed == _first_seed(history.nights):
            seed, run = last.seed, Path(last.run)
    if run is None or fresh or not is_run(run) or output not in (None, run):
        run = None  # another run on the same table: that is no drift either
    return Evening(folder, night, seed, history, current, run, repeats, data, asked)


def _stands(current: Current | None, last: Night) -> bool:
    """Say whether the champion is what the last night ended with: after a rollback, its run delivers another."""
    return current is None or current.elected == last.elected


def _first_seed(nights: Sequence[Night]) -> int:
    """Tell from which seed the last night's follows: its own less the nights before the one whose run it went on."""
    first = len(nights) - 1
    while first and (nights[first].data, nights[first].run) == (nights[first - 1].data, nights[first - 1].run):
        first -= 1
    return nights[first].seed - first


def _mended(folder: Path, current: Current | None, last: Night) -> Current | None:
    """Do what is left of a night that is in the history: name its folder, if it has one."""
    if champions.path_of(folder, last.night).is_dir() and (current is None or current.night != last.night):
        current = Current(last.night, last.elected)
        champions.name(folder, current)
    champions.end(folder)
    return current


def _asked(experiment: Experiment) -> str:
    """Hash what is asked for, but for the seed, which every night has of its own."""
    said = dict(experiment.canonical())
    said["search"] = {key: each for key, each in said["search"].items() if key != "seed"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
