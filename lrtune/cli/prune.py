"""``lrtune prune``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lrtune.cli.options import JsonOption
from lrtune.cli.outputs import put
from lrtune.cli.runs import RUNS, folders
from lrtune.text import formats
from lrtune.text.errors import LrtuneError

KEPT = 10


def prune(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with the runs.")] = RUNS,
    *,
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=1, help="How many stay, those that were written last.")
    ] = KEPT,
    champions: Annotated[
        Path | None,
        typer.Option(
            "--champions", metavar="DIR", help="Prune a folder of champions as well; the champion and the history stay."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove old runs, and old nights of a folder of champions.

    It keeps the cache of a nightly job small. What a search or a night is working on stays. Folders that are no runs
    are not touched.

    Example: lrtune prune runs --keep 30 --dry-run
    """
    from lrtune.nights import folder as nights
    from lrtune.run import removal
    from lrtune.run.folder import is_run
    from lrtune.text.written import json_text

    for each in (folder, champions):
        if each is not None and not each.is_dir() and each != RUNS:
            raise LrtuneError(f"{each}: {'is a file, not a folder' if each.exists() else 'no such folder'}")
    if (folder / nights.CURRENT).exists():  # its nights look like runs, and the champion would go with them
        raise LrtuneError(f"{folder}: is a folder of champions; give it as --champions, beside a folder of runs")
    begun = None if champions is None else nights.begun(champions)
    runs = [each for each in folders(folder) if is_run(each)]
    old = removal.old_runs(runs, keep, [] if begun is None else [Path(begun.run)])
    going = [*old.going, *(() if champions is None else nights.old_nights(champions, keep))]
    size = sum(map(removal.size_of, going))
    if not dry_run:
        if champions is not None:  # first: where a night works on them, nothing is removed at all
            nights.remove_old(champions, keep)
        removal.remove_all(folder, old.going)
    if as_json:
        spared = {str(path): why for path, why in old.spared}
        put(json_text({"removed": list(map(str, going)), "bytes": size, "dry_run": dry_run, "spared": spared}))
    else:
        _show(going, size, old.spared, keep, dry_run=dry_run)


def _show(going: Sequence[Path], size: int, spared: Sequence[tuple[Path, str]], keep: int, *, dry_run: bool) -> None:
    from lrtune.reporting import console
    from lrtune.reporting.blocks import Block, Headline, Remarks, Words

    counted = formats.plural(len(going), "folder")
    done = f"{counted} would go" if dry_run else f"{counted} {'is' if len(going) == 1 else 'are'} gone"
    room = f", {formats.memory(size)}" if going else ""
    staying = "the last one stays" if keep == 1 else f"the last {keep} stay"
    page: list[Block] = [Headline(f"{done}{room}; {staying}.")]
    if going:
        page.append(Words("would go" if dry_run else "gone", [("", str(each)) for each in going]))
    if spared:
        page.append(Remarks("old, but they stay", [f"{path}: {why}" for path, why in spared]))
    console.show(page)
