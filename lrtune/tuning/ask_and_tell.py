"""`lrtune.Study`: a search whose trials are trained by whoever asks for them, with a journal and samplers as usual."""

from __future__ import annotations

import json
import math
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lrtune.experiment.reading.document import Values
from lrtune.run import bodies, identity
from lrtune.run.bodies import CLOCK, Body, Header, Mended
from lrtune.run.journal import Event, Journal
from lrtune.run.names import DATABASE
from lrtune.run.study import ASK_AND_TELL, MENDED, PRUNED, RESULT, STUDY, TRIAL, replay, result_body
from lrtune.run.versions import versions
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import SearchSpace
from lrtune.space.trial import Trial, ranking
from lrtune.text.errors import ExperimentError, LrtuneError, StudyError, counted, nearest
from lrtune.text.paths import expanded
from lrtune.training.metrics.catalogue import METRICS, foreign
from lrtune.tuning.suggestions.spaces import plain, read_space
from lrtune.verdict.standing import Standing, oriented, standing


class Study:
    """A search by asking and telling: lrtune proposes configurations, you train them and tell their scores.

    With a folder, every trial is on the disk before `ask` gives it away, and every score before `tell` returns. A study
    that was interrupted goes on where it ended, whatever ended it. What it proposes follows from the space, the seed
    and what was asked and told before.

    Parameters
    ----------
    space
        What may be tried, in the form of the experiment file; see `lrtune.suggest`.
    metric
        What the scores are: a metric of lrtune, such as ``"accuracy"`` or ``"rmse"``, or any other name.
    larger_is_better
        Has to be said of a metric that lrtune does not know.
    strategy
        A name in `lrtune.sampling.catalogue.STRATEGIES`.
    seed
        A whole number of at least 0.
    folds
        How many scores a trial has; None: as many as the first one that is told.
    folder
        Where the study lives, made if need be; ``lrtune status`` and the like can look at it. One process at a time can
        hold a folder, until `close`. None keeps everything in memory.

    Raises
    ------
    ExperimentError
        With all arguments that are wrong.
    StudyError
        If the folder holds another study, another process works in it, or it cannot be written.

    >>> space = {"learning_rate": {"low": 0.001, "high": 1.0, "scale": "log"}, "depth": [1, 2, 3]}
    >>> with Study(space, metric="loss", larger_is_better=False) as study:
    ...     for _ in range(4):
    ...         for trial in study.ask(2):
    ...             study.tell(trial, abs(trial.configuration["depth"] - 3) + trial.configuration["learning_rate"])
    >>> len(study.trials), study.trials[0].configuration
    (8, {'learning_rate': 0.03162, 'depth': 2})
    >>> study.best.configuration["depth"]
    3
    """

    def __init__(
        self,
        space: Values,
        *,
        metric: str,
        larger_is_better: bool | None = None,
        strategy: str = "bayesian",
        seed: int = 0,
        folds: int | None = None,
        folder: str | Path | None = None,
    ) -> None:
        seed, folds = plain(seed), plain(folds)
        self._space = _checked(
            space, metric=metric, larger_is_better=larger_is_better, strategy=strategy, seed=seed, folds=folds
        )
        self._metric = metric if metric in METRICS else foreign(metric, larger_is_better=bool(larger_is_better))
        self._strategy, self._seed, self._folds = strategy, seed, folds
        self._guard = threading.Lock()
        self._recorded_at = time.monotonic()
        self._folder = None if folder is None else expanded(folder)
        self._journal = None if self._folder is None else Journal(self._folder / DATABASE, write=True, rescue=True)
        self._closing = None if self._journal is None else weakref.finalize(self, self._journal.close)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def trials(self) -> list[Standing]:
        """Every trial that was asked for, by number; scores as they were told, in the metric's own sign."""
        return [self._shown(each) for each in self._study.in_order()]

    @property
    def pending(self) -> list[Standing]:
        """The trials that were asked for and not told yet, by number: also those of a process that has died."""
        return [self._shown(each) for each in self._study.unfinished()]

    @property
    def best(self) -> Standing | None:
        """The complete trial with the best mean score, of equal ones the first; None before any is complete."""
        ranked = ranking(self._study.in_order())
        return self._shown(ranked[0]) if ranked else None

    def ask(self, n: int = 1) -> list[Standing]:
        """Ask for the next `n` configurations to try; fewer if nothing is left.

        Several can be asked for before any is told; none is proposed twice. The first trial of a study, number 0, is
        the default configuration.

        Raises
        ------
        StudyError
            If `n` is no whole number of at least 0, the study is closed, or the disk refuses.

        """
        if not _is_whole(plain(n), least=0):
            raise StudyError(f"n: expected a whole number of at least 0, got {n!r}")
        with self._guard:
            self._require_open()
            history = self._study.in_order()
            points = STRATEGIES[self._strategy](self._space, history, plain(n), self._seed)
            events = [
                Event(TRIAL, {"trial": number, "configuration": dict(point)})
                for number, point in enumerate(points, len(history))
            ]
            self._record(events)
            return [self._shown(self._study.trials[each.body["trial"]]) for each in events]

    def tell(
        self, trial: Standing | int, scores: float | Sequence[float | None] | None, *, reason: str | None = None
    ) -> None:
        """Tell how a trial did; it is on the disk when this returns.

        Parameters
        ----------
        trial
            As `ask` gave it, or its number.
        scores
            Its score, or one for each fold, in the metric's own sign. Fewer than the folds of the study: it was stopped
            early. None or NaN among them: it diverged there. None alone: it failed.
        reason
            Why it failed, or was stopped early.

        Raises
        ------
        StudyError
            If there is no such trial, it was told before, the scores are none, the study is closed, or the disk
            refuses.

        """
        with self._guard:
            self._require_open()
            known = self._untold(trial.number if isinstance(trial, Standing) else plain(trial))
            told = _read_scores(known.number, plain(scores))
            self._record(list(self._told(known, told, reason)))

    def close(self) -> None:
        """Let go of the folder; nothing can be asked or told afterwards."""
        if self._closing is not None:
            self._closing()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "in memory" if self._folder is None else f"in {str(self._folder)!r}"
        return f"<Study of {self._metric} {where}: {counted(len(self._study.trials), 'trial')}>"

    def _shown(self, trial: Trial) -> Standing:
        """Show a trial in the metric's own sign, and its configuration in the order of the space."""
        point = self._space.point(trial.configuration) or trial.configuration
        return standing(replace(trial, configuration=point), self._metric)

    def _begin(self) -> None:
        """Replay what there is, or write the study's first event."""
        history = [] if self._journal is None else self._journal.events()
        self._study = replay(history)
        if not history:
            self._record([Event(STUDY, self._header().body())])
        self._refuse_another()
        if self._journal is not None and (found := self._journal.rescued) is not None:
            self._record([Event(MENDED, Mended(found.kept.name, found.events).body())])

    def _header(self) -> Header:
        search = {"strategy": self._strategy, "seed": self._seed, "folds": self._folds}
        asked = {"trainer": ASK_AND_TELL, "space": self._space.canonical(), "search": search}
        return Header(experiment=asked, metric=self._metric, versions=versions())

    def _refuse_another(self) -> None:
        written = bodies.header(_as_read(self._header().body()))
        ours, theirs = (
            {"experiment": each.experiment, "metric": each.metric} for each in (written, self._study.header)
        )
        if ours == theirs:
            return
        if self._study.header.asked.get("trainer") != ASK_AND_TELL:
            raise StudyError(
                f"{self._folder}: holds a search of `lrtune search`, which goes on with it; choose another folder"
            )
        raise StudyError(
            f"{self._folder}: holds another study; different are {'; '.join(identity.differences(theirs, ours))}. "
            "Choose another folder, or open it with what it was made with"
        )

    def _untold(self, number: Any) -> Trial:
        """Find a trial that waits for its scores."""
        if not _is_whole(number, least=0) or number not in self._study.trials:
            last = len(self._study.trials) - 1
            there = f"its trials are 0 to {last}" if last >= 0 else "none was asked for yet"
            raise StudyError(f"this study has no trial {number!r}; {there}")
        known = self._study.trials[number]
        if known.is_over:
            raise StudyError(f"trial {number} was told before, and is {known.state}; what was told stays")
        return known

    def _told(self, trial: Trial, scores: Sequence[float | None], reason: str | None) -> Iterator[Event]:
        """Write down what is told of a trial: its result, and that it went no further if it has fewer scores."""
        folds = self._known_folds() or len(scores)
        if len(scores) > folds:
            raise StudyError(f"trial {trial.number}: {len(scores)} scores, but this study has {counted(folds, 'fold')}")
        stopped = 0 < len(scores) < folds and None not in scores
        if reason is not None and scores and not stopped:
            raise StudyError(
                f"trial {trial.number}: a reason is told of what failed or was stopped; this has its scores"
            )
        turned = [oriented(self._metric, each) for each in scores]
        failed = None if scores else (reason or "no score")
        yield Event(RESULT, result_body(trial.number, turned, more=stopped, reason=failed))
        if stopped:
            why = reason or f"stopped after {len(scores)} of {folds} folds"
            yield Event(PRUNED, {"trial": trial.number, "stage": 0, "reason": why})

    def _known_folds(self) -> int | None:
        """Say how many scores a complete trial has; None before any was told."""
        return self._folds or max((len(each.fold_scores) for each in self._study.trials.values()), default=0) or None

    def _record(self, events: Sequence[Event]) -> None:
        """Write events in one transaction, and take them into account as they will be read back."""
        if not events:
            return
        now = time.monotonic()
        clock = {"seconds": round(now - self._recorded_at, 3), "at": round(time.time(), 3)}
        first, *others = events
        stamped = [Event(first.kind, {**first.body, CLOCK: {**first.body.get(CLOCK, {}), **clock}}), *others]
        written = (
            [Event(each.kind, _as_read(each.body)) for each in stamped]
            if self._journal is None
            else self._journal.append(stamped)
        )
        self._recorded_at = now
        for each in written:
            self._study.add(each)

    def _require_open(self) -> None:
        if self._closing is not None and not self._closing.alive:
            raise StudyError(f"{self._folder}: this study is closed; lrtune.Study(..., folder=...) goes on with it")


