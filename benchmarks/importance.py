"""Whether the errors of shares are honest: ``python benchmarks/importance.py [--repeats N]``.

Random trials of a known function of four dimensions and one that only half of the points have, with noise on three
folds. The true shares are those of the function itself on the scale that the trials were measured on; counted is how
often they lie within two errors of what `lrtune importance` says.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from lrtune.sampling.scores import observe
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState
from lrtune.verdict.explanation import explain
from lrtune.verdict.explanation.importance import decompose

KIND = Choice("kind", (Option("plain"), Option("odd", SearchSpace((Real("kind.m", 0.0, 1.0, 0.5),)))), "plain")
SPACE = SearchSpace((*(Real(name, 0.0, 1.0, 0.5) for name in ("a", "b", "idle")), KIND))


def function(point):
    """3 a + 2 b, and for the odd kind 1 + 2 m more."""
    return 3 * point["a"] + 2 * point["b"] + (1 + 2 * point["kind.m"] if point["kind"] == "odd" else 0.0)


def on_rows(_, rows):
    """Evaluate it at encoded points: a, b, idle, two kinds, an arc."""
    inner = np.arctan2(rows[:, 6], rows[:, 5]) / (math.pi / 3)
    return (3 * rows[:, 0] + 2 * rows[:, 1] + rows[:, 4] * (1 + 2 * inner))[:, None]


def history(count, rng):
    points = [SPACE.sample(rng) for _ in range(count)]
    scores = [tuple((function(each) + rng.normal(0.0, 0.1, 3)).tolist()) for each in points]
    return [
        Trial(number, point, TrialState.COMPLETE, found)
        for number, (point, found) in enumerate(zip(points, scores, strict=True))
    ]


def misses(count, seed):
    """Compute what each share is wrong by, and its error."""
    trials = history(count, np.random.default_rng([seed, count]))
    seen = observe(trials)
    means = np.array([each.mean for each in seen.trials])
    order = np.argsort(means)

    def measured(group, rows):
        return np.interp(on_rows(group, rows), means[order], seen.values[order])

    truth = {each.key: each.share for each in decompose(SPACE, measured, np.random.default_rng(5)).shares}
    return [(each.share - truth[each.key], each.error) for each in explain(SPACE, trials, seed).parts.shares]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=40)
    repeats = parser.parse_args().repeats
    for count in (20, 50):
        wrong, error = np.array([each for seed in range(repeats) for each in misses(count, seed)]).T
        held = 100 * np.mean(np.abs(wrong) <= 2 * error)
        print(
            f"{count} trials: {held:.0f} % of {len(wrong)} shares within two errors; "
            f"root mean square {np.sqrt(np.mean(wrong**2)):.3f}, mean error {error.mean():.3f}"
        )


if __name__ == "__main__":
    main()
