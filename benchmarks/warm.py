"""What a warm start is worth: ``python benchmarks/warm.py [--out FILE] [--keep DIR] [--strategies NAME ...]``.

A night before is a cold search of 50 trials on a random part of a bundled table (80 % of its rows). Tonight has all
rows. A cold search of 50 trials on these sets the score that is to be reached; a warm one, on the same folds with 20
trials, begins with what the night before knows. For each table, seed and strategy a line of FILE says after how many
trials the warm search was as good as the best of the cold one (21: it was not), and when the cold one found that. What
FILE has is not done again. DIR keeps the cold studies, which are not searched again either.

Loss is log loss or RMSE, on 3 folds. The mean counts tables and seeds alike.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from lrtune.experiment import load_text
from lrtune.run.study import replay
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.space.trial import Trial
from lrtune.trainers.preparation import prepare
from lrtune.tuning.core import tune
from lrtune.tuning.warming import warm_start

ROOT = Path(__file__).parent.parent
COLD, WARM, KEPT = 50, 20, 0.8
TABLES = {
    "birdstrikes": "damaged",
    "breast_cancer": "diagnosis",
    "concrete": "compressive_strength",
    "digits": "digit",
    "hpc_jobs": "class",
    "penguins": "species",
    "wine": "cultivar",
}
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


def best(trials: list[Trial]) -> float:
    """Find the best oriented mean."""
    return max(each.mean for each in trials if each.mean is not None)


def compare(case: Case, keep: Path) -> dict[str, Any]:
    """Search on the night before, cold and warm."""
    table = ROOT / "datasets" / f"{case.table}.csv"
    header, *rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    rng = np.random.default_rng([case.seed, len(rows)])
    before = sorted(rng.permutation(len(rows))[: int(KEPT * len(rows))].tolist())

    def text(path: Path, trials: int, seed: int) -> str:
        return EXPERIMENT.format(path=path, target=TABLES[case.table], strategy=case.strategy, trials=trials, seed=seed)

    place = keep / f"{case.table}-{case.seed}-{case.strategy}"
    place.mkdir(parents=True, exist_ok=True)
    yesterday = place / "yesterday.csv"
    yesterday.write_text(header + "".join(rows[each] for each in before), encoding="utf-8")
    searched(text(yesterday, COLD, case.seed + 100), place / "before")
    cold = searched(text(table, COLD, case.seed), place / "cold")
    shutil.rmtree(place / "warm", ignore_errors=True)
    warm = searched(text(table, WARM, case.seed), place / "warm", (place / "before",))
    goal, default = best(cold), cold[0].mean
    return {
        **case._asdict(),
        "goal": goal,
        "default": default,
        "warm": reached(warm, goal),
        "cold": reached(cold, goal),
        "cold_at_20": best(cold[:WARM]),
        "warm_at_20": best(warm),
        "warm_after": [best(warm[:count]) for count in range(2, WARM + 1)],
    }


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
        print(
            f"  all            warm {statistics.mean(warm):5.1f} (median {statistics.median(warm):g}), within {WARM}: "
            f"{sum(each <= WARM for each in warm)} of {len(warm)}; of the gain of {COLD} cold trials over the default, "
            f"{WARM} warm ones have {warm_share:.3f} and {WARM} cold ones {cold_share:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("warm.jsonl"), help="where lines go, and are read from")
    parser.add_argument("--keep", type=Path, default=Path("warm"), help="where studies stay")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--strategies", nargs="+", default=["bayesian"])
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    asked = parser.parse_args()
    lines = [json.loads(each) for each in asked.out.read_text().splitlines()] if asked.out.is_file() else []
    done = {Case(each["table"], each["seed"], each["strategy"]) for each in lines}
    cases = [
        Case(table, seed, name) for name in asked.strategies for seed in range(asked.seeds) for table in asked.tables
    ]
    with asked.out.open("a", encoding="utf-8") as file:
        for case in (each for each in cases if each not in done):
            lines.append(compare(case, asked.keep))
            file.write(json.dumps(lines[-1]) + "\n")
            file.flush()
    report(lines)


if __name__ == "__main__":
    main()
