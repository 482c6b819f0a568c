"""The digits network of `examples/pytorch`, searched by lrtune and by Optuna, each with pruning.

Both draw 24 configurations from the same space, and have the same five folds, the same function that trains, and two
processes of one thread. Optuna draws at random, reports the mean of the folds so far after each, and prunes by the
median, as its documentation advises; lrtune draws at random and prunes as the example says, by futility. The
configuration with the best mean of folds is then trained on all training rows and scored once on the test rows. What it
costs is said in fits, in seconds, and in seconds of processors within the fits: other programs on the machine change
these least, and it does not count there that one of Optuna's processes, which has half of the configurations, waits for
the other. Needs torch and optuna.

    python benchmarks/network_search.py [--seeds 5] [--first 0] [--quick]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib.util
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import lrtune
from lrtune.experiment import Experiment, load
from lrtune.trainers.foreign.run import FitRows, FitRun
from lrtune.trainers.preparation import prepare
from lrtune.training.registry import complete_schedule

FOLDER = Path(__file__).parents[1] / "examples" / "pytorch"
PROCESSES = 2

PLACE = "LRTUNE_BENCHMARK"
"""The variable that names the folder of the benchmark."""

TIMED = """\
import os, time
from pathlib import Path

import digits_cnn
from digits_cnn import load


def train(run):
    began = time.process_time()
    predictions = yield from digits_cnn.train(run)
    with Path(os.environ["LRTUNE_BENCHMARK"], "seconds.txt").open("a") as file:
        file.write(f"{time.process_time() - began}\\n")
    return predictions
"""
"""The example, with the seconds of processors that each fit takes."""


def example():
    """Import the file that trains."""
    sys.path.insert(0, os.environ[PLACE])
    made = importlib.util.spec_from_file_location("timed", Path(os.environ[PLACE]) / "timed.py")
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def accuracy(module, configuration, rows, held_out, seed: int) -> float:
    """Train on some rows, and score on others."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    images, digits = module.load().values()
    parts = [FitRows(images[each], digits[each], each) for each in (rows, held_out)]
    about = {"stream_seed": seed, "index": 0, "task": "multiclass", "classes": list(range(10)), "fold": 1, "trial": 0}
    with tempfile.TemporaryDirectory() as folder:
        run = FitRun(complete_schedule(configuration), *parts, seed=seed, folder=Path(folder), **about)
        training = module.train(run)
        while True:
            try:
                next(training)
            except StopIteration as end:
                return float((np.asarray(end.value).argmax(axis=1) == parts[1].y).mean())


def suggested(trial, fixed) -> dict:
    """Draw from the space of `digits_cnn.yaml`."""
    optimizer = trial.suggest_categorical("optimizer", ["momentum", "adam"])
    low, high = {"momentum": (1e-3, 1.0), "adam": (1e-4, 1e-1)}[optimizer]
    decay = trial.suggest_categorical("decay", ["constant", "linear", "cosine", "step"])
    return {
        **fixed,
        "optimizer": optimizer,
        "learning_rate": trial.suggest_float(f"learning_rate_{optimizer}", low, high, log=True),
        "decay": decay,
        **({"decay.drops": trial.suggest_categorical("drops", [1, 2, 3])} if decay == "step" else {}),
        "warmup": trial.suggest_categorical("warmup", [0.0, 0.1]),
    }


