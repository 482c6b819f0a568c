"""The README and the pages in docs tell of every command and option; every command line in them is one that exists."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from lrtune.cli import app
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.trainers.foreign import commands
from lrtune.training.registry import METRICS
from lrtune.verdict.choice.rules import SELECTION_RULES
from lrtune.verdict.pruning import PRUNINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXPERIMENT = (ROOT / "docs" / "experiment.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
TOLD = "\n".join([README, *(each.read_text(encoding="utf-8") for each in sorted((ROOT / "docs").rglob("*.md")))])
COMMANDS = typer.main.get_command(app).commands
EVERYWHERE = {"--help", "-h"}


def options_of(command):
    return {option for each in command.params for option in each.opts if option.startswith("-")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    assert f"lrtune {name}" in PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name):
    long = {each for each in options_of(COMMANDS[name]) if each.startswith("--")} - EVERYWHERE
    assert sorted(each for each in long if not re.search(rf"(?<![\w-]){each}(?![\w-])", TOLD)) == []


def command_lines():
    """Every line of a code block, and every piece of inline code, that calls lrtune."""
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", TOLD, flags=re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if re.match(r"(\$ )?lrtune ", line):
                yield line.removeprefix("$ ").split("  #")[0]
    yield from re.findall(r"`(lrtune [^`]+)`", TOLD)


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_command_lines_exist(line):
    words = shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True)[1:]
    if words[0].startswith("-"):
        known = options_of(typer.main.get_command(app)) | EVERYWHERE
    else:
        assert words[0] in COMMANDS, line
        known = options_of(COMMANDS[words[0]]) | EVERYWHERE
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert sorted(used - known) == [], line


def named(text):
    return set(re.findall(r"`(\w+)`", text))


def test_what_is_said_of_metrics_is_so():
    pruning, folds = ((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in ("pruning", "folds"))
    means = pruning.split("as a mean over rows does are")[1].split("**The others**")
    assert named(means[0]) == {name for name, entry in METRICS.items() if entry.is_by_rows}
    assert named(means[1].split("are raced")[0]) == {name for name, entry in METRICS.items() if not entry.is_by_rows}
    rows = folds.split("| metric | needs |")[1].split("\n\n")[0]
    assert named(rows) == {name for name, entry in METRICS.items() if entry.needs}


def test_all_variables_of_programs_are_told():
    variables = set(re.findall(r"``(LRTUNE_[A-Z]+)``", commands.__doc__))
    page = (ROOT / "docs" / "trainers.md").read_text(encoding="utf-8")
    assert len(variables) > 10
    assert set(re.findall(r"`(LRTUNE_[A-Z]+)`", page)) == variables


@pytest.mark.parametrize(
    ("key", "table"), [("strategy", STRATEGIES), ("pruning", PRUNINGS), ("select", SELECTION_RULES)]
)
def test_the_page_of_the_experiment_names_what_can_be_chosen(key, table):
    (row,) = (line for line in EXPERIMENT.splitlines() if line.startswith(f"| `{key}` |"))
    assert set(re.findall(r"`(\w+)", row)) - {key} == set(table) - {"none"}
