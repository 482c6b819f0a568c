"""How what is delivered stands beside what was not tuned, all on the same folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lrtune.run.bodies import AnchorScores
from lrtune.space.trial import Trial, mean_of
from lrtune.verdict.comparison import difference
from lrtune.verdict.result import Anchor
from lrtune.verdict.standing import means_beside, own_sign

_MAJORITY, _MEAN = "the shares of the classes", "the mean of the targets"
ASKED = {
    "constant": f"{_MAJORITY} or {_MEAN}",
    "linear": "a linear model",
    "default": "the default configuration",
}
"""What a result may be asked to beat (`lrtune.verdict.gates`), and what it is."""


class AnchorKind(NamedTuple):
    """Something that was not tuned.

    Attributes
    ----------
    name
        In events and in ``result.json``.
    asked
        Which of `ASKED` it is.
    called
        In a table.
    rival
        In a sentence about what is to be beaten.
    advice
        What to do where it is as good as the best; None: another rule says that.
    of_networks
        What to do besides, where lrtune's own networks were trained and nothing else was tried.

    """

    name: str
    asked: str
    called: str
    rival: str
    advice: str | None = None
    of_networks: str = ""


_NOTHING_IN_IT = "the columns may not say anything about the target"
_ENTRIES = (
    AnchorKind("majority", "constant", _MAJORITY, _MAJORITY, _NOTHING_IN_IT),
    AnchorKind("mean", "constant", _MEAN, _MEAN, _NOTHING_IN_IT),
    AnchorKind(
        "linear",
        "linear",
        ASKED["linear"],
        ASKED["linear"],
        "take the linear model: it is simpler",
        of_networks=", or search space.model: [linear, mlp]",
    ),
    AnchorKind("default", "default", "trial 0, the default", ASKED["default"]),
)

ANCHORS: dict[str, AnchorKind] = {entry.name: entry for entry in _ENTRIES}
"""In the order in which they are shown; `lrtune.trainers.anchors` computes them."""


def anchors(
    known: Mapping[str, AnchorScores],
    scores: Sequence[float | None],
    default: Trial | None,
    metric: str,
    rows_ratio: float | None = None,
) -> tuple[Anchor, ...]:
    """Compare what is delivered with every anchor, and with the default configuration.

    Parameters
    ----------
    known
        The anchors by name, oriented.
    scores
        Of what is delivered, on each fold; oriented.
    default
        The trial of the default configuration; None where that is what is delivered.
    metric
        What they are scored with.
    rows_ratio
        Validation rows over training rows of a fold.

    """
    there = dict(known)
    if default is not None and default.mean is not None:
        there["default"] = AnchorScores(default.fold_scores, default.beside)
    return tuple(
        Anchor(
            name=name,
            mean=own_sign(metric, mean_of(each.scores)),
            fold_scores=tuple(own_sign(metric, score) for score in each.scores),
            beside=means_beside(each.beside),
            gain=difference(scores, each.scores, rows_ratio),
            numbers=each.numbers,
        )
        for name in ANCHORS
        if (each := there.get(name)) is not None
    )
