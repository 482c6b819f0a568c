"""The part of exported code that follows the training itself: the real clock, and reduce on plateau.

Both keep a state between updates, so they are plain Python for every library.
"""

from __future__ import annotations

import numpy as np

from lrtune.handover.core import (
    SchedulePlan,
    decay_call,
    expected_updates,
    schedule_text,
    table_text,
    used_formulas,
    warmup_text,
)
from lrtune.handover.texts import formula_texts, tolerance_text
from lrtune.training import feedback, wall_clock
from lrtune.training.declarations import number
from lrtune.training.schedules import multipliers

_OVERTIME = 1.25
"""The clock of the check runs until so many budgets are spent."""

_CLOCK = '''class WallClock:
    """Gives the rate of each update divided by PEAK, by the seconds since the first one.

    After the warm-up the decay has what is left of the budget; once that is spent, the rate stays where it ended.
    """

    def __init__(self, clock=time.monotonic):
        self.clock, self.begun, self.warmed = clock, None, None

    def __call__(self, update):
        now = self.clock()
        self.begun = now if self.begun is None else self.begun
{warmup}        elapsed = now - self.begun
        self.warmed = elapsed if self.warmed is None else self.warmed
        left = BUDGET - self.warmed
        t = HORIZON * (min((elapsed - self.warmed) / left, 1.0) if left > 0.0 else 1.0)
        return {call}


multiplier = WallClock()'''

_WARMING = "        if update < WARMUP_STEPS:\n            return warmup(update)\n"

_PLATEAU = '''class Plateau:
    """Cuts ``scale``, which multiplies the rate, when a loss has stopped falling.

    Call ``see`` at the end of every epoch, with a loss on rows that are not trained on. An epoch is good if its loss
    is below best - threshold * |best|; more than patience bad ones in a row cut.
    """

    def __init__(self):
        self.scale, self.best, self.bad, self.cooling, self.epochs = 1.0, math.inf, 0, 0, 0

    def see(self, loss):
        self.epochs += 1
{warmup}        if loss < (self.best - THRESHOLD * abs(self.best) if math.isfinite(self.best) else self.best):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.cooling:
            self.cooling, self.bad = self.cooling - 1, 0
        if self.bad > PATIENCE:
            self.bad, self.cooling, self.scale = 0, COOLDOWN, max(self.scale * FACTOR, MINIMUM)


plateau = Plateau()'''

_COUNTING = "        if self.epochs * STEPS_PER_EPOCH < WARMUP_STEPS:\n            return\n"


def follows_clock(plan: SchedulePlan) -> bool:
    """Tell whether the real clock is asked."""
    return wall_clock.follows_clock(plan.configuration)


def follows_loss(plan: SchedulePlan) -> bool:
    """Tell whether a loss is watched."""
    return feedback.is_watched(plan.configuration)


def clock_text(plan: SchedulePlan) -> str:
    """Define the clock, which is ``multiplier(update)`` here."""
    call = decay_call(plan)
    warmup = warmup_text(plan)
    formulas = formula_texts(used_formulas(plan))
    clock = _CLOCK.format(warmup=_WARMING if plan.warm else "", call=call)
    head = [*tolerance_text(formulas), f"BUDGET = {number(plan.configuration['decay.budget'])!r}  # s"]
    return "\n\n\n".join(["\n".join(head), *formulas, *warmup, clock])


def plateau_text(plan: SchedulePlan) -> str:
    """Define the rule and the warm-up that it multiplies."""
    rule = _PLATEAU.format(warmup=_COUNTING if plan.warm else "")
    names = ("factor", "patience", "cooldown", "minimum", "threshold")
    constants = "\n".join(f"{name.upper()} = {plan.configuration[f'decay.{name}']!r}" for name in names)
    steady = plan._replace(configuration={**plan.configuration, "decay": "constant"})
    return "\n\n\n".join([constants, schedule_text(steady), rule])


def clock_table(plan: SchedulePlan) -> str:
    """Tabulate rates at given seconds, those of a clock that counts the same for each update."""
    each = _OVERTIME * number(plan.configuration["decay.budget"]) / plan.total
    even = plan._replace(configuration={**plan.configuration, "decay.step_seconds": each})
    rates = plan.peak * multipliers(even.configuration, plan.steps, plan.epochs)
    rows = [(step, step * each, float(rates[step])) for step in expected_updates(even)]
    return table_text("EXPECTED", "(update, seconds, rate) of lrtune", rows)


def plateau_table(plan: SchedulePlan) -> str:
    """Tabulate the scales after given losses, which fall for a while and then rise a little."""
    lanes = feedback.beginning((1, 1), plan.epochs + 1)
    rules = feedback.rules([plan.configuration])
    first = feedback.first_epochs([plan.configuration], [plan.steps], plan.epochs)
    rows = []
    for epoch in range(plan.epochs):
        loss = max(1.0 - 0.1 * epoch, 0.6 + 0.001 * epoch)
        feedback.update(lanes, np.array([[loss]]), epoch >= first, epoch, rules)
        rows.append((epoch, loss, float(lanes.scales[0, 0, epoch + 1])))
    return table_text("EXPECTED", "(epoch, its loss, scale after it) of lrtune", rows[:60])
