"""How good is the rate that `lrtune finder` recommends? The study behind docs/research/finder.md.

Truth is the cross-validated loss of training in full at 19 rates, once with linear decay to zero and once with a
constant rate. Nothing in the finder's rules is chosen on the table that is judged. Run it from the root of the
repository; what it trained is kept in runs/finder-study.

    nice -n 10 python benchmarks/finder.py [--tables FOLDER] [--targets FILE] [--quick]     the study; of --quick alone
    python benchmarks/finder.py --time            seconds of `lrtune finder` on digits, imports included

Six tables come with lrtune. Those in FOLDER are ``.csv`` or ``.csv.gz`` files, of which at most 2,500 rows are used;
their target is the column ``class``, or the one that a line ``NAME COLUMN`` of ``--targets FILE`` names. With --time,
`--torch PYTHON` names an interpreter that has torch and torch-lr-finder, to sweep once beside it.
"""

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from lrtune import experiment
from lrtune.arrays import one_blas_thread
from lrtune.experiment.suited import bare
from lrtune.finder.answers import rate_curve
from lrtune.finder.effort import horizon
from lrtune.finder.sweeps import RAMP, Sweep
from lrtune.trainers.anchors import anchors, constant_name
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import block_lanes, evaluate
from lrtune.training.registry import complete

CACHE = Path("runs/finder-study")
BUNDLED = ("digits", "breast_cancer", "wine", "concrete", "hpc_jobs", "penguins")
OPTIMIZERS = ("momentum", "adam", "rmsprop")
DECAYS = ("linear", "constant")
GRID = np.logspace(-5, 1, 19)
SEVEN = 7
"""Rates of the grid that the cost is compared with."""

ROWS = 2500
WAYS = {"in full": False, "quick": True}


def tables(folder, targets):
    """Name the tables, each with what opens it."""
    found = {name: lambda name=name: bundled(name) for name in BUNDLED}
    columns = dict(line.split(maxsplit=1) for line in targets.read_text().splitlines() if line) if targets else {}
    for path in sorted(folder.glob("*.csv*")) if folder else ():
        name = path.name.partition(".")[0]
        found[name] = lambda path=path, name=name: given(path, columns.get(name, "class"))
    return found


FIVE = ["search.folds=5", "search.repeats=1", "search.seed=0"]


def bundled(name):
    """Open a bundled table with its experiment."""
    found = experiment.load(f"configs/{name}.yaml", FIVE)
    return found, prepare(found)


def given(path, target):
    """Open a table with a plain experiment: one hidden layer, 30 epochs."""
    frame = pl.read_csv(path, infer_schema_length=None)
    rows = np.random.default_rng(0).permutation(len(frame))[:ROWS]
    plain = ["model.hidden=[64]", "training.epochs=30"]
    with tempfile.TemporaryDirectory() as folder:
        frame[rows].write_csv(Path(folder, "table.csv"))
        found = bare(str(Path(folder, "table.csv")), [*plain, *FIVE], target=target)
        return found, prepare(found)


def configuration(found, optimizer, decay):
    return complete({**found.fixed, "model": "mlp", "warmup": 0.0, "optimizer": optimizer, "decay": decay})


def truth(prepared, planned):
    """Train every rate of the grid in full: losses (rates, folds), infinite where a lane diverged."""
    setting = prepared.setting
    metric = "mse" if prepared.task == "regression" else "log_loss"
    at_once = max(1, block_lanes(planned, setting.folds, setting.problem, setting.dtype) // len(setting.folds))
    lanes = [{**planned, "learning_rate": float(rate)} for rate in GRID]
    outcomes = [
        each
        for first in range(0, len(lanes), at_once)
        for each in evaluate(
            lanes[first : first + at_once], setting.folds, setting.problem, metric, seed=0, dtype=setting.dtype
        )
    ]
    return {"losses": np.array([[np.inf if each is None else -each for each in one.scores] for one in outcomes])}


def answer(prepared, planned, *, is_quick):
    """Ask the finder: the rate, its interval, and its updates over those of a grid of seven rates."""
    setting = prepared.setting
    curve = rate_curve(planned, setting, Sweep(RAMP, is_quick=is_quick))
    one = horizon(planned, setting)
    spent = curve.spent + (one * sum(curve.planned.trained) if curve.planned else 0)
    said = curve.suggestion
    return {
        "rate": np.array(said.recommended or np.nan),
        "interval": np.array(said.interval or (np.nan, np.nan)),
        "cost": np.array(spent / (SEVEN * len(setting.folds) * one)),
    }


def has_signal(prepared):
    """Tell whether a linear model is better than a prediction without features by three standard errors."""
    scores = anchors(prepared.setting)
    constant, linear = (scores[name].scores for name in (constant_name(prepared.setting), "linear"))
    pairs = zip(linear, constant, strict=True)
    gains = np.array([one - other for one, other in pairs if one is not None and other is not None])
    return len(gains) > 1 and gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))


