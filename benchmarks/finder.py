"""Which rule finds a good learning rate? The study behind the default of `lrtune finder` (docs/finder.md)."""

import sys
import time
from pathlib import Path

import numpy as np

from lrtune import experiment
from lrtune.preparation import prepare
from lrtune.training.evaluate import evaluate
from lrtune.workers import one_blas_thread

CACHE = Path("runs/finder-study")
DATASETS = ("digits", "breast_cancer", "wine", "concrete", "hpc_jobs", "penguins")
OPTIMIZERS = ("momentum", "adam", "rmsprop")
DECAYS = ("linear", "constant")
SEEDS = (0, 1, 2)
GRID = np.logspace(-5, 1, 25)


def opened(dataset, seed):
    """Read a bundled table and its experiment, with five folds."""
    overrides = [f"search.seed={seed}", "search.folds=5", "search.repeats=1"]
    found = experiment.load(f"configs/{dataset}.yaml", overrides)
    return found, prepare(found)


def truth(dataset, optimizer, seed):
    """Train every rate of the grid in full: losses (decays, rates, folds), infinite where a lane diverged; seconds."""
    place = CACHE / f"truth-{dataset}-{optimizer}-{seed}.npz"
    if not place.exists():
        found, prepared = opened(dataset, seed)
        setting = prepared.setting
        metric = "mse" if prepared.task == "regression" else "log_loss"
        start, losses = time.process_time(), []
        for decay in DECAYS:
            base = {**found.fixed, "model": "mlp", "optimizer": optimizer, "decay": decay, "warmup": 0.0}
            outcomes = []
            for block in np.array_split(GRID, 5):
                configurations = [{**base, "learning_rate": float(rate)} for rate in block]
                outcomes += evaluate(
                    configurations, setting.folds, setting.problem, metric, seed=seed, dtype=setting.dtype
                )
            losses.append([[np.inf if each is None else -each for each in one.scores] for one in outcomes])
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(place, losses=np.array(losses), seconds=time.process_time() - start)
    stored = np.load(place)
    return stored["losses"], float(stored["seconds"])


if __name__ == "__main__":
    with one_blas_thread():
        for seed in SEEDS:
            for dataset in DATASETS:
                for optimizer in OPTIMIZERS:
                    losses, seconds = truth(dataset, optimizer, seed)
                    print(dataset, optimizer, seed, f"{seconds:.1f}", file=sys.stderr)
