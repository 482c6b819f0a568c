"""``lrtune champion``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.history import ChampionsArgument, refuse_missing
from lrtune.cli.names import completed
from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put
from lrtune.text.errors import LrtuneError, nearest

if TYPE_CHECKING:
    from lrtune.nights.folder import Current
    from lrtune.verdict.result import Result

SHOW, HISTORY, ROLLBACK = "show", "history", "rollback"
ACTIONS = (SHOW, HISTORY, ROLLBACK)


def champion(
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", help="show, history or rollback.", autocompletion=completed(lambda: ACTIONS)),
    ],
    folder: ChampionsArgument,
    night: Annotated[
        int | None, typer.Argument(metavar="[N]", help="Night to go back to; default: the champion before this one.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the champion of a folder, or go back to another one.

    `history` lists those of all nights. A rollback names another night's folder in champion.json; nothing is deleted,
    and the next night goes on from there.

    Example: lrtune champion show champions
    """
    from lrtune.nights import folder as champions
    from lrtune.run.lock import Lock

    if action not in ACTIONS:
        raise LrtuneError(f"ACTION: unknown value '{action}'; {nearest(action, ACTIONS)}")
    if night is not None and action != ROLLBACK:
        raise LrtuneError(f"N: goes with rollback, and not with {action}")
    refuse_missing(folder)
    if action == ROLLBACK:
        with Lock(folder, "folder"):
            champions.name(folder, _wanted(folder, night))
    if action == HISTORY:
        _list(folder, as_json=as_json)
    else:
        _show(folder, as_json=as_json)


def _wanted(folder: Path, night: int | None) -> Current:
    """Find the night to go back to."""
    from lrtune.nights import folder as champions
    from lrtune.nights import history as histories

    there = champions.nights(folder)
    elected = {each.night: each.elected for each in histories.read(folder).nights}
    if night is None:
        current = champions.current(folder)
        earlier = [each for each in there if current is None or each < current.elected]
        if not earlier:
            listed = ", ".join(map(str, there)) or "none"
            raise LrtuneError(
                f"{folder}: has no folder of another champion before this one; to go back to the model of an earlier "
                f"night, name the night ({listed})"
            )
        night = earlier[-1]
    if night not in there:
        raise LrtuneError(f"{folder}: has no folder of night {night}; there are {', '.join(map(str, there)) or 'none'}")
    return champions.Current(night, elected.get(night, night))


def _show(folder: Path, *, as_json: bool) -> None:
    from lrtune.nights import folder as champions
    from lrtune.reporting import console
    from lrtune.reporting.in_words import configuration_words
    from lrtune.reporting.nightly import champion_facts
    from lrtune.text.written import json_text, to_json

    current = champions.current(folder)
    if current is None:
        raise LrtuneError(f"{folder}: has no champion yet; the first night makes one")
    place = champions.path_of(folder, current.night)
    result = _result(place)
    expected = result.expected
    if as_json:
        found = {**to_json(current), "folder": str(place), "expected": to_json(expected)}
        put(json_text({**found, "configuration": to_json(result.best.configuration)}))
        return
    headline = f"The champion is that of night {current.elected}, trained in night {current.night}: {_score(result)}."
    words = configuration_words(result.best.configuration, ())
    model = place / "model"
    rows = [("Best", words), ("files", str(place)), ("next", f"lrtune predict {model} new.csv -o predictions.csv")]
    console.show(champion_facts(rows, headline))


def _list(folder: Path, *, as_json: bool) -> None:
    from lrtune.nights import folder as champions
    from lrtune.nights import history as histories
    from lrtune.reporting import console
    from lrtune.reporting.in_words import configuration_words
    from lrtune.reporting.nightly import champions_page
    from lrtune.reporting.tables import varying_keys
    from lrtune.text.written import json_text, to_json

    current = champions.current(folder)
    elected = {each.night: each.elected for each in histories.read(folder).nights}
    there = [(each, _result(champions.path_of(folder, each))) for each in champions.nights(folder)]
    if as_json:
        listed = [
            {"night": each, "elected": elected.get(each), "expected": to_json(result.expected)}
            for each, result in there
        ]
        put(json_text({"current": current and to_json(current), "champions": listed}))
        return
    now = 0 if current is None else current.night
    varying = varying_keys([result.best.configuration for _, result in there])
    rows = [
        (
            f"{each}{'*' if each == now else ''}",
            str(elected.get(each, "-")),
            _score(result),
            configuration_words(result.best.configuration, varying),
        )
        for each, result in there
    ]
    console.show(champions_page(rows, str(folder), f"night {now} has the champion (*)" if now else "no champion"))


def _score(result: Result) -> str:
    from lrtune.reporting.answer import expected_format
    from lrtune.reporting.in_words import metric_name

    return f"{metric_name(result.metric)} {expected_format(result)(result.expected.score)}"


def _result(folder: Path) -> Result:
    from lrtune.run import files
    from lrtune.run.names import RESULT
    from lrtune.text.errors import StudyError
    from lrtune.verdict.reading import from_json

    try:
        return from_json(files.read_json(folder / RESULT), folder / RESULT)
    except (OSError, ValueError) as error:
        raise StudyError(f"{folder / RESULT}: cannot be read ({error})") from error
