"""From a study to its `Result`: the one place where what was found is put together.

Nothing here trains or reads a table. A study that goes on has a result as well, of what it has found so far.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lrtune.run.bodies import Recipe
from lrtune.space.trial import DEFAULT, Configuration, Trial, TrialState, Value, ranking
from lrtune.training.registry import METRICS
from lrtune.verdict import choice, comparison, confirmation
from lrtune.verdict.anchored import anchors
from lrtune.verdict.controlled import CONSTANT, control
from lrtune.verdict.result import (
    CHAMPION,
    Ahead,
    Confirmation,
    ConstantRate,
    Corrected,
    Counts,
    DataHashes,
    Delivered,
    FirstPruned,
    HeldOut,
    Kind,
    KindDifference,
    Result,
    Rivals,
    Savings,
    Seconds,
    Selection,
    Training,
    Unscored,
)
from lrtune.verdict.standing import canonical_keys, means_beside, own_ends, own_sign, standing
from lrtune.verdict.warmups import warmup_control

if TYPE_CHECKING:
    from lrtune.run.study import StudyState
    from lrtune.space.trial import FinalScore
    from lrtune.verdict.choice import ChosenTrial
    from lrtune.verdict.correction import Correction
    from lrtune.verdict.ensembles import Delivery
    from lrtune.verdict.judging import Judgement

SHOWN_RIVALS = 10

Completed = Callable[[Configuration], Mapping[str, Value]]
"""Fills a point of the space with everything that was fixed."""


def result_of(
    study: StudyState,
    completed: Completed,
    *,
    rows_ratio: float | None = None,
    confirm: int = 0,
    paired: bool = True,
    judgement: Judgement | None = None,
) -> Result:
    """Put together what a search found.

    Parameters
    ----------
    study
        The study.
    completed
        Fills a point of the space with everything that was fixed (`lrtune.experiment.Experiment.configuration`).
    rows_ratio
        Validation rows over training rows of a fold; by default as in k-fold cross-validation.
    confirm
        How many trials were to be scored again before the choice (``search.confirm``).
    paired
        Whether a controlled pair is wanted (``search.control``); one that is there may be of another day.
    judgement
        The choice and its correction (`lrtune.verdict.judging.judge`).

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    trials, metric = study.in_order(), study.header.metric
    best, default = choice.chosen(study), study.trials[DEFAULT]
    if judgement is not None and judgement.contest is not None:
        best = judgement.choice.trial
    pair = study.controlled.get(best.number) if paired else None
    again = confirmation.summary(study, confirm)
    numbers, scores = judgement.delivery[:2] if judgement else ((best.number,), best.fold_scores)
    other_default = None if numbers == (DEFAULT,) else default
    usual = str(default.configuration.get("optimizer"))
    own_warmup = completed(best.configuration).get("warmup", 0.0)
    return Result(
        name=study.header.name,
        metric=metric,
        larger_is_better=METRICS[metric].larger_is_better,
        best=standing(best, metric, completed(best.configuration)),
        default=standing(default, metric, completed(default.configuration)),
        gain=comparison.difference(scores, default.fold_scores, rows_ratio),
        ahead=ahead(ranking(trials)[0], best, metric, rows_ratio),
        delivered=judgement and delivered(judgement.delivery, study, completed, champion=_is_kept(judgement)),
        corrected=judgement and corrected(judgement.correction, judgement.delivery, metric),
        selection=judgement and selection(judgement.choice, again, kept=_is_kept(judgement)),
        constant=judgement and constant_rate(judgement.choice.trial, trials, metric, completed),
        no_model=study.no_model and study.no_model.reason,
        anchors=anchors(study.anchors, scores, other_default, metric, rows_ratio),
        control=control(pair, best, str(completed(best.configuration).get("decay")), metric),
        warmup=warmup_control(study.warmed.get(best.number), best, own_warmup, study.anchors, metric),
        training=training(study, rows_ratio),
        confirmation=again,
        decays=kinds(trials, "decay", CONSTANT, metric, rows_ratio),
        optimizers=kinds(trials, "optimizer", usual, metric, rows_ratio),
        test=test_score(study.tested, metric),
        unscored=unscored(study),
        counts=Counts(len(trials), **{str(state): study.count(state) for state in _ENDS}),
        pruning=savings(study, completed),
        seconds=seconds(study),
        finished=study.finished,
        data=DataHashes(study.header.data, study.header.folds),
        fingerprint=study.header.fingerprint,
        versions=study.header.versions,
    )


_ENDS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.DIVERGED)


def delivered(found: Delivery, study: StudyState, completed: Completed, *, champion: bool = False) -> Delivered:
    """Write down what is handed over."""
    metric, seeds = study.header.metric, study.seeds
    made = study.refit.made_of if study.refit else Recipe(found.numbers)
    known = seeds if seeds is not None and seeds.recipe.trials == found.numbers else None
    return Delivered(
        trials=found.numbers,
        mean=own_sign(metric, found.mean),
        fold_scores=tuple(own_sign(metric, each) for each in found.scores),
        sizes=found.sizes,
        why_single=found.why_single,
        seeds=made.seeds,
        of_seeds=own_sign(metric, math.fsum(known.scores) / len(known.scores)) if known else None,
        rows=made.rows,
        diverged=study.refit.diverged if study.refit else (),
        beside=means_beside(found.beside),
        predicted=found.predicted,
        configurations=tuple(_in_order(completed(study.trials[each].configuration)) for each in found.numbers),
        bag=made.bag,
        champion=champion,
    )


