"""The workflow files in configs/ci: their structure, their shell, and every lrtune command in them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from lrtune.cli import app

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "configs" / "ci"
COMMANDS = typer.main.get_command(app).commands


def load(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def steps():
    return load("github.yml")["jobs"]["search"]["steps"]


def job():
    return load("gitlab.yml")["nightly search"]


def scripts():
    """Every shell script, by where it is."""
    found = {f"github.yml, step {number}": each["run"] for number, each in enumerate(steps()) if "run" in each}
    return {**found, "gitlab.yml": "\n".join(job()["before_script"] + job()["script"])}


def command_lines(script):
    """The words of every lrtune command, with the shell's own arguments put in."""
    joined = script.replace("\\\n", " ")
    ours = next((each.split(";")[0] for each in re.findall(r"set -- (-.*)", joined)), "")
    for line in joined.splitlines():
        found = re.search(r"\blrtune (.*?)(?: > .*)?$", line)
        if found:
            yield shlex.split(found[1].replace('"$@"', ours))


@pytest.mark.parametrize("where", scripts())
def test_the_shell_understands_every_script(where):
    subprocess.run(["bash", "-n"], input=scripts()[where], text=True, check=True)


def test_every_command_is_one_that_exists_and_asks_for_the_gates():
    lines = [line for script in scripts().values() for line in command_lines(script)]
    assert [line[0] for line in lines] == ["search", "search"]
    for name, *words in lines:
        context = COMMANDS[name].make_context(name, list(words))  # fails on an unknown option or a wrong value
        assert (ROOT / context.params["config"]).is_file()
        given = {key for key, value in context.params.items() if value not in (None, False, [], ())}
        assert given == {
            *("config", "timeout", "fail_under", "baseline", "tolerance", "remeasure", "junit", "summary", "as_json"),
        }


def test_github_restores_the_newest_cache_and_always_saves_one_of_its_own():
    document = load("github.yml")
    assert document[True]["schedule"]  # YAML 1.1 takes the key `on` for a truth value
    assert document["permissions"] == {"contents": "read"}
    used = {each["uses"].partition("@")[0]: each for each in steps() if "uses" in each}
    assert all(("uses" in each) != ("run" in each) for each in steps())
    restore, save = used["actions/cache/restore"]["with"], used["actions/cache/save"]
    assert save["with"]["path"] == restore["path"] == "runs\nbaseline\n"
    assert save["with"]["key"] == restore["key"]
    assert "github.run_id" in restore["key"]
    assert restore["key"].startswith(restore["restore-keys"])
    assert save["if"] == used["actions/upload-artifact"]["if"] == "always()"


def test_github_hands_signals_to_the_search_and_moves_the_baseline_only_after_it():
    runs = [each for each in steps() if "run" in each]
    (search,) = (number for number, each in enumerate(runs) if "lrtune search" in each["run"])
    assert "\nexec lrtune search" in runs[search]["run"]
    assert runs[search]["run"].rstrip().endswith("> reports/result.json")
    assert runs[search + 1]["run"] == "cp reports/result.json baseline/result.json"
    assert "if" not in runs[search + 1]


def test_gitlab_always_keeps_the_study_and_the_reports():
    found = job()
    assert found["cache"]["when"] == found["artifacts"]["when"] == "always"
    assert {"runs", "baseline"} <= set(found["cache"]["paths"])
    (line,) = command_lines("\n".join(found["script"]))
    assert found["artifacts"]["reports"]["junit"] == line[line.index("--junit") + 1]
    assert found["script"][-1] == "cp reports/result.json baseline/result.json"
    assert all(isinstance(each, str) for each in found["script"])
