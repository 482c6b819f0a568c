"""What the tests notice: small faults are put into the formulas, one at a time.

    python tests/durability/faults.py [--only PART]

Each fault replaces one piece of a file of the package; the tests beside it run, and the file is put back, after Ctrl-C
as well. A fault is *killed* when a test fails and *survives* when none does: then a test is missing. ``--only
range_test`` takes the faults with this in their name or file; all of them take about half an hour. A fault that nobody
could notice, because nothing behaves otherwise, does not belong here.

It says what became of each, then what is wrong, which is the exit code as well: a survivor, tests that fail without a
fault, or a piece that is not in its file exactly once because the line has changed.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from patience import PATIENCE

ROOT = Path(__file__).parents[2]
KILLED, SURVIVED = "killed", "survived"


class Fault(NamedTuple):
    """One piece of a file and what stands there instead."""

    file: str
    name: str
    old: str
    new: str
    tests: tuple[str, ...]


def of(file: str, tests: str, faults: dict[str, tuple[str, str]]) -> list[Fault]:
    """Make the faults of a file that the same tests should notice."""
    named = tuple(f"tests/{each}" for each in tests.split())
    return [Fault(f"lrtune/{file}", name, old, new, named) for name, (old, new) in faults.items()]


FAULTS = [
    *of(
        "arrays.py",
        "test_arrays.py",
        {"two purposes share their streams": ("DROPOUT = 3", "DROPOUT = 2")},
    ),
    *of(
        "training/population.py",
        "training/test_population.py",
        {
            "folds of fewer steps read other rates": (
                "row = first * plan.steps[0] + step",
                "row = first * plan.steps[-1] + step",
            ),
            "a divergence is dated an epoch late": (
                "_mark_diverged(population, epoch + 1)",
                "_mark_diverged(population, epoch + 2)",
            ),
            "one lane's end is its configuration's": (
                "(population.diverged == 0).any(axis=1)",
                "(population.diverged == 0).all(axis=1)",
            ),
        },
    ),
    *of(
        "training/averaging.py",
        "training/test_averaging.py",
        {
            "the average never gets long": ("weight + 1.0 / _EARLY, run.largest", "weight, run.largest"),
            "the average forgets more slowly": ("math.log(2.0) / (half_life * steps)", "1.0 / (half_life * steps)"),
            "a dead lane keeps an average": ("average.total[dead[asks]] = np.nan", "average.total[dead[asks]] *= 1.0"),
            "the average is of the points that are trained": (
                "run.optimizer.evaluated(run.parameters[:, :k], tuple(each[:, :k] for each in run.state))",
                "run.parameters[:, :k]",
            ),
        },
    ),
    *of(
        "training/dropout.py",
        "training/test_population.py",
        {
            "dropout does not scale up": ("gates *= 1.0 / (1.0 - lanes)", "gates *= 1.0"),
            "dropout keeps what it should drop": (
                "np.greater_equal(uniforms, lanes, out=gates)",
                "np.less(uniforms, lanes, out=gates)",
            ),
        },
    ),
    *of(
        "training/steps.py",
        "training/test_population.py",
        {
            "smoothing goes to the other classes": (
                "batch.weights / self._network.classes",
                "batch.weights / (self._network.classes - 1)",
            ),
        },
    ),
    *of(
        "training/treatments.py",
        "training/test_population.py training/test_optimizers.py",
        {
            "the margin of clipping is large": ("_CLIP_MARGIN = 1e-6", "_CLIP_MARGIN = 1e-3"),
            "decoupled decay forgets the rate": ("1.0 - lanes.rates * lanes.amounts", "1.0 - lanes.amounts"),
        },
    ),
    *of(
        "training/updates.py",
        "training/test_optimizers.py",
        {
            "epsilon is under the root": (
                "np.sqrt(square, out=scratch)\n    scratch += epsilon.astype(scratch.dtype, copy=False)",
                "np.sqrt(square + epsilon.astype(scratch.dtype, copy=False), out=scratch)",
            ),
            "the newest square is forgotten as well": (
                "total *= keep\n    total += scratch",
                "total += scratch\n    total *= keep",
            ),
            "a momentum that is cycled is the factor": (
                "values.factors[name] if values.momentum is None else values.momentum",
                "values.factors[name] if name in values.factors else values.momentum",
            ),
        },
    ),
    *of(
        "training/optimizers/adam_family.py",
        "training/test_optimizers.py",
        {
            "no correction of the mean square": (
                "np.sqrt((1.0 - power2) / (1.0 - beta2))",
                "np.sqrt(1.0 / (1.0 - beta2))",
            ),
            "no correction of the mean": ("weight / (1.0 - power1)", "weight"),
            "RAdam rectifies too early": ("_RECTIFIED_ABOVE = 5.0", "_RECTIFIED_ABOVE = 4.0"),
            "NAdam looks ahead by the momentum of now": (
                "(1.0 - beta1) / (1.0 - product * later)",
                "(1.0 - beta1) / (1.0 - product * now)",
            ),
        },
    ),
    *of(
        "training/optimizers/adaptive.py",
        "training/test_optimizers.py",
        {
            "epsilon of RMSprop is not scaled": (
                'epsilon, rate = values.factors["epsilon"] * scale, values',
                'epsilon, rate = values.factors["epsilon"], values',
            ),
            "epsilon of Adadelta is not scaled": (
                'epsilon = values.factors["epsilon"] / (1.0 - rho)',
                'epsilon = values.factors["epsilon"]',
            ),
        },
    ),
    *of(
        "training/optimizers/schedule_free.py",
        "training/test_optimizers.py",
        {"weights are rates, not their squares": ("total += largest * largest", "total += largest")},
    ),
    *of(
        "training/optimizers/prodigy.py",
        "training/test_optimizers.py",
        {"the distance is averaged as the squares are": ("beta3 = np.sqrt(double(", "beta3 = np.square(double(")},
    ),
    *of(
        "training/optimizers/muon.py",
        "training/test_muon.py",
        {
            "the last layer is a matrix, too": ("in layers[:-1]:", "in layers:"),
            "steps do not look ahead": ("ahead += given[lanes]", "ahead *= 1.0"),
            "the scale is that of the shorter side": ("math.sqrt(max(rows, columns))", "math.sqrt(min(rows, columns))"),
            "a schedule's momentum is Adam's": ("momentum=None, rate_factors=own", "rate_factors=own"),
            "Adam has the rate of the matrices": ('values.rate * values.factors["adam_factor"]', "values.rate"),
            "one iteration less": ("in range(ITERATIONS):", "in range(ITERATIONS - 1):"),
        },
    ),
    *of(
        "training/rate_factors.py",
        "training/test_rate_factors.py",
        {
            "the first layer of a linear model is the first": (
                "if place == layers - 1:",
                "if place and place == layers - 1:",
            ),
            "biases are weights": ('layer[:, -1] = given["bias"]', "pass"),
        },
    ),
    *of(
        "training/updates.py",
        "training/test_rate_factors.py",
        {
            "weight decay has the rate of the lane": (
                "values.rate if values.rate_factors is None else values.rate * values.rate_factors",
                "values.rate",
            ),
        },
    ),
    *of(
        "training/optimizers/natural_gradient.py",
        "training/test_natural_gradient.py",
        {
            "averages are not corrected for their start": (
                "average[part] / weight[part][..., None]",
                "average[part] / 1.0",
            ),
            "the step is clipped too much": ("np.sqrt(limit / np.abs(length))", "limit / np.abs(length)"),
            "damping is split by the ratio": ("ratio = np.sqrt(inputs / outputs)", "ratio = inputs / outputs"),
            "inverses are due when averages are": (
                '_due(count, values.factors["inverse_every"])',
                '_due(count, values.factors["curvature_every"])',
            ),
        },
    ),
    *of(
        "training/schedules.py",
        "training/test_schedules.py",
        {
            "a warm-up is cut to whole steps": ("math.floor(fraction * total + 0.5)", "math.floor(fraction * total)"),
            "a warm-up ends a step late": ("max(steps - 1, 1)) if start is None", "max(steps, 1)) if start is None"),
            "the decay loses its first update": ("rising = update < warm", "rising = update <= warm"),
            "the decay has the whole horizon": ("return (steps * epochs - warm) / steps", "return float(epochs)"),
            "warm-ups share their curve": ('startswith(("decay", "warmup"))', 'startswith("decay")'),
            "a part of the table is one of the start": (
                "np.arange(start * steps, stop * steps",
                "np.arange((stop - start) * steps",
            ),
            "the momentum does not wait": (
                "_after_warmup(cycle, _updates(count, start, stop), warm, count, epochs)",
                "_after_warmup(cycle, _updates(count, start, stop), 0, count, epochs)",
            ),
            "a momentum that is not cycled is none": (
                "momenta[...] = fixed_momentum(configuration)",
                "momenta[...] = 0.0",
            ),
            "beta1 is not kept": ('("optimizer.momentum", "optimizer.beta1")', '("optimizer.momentum",)'),
        },
    ),
    *of(
        "training/decays/functions.py",
        "training/test_schedules.py",
        {
            "one drop too many leads to the end": (
                "inside = math.ceil(horizon / length - TOLERANCE) - 1",
                "inside = math.ceil(horizon / length - TOLERANCE)",
            ),
            "peaks fall below the end": (
                "peaks = np.maximum(peak_decay ** np.arange(len(starts), dtype=np.float64), final)",
                "peaks = peak_decay ** np.arange(len(starts), dtype=np.float64)",
            ),
            "a milestone comes an update late": (
                'epoch + TOLERANCE, side="right").astype',
                'epoch - TOLERANCE, side="right").astype',
            ),
            "a join begins its second part late": (
                "before = epoch < boundary - TOLERANCE",
                "before = epoch <= boundary",
            ),
        },
    ),
    *of(
        "training/losses.py",
        "training/test_losses.py",
        {
            "a square is not halved": (
                "0.5 * np.sum(difference * difference, axis=-2)",
                "np.sum(difference * difference, axis=-2)",
            ),
            "the log loss overflows": ("np.logaddexp(0.0, z) - targets", "np.log1p(np.exp(z)) - targets"),
            "the squared gradient has its weight twice": (
                "outputs *= weights\n    outputs -= targets",
                "outputs -= targets\n    outputs *= weights",
            ),
        },
    ),
    *of(
        "training/batches.py",
        "training/test_batches.py",
        {
            "every epoch has the same order": ("stream(seed, ORDER, fold, epoch)", "stream(seed, ORDER, fold)"),
            "many empty rows": ("_GRANULE = 16", "_GRANULE = 64"),
            "shares count rows, not weights": (
                "totals = weights.sum(axis=-1, keepdims=True)",
                "totals = (weights > 0.0).sum(axis=-1, keepdims=True)",
            ),
        },
    ),
    *of(
        "training/feedback.py",
        "training/test_feedback.py",
        {
            "a fifth is held out": ("SHARE = 0.1", "SHARE = 0.2"),
            "patience is an epoch short": ("counts & (bad > rules.patience)", "counts & (bad >= rules.patience)"),
            "a cut comes an epoch early": ("scales[cut, epoch + 1 :]", "scales[cut, epoch:]"),
            "counting begins an epoch late": (
                "np.maximum(np.array(table, np.int64) - 1, 0)",
                "np.maximum(np.array(table, np.int64), 0)",
            ),
            "the upper one of two folds": ("ranked[(len(ranked) - 1) // 2]", "ranked[len(ranked) // 2]"),
            "held-out rows weigh alike": (
                "table.wanted(rows), own / own.sum())",
                "table.wanted(rows), np.full(len(rows), 1.0 / max(len(rows), 1)))",
            ),
            "rows of weight 0 are held out": (
                "order = order[table.weights[order] > 0.0]",
                "order = order[table.weights[order] >= 0.0]",
            ),
        },
    ),
    *of(
        "training/wall_clock.py",
        "training/test_wall_clock.py",
        {
            "a warm-up costs nothing": (
                "np.array(elapsed - begun), budget - begun)",
                "np.array(elapsed - begun), budget)",
            ),
            "the clock is asked an update late": ("if update >= lane.warm and", "if update > lane.warm and"),
        },
    ),
    *of(
        "training/range_test.py",
        "training/test_range_test.py",
        {
            "a lane explodes ten times later": ("EXPLODED = 3.0", "EXPLODED = 30.0"),
            "what there was to gain is what was gained": (
                "np.maximum(self._begin - self._best, self._unit)",
                "self._begin - self._best",
            ),
            "short runs fall to zero before their end": (
                "1.0 - np.arange(updates) / updates",
                "1.0 - np.arange(updates) / max(updates - 1, 1)",
            ),
            "repetitions share streams with other folds": ("REPETITION = 2**20", "REPETITION = 1"),
            "the first validation rows": (
                "stream(seed, VALIDATION, fold.index).permutation(rows)[:most]",
                "np.arange(rows)[:most]",
            ),
            "a dead lane rises again": ("self.alive &= losses <= limit", "self.alive = losses <= limit"),
        },
    ),
    *of(
        "training/metrics/functions.py",
        "training/test_metrics.py",
        {
            "ties count nothing": (
                'np.searchsorted(outside, inside, side="right").sum()',
                'np.searchsorted(outside, inside, side="left").sum()',
            ),
            "the variance is that of a sample": (
                "np.square(targets - targets.mean()).mean()",
                "np.square(targets - targets.mean()).sum() / (len(targets) - 1)",
            ),
            "a class never hit does not count": (
                "return _mean_where(values, occurrences > 0.0)",
                "return _mean_where(values, values > 0.0)",
            ),
        },
    ),
    *of(
        "training/metrics/weighted.py",
        "training/test_weighted.py",
        {
            "members and others are swapped": (
                "np.where(members[label], share, 1.0 - share)",
                "np.where(members[label], 1.0 - share, share)",
            ),
            "one class is enough": ("_where(classes_drawn > 1,", "_where(classes_drawn > 0,"),
            "ties count as won": ("np.cumsum(counts) - counts / 2.0", "np.cumsum(counts) - counts / 1.0"),
        },
    ),
    *of(
        "training/metrics/rows.py",
        "test_pruning.py",
        {
            "rare classes weigh too much": (
                "targets.size / counts.size / counts[inverse]",
                "targets.size / counts[inverse] ** 2",
            )
        },
    ),
    *of(
        "sampling/gaussian_process.py",
        "sampling/test_gaussian_process.py",
        {
            "the kernel is another one": (
                "(1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled))",
                "(1.0 + scaled + scaled**2 / 5.0) * np.exp(-scaled))",
            ),
            "length scales do not grow with dimensions": (
                "prior.length + 0.5 * math.log(max(count, 1))",
                "prior.length",
            ),
            "the offset has no variance": (
                "variance = OFFSET + process.hyperparameters.signal -",
                "variance = process.hyperparameters.signal -",
            ),
            "the prior's slope is that of a deviation of 1": ("standard / deviation - gradient", "standard - gradient"),
            "only the prior's mode is climbed from": (
                "unpack(min(results, key=lambda each: each.fun).x)",
                "unpack(results[0].x)",
            ),
        },
    ),
    *of(
        "sampling/acquisition.py",
        "sampling/test_gaussian_process.py",
        {
            "samples add up": ("logsumexp(logs, axis=1) - math.log(means.shape[1])", "logsumexp(logs, axis=1)"),
            "the far tail begins too near": ("np.where(far < -1e3,", "np.where(far < -1e1,"),
            "a deviation is a variance": ("deviation = np.sqrt(variance)[:, None]", "deviation = variance[:, None]"),
        },
    ),
    *of(
        "sampling/surrogate.py",
        "sampling/test_surrogate.py",
        {
            "a new point varies by its variance": (
                "+ deviation * white]",
                "+ deviation**2 * white]",
            ),
            "samples ignore what was seen": (
                "posterior = prior - prior @ noisy.weights(prior)",
                "posterior = prior.copy()",
            ),
            "the best ones are not kept": ("order = np.argsort(-values, kind", "order = np.argsort(values, kind"),
        },
    ),
    *of(
        "sampling/scores.py",
        "sampling/test_scores.py sampling/test_short_horizons.py",
        {
            "the folds' effects cost no freedom": (
                "(finite.sum(1) - 1).sum() - (kept.shape[1] - 1)",
                "(finite.sum(1) - 1).sum()",
            ),
            "the noise of a mean is that of a fold": ("None if noise is None else noise / table.shape[1]", "noise"),
            "the noise is of the worse half": (
                "scores >= np.median(scores[usable])",
                "scores <= np.median(scores[usable])",
            ),
            "the noise is on another scale": ("found.noise / scale**2,", "found.noise / scale,"),
            "the doubt has a freedom too many": ("np.var(gains, ddof=1)", "np.var(gains)"),
            "the shorter horizon counts": ("longest = min(scores)", "longest = max(scores)"),
            "ranks of the worse half are of no middles": ("ranks = ranks_of(scores) - 0.5", "ranks = ranks_of(scores)"),
        },
    ),
    *of(
        "data/compact.py",
        "data/test_compact.py",
        {"float32 keeps everything": ("moved <= TOLERANCE * (high - low)", "moved <= moved")},
    ),
    *of(
        "training/batches.py",
        "data/test_compact.py",
        {"rows that fill a mini-batch are encoded as the last one": ("flat[numbers == count] = 0.0", "")},
    ),
    *of(
        "training/outcomes.py",
        "training/test_outcomes.py",
        {"every piece is scored by the first targets": ("start += len(own)", "")},
    ),
    *of(
        "sampling/tpe.py",
        "sampling/test_tpe.py",
        {
            "widths shrink by another rule": ("-1.0 / (4 + axes)", "-1.0 / (1 + axes)"),
            "an option is as dense as all of them": (
                "(own == centre) * (1.0 - _OTHER_OPTION) * len(axis.options) + _OTHER_OPTION",
                "(own == centre) * (1.0 - _OTHER_OPTION) + _OTHER_OPTION",
            ),
            "normal distributions are not cut off": ("mass / (high - low) / whole", "mass / (high - low)"),
            "the prior is never drawn": ("rng.integers(len(parzen.points) + 1)", "rng.integers(len(parzen.points))"),
            "half of the history is good": ("math.ceil(math.sqrt(len(scored)))", "math.ceil(len(scored) / 2)"),
            "a round tells no lies": ("thin = joined(space, axes, thin, best)", ""),
        },
    ),
    *of(
        "sampling/regret.py",
        "sampling/test_regret.py",
        {
            "the error forgets the folds": ("1.0 + folds * rows_ratio", "1.0 + rows_ratio"),
            "the confidence is another": ("DELTA = 0.1", "DELTA = 0.01"),
            "the best trial is sure": ("float((seen - seen_width).max())", "float(seen.max())"),
        },
    ),
    *of(
        "sampling/quasirandom.py",
        "sampling/test_strategies.py",
        {
            "an option's coordinate is used again in it": ("row[start + 1 :]", "row[start:]"),
            "the sequence is the same for every seed": ("stream(seed, SAMPLING, 0, 1)", "stream(0, SAMPLING, 0, 1)"),
        },
    ),
    *of(
        "sampling/random_search.py",
        "sampling/test_strategies.py",
        {
            "a leftover has been tried": ("index += each <= index", "index += each < index"),
            "a repeated draw is repeated": (
                "space.sample(_stream(seed, number, attempt))",
                "space.sample(_stream(seed, number, 0))",
            ),
        },
    ),
    *of(
        "verdict/correction/core.py",
        "correction/test_bootstrap.py",
        {
            "kept rows count by their share": ("math.sqrt(observed.share)", "observed.share"),
            "rounding decides between equals": (
                "ahead + draws.chosen - others",
                "draws.levels + draws.chosen - level - others",
            ),
            "the folds have a freedom too many": (
                "t_quantile(len(mine) - 1) * corrected",
                "t_quantile(len(mine)) * corrected",
            ),
            "drawn rows are left out as well": ("(drawn == 0).astype(np.float32)", "(drawn <= 1).astype(np.float32)"),
        },
    ),
    *of(
        "nights/control.py",
        "nights/test_control.py",
        {
            "a median counts as sure as a mean": ("math.pi / 2.0 / count", "1.0 / count"),
            "the weighted mean is in deviations of many nights": ("(1.0 - (1.0 - WEIGHT) ** (2 * len(before)))", "1.0"),
            "the limit forgets the nights before": (
                "(-LIMIT * self.scale - (1.0 - WEIGHT) * self.carried)",
                "(-LIMIT * self.scale)",
            ),
            "a night as usual may be out of control": ("and distance < -OWN", ""),
            "a burst stays on the chart": ("(anew, struck) if", "(lasting, before) if"),
            "levels that wander are a drift": ("max(near, far) ** 2", "near**2"),
            "a night is surer than it says": ("max(usual, links[-1].error / math.sqrt(2.0))", "usual"),
        },
    ),
    *of(
        "nights/drift.py",
        "nights/test_drift.py",
        {
            "common rows count twice": ("2.0 * correlation", "4.0 * correlation"),
            "an interval has one end": ("(2.0 * NORMAL)", "NORMAL"),
        },
    ),
    *of(
        "nights/control.py",
        "nights/test_history.py nights/test_control.py",
        {"a rollback counts from the last night": ("levels.get(each.since, last)", "last")},
    ),
    *of(
        "verdict/correction/core.py",
        "correction/test_averages.py",
        {
            "a mean is expected to be worth what its first member is": (
                "whole + over_members(typical - plain, members",
                "whole + over_members(typical - plain, members[:, :1]",
            ),
            "a mean is chosen by what it has on all rows": (
                "chooser.ratio * (inside - whole)",
                "0.0 * (inside - whole)",
            ),
        },
    ),
    *of(
        "verdict/correction/averages.py",
        "correction/test_averages.py",
        {
            "the worst are averaged": ("np.argsort(-own, axis=1", "np.argsort(own, axis=1"),
            "other rows are those that were drawn": ("(drawn == 0).astype", "(drawn > 0).astype"),
            "members may be incomplete": ("np.where(evidence.complete, evidence.means, -np.inf)", "evidence.means"),
        },
    ),
    *of(
        "verdict/ensembles.py",
        "test_ensembles.py",
        {
            "of two means the larger one": ('(float(f"{each.mean:.12g}"), -len', "(-each.mean, -len"),
            "a rule that looks for something simple gets a mean": ("if made.rule.name != BEST:", "if False:"),
        },
    ),
    *of(
        "verdict/correction/intervals.py",
        "correction/test_bootstrap.py",
        {
            "the interval is that of 90 %": ("0.5 - LEVEL / 2)), float", "1.0 - LEVEL)), float"),
            "few units are the population": (" * math.sqrt(units / (units - 1)) if", " if"),
            "equal gains count as won": ("np.mean(gains == 0.0) / 2", "np.mean(gains == 0.0)"),
        },
    ),
    *of(
        "verdict/correction/evidence.py",
        "correction/test_bootstrap.py",
        {
            "large folds count more": ("total(part)[:, 0] / np.float64(part.shape[1])", "total(part)[:, 0]"),
            "what is dropped is moved the other way": ("start + _medians(", "start - _medians("),
        },
    ),
    *of(
        "verdict/correction/race.py",
        "correction/test_bootstrap.py",
        {
            "no exception speaks against the best": ("np.minimum(against, -typical)", "-typical"),
            "one unseen row is counted": ("total / (rows + 2.0 * size)", "total / (rows + size)"),
            "one unit more is asked for": ("drawn.sum(axis=1) < LEAST_UNITS", "drawn.sum(axis=1) <= LEAST_UNITS"),
            "entrants are those that run": ("entrants.sum(axis=1)", "entrants[:, running].sum(axis=1)"),
        },
    ),
    *of(
        "verdict/picking.py",
        "test_rules.py test_selection.py",
        {
            "the standard error has a freedom too many": (
                "squares / np.maximum(count - 1, 1) /",
                "squares / np.maximum(count, 1) /",
            ),
            "within a share of a negative score": ("share * np.abs(top)", "share * top"),
            "a score that is not there is worth 0": (
                "np.where(finite, means, smoothing.means)",
                "np.where(finite, means, 0.0)",
            ),
        },
    ),
    *of(
        "verdict/choice/candidates.py",
        "test_rules.py",
        {"weights are read the other way": ("@ self.weights.T", "@ self.weights")},
    ),
    *of(
        "verdict/choice/rules.py",
        "test_selection.py test_rules.py",
        {
            "the larger rate is simpler": ("float(rate) if rate else 0.0", "-float(rate) if rate else 0.0"),
            "a linear model has hidden units": (
                'if configuration.get("model") != "linear" else None',
                'if configuration.get("model") else None',
            ),
        },
    ),
    *of(
        "verdict/races.py",
        "test_pruning.py",
        {
            "the limit forgets its own configuration": (
                "1.0 - RISK / look.looks / max(look.rivals - 1, 1)",
                "1.0 - RISK / look.looks / look.rivals",
            ),
            "looking often costs nothing": ("1.0 - RISK / look.looks / max", "1.0 - RISK / max"),
            "the gain is that of one fold": ("WORTH * math.sqrt(look.seen)", "WORTH"),
            "the gain counts the losses as well": (
                "/ math.sqrt(2.0 * math.pi) - lead * _normal(-lead)",
                "/ math.sqrt(2.0 * math.pi) - lead",
            ),
            "the analysis has another freedom": (
                "freedom = (folds - 1) * (len(better) - 1)",
                "freedom = folds * (len(better) - 1)",
            ),
            "a difference has one error": (
                "2.0 * float(np.square(residuals).sum())",
                "float(np.square(residuals).sum())",
            ),
            "unseen units are of one row": ("[sizes.mean()] * 2", "[1.0] * 2"),
            "a third is cut down": ("-(-len(values) // ETA)", "len(values) // ETA"),
            "the shortest horizon is too short": ("epochs >= LEAST_EPOCHS * each", "epochs > LEAST_EPOCHS * each"),
        },
    ),
    *of(
        "verdict/stages.py",
        "test_stages.py",
        {
            "of equals the later one is the best": (
                "(_means(each, stage.end), -each.number)",
                "(_means(each, stage.end), each.number)",
            ),
            "rivals are those in memory": ("RaceLook(len(rivals), looks", "RaceLook(len(running), looks"),
            "every round begins alike": ("return number_of_round % stages", "return 0 % stages"),
            "a race drops what is over": (" and some[place] in running", ""),
        },
    ),
    *of(
        "verdict/confirmation.py",
        "test_confirmation.py",
        {"optimism has the other sign": ("[old.mean - new.mean for old", "[new.mean - old.mean for old")},
    ),
    *of(
        "verdict/comparison.py",
        "test_comparison.py",
        {
            "the variance has a freedom too many": (
                "for each in values) / (len(values) - 1)",
                "for each in values) / len(values)",
            ),
            "folds are rows apart": ("1 / (folds - 1) if rows_ratio is None", "1 / folds if rows_ratio is None"),
            "a tie is won": ("sum(each > 0 for each in gaps)", "sum(each >= 0 for each in gaps)"),
            "the interval has a freedom too many": ("t_quantile(self.folds - 1)", "t_quantile(self.folds)"),
            "nothing is clear": ("found[0] > 0", "found[0] >= 0"),
        },
    ),
    *of(
        "verdict/student.py",
        "test_student.py",
        {
            "the fraction ends early": ("_STEPS = 10_000", "_STEPS = 10"),
            "the tail has the other side": (
                "return 1.0 - tail if t > 0 else tail",
                "return 1.0 - tail if t >= 0 else 1.0 - tail",
            ),
        },
    ),
    *of(
        "finder/rules.py",
        "test_finder.py",
        {
            "any gain is sure": ("SURE * error, LEAST_GAIN", "0.0, LEAST_GAIN"),
            "no gain is too small": ("LEAST_GAIN * abs(constant.mean())", "0.0"),
            "the error has a freedom too many": ("gain.std(ddof=1)", "gain.std()"),
            "repetitions are resampled within folds": (
                "others = rng.integers(folds, size=(RESAMPLES, 1, folds))",
                "others = np.arange(folds)[None, None]",
            ),
            "a range reaches far beyond the edge": ("max(edge, recommended * 5.0)", "max(edge, recommended * 20.0)"),
            "short runs are constant": ("LINE = 0.5", "LINE = 1.0"),
            "the interval of short runs is that of the folds": (
                "unseen = NORMAL * CARRYING",
                "unseen = 0.0 * CARRYING",
            ),
            "the edge is where the loss rises at all": (
                "curve[lowest] + ROSE * fall",
                "curve[lowest] + 0.1 * ROSE * fall",
            ),
        },
    ),
    *of(
        "finder/sweeps.py",
        "test_finder.py",
        {
            "further rates come in the wrong order": ("beyond[::-1]", "beyond"),
            "short runs lie at the edge": ("mark.edge / BELOW_EDGE", "mark.edge"),
            "each attempt has the whole purse": ("method.of_purse * purse", "purse"),
        },
    ),
    *of(
        "finder/effort.py",
        "test_finder.py",
        {
            "the horizon is that of the largest fold": (
                "rows = min(len(fold.features) for",
                "rows = max(len(fold.features) for",
            ),
            "all folds are afforded": ("wish._replace(folds=folds) if", "wish if"),
        },
    ),
    *of(
        "handover/core.py",
        "handover/test_export.py",
        {
            "the warm-up in code ends a step late": (
                "max(plan.warm - 1, 1)) if start is None",
                "plan.warm) if start is None",
            ),
            "a join in code switches late": ("if {time} < {boundary!r} - TOLERANCE", "if {time} <= {boundary!r}"),
            "jumps are looked at alone": ("for offset in (-1, 0, 1)", "for offset in (0,)"),
            "the decay in code has the whole horizon": ("(steps * epochs - warm) / steps)", "float(epochs))"),
        },
    ),
    *of(
        "handover/feedback.py",
        "handover/test_export.py",
        {"patience in code is an epoch short": ("if self.bad > PATIENCE", "if self.bad >= PATIENCE")},
    ),
    *of(
        "training/decays/plain.py",
        "handover/test_export.py",
        {
            "restarts in code come late": ("start + length <= t + TOLERANCE", "start + length <= t - TOLERANCE"),
            "cycles in code do not halve": ("height * 0.5**cycle", "height * 0.5 ** (cycle + 1)"),
        },
    ),
    *of(
        "handover/schedule.py",
        "api/test_schedule.py",
        {"after the end the last rate stays": ("values[min(update, len(self))]", "values[min(update, len(self) - 1)]")},
    ),
    *of(
        "handover/pytorch.py",
        "api/test_schedule.py",
        {
            "groups lose their ratio": ("peak * (rate / reference)", "peak"),
            "the momentum runs ahead": ("momentum(self.last_epoch)", "momentum(self.last_epoch + 1)"),
        },
    ),
    *of(
        "training/numbers/functions.py",
        "data/test_encoding.py",
        {
            "the whole range in place of half of it": ("_length(low, high) / 2.0", "_length(low, high)"),
            "numbers are pulled in sooner": ("LIMIT = 3.0", "LIMIT = 2.5"),
            "bins go on beyond their ends": ("np.clip(come, 0.0, 1.0, out=come)", "np.clip(come, 0.0, 2.0, out=come)"),
            "few values are binned by quantiles": ("if len(edges) > BINS + 1:", "if len(edges) > 3:"),
        },
    ),
    *of(
        "training/embeddings.py",
        "training/test_networks.py",
        {
            "waves are slower": ("SPREAD = 0.3", "SPREAD = 0.15"),
            "gradients of waves have the other sign": (
                "np.negative(gradients[0], out=gradients[0])",
                "np.positive(gradients[0], out=gradients[0])",
            ),
            "phases of half a turn": ("generator.uniform(-math.pi, math.pi,", "generator.uniform(0.0, math.pi,"),
        },
    ),
    *of(
        "model/fitting.py",
        "test_limits.py",
        {"predictions end at the training targets": ("BEYOND = 0.5", "BEYOND = 0.0")},
    ),
]


@contextmanager
def put_in(fault: Fault) -> Iterator[None]:
    """Change the file; it is as it was afterwards, its times too, so that nothing compiled is out of date."""
    path = ROOT / fault.file
    before, times = path.read_text(encoding="utf-8"), path.stat()
    after = before.replace(fault.old, fault.new)
    compile(after, fault.file, "exec")
    try:
        path.write_text(after, encoding="utf-8")
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def tested(tests: tuple[str, ...], scratch: str) -> str:
    """Run some tests, with the same examples every time, and tell whether one failed."""
    options = ("-x", "-q", "-m", "not extra", "-p", "no:cacheprovider", "--hypothesis-seed=0")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": scratch}
    command = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:  # a loop without end is noticed as well
        return KILLED
    return {0: SURVIVED, 1: KILLED}.get(done.returncode, f"no verdict, pytest ended with {done.returncode}")


def misplaced(faults: list[Fault]) -> list[str]:
    """Find the faults whose piece is not there exactly once."""
    texts = {each.file: (ROOT / each.file).read_text(encoding="utf-8") for each in faults}
    counts = {each: texts[each.file].count(each.old) for each in faults}
    return [f"{each.file}, {each.name}: {count} times in the file" for each, count in counts.items() if count != 1]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="PART", help="of a name or a file")
    part = parser.parse_args().only
    chosen = [each for each in FAULTS if part in each.file or part in each.name]
    wrong = misplaced(chosen)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the file is put back then, too
    sound: dict[tuple[str, ...], str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for each in chosen if not wrong else ():
            if each.tests not in sound:
                sound[each.tests] = tested(each.tests, scratch)
            with put_in(each):
                found = tested(each.tests, scratch) if sound[each.tests] == SURVIVED else "no verdict: fails without it"
            say(f"  {each.file}, {each.name}: {found}")
            wrong += [f"{each.file}, {each.name}: {found}"] if found != KILLED else []
    for each in wrong:
        say(f"  WRONG: {each}")
    say(f"{len(chosen)} faults, {'failed' if wrong else 'all killed'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
