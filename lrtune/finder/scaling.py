"""How the best learning rate goes with the horizon, the batch size, the width or the rows: trained, not assumed.

The planned training is done in full at a few sizes (`lrtune.finder.sizes`), the cheapest first, at rates around the
best one of the size before, rates and folds as lanes of one population. What the best rates say of other sizes is
arithmetic (`lrtune.finder.trends`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrtune.arrays import INTERVAL, one_blas_thread, stream
from lrtune.experiment import Experiment
from lrtune.finder.effort import horizon
from lrtune.finder.foreign import LOW, ForeignTraining, constant_losses_of, measured_by
from lrtune.finder.in_full import PlannedTraining, constant_losses
from lrtune.finder.planned import PlannedRuns
from lrtune.finder.rules import SURE
from lrtune.finder.scaling_plan import ScalingPlan, plan_scaling
from lrtune.finder.trends import PredictedRate, SizeRuns, Trend, trend, tried
from lrtune.text.shown import Shown, showing
from lrtune.trainers.arguments import experiment_and_table
from lrtune.trainers.contract import Setting
from lrtune.trainers.foreign.sweeping import sweeping
from lrtune.trainers.preparation import prepare
from lrtune.training.declarations import number
from lrtune.training.registry import OPTIMIZERS, Complete

AROUND = (2.0**-9, 2.0**7)
"""Where the best rate of the cheapest size is looked for, over the optimizer's default rate."""

ANYWHERE = (1e-5, 10.0)
"""The same for a trainer of somebody else."""

FARTHER = (2, 4)
"""Sizes that are predicted unless one is named, over the largest measured one."""

OK, FLAT, AT_END = "ok", "flat", "at_end"
SCALING_STATUSES = {
    OK: "each size has a best rate",
    FLAT: "no rate learns anything at the largest size",
    AT_END: "at one size the best rate lies beyond all that were tried",
}
"""What can be said of the sizes of one optimizer. Only `OK` comes with a trend."""


@dataclass(frozen=True, eq=False)
class ScalingCurve:
    """What was seen with one optimizer.

    Attributes
    ----------
    optimizer, decay
        Their names.
    status
        A name in `SCALING_STATUSES`.
    sizes
        What was trained, the smallest size first.
    trend, predicted
        How the best rate goes with the size, and what that says of the sizes asked about; None and empty unless the
        status is ``"ok"``.

    """

    optimizer: str
    decay: str
    status: str
    sizes: tuple[SizeRuns, ...]
    trend: Trend | None
    predicted: tuple[PredictedRate, ...]


@dataclass(frozen=True, eq=False)
class ScalingFinding:
    """All curves of one call, by optimizer in the order asked for, and what they are about.

    Attributes
    ----------
    kind
        What grows: a name in `lrtune.finder.sizes.SIZE_KINDS`.
    folds
        How many each rate was trained on.
    curves
        One for each optimizer.
    measured
        What the losses are.

    """

    kind: str
    folds: int
    curves: tuple[ScalingCurve, ...]
    measured: str = "validation loss"

    def plot(self) -> Shown:
        """Draw the best rates against the size; notebooks show them, and ``.save(path)`` writes them."""
        return showing().of_scaling(self)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


