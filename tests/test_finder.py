import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import lrtune
from lrtune.cli import app
from lrtune.experiment import load_text
from lrtune.experiment.writing.ranges import with_ranges
from lrtune.finder import effort, sweeps
from lrtune.finder.rules import (
    Suggestion,
    best_of_short_runs,
    bootstrap,
    carried_over,
    is_gain,
    marks,
    middle,
    search_range,
    smoothed,
    status,
    until_divergence,
)
from lrtune.reporting import rate_curves, rate_page, rates
from lrtune.reporting.rate_figures import rate_figure
from lrtune.text.errors import DataError
from lrtune.training.range_test import SweepCurves

CONFIG = "data: {{path: {path}, target: y}}\ntraining: {{epochs: 20, batch_size: 32}}\nmodel: {{hidden: [16]}}\n"


def table(folder, kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = {
        "signal": x @ [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=300),
        "noise": rng.normal(size=300),
        "constant": np.r_[np.full(299, 2.0), 2.0],
    }[kind]
    path = folder / f"{kind}.csv"
    path.write_text(
        "a,b,c,y\n" + "\n".join(",".join(f"{v:.5f}" for v in (*row, t)) for row, t in zip(x, y, strict=True))
    )
    config = folder / f"{kind}.yaml"
    config.write_text(CONFIG.format(path=path.name))
    return config


def found(folder, kind, **options):
    overrides = ["data.task=regression"]
    return lrtune.find_learning_rate(table(folder, kind), overrides=overrides, optimizers=["momentum"], **options)


@pytest.mark.parametrize("method", ["ramp", "ladder"])
def test_a_signal_gives_a_rate_inside_its_interval_and_below_the_edge(tmp_path, method):
    answer = found(tmp_path, "signal", method=method).curves[0].suggestion
    assert answer.status == "ok"
    assert answer.interval[0] <= answer.recommended <= answer.interval[1]
    assert answer.search_range[0] < answer.recommended < answer.search_range[1]
    assert answer.edge is None or answer.recommended < answer.edge
    assert (answer.valley is None) == (method == "ladder")


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [
        ("noise", {}, "flat"),
        ("signal", {"low": 1e-9, "high": 1e-3}, "still_falling"),
        ("signal", {"low": 50.0, "high": 1e5}, "diverged_at_start"),
        ("signal", {"updates": 5, "low": 1e-4, "high": 1.0}, "too_few_points"),
    ],
)
def test_without_an_answer_there_is_no_number(tmp_path, kind, options, status):
    answer = found(tmp_path, kind, **options).curves[0].suggestion
    assert answer.status == status
    assert answer[1:] == (None,) * 7


def test_a_target_that_never_changes_is_refused(tmp_path):
    with pytest.raises(DataError, match="nothing to learn"):
        found(tmp_path, "constant")


def test_labels_that_turn_round_between_groups_diverge_at_once(tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 2))
    group = np.arange(200) % 2
    y = np.where(group, 1.0, -1.0) * x.sum(axis=1)  # what is learnt on one group is wrong on the other
    rows = zip(*x.T, group, y, strict=True)
    (tmp_path / "t.csv").write_text("a,b,g,y\n" + "\n".join(f"{a:.5f},{b:.5f},g{g},{t:.5f}" for a, b, g, t in rows))
    config = tmp_path / "t.yaml"
    config.write_text(
        "data: {path: t.csv, target: y, group: g, test_size: 0}\nmodel: {type: linear}\n"
        "training: {epochs: 10, batch_size: 20}\nsearch: {folds: 2}\n"
    )
    curve = lrtune.find_learning_rate(config, optimizers=["sgd"]).curves[0]
    assert curve.suggestion.status == "diverged_at_start"
    assert curve.suggestion.recommended is None
    assert curve.rates[0] < 1e-7  # it looked further down before it gave up


def test_an_end_that_is_given_stays_and_the_other_is_found(tmp_path):
    curve = found(tmp_path, "signal", low=1e-8).curves[0]
    assert (curve.suggestion.status, curve.rates[0], curve.rates[-1]) == ("ok", 1e-8, 10.0)
    curve = found(tmp_path, "signal", low=1e-12, updates=40, method="ladder", repetitions=2).curves[0]
    assert (curve.suggestion.status, curve.rates[0], curve.losses.shape[:2]) == ("ok", 1e-12, (2, 5))


