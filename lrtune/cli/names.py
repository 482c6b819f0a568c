"""Names that stand in tables, for help and completion: looked up when they are asked for, since tables may grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def strategies() -> Iterable[str]:
    """List the search strategies."""
    from lrtune.sampling.catalogue import STRATEGIES

    return STRATEGIES


def prunings() -> Iterable[str]:
    """List the kinds of pruning."""
    from lrtune.verdict.pruning import PRUNINGS

    return PRUNINGS


def engines() -> Iterable[str]:
    """List the engines."""
    from lrtune.experiment.reading.sections import engines as known

    return known()


def rules() -> Iterable[str]:
    """List the rules of selection."""
    from lrtune.verdict.choice.rules import SELECTION_RULES

    return SELECTION_RULES


def asked_anchors() -> Iterable[str]:
    """List what a result may be asked to beat."""
    from lrtune.verdict.anchored import ASKED

    return ASKED


def figures() -> Iterable[str]:
    """List the kinds of figures of a run."""
    from lrtune.reporting.html.catalogue import FIGURES

    return FIGURES


def night_numbers() -> Iterable[str]:
    """List the numbers of a night that a condition may be about."""
    from lrtune.verdict.night_gates import NIGHT_NUMBERS

    return NIGHT_NUMBERS


def sizes() -> Iterable[str]:
    """List the kinds of sizes."""
    from lrtune.finder.sizes import SIZE_KINDS

    return SIZE_KINDS


def _formats() -> str:
    from lrtune.data.formats import listed

    return listed("or")


_TEXTS: dict[str, Callable[[], str]] = {
    "<strategies>": lambda: ", ".join(strategies()),
    "<prunings>": lambda: ", ".join(prunings()),
    "<rules>": lambda: ", ".join(rules()),
    "<formats>": _formats,
    "<figures>": lambda: ", ".join(figures()),
    "<night numbers>": lambda: ", ".join(night_numbers()),
}


def completed(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Make a completion of these names."""
    return lambda incomplete: [each for each in names() if each.startswith(incomplete)]


def filled(text: str) -> str:
    """Put the names of a table in its place of a help text, as in ``one of <strategies>``."""
    for place, names in _TEXTS.items():
        if place in text:
            text = text.replace(place, names())
    return text
