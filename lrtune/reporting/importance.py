"""Which dimensions mattered, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.text import formats
from lrtune.verdict.standing import own_ends, own_sign

if TYPE_CHECKING:
    from lrtune.space import Where
    from lrtune.space.trial import Configuration, Value
    from lrtune.verdict.explanation import Explanation
    from lrtune.verdict.explanation.importance import Share
    from lrtune.verdict.explanation.slices import Slice, SliceRow

MOST = 12
"""Dimensions on the page; the others are counted."""

WEAK = 0.3
"""A model that explains less is not worth much, and the page says so."""


def importance_page(found: Explanation, metric: str, called: str, *, slices: bool) -> list[Block]:
    """Say which dimensions mattered.

    Parameters
    ----------
    found
        As made by `lrtune.verdict.explanation.explain`.
    metric
        What trials are scored with.
    called
        How commands call the run.
    slices
        Whether to show predictions along each dimension.

    """
    parts = found.parts
    header = ("share", "±", "where it exists", "±", "dimension")
    page: list[Block] = [
        Headline(_headline(found)),
        Grid("what the predicted scores vary with, over the whole space", header, _rows(parts.shares[:MOST])),
        Remarks("", _remarks(found)),
    ]
    if slices:
        return [*page, *(_slice_grid(each, metric) for each in found.slices)]
    return [*page, Facts("next", [("slices", f"lrtune importance {called} --slices")])]


@dataclass(frozen=True, slots=True)
class BranchShare:
    """What a dimension accounts for in one branch: the options that lead there, and how probable it is."""

    where: Mapping[str, Value]
    probability: float
    share: float
    error: float


@dataclass(frozen=True, slots=True)
class DimensionShare:
    """What a dimension accounts for, of the whole variance and of that of the points that have it; how many have it."""

    key: str
    share: float
    error: float
    inside: float
    inside_error: float
    branches: tuple[BranchShare, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class TogetherShare:
    """What dimensions do only together."""

    share: float
    error: float


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A value of a dimension, its predicted score with the ends of 90 %, and the average over the space."""

    value: Value
    score: float
    low: float
    high: float
    average: float

    @property
    def scores(self) -> tuple[float, float, float, float]:
        """All but the value."""
        return self.score, self.low, self.high, self.average


@dataclass(frozen=True, slots=True)
class ScoreSlice:
    """Predictions along a dimension: the options that it belongs to, and the point that the rest is taken from."""

    key: str
    where: Mapping[str, Value]
    start: Configuration
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True, slots=True)
class Importance:
    """Which dimensions mattered; scores are in the metric's own sign.

    Attributes
    ----------
    metric
        Its name.
    trials
        That the model has seen.
    explained
        Share of their differences that it predicts for each from the others.
    dimensions, together
        What they account for, the largest share first.
    slices
        Predictions along each.

    """

    metric: str
    trials: int
    explained: float
    dimensions: tuple[DimensionShare, ...]
    together: TogetherShare
    slices: tuple[ScoreSlice, ...]


def importance(found: Explanation, metric: str) -> Importance:
    """Write down an explanation for programs."""
    parts = found.parts
    return Importance(
        metric=metric,
        trials=found.trials,
        explained=found.explained,
        dimensions=tuple(_dimension(each) for each in parts.shares),
        together=TogetherShare(parts.together, parts.together_error),
        slices=tuple(
            ScoreSlice(each.key, dict(each.where), dict(each.start), _score_rows(each, metric)) for each in found.slices
        ),
    )


def _dimension(share: Share) -> DimensionShare:
    branches = (BranchShare(dict(each.where), each.probability, each.share, each.error) for each in share.branches)
    inside = share.inside, share.inside_error
    return DimensionShare(share.key, share.share, share.error, *inside, tuple(branches), share.probability)


def _score_rows(found: Slice, metric: str) -> tuple[ScoreRow, ...]:
    return tuple(_score_row(each, metric) for each in found.rows)


def _score_row(row: SliceRow, metric: str) -> ScoreRow:
    low, high = own_ends(metric, row.low, row.high)
    return ScoreRow(row.value, own_sign(metric, row.score), low, high, own_sign(metric, row.average))


def _headline(found: Explanation) -> str:
    first = found.parts.shares[0]
    amount = f"{_percent(first.share)} ± {_percent(first.error)} of the variation of predicted scores"
    return f"{tables.key_name(first.key)} mattered most: {amount}, by {formats.plural(found.trials, 'trial')}"


def _percent(share: float) -> str:
    """Write a share.

    >>> _percent(0.4321), _percent(0.0449), _percent(0.0004)
    ('43 %', '4.5 %', '0.0 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def _rows(shares: Sequence[Share]) -> list[tuple[str, ...]]:
    return [
        (
            _percent(each.share),
            _percent(each.error),
            *(("", "") if each.probability > 0.999 else (_percent(each.inside), _percent(each.inside_error))),
            tables.key_name(each.key) + _where(each),
        )
        for each in shares
    ]


def _where(share: Share) -> str:
    if share.probability > 0.999:
        return ""
    places = dict.fromkeys(_place(each.where) for each in share.branches)
    shown = ", ".join(list(places)[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return f" ({shown})"


def _place(where: Where) -> str:
    return " ".join(tables.value_text(key, value) for key, value in where)


def _remarks(found: Explanation) -> list[str]:
    parts, rest = found.parts, found.parts.shares[MOST:]
    sentences = []
    if rest:
        total = _percent(sum(each.share for each in rest))
        sentences.append(f"{formats.plural(len(rest), 'more dimension')} account for {total}; --json lists all")
    together = f"{_percent(parts.together)} ± {_percent(parts.together_error)}"
    sentences.append(f"{together} is what dimensions do only together")
    if found.explained < WEAK:
        sentences.append(
            f"the model predicts {_percent(max(0.0, found.explained))} of the differences between trials from the "
            "others: do not build on these shares, more trials may help"
        )
    else:
        sentences.append(
            f"the model behind this predicts {_percent(found.explained)} of the differences between trials from the "
            "others"
        )
    sentences.append("of scores below the median only the order counts; ± is one standard deviation")
    return sentences


def _slice_grid(found: Slice, metric: str) -> Grid:
    rows = _score_rows(found, metric)
    show = formats.score_format(score for row in rows for score in row.scores)
    line = tables.configuration_line(found.start, set(found.start) - {found.key})
    inside = f" of {_place(found.where)}" if found.where else ""
    return Grid(
        f"{tables.key_name(found.key)}{inside}, all else as in: {line}",
        (tables.key_name(found.key), metric, "low", "high", "average", ""),
        [(tables.value_text(found.key, row.value), *(show(score) for score in row.scores), "") for row in rows],
    )
