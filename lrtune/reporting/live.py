"""What moves: the progress of a search, and pages that are drawn again and again. Standard error, or a terminal.

Without a terminal nothing moves: a search prints a plain line at the end of a round, and a page is printed again when
it has changed.
"""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from lrtune.reporting.console import console, page_text, print_lines
from lrtune.reporting.progress import Tally, climb
from lrtune.run.at_work import in_hand, waits_for_workers
from lrtune.text import formats

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from lrtune.reporting.blocks import Block
    from lrtune.run.bodies import Body
    from lrtune.run.study import StudyState

Watch = Callable[["Body", "StudyState"], None]
"""Is told the body of each event and the study that has taken it into account."""

BAR = 12
"""Width of the bar."""

PICTURED = 80
"""Columns from which on there is room for the picture of the best score."""

MAX_LINES = 50
"""How many lines, without a terminal, tell of rounds: of a study of more rounds, not every one."""

TELLING = 0.02
"""Of less of the training than this nobody tells how long the rest takes."""

WAITING_SECONDS = 2.0
"""Between two looks whether there is nobody who trains."""

LINE_SECONDS = 60.0
"""In a round that takes longer than this, without a terminal, its blocks are told of."""


@contextlib.contextmanager
def watch_search(metric: str, total: int, folder: Path | None = None) -> Iterator[Watch]:
    """Show on standard error how a search goes on; yields the function that is told each event.

    On a terminal a bar is redrawn in place; elsewhere a line is printed after each round, and at the end.

    Parameters
    ----------
    metric
        What trials are scored with.
    total
        Number of trials planned.
    folder
        Of the run: blocks that train tell there how far they are, and the bar moves with them.

    """
    out = console(stderr=True)
    tally = Tally(metric, total)
    if out.is_terminal and not out.is_dumb_terminal:
        with _bar(out, tally, folder) as see:
            yield see
        return
    lines, over = _Lines(out, tally), threading.Event()
    if folder is not None:
        threading.Thread(target=_tell_of_waiting, args=(out, folder, over), daemon=True).start()
    try:
        yield lines.see
    finally:
        over.set()
        lines.line()


def _tell_of_waiting(out: Console, folder: Path, over: threading.Event) -> None:
    """Print a line whenever there is nobody left who trains, and go on until it is over."""
    told = False
    while not over.wait(WAITING_SECONDS):
        waits = waits_for_workers(folder)
        if waits and not told:
            print_lines(out, [f"waits for a worker: lrtune worker {shlex.quote(str(folder))}"])
        told = waits


class _Lines:
    """Prints what is known at the ends of rounds, and of blocks where rounds are long.

    The events of a block come all at once, the first of them with the time: what is known before it is whole. Rounds of
    earlier sessions, which are replayed first, are not told of one by one.
    """

    def __init__(self, out: Console, tally: Tally) -> None:
        self.out = out
        self.tally = tally
        self.begun = time.time()
        self.live = False
        self.printed = 0
        self.printed_at = time.monotonic()

    def see(self, body: Body, study: StudyState) -> None:
        """Take an event into account, and print a line if it is time for one."""
        at = body.get("clock", {}).get("at")
        if at is not None:
            if self.live and time.monotonic() - self.printed_at >= LINE_SECONDS:
                self.line()
            self.live = at >= self.begun
        self.tally.see(body, study)
        if self.live and self.tally.round_is_over and self.is_worth_a_line():
            self.line()

    def is_worth_a_line(self) -> bool:
        """Whether enough has been done since the last line."""
        return self.tally.ended - self.printed >= self.tally.total / MAX_LINES

    def line(self) -> None:
        """Print what is known, unless it has been printed."""
        if self.tally.ended > self.printed:
            self.printed, self.printed_at = self.tally.ended, time.monotonic()
            print_lines(self.out, [f"{self.tally.text()}{_left(self.tally.seconds_left())}"])


def _left(seconds: float | None) -> str:
    return "" if seconds is None or seconds < 1 else f" · {formats.duration(seconds)} left"


class _TimeLeft(ProgressColumn):
    """Counts down from the last estimate, because the events of a block come all at once.

    Before the first of them the blocks that train tell how much is done; where that is too little, the time is counted.
    """

    def __init__(self, column: Column, bar: _Bar) -> None:
        super().__init__(column)
        self._bar = bar

    def render(self, task: Task) -> Text:
        if self._bar.waits:
            return Text("waits for a worker")
        left = task.fields["left"]
        if task.finished:
            return Text("retraining the best")
        if left is None:
            elapsed, share = task.elapsed or 0.0, self._bar.most / (task.total or 1.0)
            if share < TELLING:
                return Text(f"{formats.duration(elapsed)} so far" if elapsed >= 1.0 else "")
            return Text(f"about {formats.duration(elapsed * (1.0 - share) / share)} left")
        return Text(f"{formats.duration(max(0.0, left - (time.monotonic() - task.fields['at'])))} left")


class _Bar(BarColumn):
    """Moves with the blocks that train, and never back: what a block has done is an estimate until it ends."""

    def __init__(self, tally: Tally, folder: Path | None) -> None:
        super().__init__(bar_width=BAR, table_column=Column(min_width=BAR))
        self._tally = tally
        self._folder = folder
        self.most = 0.0
        self.waits = False

    def render(self, task: Task) -> ProgressBar:
        self.waits = self._folder is not None and waits_for_workers(self._folder)
        self.most = max(self.most, self._tally.done(in_hand(self._folder) if self._folder else 0.0))
        return ProgressBar(total=task.total, completed=self.most, width=BAR)


@contextlib.contextmanager
def _bar(out: Console, tally: Tally, folder: Path | None) -> Iterator[Watch]:
    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    picture = TextColumn("{task.fields[picture]}", markup=False, table_column=Column(no_wrap=True))
    bar = _Bar(tally, folder)
    columns = (SpinnerColumn(), bar, text, picture, _TimeLeft(Column(no_wrap=True), bar))
    with Progress(*columns, console=out, transient=True, refresh_per_second=5) as progress:
        task = progress.add_task(tally.short(), total=tally.total, left=None, at=time.monotonic(), picture="")

        def see(body: Body, study: StudyState) -> None:
            tally.see(body, study)
            progress.update(
                task,
                total=tally.total,
                completed=tally.ended,
                description=tally.short(),
                left=tally.seconds_left(),
                at=time.monotonic(),
                picture=climb(tally.bests) if out.width >= PICTURED else "",
            )

        yield see


def follow(pages: Iterator[Sequence[Block]]) -> None:
    """Show pages on standard output, each in place of the one before, until there are no more.

    Without a terminal a page is printed only if it differs from the last one.

    Parameters
    ----------
    pages
        Makes the next page when it is asked, at its own pace.

    """
    out = console()
    if not out.is_terminal or out.is_dumb_terminal:
        _print_changes(out, pages)
        return
    writer = console()  # what is printed on the console of a live display moves the display
    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as screen:
        for page in pages:
            screen.update(Text.from_ansi(page_text(writer, page).rstrip("\n")), refresh=True)


def _print_changes(out: Console, pages: Iterator[Sequence[Block]]) -> None:
    before = ""
    for page in pages:
        text = page_text(out, page)
        if text != before:
            out.file.write(f"\n{text}" if before else text)
            out.file.flush()
            before = text
