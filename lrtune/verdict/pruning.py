"""Pruning: what spares bad configurations some of their training, one entry for each kind.

The training of a round is cut into stages (`Stage`), and after each stage an entry says which of its trials go no
further. The arithmetic is in ``stages`` and ``races``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lrtune.space.trial import Stage
from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.verdict import races, stages
    from lrtune.verdict.races import RaceLimit
    from lrtune.verdict.stages import Dropped, StageEnd
else:
    races, stages = Deferred("lrtune.verdict.races"), Deferred("lrtune.verdict.stages")


def the_first(_stages: int, _round: int) -> int:
    """Begin every round with the first stage."""
    return 0


class Pruning(NamedTuple):
    """A kind of pruning.

    Attributes
    ----------
    name
        In the experiment file.
    spares
        Of what it spares bad configurations, without a full stop.
    suits
        When it is the one to take.
    stages
        ``(metric, folds, epochs) -> stages`` of every round; epochs of the default configuration.
    dropped
        Names the trials that go no further after a stage that is not the last.
    first
        ``(number of stages, number of the round) -> stage`` that the round begins with.
    round
        How many configurations suit it, where the strategy leaves that open.
    limit
        Of a race, which drops trials by comparisons that a correction of the score runs again on resampled rows: above
        which probability of being worse.
    follows_scores
        Whether trials are dropped by scores of which nothing is kept, so that a correction cannot.
    shortens
        Whether its stages have fewer epochs.

    """

    name: str
    spares: str
    suits: str
    stages: Callable[[str, int, int], tuple[Stage, ...]]
    dropped: Callable[[StageEnd], list[Dropped]]
    first: Callable[[int, int], int] = the_first
    round: int | None = None
    limit: RaceLimit | None = None
    follows_scores: bool = False
    shortens: bool = False

    @property
    def is_race(self) -> bool:
        """Whether a correction of the score can repeat it."""
        return self.limit is not None


def _race(name: str, spares: str, suits: str, limit: RaceLimit) -> Pruning:
    """Make an entry that compares trials after the first folds; a correction runs the same comparisons again."""
    return Pruning(
        name,
        spares,
        suits,
        stages=stages.first_folds,
        dropped=lambda end: stages.raced(limit, end),
        limit=limit,
    )


_ENTRIES = (
    Pruning(
        "none",
        "nothing",
        "the default",
        stages=stages.whole,
        dropped=lambda _end: [],
    ),
    _race(
        "race",
        "all folds but the first",
        "tables of about a thousand rows and more",
        races.beyond_doubt,
    ),
    _race(
        "futility",
        "the folds by which too little can be gained",
        "fits that take seconds and more",
        races.futile,
    ),
    Pruning(
        "halving",
        "most of the epochs",
        "long training, and a third of each round is enough to go on with",
        stages=stages.short_horizons,
        dropped=lambda end: stages.lagging(end.entrants, end.stage),
        first=stages.bracket,
        round=27,  # of which a third and then a ninth go on
        follows_scores=True,
        shortens=True,
    ),
)

PRUNINGS: dict[str, Pruning] = {entry.name: entry for entry in _ENTRIES}
