"""The loop: propose, record, evaluate, record, and at the end retrain the best; it yields every event of the study.

Nothing is remembered outside the journal. A study that was interrupted goes on where its events end, because the next
thing to do follows from the events alone: score what was proposed and is not scored, propose what the budget still
allows, retrain the best unless that has been done.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from lrtune.engines.contract import EnginePlace, Executor
from lrtune.experiment import Experiment
from lrtune.run import at_work
from lrtune.run.bodies import CLOCK, Body, Trained
from lrtune.run.journal import Event, Journal
from lrtune.run.lock import Lock
from lrtune.run.names import DATABASE
from lrtune.run.study import MORE, PRUNED, RESULT, SPEED, TRIAL, proposed_body, result_body
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.sampling.prior import PriorStudy
from lrtune.space.trial import DEFAULT, Configuration, Stage, Trial, TrialState
from lrtune.trainers.calibration import measured_step_seconds, speed_key, with_speed
from lrtune.trainers.catalogue import TRAINERS, expected_seconds, retraining_seconds
from lrtune.trainers.contract import Evaluated, Numbered
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import METRICS
from lrtune.training.wall_clock import follows_clock
from lrtune.tuning.allowance import UNLIMITED, Allowance
from lrtune.tuning.blocks import scored
from lrtune.tuning.finishing import EXHAUSTED, TIMEOUT, Finishing
from lrtune.tuning.horizons import compressed
from lrtune.tuning.pace import Pace
from lrtune.tuning.places import opened
from lrtune.tuning.records import Hashes
from lrtune.tuning.reusing import fit_key, is_whole
from lrtune.tuning.stopping import NO_GAIN, TARGET, has_no_gain, is_reached
from lrtune.verdict.choice import best
from lrtune.verdict.contest import champion_trials
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.stages import Dropped, StageEnd, fold_by_fold, rest
from lrtune.verdict.standing import oriented

ENCODING = 0.25
"""What retraining takes beside the training, as a part of reading and encoding the table in the beginning."""

COMPARING = 0.15
"""Time is kept for comparing the winner where that takes no more than this share of all the time there is."""


def tune(
    experiment: Experiment,
    prepared: Prepared,
    folder: Path,
    *,
    workers: int | None = None,
    started: float | None = None,
    lock: Lock | None = None,
    compare: bool = True,
    allowance: Allowance = UNLIMITED,
    taken: TakenOver = NOTHING,
    place: EnginePlace | None = None,
) -> Generator[Event, None, Trained]:
    """Run the study in ``folder``, or go on with it.

    Parameters
    ----------
    experiment, prepared
        What to search, and on what.
    folder
        Where the study lives; created if need be.
    workers
        Number of worker processes; None chooses by the work there is, 1 stays in this process.
    started
        When the session began, from which limits of time count, in `time.monotonic`; default: now.
    lock
        Of the folder, where the caller holds it for longer than the search takes.
    compare
        Whether the winner is compared with what was not tuned, and with a constant rate (``search.control``).
    allowance
        What the session may do.
    taken
        What is taken over from other runs: its champions are tried first.
    place
        Where blocks run, if that is open already; default: the engine of the experiment, opened for this search.

    Yields
    ------
    Event
        Every event of the study in order: first those of earlier sessions, then each new one once it is on the disk.

    Returns
    -------
    Trained
        What this session has trained.

    Raises
    ------
    StudyError
        If the folder holds another experiment's study, is in use, or cannot be written.
    NoUsableResultError
        If no trial is complete in the end.

    """
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(folder / DATABASE, write=True, rescue=True, lock=lock))
        place = place or stack.enter_context(opened(experiment, prepared, folder))
        session = _Search(
            experiment, prepared, folder, journal, place, compare=compare, taken=taken, allowance=allowance
        )
        yield from session.begin()
        yield from session.ask_for_more()
        session.hurry(time.monotonic() if started is None else started)
        try:
            at_work.forget(folder)
            executor = session.executor(workers)
            try:
                session.restore(executor)
                yield from session.search(executor)
            finally:
                executor.close()
                at_work.forget(folder)
            yield from session.confirm(workers)
            yield from session.finish(workers)
        finally:
            TRAINERS[session.setting.trainer].close()
        return session.work


class _Search(Finishing):
    """The search of a session, from the first proposal to the retrained model."""

    def __init__(
        self,
        experiment: Experiment,
        prepared: Prepared,
        folder: Path,
        journal: Journal,
        place: EnginePlace,
        *,
        compare: bool,
        taken: TakenOver,
        allowance: Allowance,
    ) -> None:
        super().__init__(
            experiment, prepared, folder, journal, place, compare=compare, taken=taken, allowance=allowance
        )
        self.pruning = PRUNINGS[experiment.search.pruning]
        epochs = experiment.horizon
        stages = self.pruning.stages(self.setting.metric, len(self.setting.folds), epochs)
        apart = self.pruning.is_race and TRAINERS[self.setting.trainer].is_foreign
        self.stages = fold_by_fold(stages) if apart else stages
        self.proposing = 0.0
        self.fits_known = {fit_key(each.configuration): each for each in taken.fits}
        self.prior = [PriorStudy(each.points, each.scores) for each in taken.earlier]

    def executor(self, workers: int | None) -> Executor:
        """Start as many workers as asked for, or as the work is worth."""
        seconds = min(self.expected_seconds(), max(0.0, self.pace.end - time.monotonic()))
        return self.engine(self.setting, workers or self.worth(seconds))

    def expected_seconds(self) -> float:
        """Estimate the work left to do, from the next round's configurations (seconds on one core)."""
        left = self.left() + len(self.study.unfinished())
        sample = self.study.unfinished()[:64] or self.proposals()[:64]
        if not sample:
            return 0.0
        complete = [self.experiment.configuration(each.configuration) for each in sample]
        return left * sum(expected_seconds(each, self.setting) for each in complete) / len(sample)

    def ask_for_more(self) -> Iterator[Event]:
        """Let a study that is finished search on by as many trials as the session is to add.

        One that is not goes on to what it was asked for before, so that whoever repeats a command that was interrupted
        gets what it was to give. Where every configuration has been tried there is nothing to ask for.
        """
        tried, more = len(self.study.trials), self.allowance.more_trials
        if more and self.study.finished not in (None, TIMEOUT, EXHAUSTED) and tried < self.experiment.space.size:
            self.added = more
            yield from self.record([Event(MORE, {CLOCK: {"trials": tried + more}})])

    def left(self) -> int:
        """Count the trials that may still be proposed: those somebody has asked for beside the budget, or the budget's.

        First come the others, exactly as many: a study that ended before its budget was spent goes on to that later.
        """
        tried = len(self.study.trials)
        own = tried - len(self.study.reused)
        return max(0, self.study.asked - tried) or max(0, self.experiment.search.trials - own)

    def proposals(self) -> list[Trial]:
        """Ask the strategy for the rest of the round, as far as the budget goes.

        A round that a smaller budget has cut short is finished as if it had not: it is proposed anew from the trials
        before it, and what is there already is left out.
        """
        search = self.experiment.search
        history = self.study.in_order()
        there = len(history) % search.round
        before, size = history[: len(history) - there], min(search.round, there + self.left())
        points = self.first_trials()[len(before) : len(before) + size]
        known = [*before, *points]
        rest = size - len(points)
        more = STRATEGIES[search.strategy](self.experiment.space, known, rest, search.seed, self.prior)
        return [*points, *(Trial(number, point) for number, point in enumerate(more, len(known)))][there:]

    def first_trials(self) -> list[Trial]:
        """List the default configuration, the champions and the best of earlier studies, which come before all others.

        Nothing without these.
        """
        space, champions = self.experiment.space, self.taken.champions
        warm = [each for study in self.taken.earlier for each in study.first]
        if not champions and not warm:
            return []
        known = [(place, each) for place, champion in enumerate(champions) for each in champion.configurations]
        points = {space.key(each): each for each in (space.default(), *(each for _, each in known), *warm)}
        places = {space.key(each): place for place, each in reversed(known)}  # the first of equal ones counts
        return [Trial(number, each, champion=places.get(key)) for number, (key, each) in enumerate(points.items())]

    def search(self, executor: Executor) -> Iterator[Event]:
        """Score what is proposed, then propose more, until the budget is spent or nothing is left to try."""
        while True:
            yield from self.first(executor)
            yield from self.calibrate(self.study.unfinished())
            yield from self.score(executor)
            if self.study.unfinished():
                self.ending = TIMEOUT
                return
            self.ending = self.content()
            if self.ending is None and self.left() and not self.pace.allows_seconds(self.proposing):
                self.ending = TIMEOUT
                return
            start = time.monotonic()
            proposed = self.proposals() if self.left() and self.ending is None else []
            self.proposing = time.monotonic() - start
            if not proposed:
                self.ending = self.ending or (EXHAUSTED if self.left() else "trials")
                return
            yield from self.record([Event(TRIAL, proposed_body(each)) for each in proposed])

    def first(self, executor: Executor) -> Iterator[Event]:
        """Take trial 0, and then the champion, through all stages before any other begins, where time is short.

        So whatever time allows one configuration to be trained gives a result; the first blocks of the others are cut
        by the pace of this machine, as busy as it is; and a night that is over early knows how its champion does.
        """
        if not self.limit.is_set:
            return
        for group in ([DEFAULT], champion_trials(self.study)):
            trials = [trial for each in group if (trial := self.study.trials.get(each)) and not trial.is_over]
            if trials and self.fits_known:  # the others take no time
                yield from self.reuse(len(self.stages) - 1, trials)
            elif trials:
                yield from self.ahead(executor, trials, in_any_case=trials[0].number == DEFAULT)

    def ahead(self, executor: Executor, trials: Sequence[Trial], *, in_any_case: bool) -> Iterator[Event]:
        """Take some trials through all stages; ``in_any_case`` if there is any time, else if it suffices."""
        yield from self.calibrate(trials)
        pace = self.pace
        if in_any_case:
            rows = sum(len(fold.features) for fold in self.setting.folds)
            pace = pace.first(rows / (rows + self.prepared.rows))  # to be retrained afterwards
        else:
            self.reserve([self.complete(each) for each in trials])
        for number, stage in enumerate(self.stages):
            now = [self.study.trials[each.number] for each in trials]
            now = [each for each in now if not each.is_over and self.next_stage(each) == number]
            if now:
                yield from self.train(executor, number, self.numbered(now, stage), pace, in_any_case=in_any_case)

    def score(self, executor: Executor) -> Iterator[Event]:
        """Take what is proposed through the stages, as far as the time goes.

        Where it is short, a stage ends early enough that those who have come through it can be finished; what time is
        left then is for the others. So a search that ends early has complete trials.
        """
        before: list[Trial] = []
        while (waiting := self.study.unfinished()) and waiting != before:
            before = waiting
            for number in range(len(self.stages)):
                yield from self.evaluate(executor, number)
                yield from self.prune(number)

    def content(self) -> str | None:
        """Say why the search may end before its budget is spent; None: it may not.

        What was asked for beside the budget is tried in any case.
        """
        search, trials = self.experiment.search, self.study.in_order()
        if len(trials) < self.study.asked:
            return None
        if search.target is not None and is_reached(trials, oriented(self.setting.metric, search.target)):
            return TARGET
        if search.stop == NO_GAIN and has_no_gain(
            self.experiment.space,
            trials,
            min_trials=search.min_trials,
            rows_ratio=self.prepared.rows_ratio,
            seed=search.seed,
        ):
            return NO_GAIN
        return None

    def restore(self, executor: Executor) -> None:
        """Train again what the file of out-of-fold results has lost: the same comes out, so nothing is recorded."""
        for stage, numbers in self.records.lost(self.study.predictions, self.study.probabilities).items():
            lost = self.numbered([self.study.trials[each] for each in numbers], stage)
            for block in self.counted(scored(lost, self.setting, executor, stage, self.pace)):
                self.records.keep(block, stage)

    def calibrate(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Measure and record the speed of the virtual clock for trials that need one which is not known yet."""
        for each in trials:
            if self.lacks_speed(each) and not self.pace.is_over:
                chosen = self.complete(each)
                seconds = measured_step_seconds(chosen, self.setting, time.perf_counter)
                yield from self.record([Event(SPEED, {**dict(speed_key(chosen)), "step_seconds": seconds})])

    def lacks_speed(self, trial: Trial) -> bool:
        """Tell whether a trial cannot be trained before a speed is measured."""
        if TRAINERS[self.setting.trainer].is_foreign:  # it has the real clock
            return False
        chosen = self.complete(trial)
        return follows_clock(chosen) and speed_key(chosen) not in self.study.speeds

    def evaluate(self, executor: Executor, number: int) -> Iterator[Event]:
        """Train a stage of the trials that have come to it."""
        waiting = [each for each in self.study.unfinished() if self.next_stage(each) == number]
        yield from self.reuse(number, waiting)
        waiting = [each for each in waiting if not self.study.trials[each.number].is_over]
        numbered = self.numbered([each for each in waiting if not self.lacks_speed(each)], self.stages[number])
        if self.limit.is_set:
            self.reserve([configuration for _, configuration in numbered])
        yield from self.train(executor, number, numbered, self.pace)

    def reuse(self, number: int, waiting: Sequence[Trial]) -> Iterator[Event]:
        """Take over what another study has trained on the very same rows, split and seed."""
        whole = is_whole(self.stages[number], len(self.setting.folds)) and self.records.are_whole
        if not self.fits_known or not whole:
            return
        events = []
        for trial in waiting:
            fit = self.fits_known.get(fit_key(self.complete(trial)))
            if fit is not None:
                files = self.records.files
                kept = {key: files[key].put(trial.number, text) for key, text in fit.records.items()}
                said = {"trial": trial.number, "stage": number, **fit.said, **kept, "reused": fit.study}
                events.append(Event(RESULT, said))
        if events:
            self.reused += len(events)
            yield from self.record(events)

    def train(
        self, executor: Executor, number: int, numbered: Sequence[Numbered], pace: Pace, *, in_any_case: bool = False
    ) -> Iterator[Event]:
        """Train a stage of some trials; each block's predictions are on the disk before what tells of them."""
        stage, last, later = self.stages[number], number == len(self.stages) - 1, rest(self.stages, number)
        blocks = scored(numbered, self.setting, executor, stage, pace, rest=later, in_any_case=in_any_case)
        for block in self.counted(blocks):
            self.worked_on.update(each.number for each in block)
            hashes = self.records.keep(block, stage)
            yield from self.record(
                [Event(RESULT, _result(each, number, stage, hashes[each.number], more=not last)) for each in block]
            )

    def numbered(self, trials: Sequence[Trial], stage: Stage) -> list[Numbered]:
        """Complete the configurations of some trials for a stage."""
        speeds = self.study.speeds
        return [(each.number, with_speed(compressed(self.complete(each), stage.shorter), speeds)) for each in trials]

    def reserve(self, coming: Sequence[Configuration]) -> None:
        """Keep time for retraining whatever may be the best in the end, and for what it is compared with."""
        known = [each for each in self.study.in_order() if each.state is TrialState.COMPLETE]
        candidates: list[Configuration] = [*coming, *([self.complete(best(known))] if known else [])]
        networks = self.experiment.networks
        costs = [networks * retraining_seconds(each, self.setting, self.prepared.rows) for each in candidates]
        extra = max(map(self.comparing_seconds, candidates), default=0.0)
        if extra * self.pace.ratio > COMPARING * self.limit.whole:
            extra = 0.0
        self.pace.reserve(max(costs, default=0.0), ENCODING * self.preparing, extra)

    def next_stage(self, trial: Trial) -> int:
        """Say which stage a trial is to go through next."""
        if trial.stage is not None:
            return trial.stage + 1
        return self.pruning.first(len(self.stages), self.round_of(trial))

    def round_of(self, trial: Trial) -> int:
        """Say in which round a trial was proposed."""
        return trial.number // self.experiment.search.round

    def prune(self, number: int) -> Iterator[Event]:
        """Decide which trials of the round go no further after a stage; all at once, or not at all."""
        if number == len(self.stages) - 1 or not self.study.unfinished():
            return
        dropped = [each for each in self.lost(number) if not self.study.trials[each.number].is_over]
        if dropped:
            yield from self.record([Event(PRUNED, _pruned(each, number)) for each in dropped])

    def lost(self, number: int) -> list[Dropped]:
        """Name the trials of the round that a stage speaks against."""
        stage, present = self.stages[number], self.round_of(self.study.unfinished()[0])
        trials = self.study.in_order()
        entrants = [each for each in trials if self.round_of(each) == present]
        earlier = [each for each in trials if self.round_of(each) < present]
        by_rows = METRICS[self.setting.metric].is_by_rows and self.have_predictions(entrants)
        rows, looks = self.records.scores if by_rows else None, len(self.stages) - 1
        return self.pruning.dropped(StageEnd(entrants, earlier, stage, len(self.setting.folds), rows, looks))

    def have_predictions(self, trials: Sequence[Trial]) -> bool:
        """Tell whether predictions are there of all trials that have scores; those that diverged have neither."""
        scored = [each for each in trials if any(score is not None for score in each.fold_scores)]
        return all(each.number in self.study.predictions for each in scored)


def _result(evaluated: Evaluated, number: int, stage: Stage, hashes: Hashes, *, more: bool) -> Body:
    if evaluated.outcome is None:
        return result_body(evaluated.number, (), stage=number, shorter=stage.shorter, reason=evaluated.failure)
    outcome = evaluated.outcome
    return result_body(
        evaluated.number,
        outcome.scores,
        outcome.diverged,
        stage=number,
        more=more,
        shorter=stage.shorter,
        predictions=hashes.predictions,
        probabilities=hashes.probabilities,
        scales=outcome.scales,
        curves=outcome.curves._asdict() if outcome.curves else None,
        beside=outcome.beside,
        predicted=outcome.predicted,
    )


def _pruned(dropped: Dropped, number: int) -> Body:
    return {"trial": dropped.number, "stage": number, "reason": dropped.reason, **dropped.numbers}