def _as_read(body: Body) -> Body:
    """Give a body as a journal would read it, so that a study in memory is the same as one in a folder."""
    read: Body = json.loads(json.dumps(body))
    return read


def _read_scores(number: int, value: Any) -> list[float | None]:
    """Make a list of what was told, None where it is no finite number; an empty one if all is None."""
    if value is None:
        return []
    scores = value if isinstance(value, list) else [value]
    for each in scores:
        if each is not None and (isinstance(each, bool) or not isinstance(each, Real)):
            raise StudyError(f"trial {number}: a score is a number or None; got {each!r}")
    if not scores:
        raise StudyError(f"trial {number}: an empty list tells nothing; None tells that it failed")
    return [None if each is None else _finite(each) for each in scores]


def _finite(score: float) -> float | None:
    try:
        return float(score) if math.isfinite(score) else None
    except OverflowError:  # a whole number beyond all floats
        return None


def _checked(space: Values, *, metric: Any, larger_is_better: Any, strategy: Any, seed: Any, folds: Any) -> SearchSpace:
    """Read the space, if all arguments are right."""
    problems = [*_unknown_names(metric, larger_is_better, strategy), *_illegal_numbers(seed, folds)]
    try:
        tree = read_space(space)
        if isinstance(strategy, str) and strategy in STRATEGIES and STRATEGIES[strategy].walks:
            tree.require_finite()
    except ExperimentError as error:
        problems += error.problems
    except LrtuneError as error:
        problems.append(str(error))
    if problems:
        raise ExperimentError(problems)
    return tree


