"""How good is what `lrtune finder --scaling` predicts? The study behind docs/research/finder.md.

At four sizes the best rate is found as the finder does it; the line through them predicts the rate of four times the
largest one. There the planned training is done on a factor-two grid of rates on the same folds, and tells what the
prediction was worth. Run it from the root of the repository; what it trained is kept in runs/scaling-study, one file
for each table, optimizer and kind of size, so that it goes on where it was ended.

    nice -n 10 python benchmarks/scaling.py [--tables FOLDER] [--targets FILE]

The tables are those of benchmarks/finder.py, at most 2,500 rows of each. For rows, a quarter of the table is the
largest measured size; for mini-batches it is an eighth of a fold or less; else it is the experiment's own.
"""

import argparse
import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
from finder import configuration, remembered, tables

from lrtune.arrays import one_blas_thread
from lrtune.finder import ScalingPlan, measured
from lrtune.finder.effort import horizon
from lrtune.finder.in_full import PlannedTraining, constant_losses
from lrtune.finder.sizes import SIZE_KINDS
from lrtune.finder.trends import tried
from lrtune.text.errors import LrtuneError

CACHE = Path("runs/scaling-study")
OPTIMIZERS = ("momentum", "adam")
FARTHER = 4
LEAST_ROWS, WIDE = 60, 32
NEAR = 0.5
"""Standard errors of the folds within which a rate of the grid counts as good as the best one."""


