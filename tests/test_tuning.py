"""The loop: whatever happens on the way, the same study comes out."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from interruptions import interrupted_after
from patience import PATIENCE
from threadpoolctl import threadpool_limits
from trainer_parts import replace_part

from lrtune.engines import contract
from lrtune.engines import local as workers
from lrtune.experiment import load_text
from lrtune.model import load
from lrtune.run import identity, out_of_fold
from lrtune.run.bodies import RecordLayout
from lrtune.run.journal import Journal, canonical
from lrtune.run.names import DATABASE, PREDICTIONS
from lrtune.run.study import replay
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space.trial import TrialState
from lrtune.text.errors import NoUsableResultError, StudyError
from lrtune.trainers import calibration
from lrtune.trainers import population as evaluation
from lrtune.trainers.catalogue import expected_seconds
from lrtune.trainers.contract import Work
from lrtune.trainers.preparation import prepare
from lrtune.training.metrics.scoring import row_values
from lrtune.tuning import blocks as block_cutting
from lrtune.tuning import core as tuning
from lrtune.tuning import pace, session
from lrtune.tuning.blocks import blocks
from lrtune.tuning.horizons import compressed
from lrtune.tuning.naming import run_folder
from lrtune.tuning.pace import ENDING, Pace
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.races import RaceLook, RowScores, beyond_doubt, race_by_rows

EXPERIMENT = """
data: {path: sklearn:iris, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 3}
search: {strategy: random, trials: 9, folds: 3, round: 4, metric: accuracy}
space:
  learning_rate: {low: 1e-3, high: 1.0, scale: log}
  optimizer: [sgd, momentum: {momentum: [0.8, 0.9]}, adam]
  decay: [constant, exponential: {k: {low: 0.01, high: 0.5, scale: log}}]
  batch_size: [16, 32]
"""


def learning(text, name):
    """Search with a strategy that learns; the last round is the first that it learns for."""
    return text.replace("random, trials: 9", f"{name}, trials: {11 if name == 'bayesian' else 14}")


LEARNING = {name: learning(EXPERIMENT, name) for name in ("bayesian", "tpe")}

_WIDER = EXPERIMENT.replace("low: 1e-3", "low: 1e-5").replace("epochs: 3", "epochs: 9")
RACE = _WIDER.replace("round: 4", "round: 4, pruning: race")
HALVING = _WIDER.replace("round: 4", "round: 4, pruning: halving")

PLATEAU = """
data: {path: sklearn:diabetes, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 12, batch_size: 32}
search: {strategy: random, trials: 6, folds: 3, round: 3}
space:
  learning_rate: {low: 1e-2, high: 0.3, scale: log}
  optimizer: momentum
  decay:
    - plateau: {factor: [0.1, 0.5], patience: [0, 1]}
"""

TIMED = """
data: {path: sklearn:diabetes, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 6}
search: {strategy: random, trials: 6, folds: 3, round: 3}
space:
  learning_rate: {low: 1e-3, high: 0.1, scale: log}
  batch_size: [32, 64]
  decay:
    - wall_clock: {budget: [0.001, 0.01], shape: [linear, cosine]}
