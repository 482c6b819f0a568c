"""Sixty nights on real tables, by real searches: ``python benchmarks/nightly_tables.py [--tables FOLDER]``.

A world is a table, at most 1,200 rows of it in random order. The first night has the first half of them, the last night
all. Every night is `lrtune.search(nights=...)`, as a script has it: the default, the champion and six random
configurations on three folds with a short training (log loss or RMSE), the choice, the correction, drift, chart and
promotion, a model, the folder of champions. On one night of twenty the table is that of the night before. Worlds differ
in what happens in night 30:

* ``quiet``: nothing;
* ``noise``: labels of 15 % of all rows, those to come included, change places, and stay so;
* ``slow``: the same of 1 % more with each night;
* ``shift``: the column that matters most loses its meaning (its values change places), in 3 % more rows each night;
* ``burst``: labels of 30 % change places for two nights;
* ``columns``: a column of noise joins the table for good, and another one is missing for five nights.

Beside the rules stands what people write by hand: deliver the best of every night by its mean; wake somebody where its
score is under last night's by more than a threshold, which is set, for each table, to the rate of false alarms that the
chart has on its nights without an event. What is true is measured on folds of other seeds: whether a configuration is
worse than the one that it replaced (12 seeds), and, every tenth night, how far what either rule delivers is from the
best of all that were ever delivered (that one chosen on other seeds). The size of an event is the default's loss by it
on the same folds, in errors of a night's drift.

``--out FILE`` keeps a line for each world; what it has is not done again. A world takes about a minute of one core.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tables import BUNDLED, ROOT
from threadpoolctl import threadpool_limits

import lrtune
from lrtune.experiment import load_text
from lrtune.nights.control import NightDrift, chart, links
from lrtune.run.folder import open_run
from lrtune.space.trial import Configuration
from lrtune.trainers.contract import Work
from lrtune.trainers.population import run_block
from lrtune.trainers.preparation import prepare

NIGHTS, EVENT, ROWS = 60, 30, 1200
DEAD = 0.05
KINDS = {"quiet": 0, "noise": 3, "slow": 10, "shift": 10, "burst": 2, "columns": 5}
"""What may happen, and within how many nights it is to be told."""

USUAL = ("penguins", "breast_cancer", "concrete", "wine", "digits", "hpc_jobs", "birdstrikes")
TRUE, EVERY = 12, 10
EXPERIMENT = """
data: {{path: '{path}', target: '{target}', test_size: 0}}
model: {{hidden: [16]}}
training: {{epochs: 5, batch_size: 64}}
search: {{strategy: random, trials: 8, folds: 3, seed: {seed}, control: false, workers: 1}}
space:
  learning_rate: {{low: 1e-3, high: 1.0, scale: log}}
  optimizer: [sgd, momentum, adam, rmsprop]
  decay: [constant, linear, cosine]
