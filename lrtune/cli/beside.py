"""What ``lrtune search --live`` starts: a process that serves the run's page, for as long as the search lives.

It says its address on standard output, is told the folder on standard input, and ends when that ends: however the
search came to its end, also by a kill. A page that is open somewhere has some seconds to fetch how it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from lrtune.reporting.serving import PageServer

RECENT = 5.0
"""Seconds in which an open page has asked for news."""

AFTERWARDS = 20.0
"""Seconds that a page which is open somewhere has to fetch how the search ended; usually it needs two."""


class PageProcess:
    """A process that serves the page of the search of this process; use as a context manager."""

    def __init__(self) -> None:
        home = str(Path(__file__).parent.parent.parent)
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lrtune.cli.beside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the search, which ends this by ending
        )

    def serve(self, folder: Path) -> str:
        """Say of which run the page is; gives back its address, empty if it cannot be served."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{json.dumps(str(folder))}\n".encode())
            self._process.stdin.flush()
        with self._process.stdout as out:
            return out.readline().decode().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        threading.Thread(target=self._process.wait, daemon=True).start()


def main() -> None:
    """Serve the page of the folder that is named on standard input, until that ends."""
    from lrtune.cli.runs import name_of
    from lrtune.cli.watch import give_way
    from lrtune.reporting.served_page import RunPages
    from lrtune.reporting.serving import PageServer
    from lrtune.text.errors import StudyError

    told: list[Path] = []

    def locate() -> Path:
        if not told:
            raise StudyError("the search is still reading its table")
        return told[0]

    with PageServer(RunPages(locate, name_of)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        give_way()
        folder = sys.stdin.buffer.readline()
        if folder:  # or the search has ended before it trained anything
            told.append(Path(json.loads(folder)))
            sys.stdin.buffer.read()
            _tell_the_end(server)


def _tell_the_end(server: PageServer) -> None:
    """Go on until a page that is open has fetched the end."""
    ended = time.monotonic()
    if ended - server.asked_at < RECENT:
        while not server.has_told_the_end and time.monotonic() - ended < AFTERWARDS:
            time.sleep(0.1)
        time.sleep(RECENT / 2)  # another one may be open


if __name__ == "__main__":
    main()
