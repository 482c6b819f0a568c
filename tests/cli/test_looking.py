"""show, trials, status and list: on finished, stopped, running and damaged runs."""

import contextlib
import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

from lrtune.run.folder import follow, open_run
from lrtune.run.journal import Event, Journal

ESCAPES = re.compile(r"[\x00-\x09\x0b-\x1f]")


def fits(text, lines=40):
    return max(map(len, text.splitlines())) <= 100 and len(text.splitlines()) <= lines and not ESCAPES.search(text)


@pytest.fixture
def result(made_runs):
    return json.loads((made_runs / "blobs-00000001" / "result.json").read_text())


@pytest.fixture
def rows(made_runs):
    with (made_runs / "blobs-00000001" / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def running(made_runs):
    with Journal(made_runs / "stopped-00000002" / "study.db", write=True):
        yield


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize("details", [(), ("--details",)])
def test_show_of_a_finished_run_is_the_page_of_the_search(run, details):
    shown = run("show", "blobs", *details)
    assert shown.exit_code == 0, shown.output
    of_search = run("search", "blobs.yaml", "-o", "runs/blobs-00000001", *details).stdout
    assert ("\nnotes\n" in of_search) is bool(details)
    (first, page), (answer, rest) = (each.split("\n\n", 1) for each in (of_search, shown.stdout))
    idle, expect, said = " ".join(first.split()).partition("Expect ")  # the session's sentence is not the run's
    assert idle.startswith("This session trained nothing: the study was finished")
    assert (expect + said, page) == (" ".join(answer.split()), rest)
    assert fits(shown.stdout, lines=80 if details else 16)


def test_show_as_json_has_the_result_and_the_best_trials(run, result, rows):
    found = json.loads(run("show", "blobs", "--json", "--top", "3").stdout)
    assert {key: found[key] for key in result} == result
    means = sorted((float(each["mean"]) for each in rows if each["mean"]), reverse=True)
    assert [each["mean"] for each in found["top"]] == means[:3]
    assert found["status"]["state"] == "finished"


def test_show_without_a_result_file_makes_the_result_anew(run, made_runs, result):
    (made_runs / "blobs-00000001" / "result.json").unlink()
    found = json.loads(run("show", "runs/blobs-00000001", "--json").stdout)
    for key in ("best", "default", "gain", "test", "trials", "finished"):
        assert found[key] == result[key]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"null", "it does not say how many trials there were"),
        (b'{"trials": 3}', "it does not say how many trials there were"),
        (b"{", "it is no JSON: "),
        (b'{"name": "\xff"}', "it is no JSON: not a text in UTF-8"),
    ],
)
def test_a_damaged_result_is_told_in_plain_words(run, made_runs, content, said):
    (made_runs / "blobs-00000001" / "result.json").write_bytes(content)
    shown = run("show", "runs/blobs-00000001")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"lrtune: runs/blobs-00000001/result.json: damaged ({said}")
    assert shown.stderr.endswith("); run the search again to have it written anew\n")
    assert not re.search(r"NoneType|codec|subscript|'int'", shown.stderr)


@pytest.mark.usefixtures("made_runs")
def test_show_of_a_stopped_run_says_how_far_it_is_and_how_it_goes_on(run):
    shown = run("show")  # the latest
    assert shown.stdout.startswith("stopped-00000002: stopped after 4 of 6 trials; the best so far\n")
    assert fits(shown.stdout)
    assert "predict" not in shown.stdout
    command = shown.stdout.rstrip().rpartition("\n")[2].split()
    assert command == [
        "lrtune", "search", "runs/stopped-00000002/experiment.yaml", "--output", "runs/stopped-00000002"
    ]  # fmt: skip
    went_on = run(*command[1:])
    assert went_on.exit_code == 0, went_on.output
    assert "finished after 6 trials" in run("status", "stopped").stdout


LOOKS = (
    ("schedules", "--run"),
    ("show",),
    ("health",),
    ("status",),
    ("trials",),
    ("importance",),
    ("retrain", "--trial", 0),
)


