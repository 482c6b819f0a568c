"""Which rule finds a good learning rate? The study behind the defaults of `lrtune finder` (docs/finder.md).

Truth is the cross-validated loss of training in full at 25 rates, with linear decay to zero and with a constant rate.
Every rule is judged on data sets that it was not chosen on. Run it from the root of the repository; what it trained is
kept in runs/finder-study.

    nice -n 10 python benchmarks/finder.py            the study
    python benchmarks/finder.py --time                seconds of `lrtune finder` on digits, imports included
"""

import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lrtune import experiment
from lrtune.finder import DIVISORS, _curve, _Sweep, horizon
from lrtune.preparation import prepare
from lrtune.range_rules import marks, middle, smoothed
from lrtune.training.evaluate import evaluate
from lrtune.training.range_test import repeated, thinned
from lrtune.training.registry import complete
from lrtune.workers import one_blas_thread

CACHE = Path("runs/finder-study")
DATASETS = ("digits", "breast_cancer", "wine", "concrete", "hpc_jobs", "penguins")
OPTIMIZERS = ("momentum", "adam", "rmsprop")
DECAYS = ("linear", "constant")
SEEDS = (0, 1, 2)
METHODS = ("ramp", "ladder")
GRID = np.logspace(-5, 1, 25)
DIVIDED_BY = np.exp(np.linspace(np.log(1.0), np.log(20.0), 30))
RULES = ("minimum", "down", "valley", "edge")
REPETITIONS = 3


def opened(dataset, seed):
    """Read a bundled table and its experiment, with five folds."""
    overrides = [f"search.seed={seed}", "search.folds=5", "search.repeats=1"]
    found = experiment.load(f"configs/{dataset}.yaml", overrides)
    return found, prepare(found)


def kept(name, make):
    """Compute arrays once."""
    place = CACHE / f"{name}.npz"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(place, **make())
    with np.load(place) as stored:
        return dict(stored)


def truth(dataset, optimizer, seed, data):
    """Train every rate of the grid in full: losses (decays, rates, folds), infinite where a lane diverged."""

    def make():
        found, prepared = data()
        setting = prepared.setting
        metric = "mse" if prepared.task == "regression" else "log_loss"
        start, losses = time.process_time(), []
        for decay in DECAYS:
            base = {**found.fixed, "model": "mlp", "optimizer": optimizer, "decay": decay, "warmup": 0.0}
            outcomes = []
            for block in np.array_split(GRID, 5):
                lanes = [{**base, "learning_rate": float(rate)} for rate in block]
                outcomes += evaluate(lanes, setting.folds, setting.problem, metric, seed=seed, dtype=setting.dtype)
            losses.append([[np.inf if each is None else -each for each in one.scores] for one in outcomes])
        return {"losses": np.array(losses), "seconds": np.array(time.process_time() - start)}

    return kept(f"truth-{dataset}-{optimizer}-{seed}", make)


def sweep(method, times, problem, data):
    """Sweep as `lrtune finder` does, with its usual number of updates or a multiple; all that is read off it."""

    def make():
        found, prepared = data()
        _, optimizer, seed = problem
        configuration = complete({**found.fixed, "model": "mlp", "optimizer": optimizer})
        folds = tuple(repeated(thinned(prepared.setting.folds, seed), REPETITIONS))
        setting = prepared.setting._replace(folds=folds)
        start = time.process_time()
        first = _curve(configuration, setting, _Sweep(method, None, REPETITIONS, None, None))
        used, seconds = first, time.process_time() - start
        if times != 1:
            used = _curve(configuration, setting, _Sweep(method, times * first.updates, REPETITIONS, None, None))
        begin = float(np.median(used.start))
        mark = marks(used.rates, smoothed(used.rates, middle(used.losses)), begin)
        edge = used.rates[-1] if mark.edge is None else mark.edge
        ends = used.suggestion.search_range or (np.nan, np.nan)
        return {
            "marks": np.array([mark.minimum, mark.down, mark.valley, edge]),
            "status": np.array(used.suggestion.status),
            "range": np.array(ends),
            "lanes": np.array(len(used.rates) if method == "ramp" else used.updates * len(used.rates)),
            "seconds": np.array(seconds),
            "horizon": np.array(horizon(configuration, setting)),
        }

    return kept("-".join(map(str, ("marks", method, times, *problem))), make)


