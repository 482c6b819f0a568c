"""Whether the controlled pair is true where decay does nothing.

    python benchmarks/control.py [--replications N] [--tables NAME ...] [--folds N ...] [--save FILE]
    python benchmarks/control.py --cost     what anchors and pair cost beside a search of 40 trials

A search of 20 trials sees a random sample of a large table. Three worlds in which decay does nothing:

* ``nothing to learn``: the labels are dealt out anew, equally many of each class. Whatever predicts them is right as
  often as any other, so that no decay is worth anything, and every training is another one. Pairs as they are shipped.
* ``other seed``: the counterpart is the winner itself with other initial parameters and mini-batches, the best of three
  such copies on the folds of the search, as it is the best of three rates in a pair; both are trained on the fresh
  folds. So the luck of a training, which equal seeds share as far as they can, is all there.
* ``flat``: the only decay, exponential, is so slow that the rate stays what it is. Pairs as they are shipped: the
  winner against itself with its own rate, a half or a third of it. Where its own rate is the best on the folds, both
  are the same training and the difference is nothing; these searches are counted, and not in the coverage.

``bias`` is the mean difference with its standard error, in points (0.01 of accuracy); ``covers`` is the share of the
searches whose 90 % interval holds zero, with its standard error; ``half`` is half of its width, on average.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from lrtune import tuning
from lrtune.arrays import CONTROL, one_blas_thread
from lrtune.experiment import Experiment, load, load_text
from lrtune.experiment.suited import suited
from lrtune.run.bodies import ControlledPair
from lrtune.run.study import ANCHORED, CONTROLLED, StudyState
from lrtune.space.trial import Trial
from lrtune.text.errors import NoUsableResultError
from lrtune.trainers.population import Setting
from lrtune.trainers.preparation import Prepared, prepare
from lrtune.training.evaluate import evaluate
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.controlled import FRESH_FOLDS
from lrtune.verdict.choice import best
from lrtune.verdict.controlled import control

ROOT = Path(__file__).parents[1]
TABLES = {
    "digits": ("digits.csv", "digit", 300),
    "hpc_jobs": ("hpc_jobs.csv", "class", 400),
    "birdstrikes": ("birdstrikes.csv", "damaged", 400),
}
WORLDS = NOTHING, SEED, FLAT = "nothing to learn", "other seed", "flat"
DECAYS = {NOTHING: "[constant, linear, cosine, {exponential: {k: {low: 0.03, high: 0.5, scale: log}}}]"}
"""Of the space, where it is not that of `FLAT`."""

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
search: {{strategy: random, trials: 20, metric: accuracy, folds: {folds}, seed: {seed}}}
space:
  learning_rate: {{low: 1e-3, high: 0.2, scale: log}}
  optimizer: [momentum, {{adam: {{learning_rate: {{low: 3e-4, high: 6e-2, scale: log}}}}}}]
  decay: {decay}
"""


RUNS = 3
"""Of each search whose cost is measured; the median is taken, and the share within each run."""


class Found(NamedTuple):
    """A pair: what decay gained, and the 90 % interval; there is none where all differences are the same."""

    gain: float
    low: float | None
    high: float | None


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--folds", nargs="+", type=int, default=[5, 10])
    parser.add_argument("--save", type=Path, help="append every pair to this file, one JSON object in each line")
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    with one_blas_thread():
        costs() if args.cost else simulate(args.tables, args.folds, args.replications, args.save)


def simulate(tables: list[str], folds: list[int], replications: int, save: Path | None) -> None:
    """Search samples on which decay does nothing."""
    print("| population, rows, folds | world | searches | same training | bias | covers | half |")
    print("|---|---|--:|--:|--:|--:|--:|")
    pooled: dict[str, list[Found]] = {world: [] for world in WORLDS}
    for name in tables:
        for count in folds:
            pairs = [each for seed in range(replications) if (each := replicate(name, count, seed, save)) is not None]
            for world in pooled:
                found = [each[world] for each in pairs]
                pooled[world] += found
                print(line(f"{name}, {TABLES[name][2]}, {count}", world, found), flush=True)
    for world, found in pooled.items():
        print(line("all", world, found))


def line(what: str, world: str, found: list[Found]) -> str:
    """Write one line of the table."""
    gains = 100 * np.array([each.gain for each in found])
    different = [(each.low, each.high) for each in found if each.low is not None and each.high is not None]
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    shown = "- | -"
    if different:
        covers = np.mean([low <= 0.0 <= high for low, high in different])
        half = 100 * np.mean([(high - low) / 2 for low, high in different])
        spread = 100 * math.sqrt(covers * (1 - covers) / len(different))
        shown = f"{100 * covers:.1f} ± {spread:.1f} % | {half:.2f}"
    same = len(found) - len(different)
    return f"| {what} | {world} | {len(found)} | {same} | {gains.mean():+.2f} ± {error:.2f} | {shown} |"


