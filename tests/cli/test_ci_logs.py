"""What a CI server reads: no name from data is a command, and no library warns over our heads."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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


def test_without_a_ci_server_names_are_shown_as_they_are(run, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    table(COMMAND)
    assert COMMAND in run("check", "--data", "odd.csv", "--target", "y").stdout


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
