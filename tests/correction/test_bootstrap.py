"""The bootstrap over whole searches, against a literal one in loops, and on simulated searches with a known truth."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from lrtune.run.observed import Observed
from lrtune.training.metrics.scoring import score, surprise
from lrtune.verdict.choice.candidates import Smoothing
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.correction import Choosing, Evidence, Race, cells, corrected, effort
from lrtune.verdict.correction.core import _counts, _draws
from lrtune.verdict.correction.intervals import wilson
from lrtune.verdict.correction.race import Replay, _distances
from lrtune.verdict.races import RaceLook, RowScores, beyond_doubt, futile, race_by_folds, race_by_rows


def evidence(metric, kept, targets, folds, *, units=None, classes=2, sizes=None):
    """Put predictions (C, n) together with the scores that the metric gives."""
    count = int(folds.max()) + 1
    units = np.arange(len(targets)) if units is None else units
    sizes = np.bincount(folds) if sizes is None else sizes
    scores = np.array([score(metric, kept[:, folds == k], targets[folds == k], classes) for k in range(count)])
    numbers = np.arange(len(kept))
    observed = Observed(targets, folds, units, sizes, classes)
    return Evidence(metric, numbers, scores, numbers, kept, observed, 1 / (count - 1))


def searched(rows=60, configurations=6, count=3, seed=0, right=0.7):
    """Draw a search: predicted labels (C, n), targets and folds (n,)."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(2, size=rows)
    hits = rng.random((configurations, rows)) < right
    return np.where(hits, targets, 1 - targets).astype(np.uint8), targets, np.arange(rows) * count // rows


def literal(metric, folds, targets, kept, counts):
    """Tsamardinos et al. 2018, algorithm 2, in loops, with the average over folds as the score."""

    def mean(configuration, weights):
        parts, sizes = [], []
        for fold in range(folds.max() + 1):
            rows = folds == fold
            if weights[rows].sum() > 0:
                parts.append(metric(targets[rows], kept[configuration][rows], weights[rows]))
                sizes.append(weights[rows].sum() / rows.sum())
        return np.average(parts, weights=sizes)

    picks, losses = [], []
    for line in counts:
        inside = [round(mean(each, line), 10) for each in range(len(kept))]
        picks.append(int(np.argmax(inside)))
        losses.append([mean(each, (line == 0).astype(float)) for each in range(len(kept))])
    return np.array(picks), np.array(losses)


def accuracy(targets, labels, weights):
    return np.average(targets == labels, weights=weights)


def macro(targets, labels, weights):
    drawn = weights > 0
    present = np.union1d(targets[drawn], labels[drawn])
    return f1_score(targets, labels, labels=present, average="macro", sample_weight=weights, zero_division=0)


def share_interval(share, count, quantile):
    """Find the shares that are so many standard deviations of their own away: the roots of a square."""
    square = quantile**2 / count
    return np.sort(np.roots([1 + square, -2 * share - square, share**2]))


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (7, 9), (40, 40), (970, 1000)])
def test_wilsons_interval_is_scipys(hits, rows):
    expected = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    assert wilson(hits / rows, rows, stats.norm.ppf(0.975)) == pytest.approx(tuple(expected))


def test_an_accuracy_without_an_error_is_not_certain():
    kept, targets, folds = np.zeros((2, 40), np.uint8), np.zeros(40, np.int64), np.arange(40) // 10
    kept[1] = 1
    found = corrected(evidence("accuracy", kept, targets, folds), 0)
    assert (found.score, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 / (1 + 1.4 * stats.norm.ppf(0.975) ** 2 / 40))


