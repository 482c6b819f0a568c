"""How the best rate goes with a size: on losses known in closed form, and on trainings."""

import itertools
import json
import math
import textwrap

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.finder.in_full import constant_losses
from lrtune.finder.planned import PlannedRuns
from lrtune.finder.scaling import find_scaling, measured
from lrtune.finder.scaling_plan import plan_scaling
from lrtune.finder.sizes import SIZE_KINDS
from lrtune.finder.trends import BEND, GRAIN, MARGIN, SizeRuns, trend, tried
from lrtune.reporting.scaling import OptimizerScaling, said
from lrtune.text.errors import LrtuneError
from lrtune.trainers.preparation import prepare
from lrtune.training.horizons import with_horizon
from lrtune.training.registry import complete
from lrtune.training.schedules import multipliers

FOLDS, SIZES = 5, (4, 8, 16, 32)


def runs(losses, rates):
    """Planned runs of losses ``(K, m)``, far below those of a prediction without features."""
    unknown = np.full(losses.shape, np.nan)
    no_curves = np.empty((len(rates), 0))
    return PlannedRuns(np.array(rates), losses, np.full(len(losses), 50.0), unknown, np.array([]), no_curves, 1)


def bowls(exponent, rng, *, moved=0.5, noise=0.0, folds=FOLDS, sizes=SIZES):
    """Parabolas of the logarithm of the rate; each fold moves the bottom, and its distance to other sizes."""
    shifts, found = rng.normal(scale=moved, size=(len(sizes), folds)), []
    for size, own in zip(sizes, shifts, strict=True):

        def losses(rates, size=size, own=own):
            off = np.log2(rates)[None, :] + 5.0 - exponent * math.log2(size) - own[:, None]
            level = 1.0 + 0.2 * np.arange(folds)[:, None]
            return np.exp(0.05 * np.square(off)) * level + noise * rng.normal(size=(folds, len(rates)))

        known = {}

        def train(rates, known=known, losses=losses):
            known |= dict(zip(rates, losses(np.array(rates)).T, strict=True))
            ordered = sorted(known)
            return runs(np.stack([known[each] for each in ordered], axis=1), ordered)

        found.append(SizeRuns(size, tried(train, None, (1e-5, 10.0))))
    return found


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 1.0])
def test_a_known_exponent_is_found_where_all_folds_agree(exponent):
    rng = np.random.default_rng(0)
    found = trend(bowls(exponent, rng, moved=0.0), rng)
    assert found.exponent == pytest.approx(exponent, abs=0.02)
    assert found.agrees(exponent)
    assert found.at(128).rate == pytest.approx(2.0**-5 * 128**exponent, rel=0.1)


def test_nine_of_ten_intervals_hold_the_exponent_and_the_rate():
    held, rates = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        found = trend(bowls(-0.5, rng, moved=0.8, noise=0.01), rng)
        held.append(found.agrees(-0.5))
        low, high = found.at(128).interval
        rates.append(low <= 2.0**-5 * 128**-0.5 <= high)
    assert stats.binomtest(sum(held), 150, 0.9, alternative="less").pvalue > 0.01
    assert stats.binomtest(sum(rates), 150, 0.9, alternative="less").pvalue > 0.01
    assert np.mean(held) < 0.995  # neither are they wide for nothing


def test_other_folds_move_the_best_rate_as_far_as_these_differ():
    rng = np.random.default_rng(3)
    (one,) = bowls(0.0, rng, moved=0.6, folds=8, sizes=(16,))
    losses, places = one.runs.losses, np.log2(one.runs.rates)
    level = losses.min(axis=1, keepdims=True)
    own = np.array([np.polyfit(places, np.log(row / low), 2) for row, low in zip(losses, level, strict=True)])
    bottoms = -own[:, 1] / (2 * own[:, 0])  # exact: each fold is the exponential of a parabola
    moved = one.drawn(rng.normal(size=(4000, 8))).std()
    assert moved == pytest.approx(bottoms.std(ddof=1) / math.sqrt(8), rel=0.25)


def test_the_slope_is_that_of_least_squares_where_all_sizes_are_known_alike():
    rng = np.random.default_rng(1)
    found = bowls(-0.3, rng, moved=0.0)
    places = np.log([each.best for each in found])
    slope = np.polyfit(np.log(SIZES), places, 1)[0]
    assert trend(found, rng).exponent == pytest.approx(slope, rel=1e-6)


