"""What `lrtune schedules` says: the list of all decay types, and one schedule with its rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Grid, Headline, Lines, Words
from lrtune.reporting.terminal_plots import curve, sparkline
from lrtune.text import formats
from lrtune.training.registry import DECAYS, Decay, Factor, Range, Value, complete, describe_range

if TYPE_CHECKING:
    from lrtune.space.trial import Configuration

SCHEMA = 1
_SPARKS = 32
_ROWS = 16


BAR, NUMBERS = 40, 32
"""Columns of the longest bar beside a rate, and of the numbers before it."""


def default_curve(name: str, points: int = _SPARKS) -> list[float]:
    """Compute the rates of a decay at its defaults, relative to the peak; 30 epochs."""
    from lrtune.training.schedules import multipliers

    values = multipliers(complete({"decay": name}), points, 30)
    return [float(values[30 * each]) for each in range(points)]


def catalogue_page() -> list[Block]:
    """List every decay type with its curve, formula and factors."""
    blocks: list[Block] = [
        Headline(f"{len(DECAYS)} decay types; each multiplies learning_rate"),
        Words(
            "",
            [("", "t: epochs since the warm-up ended · T: epochs left then · curves: 30 epochs, at the defaults")],
        ),
    ]
    for entry in DECAYS.values():
        rows = [("curve", sparkline(default_curve(entry.name), 1.0)), ("formula", entry.formula)]
        rows += [(factor.name, f"{factor.meaning}; {factor_text(factor)}") for factor in entry.factors]
        blocks.append(Facts(f"{entry.name}: {entry.summary}", rows))
    blocks.append(
        Words(
            "next",
            [
                ("", "lrtune schedules cosine --set final=0.01 --epochs 30"),
                ("", "lrtune schedules export cosine --to pytorch"),
            ],
        )
    )
    return blocks


def factor_text(factor: Factor) -> str:
    """Say what a factor may be and what it is if nothing is said."""
    legal = "a decay type" if factor.kind == "decay" else describe_range(factor).removesuffix(", or null")
    if factor.replaces:
        return f"{legal}; in place of {factor.replaces}"
    return f"{legal}, default {shown(factor.default)}"


def shown(value: Value) -> str:
    """Write a value as the experiment file does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(formats.number, value))}]"
    return value if isinstance(value, str) else formats.number(value)


@dataclass(frozen=True, slots=True)
class SearchedRange:
    """A range that is searched by default."""

    low: float
    high: float
    scale: str