@pytest.mark.parametrize(
    ("name", "metric", "cuts"),
    [("accuracy", accuracy, [20, 40]), ("accuracy", accuracy, [9, 25]), ("f1_macro", macro, [20, 40])],
)
def test_it_is_the_published_algorithm(name, metric, cuts, monkeypatch):
    monkeypatch.setattr("lrtune.verdict.correction.core.LEAST", 40)
    kept, targets, _ = searched(configurations=4)
    folds = np.searchsorted(cuts, np.arange(60), side="right")
    given = evidence(name, kept, targets, folds)
    draws = _draws(given, Choosing(seed=3, resamples=40))
    counts = _counts(60, 40, np.random.default_rng([3, 41]))
    picks, outside = literal(metric, folds, targets, kept, counts)
    assert draws.picks.tolist() == picks.tolist()
    assert draws.deviations == pytest.approx(outside - outside.mean(axis=0), abs=1e-6)
    found = corrected(given, int(given.means.argmax()), Choosing(seed=3, resamples=40))
    lines = np.arange(40)
    losses = outside[lines, picks] - outside.mean(axis=0)[picks] + given.means[picks]
    assert (found.method, found.resamples) == ("bootstrap", 40)
    assert found.score == pytest.approx(losses.mean(), abs=1e-6)
    width = math.sqrt(1.4 / (math.e - 1)) * stats.t.ppf(0.975, 59) / stats.norm.ppf(0.975) * math.sqrt(60 / 59)
    narrow = given.means[picks] + width * (outside - outside.mean(axis=0))[lines, picks]
    ends = np.quantile(narrow, [0.025, 0.975]) - narrow.mean() + losses.mean()
    if name == "accuracy":
        least = share_interval(found.score, 60, stats.norm.ppf(0.975) * math.sqrt(1.4))
        ends = min(ends[0], least[0]), max(ends[1], least[1])
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-5)
    assert found.naive == pytest.approx(max(given.means))
    assert found.optimism == pytest.approx(found.naive - found.score)
    assert dict(found.shares) == {int(c): np.mean(picks == c) for c in np.unique(picks)}
    if name == "accuracy":  # a mean over rows: nothing is taken out but the noise of the draws
        assert outside[lines, picks].mean() == pytest.approx(found.score, abs=0.05)


@pytest.mark.parametrize("rows", [100, 10_000, 10**5, 10**6, 10**7])
@pytest.mark.parametrize("configurations", [2, 50, 1000])
@pytest.mark.parametrize("training", [0.0, 1.0, 30.0, 1e3, 1e5])
def test_a_correction_takes_a_tenth_of_the_training_or_half_a_second_or_does_the_least(rows, configurations, training):
    made = effort(rows, configurations, 1, training=training)
    seconds = made.resamples * (made.rows * (5e-8 + 1e-10 * configurations) + 5e-7 * configurations)
    allowed = max(0.1 * training, 0.5)
    least = made.resamples == 500 and made.rows == min(rows, 10_000)
    most = made.resamples == 2000 and made.rows == rows
    assert seconds <= allowed or least
    assert seconds >= 0.99 * allowed - 1e-3 * made.rows or most or least  # what may be done is done
    assert made.rows == rows or made.resamples == 500  # rows are saved on last


def test_the_effort_of_a_study_is_a_matter_of_numbers():
    assert effort(142, 60, 1, training=0.3) == (2000, 142)
    assert effort(10**6, 2, 1, training=0.0) == (500, 19_900)
    assert effort(10**6, 2, 1, training=600.0) == (1195, 10**6)


def test_races_and_metrics_that_count_classes_are_more_work():
    assert cells("accuracy", 2, folds=5, raced=0) == 1
    assert cells("accuracy", 2, folds=4, raced=1) == 3  # eight on a quarter of the rows
    assert cells("accuracy", 2, folds=4, raced=1 + 2 + 3) == 13
    assert cells("f1_macro", 3, folds=4, raced=1) == 4  # raced by folds


def test_little_effort_gives_about_the_same_score_and_interval():
    """From a fourth of the rows and of the resamples: within three standard errors of what resampling leaves."""
    kept, targets, folds = searched(rows=40_000, configurations=5, count=5, right=0.84)
    whole = evidence("accuracy", kept, targets, folds)
    some = np.sort(np.random.default_rng(0).permutation(40_000)[:10_000])
    part = whole._replace(
        predictions=kept[:, some],
        observed=Observed(targets[some], folds[some], np.arange(10_000), np.bincount(folds), 2),
    )
    chosen = int(whole.means.argmax())
    full = corrected(whole, chosen, Choosing(resamples=2000))
    thin = corrected(part, chosen, Choosing(resamples=500))
    half = (full.high - full.low) / 2
    assert thin.naive == full.naive
    assert thin.score == pytest.approx(full.score, abs=3 * half / 30)
    assert (thin.low, thin.high) == pytest.approx((full.low, full.high), abs=3 * half / 16 + 3 * half / 30)


def test_draws_do_not_depend_on_how_they_are_chunked():
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    parts = np.concatenate([_counts(7, 3, rng), _counts(7, 2, rng)])
    np.testing.assert_array_equal(parts, _counts(7, 5, other))
    assert parts.sum(axis=1).tolist() == [7.0] * 5