def test_an_interval_grows_with_the_distance():
    rng = np.random.default_rng(2)
    found = trend(bowls(-0.5, rng), rng)
    widths = [math.log(high / low) for low, high in (found.at(size).interval for size in (16, 64, 256, 1024))]
    assert widths == sorted(widths)
    assert all(found.at(size).interval[0] < found.at(size).rate < found.at(size).interval[1] for size in (1, 1000))
    away = math.log(1024 / found.centre)
    half = math.sqrt(found.half_at_centre**2 + (found.half * away) ** 2)
    assert widths[-1] == pytest.approx(2 * half)
    assert found.interval == pytest.approx((found.exponent - found.half, found.exponent + found.half))


def test_even_where_all_folds_agree_a_trend_may_bend():
    rng = np.random.default_rng(2)
    sizes = np.log(SIZES)
    grain = GRAIN * math.log(2.0) / math.sqrt(np.square(sizes - sizes.mean()).sum())  # least squares, error of a slope
    found = trend(bowls(-0.5, rng, moved=0.0), rng)
    assert found.half == pytest.approx(math.hypot(stats.t.ppf(0.95, FOLDS - 1) * grain, 1.645 * BEND), rel=0.02)


@pytest.mark.parametrize(
    ("exponent", "moved", "verdict"),
    [(-1.0, 0.0, "falls"), (1.0, 0.0, "rises"), (0.0, 0.0, "stays"), (0.0, 4.0, "untold")],
)
def test_what_is_said_of_a_trend(exponent, moved, verdict):
    rng = np.random.default_rng(4)
    assert trend(bowls(exponent, rng, moved=moved), rng).verdict == verdict


@pytest.mark.parametrize("near", [None, 1e-3, 0.5])
def test_rates_are_tried_until_the_best_one_is_in_the_middle_and_none_twice(near):
    seen = []

    def train(rates):
        assert not set(rates) & set(seen)
        seen.extend(rates)
        ordered = np.array(sorted(seen))
        return runs((1.0 + np.abs(np.log2(ordered) + 7.2)) * np.ones((3, 1)), ordered)

    found = tried(train, near, (1e-4, 1.0))
    best = found.rates[found.best]
    assert best == 2.0**-7
    assert {best * 2.0**each for each in range(-MARGIN, MARGIN + 1)} <= set(found.rates)


def test_a_best_rate_beyond_everything_is_an_end():
    def train(rates):
        train.seen = sorted({*train.seen, *rates})
        return runs(np.array(train.seen)[None] * np.ones((3, 1)), train.seen)  # the lower, the better

    train.seen = []
    assert not SizeRuns(4, tried(train, 1e-3, (1e-4, 1.0))).is_inside


def test_a_longer_horizon_stretches_the_schedule():
    short = complete({"epochs": 4, "decay": "step", "decay.factor": 0.5, "decay.every": 1, "warmup": 0.25})
    longer = with_horizon(short, 12)
    assert longer["decay.every"] == 3
    shape = multipliers(short, 5, 4).ravel(), multipliers(longer, 5, 12).ravel()
    assert shape[1][2::3] == pytest.approx(shape[0], abs=0.05)
    assert with_horizon(longer, 4) == short


@pytest.fixture(scope="module")
def wine():
    found = lrtune.experiment.load("configs/wine.yaml", ["search.folds=3", "training.epochs=8"])
    return found, prepare(found)


def default(found):
    return found.configuration(found.space.default())