"""
FIXED = TIMED.replace("{budget:", "{step_seconds: 5e-4, budget:")


def experiment(text=EXPERIMENT):
    return load_text(text, name="iris")


def make(tmp_path, text=EXPERIMENT, *, workers=1, name="run"):
    """Run a study to its end; returns its folder and its events."""
    chosen = experiment(text)
    folder = tmp_path / name
    return folder, list(tuning.tune(chosen, prepare(chosen), folder, workers=workers))


def content(folder):
    """Everything of a study that must not depend on how it came about."""
    with Journal(folder / DATABASE) as journal:
        events = canonical(journal.events())
    files = [PREDICTIONS, "model/model.json", "model/model.npz"]
    return events, [(folder / each).read_bytes() for each in files]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder, events = make(tmp_path_factory.mktemp("undisturbed"))
    return content(folder), events


def test_a_study_scores_every_trial_and_retrains_the_best(undisturbed):
    _, events = undisturbed
    study = replay(events)
    assert [each.number for each in study.in_order()] == list(range(9))
    assert all(each.state is TrialState.COMPLETE and len(each.fold_scores) == 3 for each in study.in_order())
    top = max(study.in_order(), key=lambda each: (each.mean, -each.number))
    assert study.refit.trial == top.number
    assert study.refit.test.rows == 30
    assert 0 <= study.refit.test.score <= 1
    assert study.finished == "trials"


def test_trial_0_is_the_default_configuration(undisturbed):
    _, events = undisturbed
    assert replay(events).trials[0].configuration == experiment().space.default()


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_change_nothing(undisturbed, tmp_path, workers):
    folder, _ = make(tmp_path, workers=workers)
    assert content(folder) == undisturbed[0]


@pytest.mark.parametrize("lanes", [3, 7, 1000])
def test_block_size_changes_nothing(undisturbed, tmp_path, monkeypatch, lanes):
    replace_part(monkeypatch, lanes=lambda *_: lanes)
    folder, _ = make(tmp_path)
    assert content(folder) == undisturbed[0]


def test_the_same_command_on_a_finished_study_trains_nothing(tmp_path, monkeypatch):
    folder, events = make(tmp_path)
    replace_part(monkeypatch, run=None)
    monkeypatch.setattr(evaluation, "fit", None, raising=False)
    assert make(tmp_path)[1] == events
    assert content(folder)[0] == canonical(events)


@pytest.mark.parametrize(
    "text",
    [EXPERIMENT, PLATEAU, FIXED, LEARNING["bayesian"], RACE, HALVING, learning(RACE, "bayesian")],
    ids=["pure", "plateau", "wall_clock", "bayesian", "race", "halving", "bayesian race"],
)
def test_a_crash_after_any_event_costs_nothing(text, tmp_path, monkeypatch):
    """Stop after every number of transactions, resume, and compare with the study nobody disturbed."""
    expected = content(make(tmp_path, text, name="undisturbed")[0])
    crashes = 0
    for allowed in range(40):
        with interrupted_after(monkeypatch, allowed):
            try:
                make(tmp_path, text, name=str(allowed))
            except KeyboardInterrupt:
                crashes += 1
            else:
                break
        folder, _ = make(tmp_path, text, name=str(allowed))
        assert content(folder) == expected
    assert crashes >= 5  # one transaction a round and a block, at the least


@pytest.mark.parametrize(
    ("text", "last"),
    [(EXPERIMENT, 0), (LEARNING["bayesian"], 8), (RACE, 4), (learning(HALVING, "tpe"), 12)],
    ids=["random", "bayesian", "race", "tpe halving"],
)
def test_a_killed_process_goes_on_where_it_was(text, last, tmp_path):
    """The process is killed in the middle of a round: some of its trials are scored, the others are not."""
    folder = tmp_path / "run"
    code = f"""
        import time
        from pathlib import Path
        from lrtune.tuning import core as tuning
        from lrtune.trainers.catalogue import TRAINERS
        from lrtune.experiment import load_text
        from lrtune.trainers.preparation import prepare
        TRAINERS['population'] = TRAINERS['population']._replace(lanes=lambda *_: 3)  # a block for each trial
        chosen = load_text({text!r}, name="iris")
        for event in tuning.tune(chosen, prepare(chosen), Path({str(folder)!r}), workers=1):
            print(event.kind, flush=True)
            if event.kind == "result" and event.body["trial"] >= {last}:
                print("waiting", flush=True)
                time.sleep({PATIENCE})
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    while process.stdout.readline() != "waiting\n":
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    events = journal_events(folder)
    scored = {event.body["trial"] for event in events if event.kind == "result"}
    assert sum(event.kind == "trial" for event in events) > len(scored)
    make(tmp_path, text)
    assert content(folder) == content(make(tmp_path, text, name="undisturbed")[0])


@pytest.mark.parametrize("name", LEARNING)
def test_a_strategy_that_learns_is_the_same_for_any_workers_blocks_and_threads(name, tmp_path, monkeypatch):
    folder, events = make(tmp_path, LEARNING[name], name="undisturbed")
    tried = [each.configuration for each in replay(events).in_order()]
    others = STRATEGIES["quasirandom"](experiment().space, [], len(tried), 0)
    assert tried[:8] == others[:8]
    assert tried[-2:] != others[-2:]  # or nothing would be learned
    assert content(make(tmp_path, LEARNING[name], workers=2, name="workers")[0]) == content(folder)
    replace_part(monkeypatch, lanes=lambda *_: 3)
    with threadpool_limits(1):
        assert content(make(tmp_path, LEARNING[name], name="blocks")[0]) == content(folder)