def test_rows_that_belong_together_are_drawn_together():
    counts = _counts(3, 10, np.random.default_rng(0))
    units = np.array([0, 0, 1, 2, 2, 2])
    assert (counts[:, units][:, 0] == counts[:, units][:, 1]).all()
    # Ten copies of each row are no more information than one; drawn one by one they would seem to be.
    kept, targets, folds = searched(rows=60, configurations=1)
    tenfold = [np.repeat(each, 10, axis=-1) for each in (kept, targets, folds)]
    units = np.repeat(np.arange(60), 10)
    wide = corrected(evidence("accuracy", *tenfold, units=units), 0)
    narrow = corrected(evidence("accuracy", *tenfold), 0)
    plain = corrected(evidence("accuracy", kept, targets, folds), 0)
    assert wide.high - wide.low == pytest.approx(plain.high - plain.low, rel=0.15)
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_a_row_keeps_its_predictions_of_all_repeats():
    kept, targets, folds = searched(rows=60, configurations=1)
    twice = [np.concatenate([kept, kept], axis=1), np.concatenate([targets, targets])]
    given = evidence("accuracy", *twice, np.concatenate([folds, folds + 3]), units=np.tile(np.arange(60), 2))
    once, again = corrected(evidence("accuracy", kept, targets, folds), 0), corrected(given, 0)
    assert again.score == pytest.approx(once.score, abs=1e-9)
    assert (again.low, again.high) == pytest.approx((once.low, once.high), abs=0.01)


def test_of_one_configuration_nothing_is_taken_away():
    found = corrected(evidence("accuracy", *searched(configurations=1)), 0)
    assert found.optimism == pytest.approx(0.0, abs=1e-9)
    assert found.low < found.score < found.high
    assert found.shares == ((0, 1.0),)
    assert found.gain is None


@pytest.mark.parametrize("rows", [60, 240])
def test_the_luckiest_of_equals_is_corrected_to_the_truth(rows):
    truth, biases, naive, covered = 0.7, [], [], []
    for seed in range(24):
        given = evidence("accuracy", *searched(rows, configurations=40, seed=seed, right=truth))
        found = corrected(given, int(given.means.argmax()))
        biases.append(found.score - truth)
        naive.append(found.naive - truth)
        covered.append(found.low <= truth <= found.high)
    error = np.std(biases) / math.sqrt(len(biases))
    assert np.mean(naive) > 1.5 * math.sqrt(truth * (1 - truth) / rows)
    assert abs(np.mean(biases)) < 3 * error + 0.002
    assert np.mean(covered) >= 0.95


def test_fewer_kept_rows_give_the_deviations_of_all():
    kept, targets, folds = searched(rows=900, configurations=10)
    chosen = int(evidence("accuracy", kept, targets, folds).means.argmax())
    whole = corrected(evidence("accuracy", kept, targets, folds), chosen)
    part = np.arange(0, 900, 3)
    given = evidence("accuracy", kept[:, part], targets[part], folds[part], sizes=np.bincount(folds))
    full = evidence("accuracy", kept, targets, folds)
    found = corrected(given._replace(scores=full.scores), chosen)
    assert found.naive == pytest.approx(whole.naive)
    assert found.high - found.low == pytest.approx(whole.high - whole.low, rel=0.2)


def test_the_gain_over_the_default_is_free_of_luck():
    kept, targets, folds = searched(rows=120, configurations=40, seed=5)
    given = evidence("accuracy", kept, targets, folds)
    chosen = int(given.means.argmax())
    found = corrected(given, chosen)
    naive_gain = given.means[chosen] - given.means[0]
    assert found.gain.mean < naive_gain - 0.02
    assert found.gain.low < 0 < found.gain.high
    better = np.where(np.random.default_rng(0).random(kept.shape) < 0.95, targets, 1 - targets).astype(np.uint8)
    better[0] = kept[0]
    found = corrected(evidence("accuracy", better, targets, folds), 3)
    assert found.gain.low > 0
    assert found.gain.probability == 1.0


