"""``lrtune watch``."""

from __future__ import annotations

import os
import sys
import threading
from typing import Annotated

import typer

from lrtune.cli.options import LookArgument
from lrtune.cli.runs import LATEST, find, name_of
from lrtune.cli.signals import INTERRUPTED, TERMINATED, Terminated

HOST = "127.0.0.1"

LOWEST = 10
"""How far a process that only shows gives way to one that trains (its niceness)."""


def watch(
    run: LookArgument = LATEST,
    *,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="Port to serve at; by default any that is free.")
    ] = 0,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Serve other machines too: 0.0.0.0 for all of them.")
    ] = HOST,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show a run in the browser while its search goes on.

    Serves the report of the run on this machine alone; the page follows the search by itself. A run that does not exist
    yet is waited for. Ctrl-C ends it; nothing is written, and the search is not disturbed.

    Example: lrtune watch latest --open
    """
    from lrtune.reporting import console
    from lrtune.reporting.served_page import RunPages
    from lrtune.reporting.serving import PageServer
    from lrtune.text.errors import StudyError

    try:
        find(run, finished=False)
    except StudyError as error:
        console.note(f"{error}; waiting for it")
    with PageServer(RunPages(lambda: find(run, finished=False), name_of), host, port) as server:
        if server.is_for_others:
            console.warn(f"--host {host}: everyone who can reach this machine over the network can read this run")
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        console.note("Ctrl-C ends it")
        if show:
            threading.Thread(target=_open, args=(server.address,), daemon=True).start()
        give_way()
        try:
            server.serve_forever()
        except KeyboardInterrupt as error:  # how one ends looking; nothing was stopped
            raise typer.Exit(TERMINATED if isinstance(error, Terminated) else INTERRUPTED) from None


def _open(address: str) -> None:
    """Open a page in a browser; one that runs in the terminal takes its time."""
    import webbrowser

    from lrtune.reporting import console

    if not webbrowser.open(address):
        console.note("there is no browser to open it in")


def give_way() -> None:
    """Let processes that train go first."""
    if hasattr(os, "nice"):
        os.nice(LOWEST)