def kept(name, make):
    """Compute arrays once."""
    place = CACHE / f"{name}.npz"
    if not place.exists():
        made = make()
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(place, **made)
    with np.load(place) as stored:
        return dict(stored)


def excess(rate, losses):
    """Compare a rate with the best one of the grid: the ratio of losses, and their difference in standard errors."""
    finite = np.where(np.isfinite(losses), losses, 1e3)
    place = np.clip(np.searchsorted(GRID, rate) - 1, 0, len(GRID) - 2)
    share = np.clip(np.log(rate / GRID[place]) / np.log(GRID[place + 1] / GRID[place]), 0, 1)
    here = finite[place] * (1 - share) + finite[place + 1] * share  # (K,)
    best = finite[np.argmin(finite.mean(axis=1))]
    error = best.std(ddof=1) / np.sqrt(len(best))
    return here.mean() / best.mean(), (here.mean() - best.mean()) / error


def covers(interval, losses):
    """Tell whether an interval has the best rate of the grid, or one within half a standard error of it."""
    finite = np.where(np.isfinite(losses), losses, 1e3)
    means = finite.mean(axis=1)
    best = np.argmin(means)
    near = means <= means[best] + 0.5 * finite[best].std(ddof=1) / np.sqrt(finite.shape[1])
    return bool(((interval[0] <= GRID) & (interval[1] >= GRID) & near).any())


def remembered(make):
    memory = []

    def data():
        if not memory:
            memory.append(make())
        return memory[0]

    return data


def study(folder, targets, ways):
    rows = {way: [] for way in ways}
    refused = {way: [] for way in ways}
    for name, make in tables(folder, targets).items():
        data = remembered(make)
        signal = bool(kept(f"signal-{name}", lambda data=data: {"is": np.array(has_signal(data()[1]))})["is"])
        for optimizer, decay in itertools.product(OPTIMIZERS, DECAYS):
            key = f"{name}-{optimizer}-{decay}"

            def planned(data=data, optimizer=optimizer, decay=decay):
                found, prepared = data()
                return prepared, configuration(found, optimizer, decay)

            true = kept(f"truth-{key}", lambda planned=planned: truth(*planned()))["losses"]
            for way, is_quick in ways.items():
                said = kept(
                    f"{way}-{key}", lambda planned=planned, is_quick=is_quick: answer(*planned(), is_quick=is_quick)
                )
                if np.isnan(said["rate"]):
                    refused[way].append((key, signal))
                    continue
                rows[way].append((*excess(float(said["rate"]), true), covers(said["interval"], true), said["cost"]))
        print(f"{name} done", file=sys.stderr, flush=True)
    report(rows, refused)


def report(rows, refused):
    print(
        "| | answers | within one s.e. | ratio: median (90 %) | interval holds best | cost: median (90 %) | refused |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for way, found in rows.items():
        ratio, errors, held, cost = np.array(found, dtype=float).T
        cells = [
            str(len(found)),
            f"{(errors < 1).mean():.0%}",
            f"{np.median(ratio):.3f} ({np.quantile(ratio, 0.9):.3f})",
            f"{held.mean():.0%}",
            f"{np.median(cost):.0%} ({np.quantile(cost, 0.9):.0%}), at most {cost.max():.0%}",
            f"{len(refused[way])}, {sum(signal for _, signal in refused[way])} of them with a signal",
        ]
        print(f"| {way} | {' | '.join(cells)} |")
        for key, signal in refused[way]:
            print(f"refused, {way}: {key}{', though a linear model learns' if signal else ''}", file=sys.stderr)


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--torch", metavar="PYTHON")
    asked = parser.parse_args()
    if asked.time:
        measure()
        if asked.torch:
            measure_torch(asked.torch)
    else:
        with one_blas_thread():
            study(asked.tables, asked.targets, {"quick": True} if asked.quick else WAYS)
