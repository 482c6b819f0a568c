"""The finder's trainings in full: what is trained next, and what is read off, on losses known in closed form."""

import math

import numpy as np
import pytest
from scipy import stats

import lrtune
from lrtune.finder.planned import BUDGET, FIRST_FOLDS, STEP, PlannedRuns, lowest, next_runs

FOLDS = 5


def bowl(best, folds=FOLDS, spread=0.0, width=1.0):
    """A loss that is a parabola of the logarithm of the rate; each fold has its own level, and moves its bottom."""
    shifts = spread * np.linspace(-1.0, 1.0, folds)
    return lambda rate: 1.0 + np.arange(folds) * 0.1 + width * (math.log10(rate / best) - shifts) ** 2


def runs(losses, epochs=(), curves=None, constant=20.0, signals=None):
    """Planned runs of losses by rate: ``{rate: (K,)}``."""
    rates = sorted(losses)
    table = np.stack([np.asarray(losses[each], float) for each in rates], axis=1)
    return PlannedRuns(
        np.array(rates),
        table,
        np.full(len(table), constant),
        np.full(table.shape, np.nan) if signals is None else signals,
        np.array(epochs, dtype=np.int64),
        np.empty((len(rates), 0)) if curves is None else np.array(curves),
        100,
    )


def trained(truth, centre, folds=FOLDS):
    """Do what `next_runs` asks for until it asks for nothing more; count the trainings on all folds."""
    losses = {}
    wanted = [centre / STEP, centre, centre * STEP], slice(0, FIRST_FOLDS)
    while wanted is not None:
        rates, places = wanted
        for rate in rates:
            seen = losses.setdefault(rate, np.full(folds, np.nan))
            assert np.isnan(seen[places]).all()  # nothing is trained twice
            seen[places] = truth(rate)[places]
        found = runs(losses)
        wanted = next_runs(found, budget=3.6)
    return found


@pytest.mark.parametrize(("factor", "off"), [(1.0, 0.1), (1.6, 0.1), (0.4, 0.1), (3.0, 0.1), (7.0, 0.3), (0.12, 0.3)])
def test_the_bottom_of_a_bowl_is_found_wherever_short_runs_lead_nearby(factor, off):
    found = trained(bowl(0.01), 0.01 * factor)
    assert found.answer.recommended == pytest.approx(0.01, rel=off)  # far away the budget ends before it is inside
    assert found.answer.interval[0] <= 0.0105
    assert found.answer.interval[1] >= 0.0095


@pytest.mark.parametrize("factor", [1.0, 4.0, 1000.0, 1e-3])
@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_the_budget_is_kept(factor, folds):
    found = trained(bowl(0.01, folds, spread=0.3), 0.01 * factor, folds)
    assert found.spent <= 3.6
    assert found.is_whole[found.best]


def test_a_hopeless_neighbour_is_not_trained_on_the_other_folds():
    found = trained(bowl(0.01, width=30.0), 0.01)
    assert found.trained == (FIRST_FOLDS, FOLDS, FIRST_FOLDS)


def test_a_rate_beyond_somebodys_end_is_not_tried():
    found = runs({0.01: [3.0, 3.0, 3.0, np.nan, np.nan], 0.03: [2.0, 2.0, 2.0, np.nan, np.nan]})
    assert next_runs(found) == ((0.09,), slice(0, 3))
    assert next_runs(found, (0.0, 0.05)) == ((0.03,), slice(3, 5))


def test_a_mean_with_missing_folds_goes_by_the_difference_on_the_others():
    found = runs({0.1: [1.0, 2.0, 3.0, 9.0, 9.0], 0.3: [1.5, 2.5, 3.5, np.nan, np.nan]})
    assert found.means == pytest.approx([4.8, 5.3])


def test_a_run_that_diverged_counts_as_twice_the_loss_without_features():
    found = runs({0.1: [1.0, 1.0], 0.3: [0.5, np.inf]}, constant=4.0)
    assert found.means == pytest.approx([1.0, 4.25])
    assert found.best == 0


def test_towards_a_rate_that_breaks_runs_the_answer_does_not_move():
    still = runs({0.1: [1.5] * 5, 0.3: [1.0] * 5, 0.9: [1.1] * 5})
    breaks = runs({0.1: [1.5] * 5, 0.3: [1.0] * 5, 0.9: [0.9, 0.9, 0.9, 0.9, np.inf]}, constant=1.0)
    assert still.answer.recommended > 0.3
    assert breaks.answer.recommended == pytest.approx(0.3)


