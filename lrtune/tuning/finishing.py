"""The end of a search: the second opinion, the model on all training rows, and what the winner is compared with."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from lrtune import model
from lrtune.arrays import one_blas_thread
from lrtune.engines.contract import EnginePlace
from lrtune.experiment import Experiment
from lrtune.model import Model
from lrtune.run.bodies import CLOCK, RETRAINING, AnchorScores, NoModel, Recipe, anchors_body, tested_body
from lrtune.run.journal import Event, Journal
from lrtune.run.names import MODEL
from lrtune.run.study import ANCHORED, CONFIRM, FINISHED, NO_MODEL, REFIT
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.space.trial import Configuration, Trial, TrialState
from lrtune.text.errors import NoUsableResultError
from lrtune.trainers.anchors import anchor_seconds, anchors
from lrtune.trainers.preparation import Prepared
from lrtune.training.feedback import median_scales
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.wall_clock import follows_clock
from lrtune.tuning.allowance import UNLIMITED, Allowance
from lrtune.tuning.confirming import body as confirmation_body
from lrtune.tuning.confirming import fresh_setting
from lrtune.tuning.controlled import controlled, controlled_seconds
from lrtune.tuning.seeds import seeded
from lrtune.tuning.session import Session
from lrtune.tuning.warmups import warmed, warmup_seconds
from lrtune.verdict.confirmation import unconfirmed
from lrtune.verdict.ensembles import Delivery
from lrtune.verdict.judging import handed_over

SEARCHED = "search"
"""Rows of a model that saw none of the test."""

TIMEOUT, EXHAUSTED = "timeout", "exhausted"
"""Why a search ended: its time was over, or every configuration has been tried."""


class Finishing(Session):
    """What a session does when no more trials are proposed.

    Parameters
    ----------
    experiment, prepared, folder, journal, place, taken, allowance
        As in `Session`.
    compare
        Whether the winner is compared with what was not tuned, and with a constant rate.

    """

    def __init__(
        self,
        experiment: Experiment,
        prepared: Prepared,
        folder: Path,
        journal: Journal,
        place: EnginePlace,
        *,
        compare: bool,
        taken: TakenOver = NOTHING,
        allowance: Allowance = UNLIMITED,
    ) -> None:
        super().__init__(experiment, prepared, folder, journal, place, taken=taken, allowance=allowance)
        self.compares = compare
        self.ending: str | None = None

    def comparing_seconds(self, winner: Configuration) -> float:
        """Estimate what comparing a winner takes on one core (seconds)."""
        if not self.compares:
            return 0.0
        pair = controlled_seconds(winner, self.setting) if self.experiment.search.control else 0.0
        warm = warmup_seconds(winner, self.setting) if self.experiment.search.warmup_control else 0.0
        return anchor_seconds(self.setting) + pair + warm

    def confirm(self, workers: int | None) -> Iterator[Event]:
        """Score the first trials of the ranking again, on fresh splits and seeds, as far as that has not been done."""
        trials = unconfirmed(self.study, self.experiment.search.confirm)
        if not trials:
            return
        setting = fresh_setting(self.experiment, self.prepared)
        again = [(each.number, self.complete(each)) for each in trials]
        for block in self.trained(setting, again, workers, called="confirm"):
            yield from self.record([Event(CONFIRM, confirmation_body(each)) for each in block])

    def finish(self, workers: int | None) -> Iterator[Event]:
        """Retrain the best on all training rows, score it once on the test rows, and say why the search ended.

        Then it is compared with what was not tuned, as far as there is time. A training on all rows that fails is
        recorded with its reason: the search has found what it has found.
        """
        if self.ending == TIMEOUT and not self.study.count(TrialState.COMPLETE):
            raise NoUsableResultError(
                f"{self.folder}: the {self.limit.whole:g} s were over before one trial was complete; "
                f"what was done is kept, and the same command with a longer {self.limit.called} goes on"
            )
        terms = self.experiment.terms
        made, delivered = handed_over(terms, self.study, self.folder)
        winner = made.trial
        recipe = self.recipe(delivered)
        yield from seeded(self, recipe, workers)
        done = self.study.refit is not None and self.study.refit.made_of == recipe
        if not done or not model.is_intact(self.folder / MODEL):
            try:
                yield from self.retrain(recipe, record=not done)
            except NoUsableResultError as error:
                yield from self.without_model(recipe, str(error))
        else:
            model.describe(self.folder / MODEL, self.prepared.schema)
        if self.compares:
            self.pace.reserve(0.0, 0.0)
            yield from self.anchored()
            if self.experiment.search.control and winner.number not in self.study.controlled:
                yield from controlled(self, winner, workers)
            if self.experiment.search.warmup_control and winner.number not in self.study.warmed:
                yield from warmed(self, winner, workers)
        if self.study.finished in (None, TIMEOUT) and self.study.finished != self.ending:
            yield from self.record([Event(FINISHED, {"reason": self.ending})])

    def anchored(self) -> Iterator[Event]:
        """Score what was not tuned on the same folds, if that has not been done and there is time."""
        if METRICS[self.setting.metric].is_told:
            return  # nobody else tells it
        if self.study.anchors or not self.pace.allows(anchor_seconds(self.setting)):
            return
        fitted = anchors(self.setting).items()
        found = {name: AnchorScores(each.scores, each.beside, each.numbers) for name, each in fitted}
        yield from self.record([Event(ANCHORED, anchors_body(found))])

    def recipe(self, delivered: Delivery) -> Recipe:
        """Say of what the model is to be made."""
        rows = self.experiment.retrain.rows if self.prepared.test_rows else SEARCHED
        bag = self.experiment.retrain.bag
        return Recipe(delivered.numbers, self.experiment.seeds(len(delivered.numbers)), rows, bag)

    def retrain(self, recipe: Recipe, *, record: bool) -> Iterator[Event]:
        """Fit what is delivered on all training rows and save it; recorded unless only its files were lost.

        A decay that watches a loss replays what it did on the median fold. One that follows the time has the real clock
        now, unless its speed is fixed: the model is then another one whenever it is made.
        """
        began = time.monotonic()
        with one_blas_thread():
            fitted, diverged = self.fitted(recipe, tested=False)
            tested = self.prepared.tested(fitted)
            if recipe.rows != SEARCHED:
                fitted, diverged = self.fitted(recipe, tested=True)
        digest = model.save(fitted, self.folder / MODEL)
        self.models += 1
        made = {"test": tested_body(tested), "model": digest, **({"diverged": diverged} if diverged else {})}
        if record:
            timed = any(follows_clock(self.complete(self.study.trials[each])) for each in recipe.trials)
            clock = {RETRAINING: round(time.monotonic() - began, 3), **(made if timed else {})}
            content = {"trial": recipe.trials[0], **recipe.body(), **({} if timed else made)}
            yield from self.record([Event(REFIT, {**content, CLOCK: clock})])

    def without_model(self, recipe: Recipe, reason: str) -> Iterator[Event]:
        """Record why there is no model; that of an earlier winner, which is no longer what the result is about, goes.

        The next session tries again, and the same reason is recorded once.
        """
        shutil.rmtree(self.folder / MODEL, ignore_errors=True)
        found = NoModel(recipe, reason)
        if self.study.no_model != found:
            yield from self.record([Event(NO_MODEL, found.body())])

    def fitted(self, recipe: Recipe, *, tested: bool) -> tuple[Model, list[int]]:
        """Train every member of a model; gives those that diverged on these rows and are left out.

        Each has a seed of its own, that of the search for the first: what members have in common, a mean does not lose.

        Raises
        ------
        NoUsableResultError
            If all of them did.

        """
        if recipe.bag:
            return self.bag(self.study.trials[recipe.trials[0]]), []
        members, lost = [], {}
        for copy, (number, _) in enumerate(itertools.product(recipe.trials, range(recipe.seeds))):
            trial = self.study.trials[number]
            scales, clock = median_scales(trial.scales), time.perf_counter
            try:
                members.append(
                    self.prepared.refit(
                        self.complete(trial),
                        scales=scales,
                        clock=clock,
                        copy=copy,
                        tested=tested,
                        setting=self.setting,
                        seconds=self.pace.left_for_the_model,
                    )
                )
            except NoUsableResultError as error:
                lost[number] = error
        if not members:
            raise lost[recipe.trials[0]]
        return model.averaged(members), sorted(lost)

    def bag(self, trial: Trial) -> Model:
        """Train the models of a trial's folds once more, and take their mean."""
        configuration, folds = self.complete(trial), range(len(self.setting.folds))
        return model.averaged([self.prepared.refit(configuration, fold=each) for each in folds])