@pytest.mark.parametrize("name", LEARNING)
def test_a_budget_raised_in_the_middle_of_a_round_finishes_the_round_as_it_was_begun(name, tmp_path):
    larger = make(tmp_path, LEARNING[name], name="larger")[1]
    for trials in (6, 9):
        make(tmp_path, re.sub(r"trials: \d+", f"trials: {trials}", LEARNING[name]), name="grown")
    grown = make(tmp_path, LEARNING[name], name="grown")[1]
    assert replay(grown).in_order() == replay(larger).in_order()


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_ends_when_a_finite_space_is_exhausted(name, tmp_path):
    text = EXPERIMENT[: EXPERIMENT.index("space:")].replace("random, trials: 9", f"{name}, trials: 99")
    text += "space: {learning_rate: [0.01, 0.1, 1], optimizer: [sgd, adam], decay: [constant, cosine], warmup: 0}"
    study = replay(make(tmp_path, text)[1])
    assert len({tuple(each.configuration.items()) for each in study.in_order()}) == len(study.trials) == 12
    assert study.finished == "exhausted"


def test_a_raised_budget_goes_on_and_equals_the_larger_study(tmp_path):
    larger, _ = make(tmp_path, name="larger")
    make(tmp_path, EXPERIMENT.replace("trials: 9", "trials: 4"), name="grown")
    grown, _ = make(tmp_path, name="grown")
    trials = [[event for event in content(each)[0] if '"result"' in event] for each in (larger, grown)]
    assert trials[0] == trials[1]
    assert content(larger)[1][1:] == content(grown)[1][1:]


def test_another_experiment_in_the_same_folder_is_refused_with_the_differences(tmp_path):
    make(tmp_path)
    with pytest.raises(StudyError, match=r"another experiment.*search\.folds \(3 there, 4 here\).*Choose another"):
        make(tmp_path, EXPERIMENT.replace("folds: 3", "folds: 4"))


@pytest.mark.parametrize(
    ("edited", "words"),
    [
        ("learning_rate: {low: 0.001, high: 0.5, scale: log}", "space.learning_rate.high (1.0 there, 0.5 here)"),
        (
            "decay: [constant, cosine]",
            'space.decay.options (["constant", "linear"] there, ["constant", "cosine"] here)',
        ),
        ("warmup: [0, 0.1]", "space.warmup (absent there, [0.0, 0.1] here)"),
        ("decay: [constant, linear: {final: [0, 0.1]}]", 'space.decay.linear (absent there, ["decay.final"] here)'),
    ],
)
def test_differences_of_spaces_are_told_by_dimension(edited, words):
    lines = {"learning_rate": "{low: 0.001, high: 1.0, scale: log}", "decay": "[constant, linear]"}
    key, _, value = edited.partition(": ")
    texts = [
        "data: {path: a.csv, target: y}\nspace:\n" + "".join(f"  {k}: {v}\n" for k, v in each.items())
        for each in (lines, {**lines, key: value})
    ]
    found = identity.differences(*(experiment(each).canonical() for each in texts))
    assert words in found
    assert not any("{" in each for each in found)


def test_an_edited_experiment_gets_a_folder_of_its_own():
    chosen, edited = experiment(), experiment(EXPERIMENT.replace("epochs: 3", "epochs: 4"))
    longer = experiment(EXPERIMENT.replace("trials: 9", "trials: 90"))
    names = [run_folder(each, prepare(each)).name for each in (chosen, edited, longer)]
    assert names[0] != names[1]
    assert names[0] == names[2]  # a budget is not part of the identity
    assert all(each.startswith("iris-") and len(each) == len("iris-") + 8 for each in names)


def test_out_of_fold_results_are_the_validation_predictions(tmp_path):
    folder, events = make(tmp_path)
    study, chosen = replay(events), experiment()
    prepared = prepare(chosen)
    layout = study.header.predictions
    targets = np.concatenate([fold.validation_targets for fold in prepared.setting.folds])
    assert layout == RecordLayout("float16", 3, len(targets))
    bounds = np.cumsum([0, *(len(fold.validation_targets) for fold in prepared.setting.folds)])
    for trial in study.in_order():
        record = out_of_fold.read(folder / PREDICTIONS, trial.number, layout.like)
        accuracy = [(record.argmax(axis=1) == targets)[start:end].mean() for start, end in itertools.pairwise(bounds)]
        assert accuracy == pytest.approx(trial.fold_scores, abs=1e-12)
    (result,) = [event for event in events if event.kind == "result" and event.body["trial"] == 3]
    assert result.body["predictions"] == out_of_fold.digest(out_of_fold.read(folder / PREDICTIONS, 3, layout.like))


def test_lost_model_files_are_made_again_and_nothing_is_recorded_twice(tmp_path):
    folder, events = make(tmp_path)
    before = content(folder)
    (folder / "model" / "model.npz").unlink()
    assert make(tmp_path)[1] == events
    assert content(folder) == before