def find_scaling(
    experiment: str | Path | Experiment | None = None,
    *,
    kind: str,
    at: int | Sequence[int] = (),
    sizes: Sequence[int] = (),
    data: Any = None,
    target: str | None = None,
    X: Any = None,
    y: Any = None,
    overrides: Sequence[str] = (),
    optimizers: Sequence[str] = (),
) -> ScalingFinding:
    """Find how the best learning rate goes with the horizon, the batch size, the width or the rows.

    At a few sizes the planned training is done in full at rates around the best one. The same arguments and data give
    the same answer.

    Parameters
    ----------
    experiment, data, target, X, y, overrides
        As in `find_learning_rate`.
    kind
        What grows: ``"horizon"`` (epochs), ``"batch"`` (rows of a mini-batch), ``"width"`` (units of the first hidden
        layer) or ``"rows"`` (of the table).
    at
        A size whose rate is to be predicted, or several; by default twice and four times the largest measured one.
    sizes
        Sizes to measure, at least three; by default four, a factor of two apart, around that of the experiment.
    optimizers
        Their names; by default those that the experiment may choose.

    Returns
    -------
    ScalingFinding
        ``curves[0].trend.exponent`` belongs to the first optimizer: twice the size takes ``2 ** exponent`` times the
        rate; ``trend`` is None unless its ``status`` is ``"ok"``.

    Raises
    ------
    LrtuneError
        If an argument, the experiment or the table is wrong.

    >>> import lrtune
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> finding = lrtune.find_scaling(X=X, y=y, kind="horizon", at=400, optimizers=["adam"])
    >>> curve = finding.curves[0]
    >>> curve.trend.verdict, [each.size for each in curve.predicted]
    ('falls', [400])
    """
    chosen, table = experiment_and_table(experiment, data=data, target=target, X=X, y=y, overrides=overrides)
    names = [optimizers] if isinstance(optimizers, str) else optimizers
    asked = [at] if isinstance(at, int) else at
    return measured(plan_scaling(chosen, prepare(chosen, table=table), kind, sizes=sizes, at=asked, optimizers=names))


def measured(plan: ScalingPlan) -> ScalingFinding:
    """Train what is planned, and say what it comes to.

    Raises
    ------
    NoUsableResultError
        If code of somebody else tells no loss.

    """
    setting = plan.prepared.setting
    with one_blas_thread():
        curves = [_curve(plan, *each) for each in zip(plan.names, plan.configurations, strict=True)]
    said = {} if setting.foreign is None else {"measured": measured_by(plan.prepared.metric)}
    return ScalingFinding(plan.kind.name, len(setting.folds), tuple(curves), **said)


def _curve(plan: ScalingPlan, name: str, configuration: Complete) -> ScalingCurve:
    setting, near = plan.prepared.setting, None
    rate = 1.0 if setting.foreign is not None else number(OPTIMIZERS[name].rate.default)
    low, high = ANYWHERE if setting.foreign is not None else AROUND
    found: list[SizeRuns] = []
    for size in plan.in_order:
        with _training(plan, *plan.kind.sized(configuration, setting, size)) as train:
            found.append(SizeRuns(size, tried(train, near, (low * rate, high * rate))))
        near = found[-1].best
    found.sort(key=lambda each: each.size)
    return _judged(plan, name, configuration, found)


def _judged(plan: ScalingPlan, name: str, configuration: Complete, found: Sequence[SizeRuns]) -> ScalingCurve:
    status = OK if found[-1].runs.is_gain(SURE) else FLAT
    if not all(each.is_inside for each in found):
        status = AT_END if status == OK else status
    line = trend(found, stream(plan.prepared.setting.seed, INTERVAL)) if status == OK else None
    predicted = tuple(line.at(each) for each in plan.at) if line is not None else ()
    return ScalingCurve(name, str(configuration["decay"]), status, tuple(found), line, predicted)


@contextmanager
def _training(
    plan: ScalingPlan, configuration: Complete, setting: Setting
) -> Iterator[Callable[[Sequence[float]], PlannedRuns]]:
    """Open what trains a configuration at some rates, on all folds."""
    if setting.foreign is None:
        own = PlannedTraining(configuration, setting, constant_losses(setting), horizon(configuration, setting))
        yield lambda rates: own.train(rates, slice(0, None))
        return
    with tempfile.TemporaryDirectory(prefix="lrtune-finder-") as folder:
        placed = setting._replace(foreign=setting.foreign._replace(folder=folder))
        with sweeping(placed, plan.experiment.workers) as runs:
            yield ForeignTraining(
                runs, configuration, constant_losses_of(runs, {**configuration, "learning_rate": LOW})
            ).train
