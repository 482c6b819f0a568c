"""What the process thinks of trials: linear in their scores, nearer to the truth than they are."""

import numpy as np
import pytest

from lrtune.sampling import gaussian_process as gp
from lrtune.sampling.posterior import posterior
from lrtune.sampling.surrogate import learn
from lrtune.space import SearchSpace
from lrtune.space.dimensions import Real
from lrtune.space.trial import Trial, TrialState


def space():
    return SearchSpace((Real("x", 0.0, 1.0, 0.5),))


def study(seed, count=40, noise=0.05):
    rng = np.random.default_rng(seed)
    x = rng.random(count)
    truth = 0.8 - (x - 0.3) ** 2
    scores = truth[:, None] + rng.normal(0, noise, (count, 4))
    trials = [Trial(n, {"x": float(x[n])}, TrialState.COMPLETE, tuple(scores[n].tolist())) for n in range(count)]
    return trials, truth


def test_values_are_the_posterior_means_of_the_process(monkeypatch):
    trials, _ = study(0)
    surrogate = learn(space(), trials, np.random.default_rng(0))
    monkeypatch.setattr(gp, "fit", lambda *_args, **_more: surrogate.hyperparameters)
    found = posterior(space(), trials, trials[5:30], 0)
    assert found.means == pytest.approx([each.mean for each in trials[5:30]])
    assert found.values == pytest.approx(surrogate.mean[5:30])
    assert found.weights.shape == (25, 25)


def test_the_best_posterior_mean_is_better_than_the_luckiest_trial():
    lost = []
    for seed in range(12):
        trials, truth = study(seed)
        found = posterior(space(), trials, trials, 0)
        lost.append((0.8 - truth[found.values.argmax()], 0.8 - truth[found.means.argmax()]))
    smooth, lucky = np.mean(lost, axis=0)
    assert smooth < 0.5 * lucky


def test_values_change_with_the_scores_as_the_weights_say(monkeypatch):
    trials, _ = study(1)
    fixed = learn(space(), trials, np.random.default_rng(0)).hyperparameters
    monkeypatch.setattr(gp, "fit", lambda *_args, **_more: fixed)  # another fit would be another process
    found = posterior(space(), trials, trials, 0)
    place = int(np.argsort(found.means)[24])  # a little above the median: the scale depends on it but little
    step = 1e-4
    moved = list(trials)
    moved[place] = Trial(
        place, trials[place].configuration, TrialState.COMPLETE, tuple(s + step for s in trials[place].fold_scores)
    )
    again = posterior(space(), moved, moved, 0)
    change = (again.values - found.values) / step
    near = np.abs(found.weights[:, place]) > 0.1 * found.weights[place, place]
    assert change[near] == pytest.approx(found.weights[near, place], rel=0.15, abs=0.15 * found.weights[place, place])


def test_nothing_learned_is_nothing_said():
    trials, _ = study(0, count=1)
    assert posterior(space(), trials, trials, 0) is None