@pytest.mark.parametrize(("share", "apart"), [(0.95, False), (1.05, True)])
def test_rates_are_told_apart_by_a_paired_interval(share, apart):
    noise = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    needed = stats.t.ppf(0.95, 4) * stats.sem(noise)
    levels = np.array([1.0, 5.0, 2.0, 8.0, 3.0])
    found = runs({0.01: levels, 0.03: levels + noise + share * needed, 0.09: levels + 10.0})
    assert (found.answer.interval[1] < 0.03) is apart


def test_of_rates_that_cannot_be_told_apart_a_lower_one_is_taken():
    noise = np.array([-0.2, 0.1, 0.3, -0.1, -0.1])
    clear = runs({0.01: [9.0] * 5, 0.1: [1.0, 2.0, 1.0, 2.0, 1.0]})
    alike = runs({0.01: np.array([1.0, 2.0, 1.0, 2.0, 1.0]) + noise + 0.001, 0.1: [1.0, 2.0, 1.0, 2.0, 1.0]})
    assert clear.answer.recommended == pytest.approx(0.1)
    assert alike.answer.recommended == pytest.approx(math.sqrt(0.001), rel=0.01)  # the middle of both


@pytest.mark.parametrize("shift", [-0.5, -0.2, 0.0, 0.3, 0.5])
def test_the_lowest_place_of_a_parabola(shift):
    places = np.array([2.0, 3.0, 4.0])
    assert lowest(places, 7.0 + 2.0 * (places - 3.0 - shift) ** 2) == pytest.approx(3.0 + shift)


def test_a_curve_without_a_bottom_gives_the_middle():
    assert lowest(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 1.0
    assert lowest(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])) == 1.0


@pytest.mark.parametrize(
    ("curve", "epoch"),
    [([3.0, 1.0, 1.5, 2.0, 2.5], 2), ([3.0, 2.0, 1.5, 1.2, 1.0], None), ([3.0, 1.5, 1.01, 1.0, 1.005], None)],
)
def test_overfitting_is_a_validation_loss_that_rises(curve, epoch):
    found = runs({0.1: [1.0, 1.0]}, epochs=[1, 2, 3, 4, 5], curves=[curve], constant=3.0)
    assert found.rises_from == epoch


def test_a_lower_rate_that_overfits_less_does_not_hide_that_the_training_overfits():
    curves = [[3.0, 2.5, 2.2, 2.0, 1.9], [2.0, 1.0, 1.5, 2.0, 2.5]]
    found = runs({0.01: [1.9, 1.9], 0.1: [2.5, 2.5]}, epochs=[1, 2, 3, 4, 5], curves=curves, constant=3.0)
    assert found.best == 0
    assert found.rises_from == 2


@pytest.mark.parametrize(("signal", "learns"), [(0.02, False), (0.2, True)])
def test_the_order_of_predictions_may_tell_of_a_signal_that_the_loss_does_not(signal, learns):
    areas = signal + np.array([-0.05, 0.0, 0.05, -0.02, 0.02])
    found = runs({0.1: [1.1, 0.9, 1.0, 1.1, 1.0]}, constant=1.0, signals=areas[:, None])
    assert found.is_gain(3.0) is learns


def test_where_many_levels_overfit_the_rate_is_lower_than_short_runs_say(tmp_path):
    """Two hundred levels with three rows each: what is learnt in the first epochs is forgotten for noise later."""
    rng = np.random.default_rng(3)
    level, x = rng.integers(200, size=600), rng.normal(size=600)
    label = np.where(x + rng.normal(size=600) > 0, "u", "v")
    lines = [f"l{a},{b:.4f},{c}" for a, b, c in zip(level, x, label, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["level,x,label", *lines]) + "\n")
    settings = ["training.epochs=60", "training.batch_size=16", "space.optimizer=adam", "data.categorical=[level]"]
    answers = {
        quick: lrtune.find_learning_rate(
            data=str(tmp_path / "t.csv"), target="label", overrides=settings, optimizers=["adam"], quick=quick
        ).curves[0]
        for quick in (False, True)
    }
    full, quick = answers[False], answers[True]
    assert quick.planned is None
    assert (full.suggestion.status, quick.suggestion.status) == ("ok", "ok")
    assert full.suggestion.recommended < 0.5 * quick.suggestion.recommended
    high = full.planned.curves[-1]
    assert high[-1] > 1.2 * high.min()  # the highest rate that was tried has seen its best epochs long ago
    assert full.planned.spent <= BUDGET
