"""A night beside the one before it, as values: the champion's drift, and what tonight's best gained over it.

Scores are in the metric's own sign; differences are positive where the later or the new one is better.
"""

from __future__ import annotations

from dataclasses import dataclass

from lrtune.nights.control import ControlVerdict
from lrtune.verdict.comparison import Gain


@dataclass(frozen=True, slots=True)
class NightScore:
    """A champion's score on one night, which did not elect it, and its 95 % interval.

    Attributes
    ----------
    score, low, high
        In the metric's own sign.
    elected
        Whether it was elected on that night: then the score is corrected for the choice.

    """

    score: float
    low: float | None
    high: float | None
    elected: bool = False


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the champion's score has moved since the night before.

    Attributes
    ----------
    mean, low, high
        Positive where tonight is better; with the 95 % interval.
    error
        Standard error, with the luck of training.
    rows
        How many of tonight's rows the night before had as well, cell by cell; None where nobody kept its rows.
    correlation
        How much the errors of the two nights go together, by these rows.
    widened
        How many times the error is that which the rows say, for the luck of training (`lrtune.nights.luck`).
    luck, freedom
        What tonight's folds alone say of the square of that, and its degrees of freedom; None where they say nothing.

    """

    mean: float
    low: float
    high: float
    error: float
    rows: int | None
    correlation: float
    widened: float
    luck: float | None = None
    freedom: int | None = None


@dataclass(frozen=True, slots=True)
class Nightly:
    """A night beside the one before it.

    Attributes
    ----------
    champion
        What the champion was called; None where there was none yet.
    trials
        Its trials.
    outcome
        ``first``, ``promoted``, ``kept``, ``same`` (tonight's best is the champion), ``without_score``, ``refused``
        (tonight's space does not have it), ``untried`` (the time was over before it was trained, and it stays), or
        ``unchanged`` (same table, and nothing was trained).
    promoted
        Whether another configuration is delivered from now on.
    standing
        The champion tonight; None where it has no score.
    before
        The champion on the night before.
    drift
        The difference of the two.
    no_drift
        Why there is none.
    gain
        Of tonight's best over the champion on the same folds, corrected for the choice.
    no_gain
        Why there is none.
    challenger
        The trials of tonight's best.
    promote_if
        What the lower end of the gain's interval must be above for a promotion.
    trained
        How many trials the session has trained.
    night
        Number of the night in its folder of champions; None without one.
    since
        The night that the champion came from, where that is another one than the night before: there was a rollback.
    chart
        What the drift comes to beside earlier nights; None before there are any.
    repeats
        Whether the table is that of the night before, so that there is no drift.

    """

    champion: str | None
    trials: tuple[int, ...]
    outcome: str
    promoted: bool
    standing: NightScore | None
    before: NightScore | None
    drift: Drift | None
    no_drift: str | None
    gain: Gain | None
    no_gain: str | None
    challenger: tuple[int, ...]
    promote_if: float
    trained: int
    night: int | None = None
    since: int | None = None
    chart: ControlVerdict | None = None
    repeats: bool = False