def test_fewer_rows_are_among_more_and_what_is_scored_stays(wine):
    found, prepared = wine
    kind, setting, planned = SIZE_KINDS["rows"], prepared.setting, default(found)
    all_of = kind.size(planned, setting)
    assert all_of == len(setting.folds[0].features) + len(setting.folds[0].validation_features)
    half, quarter = (kind.sized(planned, setting, all_of // share)[1] for share in (2, 4))
    for one, other, whole in zip(quarter.folds, half.folds, setting.folds, strict=True):
        assert len(other.features) == pytest.approx(len(whole.features) / 2, abs=1)
        assert {row.tobytes() for row in one.features} <= {row.tobytes() for row in other.features}
        assert other.validation_features is whole.validation_features
    assert kind.sized(planned, setting, all_of)[1].folds[0] is setting.folds[0]


def test_the_width_of_other_layers_goes_along(wine):
    found, prepared = wine
    planned = complete({**default(found), "hidden": (32, 16)})
    assert SIZE_KINDS["width"].sized(planned, prepared.setting, 8)[0]["hidden"] == (8, 4)
    with pytest.raises(LrtuneError, match="a linear model has no hidden layer"):
        SIZE_KINDS["width"].size(complete({**default(found), "model": "linear"}), prepared.setting)


def test_the_loss_without_features_is_that_of_the_shares(wine):
    _, prepared = wine
    fold = prepared.setting.folds[0]
    shares = np.bincount(fold.targets) / len(fold.targets)
    entropy = -np.log(shares[fold.validation_targets]).mean()
    assert constant_losses(prepared.setting)[0] == pytest.approx(entropy, rel=0.02)


@pytest.mark.parametrize("kind", SIZE_KINDS)
def test_every_kind_of_size_has_sizes_in_steps_and_says_what_it_takes(kind, wine):
    plan = plan_scaling(*wine, kind)
    assert len(plan.sizes) >= 3
    assert list(plan.sizes) == sorted(set(plan.sizes))
    assert [size for size, _ in plan.cost.trainings] == list(plan.sizes)
    assert plan.cost.seconds > 0.0
    assert plan.in_order[0] == (max if kind == "batch" else min)(plan.sizes)


def test_the_same_call_gives_the_same_answer_and_draws_itself(tmp_path):
    def once():
        overrides = ["search.folds=3", "training.epochs=8"]
        return find_scaling("configs/wine.yaml", kind="horizon", at=64, optimizers=["adam"], overrides=overrides)

    one, other = once(), once()
    (curve,) = one.curves
    assert curve.status == "ok"
    assert curve.trend == other.curves[0].trend
    assert [each.size for each in curve.sizes] == [1, 2, 4, 8]
    assert [each.size for each in curve.predicted] == [64]
    for each in curve.sizes:
        steps = np.diff(np.log2(each.runs.rates))
        assert ((steps == 1.0) | (steps == 2.0)).all()
        assert each.runs.is_whole.all()
    saved = one.plot().save(tmp_path / "scaling.svg").read_text()
    for expected in ("measured trend", "1 / square root", "power -0.32", "the same rate", "twice the epochs take"):
        assert expected in saved


PLANNED = """
import math


def train(run):
    best = 0.3 * run.epochs ** -0.5 * (1.0 + 0.2 * (run.fold - 2))
    for epoch in range(run.epochs):
        yield {"log_loss": 0.2 + 0.1 * math.log2(run["learning_rate"] / best) ** 2 * (1.0 + 0.1 * run.fold)}
"""
FUNCTION = """
data: {path: t.csv, target: y}
trainer: train.py:train
training: {epochs: 16}
search: {metric: log_loss, folds: 3}
space: {learning_rate: {low: 1e-3, high: 1, scale: log}}
"""


@pytest.fixture
def function(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    lines = (f"{each:.3f},{'yes' if each > 0 else 'no'}" for each in rng.normal(size=60))
    (tmp_path / "t.csv").write_text("\n".join(["a,y", *lines]) + "\n")
    (tmp_path / "train.py").write_text(PLANNED)
    (tmp_path / "file.yaml").write_text(textwrap.dedent(FUNCTION))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("function")
def test_a_function_whose_best_rate_falls_with_the_root_of_its_epochs():
    (curve,) = find_scaling("file.yaml", kind="horizon", at=256).curves
    assert curve.status == "ok"
    assert curve.trend.agrees(-0.5)
    assert curve.trend.verdict == "falls"
    assert curve.predicted[0].rate == pytest.approx(0.3 / 16, rel=0.2)


@pytest.mark.usefixtures("function")
def test_what_a_function_cannot_be_asked_is_a_sentence():
    for kind in ("batch", "width"):
        with pytest.raises(LrtuneError, match=f"{kind} is for lrtune's own networks; .* knows horizon and rows"):
            find_scaling("file.yaml", kind=kind)
    plan = plan_scaling(*loaded("file.yaml"), "rows", sizes=[24, 36, 48])
    assert [len(fold.features) for fold in plan.prepared.setting.folds] == [32] * 3
    setting = plan.kind.sized(plan.configurations[0], plan.prepared.setting, 24)[1]
    assert [len(rows) for rows, _ in setting.foreign.rows] == [len(fold.features) for fold in setting.folds] == [16] * 3


def loaded(path):
    found = lrtune.experiment.load(path)
    return found, prepare(found)


def run(*words):
    return CliRunner().invoke(app, [str(each) for each in words])


WINE = ("configs/wine.yaml", "--set", "search.folds=3", "--set", "training.epochs=8")


def test_the_page_the_json_and_the_files_tell_the_same(tmp_path):
    words = ("finder", *WINE, "--scaling", "horizon", "--at", 32, "--optimizer", "adam", "-o", tmp_path / "o")
    shown = run(*words, "--plot", tmp_path / "p.html")
    assert shown.exit_code == 0, shown.output
    assert "trainings in full on 3 folds, by epochs: 13 at 1, 6 at 2, 6 at 4, 6 at 8" in shown.stderr.replace("\n", " ")
    found = json.loads((tmp_path / "o" / "scaling.json").read_text())
    (one,) = found["optimizers"]
    low, high = (f"{2**each:.2f}" for each in one["interval"])
    assert f"twice the epochs take {low} to {high} times the rate (90 %)" in " ".join(shown.stdout.split())
    assert one["verdict"] == "untold"
    assert f"{one['exponent']:.2f}" in shown.stdout
    assert "adam at 32" in shown.stdout
    assert "measured trend" in (tmp_path / "p.html").read_text()
    assert "measured trend" in (tmp_path / "o" / "scaling.svg").read_text()
    assert max(map(len, shown.stdout.splitlines())) <= 100
    again = run(*words, "--json", "--quiet")
    assert json.loads(again.stdout) == found
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--scaling", "hights"), "unknown kind of size 'hights'"),
        (("--scaling", "horizon", "--size", 2, "--size", 4), "a trend takes at least 3 different ones, got 2"),
        (
            ("--scaling", "rows", "--size", 20, "--size", 40, "--size", 4000),
            "rows of the table to measure with, got 4000",
        ),
        (("--scaling", "horizon", "--at", 0), "at: expected a whole number of at least 1 epochs, got 0"),
        (("--scaling", "horizon", "--optimizer", "adm"), "unknown optimizer 'adm'; "),
        (("--scaling", "horizon", "--quick", "--low", 1e-3), "does not go with --low, --quick"),
        (("--at", 400), "--at: say with --scaling which size is meant"),
        (("--scaling", "horizon", "--plot", "p.gif"), "unknown kind of figure '.gif'"),
    ],
)
def test_a_wrong_word_is_one_sentence(words, expected, tmp_path):
    result = run("finder", *WINE, "-o", tmp_path, *words)
    assert result.exit_code == 2
    assert expected in " ".join(result.output.split())
    assert not (tmp_path / "scaling.json").exists()


def test_where_nothing_can_be_learnt_there_is_no_trend(tmp_path):
    rng = np.random.default_rng(0)
    lines = (f"{one:.3f},{other}" for one, other in zip(rng.normal(size=120), rng.integers(2, size=120), strict=True))
    (tmp_path / "noise.csv").write_text("\n".join(["a,y", *lines]) + "\n")
    words = ("--data", tmp_path / "noise.csv", "--target", "y", "--set", "training.epochs=8", "--optimizer", "adam")
    result = run("finder", *words, "--scaling", "horizon", "-o", tmp_path / "o", "--quiet")
    assert result.exit_code == 5, result.output
    assert "no rate learns anything at the largest size" in " ".join(result.output.split())


def test_sentences_of_several_verdicts():
    def of(verdict, exponent, half):
        interval = (exponent - half, exponent + half)
        return said(
            OptimizerScaling(
                optimizer="adam",
                decay="linear",
                status="ok",
                reason="",
                verdict=verdict,
                exponent=exponent,
                interval=interval,
                sizes=(),
            ),
            "epochs",
        )

    assert of("rises", 0.5, 0.25).startswith("adam: the best rate rises; twice the epochs take 1.41 times the rate")
    assert of("stays", 0.0, 0.1).startswith("adam: the best rate stays nearly the same; ")
    assert of("untold", 0.0, 1.0).endswith(
        "no trend can be told; twice the epochs take 0.50 to 2.00 times the rate (90 %)"
    )


def test_rules_go_through_the_middle_of_what_was_measured():
    rng = np.random.default_rng(5)
    line = trend(bowls(-0.5, rng, moved=0.0), rng)
    for rule, size in itertools.product(SIZE_KINDS["horizon"].rules, (64, 512)):
        assert line.rate * (size / line.centre) ** rule.exponent > 0.0
        assert line.agrees(rule.exponent) == (line.interval[0] <= rule.exponent <= line.interval[1])


def test_a_kind_of_size_is_one_entry(wine, monkeypatch):
    def deeper(planned, setting, size):
        return complete({**planned, "hidden": (8,) * size}), setting

    entry = SIZE_KINDS["width"]._replace(
        name="depth", noun="hidden layers", factors=(1.0, 2.0, 3.0), least=1, size=lambda *_: 1, sized=deeper
    )
    monkeypatch.setitem(SIZE_KINDS, "depth", entry)
    finding = measured(plan_scaling(*wine, "depth", at=[4], optimizers=["adam"]))
    assert [each.size for each in finding.curves[0].sizes] == [1, 2, 3]
    assert "twice the hidden layers" in " ".join(finding.plot().sentence.split()) or finding.curves[0].trend is None
