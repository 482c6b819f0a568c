"""What a warm start is worth: ``python benchmarks/warm.py [--out FILE] [--keep DIR] [--tables FOLDER]``.

A night before is a cold search of 50 trials on a random part of a table (80 % of its rows). Tonight has all rows. A
cold search of 50 trials on these is what is to be reached; a warm one, on the same folds with 20 trials, begins with
what the night before knows. Loss is log loss or RMSE, on 3 folds.

The two winners are compared twice: by the scores that chose them (*raw*), of which the better of 50 has had more luck
than the better of 20; and on the folds of 8 other seeds, where neither was chosen (*fresh*). Both differences are in
standard errors of a paired difference on one set of folds, that is, in what it scatters by over the 8. Where both are
the same configuration it is 0. Reported are the means over tables and seeds with 95 % intervals, and the share of cases
in which the warm search was not behind.

For each table, seed and strategy FILE keeps a line; what it has is not done again. DIR keeps the cold studies, which
are not searched again either. Tables in FOLDER are ``.csv`` files; their target is the column ``class``, or the one
that a line ``NAME COLUMN`` of ``--targets FILE`` names.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tables import BUNDLED
from threadpoolctl import threadpool_limits

from lrtune.experiment import load_text
from lrtune.run.study import replay
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.space.trial import Configuration, Trial
from lrtune.trainers.contract import Work
from lrtune.trainers.population import run_block
from lrtune.trainers.preparation import prepare
from lrtune.tuning.core import tune
from lrtune.tuning.warming import warm_start

ROOT = Path(__file__).parent.parent
COLD, WARM, KEPT = 50, 20, 0.8
FRESH = 8
EXPERIMENT = """
data: {{path: '{path}', target: {target}, test_size: 0}}
model: {{hidden: [16]}}
training: {{epochs: 8, batch_size: 64}}
search: {{strategy: {strategy}, trials: {trials}, folds: 3, seed: {seed}, control: false, workers: 1}}
space:
  learning_rate: {{low: 1e-4, high: 1.0, scale: log}}
  optimizer:
    - sgd
    - momentum: {{momentum: [0.8, 0.9, 0.95]}}
    - adam
    - rmsprop
  decay:
    - constant
    - linear
    - cosine: {{final: [0.0, 0.1]}}
    - exponential: {{k: {{low: 0.01, high: 1.0, scale: log}}}}
  warmup: [0, 0.1]
  weight_decay: [0, 1e-4, 1e-2]
"""


class Case(NamedTuple):
    """One comparison."""

    table: str
    seed: int
    strategy: str


def searched(text: str, folder: Path, sources: tuple[Path, ...] = ()) -> list[Trial]:
    """Run a search; gives its trials in order."""
    experiment = load_text(text, name="warm")
    prepared = prepare(experiment)
    taken = TakenOver(earlier=warm_start(sources, experiment, prepared)[0]) if sources else NOTHING
    with threadpool_limits(1):
        return replay(tune(experiment, prepared, folder, workers=1, compare=False, taken=taken)).in_order()


def reached(trials: list[Trial], goal: float) -> int:
    """Count the trials until one is as good; one more than there are if none is."""
    for number, each in enumerate(trials, 1):
        if each.mean is not None and each.mean >= goal:
            return number
    return len(trials) + 1


def winner(trials: list[Trial]) -> Trial:
    """Find the trial with the best mean."""
    return max((each for each in trials if each.mean is not None), key=lambda each: each.mean or 0.0)


def best(trials: list[Trial]) -> float:
    """Find the best oriented mean."""
    return max(each.mean for each in trials if each.mean is not None)


def fresh(text: Callable[[int], str], points: list[Configuration]) -> np.ndarray:
    """Score configurations on the folds of other seeds: means (seeds, configurations), of what diverges the last's."""
    found = []
    for seed in range(FRESH):
        experiment = load_text(text(10_000 + seed), name="warm")
        with threadpool_limits(1):
            work = Work([experiment.configuration(each) for each in points])
            outcomes = run_block(prepare(experiment).setting, work)
        found.append([np.mean([np.nan if each is None else each for each in every.scores]) for every in outcomes])
    scores = np.array(found)
    return np.where(np.isfinite(scores), scores, scores[:, -1:])