def test_a_failing_block_is_recorded_and_the_others_go_on(tmp_path, monkeypatch):
    run_block = evaluation.run_block

    def failing(setting, work):
        if work.configurations[0]["batch_size"] == 16:
            raise MemoryError
        return run_block(setting, work)

    replace_part(monkeypatch, run=failing)
    _, events = make(tmp_path)
    states = {each.configuration["batch_size"]: (each.state, each.reason) for each in replay(events).in_order()}
    assert states == {16: (TrialState.FAILED, "out of memory"), 32: (TrialState.COMPLETE, None)}


def test_divergence_is_data_and_a_search_where_all_diverge_says_so(tmp_path):
    text = """
data: {path: sklearn:diabetes}
model: {hidden: [8]}
training: {epochs: 3}
search: {strategy: grid, folds: 3}
space: {learning_rate: [1e3, 1e4], optimizer: sgd, decay: constant}
"""
    with pytest.raises(NoUsableResultError, match=r"none of the 2 trials .*2 diverged"):
        make(tmp_path, text)
    with Journal(tmp_path / "run" / DATABASE) as journal:
        study = replay(journal.events())
    assert study.count(TrialState.DIVERGED) == 2
    assert study.trials[0].reason.startswith("diverged on 3 of its folds, first in epoch ")
    assert "NaN" not in json.dumps([dict(event.body) for event in journal_events(tmp_path / "run")])


def journal_events(folder):
    with Journal(folder / DATABASE) as journal:
        return journal.events()


def test_a_grid_ends_when_it_is_exhausted(tmp_path):
    text = EXPERIMENT.replace("strategy: random, trials: 9", "strategy: grid, trials: 99").replace(
        "{low: 1e-3, high: 1.0, scale: log}", "[0.01, 0.1]"
    )
    text = text.replace("{low: 0.01, high: 0.5, scale: log}", "0.1").replace("batch_size: [16, 32]", "warmup: 0")
    _, events = make(tmp_path, text)
    study = replay(events)
    assert len(study.trials) == 2 * 4 * 2
    assert study.finished == "exhausted"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX's here")
def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    chosen = experiment()
    with pytest.raises(StudyError, match="cannot be created"):
        next(tuning.tune(chosen, prepare(chosen), tmp_path / "file" / "run"))


def test_seconds_are_recorded_and_not_part_of_the_content(undisturbed):
    _, events = undisturbed
    assert replay(events).search_seconds > 0
    assert all(
        event.body["clock"]["at"] <= time.time()
        for event in events
        if "clock" in event.body and "at" in event.body["clock"]
    )
    assert not any('"clock"' in each for each in canonical(events))


# --- pruning and stopping


def results_of(events, number):
    return [event for event in events if event.kind == "result" and event.body["trial"] == number]


def test_a_race_spares_the_bad_ones_all_folds_but_the_first(tmp_path):
    _, events = make(tmp_path, RACE)
    study, whole = replay(events), replay(make(tmp_path, _WIDER, name="whole")[1])
    pruned = [each for each in study.in_order() if each.state is TrialState.PRUNED]
    assert len(pruned) >= 3
    for trial in study.in_order():
        expected = whole.trials[trial.number].fold_scores
        assert trial.fold_scores == expected[: 1 if trial in pruned else 3]
        assert len(results_of(events, trial.number)) == (1 if trial in pruned else 2)
    assert all(each.reason.startswith("after 1 of 3 folds worse than trial ") and each.mean is None for each in pruned)
    assert study.trials[0].state is TrialState.COMPLETE
    assert study.refit.trial == whole.refit.trial
    assert study.finished == "trials"


def test_what_a_race_decided_can_be_decided_again_from_what_was_kept(tmp_path):
    """The out-of-fold rows of dropped trials are there, and the function that decided gives the same answer."""
    folder, events = make(tmp_path, RACE)
    fold = prepare(experiment(RACE)).setting.folds[0]
    count = replay(events).header.predictions.rows
    decisions = [event for event in events if event.kind == "pruned"]
    assert all(event.body["stage"] == 0 for event in decisions)
    for event in decisions:
        pair = [event.body["against"], event.body["trial"]]
        records = [out_of_fold.read(folder / PREDICTIONS, each, ("float16", (count, 3))) for each in pair]
        part = np.array(records)[:, : len(fold.validation_targets)]
        values = row_values("accuracy", part.argmax(axis=-1), fold.validation_targets)
        verdict = race_by_rows(RowScores(values), beyond_doubt(RaceLook(9)))
        assert verdict.worse[1] == pytest.approx(event.body["probability"])
        assert event.body["probability"] > event.body["limit"]
        (result,) = results_of(events, event.body["trial"])
        assert result.body["predictions"] == out_of_fold.digest(part[1])
        assert not records[1][part.shape[1] :].any()


