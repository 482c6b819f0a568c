"""The numbers of the report's figures, against scikit-learn, scipy and arithmetic by hand."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from lrtune.reporting.html import classes, curves, probabilities
from lrtune.reporting.html.figures import KINDS, LINEAR, LOG, NAMES, POINTS, FigureAxis, Panel, Series
from lrtune.reporting.html.marks import _DARKEST
from lrtune.reporting.html.scales import scale, shortened, texts, ticks, width_of
from lrtune.reporting.html.style import DARK, LIGHT
from lrtune.reporting.html.subject import edge
from lrtune.reporting.html.svg import NARROW, plot, written
from lrtune.verdict.result import ClassCounts


@pytest.fixture
def ranked():
    rng = np.random.default_rng(3)
    truth = rng.random(300) < 0.3
    return np.round(np.clip(0.3 * truth + 0.35 + 0.2 * rng.normal(size=300), 0.0, 1.0), 2), truth


def test_the_roc_curve_is_that_of_scikit_learn(ranked):
    scores, truth = ranked
    x, y, area = classes._roc_of(scores, truth)
    expected_x, expected_y, _ = roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(x, expected_x)
    np.testing.assert_allclose(y, expected_y)
    assert area == pytest.approx(roc_auc_score(truth, scores))


def test_precision_and_recall_are_those_of_scikit_learn(ranked):
    scores, truth = ranked
    x, y, area = classes._pr_of(scores, truth)
    precision, recall, _ = precision_recall_curve(truth, scores)
    np.testing.assert_allclose(x[1:], recall[:-1][::-1])
    np.testing.assert_allclose(y[1:], precision[:-1][::-1])
    assert area == pytest.approx(average_precision_score(truth, scores))


def test_calibration_is_that_of_scikit_learn_with_wilsons_interval(ranked):
    scores, truth = np.random.default_rng(1).permutation(np.linspace(0.0, 1.0, 300)), ranked[1]
    rows = list(probabilities._bins(scores, truth))
    shares, means = calibration_curve(truth, scores, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([row[0] for row in rows], means, atol=2e-3)
    np.testing.assert_allclose([row[1] for row in rows], shares, atol=0.04)
    for _, share, low, high, count in rows:
        found = stats.binomtest(round(share * count), count).proportion_ci(0.95, method="wilson")
        assert (low, high) == pytest.approx((found.low, found.high), abs=1e-6)
    assert sum(row[4] for row in rows) == 300


def test_equal_probabilities_are_one_group():
    rows = list(probabilities._bins(np.full(8, 0.5), np.arange(8) < 6))
    assert [(row[0], row[1], row[4]) for row in rows] == [(0.5, 0.75, 8)]


@pytest.mark.parametrize("seed", range(20))
def test_ticks_are_round_few_and_inside(seed):
    rng = np.random.default_rng(seed)
    low, high = sorted(rng.normal(size=2) * 10.0 ** rng.integers(-6, 6))
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 * abs(low) <= each <= high + 1e-9 * abs(high) for each in found)
    assert np.ptp(np.diff(found)) <= 1e-6 * (high - low)
    assert len(set(texts(found))) == len(found)


@pytest.mark.parametrize("seed", range(20))
def test_ticks_of_a_log_scale_are_few_and_inside(seed):
    rng = np.random.default_rng(seed)
    low = 10.0 ** rng.uniform(-9, 3)
    high = low * 10.0 ** rng.uniform(0.1, 9)
    found = ticks(low, high, is_log=True)
    assert 1 <= len(found) <= 9
    assert all(low * (1 - 1e-9) <= each <= high * (1 + 1e-9) for each in found)
    assert len(set(texts(found))) == len(found)


@pytest.mark.parametrize("kind", [LINEAR, LOG, NAMES])
@pytest.mark.parametrize("values", [[], [0.0], [3.0], [1e-12, 1e-12], [0.5, 2.0]])
def test_a_scale_has_a_place_for_every_value(kind, values):
    found = scale(FigureAxis("", kind, ("a", "b", "c")), values, 10.0, 90.0)
    shown = [each for each in values if (kind != LOG or each > 0) and (kind != NAMES or each <= 2)]
    assert found.low < found.high
    assert all(10.0 <= found(each) <= 90.0 for each in shown)


def test_a_few_bad_trials_stand_at_the_edge():
    assert edge([0.9, 0.91, 0.92, 0.1], larger_is_better=True) > 0.1
    assert edge([1.0, 1.1, 1.2, 900.0], larger_is_better=False) < 900.0


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a\"b'c", "a\nb\x00\u202e", "x" * 900, "\U0001f600" * 40]
)
def test_any_name_is_written_as_it_is_and_fits(text):
    assert not set(written(text)) & set("<>\"'\n\x00\u202e")
    cut = shortened(text, 100)
    assert width_of(cut) <= 100 + width_of("…")


def luminance(colour):
    """Relative luminance, by the formula of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_marks_stand_out_from_the_paper(theme):
    for paper in (theme["paper"], theme["back"]):
        assert min(contrast(theme[name], paper) for name in ("ink", "soft", "c0", "c1")) >= 4.5
    assert min(contrast(theme[f"c{tone}"], theme["paper"]) for tone in KINDS) >= 3.0
    mixed = [
        round(
            int(theme["paper"][place : place + 2], 16) * (1 - _DARKEST)
            + int(theme["cell"][place : place + 2], 16) * _DARKEST
        )
        for place in (1, 3, 5)
    ]
    assert contrast(theme["ink"], "#" + "".join(f"{each:02x}" for each in mixed)) >= 4.5


def test_names_that_lean_begin_on_the_paper():
    names = ("learning rate", "optimizer", "decay", "log loss")
    panel = Panel(FigureAxis("", NAMES, names), FigureAxis(""), (Series(POINTS, [0.0, 3.0], [0.0, 1.0]),))
    place, drawing = plot(panel, NARROW)
    found = re.findall(r'translate\(([\d.]+) [\d.]+\) rotate\(-42\)">([^<]+)<', drawing)
    assert [name for _, name in found] == list(names)
    assert all(float(spot) >= 0.743 * width_of(name) for spot, name in found), place


@pytest.mark.parametrize(
    ("predicted", "said"),
    [(96, "about as often as it occurs"), (70, "too rarely"), (130, "too often")],
)
def test_only_more_than_chance_is_too_often_or_too_rarely(predicted, said):
    counted = (ClassCounts("ok", 98, predicted), ClassCounts("relapse", 110, 208 - predicted))
    about = SimpleNamespace(
        result=SimpleNamespace(classes=counted, classes_of_mean=False, best=SimpleNamespace(number=16))
    )
    assert f"'ok' {said}: {predicted} times" in classes.counts(about).sentence


def test_classes_without_a_gap_have_no_largest_one():
    counted = tuple(ClassCounts(name, 9, 9) for name in "abc")
    about = SimpleNamespace(
        result=SimpleNamespace(classes=counted, classes_of_mean=False, best=SimpleNamespace(number=16))
    )
    assert "as often as it occurs" in classes.counts(about).sentence
    assert "gap" not in classes.counts(about).sentence


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([0.9, 0.8, 0.7], "still falls at its last epoch, 3"),
        ([0.9, 0.5, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2], "is level from about epoch 4 on"),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3], "falls until about epoch 7 of 8: more may help"),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], "still falls at its last epoch, 8"),
    ],
)
def test_a_loss_that_stopped_falling_at_the_very_end_is_not_called_level(losses, said):
    best = SimpleNamespace(curves=SimpleNamespace(epochs=range(1, len(losses) + 1), validation=losses))
    assert said in curves._ending(best)