def excess(rate, losses):
    """Compare a rate with the best one of the grid: the ratio of losses, and their difference in standard errors."""
    finite = np.where(np.isfinite(losses), losses, 1e3)
    place = np.clip(np.searchsorted(GRID, rate) - 1, 0, len(GRID) - 2)
    share = np.clip(np.log(rate / GRID[place]) / np.log(GRID[place + 1] / GRID[place]), 0, 1)
    here = finite[place] * (1 - share) + finite[place + 1] * share  # (K,)
    best = finite[np.argmin(finite.mean(axis=1))]
    error = best.std(ddof=1) / np.sqrt(len(best))
    return here.mean() / best.mean(), (here.mean() - best.mean()) / error


def judged(problems, rule, divisor, decay):
    """Judge a rule on problems: (problems, 2) of loss ratio and standard errors."""
    return np.array(
        [excess(found["marks"][RULES.index(rule)] / divisor, true["losses"][decay]) for found, true in problems]
    )


def quality(problems, rule, divisor):
    """Score a rule over both ways of training; larger is better: near the best, and rarely far from it."""
    both = np.concatenate([judged(problems, rule, divisor, decay) for decay in range(len(DECAYS))])
    return -np.log(np.clip(both[:, 0], 1, 100)).mean()


def chosen(problems, rules=RULES):
    """Choose rule and divisor."""
    return max(itertools.product(rules, DIVIDED_BY), key=lambda each: quality(problems, *each))


def left_out(by_dataset, rules=RULES):
    """Judge each data set by what is chosen on the others: {decay: (problems, 2)}, and the choices."""
    choices, results = [], {decay: [] for decay in DECAYS}
    for dataset, problems in by_dataset.items():
        others = [each for name, rest in by_dataset.items() if name != dataset for each in rest]
        choice = chosen(others, rules)
        choices.append(choice)
        for number, decay in enumerate(DECAYS):
            results[decay].append(judged(problems, *choice, number))
    return choices, {decay: np.concatenate(rows) for decay, rows in results.items()}


def line(name, results, extra=""):
    cells = [
        f"{(rows[:, 1] < 1).mean():.0%} | {np.median(rows[:, 0]):.2f} ({np.quantile(rows[:, 0], 0.9):.2f})"
        for rows in results.values()
    ]
    print(f"| {name} | {' | '.join(cells)} |{extra}")


def factors(pairs):
    """Sum up the factors between pairs of rates."""
    ratios = [max(one / other, other / one) for one, other in pairs]
    return f"median {np.median(ratios):.2f}, 90th percentile {np.quantile(ratios, 0.9):.2f}"


def main():
    found = {}
    for seed, dataset in itertools.product(SEEDS, DATASETS):
        memory = []

        def data(dataset=dataset, seed=seed, memory=memory):
            if not memory:
                memory.append(opened(dataset, seed))
            return memory[0]

        for optimizer in OPTIMIZERS:
            key = dataset, optimizer, seed
            found["truth", *key] = truth(*key, data)
            for method, times in itertools.product(METHODS, (1, 2)):
                found[method, times, *key] = sweep(method, times, key, data)
    for method in METHODS:
        report(found, method)