def test_an_interval_wider_than_a_factor_of_five_is_doubtful():
    sure, doubtful = (Suggestion("ok", 1e-2, (5e-3, high)) for high in (2e-2, 3e-2))
    assert (sure.unstable, doubtful.unstable, Suggestion("flat").unstable) == (False, True, False)


def test_diverged_runs_have_a_line_below_the_curve(tmp_path):
    finding = found(tmp_path, "signal", high=1e3)
    summary = rates.summary(finding, "signal")
    assert summary.optimizers[0].curve.diverged[-1] == 1.0
    (line,) = (each for each in rate_curves.curve_lines(summary, width=80) if each.lstrip().startswith("diverged"))
    assert line.endswith("█")
    assert line[len(line) // 4] == " "


@pytest.mark.parametrize("width", [60, 80, 98])
def test_the_picture_stays_within_its_width(tmp_path, width):
    lines = rate_curves.curve_lines(rates.summary(found(tmp_path, "signal", high=1e3), "signal"), width=width)
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert all(
        each in text for each in ("momentum: median", "10-90 %", "short runs", "recommended", "all runs diverged")
    )


def layers_of(figure):
    """Every layer of a figure: its panel, its mark, its encoding, and its rows."""
    for number, panel in enumerate(figure["vconcat"]):
        for layer in panel.get("layer", [panel]):
            data = layer.get("data", panel.get("data", {}))
            rows = data["values"] if "values" in data else figure["datasets"][data["name"]]
            yield number, layer["mark"], layer["encoding"], rows


def test_the_figure_has_the_share_of_diverged_runs_at_rates_without_a_loss_too(tmp_path):
    summary = rates.summary(found(tmp_path, "signal", high=1e3), "signal")
    curve = summary.optimizers[0].curve
    assert curve.median[-1] is None
    (rows, _) = (
        rows
        for _, _, encoding, rows in layers_of(rate_figure(summary))
        if encoding.get("y", {}).get("field") == "diverged"
    )
    assert {row["rate"]: row["diverged"] for row in rows} == dict(zip(curve.rates, curve.diverged, strict=True))


def test_the_figure_has_the_numbers_of_the_answer(tmp_path):
    summary = rates.summary(found(tmp_path, "signal", high=1e3, quick=True), "signal")
    answer = summary.optimizers[0]
    figure = rate_figure(summary)
    texts = [row for _, mark, _, rows in layers_of(figure) if mark["type"] == "text" for row in rows]
    low, high = answer.interval
    assert {row["mark"]: (row["rate"], row["label"]) for row in texts} == {
        "recommended": (answer.recommended, f"{answer.recommended:.1e} ({low:.1e} .. {high:.1e})".replace("e-0", "e-")),
        "minimum": (answer.minimum, f"{answer.minimum:.1e}".replace("e-0", "e-")),
        "breaks away": (answer.edge, f"{answer.edge:.1e}".replace("e-0", "e-").replace("e+0", "e")),
    }
    spans = {
        row["mark"]: (row["rate"], row["end"])
        for _, _, encoding, rows in layers_of(figure)
        if "x2" in encoding
        for row in rows
    }
    assert spans == {"90 % interval": answer.interval, "search range": answer.search_range}
    # each number stands on its curve too
    points = {
        row["mark"]: row
        for number, mark, _, rows in layers_of(figure)
        if number == 0 and mark["type"] == "point"
        for row in rows
    }
    for name, rate in (("recommended", answer.recommended), ("minimum", answer.minimum)):
        expected = np.interp(np.log(rate), np.log(answer.curve.rates[:8]), np.array(answer.curve.median[:8], float))
        assert points[name]["rate"] == rate
        assert points[name]["median"] == pytest.approx(expected) or rate > answer.curve.rates[7]


def test_the_legend_of_the_figure_names_what_is_drawn_and_nothing_else(tmp_path):
    summary = rates.summary(found(tmp_path, "signal", high=1e3), "signal")
    bare = dataclasses.replace(
        summary,
        optimizers=tuple(dataclasses.replace(each, edge=None, short_runs=None) for each in summary.optimizers),
    )
    for told, missing in ((summary, set()), (bare, {"breaks away", "short runs, rate falling to zero"})):
        layers = list(layers_of(rate_figure(told)))
        scales = [encoding["shape"]["scale"] for _, _, encoding, _ in layers if "shape" in encoding]
        assert scales[0] == scales[1]
        drawn = {row["mark"] for _, _, _, rows in layers for row in rows if "mark" in row}
        assert set(scales[0]["domain"]) == drawn | {"median of the runs", "10 to 90 % of the runs"}
        assert len(set(scales[0]["range"])) == len(scales[0]["range"]) == len(scales[0]["domain"])
        assert not missing & drawn


def test_why_the_recommended_rate_is_left_of_the_minimum_is_said_where_it_is(tmp_path):
    finding = found(tmp_path, "signal", high=1e3)
    (curve,) = finding.curves
    told = []
    for share in (0.5, 2.0):
        suggestion = curve.suggestion._replace(recommended=share * curve.suggestion.minimum)
        turned = dataclasses.replace(finding, curves=(dataclasses.replace(curve, suggestion=suggestion),))
        told.append(" ".join(rate_figure(rates.summary(turned, "signal"))["title"]["subtitle"]))
        sentences = [each for block in rate_page.page(turned) for each in getattr(block, "sentences", ())]
        assert (told[-1] in sentences) is bool(told[-1])
    assert told[0].startswith("the recommended rate is left of the minimum: ")
    assert told[1] == ""


def test_a_figure_without_an_answer_has_the_curves_alone(tmp_path):
    summary = rates.summary(found(tmp_path, "noise"), "noise")
    (entry,) = summary.optimizers
    assert entry.recommended is None
    curves, *below = rate_figure(summary)["vconcat"]
    assert len(below) == any(entry.curve.diverged)
    names = next(
        layer["encoding"]["shape"]["scale"]["domain"] for layer in curves["layer"] if "shape" in layer["encoding"]
    )
    assert not {"recommended", "90 % interval", "minimum", "breaks away", "search range"} & set(names)


def test_the_loss_at_a_rate_lies_on_the_curve():
    curve = rates.SweptLosses((1e-4, 1e-2, 1.0), (3.0, 1.0, None), (0.0,) * 3, (0.0,) * 3, (0.0,) * 3)
    assert curve.loss_at(1e-3) == pytest.approx(2.0)
    assert (curve.loss_at(1e-4), curve.loss_at(1e-2)) == (3.0, 1.0)
    assert curve.loss_at(1e-1) == math.inf


def test_the_picture_has_the_minimum_and_the_numbers(tmp_path):
    summary = rates.summary(found(tmp_path, "signal"), "signal")
    (entry,) = summary.optimizers
    text = "\n".join(rate_curves.curve_lines(summary, width=98))
    for name, sign, rate in (("recommended", "┊", entry.recommended), ("minimum", "▼", entry.minimum)):
        assert f"{sign} {name} {rate:.1e}".replace("e-0", "e-") in text
    lines = text.splitlines()
    (line,) = [each for each in lines if "▼" in each and "minimum" not in each]
    assert lines.index(line) in (14, 15)  # the lowest lines of the picture


def test_the_same_call_gives_the_same_bits(tmp_path):
    one, two = (found(tmp_path, "signal").curves[0] for _ in range(2))
    np.testing.assert_array_equal(one.losses, two.losses)
    assert one.suggestion == two.suggestion


def test_marks_of_a_curve_known_in_closed_form():
    rates = np.logspace(-4, 0, 4001)
    curve = np.abs(np.log10(rates) + 2.0)  # falls from 2 to 0 at 1e-2 and rises again
    found = marks(rates, curve, 2.0)
    assert found.minimum == pytest.approx(1e-2, rel=1e-3)
    assert found.valley == pytest.approx(1e-3, rel=1e-3)
    assert found.edge == pytest.approx(1e-1, rel=1e-3)


def test_next_to_an_infinite_loss_nothing_is_interpolated():
    rates = np.array([1e-3, 1e-2, 1e-1, 1.0])
    found = marks(rates, np.array([np.inf, 0.0, 2.0, np.inf]), 4.0)
    assert found == (1e-2, 1e-2, 1.0)


def test_what_lies_beyond_divergence_is_luck():
    np.testing.assert_array_equal(until_divergence(np.array([3.0, 1.0, np.inf, 0.0])), [3.0, 1.0, np.inf, np.inf])
    rates = np.logspace(-4, 1, 11)
    curve = np.array([3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 1.5, 3.0, np.inf, 0.0, 0.0])
    assert status(rates, curve[None, None], np.full((1, 1), 3.0)) == "ok"


def test_the_best_rate_of_short_runs_known_in_closed_form():
    rates = np.logspace(-4, 0, 17)
    losses = (np.log10(rates) + 2.3)[None, None] ** 2 + np.array([[0.0], [3.0]])[None]  # one repetition, two folds
    losses[..., -1] = np.inf
    start = np.full((1, 2), 10.0)
    # A symmetric smoothing of a symmetric curve keeps its minimum; the two folds' offset does not matter.
    assert best_of_short_runs(rates, losses, start) == pytest.approx(10**-2.3, rel=0.05)
    low, high = bootstrap(rates, losses, start, np.random.default_rng(0))
    assert low == high == best_of_short_runs(rates, losses, start)


@pytest.mark.parametrize("tilt", [-0.01, 0.0, 0.01])
def test_the_middle_of_a_flat_bottom_counts_not_where_luck_has_its_lowest_point(tilt):
    rates = np.logspace(-4, 0, 41)
    places = np.log10(rates)
    losses = np.maximum(np.abs(places + 2.0) - 0.8, 0.0) + tilt * (places + 2.0)
    found = best_of_short_runs(rates, losses[None, None], np.full((1, 1), 1.2))
    assert np.log10(found) == pytest.approx(-2.0, abs=0.05)
    assert abs(np.log10(rates[np.argmin(losses)]) + 2.0) > 0.7 or tilt == 0.0


def test_one_fold_that_breaks_counts_but_not_for_everything():
    rates = np.logspace(-3, -1, 9)
    good = (np.log10(rates) + 1.5) ** 2
    broken = np.where(rates > 10**-1.8, np.inf, good)  # in one of two folds
    start = np.full((1, 2), 2.0)
    alone = best_of_short_runs(rates, np.array([[good, good]]), start)
    assert best_of_short_runs(rates, np.array([[good, broken]]), start) < alone


@pytest.mark.parametrize(("share", "mean", "factor"), [(1.0, 0.5, 1.0), (0.01, 0.5, 0.1), (0.01, 1.0, 0.05)])
def test_the_peak_falls_with_the_root_of_the_length_and_keeps_the_mean_rate(share, mean, factor):
    assert carried_over(share, mean) == pytest.approx(factor)


def test_a_constant_rate_is_half_of_one_that_falls_to_zero(tmp_path):
    config = table(tmp_path, "signal")
    answers = [
        lrtune.find_learning_rate(config, overrides=[f"space.decay={decay}"], optimizers=["adam"], quick=True).curves[0]
        for decay in ("linear", "constant")
    ]
    assert [each.decay for each in answers] == ["linear", "constant"]
    falling, constant = (each.suggestion.recommended for each in answers)
    assert constant / falling == pytest.approx(0.5, rel=0.02)  # the mean of a line of 160 steps is 0.503


@pytest.mark.parametrize("folds", [2, 3, 5])
@pytest.mark.parametrize(("share", "is_sure"), [(0.99, False), (1.01, True)])
def test_a_gain_is_three_standard_errors_of_the_folds_away_from_none(folds, share, is_sure):
    centred = np.linspace(-0.2, 0.2, folds)
    gains = centred + 3.0 * share * stats.sem(centred)
    start, constant = np.full((3, folds), 2.5), np.full(folds, 2.0)
    losses = np.stack([constant - gains, constant - gains - 0.1, np.full(folds, np.inf)])  # the middle one counts
    assert is_gain(losses, start, constant) is is_sure


@pytest.mark.parametrize(("gain", "is_one"), [(0.03, True), (0.01, False), (-0.5, False)])
def test_a_gain_of_a_hundredth_of_the_loss_is_none_however_sure(gain, is_one):
    assert is_gain(np.full((1, 4), 3.0 * (1.0 - gain)), np.full((1, 4), 9.0), np.full(4, 3.0)) is is_one


@pytest.mark.parametrize("axis", [0, 1], ids=["repetitions", "folds"])
def test_an_interval_reaches_from_one_half_of_the_runs_to_the_other(axis):
    """Of two folds, or two repetitions, a fourth of the resamples has the first alone and a fourth the second."""
    rates = np.logspace(-4, 0, 17)
    left, right = ((np.log10(rates) - place) ** 2 for place in (-2.8, -1.2))
    losses, start = np.expand_dims(np.stack([left, right]), 1 - axis), np.full((1, 2) if axis else (2, 1), 9.0)
    ends = [best_of_short_runs(rates, each[None, None], np.full((1, 1), 9.0)) for each in (left, right)]
    assert ends[0] < best_of_short_runs(rates, losses, start) < ends[1]
    assert bootstrap(rates, losses, start, np.random.default_rng(0)) == pytest.approx(ends)


@pytest.mark.parametrize(("edge", "high"), [(None, 0.2), (9.0, 0.2), (0.1, 0.1), (0.03, 0.05)])
def test_a_range_covers_a_factor_of_20_but_little_beyond_the_edge(edge, high):
    assert search_range(0.01, edge) == pytest.approx((0.0005, high))


@pytest.mark.parametrize("place", [-4.5, -2.2, 0.5])
def test_short_runs_are_added_until_their_best_one_is_inside_or_nothing_is_left(tmp_path, monkeypatch, place):
    """Wherever the best rate is, the rates rise evenly, and runs that all agree leave no doubt about the answer."""

    def agreed(_configurations, folds, _problem, rates, **_more):
        lanes = (1, len(folds))
        losses = np.broadcast_to(0.1 * (np.log10(rates) - place) ** 2, (*lanes, len(rates)))
        return SweepCurves(rates[None], losses, np.full(lanes, 9.0), np.full(len(folds), 9.0))

    monkeypatch.setattr(sweeps, "short_runs", agreed)
    curve = found(tmp_path, "signal", method="ladder", quick=True).curves[0]
    distances = np.diff(np.log10(curve.short.rates))
    assert distances == pytest.approx([1 / 2.7] * len(distances))
    lowest, left = int(np.argmin(curve.short.mean)), 0.7 * 5 * 20 * 6 - curve.spent  # 5 folds, 20 epochs of 6 updates
    assert 0 < lowest < len(curve.short.rates) - 1 or left < 5 * curve.short.updates
    unseen = 10 ** (1.645 * 0.45)  # of the whole training
    ends = np.array([1.0 / unseen, unseen]) * curve.suggestion.recommended
    assert curve.suggestion.interval == pytest.approx(tuple(ends))


@pytest.mark.parametrize("method", ["ramp", "ladder"])
def test_short_runs_lie_around_a_tenth_of_the_edge_of_a_ramp_and_the_minimum_of_a_ladder(tmp_path, monkeypatch, method):
    tried, short_runs = [], sweeps.short_runs

    def watched(configurations, folds, problem, rates, **more):
        tried.append(rates)
        return short_runs(configurations, folds, problem, rates, **more)

    monkeypatch.setattr(sweeps, "short_runs", watched)
    answer = found(tmp_path, "signal", method=method, quick=True).curves[0].suggestion
    assert np.median(tried[0]) == pytest.approx(answer.edge / 10.0 if method == "ramp" else answer.minimum)
    assert np.log10(tried[0][-1] / tried[0][0]) == pytest.approx(2 / 2.7)


@pytest.mark.parametrize("method", ["ramp", "ladder"])
@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("epochs", [1, 3, 8, 40])
def test_a_quick_finder_costs_at_most_a_tenth_of_a_grid_of_seven_rates(tmp_path, monkeypatch, method, folds, epochs):
    """Counted where lanes are trained, every attempt and every short run."""
    spent = []

    def watched(own):
        def count(configurations, parts, problem, rates, **more):
            spent.append(len(parts) * len(rates) * more.get("updates", 1))  # a ramp has a rate at each update
            return own(configurations, parts, problem, rates, **more)

        return count

    for name in ("ramp", "ladder", "short_runs"):
        monkeypatch.setattr(sweeps, name, watched(getattr(sweeps, name)))
    settings = ["data.task=regression", f"training.epochs={epochs}", f"search.folds={folds}"]
    config = table(tmp_path, "signal")
    (curve,) = lrtune.find_learning_rate(
        config, overrides=settings, optimizers=["adam"], method=method, quick=True
    ).curves
    updates = {2: 4, 5: 6}[folds] * epochs  # 240 rows to train and validate on, mini-batches of 32 or 30
    assert sum(spent) == curve.spent
    assert sum(spent) <= 0.1 * 7 * folds * updates
    assert curve.suggestion.status in (("ok",) if epochs == 40 else ("ok", "unclear", "too_few_points"))


def test_a_sweep_whose_length_is_given_is_as_long(tmp_path):
    curve = found(tmp_path, "signal", quick=True, updates=90, repetitions=2).curves[0]
    assert (curve.losses.shape[:2], curve.updates) == ((2, 5), 90)
    assert curve.suggestion.status == "ok"


def test_the_horizon_is_that_of_the_smallest_fold():
    setting = SimpleNamespace(folds=[SimpleNamespace(features=np.zeros((rows, 2))) for rows in (33, 10, 20)])
    assert effort.horizon({"batch_size": 8, "epochs": 3}, setting) == 3 * 2


def test_medians_are_infinite_where_half_of_the_runs_are():
    losses = np.array([[[1.0, 1.0]], [[3.0, np.inf]]])
    np.testing.assert_array_equal(middle(losses), [2.0, np.inf])
    np.testing.assert_array_equal(smoothed(np.array([1e-3, 1e2]), np.array([2.0, np.inf])), [2.0, np.inf])


def test_files_json_and_plots(tmp_path):
    config = table(tmp_path, "signal")
    outputs = [tmp_path / f"lr{ending}" for ending in (".png", ".svg", ".html")]
    for each in outputs:
        result = CliRunner().invoke(
            app, ["finder", str(config), "--plot", str(each), "-o", str(tmp_path / "o"), "--json"]
        )
        assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((tmp_path / "o" / "finder.json").read_text())
    assert (tmp_path / "o" / "finder.csv").read_text().startswith("optimizer,rate,median,low,high,diverged\n")
    assert outputs[0].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in outputs[1].read_text()
    assert "src=" not in outputs[2].read_text().split("<body")[0].replace("data:", "")[:2000]


def test_no_answer_ends_with_five_and_a_wrong_name_with_two(tmp_path):
    noise = table(tmp_path, "noise")
    result = CliRunner().invoke(app, ["finder", str(noise), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["optimizers"][0]["recommended"]) == (5, None)
    result = CliRunner().invoke(app, ["finder", str(noise), "--optimizer", "adan"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "adam" in result.stderr


TEXT = """\
data: {path: sklearn:digits}  # kept

space:
  # above
  learning_rate: {low: 1e-3, high: 1.0}   # behind
  optimizer:
    - momentum
    - adam:
        learning_rate:
          low: 1e-5
          high: 1e-1

        # below
        beta1: 0.9
"""


def test_writing_ranges_keeps_comments_and_blank_lines():
    text = with_ranges(TEXT, {"momentum": (2e-3, 0.5), "adam": (1e-4, 0.02)}, "x.yaml")
    for kept in ("# kept", "# above", "   # behind", "# below", "sklearn:digits}  # kept\n\nspace"):
        assert kept in text
    space = load_text(text).space
    assert all(
        space.contains({"learning_rate": r, "optimizer": o, "optimizer.beta1": 0.9}) is ok
        for o, r, ok in [
            ("momentum", 2e-3, True),
            ("momentum", 0.6, False),
            ("adam", 1e-4, True),
            ("adam", 0.03, False),
        ]
    )


DATA = "data: {path: 'sklearn:digits'}\n"
POINT = {"optimizer": "adam", "decay": "linear"}


@pytest.mark.parametrize(
    "text",
    [
        DATA + "space: {decay: linear}\n",
        DATA + "space: {}\n",
        DATA + "space: { # here\n  optimizer: adam # there\n  }\n",
        DATA + "space:\n      # c\n      optimizer: adam\n\n      # d\n",
        DATA + "space:\n  learning_rate: 0.1",
        DATA + "space:\n  learning_rate: &lr 0.1 # x\n",
        DATA + "space:\n  ? learning_rate\n  : 0.1 # x\n",
        DATA + "space:\n  learning_rate: >-\n    auto\n  # after\n  optimizer: adam\n",
        DATA + '"space":\n  "learning_rate": \'auto\' # x\n',
        DATA
        + "space:\n  learning_rate:\n    # why\n    low: 1e-5   # lowest\n\n    high: 1  # top\n    scale: linear\n",
        DATA + "space:\n  learning_rate: {low: 1e-5,   # lowest\n     high: 1e-1}  # highest\n",
        DATA + "space:\n  learning_rate:\n    - 0.1 # a\n\n    # between\n    - 0.2 # b\n  optimizer: adam\n",
        DATA + "space:\n  learning_rate: # lr\n  - 0.1 # a\n  - 0.2\n  optimizer: adam # o\n",
        DATA + "space:\n  learning_rate: [0.1,   # a\n    0.2] # b\n",
        DATA + "space: {optimizer: {adam: {learning_rate: auto}}} # m\n",
        DATA + "search: {strategy: grid}\nspace: {learning_rate: {low: 1e-4, high: 1.0, points: 3}}\n",
        DATA + "search: {strategy: grid}\nspace: {learning_rate: [0.1, 0.2, 0.3]}\n",
        "{data: {path: 'sklearn:digits'}, space: {learning_rate: [0.1, 0.2], optimizer: adam}} # end\n",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_whatever_its_style_a_file_gets_the_range_and_keeps_comments_blank_lines_and_line_ends(text, line_end):
    before = text.replace("\n", line_end)
    after = with_ranges(before, {"adam": (1e-4, 0.02)}, "x.yaml")
    assert after.count("\n") - after.count(line_end) == 0
    for comment in (each.partition("#")[2].strip() for each in text.splitlines() if "#" in each):
        assert f"# {comment}" in after
    blank = [sum(not each.strip() for each in one.splitlines()) for one in (before, after)]
    assert blank[0] == blank[1]
    space = load_text(after).space
    for rate, legal in ((1e-4, True), (0.02, True), (9e-5, False), (0.1, False)):
        assert space.contains({**POINT, "learning_rate": rate}) is legal
    assert with_ranges(after, {"adam": (1e-4, 0.02)}, "x.yaml") == after


@pytest.mark.parametrize(
    "text",
    [
        DATA,
        DATA.rstrip(),
        DATA + "# the end\n\n",
        f"---\n{DATA}# c\n...\n",
        DATA + "space:\n  # nothing here yet\n\nsearch: {trials: 3}\n",
        DATA + "space: ~  # c\n",
        "{data: {path: 'sklearn:digits'}}\n",
        "{data: {path: 'sklearn:digits'}, space: ~} # c\n",
    ],
)
def test_a_file_without_a_space_gets_the_one_that_it_means_with_the_range_in_it(text):
    after = with_ranges(text, {"adam": (1e-4, 0.02)}, "x.yaml")
    for comment in (each.partition("#")[2] for each in text.splitlines() if "#" in each):
        assert f"#{comment}" in after
    usual, space = load_text(text).space, load_text(after).space
    factors = {"decay": "linear", "decay.final": 0.0}
    assert space.contains({"optimizer": "adam", "learning_rate": 1e-4, **factors})
    assert not space.contains({"optimizer": "adam", "learning_rate": 0.1, **factors})
    momentum = {"optimizer": "momentum", "learning_rate": 0.9, **factors}
    assert usual.contains(momentum)
    assert space.contains(momentum)


def test_an_optimizer_that_the_file_does_not_search_changes_nothing_in_it():
    text = DATA + "space: {learning_rate: 0.1, optimizer: [rmsprop, momentum]}\n"
    assert with_ranges(text, {"adam": (1e-4, 0.02)}, "x.yaml") == text
    both = load_text(with_ranges(text, {"rmsprop": (1e-4, 0.02), "momentum": (1e-3, 0.5)}, "x.yaml"))
    assert both.space.contains({"optimizer": "rmsprop", "learning_rate": 1e-4})
    assert both.space.contains({"optimizer": "momentum", "learning_rate": 0.5})


def test_a_quick_finder_that_cannot_tell_says_what_would(tmp_path):
    finding = found(tmp_path, "noise", quick=True)
    assert finding.curves[0].suggestion.status == "unclear"
    text = str(rate_page.page(finding))
    assert "without --quick a few rates are trained in full, which may tell" in text
    assert "these rates are of short runs" not in text
