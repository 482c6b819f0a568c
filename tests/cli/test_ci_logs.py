"""What a CI server reads: no name from data is a command, and no library warns over our heads."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lrtune import cli
from lrtune.reporting import console
from lrtune.reporting.blocks import Headline, Lines
from lrtune.reporting.summary import markdown
from lrtune.text import written

COMMAND = "::error title=PWN::owned"


def table(name, label="p"):
    rows = [f"{0.1 * (number % 7):.1f},1,{label if number % 2 else 'q'}" for number in range(60)]
    Path("odd.csv").write_text("\n".join([f"a,{name},y", *rows]) + "\n")


def commands(text):
    """Lines that GitHub Actions would take for a command."""
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("before", range(0, 60, 4))
@pytest.mark.parametrize("server", ["GITHUB_ACTIONS", "CI"])
def test_a_column_is_no_command_wherever_the_line_is_wrapped(run, monkeypatch, before, server):
    monkeypatch.setenv(server, "true")
    table("c" * before + " " + COMMAND)
    result = run("check", "--data", "odd.csv", "--target", "y")
    assert result.exit_code == 0, result.output
    assert "PWN" in result.stdout.replace("\n", "")
    assert commands(result.stdout) == commands(result.stderr) == []


def test_a_class_is_no_command_on_the_page_in_json_or_in_predictions(run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    table("b", label="##[error]x")
    page = run("search", "--data", "odd.csv", "--target", "y", "--trials", "2", "-o", "out")
    assert page.exit_code == 0, page.output
    assert commands(page.output) == []
    as_json = run("check", "--data", "odd.csv", "--target", "y", "--json").stdout
    assert commands(as_json) == []
    assert json.loads(as_json)["data"]["classes"] == ["##[error]x", "q"]
    table("b", label="::error::x")
    run("search", "--data", "odd.csv", "--target", "y", "--trials", "2", "-o", "other")
    predicted = run("predict", "other", "odd.csv").stdout
    assert commands(predicted) == []
    assert '"::error::x"' in predicted


def test_no_variable_has_to_tell_that_a_server_reads(capsys):
    """A container on such a server has none of its variables."""
    console.show([Lines("", [COMMAND, "##[error]x"])])
    console.note(COMMAND)
    read = capsys.readouterr()
    assert read.out == "  \\x3a:error title=PWN::owned\n  \\x23#[error]x\n"
    assert read.err == "\\x3a:error title=PWN::owned\n"


@pytest.mark.parametrize("name", ["##[error]x", "\x1b[2K::a::x", "```\r\n::error::x"])
def test_a_name_is_no_command_in_any_report(run, monkeypatch, name):
    """As a column, as a class, as a file and as the experiment's name; in pages, notes, summaries and JUnit."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    file = name.replace("/", "").replace("\x1b", "").strip() + ".csv"
    quoted = name.replace('"', '""')
    rows = [f'{0.1 * (number % 7):.1f},{number % 2},"{quoted if number % 2 else "q"}"' for number in range(60)]
    Path(file).write_text("\n".join([f'a,"{quoted}",y', *rows]) + "\n", newline="")
    asked = ("--junit", "junit.xml", "--summary", "summary.md", "--fail-over", "0.000001", "--no-report")
    outputs = [
        run("search", "--data", file, "--target", "y", "--trials", "2", "-o", "out", "--details", *asked),
        run("show", "out", "--details"),
        run("trials", "out"),
        run("search", "--data", file, "--target", name, "--set", "search.metric=nothing"),
    ]
    own = "::error title=lrtune"
    for each in outputs:
        assert each.exit_code in (0, 2, 3), each.output
        assert [line for line in commands(each.output) if not line.startswith(own)] == []
        assert "\x1b" not in each.output
    for written_file in ("junit.xml", "summary.md"):
        text = Path(written_file).read_text()
        assert "\x1b" not in text
        assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


@pytest.mark.parametrize("label", ["##[error]x", "a\n::error::x"])
def test_data_that_would_be_commands_go_into_files_only(run, monkeypatch, label):
    rows = [f'{0.1 * (number % 7):.1f},"{label if number % 2 else "q"}"' for number in range(60)]
    Path("odd.csv").write_text("\n".join(["a,y", *rows]) + "\n")
    assert run("search", "--data", "odd.csv", "--target", "y", "--trials", "2", "-o", "out", "-q").exit_code == 0
    assert label in run("predict", "out", "odd.csv").stdout
    monkeypatch.setenv("CI", "true")
    refused = run("predict", "out", "odd.csv")
    assert refused.exit_code == 2
    assert "of the data would be a command to the CI server that reads it; write them into a file" in refused.stderr
    assert refused.stdout == ""
    assert run("predict", "out", "odd.csv", "-o", "predicted.csv").exit_code == 0
    assert label in Path("predicted.csv").read_text()


def test_everything_that_commands_print_goes_through_a_door_that_looks():
    """Pages through the console, data through `put`, paths through `put_path`; the rest are addresses."""
    own = {"outputs.py": 2, "beside.py": 1, "watch.py": 1}
    found = {
        each.name: count
        for each in Path(cli.__file__).parent.glob("*.py")
        if (count := each.read_text().count("stdout.write(") + each.read_text().count("print("))
    }
    assert found == own


def test_no_line_closes_the_fence_of_a_summary_and_no_address_is_a_link():
    page = [Lines("picture", ["``` <b>", "a ```` b"]), Headline("see https://evil.example and www.evil.example")]
    text = markdown("x", page)
    assert "`````\n``` <b>\na ```` b\n`````" in text
    assert r"https\://evil.example and www\.evil.example" in text


def test_rows_that_look_like_commands_are_quoted_and_mean_the_same():
    assert written.csv_text([["::a", "b"], ["a", "::b"], [" ::c", 1]]) == '"::a","b"\na,::b\n" ::c","1"\n'


def test_warnings_of_libraries_are_not_shown(folder):
    code = """
        import sys, warnings
        import lrtune.cli
        def noisy():
            \"\"\"Warn.\"\"\"
            import numpy as np
            warnings.warn("in the parent", RuntimeWarning)
            np.log(np.zeros(1))
        lrtune.cli.COMMANDS["schema"] = lrtune.cli.Command("schema", "Prepare", noisy)
        sys.argv = ["lrtune", "schema"]
        lrtune.cli.main()
    """
    environment = {key: value for key, value in os.environ.items() if key not in ("LRTUNE_DEBUG", "PYTHONWARNINGS")}
    words = [sys.executable, "-c", textwrap.dedent(code)]
    quiet = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=folder, check=True)
    assert (quiet.stdout, quiet.stderr) == ("", "")
    loud = subprocess.run(
        words, capture_output=True, text=True, env=environment | {"LRTUNE_DEBUG": "1"}, cwd=folder, check=True
    )
    assert "in the parent" in loud.stderr
    assert "divide by zero" in loud.stderr
