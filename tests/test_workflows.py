"""What runs lrtune every night: the action, the workflows that use it, GitLab's file and the script for cron.

Every shell block is run here, in a folder of its own, with what a server would put into it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from lrtune.cli import app

ROOT = Path(__file__).parent.parent
COMMANDS = typer.main.get_command(app).commands

EXPERIMENT = """\
data: {path: table.csv, target: kind}
training: {epochs: 3}
search: {trials: 3, folds: 2, workers: 1, control: false}
space: {learning_rate: {low: 1e-3, high: 0.3, scale: log}, decay: [constant, linear]}
"""


def load(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


ACTION, REUSABLE = load("action.yml"), load(".github/workflows/nightly.yml")
GITHUB, GITLAB = load("configs/ci/github.yml"), load("configs/ci/gitlab.yml")["nightly search"]


def steps(*, of=ACTION):
    return of["runs"]["steps"]


def block(name):
    (found,) = (each for each in steps() if each.get("name") == name)
    return found


def table(path, rows=60, shift=0):
    lines = [f"{(row * 7 + shift) % 13},{(row * 5) % 11},{'ab'[(row * 7 + shift) % 13 > 6]}" for row in range(rows)]
    path.write_text("\n".join(["x,y,kind", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def job(tmp_path):
    """Make the folder of a job, and a function that runs a block there."""
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    table(tmp_path / "table.csv")

    def run(script, env=(), shell=("bash", "-e", "-o", "pipefail", "-c")):
        server = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        return subprocess.run(
            [*shell, script],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **server, **dict(env)},
            text=True,
            capture_output=True,
        )

    return run


def night(job, arguments="", timeout="10m"):
    """Run the blocks of the action in their order, as a server does; gives how the search ended."""
    given = {"CONFIG": "experiment.yaml", "ARGUMENTS": arguments, "TIMEOUT": timeout}
    found = job(block("search")["run"], given)
    for name, env in (("history", {}), ("prune", {"KEEP": "1"})):
        later = job(block(name)["run"], env)
        assert (later.returncode, later.stderr) == (0, ""), later.stderr
    return found


def test_the_first_night_works_without_anything_before_it(job, tmp_path):
    found = night(job, "--fail-over=100\n--fail-if=drift < -0.02\n")
    assert found.returncode == 0, found.stderr
    assert json.loads((tmp_path / "reports/result.json").read_text())["trials"]["total"] == 3
    assert (tmp_path / "output").read_text() == "result=reports/result.json\n"
    summary = (tmp_path / "summary.md").read_text()
    assert "Expect a log loss of" in summary
    assert "lrtune: champions" in summary
    assert sorted(each.suffix for each in (tmp_path / "reports").iterdir()) == [".html", ".json", ".svg", ".xml"]
    assert json.loads((tmp_path / "champions/champion.json").read_text())["night"] == 1


def test_nights_on_new_rows_leave_a_history_and_what_is_old_is_pruned(job, tmp_path):
    for rows in (60, 70, 80):
        table(tmp_path / "table.csv", rows)
        assert night(job).returncode == 0
    lines = [json.loads(each) for each in (tmp_path / "champions/history.jsonl").read_text().splitlines()]
    assert [each["night"] for each in lines] == [1, 2, 3]
    assert [each["rows"] for each in lines] == [48, 56, 64]
    assert len(list((tmp_path / "runs").iterdir())) == 1
    current = json.loads((tmp_path / "champions/champion.json").read_text())
    kept = {int(each.name) for each in (tmp_path / "champions").iterdir() if each.is_dir()}
    assert kept == {current["night"], current["elected"], 3}


def test_a_gate_that_fails_ends_the_search_with_its_code_and_the_reports_are_left(job, tmp_path):
    found = night(job, "--fail-over=0.0000001")
    assert found.returncode == 3
    assert "::error " in found.stderr
    assert (tmp_path / "reports/history.svg").is_file()


def test_an_argument_is_one_line_whatever_is_in_it(job, tmp_path):
    found = job(
        block("search")["run"], {"CONFIG": "experiment.yaml", "ARGUMENTS": "--select=$(touch x)", "TIMEOUT": "1m"}
    )
    assert found.returncode == 2
    assert "$(touch x)" in found.stderr
    assert not (tmp_path / "x").exists()


def test_what_is_installed_is_the_lrtune_of_the_action_unless_it_is_named(job, tmp_path):
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HERE": "/here there"}
    install = block("install")["run"]
    assert job(install, {**path, "WHAT": ""}).stdout.splitlines()[-1] == "/here there"
    assert job(install, {**path, "WHAT": "lrtune==1.0"}).stdout.splitlines()[-1] == "lrtune==1.0"


def test_the_action_restores_the_newest_cache_and_always_saves_one_of_its_own():
    used = {each["uses"].partition("@")[0]: each for each in steps() if "uses" in each}
    assert all(("uses" in each) != ("run" in each) for each in steps())
    restore, save = used["actions/cache/restore"]["with"], used["actions/cache/save"]
    assert save["with"]["path"] == restore["path"] == "runs\nchampions\n~/.cache/pip\n"
    assert save["with"]["key"] == restore["key"]
    assert "github.run_id" in restore["key"]
    assert restore["key"].startswith(restore["restore-keys"])
    assert save["if"] == used["actions/upload-artifact"]["if"] == "always()"
    assert all(block(name)["if"] == "always()" for name in ("history", "prune"))
    assert "\nexec lrtune search" in block("search")["run"]  # a cancelled job signals only what it has started


def test_no_expression_of_the_server_stands_in_a_shell_block():
    """Whoever chooses an input would choose the commands, too: inputs go by variables."""
    everywhere = [*steps(), *GITHUB["jobs"]["search"]["steps"], *REUSABLE["jobs"]["search"]["steps"]]
    assert not [each["run"] for each in everywhere if "${{" in each.get("run", "")]


def test_inputs_exist_and_are_all_used():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.(\w+)", text)) == set(ACTION["inputs"])
    used = {name for each in GITHUB["jobs"]["search"]["steps"] for name in each.get("with", ())}
    (called,) = (each for each in REUSABLE["jobs"]["search"]["steps"] if each["uses"] == "./.lrtune")
    assert used <= set(ACTION["inputs"])
    assert set(called["with"]) <= set(ACTION["inputs"])
    inputs = REUSABLE[True]["workflow_call"]["inputs"]  # YAML 1.1 takes the key `on` for a truth value
    assert set(re.findall(r"inputs\.(\w+)", json.dumps(REUSABLE["jobs"]))) <= set(inputs)


def test_workflows_may_do_no_more_than_they_have_to():
    assert GITHUB[True]["schedule"]
    assert GITHUB["permissions"] == {"contents": "read", "issues": "write"}
    assert REUSABLE["permissions"] == {"contents": "read"}
    assert set(REUSABLE[True]) == {"workflow_call", "workflow_dispatch"}


def test_the_arguments_of_the_example_are_options_of_the_search():
    (used,) = (each["with"] for each in GITHUB["jobs"]["search"]["steps"] if each.get("uses") == "./")
    words = [used["config"], "--champions", "champions", *used["arguments"].splitlines()]
    context = COMMANDS["search"].make_context("search", words)  # fails on an unknown option or a wrong value
    assert (ROOT / context.params["config"]).is_file()


@pytest.mark.parametrize("there", ["", "7"])
def test_a_failed_gate_opens_one_issue(job, tmp_path, there):
    (step,) = (each for each in GITHUB["jobs"]["search"]["steps"] if each.get("if") == "failure()")
    (tmp_path / "gh").write_text(f'#!/bin/sh\necho "$2" >> calls\n[ "$2" = list ] && printf "{there}"\nexit 0\n')
    (tmp_path / "gh").chmod(0o755)
    found = job(step["run"], {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "NIGHT": "address"})
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "calls").read_text().split() == (["list"] if there else ["list", "create"])


def of_this_job(script):
    """Let a script search the small table in place of digits, with limits that fit it."""
    return script.replace("configs/digits.yaml", "experiment.yaml").replace("--fail-under 0.95", "--fail-over 100")


def test_gitlab_runs_a_night_and_keeps_what_is_needed(job, tmp_path):
    for part in ("script", "after_script"):
        found = job(of_this_job("\n".join(GITLAB[part])), shell=("sh", "-e", "-c"))
        assert found.returncode == 0, found.stderr
    for each in ("junit.xml", "summary.md", "result.json", "history.svg"):
        assert (tmp_path / "reports" / each).is_file()
    assert GITLAB["cache"]["when"] == GITLAB["artifacts"]["when"] == "always"
    assert {"runs", "champions"} <= set(GITLAB["cache"]["paths"])
    assert GITLAB["artifacts"]["reports"]["junit"] == "reports/junit.xml"


def test_cron_runs_a_night_in_the_folder_that_it_is_given(job, tmp_path):
    script = tmp_path / "cron.sh"
    script.write_text(of_this_job((ROOT / "configs/ci/cron.sh").read_text(encoding="utf-8")), encoding="utf-8")
    found = job('cd / && sh "$HERE/cron.sh" "$HERE"', {"HERE": str(tmp_path)})
    assert found.returncode == 0, found.stderr
    assert "Expect a log loss of" in found.stdout
    assert (tmp_path / "reports/history.svg").is_file()
    script.write_text(script.read_text().replace("--fail-over 100", "--fail-over 1e-7"), encoding="utf-8")
    assert job('sh "$HERE/cron.sh" "$HERE"', {"HERE": str(tmp_path)}).returncode == 3
    assert job('sh "$HERE/cron.sh"', {"HERE": str(tmp_path)}).returncode != 0


@pytest.mark.parametrize("name", ["bash", "sh"])
def test_the_shells_of_these_tests_are_there(name):
    assert shutil.which(name)
