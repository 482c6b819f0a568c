"""What a night came to, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lrtune.text import formats
from lrtune.text.formats import Show

if TYPE_CHECKING:
    from lrtune.verdict.result import Result


def night_words(result: Result) -> str:
    """Say in a sentence or two what became of the champion tonight; empty where there is no night."""
    night = result.nightly
    if night is None:
        return ""
    show = formats.score_format([night.standing.score if night.standing else result.mean])
    return " ".join(formats.sentence(each) for each in _said(result, show) if each)


def _said(result: Result, show: Show) -> Iterator[str]:
    night = result.nightly
    assert night is not None
    if night.outcome == "first":
        yield "there was no champion before, so this one is the first"
        return
    if night.outcome == "unchanged":
        yield f"nothing was trained, because {night.no_drift}; the champion stays"
        return
    if night.outcome == "untried":
        yield f"{night.no_drift}; it stays, and the same command goes on"
        return
    drift, gain = night.drift, night.gain
    if drift is None:
        yield f"{'there is no drift' if night.repeats else 'drift is not known'}: {night.no_drift}"
    else:
        way = f"{formats.rough_gap(drift.mean, show)} {'better' if drift.mean > 0 else 'worse'} than"
        if formats.is_nothing(drift.mean):
            way = "as good as"
        then = "on the night before" if night.since is None else f"in night {night.since}"
        span = f"{formats.signed(drift.low, show)} to {formats.signed(drift.high, show)}"
        yield f"the champion is {way} {then} ({span})"
    if drift is not None and night.chart is not None and night.chart.is_out:
        yield "with the nights before, chance does not explain that"
    yield _contest(result, show) if gain is not None else _without_gain(result)


def _contest(result: Result, show: Show) -> str:
    night = result.nightly
    assert night is not None
    assert night.gain is not None
    it = "the champion" if night.drift is None else "it"  # which the sentence before is about
    if night.outcome == "same":
        return f"{it} is tonight's best itself, and stays"
    gain = night.gain
    span = f"{formats.signed(gain.low, show)} to {formats.signed(gain.high, show)}"
    found = f"tonight's best gains {formats.signed(gain.mean, show)} on {it}, corrected ({span})"
    return (
        f"{found}, and takes its place" if night.promoted else f"{found}: too little, so the champion was trained anew"
    )


def _without_gain(result: Result) -> str:
    night = result.nightly
    assert night is not None
    if night.promoted:
        said = night.drift is None and night.no_gain == night.no_drift
        return "tonight's best takes its place" + ("" if said else f": {night.no_gain}")
    return f"the champion stays: the gain over it is not known ({night.no_gain})"
