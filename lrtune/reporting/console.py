"""The terminal: the one door of rich, and one look for every command.

What is worth keeping goes to standard output; progress, notes and errors go to standard error. Texts from outside
(names of columns and classes, paths) are never taken for markup or for control codes. Without a terminal there are no
colours and no control characters, only lines.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from lrtune.reporting import blocks
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks, Words
from lrtune.text import formats
from lrtune.text.paths import is_same

WIDTH = blocks.WIDTH
TITLE, LABEL, WARNING, ERROR = "bold", "dim", "yellow", "bold red"
INDENT = (0, 0, 0, 2)


class _Console(Console):
    """Leaves it to the command line what becomes of a program whose reader went away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class _Log:
    """A stream that a CI server may read: no line on it is a command because of a name from outside.

    Nothing tells for sure that one does: a container on such a server has none of its variables.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(formats.defused(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def program() -> str:
    """Say how `lrtune` must be typed: as it was, where the shell would not find it by its name alone."""
    typed = Path(sys.argv[0])
    if typed.stem != blocks.PROGRAM or is_same(Path(shutil.which(blocks.PROGRAM) or ""), typed):
        return blocks.PROGRAM
    return shlex.quote(str(typed))


def console(*, stderr: bool = False) -> Console:
    """Make a console; where there is no terminal to ask, and no ``COLUMNS``, it is 100 columns wide."""
    stream: Any = sys.stderr if stderr else sys.stdout
    file = cast("IO[str]", _Log(stream))
    made = _Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = WIDTH
    return made


def show(page: Sequence[Block]) -> None:
    """Print a page on standard output."""
    out = console()
    out.file.write(page_text(out, page))


def page_text(out: Console, page: Sequence[Block]) -> str:
    """Write a page as this console would, with its styles if it has any."""
    with out.capture() as captured:
        for position, block in enumerate(page):
            if position:
                out.print()
            _show_block(out, block)
    text = blocks.loosened(captured.get())
    return text if out.is_terminal else "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def note(text: str) -> None:
    """Print a remark on standard error."""
    print_lines(console(stderr=True), [text], LABEL)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    print_lines(console(stderr=True), [text], WARNING)


def fail(sentence: str, before: Sequence[str] = ()) -> None:
    """Print on standard error why a command failed: perhaps details, one per line, then one sentence."""
    out = console(stderr=True)
    print_lines(out, before)
    out.print(Text.assemble(("lrtune: ", ERROR), formats.printable(sentence)), soft_wrap=True)


def _show_block(out: Console, block: Block) -> None:
    if isinstance(block, Headline):
        out.print(_wrapping(block.text, TITLE))
        return
    if block.title:
        out.print(_text(block.title, TITLE))
    if isinstance(block, Lines):
        print_lines(out, [f"  {line}" for line in block.lines])
    elif isinstance(block, Words):
        print_lines(out, [f"  {line}" for line in blocks.word_lines(block, _page_width(out), program())])
    elif isinstance(block, Remarks):
        out.print(_indented(_facts(Facts("", [("-", each) for each in block.sentences]))))
    else:
        out.print(_indented(_facts(block) if isinstance(block, Facts) else _grid(block, out.width - INDENT[-1])))


def _page_width(out: Console) -> int | None:
    """Say how wide what is to be copied may be; without a terminal, and no ``COLUMNS``, nothing breaks it."""
    return out.width - INDENT[-1] if out.is_terminal or "COLUMNS" in os.environ else None


def _indented(table: Table) -> Padding:
    return Padding(table, INDENT, expand=False)


def print_lines(out: Console, lines: Sequence[str], style: str = "") -> None:
    """Print lines that are not wrapped."""
    for line in lines:
        out.print(_text(line, style), soft_wrap=True)


def _text(text: str, style: str = "") -> Text:
    return Text(formats.printable(text), style)


def _wrapping(text: str, style: str = "") -> Text:
    """Make a text that is broken into lines, and not between a number and its unit (see `blocks.glued`)."""
    return Text(blocks.glued(formats.printable(text)), style)


def _facts(block: Facts) -> Table:
    table = Table(
        Column(style=LABEL, no_wrap=True), Column(overflow="fold"), box=None, show_header=False, pad_edge=False
    )
    for label, value in block.rows:
        table.add_row(_text(label), _wrapping(value))
    return table


def _grid(block: Grid, width: int) -> Table:
    block = blocks.fitting(block, width)
    *others, words = block.header
    columns = [
        Column(_text(each), overflow="fold")
        if place in block.left
        else Column(_text(each), justify="right", no_wrap=True)
        for place, each in enumerate(others)
    ]
    table = Table(
        *columns,
        Column(_text(words), overflow="fold"),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style=LABEL,
    )
    for row in block.rows:
        *cells, last = row
        table.add_row(*(_text(cell) for cell in cells), _wrapping(last))
    return table


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal that something is being done, as long as it is; elsewhere say nothing."""
    out = console(stderr=True)
    if not out.is_terminal or out.is_dumb_terminal:
        yield
        return
    with out.status(_text(text, LABEL)):
        yield
