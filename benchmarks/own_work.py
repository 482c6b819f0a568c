"""What the Bayesian strategy is worth on lrtune's own work: best scores beside those of twice as many random trials.

    python benchmarks/own_work.py [--seeds N] [--sets NAME ...]

On each bundled table, the best cross-validated score after 50 trials of `bayesian` stands beside those after 50 and 100
trials of `random`: the same folds, the same initial weights, the same first trial. The space has ranges, four kinds of
optimizers and six decay types, with factors of their own; folds are 5, epochs few. Seeds change folds, weights, draws.

Scores are normalised for each table and seed: 0 is the median of the random trials, 1 the best score that any of the
searches has seen there. The mean over the tables weighs them alike.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from lrtune.arrays import one_blas_thread
from lrtune.experiment import load_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space.trial import Trial, TrialState
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate

ROOT = Path(__file__).parents[1]
TRIALS, RANDOM_TRIALS, ROUND = 50, 100, 8
SETS = {  # target, metric, epochs
    "birdstrikes": ("damaged", "log_loss", 6),
    "breast_cancer": ("diagnosis", "log_loss", 12),
    "concrete": ("compressive_strength", "rmse", 12),
    "digits": ("digit", "log_loss", 8),
    "hpc_jobs": ("class", "log_loss", 6),
    "penguins": ("species", "log_loss", 12),
    "wine": ("cultivar", "log_loss", 12),
}
EXPERIMENT = """
data: {{path: {name}.csv, target: {target}, test_size: 0}}
model: {{hidden: [32]}}
training: {{epochs: {epochs}, batch_size: 64}}
search: {{strategy: random, folds: 5, metric: {metric}, seed: {seed}}}
space:
  optimizer:
    - sgd: {{learning_rate: {{low: 1e-3, high: 10.0, scale: log}}}}
    - momentum:
        momentum: {{low: 0.5, high: 0.99, scale: reversed_log}}
        learning_rate: {{low: 1e-3, high: 3.0, scale: log}}
    - adam:
        beta1: {{low: 0.7, high: 0.99, scale: reversed_log}}
        learning_rate: {{low: 1e-4, high: 1.0, scale: log}}
    - rmsprop: {{learning_rate: {{low: 1e-5, high: 0.3, scale: log}}}}
  decay:
    - constant
    - linear
    - exponential: {{k: {{low: 0.01, high: 1.0, scale: log}}}}
    - step: {{factor: {{low: 0.05, high: 0.95}}, every: {{low: 1, high: 6}}}}
    - cosine: {{final: {{low: 0.0, high: 0.3}}}}
    - polynomial: {{power: {{low: 0.5, high: 5.0}}}}
  warmup: {{low: 0.0, high: 0.3}}
"""


def searched(experiment, setting, strategy, trials, size):
    """Search in rounds; the trials, scored on all folds."""
    history = []
    while len(history) < trials:
        points = STRATEGIES[strategy](experiment.space, history, min(size, trials - len(history)), setting.seed)
        outcomes = evaluate(
            [experiment.configuration(each) for each in points],
            setting.folds,
            setting.problem,
            setting.metric,
            seed=setting.seed,
            dtype=setting.dtype,
        )
        for point, outcome in zip(points, outcomes, strict=True):
            state = TrialState.DIVERGED if None in outcome.scores else TrialState.COMPLETE
            history.append(Trial(len(history), point, state, tuple(outcome.scores)))
    return history


def best(history):
    """Best mean score over the folds."""
    return max(each.mean for each in history if each.mean is not None)


def compared(name, seed):
    """Search with both: best scores of `bayesian`, `random` after 50 and after 100; `random`'s median; seconds."""
    target, metric, epochs = SETS[name]
    text = EXPERIMENT.format(name=name, target=target, metric=metric, epochs=epochs, seed=seed)
    experiment = load_text(text, base=ROOT / "datasets")
    setting = prepare(experiment).setting
    start = time.process_time()
    learned = searched(experiment, setting, "bayesian", TRIALS, ROUND)
    middle = time.process_time()
    drawn = searched(experiment, setting, "random", RANDOM_TRIALS, 50)
    scores = best(learned), best(drawn[:TRIALS]), best(drawn)
    median = float(np.median([each.mean for each in drawn if each.mean is not None]))
    return scores, median, (middle - start, time.process_time() - middle)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    print(f"{args.seeds} seeds; normalised score: 0 the median of random's trials, 1 the best seen by any")
    print(f"{'':<15}{'bayesian 50':>12}{'random 50':>12}{'random 100':>12}{'ahead of 100':>14}{'seconds':>14}")
    everything = []
    with one_blas_thread():
        for name in args.sets:
            rows = [compared(name, seed) for seed in range(args.seeds)]
            scores = np.array([each[0] for each in rows])
            median = np.array([each[1] for each in rows])[:, None]
            normal = (scores - median) / (scores.max(1, keepdims=True) - median)
            everything.append(normal.mean(0))
            seconds = np.mean([each[2] for each in rows], axis=0)
            ahead = f"{(scores[:, 0] > scores[:, 2]).sum()} of {args.seeds}"
            print(
                f"{name:<15}"
                + "".join(f"{each:>12.4f}" for each in normal.mean(0))
                + f"{ahead:>14}{seconds[0]:>7.1f}{seconds[1]:>7.1f}",
                flush=True,
            )
    print(f"{'mean':<15}" + "".join(f"{each:>12.4f}" for each in np.mean(everything, axis=0)))


if __name__ == "__main__":
    main()