"""


class World:
    """A table that grows, and what happens to it."""

    def __init__(self, frame: pl.DataFrame, target: str, kind: str, seed: int) -> None:
        rng = np.random.default_rng([seed, len(frame), list(KINDS).index(kind)])
        self.target, self.kind = target, kind
        self.frame = frame[rng.permutation(len(frame))[:ROWS].tolist()]
        size = len(self.frame)
        self.exchanged = rng.permutation(size)  # which row's cell stands in a row that is damaged
        self.damaged = rng.permutation(size) / size  # it is, where this is below the share of the night
        self.dead = rng.random(NIGHTS) < DEAD
        self.noise = rng.normal(size=size)
        self.victim = _telling(self.frame, target)

    def rows(self, night: int) -> int:
        """Count the rows of a night, numbered from 0."""
        while night and self.dead[night]:
            night -= 1
        return len(self.frame) // 2 + (len(self.frame) - len(self.frame) // 2) * night // (NIGHTS - 1)

    def table(self, night: int, rows: int | None = None, *, kind: str | None = None) -> pl.DataFrame:
        """Make the table of a night; or so many rows as they would be in it, in a world of some kind."""
        since, kind = night - EVENT + 1, kind or self.kind
        while night and self.dead[night] and rows is None:
            night, since = night - 1, since - 1
        frame = self.frame
        share = {"noise": 0.15, "slow": 0.01 * since, "shift": 0.03 * since, "burst": 0.3}.get(kind, 0.0)
        if since > 0 and share and (kind != "burst" or since <= KINDS["burst"]):
            frame = self.exchange(frame, self.victim if kind == "shift" else self.target, share)
        if since > 0 and kind == "columns":
            frame = frame.with_columns(pl.Series("added", self.noise))
            frame = frame.drop(self.victim) if since <= KINDS["columns"] else frame
        return frame.head(self.rows(night) if rows is None else rows)

    def exchange(self, frame: pl.DataFrame, column: str, share: float) -> pl.DataFrame:
        """Put cells of other rows into a share of the rows."""
        places = np.where(self.damaged < share, self.exchanged, np.arange(len(frame)))
        return frame.with_columns(frame[column][places.tolist()])


def _telling(frame: pl.DataFrame, target: str) -> str:
    """Name the column of numbers whose ranks go most with those of the target."""
    order = frame[target].rank("dense") if frame[target].dtype.is_numeric() else frame[target].cast(pl.Categorical)
    numbers = np.asarray(order.to_physical() if order.dtype == pl.Categorical else order, dtype=float)
    named = [each for each in frame.columns if each != target and frame[each].dtype.is_numeric()]
    strength = {
        each: abs(np.corrcoef(frame[each].rank().fill_null(strategy="mean").to_numpy(), numbers)[0, 1])
        for each in named
        if frame[each].n_unique() > 2
    }
    return max(strength, key=lambda each: np.nan_to_num(strength[each]))


def true_scores(path: Path, target: str, points: list[Configuration], seeds: range) -> np.ndarray:
    """Score configurations on folds of other seeds: oriented means (seeds, configurations), NaN where one diverged."""
    found = []
    for seed in seeds:
        experiment = load_text(EXPERIMENT.format(path=path, target=target, seed=10_000 + seed), name="nights")
        outcomes = run_block(prepare(experiment).setting, Work([experiment.configuration(each) for each in points]))
        found.append([np.mean([np.nan if each is None else each for each in outcome.scores]) for outcome in outcomes])
    return np.array(found)


def live(world: World, place: Path) -> dict[str, Any]:
    """Live through a world; gives what was seen of each night, and what was true of it."""
    path, file = place / "tonight.csv", place / "nightly.yaml"
    file.write_text(EXPERIMENT.format(path=path, target=world.target, seed=0), encoding="utf-8")
    nights: list[dict[str, Any]] = []
    delivered: Configuration = {}
    by_hand: Configuration = {}
    held: list[tuple[Configuration, Configuration]] = []
    folder = place
    for night in range(NIGHTS):
        world.table(night).write_csv(path)
        before = folder
        with contextlib.chdir(place):
            found = lrtune.search(file, nights=place / "champions", report=False)
            folder = place / found.folder
        if before not in (folder, place):
            shutil.rmtree(before)
        run, nightly = open_run(folder), found.nightly
        assert nightly is not None
        best = run.ranked[0].configuration
        chosen = best if nightly.outcome in ("first", "refused") else delivered
        if nightly.promoted:
            chosen = run.trial((nightly.challenger or (found.best.number,))[0]).configuration
        said: dict[str, Any] = {"hand": run.ranked[0].mean, "by_hand": None, "by_rule": None}
        if nightly.outcome != "unchanged":
            for key, new, old in (("by_hand", best, by_hand), ("by_rule", chosen, delivered)):
                if old and new != old:
                    scores = true_scores(path, world.target, [new, old], range(TRUE))
                    said[key] = float(np.nan_to_num(scores[:, 0] - scores[:, 1], nan=-1.0).mean())
            delivered, by_hand = chosen, best
        held.append((delivered, by_hand))
        nights.append(
            {
                **said,
                "outcome": nightly.outcome,
                "drift": nightly.drift.mean if nightly.drift else None,
                "low": nightly.drift.low if nightly.drift else None,
                "high": nightly.drift.high if nightly.drift else None,
                "error": nightly.drift.error if nightly.drift else None,
                "trained": nightly.trained,
            }
        )
    return {"nights": nights, **_truth(world, path, held)}


def _truth(world: World, path: Path, held: list[tuple[Configuration, Configuration]]) -> dict[str, Any]:
    """Measure how far both rules are from the best, and how large the event was."""
    space = load_text(EXPERIMENT.format(path=path, target=world.target, seed=0), name="nights").space
    pool = list({space.key(each): each for pair in held for each in pair}.values())
    keys = [space.key(each) for each in pool]
    regrets = []
    for night in range(EVERY - 1, NIGHTS, EVERY):
        world.table(night).write_csv(path)
        scores = np.nan_to_num(true_scores(path, world.target, pool, range(4)), nan=-1e3)
        best = int(scores[:2].mean(axis=0).argmax())
        after = scores[2:].mean(axis=0)
        regrets.append([float(after[best] - after[keys.index(space.key(each))]) for each in held[night]])
    last = EVENT + KINDS[world.kind] - 1
    means = []
    for kind in ("quiet", world.kind):
        world.table(last, world.rows(last), kind=kind).write_csv(path)
        means.append(true_scores(path, world.target, [space.default()], range(TRUE)).mean())
    return {"regrets": regrets, "loss": float(means[0] - means[1])}


def tables_of(folder: Path | None, targets: dict[str, str]) -> dict[str, tuple[pl.DataFrame, str]]:
    """Read tables: those that come with lrtune, or the files of a folder (target: ``class`` unless it is named)."""
    if folder is None:
        return {name: (_read(ROOT / "datasets" / f"{name}.csv"), BUNDLED[name]) for name in USUAL}
    files = sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")])
    return {(name := each.name.partition(".")[0]): (_read(each), targets.get(name, "class")) for each in files}


def _read(path: Path) -> pl.DataFrame:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return pl.read_csv(content, infer_schema_length=None)


def alarms(nights: list[dict[str, Any]]) -> np.ndarray:
    """Say on which nights the chart is out of control, by the rules as they are now; a repeated table is no alarm."""
    told, elected = [], False
    for number, each in enumerate(nights):
        repeats, promoted = each["outcome"] == "unchanged", each["outcome"] not in ("unchanged", "kept", "same")
        drift = (each["drift"], each["high"], each["error"])
        told.append(NightDrift(number, *drift, repeats=repeats, promoted=promoted, compared=elected))
        elected = elected if repeats else promoted
    found = chart(links(told))
    return np.array([each is not None and each.is_out and not n.repeats for each, n in zip(found, told, strict=True)])


def intervals(lines: list[dict[str, Any]]) -> None:
    """Print how many drifts of calm nights lie outside of what is said of them, but for those after an election."""
    print(f"\n  {'drifts of calm nights':22} {'nights':>7} {'outside of two errors':>22} {'of the interval':>16}")
    for table in sorted({each["table"] for each in lines}):
        known, elected = [], False
        for line in (each for each in lines if each["table"] == table):
            for each in line["nights"][: _calm(line["kind"]).stop]:
                if each["drift"] is not None and not elected:
                    known.append([abs(each["drift"]) > 2.0 * each["error"], not each["low"] <= 0.0 <= each["high"]])
                if each["outcome"] != "unchanged":
                    elected = each["outcome"] not in ("kept", "same")
        wide, outside = 100 * np.mean(known, axis=0)
        print(f"  {table:22} {len(known):7} {wide:20.1f} % {outside:14.1f} %")


def report(lines: list[dict[str, Any]]) -> None:
    """Print what both rules came to, over all worlds of a kind."""
    for line in lines:
        line["alarms"] = alarms(line["nights"])
    thresholds, rates = {}, {}
    for table in {each["table"] for each in lines}:
        calm = [each for each in lines if each["table"] == table]
        steps = np.concatenate([_steps(each)[_calm(each["kind"])] for each in calm])
        rates[table] = float(np.mean(np.concatenate([each["alarms"][_calm(each["kind"])] for each in calm])))
        thresholds[table] = -float(np.quantile(steps, rates[table]))
    for line in lines:
        line["woken"] = _steps(line) < -thresholds[line["table"]]
    print(f"{len(lines)} worlds of {NIGHTS} nights; {len(rates)} tables")
    for name, key in (("chart", "alarms"), ("by hand", "woken")):
        print(f"  false alarms, {name:8} {100 * np.mean([_rate(each, key) for each in lines]):.1f} % of calm nights")
    print("  " + ", ".join(f"{table} {100 * rates[table]:.1f} %" for table in sorted(rates)))
    intervals(lines)
    print(f"\n  {'told in time':10} {'nights':>9} {'size, errors':>22} {'chart':>9} {'by hand':>9}")
    for kind, within in KINDS.items():
        of = [each for each in lines if each["kind"] == kind]
        if of and within:
            sizes = [each["loss"] / statistics.median(n["error"] for n in each["nights"] if n["error"]) for each in of]
            told = [sum(bool(each[key][EVENT : EVENT + within].any()) for each in of) for key in ("alarms", "woken")]
            span = f"{statistics.median(sizes):.1f} ({min(sizes):.1f} to {max(sizes):.1f})"
            print(f"  {kind:10} {within:9} {span:>22} {told[0]:4} of {len(of)} {told[1]:4} of {len(of)}")
    bursts = [each for each in lines if each["kind"] == "burst"]
    if bursts:
        echo = [
            100 * np.mean([each[key][EVENT + 2 : EVENT + 7].mean() for each in bursts]) for key in ("alarms", "woken")
        ]
        print(f"  false, five nights after a burst: chart {echo[0]:.1f} %, by hand {echo[1]:.1f} %")
    print()
    for place, (name, key) in enumerate((("lower end above 0", "by_rule"), ("best mean", "by_hand"))):
        changes = [n[key] for each in lines for n in each["nights"] if n[key] is not None]
        wrong, count = sum(each < 0 for each in changes), sum(len(each["nights"]) for each in lines)
        regret = np.mean([_in_errors(each, [r[place] for r in each["regrets"]]) for each in lines])
        print(
            f"  {name:18} {len(changes) / len(lines):5.1f} changes a world, to a worse one on "
            f"{100 * wrong / count:.1f} % of the nights ({wrong} of {len(changes)}); "
            f"regret {regret:.2f} errors of a drift"
        )
    trained = [sum(n["trained"] for n in each["nights"]) for each in lines]
    idle = [sum(n["outcome"] == "unchanged" for n in each["nights"]) for each in lines]
    print(f"  trials trained in a world: {np.mean(trained):.0f}; nights that trained nothing: {np.mean(idle):.1f}")


def _calm(kind: str) -> slice:
    """Nights of a world in which nothing has happened yet; the first has nothing before it."""
    return slice(1, NIGHTS if kind == "quiet" else EVENT)


def _steps(line: dict[str, Any]) -> np.ndarray:
    """Give what tonight's best score is above last night's."""
    return np.diff([each["hand"] for each in line["nights"]], prepend=line["nights"][0]["hand"])


def _rate(line: dict[str, Any], key: str) -> float:
    return float(line[key][_calm(line["kind"])].mean())


def _in_errors(line: dict[str, Any], values: list[float]) -> float:
    return float(np.mean(values)) / statistics.median(each["error"] for each in line["nights"] if each["error"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="a folder of .csv or .csv.gz files")
    parser.add_argument("--targets", type=Path, help="a file with lines NAME COLUMN")
    parser.add_argument("--only", nargs="+", help="names of tables")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("nights.jsonl"), help="where lines go, and are read from")
    asked = parser.parse_args()
    named = dict(each.split() for each in asked.targets.read_text().splitlines()) if asked.targets else {}
    lines = [json.loads(each) for each in asked.out.read_text().splitlines()] if asked.out.is_file() else []
    done = {(each["table"], each["kind"], each["seed"]) for each in lines}
    tables = tables_of(asked.tables, named)
    cases = [
        (s, k, name) for s in asked.seeds for name in tables for k in asked.kinds if name in (asked.only or tables)
    ]
    with asked.out.open("a", encoding="utf-8") as file, threadpool_limits(1):
        for seed, kind, name in cases:
            if (name, kind, seed) in done:
                continue
            with tempfile.TemporaryDirectory() as place:
                lines.append(
                    {"table": name, "kind": kind, "seed": seed} | live(World(*tables[name], kind, seed), Path(place))
                )
            file.write(json.dumps(lines[-1]) + "\n")
            file.flush()
    report(lines)


if __name__ == "__main__":
    main()