def test_resamples_that_choose_the_default_itself_count_half():
    kept, targets, folds = searched(rows=80, configurations=5, seed=4, right=0.48)
    given = evidence("accuracy", kept, targets, folds)
    chosen = int(given.means.argmax())
    draws = _draws(given, Choosing())
    lines = np.arange(len(draws.picks))
    gains = given.means[draws.picks] + draws.deviations[lines, draws.picks] - given.means[0] - draws.deviations[:, 0]
    default, won = draws.picks == 0, (draws.picks != 0) & (gains > 1e-9)
    assert 0.05 < default.mean() < 0.9
    assert (np.abs(gains[~default]) > 1e-9).any()
    tied = (np.abs(gains) <= 1e-9).mean()
    assert chosen != 0
    assert corrected(given, chosen).gain.probability == pytest.approx(won.mean() + tied / 2)


def test_without_predictions_the_folds_speak():
    scores = np.array([[0.9, 0.8, 0.85], [0.7, 0.95, 0.9], [0.8, 0.6, 0.7]])  # (C, K)
    numbers = np.array([4, 7, 9])
    given = Evidence("accuracy", numbers, scores.T, np.arange(3), None, None, 0.5)
    found = corrected(given, 4)
    # Bests of the folds: 0.9, 0.95, 0.9. Trial 4 loses 0, 0.15 and 0.05 to them.
    assert found.method == "folds"
    assert found.naive == pytest.approx(0.85)
    assert found.optimism == pytest.approx(0.2 / 3)
    half = 4.302653 * math.sqrt((1 / 3 + 0.5) * np.var(scores[0], ddof=1))
    assert (found.low, found.high) == pytest.approx((found.score - half, found.score + half))
    assert (found.resamples, found.share([4]), found.gain) == (0, None, None)


def test_pruned_trials_do_not_count_among_folds():
    scores = np.array([[0.9, 0.99], [0.7, np.nan]])
    given = Evidence("accuracy", np.arange(2), scores, np.arange(2), None, None, 1.0)
    assert corrected(given, 0).optimism == 0.0


def raced(seed=0, rows=200, configurations=8, drops=(2, 5)):
    """Draw a search in which some trials were dropped after the first fold."""
    kept, targets, folds = searched(rows, configurations, count=4, seed=seed)
    given = evidence("accuracy", kept, targets, folds)
    scores = given.scores.copy()
    scores[1:, list(drops)] = np.nan
    given.predictions[np.ix_(list(drops), np.flatnonzero(folds > 0))] = 0
    return given._replace(scores=scores)


def test_what_was_dropped_is_compared_on_the_folds_it_has():
    given = raced()
    whole = given.scores[:, [0, 1, 3, 4, 6, 7]]
    shift = np.median(whole.mean(axis=0) - whole[0])
    assert given.means[2] == pytest.approx(given.scores[0, 2] + shift)
    assert given.means[1] == pytest.approx(given.scores[:, 1].mean())


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("copies", [1, 6])
@pytest.mark.parametrize("limit", [beyond_doubt, futile])
@pytest.mark.parametrize("looks", [(1,), (1, 2), (1, 2, 3)])
def test_a_replayed_race_is_the_race_on_repeated_rows(grouped, copies, looks, limit):
    """Four configurations race four, or a number of copies of each: of many rivals more certainty is asked."""
    rng = np.random.default_rng(1)
    rows, count = 240, 4 * copies
    targets, folds = rng.integers(2, size=rows), np.arange(rows) // 60
    rates = np.repeat([0.8, 0.9, 0.55, 0.6, 0.9, 0.5, 0.75, 0.45], copies)
    kept = np.where(rng.random((2 * count, rows)) < rates[:, None], targets, 1 - targets).astype(np.uint8)
    units = np.arange(rows) // 4 if grouped else np.arange(rows)
    given = evidence("accuracy", kept, targets, folds, units=units)
    rounds = np.repeat([0, 1], count)
    counts = _counts(int(units.max()) + 1, 12, np.random.default_rng(2))
    found = Replay(given, Race(rounds, looks, limit)).survivors(counts, np.empty(0))
    for line, survivors in zip(counts, found, strict=True):
        going = []
        for members in (range(count), range(count, 2 * count)):
            running = list(members)
            for end in looks:
                seen = folds < end
                times = line[units[seen]].astype(int)
                drawn = np.repeat((kept == targets)[:, seen].astype(float), times, axis=1)
                # A group that came twice is two groups.
                pairs = zip(units[seen], times, strict=True)
                names = np.concatenate([each * 100 + np.arange(t) for each, t in pairs]) if grouped else None
                rivals = [*going, *running]
                best = max(rivals, key=lambda each: (drawn[each].mean(), -each))
                compared = [best, *(each for each in running if each != best)]
                rows = RowScores(drawn[compared], names)
                dropped = race_by_rows(rows, limit(RaceLook(len(rivals), len(looks), end / 4))).dropped
                lost = {each for each, out in zip(compared, dropped, strict=True) if out and each != 0}
                running = [each for each in running if each not in lost]
            going += running
        assert np.flatnonzero(survivors).tolist() == going
    assert 0 < found.mean() < 1