def _in_order(configuration: Configuration) -> Configuration:
    return {key: configuration[key] for key in canonical_keys([configuration])}


def corrected(found: Correction, handed_over: Delivery, metric: str) -> Corrected:
    """Write down the correction of what is handed over."""
    low, high = own_ends(metric, found.low, found.high)
    return Corrected(
        method=found.method,
        naive=own_sign(metric, found.naive),
        optimism=found.optimism,
        score=own_sign(metric, found.score),
        low=low,
        high=high,
        resamples=found.resamples,
        share=found.share(handed_over.numbers),
        gain=found.gain,
        drawn=found.drawn,
        units=found.units,
    )


def ahead(first: Trial, chosen: Trial, metric: str, rows_ratio: float | None = None) -> Ahead | None:
    """Compare the trial with the best mean with the chosen one, if that is another."""
    if first.number == chosen.number:
        return None
    return Ahead(first.number, own_sign(metric, first.mean), comparison.between(first, chosen, rows_ratio))


def _is_kept(judgement: Judgement) -> bool:
    return judgement.contest is not None and judgement.contest.is_kept


def selection(found: ChosenTrial, again: Confirmation | None = None, *, kept: bool = False) -> Selection:
    """Write down how the choice was made, of trials that may have been scored again."""
    numbers = tuple(each.number for each in found.rivals[:SHOWN_RIVALS])
    fresh = again is not None and any(each.confirmed is not None for each in again.trials)
    return Selection(
        CHAMPION if kept else str(found.rule), found.best.number, Rivals(len(found.rivals), numbers), fresh
    )


def training(study: StudyState, rows_ratio: float | None) -> Training | None:
    """Say on how many rows models are trained: the delivered one, and on the folds, about."""
    rows = study.header.rows
    if rows is None or rows_ratio is None:
        return None
    return Training(rows.train, round(rows.train / (1.0 + rows_ratio)))


def constant_rate(chosen: Trial, trials: Sequence[Trial], metric: str, completed: Completed) -> ConstantRate | None:
    """Find the best trial whose rate is constant; None if that is the chosen one, or there is none."""
    if completed(chosen.configuration).get("decay", CONSTANT) == CONSTANT:
        return None
    for each in ranking(trials):
        if completed(each.configuration).get("decay") == CONSTANT:
            return ConstantRate(each.number, own_sign(metric, each.mean))
    return None


def kinds(
    trials: Sequence[Trial], key: str, control: str, metric: str, rows_ratio: float | None = None
) -> tuple[Kind, ...]:
    """Rank the best trial of each value of a key; empty unless that of the control and another one are complete.

    Each was picked as the best of its own trials, which flatters those that had more of them. So it says how many there
    were, and gives no verdict: an interval for one difference does not cover the largest of several picked ones.
    """
    best: dict[str, Trial] = {}
    for each in ranking(trials):
        best.setdefault(_value(each, key), each)
    if control not in best or len(best) < 2:
        return ()
    counts = Counter(_value(each, key) for each in trials if each.is_over)
    differences = {name: _difference(each, best[control], rows_ratio) for name, each in best.items()}
    return tuple(
        Kind(name, counts[name], each.number, own_sign(metric, each.mean), each.std, differences[name])
        for name, each in best.items()
    )


def _value(trial: Trial, key: str) -> str:
    return str(trial.configuration.get(key))


def _difference(best: Trial, control: Trial, rows_ratio: float | None) -> KindDifference | None:
    found = None if best is control else comparison.between(best, control, rows_ratio)
    return None if found is None else KindDifference(found.mean, found.wins, found.folds)


def test_score(test: FinalScore | None, metric: str) -> HeldOut | None:
    """Write down what a model has on the test rows; None without such rows."""
    if test is None or not test.rows:
        return None
    return HeldOut(own_sign(metric, test.score), test.rows, test.has)


def unscored(study: StudyState) -> Unscored | None:
    """Say which folds have no score."""
    found = study.header.left_out
    return None if found is None else Unscored(found.of, found.folds)


def seconds(study: StudyState) -> Seconds:
    """Say what a study took, to the millisecond."""
    spent = (study.search_seconds, study.retrain_seconds, study.search_seconds + study.retrain_seconds)
    return Seconds(*(round(each, 3) for each in spent))


_SCORED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.DIVERGED)


def savings(study: StudyState, completed: Completed) -> Savings | None:
    """Count what a study with pruning did and left out, in epochs on a fold; None without pruning."""
    kind = study.header.asked.get("search", {}).get("pruning", "none")
    scored = [each for each in study.in_order() if each.state in _SCORED]
    folds = max((len(each.fold_scores) for each in scored if each.state is TrialState.COMPLETE), default=0)
    if kind == "none" or not folds:
        return None
    epochs = {each.number: float(completed(each.configuration).get("epochs", 1)) for each in scored}  # type: ignore[arg-type]
    whole = sum(epochs.values())
    saved = 1.0 - sum(epochs[each.number] * _done(each) for each in scored) / folds / whole
    pruned = [each for each in scored if each.state is TrialState.PRUNED]
    first = FirstPruned(pruned[0].number, pruned[0].reason) if pruned else None
    return Savings(kind, len(pruned), first, round(saved, 4), round(study.trials_seconds * saved / (1.0 - saved), 3))


def _done(trial: Trial) -> float:
    """Count the folds that a trial was trained on, those with a shorter horizon as the part that they are."""
    return len(trial.fold_scores) + sum(len(scores) / shorter for shorter, scores in trial.horizon_scores)