def compare(case: Case, path: Path, target: str, keep: Path) -> dict[str, Any]:
    """Search on the night before, cold and warm."""
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rng = np.random.default_rng([case.seed, len(rows)])
    before = sorted(rng.permutation(len(rows))[: int(KEPT * len(rows))].tolist())

    def text(table: Path, trials: int, seed: int) -> str:
        return EXPERIMENT.format(path=table, target=target, strategy=case.strategy, trials=trials, seed=seed)

    place = keep / f"{case.table}-{case.seed}-{case.strategy}"
    place.mkdir(parents=True, exist_ok=True)
    yesterday = place / "yesterday.csv"
    yesterday.write_text(header + "".join(rows[each] for each in before), encoding="utf-8")
    searched(text(yesterday, COLD, case.seed + 100), place / "before")
    cold = searched(text(path, COLD, case.seed), place / "cold")
    shutil.rmtree(place / "warm", ignore_errors=True)
    warm = searched(text(path, WARM, case.seed), place / "warm", (place / "before",))
    goal, default = best(cold), cold[0].mean
    chosen = [winner(warm).configuration, winner(cold).configuration, winner(cold[:WARM]).configuration]
    scores = fresh(lambda seed: text(path, WARM, seed), [*chosen, cold[0].configuration])
    return {
        **case._asdict(),
        "goal": goal,
        "default": default,
        "warm": reached(warm, goal),
        "cold": reached(cold, goal),
        "cold_at_20": best(cold[:WARM]),
        "warm_at_20": best(warm),
        "warm_after": [best(warm[:count]) for count in range(2, WARM + 1)],
        "fresh": scores.tolist(),
    }


def differences(line: dict[str, Any], key: str = "warm_at_20", place: int = 0) -> tuple[float, float]:
    """Give what 20 trials are above 50 cold ones, raw and fresh, in standard errors of a paired difference."""
    scores = np.array(line["fresh"])
    apart = scores[:, place] - scores[:, 1]
    error = float(apart.std(ddof=1))
    if not error:
        return 0.0, 0.0
    return (line[key] - line["goal"]) / error, float(apart.mean()) / error


def interval(values: list[float]) -> str:
    """Write a mean with its 95 % interval, by the normal distribution."""
    mean, half = statistics.mean(values), 1.96 * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


def report(lines: list[dict[str, Any]]) -> None:
    """Print the table of a file."""
    for strategy in sorted({str(each["strategy"]) for each in lines}):
        print(f"\n{strategy}: trials until the best of {COLD} cold ones is reached (mean over seeds; {WARM + 1}: not)")
        own = [each for each in lines if each["strategy"] == strategy]
        for table in sorted({str(each["table"]) for each in own}):
            of = [each for each in own if each["table"] == table]
            warm, cold = ([each[key] for each in of] for key in ("warm", "cold"))
            within = sum(each <= WARM for each in warm)
            early = sum(each["cold_at_20"] >= each["goal"] for each in of)
            print(
                f"  {table:14} warm {statistics.mean(warm):5.1f}, cold {statistics.mean(cold):5.1f}; reached within "
                f"{WARM} by warm {within} of {len(of)}, by cold {early}"
            )
        warm = [each["warm"] for each in own]
        gains = [each for each in own if each["default"] is not None and each["goal"] > each["default"]]
        warm_share, cold_share = (
            statistics.mean((each[key] - each["default"]) / (each["goal"] - each["default"]) for each in gains)
            for key in ("warm_at_20", "cold_at_20")
        )
        for name, key, place in (("warm", "warm_at_20", 0), ("cold", "cold_at_20", 2)):
            raw, true = zip(*(differences(each, key, place) for each in own), strict=True)
            told = [
                f"{what} {interval(list(each))}, not behind in {sum(one >= 0 for one in each)} of {len(each)}"
                for what, each in (("raw", raw), ("fresh", true))
            ]
            print(f"  {WARM} {name} trials beside {COLD} cold ones, in standard errors: {'; '.join(told)}")
        print(
            f"  all            warm {statistics.mean(warm):5.1f} (median {statistics.median(warm):g}), within {WARM}: "
            f"{sum(each <= WARM for each in warm)} of {len(warm)}; of the gain of {COLD} cold trials over the default, "
            f"{WARM} warm ones have {warm_share:.3f} and {WARM} cold ones {cold_share:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("warm.jsonl"), help="where lines go, and are read from")
    parser.add_argument("--keep", type=Path, default=Path("warm"), help="where studies stay")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--strategies", nargs="+", default=["bayesian"])
    parser.add_argument("--tables", type=Path, help="a folder of .csv files, in place of the bundled tables")
    parser.add_argument("--targets", type=Path, help="a file with lines NAME COLUMN")
    asked = parser.parse_args()
    targets = dict(each.split() for each in asked.targets.read_text().splitlines()) if asked.targets else {}
    folder = asked.tables or ROOT / "datasets"
    targets = targets if asked.tables else BUNDLED
    tables = {each.stem: (each.resolve(), targets.get(each.stem, "class")) for each in sorted(folder.glob("*.csv"))}
    lines = [json.loads(each) for each in asked.out.read_text().splitlines()] if asked.out.is_file() else []
    done = {Case(each["table"], each["seed"], each["strategy"]) for each in lines}
    cases = [Case(table, seed, name) for name in asked.strategies for seed in asked.seeds for table in tables]
    with asked.out.open("a", encoding="utf-8") as file:
        for case in (each for each in cases if each not in done):
            lines.append(compare(case, *tables[case.table], asked.keep))
            file.write(json.dumps(lines[-1]) + "\n")
            file.flush()
    report(lines)


if __name__ == "__main__":
    main()
