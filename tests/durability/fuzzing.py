"""Runs commands on files that went wrong; whatever is in them, the end is an exit code and a sentence."""

import os
import re
import shutil
import signal
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import EXPERIMENT, TABLE, experiments, tables
from patience import PATIENCE
from typer.testing import CliRunner

from lrtune.cli import app

GOOD = yaml.safe_dump(EXPERIMENT, sort_keys=False)
ALLOWED = {0, 2, 5}
COMMANDS = {"check": ("check", "broken.yaml"), "search": ("search", "broken.yaml", "--output", "out")}
HURRIED = {"check": (), "search": ("--timeout", "5s")}
"""What is broken may mean a search of years."""


def _late(number, frame):
    del number, frame
    raise TimeoutError("the command hangs")


def run(folder, text, table, command, options=()):
    """Run a command in this process; returns what is wrong with its end, or None, and its exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "broken.yaml").write_bytes(text.encode("utf-8", errors="surrogateescape"))
    (folder / "table.csv").write_bytes(table)
    here = Path.cwd()
    os.chdir(folder)
    before = signal.signal(signal.SIGALRM, _late)
    signal.alarm(PATIENCE)
    try:
        result = CliRunner().invoke(app, [*COMMANDS[command], *options], prog_name="lrtune")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        os.chdir(here)
    return _wrong(result), result.exit_code


def _wrong(result):
    said = result.stderr.strip().splitlines()
    if result.exit_code not in ALLOWED:
        return f"ended with {result.exit_code}: {result.stderr or result.exception!r}"
    if "Traceback" in result.output:
        return f"shows a traceback: {result.output}"
    if result.exit_code and not (said and re.match(r"lrtune: \S.*", said[-1])):
        return f"ended with {result.exit_code} and without a sentence: {result.stderr!r}"
    return None


def fuzz(folder, examples, seen):
    """Try so many broken experiments and tables; collects the exit codes in ``seen``."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def attempt(data):
        table = data.draw(st.booleans(), label="whether the table is broken")
        text = GOOD if table else data.draw(experiments(), label="experiment")
        content = data.draw(tables(), label="table") if table else TABLE.encode()
        command = data.draw(st.sampled_from(["check", "check", "search"]), label="command")
        wrong, code = run(folder, text, content, command, HURRIED[command])
        seen.append(code)
        assert wrong is None, wrong

    attempt()