@pytest.mark.parametrize("state", ["empty", "lost"])
def test_a_study_that_was_emptied_or_lost_is_not_one_that_has_not_begun(run, made_runs, state):
    folder = made_runs / "blobs-00000001"
    for each in folder.glob("study.db*"):
        each.unlink()
    if state == "empty":
        (folder / "study.db").touch()
    said = (
        f"study.db: is {state}, though result.json is there; the `lrtune search` that made the run trains everything "
        "again and writes it anew"
    )
    for words in LOOKS:
        looked = run(*words, folder)
        assert (looked.exit_code, looked.stdout) == (2, "")
        assert said in looked.stderr
    assert said in run("compare", folder, "stopped").stderr
    (described,) = [each for each in json.loads(run("list", "--json").stdout)["runs"] if each["name"] == folder.name]
    assert described["state"] == "damaged"
    assert said in described["problem"]
    again = run("search", folder / "experiment.yaml", "-o", folder)
    assert "study.db was lost or empty: everything was trained again" in " ".join(again.stdout.split())
    assert run("show", folder).exit_code == 0


def test_the_latest_run_is_that_whose_study_was_emptied(run, made_runs):
    shutil.rmtree(made_runs / "stopped-00000002")
    (made_runs / "blobs-00000001" / "study.db").write_bytes(b"")
    (made_runs / "blobs-00000001" / "finder.json").write_text("{}")
    assert "study.db: is empty, though result.json is there" in run("show").stderr


def test_a_study_without_any_other_file_has_not_begun(run, made_runs):
    (made_runs / "new").mkdir()
    with Journal(made_runs / "new" / "study.db", write=True):
        pass
    assert "the study has not begun yet" in run("show", "new").stderr
    (made_runs / "new" / "study.db").unlink()
    assert "no study here (it has no study.db)" in run("show", "new").stderr


def test_show_before_any_trial_is_complete_is_the_status(run, made_runs):
    with Journal(made_runs / "stopped-00000002" / "study.db") as journal:
        first = journal.events()[:2]
    (made_runs / "stopped-00000002" / "study.db").unlink()
    with Journal(made_runs / "stopped-00000002" / "study.db", write=True) as journal:
        journal.append(first)
    shown = run("show", "stopped")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("stopped-00000002: stopped after 0 of 6 trials\n")
    assert json.loads(run("show", "stopped", "--json").stdout)["status"]["best"] is None


def test_trials_are_a_table_of_the_best_first(run, rows):
    shown = run("trials", "blobs")
    assert fits(shown.stdout)
    numbers = [int(line.split()[0]) for line in shown.stdout.splitlines() if re.match(r" +[0-9]+ ", line)]
    expected = sorted(rows, key=lambda each: (-float(each["mean"] or "-inf"), int(each["number"])))
    assert numbers == [int(each["number"]) for each in expected]
    assert shown.stdout.startswith("blobs-00000001: 6 of 6 trials\n")


def test_trials_can_be_sorted_cut_and_chosen(run, rows):
    found = json.loads(run("trials", "blobs", "--sort", "learning_rate", "--limit", "3", "--json").stdout)
    rates = sorted(float(each["learning_rate"]) for each in rows)
    assert [each["configuration"]["learning_rate"] for each in found["trials"]] == rates[:3]
    turned = json.loads(run("trials", "blobs", "--sort", "learning_rate", "--reverse", "--json").stdout)
    assert [each["configuration"]["learning_rate"] for each in turned["trials"]] == rates[::-1]
    complete = run("trials", "blobs", "--state", "complete", "--json", "--limit", "0")
    assert {each["state"] for each in json.loads(complete.stdout)["trials"]} == {"complete"}
    short = run("trials", "blobs", "--limit", "2").stdout
    assert "4 more with --limit 0" in short