@pytest.mark.parametrize("grouped", [False, True])
def test_the_certainty_of_a_replayed_race_is_that_of_the_race_on_repeated_rows(grouped):
    """With the log loss, so that an exception speaks against whoever is too sure; only one fold."""
    rng = np.random.default_rng(4)
    rows, blunt = 60, np.array([[0.6], [0.5], [0.45], [0.4]])
    targets, folds = rng.integers(2, size=rows), np.zeros(rows, int)
    losses = blunt * rng.gamma(2.0, 0.4, size=(4, rows))
    units = np.sort(rng.integers(15, size=rows)) if grouped else np.arange(rows)
    observed = Observed(targets, folds, units, np.array([rows]), 2)
    given = Evidence("log_loss", np.arange(4), -losses.mean(axis=1)[None], np.arange(4), losses, observed, 0.5)
    replay, exception = Replay(given, Race(np.zeros(4, int), (1,), beyond_doubt)), surprise("log_loss", -losses)
    counts = _counts(int(units.max()) + 1, 20, np.random.default_rng(2))
    (look,) = replay.looks
    drawn = counts[:, look.units].astype(float)
    for best in range(4):
        others = np.array([each for each in range(4) if each != best])
        gaps, against = look.sums[best] - look.sums[others], exception[best] - exception[others]
        found = stats.norm.cdf(_distances(look, gaps, against, drawn))
        for line, certainty in zip(counts, found, strict=True):
            times = line[units].astype(int)
            names = np.concatenate([each * 100 + np.arange(t) for each, t in zip(units, times, strict=True)])
            repeated = RowScores(-np.repeat(losses, times, axis=1), names if grouped else None, exception)
            assert certainty == pytest.approx(race_by_rows(repeated, 0.99, best=best).worse[others], abs=1e-9)
    assert np.ptp(found) > 0.01


@pytest.mark.parametrize(("units", "dropped"), [(9, False), (10, True)])
def test_a_replayed_race_needs_as_many_units_as_a_race(units, dropped):
    targets, folds = np.ones(40, int), np.repeat([0, 1], 20)
    kept = np.stack([targets, targets, 1 - targets]).astype(np.uint8)
    given = evidence("accuracy", kept, targets, folds)
    counts = np.zeros((1, 40), np.float32)
    counts[0, :units], counts[0, 20 : 60 - units - 20] = 1.0, 1.0
    (survivors,) = Replay(given, Race(np.zeros(3, int), (1,), beyond_doubt)).survivors(counts, np.empty(0))
    assert survivors.tolist() == [True, True, not dropped]
    assert race_by_rows(
        RowScores((kept == targets)[:, :units].astype(float)), beyond_doubt(RaceLook(3))
    ).dropped.tolist() == [
        False,
        False,
        dropped,
    ]


def test_a_race_by_folds_is_replayed_on_the_scores_of_the_folds():
    rng = np.random.default_rng(0)
    given = evidence("f1", *searched(rows=90, configurations=8))
    folds = rng.normal(0.8, 0.002, size=(5, 3, 8))
    folds[:, :, 3] -= 0.3
    found = Replay(given, Race(np.zeros(8, np.int64), (2,), beyond_doubt)).survivors(
        np.ones((5, 90), np.float32), folds
    )
    for line, survivors in zip(folds, found, strict=True):
        assert (
            survivors.tolist()
            == (~race_by_folds(line[:2].T, beyond_doubt(RaceLook(8))).dropped | (np.arange(8) == 0)).tolist()
        )
    assert not found[:, 3].any()