def _unknown_names(metric: Any, larger_is_better: Any, strategy: Any) -> Iterator[str]:
    known = METRICS.get(metric) if isinstance(metric, str) else None
    if not isinstance(metric, str) or not metric.strip():
        yield f"metric: expected a name, got {metric!r}"
    elif larger_is_better not in (None, True, False):
        yield f"larger_is_better: expected True or False, got {larger_is_better!r}"
    elif known is None and larger_is_better is None:
        hint = nearest(metric, METRICS)
        hint = hint if hint.startswith("did you mean") else f"lrtune knows {', '.join(METRICS)}"
        yield f"metric: unknown '{metric}'; {hint}; of a metric of your own say larger_is_better=True or False"
    elif known is not None and larger_is_better not in (None, known.larger_is_better):
        yield f"larger_is_better: of {metric}, {'larger' if known.larger_is_better else 'smaller'} is better"
    if not isinstance(strategy, str) or strategy not in STRATEGIES:
        yield f"strategy: unknown '{strategy}'; {nearest(str(strategy), STRATEGIES)}"


def _illegal_numbers(seed: Any, folds: Any) -> Iterator[str]:
    if not _is_whole(seed, least=0):
        yield f"seed: expected a whole number of at least 0, got {seed!r}"
    if folds is not None and not _is_whole(folds, least=1):
        yield f"folds: expected a whole number of at least 1, got {folds!r}"


def _is_whole(value: Any, *, least: int) -> bool:
    return type(value) is int and value >= least
