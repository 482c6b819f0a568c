"""Which dimensions mattered, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Remarks
from lrtune.text import formats
from lrtune.verdict.standing import own_sign

if TYPE_CHECKING:
    from lrtune.space import Where
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


def importance_json(found: Explanation, metric: str) -> dict[str, Any]:
    """Write down an explanation; scores are in the metric's own sign.

    ::

        metric      its name
        trials      that the model has seen
        explained   share of their differences that it predicts for each from the others
        dimensions  the largest share first: key, share, error, inside, inside_error (of the variance where it exists),
                    probability (share of the points that have it), and branches: where, probability, share, error
        together    share, error: what dimensions do only together
        slices      key, where (the options that it belongs to), start (the point that the rest is taken from), rows:
                    value, score, low, high (90 %), average
    """
    parts = found.parts
    return {
        "metric": metric,
        "trials": found.trials,
        "explained": found.explained,
        "dimensions": [_share_json(each) for each in parts.shares],
        "together": {"share": parts.together, "error": parts.together_error},
        "slices": [
            {
                "key": each.key,
                "where": dict(each.where),
                "start": dict(each.start),
                "rows": [_row_json(row, metric) for row in each.rows],
            }
            for each in found.slices
        ],
    }


def _share_json(share: Share) -> dict[str, Any]:
    branches = [{**each._asdict(), "where": dict(each.where)} for each in share.branches]
    return {**share._asdict(), "probability": share.probability, "branches": branches}


def _row_json(row: SliceRow, metric: str) -> dict[str, Any]:
    low, high = sorted(own_sign(metric, each) or 0.0 for each in (row.low, row.high))
    return {
        "value": row.value,
        "score": own_sign(metric, row.score),
        "low": low,
        "high": high,
        "average": own_sign(metric, row.average),
    }


def _headline(found: Explanation) -> str:
    first = found.parts.shares[0]
    amount = f"{_percent(first.share)} ± {_percent(first.error)} of the variation of predicted scores"
    return f"{_name(first.key)} mattered most: {amount}, by {formats.plural(found.trials, 'trial')}"


def _name(key: str) -> str:
    return key.replace("_", " ")


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
            _name(each.key) + _where(each),
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
    sentences.append("bad scores count by their ranks only; ± is a standard deviation")
    return sentences


def _slice_grid(found: Slice, metric: str) -> Grid:
    rows = [_row_json(each, metric) for each in found.rows]
    show = formats.score_format(row[key] for row in rows for key in ("score", "low", "high", "average"))
    line = tables.configuration_line(found.start, set(found.start) - {found.key})
    inside = f" of {_place(found.where)}" if found.where else ""
    return Grid(
        f"{_name(found.key)}{inside}, all else as in: {line}",
        (_name(found.key), metric, "low", "high", "average", ""),
        [
            (
                tables.value_text(found.key, row["value"]),
                *(show(row[key]) for key in ("score", "low", "high", "average")),
                "",
            )
            for row in rows
        ],
    )