def test_a_configuration_that_diverges_does_not_end_the_race_of_its_round(tmp_path):
    text = """
data: {path: sklearn:diabetes, test_size: 0.2}
model: {hidden: [8]}
training: {epochs: 10, batch_size: 32}
search: {strategy: grid, folds: 5, pruning: PRUNING, round: 9, metric: rmse}
space:
  learning_rate: [RATES]
  optimizer: sgd
  decay: constant
"""
    for pruning, rates in itertools.product(("race", "futility"), ("0.01, 1e-7", "0.01, 1e-7, 1e20")):
        _, events = make(tmp_path / f"{pruning}{len(rates)}", text.replace("PRUNING", pruning).replace("RATES", rates))
        states = {each.configuration["learning_rate"]: each.state for each in replay(events).in_order()}
        assert states[1e-7] is TrialState.PRUNED
        assert states.get(1e20, TrialState.DIVERGED) is TrialState.DIVERGED


def test_halving_trains_the_whole_schedule_on_short_horizons_first(tmp_path):
    _, events = make(tmp_path, HALVING)
    study, chosen, setting = replay(events), experiment(HALVING), prepare(experiment(HALVING)).setting
    first, second, third = (study.in_order()[start : start + 4] for start in (0, 4, 8))
    assert [each.state for each in first].count(TrialState.PRUNED) == 2  # the best third, rounded up, or the default
    assert all(each.state is TrialState.COMPLETE and not each.horizon_scores for each in second)
    assert third[0].state is TrialState.COMPLETE
    for trial in first:
        (shorter, scores), complete = trial.horizon_scores[0], chosen.configuration(trial.configuration)
        (outcome,) = evaluation.run_block(setting, Work([compressed(complete, shorter)]))
        assert (shorter, scores) == (3, outcome.scores)
        if trial.state is TrialState.PRUNED:
            assert trial.fold_scores == ()
            assert trial.reason.startswith("on 1/3 of the epochs number ")
        else:
            assert trial.fold_scores == evaluation.run_block(setting, Work([complete]))[0].scores


@pytest.mark.parametrize(
    "text", [RACE, HALVING, *(learning(text, name) for text in (RACE, HALVING) for name in ("bayesian", "tpe"))]
)
def test_pruning_is_the_same_for_any_workers_and_blocks(text, tmp_path, monkeypatch):
    expected = content(make(tmp_path, text, name="undisturbed")[0])
    assert any('"pruned"' in each for each in expected[0])
    assert content(make(tmp_path, text, workers=2, name="workers")[0]) == expected
    replace_part(monkeypatch, lanes=lambda *_: 3)
    assert content(make(tmp_path, text, name="blocks")[0]) == expected


@pytest.fixture
def turned_clock(monkeypatch):
    """A clock that only the search turns, by 100,000 times what it is expected to take."""

    class Clock:
        now = time.monotonic()

        def monotonic(self):
            return self.now

    clock, saw = Clock(), Pace.saw

    def slow(self, expected, _seconds):
        clock.now += 1e5 * expected
        saw(self, expected, 1e5 * expected)

    monkeypatch.setattr(pace, "time", clock)
    for module in (contract, workers):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(Pace, "saw", slow)
    monkeypatch.setattr(tuning, "retraining_seconds", lambda *_: 0.0)
    replace_part(monkeypatch, lanes=lambda *_: 3)
    return clock


