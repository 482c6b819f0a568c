"""The terminal: the one door of rich, and one look for every command.

What is worth keeping goes to standard output; progress, notes and errors go to standard error. Texts from outside
(names of columns and classes, paths) are never taken for markup or for control codes. Without a terminal there are no
colours and no control characters, only lines.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

from lrtune.reporting import formats
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.progress import Tally

if TYPE_CHECKING:
    from lrtune.study import Study

WIDTH = 100
TITLE, LABEL, WARNING, ERROR = "bold", "dim", "yellow", "bold red"
INDENT = (0, 0, 0, 2)
LINE_SECONDS = 2.0
"""How often, without a terminal, is looked whether there is something new to print."""

Watch = Callable[[Mapping[str, Any], "Study"], None]
"""Is told the body of each event and the study that has taken it into account."""


class _Console(Console):
    """Leaves it to the command line what becomes of a program whose reader went away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Make a console; where there is no terminal to ask, and no ``COLUMNS``, it is 100 columns wide."""
    made = _Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = WIDTH
    return made


def show(page: Sequence[Block]) -> None:
    """Print a page on standard output."""
    out = console()
    for position, block in enumerate(page):
        if position:
            out.print()
        _show_block(out, block)


def note(text: str) -> None:
    """Print a remark on standard error."""
    _print_lines(console(stderr=True), [text], LABEL)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    _print_lines(console(stderr=True), [text], WARNING)


def fail(sentence: str, before: Sequence[str] = ()) -> None:
    """Print on standard error why a command failed: perhaps details, one per line, then one sentence."""
    out = console(stderr=True)
    _print_lines(out, before)
    out.print(Text.assemble(("lrtune: ", ERROR), formats.printable(sentence)), soft_wrap=True)


def _show_block(out: Console, block: Block) -> None:
    if isinstance(block, Headline):
        out.print(_text(block.text, TITLE))
        return
    if block.title:
        out.print(_text(block.title, TITLE))
    if isinstance(block, Lines):
        _print_lines(out, [f"  {line}" for line in block.lines])
    elif isinstance(block, Remarks):
        _print_table(out, _facts(Facts("", [("-", each) for each in block.sentences])))
    else:
        _print_table(out, _facts(block) if isinstance(block, Facts) else _grid(block))


def _print_table(out: Console, table: Table) -> None:
    indented = Padding(table, INDENT, expand=False)
    if out.is_terminal:
        out.print(indented)
        return
    with out.capture() as captured:
        out.print(indented)
    out.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _print_lines(out: Console, lines: Sequence[str], style: str = "") -> None:
    for line in lines:
        out.print(_text(line, style), soft_wrap=True)


def _text(text: str, style: str = "") -> Text:
    return Text(formats.printable(text), style)


def _facts(block: Facts) -> Table:
    table = Table(
        Column(style=LABEL, no_wrap=True), Column(overflow="fold"), box=None, show_header=False, pad_edge=False
    )
    for label, value in block.rows:
        table.add_row(_text(label), _text(value))
    return table


def _grid(block: Grid) -> Table:
    *numbers, words = block.header
    columns = [Column(_text(each), justify="right", no_wrap=True) for each in numbers]
    table = Table(
        *columns,
        Column(_text(words), overflow="fold"),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style=LABEL,
    )
    for row in block.rows:
        table.add_row(*(_text(cell) for cell in row))
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


@contextlib.contextmanager
def watch_search(metric: str, total: int) -> Iterator[Watch]:
    """Show on standard error how a search goes on; yields the function that is told each event.

    On a terminal a bar is redrawn in place; elsewhere a line is printed about every tenth of the trials.

    Parameters
    ----------
    metric
        What trials are scored with.
    total
        Number of trials planned.

    """
    out = console(stderr=True)
    tally = Tally(metric, total)
    shown = _bar if out.is_terminal and not out.is_dumb_terminal else _lines
    with shown(out, tally) as see:
        yield see


@contextlib.contextmanager
def _lines(out: Console, tally: Tally) -> Iterator[Watch]:
    # The events of a block come all at once, so that a line printed at one of them would tell half of the block: a
    # clock of its own prints what is known between blocks. It only reads `news`, which is replaced as a whole.
    news, printed, over = (0, ""), 0, threading.Event()

    def see(body: Mapping[str, Any], study: Study) -> None:
        nonlocal news
        tally.see(body, study)
        tenth = tally.ended * 10 // max(1, tally.total)
        news = (tenth, f"{tally.text()}{_left(tally.seconds_left())}")

    def report() -> None:
        nonlocal printed
        tenth, text = news
        if tenth > printed:
            printed = tenth
            _print_lines(out, [text])

    def watch() -> None:
        while not over.wait(LINE_SECONDS):
            report()

    clock = threading.Thread(target=watch, daemon=True)
    clock.start()
    try:
        yield see
    finally:
        over.set()
        clock.join()
        report()


def _left(seconds: float | None) -> str:
    return "" if seconds is None or seconds < 1 else f" · {formats.duration(seconds)} left"


class _TimeLeft(ProgressColumn):
    """Counts down from the last estimate, because the events of a block come all at once."""

    def render(self, task: Task) -> Text:
        left = task.fields["left"]
        if task.finished:
            return Text("retraining the best")
        if left is None:
            return Text(formats.duration(task.elapsed or 0.0))
        return Text(f"{formats.duration(max(0.0, left - (time.monotonic() - task.fields['at'])))} left")


@contextlib.contextmanager
def _bar(out: Console, tally: Tally) -> Iterator[Watch]:
    columns = (SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}", markup=False), _TimeLeft())
    with Progress(*columns, console=out, transient=True, refresh_per_second=5) as progress:
        task = progress.add_task(tally.text(), total=tally.total, left=None, at=time.monotonic())

        def see(body: Mapping[str, Any], study: Study) -> None:
            tally.see(body, study)
            progress.update(
                task, completed=tally.ended, description=tally.text(), left=tally.seconds_left(), at=time.monotonic()
            )

        yield see
