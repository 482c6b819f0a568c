"""Whether the controlled pair is true where decay does nothing.

    python benchmarks/control.py [--replications N] [--tables NAME ...]
    python benchmarks/control.py --cost     what anchors and pair cost beside a search of 40 trials

A search of 40 trials sees a random sample of a large table. Two worlds in which decay does nothing:

* ``no effect``: the only decay, exponential, is so slow that the rate stays what it is. Pairs as they are shipped: the
  winner against itself with its own rate, a half or a third of it. Where its own rate is the best on the folds, both
  are the same training and the difference is nothing; these searches are counted, and not in the coverage.
* ``other seed``: the counterpart is the winner itself with other initial parameters and mini-batches, on the folds of
  the search and on the fresh ones. So the luck of a training, which equal seeds share as far as they can, is all there.

``bias`` is the mean difference with its standard error, in points (0.01 of accuracy); ``covers`` is the share of the
searches whose 90 % interval holds zero; ``half`` is half of its width, on average.
"""

from __future__ import annotations

import argparse
import math
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lrtune import tuning
from lrtune.arrays import CONTROL, one_blas_thread
from lrtune.experiment import Experiment, load, load_text
from lrtune.experiment.suited import suited
from lrtune.run.bodies import ControlledPair
from lrtune.run.study import StudyState
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.controlled import FRESH_FOLDS
from lrtune.verdict.choice import best
from lrtune.verdict.controlled import control

ROOT = Path(__file__).parents[1]
TABLES = {"digits": ("digits.csv", "digit", 300), "hpc_jobs": ("hpc_jobs.csv", "class", 600)}
TARGETS = {
    "digits": "digit",
    "wine": "cultivar",
    "penguins": "species",
    "breast_cancer": "diagnosis",
    "concrete": "compressive_strength",
}
EXPERIMENT = """
data: {{path: sample.csv, target: {target}, test_size: 0}}
model: {{type: mlp, hidden: [16]}}
training: {{epochs: 20, batch_size: 16}}
search: {{strategy: random, trials: 40, metric: accuracy, folds: {folds}, seed: {seed}}}
space:
  learning_rate: {{low: 1e-3, high: 1.0, scale: log}}
  optimizer: [momentum, {{adam: {{learning_rate: {{low: 3e-4, high: 3e-1, scale: log}}}}}}]
  decay: {{exponential: {{k: 1e-9}}}}
"""


class Found(NamedTuple):
    """A pair: what decay gained, and the 90 % interval."""

    gain: float
    low: float
    high: float


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--folds", nargs="+", type=int, default=[5, 10])
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    with one_blas_thread():
        costs() if args.cost else simulate(args.tables, args.folds, args.replications)


def simulate(tables: list[str], folds: list[int], replications: int) -> None:
    """Search samples on which decay does nothing."""
    print("| population, rows, folds | world | searches | same training | bias | covers | half |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for name in tables:
        for count in folds:
            pairs = [replicate(name, count, seed) for seed in range(replications)]
            for world, found in zip(("no effect", "other seed"), zip(*pairs, strict=True), strict=True):
                print(line(f"{name}, {TABLES[name][2]}, {count}", world, list(found)), flush=True)


def line(what: str, world: str, found: list[Found]) -> str:
    """Write one line of the table."""
    gains = 100 * np.array([each.gain for each in found])
    different = [each for each in found if each.low < each.high]
    covers = np.mean([each.low <= 0.0 <= each.high for each in different])
    half = 100 * np.mean([(each.high - each.low) / 2 for each in different])
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    same = len(found) - len(different)
    return (
        f"| {what} | {world} | {len(found)} | {same} | {gains.mean():+.2f} ± {error:.2f} | {100 * covers:.0f} % |"
        f" {half:.2f} |"
    )


def replicate(name: str, folds: int, seed: int) -> tuple[Found, Found]:
    """Search a sample, and look at its pair in both worlds."""
    file, target, rows = TABLES[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        head, *lines = (ROOT / "datasets" / file).read_text(encoding="utf-8").splitlines(keepends=True)
        chosen = np.sort(np.random.default_rng([seed, 7]).permutation(len(lines))[:rows])
        (folder / "sample.csv").write_text(head + "".join(lines[each] for each in chosen), encoding="utf-8")
        experiment = load_text(EXPERIMENT.format(target=target, folds=folds, seed=seed), base=folder)
        prepared, study = prepare(experiment), StudyState()
        for event in tuning.tune(experiment, prepared, folder / "run", workers=1):
            study.add(event)
        winner = best(study.in_order())
        shipped = control(study.controlled[winner.number], winner, "exponential", "accuracy")
        configuration, setting = experiment.configuration(winner.configuration), prepared.setting
        fresh = fresh_setting(experiment, prepared, CONTROL, folds=FRESH_FOLDS)
        others = [
            evaluate([configuration], each.folds, each.problem, "accuracy", seed=each.seed + 1, dtype=each.dtype)[0]
            for each in (setting, fresh)
        ]
        own = study.controlled[winner.number].winner
        pair = ControlledPair("constant", (0.0,), (others[0].scores,), 0, own, others[1].scores)
        return found_of(shipped), found_of(control(pair, winner, "exponential", "accuracy"))


def found_of(shown) -> Found:
    """Take the numbers of a pair."""
    return Found(shown.gain, shown.low, shown.high)


def costs() -> None:
    """Compare the processor seconds of a random search of 40 trials with and without anchors and pair, in turn."""
    print("| experiment | search of 40 trials (s) | with anchors and pair (s) | more |\n|---|--:|--:|--:|")
    settings = ["search.strategy=random", "search.trials=40", "search.pruning=none", "search.confirm=0"]
    for name, target in TARGETS.items():
        table = ROOT / "datasets" / f"{name}.csv"
        own = load(ROOT / "configs" / f"{name}.yaml", settings)
        for what, experiment in {
            f"configs/{name}.yaml": own,
            f"--data {name}.csv": usual(table, target, settings),
        }.items():
            runs = [tuple(seconds(experiment, compare=each) for each in (False, True)) for _ in range(3)]
            without, whole = (min(each) for each in zip(*runs, strict=True))
            print(f"| `{what}` | {without:.2f} | {whole:.2f} | {100 * (whole / without - 1):+.0f} % |", flush=True)


def usual(table: Path, target: str, settings: list[str]) -> Experiment:
    """Take the experiment that lrtune chooses for a table."""
    experiment, _ = suited(table, settings, target=target)
    return experiment


def seconds(experiment: Experiment, *, compare: bool) -> float:
    """Search once in this process, and take its processor time."""
    with tempfile.TemporaryDirectory() as made:
        prepared, began = prepare(experiment), used()
        for _ in tuning.tune(experiment, prepared, Path(made) / "run", workers=1, compare=compare):
            pass
        return used() - began


def used() -> float:
    """Give the processor time of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
