"""A line for each night: ``history.jsonl`` of a folder of champions, which only grows.

A last line that a crash has torn is passed over and said; the next night writes behind what is whole.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtune.nights.control import WINDOW, ControlVerdict, NightDrift, chart, links
from lrtune.nights.luck import Luck
from lrtune.run import files
from lrtune.run.names import NIGHTS
from lrtune.text.errors import StudyError
from lrtune.text.written import Json, to_json

HISTORY = NIGHTS

UNTRIED = "untried"
"""Outcome of a night whose time was over before the champion was trained: it says nothing of it, as one on the same
table does."""

SCHEMA = 1
"""Raised whenever a key changes its meaning or goes; new keys do not raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night came to; scores in the metric's own sign, differences positive where the later one is better.

    Attributes
    ----------
    schema
        Version of the line.
    night
        Number, from 1.
    at
        When it ended, as ``2026-11-30T02:00:00+00:00``.
    run, fingerprint
        Folder of its run as it was called, and what it is a run of.
    name, metric, larger_is_better
        Of the experiment.
    seed
        From which its folds follow.
    data, asked
        Hashes of what training saw of the table, and of the experiment without its seed.
    rows
        How many the search could use.
    repeats
        Whether the table is that of the night before.
    since
        The night that the champion came from, which the drift is counted from; None where there was none.
    outcome, promoted
        What became of the champion (`lrtune.verdict.nightly.Nightly`).
    elected
        The night in which the configuration was elected that is delivered.
    champion, champion_low, champion_high
        Score of the one that came into the night, and its 95 % interval; None without one, or without a score.
    delivered, delivered_low, delivered_high
        What to expect of what is delivered.
    drift, drift_low, drift_high, drift_error
        Of the champion since the night before; None where it cannot be told.
    drift_luck, drift_freedom
        What its folds say of the luck of training (`lrtune.nights.luck`); None where they say nothing.
    gain, gain_low, gain_high
        Of the best over the champion.
    level, limit, statistic, is_out
        On the control chart; None before there are nights to compare with.
    trained
        How many trials it trained.
    seconds
        What the search and the retraining took, over all sessions of the night; 0 where nothing was to be done.

    """

    schema: int = SCHEMA
    night: int
    at: str
    run: str
    fingerprint: str | None
    name: str | None
    metric: str
    larger_is_better: bool
    seed: int
    data: str | None
    asked: str
    rows: int | None
    repeats: bool
    since: int | None
    outcome: str
    promoted: bool
    elected: int
    champion: float | None
    champion_low: float | None
    champion_high: float | None
    delivered: float | None
    delivered_low: float | None
    delivered_high: float | None
    drift: float | None
    drift_low: float | None
    drift_high: float | None
    drift_error: float | None
    drift_luck: float | None
    drift_freedom: int | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    level: float | None
    limit: float | None
    statistic: float | None
    is_out: bool | None
    trained: int
    seconds: float

    @property
    def says_nothing(self) -> bool:
        """Whether the chart goes on as if this night had not been."""
        return self.repeats or self.outcome == UNTRIED


@dataclass(frozen=True, slots=True)
class History:
    """All nights in order, and what had to be passed over, in a sentence."""

    nights: tuple[Night, ...] = ()
    torn: str = ""

    @property
    def last(self) -> Night | None:
        """The last night; None before any."""
        return self.nights[-1] if self.nights else None

    @property
    def lucks(self) -> tuple[Luck, ...]:
        """What the folds of the last nights say of the luck of training."""
        known = ((each.drift_luck, each.drift_freedom) for each in self.nights)
        return tuple(Luck(ratio, freedom) for ratio, freedom in known if ratio is not None and freedom)[-WINDOW:]

    def judged(
        self,
        drift: float | None,
        high: float | None,
        error: float | None,
        *,
        since: int | None = None,
        repeats: bool = False,
        promoted: bool = False,
    ) -> ControlVerdict | None:
        """Say where a night stands that comes after these; None of the first one of a chain.

        Parameters
        ----------
        drift, high, error
            Of the night, with the upper end of its interval; None where it is not known.
        since
            The night that the drift is counted from; after a rollback that is not the last one.
        repeats
            Whether the night says nothing new: it has the table of the one before, or did not try the champion.
        promoted
            Whether the champion loses its place in the night.

        """
        elections = {each.night for each in self.nights if each.elected == each.night}
        told = [
            (n.night, n.drift, n.drift_high, n.drift_error, n.since, n.says_nothing, n.promoted) for n in self.nights
        ]
        told.append((0, drift, high, error, since, repeats, promoted))
        return chart(links([NightDrift(*each, compared=each[4] in elections) for each in told]))[-1]


def read(folder: Path) -> History:
    """Read the history of a folder of champions; empty where there is none.

    Raises
    ------
    StudyError
        If a line before the last is damaged, or a newer lrtune wrote one.

    """
    path = folder / HISTORY
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from error
    *whole, rest = content.split(b"\n")
    nights = [_night(line, f"{path}, line {number}") for number, line in enumerate(whole, 1)]
    if not rest:
        return History(tuple(nights))
    return History(tuple(nights), f"{path}: its last line was torn, by a crash or a copy, and is passed over")


def append(folder: Path, history: History, night: Night) -> None:
    """Write a night behind those that are there; the file is replaced as a whole, so that no crash can tear it.

    Raises
    ------
    StudyError
        If the folder cannot be written or the disk is full.

    """
    files.write(folder / HISTORY, "".join(map(line_of, (*history.nights, night))))


def line_of(night: Night) -> str:
    """Write a night as a line of JSON."""
    return json.dumps(to_json(night), ensure_ascii=False, allow_nan=False) + "\n"


def _night(line: bytes, where: str) -> Night:
    try:
        said = json.loads(line, parse_constant=_no_number)
        if said["schema"] > SCHEMA:
            raise StudyError(f"{where}: a newer lrtune wrote it (schema {said['schema']}, this one reads {SCHEMA})")
        known = {each.name: said[each.name] for each in dataclasses.fields(Night)}
        wrong = [name for name, kinds in _kinds().items() if not _fits(known[name], kinds)]
        if wrong:
            raise StudyError(f"{where}: damaged ('{wrong[0]}' is {known[wrong[0]]!r})")
        return Night(**known)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise StudyError(f"{where}: damaged; it is no night") from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


@functools.cache
def _kinds() -> dict[str, tuple[type, ...]]:
    """Say which types each key of a line may have."""
    hints = typing.get_type_hints(Night)
    return {
        name: typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,) for name, hint in hints.items()
    }


def _fits(value: Any, kinds: Sequence[type]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, tuple(kinds)) or (isinstance(value, int) and float in kinds)


_JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", types.NoneType: "null"}


def json_schema() -> Json:
    """Describe a line of ``history.jsonl`` as a JSON Schema (draft 2020-12)."""
    named = {name: [_JSON_TYPES[kind] for kind in kinds] for name, kinds in _kinds().items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a line of history.jsonl of lrtune",
        "type": "object",
        "properties": {name: {"type": each[0] if len(each) == 1 else each} for name, each in named.items()},
        "required": list(named),
    }
