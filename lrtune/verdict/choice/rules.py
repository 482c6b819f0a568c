"""The rules by which one of several configurations is chosen from its scores, one entry each; larger is better."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.text.errors import nearest
from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.arrays import Integers
    from lrtune.space.trial import Configuration
    from lrtune.verdict import picking
    from lrtune.verdict.choice.candidates import Candidates
else:
    picking = Deferred("lrtune.verdict.picking")


class SelectionRule(NamedTuple):
    """A rule.

    Attributes
    ----------
    name
        In the experiment file.
    chooses
        What it chooses, without a full stop.
    pick
        ``(candidates, share) -> places (...)`` of the chosen configurations; of equal ones, the first.
    takes_share
        Whether a share of the best score belongs to it, as in ``within: 1%``.
    smooths
        Whether it asks a regression over the space, learned from all trials.

    """

    name: str
    chooses: str
    pick: Callable[[Candidates, float], Integers]
    takes_share: bool = False
    smooths: bool = False

    @property
    def form(self) -> str:
        """How it is written."""
        return f"{self.name}: 1%" if self.takes_share else self.name


BEST = "best"

_ENTRIES = (
    SelectionRule(BEST, "the largest mean over the folds", picking.best),
    # Breiman et al. 1984, "Classification and regression trees", section 3.4.3; there the error of a single mean.
    SelectionRule(
        "one_se",
        "the simplest within one standard error of the best: that of the difference, fold by fold",
        picking.one_se,
    ),
    SelectionRule(
        "within",
        "the simplest whose mean is at most 1 % worse than the best, as a share of its value",
        picking.within,
        takes_share=True,
    ),
    SelectionRule(
        "posterior_mean",
        "the largest mean according to the Gaussian process of Bayesian search, which has learned from all trials: the "
        "best of its region, not the luckiest",
        picking.posterior_mean,
        smooths=True,
    ),
)

SELECTION_RULES: dict[str, SelectionRule] = {entry.name: entry for entry in _ENTRIES}

_MORE = ("learning_rate", "optimizer", "decay", "model", "hidden", "activation", "epochs", "batch_size")


class Rule(NamedTuple):
    """A rule that is asked for: its name, and a share of the best score if it takes one."""

    name: str = BEST
    share: float = 0.0

    @property
    def entry(self) -> SelectionRule:
        """Its entry."""
        return SELECTION_RULES[self.name]

    def __str__(self) -> str:
        """Write it as it can be read again.

        >>> str(Rule("within", 0.01)), str(Rule("one_se"))
        ('within 1%', 'one_se')
        """
        return f"{self.name} {self.share * 100:g}%" if self.entry.takes_share else self.name


def rule(value: Any) -> Rule:
    """Read a rule: a name, ``within 1%`` (or ``within: 1%``), or a mapping ``{"within": "1%"}``.

    Raises
    ------
    ValueError
        With one sentence.

    """
    if isinstance(value, Rule):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, share),) = value.items()
    else:
        name, _, share = re.sub(r"[:=]", " ", str(value)).strip().partition(" ")
    if name not in SELECTION_RULES:
        raise ValueError(f"unknown rule '{name}'; {nearest(str(name), SELECTION_RULES)}")
    if SELECTION_RULES[name].takes_share:
        return Rule(name, _share(name, share))
    if share:
        others = ", ".join(each.form for each in SELECTION_RULES.values() if each.takes_share)
        raise ValueError(f"'{name}' takes no value, as in {others}")
    return Rule(name)


def _share(name: str, value: Any) -> float:
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise ValueError(f"'{name}' needs a share of the best score from 0% to 100%, as in 1%, not '{text}'")
    return share


def simplicity(configuration: Configuration) -> tuple[float, bool, int, float]:
    """Order configurations by how simple they are; the simplest come first.

    A smaller network comes before a larger one, then a constant rate before any decay, then fewer factors in use
    (those of optimizer and decay, warm-up, weight decay ...; 0, false and null mean "not in use"), then a smaller rate.
    """
    hidden = configuration.get("hidden") if configuration.get("model") != "linear" else None
    units = sum(hidden) if isinstance(hidden, tuple) else 0.0
    factors = sum(bool(value) for key, value in configuration.items() if key not in _MORE)
    rate = configuration.get("learning_rate")
    return units, configuration.get("decay", "constant") != "constant", factors, float(rate) if rate else 0.0  # type: ignore[arg-type]