def replicate(name: str, folds: int, seed: int, save: Path | None) -> dict[str, Found] | None:
    """Search a sample with its labels and one without, and look at the pairs of all worlds; None if one diverged."""
    pairs: dict[str, tuple[ControlledPair, Trial, str]] = {}
    with tempfile.TemporaryDirectory() as made, contextlib.suppress(NoUsableResultError):
        experiment, prepared, study = searched(name, FLAT, folds, seed, Path(made) / "flat")
        winner = best(study.in_order())
        pairs[FLAT] = study.controlled[winner.number], winner, "exponential"
        pairs[SEED] = with_other_seeds(experiment, prepared, study, winner), winner, "exponential"
        *_, study = searched(name, NOTHING, folds, seed, Path(made) / "nothing")
        winner = best(study.in_order())
        pairs[NOTHING] = study.controlled[winner.number], winner, winner.configuration["decay"]
    if len(pairs) < len(WORLDS):
        return None
    shown = {world: control(*pair, "accuracy") for world, pair in pairs.items()}
    if save is not None:
        with save.open("a", encoding="utf-8") as file:
            for world, (pair, winner, decay) in pairs.items():
                where = {"table": name, "folds": folds, "seed": seed, "world": world, "decay": decay}
                file.write(json.dumps({**pair.body(winner.number), **where, "inside": winner.fold_scores}) + "\n")
    found = {world: Found(each.gain, each.low, each.high) for world, each in shown.items()}
    return None if any(each.gain is None for each in found.values()) else found


def searched(name: str, world: str, folds: int, seed: int, folder: Path) -> tuple[Experiment, Prepared, StudyState]:
    """Search a random sample of a table, in one world."""
    file, target, rows = TABLES[name]
    folder.mkdir()
    table = pl.read_csv(ROOT / "datasets" / file, infer_schema_length=None)
    rng = np.random.default_rng([seed, 7])
    sample = table[np.sort(rng.permutation(len(table))[:rows])]
    if world == NOTHING:
        classes = table[target].unique().sort().to_numpy()
        sample = sample.with_columns(pl.Series(target, rng.permutation(np.resize(classes, rows))))
    sample.write_csv(folder / "sample.csv")
    decay = DECAYS.get(world, "{exponential: {k: 1e-9}}")
    experiment = load_text(EXPERIMENT.format(target=target, folds=folds, seed=seed, decay=decay), base=folder)
    prepared, study = prepare(experiment), StudyState()
    for event in tuning.tune(experiment, prepared, folder / "run", workers=1):
        study.add(event)
    return experiment, prepared, study


def with_other_seeds(experiment: Experiment, prepared: Prepared, study: StudyState, winner: Trial) -> ControlledPair:
    """Pair the winner with the best of three copies of itself."""
    configuration, setting = experiment.configuration(winner.configuration), prepared.setting

    def scores(setting: Setting, more: int) -> tuple[float | None, ...]:
        dtype, seed = setting.dtype, setting.seed + more
        return evaluate([configuration], setting.folds, setting.problem, "accuracy", seed=seed, dtype=dtype)[0].scores

    tried = tuple(scores(setting, more) for more in (1, 2, 3))
    chosen = int(np.argmax([np.mean(each) for each in tried]))
    other = scores(fresh_setting(experiment, prepared, CONTROL, folds=FRESH_FOLDS), chosen + 1)
    return ControlledPair("constant", (0.0,) * 3, tried, chosen, study.controlled[winner.number].winner, other)


def costs() -> None:
    """Compare the processor seconds of anchors and pair with those of the search of 40 trials that they follow."""
    print("| experiment | search of 40 trials (s) | anchors (s) | pair (s) | more |\n|---|--:|--:|--:|--:|")
    settings = ["search.strategy=random", "search.trials=40", "search.pruning=none", "search.confirm=0"]
    for name, target in TARGETS.items():
        table = ROOT / "datasets" / f"{name}.csv"
        own = load(ROOT / "configs" / f"{name}.yaml", settings)
        for what, experiment in {
            f"configs/{name}.yaml": own,
            f"--data {name}.csv": usual(table, target, settings),
        }.items():
            runs = [seconds(experiment) for _ in range(RUNS)]
            search, anchors, pair = np.median(runs, axis=0)
            more = np.median([(two + three) / one for one, two, three in runs])
            print(f"| `{what}` | {search:.2f} | {anchors:.2f} | {pair:.2f} | +{100 * more:.0f} % |", flush=True)


def usual(table: Path, target: str, settings: list[str]) -> Experiment:
    """Take the experiment that lrtune chooses for a table."""
    experiment, _ = suited(table, settings, target=target)
    return experiment


def seconds(experiment: Experiment) -> tuple[float, float, float]:
    """Search once in this process: its processor time, and of it apart that of the anchors and of the pair."""
    spent = {ANCHORED: 0.0, CONTROLLED: 0.0}
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(experiment)
        began = before = used()
        for event in tuning.tune(experiment, prepared, Path(made) / "run", workers=1):
            now = used()
            if event.kind in spent:
                spent[event.kind] += now - before
            before = now
    return used() - began - sum(spent.values()), spent[ANCHORED], spent[CONTROLLED]


def used() -> float:
    """Give the processor time of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