@dataclass(frozen=True, slots=True)
class FactorEntry:
    """A factor of a decay type.

    Attributes
    ----------
    name, meaning, legal
        What it is called, says and may be.
    default
        None where it has no effect unless it is given.
    replaces
        The factor in whose place it stands, or None.
    search
        Values or range that are searched by default; None if it stays at its default.

    """

    name: str
    default: Value
    meaning: str
    legal: str
    replaces: str | None
    search: tuple[Value, ...] | SearchedRange | None


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A decay type: what it is called, does, computes and comes from, and its factors."""

    name: str
    summary: str
    formula: str
    source: str
    factors: tuple[FactorEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCatalogue:
    """Every decay type."""

    schema: int = SCHEMA
    schedules: tuple[ScheduleEntry, ...]


def catalogue() -> ScheduleCatalogue:
    """List every decay type for programs."""
    return ScheduleCatalogue(schedules=tuple(_entry(each) for each in DECAYS.values()))


def _entry(entry: Decay) -> ScheduleEntry:
    factors = tuple(_factor(each) for each in entry.factors)
    return ScheduleEntry(entry.name, entry.summary, entry.formula, entry.source, factors)


def _factor(factor: Factor) -> FactorEntry:
    search = factor.search
    return FactorEntry(
        name=factor.name,
        default=None if factor.replaces else factor.default,
        meaning=factor.meaning,
        legal=describe_range(factor),
        replaces=factor.replaces or None,
        search=SearchedRange(search.low, search.high, factor.scale) if isinstance(search, Range) else search,
    )


def catalogue_rows() -> Iterator[Sequence[object]]:
    """List every factor of every decay type as rows of CSV."""
    yield "decay", "formula", "factor", "default", "legal", "meaning"
    for entry in DECAYS.values():
        if not entry.factors:
            yield entry.name, entry.formula, "", "", "", ""
        for each in entry.factors:
            default = "" if each.replaces else shown(each.default)
            yield entry.name, entry.formula, each.name, default, describe_range(each), each.meaning


def schedule_page(configuration: Configuration, rates: Sequence[float], steps: int, *, width: int = 96) -> list[Block]:
    """Show one schedule: its factors, its curve and some of its rates.

    Parameters
    ----------
    configuration
        Complete.
    rates
        One for each update.
    steps
        Updates in an epoch.
    width
        Of the picture, in columns.

    """
    entry = DECAYS[str(configuration["decay"])]
    chosen = {key: each for key, each in configuration.items() if key.partition(".")[0] in ("learning_rate", "decay")}
    chosen |= {key: configuration[key] for key in _warmup_keys(configuration)}
    total = formats.plural(len(rates), "update")
    times = [each / steps for each in range(len(rates))]
    notes = {
        "loss": "before any cut: those depend on the loss",
        "clock": "as if the budget lasted exactly the horizon",
    }
    note = notes.get(entry.follows) if configuration.get("decay.step_seconds") is None else None
    return [
        Headline(f"{entry.name}: {entry.summary}"),
        Facts(
            "", [("formula", entry.formula), *tables.facts(chosen), ("length", _length(configuration, steps, total))]
        ),
        Lines("learning rate" + (f", {note}" if note else ""), curve(times, rates, label="epoch", width=width)),
        Grid("", ("update", "epoch", "rate", ""), _chosen_rows(rates, steps, min(BAR, width - NUMBERS))),
    ]


def _warmup_keys(configuration: Configuration) -> list[str]:
    if not configuration["warmup"]:
        return []
    return ["warmup", "warmup_shape"] + ["warmup_start"] * (configuration["warmup_start"] is not None)


def _length(configuration: Configuration, steps: int, total: str) -> str:
    return f"{formats.plural(int(str(configuration['epochs'])), 'epoch')} of {formats.plural(steps, 'update')}: {total}"


def _chosen_rows(rates: Sequence[float], steps: int, width: int) -> list[tuple[str, str, str, str]]:
    last, count = len(rates) - 1, min(_ROWS, len(rates))
    updates = sorted({round(each * last / max(count - 1, 1)) for each in range(count)})
    peak = max(rates)
    return [
        (
            formats.count(each),
            f"{each / steps:.2f}",
            f"{rates[each]:.4g}",
            sparkline_bar(rates[each] / peak if peak else 0.0, width),
        )
        for each in updates
    ]


def sparkline_bar(share: float, width: int = BAR) -> str:
    """Draw a horizontal bar.

    >>> sparkline_bar(0.5, 8)
    '████'
    """
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRates:
    """One schedule: its part of a configuration, formula and horizon, and the rate of each update."""

    schema: int = SCHEMA
    configuration: Configuration
    formula: str
    epochs: Value
    steps_per_epoch: int
    rates: tuple[float, ...]


def schedule_rates(configuration: Configuration, rates: Sequence[float], steps: int) -> ScheduleRates:
    """Describe one schedule for programs; ``rates`` has one for each update."""
    keys = [key for key in configuration if key.partition(".")[0] in ("learning_rate", "decay")]
    return ScheduleRates(
        configuration={key: configuration[key] for key in (*keys, *_warmup_keys(configuration))},
        formula=DECAYS[str(configuration["decay"])].formula,
        epochs=configuration["epochs"],
        steps_per_epoch=steps,
        rates=tuple(rates),
    )


def schedule_rows(rates: Sequence[float], steps: int) -> Iterator[Sequence[object]]:
    """Write the rates of one schedule as rows of CSV."""
    yield "update", "epoch", "rate"
    for update, rate in enumerate(rates):
        yield update, repr(update / steps), repr(rate)