def report(found, method):
    keys = list(itertools.product(DATASETS, OPTIMIZERS, SEEDS))
    by_dataset = {
        dataset: [
            (found[method, 1, dataset, *rest], found["truth", dataset, *rest])
            for rest in itertools.product(OPTIMIZERS, SEEDS)
        ]
        for dataset in DATASETS
    }
    everything = [each for problems in by_dataset.values() for each in problems]
    print(f"\n## {method}\n\n| rule | linear: within 1 s.e. | loss ratio (90 %) | constant: within 1 s.e. | ratio |")
    print("|---|---|---|---|---|")
    for rule in RULES:
        choices, results = left_out(by_dataset, (rule,))
        span = f"{min(c[1] for c in choices):.1f}-{max(c[1] for c in choices):.1f}"
        line(f"{rule} / {span}, chosen without the data set", results)
    choices, results = left_out(by_dataset)
    line(f"any of them: {', '.join(f'{rule} / {divisor:.1f}' for rule, divisor in choices)}", results)
    default = "down", DIVISORS[method]
    line(f"default: down / {default[1]}", {d: judged(everything, *default, n) for n, d in enumerate(DECAYS)})
    for name, divisor in (("minimum", 1.0), ("minimum", 10.0), ("edge", 10.0)):
        line(f"{name} / {divisor:.0f}", {d: judged(everything, name, divisor, n) for n, d in enumerate(DECAYS)})
    default_rates = {(t, *key): found[method, t, *key]["marks"][1] for t in (1, 2) for key in keys}
    seeds = [
        (default_rates[1, d, o, one], default_rates[1, d, o, other])
        for d, o in itertools.product(DATASETS, OPTIMIZERS)
        for one, other in itertools.combinations(SEEDS, 2)
    ]
    print(f"\nother seeds: {factors(seeds)}")
    print(f"twice the updates: {factors([(default_rates[1, *key], default_rates[2, *key]) for key in keys])}")
    statuses = [str(found[method, 1, *key]["status"]) for key in keys]
    print("statuses:", {each: statuses.count(each) for each in sorted(set(statuses))})
    within = []
    for key in keys:
        low, high = found[method, 1, *key]["range"]
        losses = found["truth", *key]["losses"].mean(axis=2)
        within += [low <= GRID[np.argmin(row)] <= high for row in losses]
    print(f"the best rate lies in the suggested range: {np.mean(within):.0%}")
    shares = [float(found[method, 1, *key]["seconds"] / found["truth", *key]["seconds"] * len(DECAYS)) for key in keys]
    lanes = [
        float(found[method, 1, *key]["lanes"] * REPETITIONS / (len(GRID) * found[method, 1, *key]["horizon"]))
        for key in keys
    ]
    print(f"cost, share of the grid's seconds: median {np.median(shares):.3f}, largest {max(shares):.3f}")
    print(f"cost, share of the grid's updates: median {np.median(lanes):.3f}, largest {max(lanes):.3f}")


WITHOUT_FIGURE = """
import sys
from lrtune.reporting import figures
figures.rate_figure, figures.write = dict, lambda *_: None
from lrtune.cli import main
main()
"""


def measure(runs=5):
    """Time the command on one core with and without its SVG, in turn: seconds by the clock and of the processor."""
    starts = {"without SVG": ["-c", WITHOUT_FIGURE], "with SVG": ["-m", "lrtune"]}
    optimizers = {"one optimizer": ("adam",), "two": ("adam", "momentum")}
    seconds = {pair: [] for pair in itertools.product(optimizers, starts)}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    with tempfile.TemporaryDirectory() as folder:
        for _, (many, figure) in itertools.product(range(runs), seconds):
            options = [word for name in optimizers[many] for word in ("--optimizer", name)]
            given = [sys.executable, *starts[figure], "finder", "--data", "sklearn:digits", *options, "-o", folder]
            clock, used = time.perf_counter(), processor_seconds()
            subprocess.run(given, check=True, capture_output=True)
            seconds[many, figure].append((time.perf_counter() - clock, processor_seconds() - used))
    for name, values in seconds.items():
        wall, processor = np.median(values, axis=0)
        print(f"{', '.join(name)}: {wall:.2f} s, of the processor {processor:.2f} s (medians of {runs})")


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    if "--time" in sys.argv:
        measure()
    else:
        with one_blas_thread():
            main()
