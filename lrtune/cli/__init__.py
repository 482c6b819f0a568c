"""The command line: each command parses, calls, shows, and ends with an exit code. Nobody imports it.

A command is a function in a module of its own and one entry in `COMMANDS`; its docstring is its help. Modules of
commands import at the top only what ``--help`` may cost; the rest is imported when a command runs.

::

    beside              the process that serves a page while ``lrtune search --live`` searches
    champion            ``lrtune champion``
    check               ``lrtune check``
    choices             finds the experiment that a command means, and joins what file and options say
    compare             ``lrtune compare``
    evaluate            ``lrtune evaluate``
    exits               how a command ends
    export              ``lrtune export``
    finder              ``lrtune finder``
    gating              gates on the result of ``lrtune search``
    health              ``lrtune health``
    history             ``lrtune history``
    importance          ``lrtune importance``
    init                ``lrtune init``
    listing             ``lrtune list``
    names               names that stand in tables, for help and completion
    nights              options of ``lrtune search`` about what goes on from night to night
    options             arguments and options that several commands share, so that they read the same everywhere
    outputs             files that a command is asked to write, kept apart from those that it reads
    plot                ``lrtune plot``
    predict             ``lrtune predict``
    prune               ``lrtune prune``
    report              ``lrtune report``
    reports             what is left behind for CI: reports and annotations, also of a command that fails
    retrain             ``lrtune retrain``
    runs                finds the run that a command means
    scaling             ``lrtune finder --scaling``
    schedule_settings   words of the command line -> the configuration whose schedule is meant
    schedules           ``lrtune schedules``
    schema              ``lrtune schema``
    search              ``lrtune search``
    show                ``lrtune show``
    signals             Ctrl-C and SIGTERM: the first ends a command in good order
    status              ``lrtune status``
    trials              ``lrtune trials``
    watch               ``lrtune watch``
    worker              ``lrtune worker``
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from lrtune import __version__
from lrtune.cli import (
    champion,
    check,
    compare,
    evaluate,
    exits,
    export,
    finder,
    health,
    history,
    importance,
    init,
    listing,
    plot,
    predict,
    prune,
    report,
    retrain,
    schedules,
    schema,
    search,
    show,
    signals,
    status,
    trials,
    watch,
    worker,
)
from lrtune.cli.names import filled
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import expanded

Group: TypeAlias = Literal["Search", "Look", "Prepare"]
"""What a command is for; the groups of the help, in their order."""


class Command(NamedTuple):
    """A command; the docstring of its function is its help."""

    name: str
    group: Group
    function: Callable[..., None]

    @property
    def summary(self) -> str:
        """The first sentence of its help."""
        return (self.function.__doc__ or "").splitlines()[0]


_ENTRIES = (
    Command("search", "Search", search.search),
    Command("finder", "Search", finder.finder),
    Command("retrain", "Search", retrain.retrain),
    Command("worker", "Search", worker.worker),
    Command("predict", "Search", predict.predict),
    Command("evaluate", "Search", evaluate.evaluate),
    Command("show", "Look", show.show),
    Command("report", "Look", report.report),
    Command("plot", "Look", plot.plot),
    Command("health", "Look", health.health),
    Command("trials", "Look", trials.trials),
    Command("status", "Look", status.status),
    Command("watch", "Look", watch.watch),
    Command("list", "Look", listing.list_runs),
    Command("compare", "Look", compare.compare),
    Command("history", "Look", history.history),
    Command("champion", "Look", champion.champion),
    Command("importance", "Look", importance.importance),
    Command("prune", "Look", prune.prune),
    Command("export", "Look", export.export),
    Command("init", "Prepare", init.init),
    Command("check", "Prepare", check.check),
    Command("schedules", "Prepare", schedules.schedules),
    Command("schema", "Prepare", schema.schema),
)

COMMANDS: dict[str, Command] = {entry.name: entry for entry in _ENTRIES}
"""The commands, in the order of the help."""


class _Built(Mapping[str, Any]):
    """The commands by name, each built when it is asked for: one run needs one of them, and help needs none."""

    def __getitem__(self, name: str) -> Any:
        return _built(COMMANDS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _with_homes(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its paths without `~`, which shells leave in words like `--output=~/run`."""

    @functools.wraps(command)
    def called(**settings: Any) -> None:
        command(**{key: expanded(each) if isinstance(each, Path) else each for key, each in settings.items()})

    return called


def _refuse_empty(words: Sequence[str]) -> None:
    """Refuse an empty word: as a path it would be the working folder, and a variable that is not set makes one."""
    for before, word in itertools.pairwise(["", *words]):
        option, sign, value = word.partition("=")
        if word and not (option.startswith("--") and sign and not value):
            continue
        name = option or (before if before.startswith("-") else "an argument")
        raise LrtuneError(f"{name}: expected a value, got an empty text")


@functools.cache
def _built(command: Command) -> Any:
    info = CommandInfo(command.name, callback=_with_homes(command.function))
    built: Any = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
    for each in built.params:
        each.help = filled(each.help or "")
    return built


class _Commands(TyperGroup):
    """Parses and runs a command so that whatever it raises ends in a sentence and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Built()

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **settings: Any) -> Any:
        with exits.handled():
            _refuse_empty(args)
            return super().make_context(info_name, args, *more, **settings)

    def invoke(self, ctx: Any) -> Any:
        with exits.handled():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the help in groups; the columns of all of them are alike."""
        del ctx
        width = max(map(len, COMMANDS))
        for title in get_args(Group):
            rows = [(f"{each.name:{width}}", each.summary) for each in COMMANDS.values() if each.group == title]
            with formatter.section(title):
                formatter.write_dl(rows)


# Plain help: formatting it with rich would cost as much again as everything else that --help needs.
app = typer.Typer(
    name="lrtune",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lrtune {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tune the learning rate, its decay and the optimizer around them, on your own table."""
    del version


def _keep_warnings_away() -> None:
    """Show no warning of a library, with its file and line, here or in a worker: what users should know is a note."""
    if not os.environ.get(exits.DEBUG):
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")


def main() -> None:
    """Run the command line; the entry point of the ``lrtune`` script."""
    exits.open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without '±' is no reason to fail
    _keep_warnings_away()
    signals.heed_signals()
    with signals.leaving():
        app(prog_name="lrtune")
