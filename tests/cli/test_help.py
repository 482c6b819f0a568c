import subprocess
import sys
from typing import get_args

import pytest
import typer
from patience import PATIENCE

import lrtune
from lrtune.cli import COMMANDS, Group, app

NAMES = list(COMMANDS)


def test_help_lists_every_command_in_its_group_with_a_whole_sentence(run):
    result = run("--help")
    assert result.exit_code == 0
    listed = result.stdout.split("Search:")[1].splitlines()
    found = [line.split()[0] for line in ["Search:", *listed] if line.strip()]
    expected = [
        word
        for title in get_args(Group)
        for word in (f"{title}:", *(name for name, each in COMMANDS.items() if each.group == title))
    ]
    assert found == expected
    assert "..." not in " ".join(listed)
    assert max(map(len, listed)) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_its_options_and_gives_an_example(run, name):
    result = run(name, "-h")
    assert result.exit_code == 0
    assert f"Example: lrtune {name} " in result.stdout
    for parameter in typer.main.get_command(app).commands[name].params:
        assert getattr(parameter, "help", "") or parameter.name == "help", parameter.name


def test_examples_fit_on_one_line(run):
    for name in NAMES:
        (line,) = [each for each in run(name, "-h").stdout.splitlines() if "Example: " in each]
        following = run(name, "-h").stdout.split(line)[1].splitlines()[1]
        assert following == "", line


def test_version(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"lrtune {lrtune.__version__}\n")


def test_without_arguments_the_help_is_shown(run):
    assert "Search:" in run().output


def test_a_misspelt_command_names_the_nearest(run):
    result = run("serch")
    assert result.exit_code == 2
    assert "Did you mean 'search'?" in result.stderr
    assert result.stdout == ""


def test_a_misspelt_option_names_the_nearest(run):
    result = run("search", "--trails", "3")
    assert result.exit_code == 2
    assert "--trials" in result.stderr


def test_help_loads_nothing_heavy():
    probe = (
        "import sys\n"
        "sys.argv = ['lrtune', '--help']\n"
        "from lrtune.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    heavy = {"numpy", "polars", "sklearn", "scipy", "joblib", "altair", "pydantic", "yaml", "rich.console"}
    assert heavy & set(done.stderr.split()) == set()
    assert "Search:" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("lrtune ", set(NAMES)),
        ("lrtune search --tr", {"--trials"}),
        ("lrtune search --strategy r", {"random"}),
        ("lrtune predict w", {"wine-0000000a"}),
        ("lrtune predict ", {"latest", "wine-0000000a"}),
        ("lrtune show w", {"wine-0000000a"}),
        ("lrtune compare latest w", {"wine-0000000a"}),
        ("lrtune trials wine --sort learn", {"learning_rate"}),
        ("lrtune trials wine --state p", {"proposed", "pruned"}),
        ("lrtune export wine --to o", {"optuna"}),
    ],
)
def test_completion_works_and_loads_nothing_heavy(folder, words, expected):
    (folder / "runs" / "wine-0000000a").mkdir(parents=True)
    probe = (
        "import sys\n"
        "from lrtune.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    typed = words.split() + ([""] if words.endswith(" ") else [])
    variables = {
        "_LRTUNE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=variables)
    assert set(done.stdout.split()) == expected
    assert {"numpy", "polars", "sklearn", "scipy", "yaml", "rich.console"} & set(done.stderr.split()) == set()


def test_the_completion_script_can_be_shown(command):
    process = command("--show-completion", "bash", env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "_LRTUNE_COMPLETE=complete_bash" in out