@pytest.mark.parametrize("text", [RACE, HALVING], ids=["race", "halving"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_time_that_is_over_before_a_round_is_leaves_complete_trials(text, share, tmp_path, turned_clock):
    """A stage ends early enough to finish those that have come through it; with more time the others follow."""
    text = text.replace("trials: 9", "trials: 30").replace("round: 4", "round: 30, control: false")
    begun = turned_clock.now
    make(tmp_path, text, name="undisturbed")
    needed = turned_clock.now - begun
    begun = turned_clock.now
    short = text.replace("round: 30", f"round: 30, timeout: {share * needed:.0f}")
    study = replay(make(tmp_path, short)[1])
    assert study.finished == "timeout"
    assert turned_clock.now - begun <= share * needed
    assert study.count(TrialState.COMPLETE) >= 2
    assert study.unfinished()
    study = replay(make(tmp_path, text)[1])
    assert study.finished == "trials"
    assert not study.unfinished()


@pytest.fixture
def slow_machine(monkeypatch):
    """A machine so many times slower than the cost model has it, on a clock that only training turns."""

    class Machine:
        now, slower, trained = time.monotonic(), 1.0, ()

        def monotonic(self):
            return self.now

        def run(self, setting, work):
            part = setting._replace(folds=setting.folds[work.first : work.end])
            lanes = len(part.folds) * len(work.configurations)
            self.now += self.slower * sum(expected_seconds(each, part, lanes=lanes) for each in work.configurations)
            if contract.time_is_up():
                raise contract.OverdueError
            self.trained += tuple((each, work.first) for each in work.configurations)
            return evaluation.run_block(setting, work)

    machine = Machine()
    for module in (pace, contract, workers, tuning, session):
        monkeypatch.setattr(module, "time", machine)
    replace_part(monkeypatch, run=machine.run)
    for real in ("perf_counter", "time"):
        monkeypatch.setattr(machine, real, getattr(time, real), raising=False)
    return machine


def alone(text, machine):
    """Work out what trial 0 takes on a machine, through all stages and on its own, and that with its retraining."""
    chosen = experiment(text)
    setting, configuration = prepare(chosen).setting, chosen.configuration(chosen.space.default())
    stages = PRUNINGS[chosen.search.pruning].stages(setting.metric, 3, configuration["epochs"])
    seconds = 0.0
    for each in stages:
        folds = setting.folds[each.first : each.end]
        part, shorter = setting._replace(folds=folds), compressed(configuration, each.shorter)
        seconds += machine.slower * expected_seconds(shorter, part, lanes=len(folds))
    return seconds, seconds * (1 + 120 / (3 * 80))  # on 120 rows instead of 80 in each of three folds


@pytest.mark.parametrize("slower", [1e3, 1e5])
@pytest.mark.parametrize("text", [EXPERIMENT, RACE, HALVING], ids=["whole", "race", "halving"])
def test_time_for_one_configuration_is_time_for_a_result(text, slower, tmp_path, slow_machine):
    """The default is trained first and alone, whatever the round, however slow the machine has become."""
    make(tmp_path, text, name="undisturbed")
    slow_machine.slower = slower
    _, needed = alone(text, slow_machine)
    short = text.replace("trials: 9", f"trials: 9, timeout: {1.01 * needed + ENDING + 1.0}")
    slow_machine.trained = ()
    folder, events = make(tmp_path, short)
    study = replay(events)
    assert study.trials[0].state is TrialState.COMPLETE
    assert (study.finished, study.refit.trial) == ("timeout", 0)
    assert len(study.unfinished()) == 3  # of the first round
    default = experiment(text).configuration(experiment(text).space.default())
    assert {each["learning_rate"] for each, _ in slow_machine.trained} == {default["learning_rate"]}
    make(tmp_path, text)  # goes on
    assert recorded(folder) == recorded(tmp_path / "undisturbed")


def recorded(folder):
    """What a study says of its trials."""
    with Journal(folder / DATABASE) as journal:
        return canonical(each for each in journal.events() if each.kind not in ("finished", "refit"))


@pytest.mark.parametrize("text", [EXPERIMENT, RACE], ids=["whole", "race"])
def test_less_time_than_one_configuration_takes_is_said_and_kept_for_later(text, tmp_path, slow_machine):
    slow_machine.slower = 1e5
    seconds, _ = alone(text, slow_machine)
    short = text.replace("trials: 9", f"trials: 9, timeout: {seconds}")
    with pytest.raises(NoUsableResultError, match="were over before one trial was complete"):
        make(tmp_path, short)
    assert replay(make(tmp_path, text)[1]).finished == "trials"


def test_the_first_blocks_are_as_large_as_the_first_trial_says(tmp_path, slow_machine, monkeypatch):
    asked = []
    monkeypatch.setattr(
        block_cutting, "blocks", lambda *given, **more: asked.append(more["most"]) or blocks(*given, **more)
    )
    slow_machine.slower = 1e4
    _, needed = alone(EXPERIMENT, slow_machine)
    make(tmp_path, EXPERIMENT.replace("trials: 9", f"trials: 9, timeout: {1000 * needed}"))
    left = 999 * needed  # and some more: the retraining's share is less, and what the best is set beside takes some
    assert asked[1] == pytest.approx(left / 8 / 1e4, rel=0.03)


def test_a_clock_is_measured_for_the_first_trial_first_and_only_while_there_is_time(
    tmp_path, slow_machine, monkeypatch
):
    measured = []

    def measure(configuration, _setting, _clock):
        measured.append(configuration["batch_size"])
        slow_machine.now += 1000.0
        return 1e-4

    monkeypatch.setattr(tuning, "measured_step_seconds", measure)
    text = TIMED.replace("batch_size: [32, 64]", "batch_size: [16, 32, 64]").replace("round: 3", "round: 6")
    study = replay(make(tmp_path, text.replace("trials: 6", "trials: 6, timeout: 1500"))[1])
    assert (study.trials[0].state, study.finished) == (TrialState.COMPLETE, "timeout")
    assert measured[0] == study.trials[0].configuration["batch_size"]
    assert len(measured) == 2
    study = replay(make(tmp_path, text)[1])
    assert (study.finished, sorted(measured)) == ("trials", [16, 32, 64])


def test_what_diverges_on_the_first_fold_is_over(tmp_path):
    text = """
data: {path: sklearn:diabetes}
model: {hidden: [8]}
training: {epochs: 3}
search: {strategy: grid, folds: 3, pruning: race}
space: {learning_rate: [0.01, 1e4], optimizer: sgd, decay: constant}
"""
    study = replay(make(tmp_path, text)[1])
    assert [(each.state, len(each.fold_scores)) for each in study.in_order()] == [
        (TrialState.COMPLETE, 3),
        (TrialState.DIVERGED, 1),
    ]


def test_pruning_names_the_run_and_budgets_do_not():
    def name(text):
        return run_folder(experiment(text), prepare(experiment(text)))

    assert len({name(each) for each in (_WIDER, RACE, HALVING)}) == 3
    for budget in ("target: 0.9", "stop: no_gain", "min_trials: 5"):
        assert name(RACE.replace("round: 4", f"round: 4, {budget}")) == name(RACE)


@pytest.mark.parametrize(
    ("data", "metric", "target"), [("iris", "accuracy", 0.5), ("iris", "log_loss", 5.0), ("diabetes", "rmse", 500.0)]
)
def test_a_target_ends_the_search_after_its_round_and_a_raised_one_goes_on(data, metric, target, tmp_path):
    text = EXPERIMENT.replace("sklearn:iris", f"sklearn:{data}")
    reached = text.replace("metric: accuracy", f"metric: {metric}, target: {target}")
    study = replay(make(tmp_path, reached)[1])
    assert (len(study.trials), study.finished) == (4, "target")
    assert replay(make(tmp_path, reached)[1]).in_order() == study.in_order()
    beyond = reached.replace(f"target: {target}", f"target: {2.0 if metric == 'accuracy' else 0.0}")
    study = replay(make(tmp_path, beyond)[1])
    assert (len(study.trials), study.finished) == (9, "trials")


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
def test_a_search_without_anything_to_gain_ends(strategy, tmp_path):
    """Rates that differ little give scores that differ by less than folds do."""
    text = EXPERIMENT.replace("random, trials: 9", f"{strategy}, trials: 60, stop: no_gain")
    text = text.replace("metric: accuracy", "metric: log_loss")
    text = text[: text.index("space:")] + "space: {learning_rate: {low: 0.02, high: 0.025}}\n"
    waiting = {
        least: replay(make(tmp_path, text.replace("no_gain", f"no_gain, min_trials: {least}"))[1]) for least in (8, 30)
    }
    assert [each.finished for each in waiting.values()] == ["no_gain"] * 2
    assert 8 <= len(waiting[8].trials) < 30 <= len(waiting[30].trials) < 60


# --- decays that follow the training itself


@pytest.mark.parametrize("text", [PLATEAU, FIXED], ids=["plateau", "wall_clock"])
def test_workers_and_blocks_change_nothing_about_feedback(text, tmp_path, monkeypatch):
    expected = content(make(tmp_path, text, name="undisturbed")[0])
    assert content(make(tmp_path, text, workers=2, name="workers")[0]) == expected
    replace_part(monkeypatch, lanes=lambda *_: 3)
    assert content(make(tmp_path, text, name="blocks")[0]) == expected


def test_the_cuts_of_a_plateau_are_recorded_and_replayed_on_all_rows(tmp_path):
    folder, events = make(tmp_path, PLATEAU)
    study, prepared = replay(events), prepare(experiment(PLATEAU))
    winner = study.trials[study.refit.trial]
    assert all(len(each.scales) == 3 and len(each.scales[0]) == 12 for each in study.in_order())
    assert len({each for trial in study.in_order() for each in trial.scales}) > 3
    chosen = experiment(PLATEAU).configuration(winner.configuration)
    (outcome,) = evaluation.run_block(prepared.setting, Work([chosen]))
    assert outcome.scales == winner.scales
    ordered = sorted(winner.scales, key=sum)
    model = load(folder)
    replayed = prepared.refit(chosen, scales=ordered[1])
    watching = prepared.refit(chosen)
    for kept, again, other in zip(*(each.members[0].layers for each in (model, replayed, watching)), strict=True):
        np.testing.assert_array_equal(kept[0], again[0])
        assert (kept[0] != other[0]).any()
    assert not any("scales" in event.body for event in make(tmp_path, FIXED, name="other")[1])


def a_measurement(monkeypatch, seconds):
    asked = []

    def measured(configuration, _setting, _clock):
        asked.append(configuration["batch_size"])
        return seconds

    monkeypatch.setattr(tuning, "measured_step_seconds", measured)
    return asked


def test_the_virtual_clock_is_measured_once_and_recorded(tmp_path, monkeypatch):
    asked = a_measurement(monkeypatch, 5e-4)
    _, events = make(tmp_path, TIMED)
    assert sorted(asked) == [32, 64]
    study = replay(events)
    assert sorted(study.speeds.values()) == [5e-4, 5e-4]
    first = next(place for place, event in enumerate(events) if event.kind == "result")
    assert events[first - 1].kind == "speed"
    chosen, setting = experiment(TIMED), prepare(experiment(TIMED)).setting
    for trial in study.in_order():  # a recorded speed does what a fixed one does
        fixed = {**chosen.configuration(trial.configuration), "decay.step_seconds": 5e-4}
        (outcome,) = evaluation.run_block(setting, Work([fixed]))
        assert outcome.scores == trial.fold_scores


def test_a_resumed_study_goes_on_with_the_recorded_speed(tmp_path, monkeypatch):
    """After a crash at any point, a machine that is ten times slower changes nothing but the final model."""
    a_measurement(monkeypatch, 5e-4)
    expected = content(make(tmp_path, TIMED, name="undisturbed")[0])
    crashes = 0
    for allowed in range(3, 40):  # the study, a round and its speeds are recorded
        with interrupted_after(monkeypatch, allowed):
            try:
                make(tmp_path, TIMED, name=str(allowed))
            except KeyboardInterrupt:
                crashes += 1
            else:
                break
        with monkeypatch.context() as patch:
            a_measurement(patch, 5e-3 if allowed >= 4 else 5e-4)
            events, files = content(make(tmp_path, TIMED, name=str(allowed))[0])
        assert events == expected[0]
        assert files[0] == expected[1][0]
    assert crashes >= 5


def test_the_final_retraining_follows_the_real_clock(tmp_path, monkeypatch):
    """A clock that stands still leaves the rate at its peak; one that has run out leaves it at the end."""
    a_measurement(monkeypatch, 5e-4)
    folder, events = make(tmp_path, TIMED)
    study, prepared = replay(events), prepare(experiment(TIMED))
    chosen = experiment(TIMED).configuration(study.trials[study.refit.trial].configuration)
    still = prepared.refit(chosen, clock=lambda: 5.0)
    constant = prepared.refit({**chosen, "decay": "constant"})
    np.testing.assert_array_equal(still.members[0].layers[0][0], constant.members[0].layers[0][0])
    fast = prepared.refit(chosen, clock=map(float, itertools.count()).__next__)
    assert (fast.members[0].layers[0][0] != constant.members[0].layers[0][0]).any()
    assert load(folder).members[0].configuration["decay.step_seconds"] is None
    (refit,) = [event for event in events if event.kind == "refit"]
    assert set(refit.body) == {"trial", "clock"}
    assert None not in (study.refit.test, study.refit.model)


def test_a_measurement_is_the_median_epoch_divided_by_its_steps():
    prepared = prepare(experiment(TIMED))
    chosen = experiment(TIMED).configuration(experiment(TIMED).space.default())
    steps = -(-len(prepared.setting.folds[0].features) // chosen["batch_size"])
    ticks = itertools.accumulate([0.0, 9.0, 0.05, 0.06, 0.07, 0.08, *[50.0] * 99])
    seconds = calibration.measured_step_seconds(chosen, prepared.setting, ticks.__next__)
    assert seconds == pytest.approx(0.065 / steps, rel=5e-3)
    assert calibration.measured_step_seconds(chosen, prepared.setting, time.perf_counter) > 0


def test_versions_and_kernels_are_in_the_first_event(undisturbed):
    clock = undisturbed[1][0].body["clock"]
    assert {"versions", "kernels", "seconds", "at"} <= clock.keys()
