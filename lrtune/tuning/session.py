"""One process's part in a study: what is known so far, and how more is recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lrtune.engines.contract import EnginePlace, Executor
from lrtune.engines.local import workers_worth
from lrtune.experiment import Experiment
from lrtune.run import observed
from lrtune.run.bodies import CLOCK, FoldsLeftOut, Header, Mended, MixedWorker, RowCounts, Trained
from lrtune.run.identity import differences
from lrtune.run.journal import Event, Journal
from lrtune.run.names import AT_WORK, FITS, OBSERVED
from lrtune.run.study import MENDED, MIXED, STUDY, StudyState
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.run.versions import kernels, versions
from lrtune.space.trial import Trial
from lrtune.text.errors import StudyError
from lrtune.trainers.calibration import with_speed
from lrtune.trainers.catalogue import TRAINERS, expected_seconds
from lrtune.trainers.contract import Evaluated, Numbered, Setting
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import Complete
from lrtune.tuning.allowance import UNLIMITED, Allowance, TimeLimit, first_limit
from lrtune.tuning.blocks import scored
from lrtune.tuning.naming import fingerprint_of, identity_of
from lrtune.tuning.pace import Pace
from lrtune.tuning.records import Records


class Session:
    """The study so far, and the one way in which it grows: by events that are on the disk before anything follows.

    Parameters
    ----------
    experiment, prepared
        What is searched, and on what.
    folder
        Where the study lives.
    journal
        Its events, open for writing.
    taken
        What is taken over from other runs; copied into the folder before anything else is written there.
    allowance
        What the session may do.
    place
        Where blocks run.

    """

    def __init__(
        self,
        experiment: Experiment,
        prepared: Prepared,
        folder: Path,
        journal: Journal,
        place: EnginePlace,
        *,
        taken: TakenOver = NOTHING,
        allowance: Allowance = UNLIMITED,
    ) -> None:
        self.experiment = experiment
        self.prepared = prepared
        self.folder = folder
        self.journal = journal
        self.place = place
        self.taken = taken
        self.allowance = allowance
        self.study = StudyState()
        self.records = Records(folder, prepared)
        self.setting: Setting = self.placed(prepared.setting, FITS)._replace(at_work=str(folder.absolute() / AT_WORK))
        self.spent = 0.0
        self.preparing = 0.0
        self.pace = Pace()
        self.worked_on: set[int] = set()
        self.fits = 0
        self.models = 0
        self.added = 0
        self.reused = 0
        self.recorded_at = time.monotonic()

    def record(self, events: Sequence[Event]) -> Sequence[Event]:
        """Write the events in one transaction; the first carries the seconds since the last one.

        Workers that compute differently are recorded with the first result that they have given.
        """
        now = time.monotonic()
        clock = {"seconds": round(now - self.recorded_at, 3), "at": round(time.time(), 3)}
        first, *others = events
        mixed = [MixedWorker(*each) for each in self.place.remarks.items()]
        others += [Event(MIXED, each.body()) for each in mixed if each not in self.study.mixed]
        stamped = [Event(first.kind, {**first.body, CLOCK: {**first.body.get(CLOCK, {}), **clock}}), *others]
        written = self.journal.append(stamped)
        self.recorded_at = now
        for each in written:
            self.study.add(each)
        return written

    def begin(self) -> Iterator[Event]:
        """Replay what there is, or write the study's first event."""
        history = self.journal.events()
        if not history:
            self.taken.write(self.folder)
            written = self.record([Event(STUDY, self.header().body())])
            self.records.take(self.study.header)
            yield from written
        for each in history:
            self.study.add(each)
        self.refuse_another_experiment()
        self.records.take(self.study.header)
        observed.write(self.folder / OBSERVED, self.records.observed())
        self.spent = math.fsum(each.body.get(CLOCK, {}).get("seconds", 0.0) for each in history)
        yield from history
        yield from self.mended(anew=not history)

    def mended(self, *, anew: bool) -> Iterator[Event]:
        """Write down what had been damaged or lost when this session began."""
        rescued = self.journal.rescued
        if rescued is not None:
            yield from self.record([Event(MENDED, Mended(rescued.kept.name, rescued.events).body())])
        elif anew and self.records.predictions.path.exists():
            yield from self.record([Event(MENDED, Mended(None, 0).body())])

    @property
    def limit(self) -> TimeLimit:
        """What ends this session first: its own limit, or what earlier ones have left of ``search.timeout``."""
        return first_limit(self.allowance, self.experiment.search.timeout, self.spent)

    def hurry(self, started: float) -> None:
        """Take the time limits, counted from the beginning of this session."""
        self.preparing = time.monotonic() - started
        self.pace = Pace(self.limit.left - self.preparing, self.experiment.search.block_timeout or math.inf)

    def header(self) -> Header:
        """Say what is studied, and with what."""
        predictions, probabilities = self.records.new_layouts(self.experiment.search.trials)
        return Header(
            **identity_of(self.experiment, self.prepared, self.taken),
            fingerprint=fingerprint_of(self.experiment, self.prepared, self.taken),
            name=self.experiment.name,
            metric=self.setting.metric,
            task=self.prepared.task,
            rows=RowCounts(test=self.prepared.test_rows, train=self.prepared.rows),
            rows_ratio=self.prepared.rows_ratio,
            left_out=self.left_out(),
            predictions=predictions,
            probabilities=probabilities,
            trial_seconds=self.trial_seconds(),
            versions=versions(),
            kernels=kernels(),
        )

    def left_out(self) -> FoldsLeftOut | None:
        """Say which folds are left out, and how many there are with them; None where all have a score."""
        left_out = self.prepared.left_out
        if not left_out:
            return None
        return FoldsLeftOut(len(self.setting.folds) + len(left_out), tuple((each.fold, each.has) for each in left_out))

    def trial_seconds(self) -> float:
        """Estimate what training the default configuration on all folds takes, to three digits.

        What a correction may take beside it is a part of the result; so this is what the cost model says, not a clock.
        """
        default = self.experiment.configuration(self.experiment.space.default())
        return float(f"{expected_seconds(default, self.setting):.3g}")

    def refuse_another_experiment(self) -> None:
        """Compare the study's identity with ours.

        Raises
        ------
        StudyError
            Naming the keys that differ.

        """
        ours, theirs = identity_of(self.experiment, self.prepared, self.taken), self.study.header.identity
        if ours != theirs:
            raise StudyError(
                f"{self.folder}: holds the study of another experiment; different are "
                + "; ".join(differences(theirs, ours))
                + ". Choose another --output, or leave it out: an edited experiment gets a folder of its own; "
                "or begin anew with --fresh, which keeps the earlier study beside"
            )

    def complete(self, trial: Trial) -> Complete:
        """Complete a trial's configuration."""
        return self.experiment.configuration(trial.configuration)

    def placed(self, setting: Setting, name: str) -> Setting:
        """Give the fits of code of somebody else folders of their own in that of the run."""
        if setting.foreign is None:
            return setting
        return setting._replace(foreign=setting.foreign._replace(folder=str(self.folder.absolute() / name)))

    def engine(self, setting: Setting, slots: int) -> Executor:
        """Start what runs blocks of a setting."""
        return self.place.start(TRAINERS[setting.trainer].run, setting, slots)

    def worth(self, seconds: float) -> int:
        """Count the workers that so much work on one core is worth."""
        return workers_worth(seconds, self.place.cores)

    @property
    def work(self) -> Trained:
        """What this session has trained."""
        return Trained(len(self.worked_on), self.fits, self.models, self.added, self.reused)

    def counted(self, blocks: Iterator[list[Evaluated]]) -> Iterator[list[Evaluated]]:
        """Count the fits of blocks as they end."""
        for block in blocks:
            self.fits += sum(len(each.outcome.scores) for each in block if each.outcome is not None)
            yield block

    def trained(
        self, setting: Setting, configurations: Sequence[tuple[int, Complete]], workers: int | None, *, called: str
    ) -> Iterator[list[Evaluated]]:
        """Train numbered configurations on all folds of a setting, block by block, as far as there is time.

        ``called`` tells these fits from those of the trials.
        """
        setting = self.placed(setting, f"{FITS}/{called}")._replace(at_work="")
        numbered: list[Numbered] = [(number, with_speed(each, self.study.speeds)) for number, each in configurations]
        seconds = sum(expected_seconds(each, setting) for _, each in numbered)
        executor = self.engine(setting, workers or self.worth(seconds))
        try:
            yield from self.counted(scored(numbered, setting, executor, None, self.pace))
        finally:
            executor.close()