def sizes(kind, planned, setting):
    """Choose four sizes such that four times the largest one can be trained."""
    if kind.name == "rows":
        rows = kind.size(planned, setting)
        return [each for each in (rows // 32, rows // 16, rows // 8, rows // 4) if each >= LEAST_ROWS]
    if kind.name == "batch":
        largest = 2 ** int(math.log2(kind.most(planned, setting) / FARTHER))
        largest = min(largest, 4 * kind.size(planned, setting))
        return [largest // 8, largest // 4, largest // 2, largest]
    if kind.name == "width":
        largest = max(WIDE, kind.size(planned, setting))
        return [largest // 8, largest // 4, largest // 2, largest]
    return list(kind.usual(planned, setting))


def question(found, prepared, optimizer, kind):
    """Measure, predict, and train at four times the largest size."""
    planned, setting = configuration(found, optimizer, "linear"), prepared.setting
    try:
        own = kind.check(planned, setting, sizes(kind, planned, setting))
    except LrtuneError as error:
        return {"left_out": str(error)}
    target = FARTHER * own[-1]
    plan = ScalingPlan(found, prepared, kind, (optimizer,), (planned,), own, (target,))
    (curve,) = measured(plan).curves
    if curve.trend is None:
        return {"left_out": curve.status}
    there, their_setting = kind.sized(planned, setting, target)
    training = PlannedTraining(there, their_setting, constant_losses(their_setting), horizon(there, their_setting))
    predicted = curve.predicted[0]
    truth = tried(lambda rates: training.train(rates, slice(0, None)), predicted.rate, (1e-5, 10.0))
    return {
        "sizes": own,
        "best": [each.best for each in curve.sizes],
        "losses": [each.runs.losses.tolist() for each in curve.sizes],
        "rates": [each.runs.rates.tolist() for each in curve.sizes],
        "constants": [each.runs.constant.tolist() for each in curve.sizes],
        "exponent": curve.trend.exponent,
        "interval": curve.trend.interval,
        "verdict": curve.trend.verdict,
        "target": target,
        "predicted": predicted.rate,
        "predicted_interval": predicted.interval,
        "truth_rates": truth.rates.tolist(),
        "truth_losses": truth.bounded.tolist(),
    }


def worth(rate, rates, losses):
    """Compare a rate with the best of the grid: the ratio of losses, and their difference in standard errors."""
    means = losses.mean(axis=0)
    best = int(np.argmin(means))
    error = losses[:, best].std(ddof=1) / math.sqrt(len(losses))
    here = float(np.interp(math.log(rate), np.log(rates), means)) if rates[0] <= rate <= rates[-1] else math.inf
    return here / means[best], (here - means[best]) / error


def as_good(rates, losses):
    """List the best rate of the grid, and those within half a standard error of it."""
    means = losses.mean(axis=0)
    best = int(np.argmin(means))
    return rates[means <= means[best] + NEAR * losses[:, best].std(ddof=1) / math.sqrt(len(losses))]


def judged(said):
    """Judge one answer: the prediction, the rules, and both intervals."""
    rates, losses = np.array(said["truth_rates"]), np.array(said["truth_losses"])
    last, target = said["sizes"][-1], said["target"]
    good = as_good(rates, losses)
    exponents = np.log(good / said["best"][-1]) / math.log(target / last)
    low, high = said["interval"]
    lowest, highest = said["predicted_interval"]
    return {
        "prediction": worth(said["predicted"], rates, losses),
        "exponent covered": bool(low <= exponents.max() and high >= exponents.min()),
        "rate covered": bool(lowest <= good.max() and highest >= good.min()),
        **{
            rule: worth(said["best"][-1] * (target / last) ** power, rates, losses)
            for rule, power in {"-1": -1.0, "-0.5": -0.5, "-0.32": -0.32, "0": 0.0, "0.5": 0.5, "1": 1.0}.items()
        },
    }


def kept(name, make):
    """Compute a question once."""
    place = CACHE / f"{name}.json"
    if not place.exists():
        said = make()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(said))
    return json.loads(place.read_text())


def study(folder, targets):
    rows, left_out = [], []
    for name, make in tables(folder, targets).items():
        data = remembered(make)
        for optimizer, kind in itertools.product(OPTIMIZERS, SIZE_KINDS.values()):
            said = kept(
                f"{name}-{optimizer}-{kind.name}",
                lambda data=data, optimizer=optimizer, kind=kind: question(*data(), optimizer, kind),
            )
            if "left_out" in said:
                left_out.append((name, optimizer, kind.name, said["left_out"]))
                continue
            row = judged(said)
            rows.append((kind.name, optimizer, said, row))
            print(
                f"{name} {optimizer} {kind.name}: {said['exponent']:.2f} ({said['interval'][0]:.2f} .. "
                f"{said['interval'][1]:.2f}), {said['verdict']}; at {said['target']}: {said['predicted']:.3g}, ratio "
                f"{row['prediction'][0]:.3f}, {row['prediction'][1]:.2f} s.e., exponent "
                f"{'covered' if row['exponent covered'] else 'missed'}",
                file=sys.stderr,
                flush=True,
            )
    report(rows, left_out)


def report(rows, left_out):
    print("| | answers | within one s.e. | ratio: median (90 %) | exponent covered | rate covered |")
    print("|---|--:|--:|--:|--:|--:|")
    for kind in (*SIZE_KINDS, None):
        own = [row for name, _, _, row in rows if kind in (name, None)]
        if own:
            covered = [f"{np.mean([row[key] for row in own]):.0%}" for key in ("exponent covered", "rate covered")]
            print(f"| {kind or 'all'} | {len(own)} | {' | '.join([*summary(own, 'prediction'), *covered])} |")
    print("\n| | exponent: median (quartiles) | falls, rises, stays, untold |")
    print("|---|--:|--:|")
    for kind, optimizer in itertools.product(SIZE_KINDS, OPTIMIZERS):
        own = [said for name, other, said, _ in rows if (name, other) == (kind, optimizer)]
        if own:
            low, middle, high = np.quantile([each["exponent"] for each in own], (0.25, 0.5, 0.75))
            counts = [sum(each["verdict"] == one for each in own) for one in ("falls", "rises", "stays", "untold")]
            print(f"| {kind}, {optimizer} | {middle:.2f} ({low:.2f} .. {high:.2f}) | {', '.join(map(str, counts))} |")
    print("\n| | rule | within one s.e. | ratio: median (90 %) |")
    print("|---|---|--:|--:|")
    for kind, entry in SIZE_KINDS.items():
        own = [row for name, _, _, row in rows if name == kind]
        for rule in entry.rules if own else ():
            print(f"| {kind} | {rule.name} | {' | '.join(summary(own, f'{rule.exponent:g}'))} |")
    for name, optimizer, kind, why in left_out:
        print(f"left out: {name}, {optimizer}, {kind}: {why}", file=sys.stderr)


def summary(rows, key):
    ratio, errors = np.array([row[key] for row in rows]).T
    return f"{(errors < 1).mean():.0%}", f"{np.median(ratio):.3f} ({np.quantile(ratio, 0.9, method='nearest'):.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--targets", type=Path)
    asked = parser.parse_args()
    with one_blas_thread():
        study(asked.tables, asked.targets)