def test_trials_as_csv_are_those_of_the_file(run, made_runs):
    written = (made_runs / "blobs-00000001" / "trials.csv").read_text()
    assert run("trials", "blobs", "--csv", "--sort", "number").stdout == written
    of_stopped = list(csv.DictReader(io.StringIO(run("trials", "stopped", "--csv").stdout)))
    assert len(of_stopped) == 4


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sort", "learningrate"], "trials cannot be sorted by 'learningrate'; did you mean 'learning_rate'?"),
        (["--state", "complet"], "unknown state 'complet'; did you mean 'complete'?"),
        (["--json", "--csv"], "choose one of the two"),
    ],
)
def test_what_trials_cannot_do_is_said(run, words, said):
    result = run("trials", "blobs", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_search_without_its_result_says_so_and_how_to_complete_it(run, made_runs):
    folder = made_runs / "blobs-00000001"
    before = json.loads((folder / "result.json").read_text())
    (folder / "result.json").unlink()
    said, command = "blobs-00000001: stopped after the last of 6 trials, and its result is missing", None
    for look in ("show", "status"):
        shown = run(look, "blobs-00000001").stdout
        assert shown.startswith(said)
        command = shown.rstrip().rpartition("\n")[2].split()
        assert command[:2] == ["lrtune", "search"]
    listed = run("list").stdout
    assert re.search(r"blobs-00000001 .* 6/6 +no result", listed)
    assert " ".join(command) in " ".join(listed.split())
    assert json.loads(run("status", "blobs-00000001", "--json").stdout)["state"] == "stopped"
    assert run(*command[1:]).exit_code == 0
    assert run("status", "blobs-00000001").stdout.startswith("blobs-00000001: finished after 6 trials\n")
    assert json.loads((folder / "result.json").read_text())["best"] == before["best"]


def test_looking_at_a_finished_run_changes_and_leaves_nothing(run, made_runs):
    folder = made_runs / "blobs-00000001"
    for name in ("study.db-wal", "study.db-shm"):
        (folder / name).unlink(missing_ok=True)

    def state():
        return {each.name: (each.stat().st_mtime_ns, each.read_bytes()) for each in folder.iterdir() if each.is_file()}

    before = state()
    for command in (["show"], ["show", "--details"], ["status"], ["trials"], ["health"]):
        assert run(*command, "blobs-00000001").exit_code == 0
    assert run("list").exit_code == 0
    assert run("report", "blobs-00000001", "-o", "-").exit_code == 0
    assert run("plot", "blobs-00000001", "history", "-o", "h.svg").exit_code == 0
    assert state() == before


@pytest.mark.usefixtures("running")
def test_status_of_a_running_run_disturbs_nothing(run):
    shown = run("status", "stopped")
    assert shown.stdout.startswith("stopped-00000002: running, 4 of 6 trials done\n")
    assert "left" in shown.stdout
    found = json.loads(run("status", "stopped", "--json").stdout)
    assert found["state"] == "running"
    assert found["share"] == pytest.approx(4 / 6, abs=1e-4)
    assert re.search(r"\n  progress +█{20}·{10} 67 %\n", shown.stdout)
    assert found["trials"] == {
        "planned": 6, "done": 4, "running": 0, "complete": 4, "pruned": 0, "diverged": 0, "failed": 0
    }  # fmt: skip
    assert found["seconds"]["left"] == pytest.approx(found["seconds"]["search"] / 4 * 2, abs=1e-3)


def test_only_at_a_run_that_goes_on_something_is_running(run, made_runs):
    base = made_runs / "stopped-00000002"
    with Journal(base / "study.db", write=True) as journal:
        configuration = dict(open_run(base).trials[0].configuration)
        journal.append([Event("trial", {"trial": 4, "configuration": configuration})])
        assert re.search(r"trials +4 complete, 1 running\n", run("status", "stopped").stdout)
    assert re.search(r"trials +4 complete, 1 proposed\n", run("status", "stopped").stdout)


@pytest.mark.usefixtures("made_runs")
def test_status_tells_the_best_and_how_it_rose(run, rows):
    found = json.loads(run("status", "blobs", "--json").stdout)
    means = [float(each["mean"]) for each in rows if each["mean"]]
    assert found["best"]["mean"] == max(means)
    assert found["bests"] == [max(means[: place + 1]) for place in range(len(means))]
    assert found["seconds"]["left"] is None


@pytest.mark.usefixtures("made_runs")
def test_watching_a_run_that_does_not_go_on_ends_at_once(run):
    shown = run("status", "blobs", "--watch")
    assert shown.exit_code == 0
    assert shown.stdout == run("status", "blobs").stdout
    assert run("status", "--watch", "--json").exit_code == 2


def test_watching_waits_for_a_study_that_has_not_begun_and_says_so(run, made_runs, monkeypatch):
    finished, waits = run("status", "blobs").stdout, []
    study = made_runs / "blobs-00000001"
    study.rename(made_runs / "later")

    def sleep(seconds):  # the search takes its time: a folder, a journal without an event, a study
        waits.append(seconds)
        if len(waits) == 2:
            study.mkdir()
        elif len(waits) == 3:
            with Journal(study / "study.db", write=True):
                pass
        elif len(waits) == 4:
            shutil.rmtree(study)
            (made_runs / "later").rename(study)

    monkeypatch.setattr("lrtune.cli.status.time.sleep", sleep)
    shown = run("status", "blobs-00000001", "--watch")
    assert (shown.exit_code, len(waits)) == (0, 4)
    assert shown.stdout == finished
    assert shown.stderr.count("waiting until it begins, and Ctrl-C ends that") == 1
    assert "no run 'blobs-00000001'" in shown.stderr


def test_list_has_every_run_and_calls_damaged_ones_so(run, made_runs, result):
    (made_runs / "wine-finder").mkdir()
    (made_runs / "wine-finder" / "finder.json").write_text("{}")
    (made_runs / "broken-00000003").mkdir()
    (made_runs / "broken-00000003" / "study.db").write_bytes(b"no database at all" * 100)
    (made_runs / "foreign-00000004").mkdir()
    with contextlib.closing(sqlite3.connect(made_runs / "foreign-00000004" / "study.db")) as other:
        other.execute("CREATE TABLE theirs (x)")
    (made_runs / "notes").mkdir()
    shown = run("list")
    assert fits(shown.stdout)
    lines = shown.stdout.splitlines()
    assert lines[0] == "4 runs in runs"
    assert [each.split()[0] for each in lines[2:4]] == ["stopped-00000002", "blobs-00000001"]
    assert re.search(r"stopped-00000002 +accuracy +0\.\d+ +4/6 +stopped +\d+ [sm] ago", shown.stdout)
    assert f"{result['best']['mean']:.4f}" in lines[3]
    reasons = shown.stdout.split("cannot be read\n")[1]
    assert "broken-00000003/study.db: not a readable study" in reasons
    assert "foreign-00000004/study.db: a database of another program" in reasons
    found = json.loads(run("list", "runs", "--json").stdout)["runs"]
    assert [each["state"] for each in found[:2]] == ["stopped", "finished"]
    assert {each["name"]: each["state"] for each in found[2:]} == {
        "broken-00000003": "damaged",
        "foreign-00000004": "unreadable",
    }


def test_list_of_nothing_says_how_to_make_a_run(run):
    assert "has no runs; `lrtune search` makes one" in run("list").stdout
    wrong = run("list", "nowhere")
    assert wrong.exit_code == 2
    assert "nowhere: no such folder" in wrong.stderr
    assert f"{__file__}: is a file" in run("list", __file__).stderr.replace("\n", "")


@pytest.mark.usefixtures("made_runs")
@pytest.mark.parametrize("words", [["show", "blobs"], ["show", "stopped"], ["trials"], ["status"], ["list"]])
def test_looking_loads_nothing_heavy(folder, words):
    probe = (
        "import sys\n"
        f"sys.argv = ['lrtune', *{words}]\n"
        "from lrtune.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout
    assert {"numpy", "scipy", "polars", "sklearn", "joblib", "altair"} & set(done.stderr.split()) == set()


def test_watching_goes_on_until_the_run_ends(made_runs):
    base = made_runs / "stopped-00000002"
    with Journal(base / "study.db", write=True) as journal:
        looks = follow(base, seconds=0.0)
        assert [len(next(looks).trials), len(next(looks).trials)] == [4, 4]
        configuration = dict(open_run(base).trials[0].configuration)
        journal.append([Event("trial", {"trial": 4, "configuration": configuration})])
        seen = next(looks)
        assert (seen.state, len(seen.trials)) == ("running", 5)
    assert [each.state for each in looks] == ["stopped"]
