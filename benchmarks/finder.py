"""How good is the rate that `lrtune finder` recommends? The study behind docs/research/finder.md.

Truth is the cross-validated loss of training in full at 25 rates, with linear decay to zero and with a constant rate.
Rules with a number in them are judged on data sets that the number was not chosen on. Run it from the root of the
repository; what it trained is kept in runs/finder-study.

    nice -n 10 python benchmarks/finder.py            the study
    python benchmarks/finder.py --cost                processor time of a sweep over that of the grid, in one run
    python benchmarks/finder.py --seeds               how far five seeds move the answer, rather than the study's three
    python benchmarks/finder.py --decays              the rule on decays that it was not looked at with
    python benchmarks/finder.py --time                seconds of `lrtune finder` on digits, imports included

With --time, `--torch PYTHON` names an interpreter that has torch and torch-lr-finder, to sweep once beside it.
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
from lrtune.arrays import one_blas_thread
from lrtune.finder.rules import best_of_short_runs, carried_over
from lrtune.finder.sweeps import METHODS, Sweep, horizon, mean_multiplier, rate_curve
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import block_lanes, evaluate
from lrtune.training.registry import complete

CACHE = Path("runs/finder-study")
DATASETS = ("digits", "breast_cancer", "wine", "concrete", "hpc_jobs", "penguins")
OPTIMIZERS = ("momentum", "adam", "rmsprop")
DECAYS = ("linear", "constant")
MEANS = np.array([0.5, 1.0])
"""Mean multipliers of these decays."""

OTHER_DECAYS = ({"decay": "cosine"}, {"decay": "exponential", "decay.final": 0.01}, {"decay": "step", "decay.drops": 2})
SEEDS = (0, 1, 2)
GRID = np.logspace(-5, 1, 25)
DIVIDED_BY = np.exp(np.linspace(np.log(0.5), np.log(100.0), 60))
SWEPT = ("minimum", "valley", "edge")


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


def losses_of(found, prepared, settings, seed, pieces=5):
    """Train every rate of the grid in full: losses (rates, folds), infinite where a lane diverged."""
    setting = prepared.setting
    metric = "mse" if prepared.task == "regression" else "log_loss"
    base = {**found.fixed, "model": "mlp", "warmup": 0.0, **settings}
    outcomes = []
    for block in np.array_split(GRID, pieces):
        lanes = [{**base, "learning_rate": float(rate)} for rate in block]
        outcomes += evaluate(lanes, setting.folds, setting.problem, metric, seed=seed, dtype=setting.dtype)
    return [[np.inf if each is None else -each for each in one.scores] for one in outcomes]


def truth(dataset, optimizer, seed, data):
    """Train with both decays: losses (decays, rates, folds)."""

    def make():
        found, prepared = data()
        losses = [losses_of(found, prepared, {"optimizer": optimizer, "decay": decay}, seed) for decay in DECAYS]
        return {"losses": np.array(losses)}

    return kept(f"truth-{dataset}-{optimizer}-{seed}", make)


def configuration_of(found, settings):
    return complete({**found.fixed, "model": "mlp", **settings})


def sweep(method, times, problem, data):
    """Sweep as `lrtune finder` does, with its usual number of updates or a multiple; all that is read off it."""

    def make():
        found, prepared = data()
        _, optimizer, _ = problem
        setting, given = prepared.setting, configuration_of(found, {"optimizer": optimizer, "decay": "linear"})
        used = rate_curve(given, setting, Sweep(method))
        if times != 1:
            longer = Sweep(method, times * used.updates, short_updates=times * used.short.updates)
            used = rate_curve(given, setting, longer)
        answer, whole = used.suggestion, horizon(given, setting)
        return {
            "status": np.array(answer.status),
            "recommended": np.array(answer.recommended or np.nan),
            "interval": np.array(answer.interval or (np.nan, np.nan)),
            "swept": np.array([getattr(answer, name) or np.nan for name in SWEPT]),
            "short": best_of_short_runs(used.short.rates, used.short.losses, used.short.start),
            "share": np.array(used.short.updates / whole),
            "range": np.array(answer.search_range or (np.nan, np.nan)),
            "updates": np.array(updates_of(used, method) / (len(GRID) * len(setting.folds) * whole)),
        }

    return kept("-".join(map(str, ("answer", method, times, *problem))), make)


def updates_of(curve, method):
    """Count the updates of all lanes."""
    lanes = curve.losses.shape[0] * curve.losses.shape[1]
    swept = curve.updates * lanes * (1 if method == "ramp" else len(curve.rates))
    return swept + curve.short.updates * curve.short.losses.size


def excess(rate, losses):
    """Compare a rate with the best one of the grid: the ratio of losses, and their difference in standard errors."""
    finite = np.where(np.isfinite(losses), losses, 1e3)
    place = np.clip(np.searchsorted(GRID, rate) - 1, 0, len(GRID) - 2)
    share = np.clip(np.log(rate / GRID[place]) / np.log(GRID[place + 1] / GRID[place]), 0, 1)
    here = finite[place] * (1 - share) + finite[place + 1] * share  # (K,)
    best = finite[np.argmin(finite.mean(axis=1))]
    error = best.std(ddof=1) / np.sqrt(len(best))
    return here.mean() / best.mean(), (here.mean() - best.mean()) / error


def best_rates(true):
    """Find the best rate of the grid with each decay."""
    losses = np.where(np.isfinite(true["losses"]), true["losses"], 1e3)
    return GRID[losses.mean(axis=2).argmin(axis=1)]


def judged(problems, rule):
    """Judge ``rule(found, true) -> rates (decays,)``: (decays, problems, 2) of loss ratio and standard errors."""
    return np.array(
        [
            [excess(rate, losses) for rate, losses in zip(rule(found, true), true["losses"], strict=True)]
            for found, true in problems
        ]
    ).swapaxes(0, 1)


def quality(problems, rule):
    """Score a rule over both ways of training; larger is better: near the best, and rarely far from it."""
    return -np.log(np.clip(judged(problems, rule)[..., 0], 1, 100)).mean()


def divided(read, divisor):
    """Divide what is read off a finding by a number, and a constant rate by twice that."""
    return lambda found, _: read(found) / divisor * 0.5 / MEANS


def left_out(by_dataset, read):
    """Judge each data set with the divisor that is best on the others: results as of `judged`, and the divisors."""
    divisors, results = [], []
    for dataset, problems in by_dataset.items():
        others = [each for name, rest in by_dataset.items() if name != dataset for each in rest]
        divisor = max(DIVIDED_BY, key=lambda each: quality(others, divided(read, each)))
        divisors.append(divisor)
        results.append(judged(problems, divided(read, divisor)))
    return np.concatenate(results, axis=1), divisors


def without_looking(by_dataset):
    """Judge the mean best rate of the same optimizer on the other tables, for each decay."""
    results = []
    for dataset, problems in by_dataset.items():
        for place, problem in enumerate(problems):
            same = slice(place // len(SEEDS) * len(SEEDS), (place // len(SEEDS) + 1) * len(SEEDS))
            others = [
                best_rates(true) for name, rest in by_dataset.items() if name != dataset for _, true in rest[same]
            ]
            results.append(judged([problem], lambda *_, others=others: np.exp(np.log(others).mean(axis=0))))
    return np.concatenate(results, axis=1)


def recommended(found, _true):
    """Take the answer of the finder, which was asked for linear decay, for both decays."""
    return found["short"] * np.array([carried_over(float(found["share"]), each) for each in MEANS])


def line(name, results):
    cells = [
        f"{(rows[:, 1] < 1).mean():.0%} | {np.median(rows[:, 0]):.2f} ({np.quantile(rows[:, 0], 0.9):.2f})"
        for rows in results
    ]
    print(f"| {name} | {' | '.join(cells)} |")


def factors(pairs):
    """Sum up the factors between pairs of rates."""
    ratios = [max(one / other, other / one) for one, other in pairs]
    return f"median {np.median(ratios):.2f}, 90th percentile {np.quantile(ratios, 0.9):.2f}"


def remembered(dataset, seed):
    """Open a data set when it is first asked for."""
    memory = []

    def data():
        if not memory:
            memory.append(opened(dataset, seed))
        return memory[0]

    return data


def main():
    found = {}
    for seed, dataset in itertools.product(SEEDS, DATASETS):
        data = remembered(dataset, seed)
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
    line("the default: short runs, carried over", judged(everything, recommended))
    results, divisors = left_out(by_dataset, lambda each: each["short"])
    line(f"short runs / {min(divisors):.1f}-{max(divisors):.1f}, left out", results)
    for place, name in enumerate(SWEPT):
        if np.isfinite([each["swept"][place] for each, _ in everything]).all():
            results, divisors = left_out(by_dataset, lambda each, place=place: each["swept"][place])
            line(f"{name} / {min(divisors):.1f}-{max(divisors):.1f}, left out", results)
    line("minimum, the classic answer", judged(everything, lambda each, _: each["swept"][0] + 0.0 * MEANS))
    line("no sweep: mean best rate of the optimizer on the other tables", without_looking(by_dataset))
    report_changes(found, method, keys)
    report_costs(found, method, keys)


def report_changes(found, method, keys):
    rates = {(times, *key): float(found[method, times, *key]["recommended"]) for times in (1, 2) for key in keys}
    seeds = [
        (rates[1, *problem, one], rates[1, *problem, other])
        for problem in itertools.product(DATASETS, OPTIMIZERS)
        for one, other in itertools.combinations(SEEDS, 2)
    ]
    print(f"\nother seeds: {factors(seeds)}")
    print(f"twice the updates: {factors([(rates[1, *key], rates[2, *key]) for key in keys])}")


def more_seeds(seeds=range(5)):
    """Say how far other seeds move the answers: all pairs of more seeds than the study has truths for."""
    for method in METHODS:
        rates = {}
        for dataset, seed in itertools.product(DATASETS, seeds):
            data = remembered(dataset, seed)
            for optimizer in OPTIMIZERS:
                key = dataset, optimizer, seed
                rates[key] = float(sweep(method, 1, key, data)["recommended"])
        pairs = [
            (rates[*problem, one], rates[*problem, other])
            for problem in itertools.product(DATASETS, OPTIMIZERS)
            for one, other in itertools.combinations(seeds, 2)
        ]
        print(f"{method}, {len(pairs)} pairs of {len(seeds)} seeds: {factors(pairs)}")


def report_costs(found, method, keys):
    statuses = [str(found[method, 1, *key]["status"]) for key in keys]
    print("statuses:", {each: statuses.count(each) for each in sorted(set(statuses))})
    within = []
    for key in keys:
        low, high = found[method, 1, *key]["range"]
        within += [low <= rate <= high for rate in best_rates(found["truth", *key])]
    print(f"the best rate lies in the suggested range: {np.mean(within):.0%}")
    shares = [float(found[method, 1, *key]["updates"]) for key in keys]
    print(f"cost, share of the grid's updates: median {np.median(shares):.3f}, largest {max(shares):.3f}")


def cost():
    """Measure processor seconds of sweeps and of the grid with linear decay."""
    shares = []
    print("| table | optimizer | grid (s) | " + " | ".join(METHODS) + " |")
    for dataset, optimizer in itertools.product(DATASETS, OPTIMIZERS):
        grid, *seconds = cost_of(*opened(dataset, 0), {"optimizer": optimizer, "decay": "linear"})
        shares.append(np.array(seconds) / grid)
        cells = " | ".join(f"{share:.1%}" for share in shares[-1])
        print(f"| {dataset} | {optimizer} | {grid:.2f} | {cells} |", flush=True)
    for method, values in zip(METHODS, np.transpose(shares), strict=True):
        print(f"{method}: median {np.median(values):.1%}, largest {max(values):.1%}")


def cost_of(found, prepared, settings, runs=3):
    """Measure the grid, in the blocks that a search would cut it into, and each method, in turn: the fastest runs."""
    setting, given = prepared.setting, configuration_of(found, settings)
    at_once = max(1, block_lanes(given, setting.folds, setting.problem, setting.dtype) // len(setting.folds))
    jobs = [lambda: losses_of(found, prepared, settings, 0, -(-len(GRID) // at_once))]
    jobs += [lambda method=method: rate_curve(given, setting, Sweep(method)) for method in METHODS]
    seconds = np.empty((runs, len(jobs)))
    for run, (place, job) in itertools.product(range(runs), enumerate(jobs)):
        start = time.process_time()
        job()
        seconds[run, place] = time.process_time() - start
    return seconds.min(axis=0)


def other_decays(seed=0):
    """Judge the answers for decays that had no part in the study."""
    for settings in OTHER_DECAYS:
        results = []
        for dataset, optimizer in itertools.product(DATASETS, OPTIMIZERS):
            data = remembered(dataset, seed)
            found, prepared = data()
            one = {"optimizer": optimizer, **settings}
            name = f"truth-{settings['decay']}-{dataset}-{optimizer}-{seed}"
            true = kept(name, lambda one=one, f=found, p=prepared: {"losses": np.array(losses_of(f, p, one, seed))})
            answer = sweep("ramp", 1, (dataset, optimizer, seed), data)
            mean = mean_multiplier(configuration_of(found, one), prepared.setting)
            results.append(excess(answer["short"] * carried_over(float(answer["share"]), mean), true["losses"]))
        line(f"{settings}, mean multiplier {mean:.2f}", [np.array(results)])


WITHOUT_FIGURE = """
import sys
from lrtune.reporting import figures
figures.rate_figure, figures.drawn = lambda _: {}, lambda *_: b""
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
            table = ["--data", "sklearn:digits", "--set", "search.folds=5", "--set", "training.epochs=30"]
            given = [sys.executable, *starts[figure], "finder", *table, *options, "-o", folder]
            clock, used = time.perf_counter(), processor_seconds()
            subprocess.run(given, check=True, capture_output=True)
            seconds[many, figure].append((time.perf_counter() - clock, processor_seconds() - used))
    for name, values in seconds.items():
        wall, processor = np.median(values, axis=0)
        print(f"{', '.join(name)}: {wall:.2f} s, of the processor {processor:.2f} s (medians of {runs})")