def optimized(path: str, seed: int, trials: int, folds, fixed) -> None:
    """Be one of Optuna's processes."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    module = example()

    def objective(trial) -> float:
        configuration, scores = suggested(trial, fixed), []
        trial.set_user_attr("configuration", configuration)
        for place, (rows, held_out) in enumerate(folds):
            scores.append(accuracy(module, configuration, rows, held_out, 1000 * trial.number + place))
            trial.report(statistics.fmean(scores), place)
            if trial.should_prune():
                raise optuna.TrialPruned
        return statistics.fmean(scores)

    study = optuna.load_study(
        study_name="x",
        storage=optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path)),
        sampler=optuna.samplers.RandomSampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(),
    )
    study.optimize(objective, n_trials=trials)


def by_optuna(experiment: Experiment, seed: int, trials: int) -> tuple[float, int, float]:
    """Search with Optuna; gives the test accuracy, how many fits that took, and the seconds of the search."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    prepared = prepare(experiment)
    fixed = {"epochs": experiment.training.epochs, "batch_size": experiment.training.batch_size, "width": 16}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/journal"
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
        study = optuna.create_study(study_name="x", storage=storage, direction="maximize")
        start = time.perf_counter()
        shared = (trials // PROCESSES, [tuple(map(np.asarray, each)) for each in prepared.splits], fixed)
        processes = [
            get_context("spawn").Process(target=optimized, args=(path, PROCESSES * seed + each, *shared))
            for each in range(PROCESSES)
        ]
        for each in processes:
            each.start()
        for each in processes:
            each.join()
        seconds = time.perf_counter() - start
        fits = sum(len(each.intermediate_values) for each in study.trials)
        best = study.best_trial.user_attrs["configuration"]
    data = prepared.dataset
    return accuracy(example(), best, data.train_rows, data.test_rows, seed), fits, seconds


def by_lrtune(experiment: Experiment) -> tuple[float, int, float]:
    """Search with lrtune; as `by_optuna`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        start = time.perf_counter()
        lrtune.search(experiment, output=folder)
        seconds = time.perf_counter() - start
        result = json.loads((folder / "result.json").read_text())
        with (folder / "trials.csv").open() as file:
            rows = list(csv.DictReader(file))
    fits = sum(bool(value) for row in rows for key, value in row.items() if key.startswith("fold_"))
    return result["test"]["score"], fits, seconds


def measured(search, *arguments) -> tuple[float, int, float, float]:
    """Run a search; gives what it gives, and the seconds of processors of its fits."""
    times = Path(os.environ[PLACE]) / "seconds.txt"
    times.unlink(missing_ok=True)
    found = search(*arguments)
    return *found, math.fsum(map(float, times.read_text().split()))


def said(score: float, fits: float, seconds: float, processors: float) -> str:
    """Write what a search gave and cost in a line."""
    return f"test accuracy {score:.4f}  {fits:3.0f} fits  {seconds:.0f} s, {processors:.0f} s of processors in them"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--quick", action="store_true", help="one seed, few configurations and epochs")
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("optuna") is None:
        print("needs torch and optuna; nothing was measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        for each in FOLDER.iterdir():
            if each.is_file():
                shutil.copy(each, folder)
        Path(folder, "timed.py").write_text(TIMED, encoding="utf-8")
        os.environ |= {"OMP_NUM_THREADS": "1", PLACE: folder}
        compare(options)


def compare(options) -> None:
    """Search with both, seed by seed."""
    seeds, trials, more = (1, 4, ["training.epochs=2"]) if options.quick else (options.seeds, 24, [])
    found: dict[str, list[tuple[float, int, float, float]]] = {"lrtune": [], "Optuna": []}
    for seed in range(options.first, options.first + seeds):
        sizes = {"seed": seed, "trials": trials, "workers": PROCESSES, "control": "false"}
        settings = [f"search.{key}={value}" for key, value in sizes.items()]
        file = Path(os.environ[PLACE]) / "digits_cnn.yaml"
        experiment = load(file, ["trainer=timed.py:train", *settings, *more])
        found["lrtune"].append(measured(by_lrtune, experiment))
        found["Optuna"].append(measured(by_optuna, experiment, seed, trials))
        for name, each in found.items():
            print(f"seed {seed}  {name:6}  {said(*each[-1])}", flush=True)
    for name, each in found.items():
        print(f"mean    {name:6}  {said(*(statistics.fmean(values) for values in zip(*each, strict=True)))}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