def test_a_raced_search_is_corrected_about_as_one_without_races():
    free, run = [], []
    for seed in range(6):
        kept, targets, folds = searched(200, 30, count=4, seed=seed)
        given = evidence("accuracy", kept, targets, folds)
        free.append(corrected(given, int(given.means.argmax())).score)
        rounds = np.arange(30) // 10
        survivors = Replay(given, Race(rounds, (1,), beyond_doubt)).survivors(
            np.ones((1, 200), np.float32), np.empty(0)
        )[0]
        scores = given.scores.copy()
        scores[1:, ~survivors] = np.nan
        cut = given._replace(scores=scores)
        chosen = max(np.flatnonzero(survivors).tolist(), key=lambda each: scores[:, each].mean())
        run.append(corrected(cut, chosen, Choosing(race=Race(rounds, (1,), beyond_doubt))).score)
    assert np.mean(run) == pytest.approx(0.7, abs=3 * np.std(run) / math.sqrt(len(run)))
    assert np.mean(run) == pytest.approx(np.mean(free), abs=0.01)


def test_the_rule_of_the_search_is_repeated():
    kept, targets, folds = searched(configurations=5, seed=2)
    given = evidence("accuracy", kept, targets, folds)
    simple_first = given._replace(order=np.array([0, 4, 3, 2, 1]))
    found = corrected(simple_first, 0, Choosing(Rule("within", 0.99)))
    assert found.shares == ((0, 1.0),)  # everything is within 99 % of the best: the simplest is always taken
    assert found.optimism == pytest.approx(0.0, abs=1e-9)
    by_rule = corrected(simple_first, 0, Choosing(Rule("one_se")))
    assert by_rule.share([0]) > corrected(given, 0).share([0])


def test_the_posterior_mean_is_repeated_by_its_weights():
    given = evidence("accuracy", *searched(configurations=5, seed=2))
    flat = Smoothing(given.means, np.array([0.0, 0.0, 9.0, 0.0, 0.0]), np.zeros((5, 5)))
    assert corrected(given, 2, Choosing(Rule("posterior_mean"), flat)).shares == ((2, 1.0),)
    itself = Smoothing(given.means, given.means, np.eye(5))
    found = corrected(given, 2, Choosing(Rule("posterior_mean"), itself))
    assert found == corrected(given, 2)


@pytest.mark.parametrize(("metric", "bounds"), [("accuracy", (0.0, 1.0)), ("mae", (-np.inf, 0.0))])
def test_an_interval_ends_where_the_metric_does(metric, bounds):
    scores = np.array([[0.0, 0.4, 0.0]]).T if metric == "accuracy" else np.array([[-0.4, 0.0, 0.0]]).T
    found = corrected(Evidence(metric, np.arange(1), scores, np.arange(1), None, None, 0.5), 0)
    half = stats.t.ppf(0.975, 2) * math.sqrt((1 / 3 + 0.5) * scores.var(ddof=1))
    assert found.score == pytest.approx(scores.mean())
    assert (found.low, found.high) == pytest.approx(np.clip(scores.mean() + np.array([-half, half]), *bounds))
    assert half > abs(scores.mean())
    few = np.array([0, 0, 1, 1, 0, 1, 0, 0, 1, 1])
    kept = np.array([few, 1 - few, few, 1 - few]).astype(np.uint8)
    found = corrected(evidence("accuracy", kept[1:2], few, np.arange(10) // 5), 0)
    assert 0.0 <= found.low <= found.score <= found.high <= 1.0


def test_where_no_resample_has_a_score_the_folds_speak():
    rng = np.random.default_rng(0)
    targets, folds = np.repeat([1.0, 2.0], 10), np.repeat([0, 1], 10)
    kept = (targets + rng.normal(size=(3, 20))).astype(np.float32)
    given = evidence("r2", kept, targets, folds, classes=0)  # constant on each fold, as a few kept rows may be
    assert corrected(given._replace(scores=rng.normal(size=(2, 3))), 0).method == "folds"


def test_of_two_groups_half_of_the_resamples_say_nothing_and_that_is_counted():
    kept, targets, folds = searched(count=2)
    found = corrected(evidence("accuracy", kept, targets, folds, units=folds), 0, Choosing(resamples=2000, default=-1))
    assert (found.units, found.drawn) == (2, 2000)
    assert found.resamples == pytest.approx(1000, abs=4 * math.sqrt(500))  # both groups are drawn in half of them
    rows = corrected(evidence("accuracy", kept, targets, folds), 0, Choosing(resamples=500, default=-1))
    assert (rows.units, rows.drawn, rows.resamples) == (60, 500, 500)
    folds_only = evidence("accuracy", kept, targets, folds)._replace(predictions=None)
    assert corrected(folds_only, 0).units is None