TORCH = """
import sys, warnings
warnings.filterwarnings("ignore")
import torch
from torch_lr_finder import LRFinder
from torch.utils.data import DataLoader, TensorDataset
import numpy as np
x, y = (torch.from_numpy(each) for each in np.load(sys.argv[1]).values())
torch.set_num_threads(1)
loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
finder = LRFinder(model, torch.optim.Adam(model.parameters(), lr=1e-6), torch.nn.CrossEntropyLoss())
finder.range_test(loader, end_lr=10, num_iter=100)
losses, rates = finder.history["loss"], finder.history["lr"]
print(rates[int(np.argmin(np.gradient(losses[10:-5]))) + 10])
"""


def measure_torch(interpreter, runs=5):
    """Time one sweep of torch-lr-finder on digits, on the training loss: the network and the batches of `measure`."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    with tempfile.TemporaryDirectory() as folder:
        table, seconds = Path(folder, "digits.npz"), []
        np.savez(table, x=((x - x.mean(0)) / (x.std(0) + 1e-9)).astype(np.float32), y=y.astype(np.int64))
        for _ in range(runs):
            clock, used = time.perf_counter(), processor_seconds()
            done = subprocess.run([interpreter, "-c", TORCH, table], check=True, capture_output=True, text=True)
            seconds.append((time.perf_counter() - clock, processor_seconds() - used))
    wall, processor = np.median(seconds, axis=0)
    rate = float(done.stdout.split()[-1])
    print(
        f"torch-lr-finder, one sweep: {wall:.2f} s, of the processor {processor:.2f} s (medians of {runs}); {rate:.2g}"
    )


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    if "--time" in sys.argv:
        measure()
        if "--torch" in sys.argv:
            measure_torch(sys.argv[sys.argv.index("--torch") + 1])
    else:
        with one_blas_thread():
            {"--cost": cost, "--seeds": more_seeds, "--decays": other_decays}.get(sys.argv[-1], main)()
