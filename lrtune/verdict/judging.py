"""What a finished search comes to: which trial is chosen, and how good it is without the luck of having been chosen.

Everything is read from the run's folder: nothing is trained, and the table is not needed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrtune.arrays import THINNING, one_blas_thread, stream
from lrtune.run import observed
from lrtune.run.names import OBSERVED
from lrtune.space.trial import DEFAULT, Trial, TrialState, ranking
from lrtune.text.errors import StudyError
from lrtune.verdict.choice import ChosenTrial, choose, complete, in_order_of_simplicity, in_order_of_ties
from lrtune.verdict.choice.candidates import Smoothing
from lrtune.verdict.choice.rules import Rule
from lrtune.verdict.confirmation import contenders
from lrtune.verdict.contest import Contest, champion_of, champion_trials, contested
from lrtune.verdict.correction import (
    Averages,
    Choosing,
    Correction,
    DeliveredMean,
    Evidence,
    Race,
    Reigning,
    cells,
    corrected,
    effort,
    merged,
)
from lrtune.verdict.ensembles import Delivery, delivery
from lrtune.verdict.pruning import PRUNINGS
from lrtune.verdict.recorded import records
from lrtune.verdict.terms import Terms

if TYPE_CHECKING:
    from lrtune.run.study import StudyState


MOST_CANDIDATES = 1000
"""How many of the best trials a correction takes into account; those behind them could not have been chosen."""

MOST_CELLS = 40_000_000
"""How many rows times trials a correction looks at; beyond it a fixed random subset of the rows."""


class Judgement(NamedTuple):
    """A finished search: which trial was chosen, what is delivered, and what that is worth without luck.

    Beside a champion that the run has taken over, the contest says who of the two that is.
    """

    choice: ChosenTrial
    delivery: Delivery
    correction: Correction
    contest: Contest | None = None


def judge(terms: Terms, study: StudyState, folder: Path) -> Judgement:
    """Choose a trial by the rule of the experiment and correct its score.

    A champion is delivered unless the gain over it is large enough; its score needs no correction, because it was
    chosen on another night.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    with one_blas_thread():
        made = choice(terms, study)
        delivered = delivery(terms, study, folder, made)
        members = champion_trials(study)
        if not members:
            return Judgement(made, delivered, correction(terms, study, folder, made, delivered))
        champion = champion_of(study, folder)
        found = correction(terms, study, folder, made, delivered, champion=champion)
        standing = None if champion is None else _standing(terms, study, folder, champion)
        decided = contested(
            champion,
            [study.trials[each] for each in members],
            delivered,
            standing=standing,
            correction=found,
            rows_ratio=study.header.rows_ratio,
            least=terms.promote_if,
        )
        if champion is None or standing is None or not decided.is_kept:
            return Judgement(made, delivered, found, decided)
        kept = made._replace(trial=study.trials[champion.numbers[0]])
        return Judgement(kept, champion, standing, decided)


def handed_over(terms: Terms, study: StudyState, folder: Path) -> tuple[ChosenTrial, Delivery]:
    """Say which trial is chosen, and what is delivered; nothing is corrected unless there is a champion to beat.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    if champion_trials(study):
        return judge(terms, study, folder)[:2]
    made = choice(terms, study)
    return made, delivery(terms, study, folder, made)


def _standing(terms: Terms, study: StudyState, folder: Path, champion: Delivery) -> Correction:
    """Give the champion's score and its interval: nobody has chosen it here, so that there is no luck to take off."""
    members = [study.trials[each] for each in champion.numbers]
    evidence = merged(_evidence(study, folder, members), champion.numbers, champion.scores)
    evidence, resamples = _affordable(evidence, study, raced=False, averages=None)
    return corrected(evidence, champion.numbers[0], Choosing(seed=terms.seed, resamples=resamples))


def choice(terms: Terms, study: StudyState) -> ChosenTrial:
    """Choose a trial by a rule (``search.select``), among the confirmed ones if there are any.

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    trials, wanted = contenders(study, terms.confirm), terms.rule
    smoothing = _smoothing(terms, study.in_order(), complete(trials), wanted)
    made = choose(trials, wanted, smoothing=smoothing, rows_ratio=study.header.rows_ratio)
    own = study.trials  # a confirmed trial came with its fresh scores
    rivals = tuple(own[each.number] for each in made.rivals)
    return ChosenTrial(made.rule, own[made.trial.number], own[made.best.number], rivals)


def _smoothing(terms: Terms, history: Sequence[Trial], trials: Sequence[Trial], wanted: Rule) -> Smoothing | None:
    if not wanted.entry.smooths or not trials:
        return None
    from lrtune.sampling.posterior import posterior  # SciPy takes its time

    found = posterior(terms.space, history, trials, terms.seed)
    return None if found is None else Smoothing(*found)


def correction(
    terms: Terms,
    study: StudyState,
    folder: Path,
    made: ChosenTrial,
    delivered: Delivery,
    *,
    champion: Delivery | None = None,
) -> Correction:
    """Correct the score of what is delivered for having been chosen, and its gain over a champion if there is one.

    From the out-of-fold predictions where they are there and undamaged, else from the fold scores.
    """
    candidates = _candidates(study, made, champion)
    evidence, race = _evidence(study, folder, candidates), _race(terms, study, candidates)
    averages = Averages(delivered.sizes, alone=terms.averaged is None) if delivered.sizes else None
    evidence, resamples = _affordable(evidence, study, raced=sum(race.looks) if race else 0, averages=averages)
    choosing = Choosing(
        rule=made.rule,
        smoothing=_smoothing(terms, study.in_order(), candidates, made.rule),
        race=race if evidence.predictions is not None else None,
        default=DEFAULT,
        seed=terms.seed,
        resamples=resamples,
        averages=averages,
        champion=None if champion is None else Reigning(champion.numbers, champion.mean),
    )
    average = DeliveredMean(len(delivered.numbers), delivered.mean) if delivered.is_mean else None
    return corrected(evidence, made.trial.number, choosing, average)


def _candidates(study: StudyState, made: ChosenTrial, champion: Delivery | None = None) -> list[Trial]:
    """List whom the choice was between, by number: complete trials and, unless they have none, raced ones."""
    ranked = ranking(study.in_order())[:MOST_CANDIDATES]
    if made.trial not in ranked:
        ranked.append(made.trial)
    wanted = (DEFAULT, *(champion.numbers if champion else ()))
    ranked += [each for number in wanted if (each := study.trials[number]).mean is not None and each not in ranked]
    room = MOST_CANDIDATES - len(ranked)
    pruned = [each for each in study.in_order() if each.state is TrialState.PRUNED and _is_raced(each)]
    pruned.sort(key=lambda each: (-sum(each.fold_scores), each.number))  # type: ignore[arg-type]
    return sorted([*ranked, *pruned[: max(room, 0)]], key=lambda each: each.number)


def _is_raced(trial: Trial) -> bool:
    return bool(trial.fold_scores) and None not in trial.fold_scores


def _race(terms: Terms, study: StudyState, candidates: Sequence[Trial]) -> Race | None:
    limit = PRUNINGS[terms.pruning].limit
    if limit is None:
        return None
    if not any(each.state is TrialState.PRUNED and _is_raced(each) for each in study.in_order()):
        return None
    rounds = np.array([each.number // terms.round for each in candidates], dtype=np.int64)
    stages = max(study.predictions.values(), key=len, default=())  # of a trial that was dropped nowhere
    looks = tuple(itertools.accumulate(folds for folds, _ in stages))[:-1]
    return Race(rounds, looks, limit, tuple(each.number for each in candidates if each.is_spared)) if looks else None


def _evidence(study: StudyState, folder: Path, candidates: Sequence[Trial]) -> Evidence:
    folds = max(len(each.fold_scores) for each in candidates)
    scores = np.full((folds, len(candidates)), np.nan)
    for column, each in enumerate(candidates):
        scores[: len(each.fold_scores), column] = each.fold_scores
    ratio = study.header.rows_ratio
    without = Evidence(
        metric=study.header.metric,
        numbers=np.array([each.number for each in candidates], dtype=np.int64),
        scores=scores,
        order=np.array(in_order_of_simplicity(candidates), dtype=np.int64),
        predictions=None,
        observed=None,
        rows_ratio=1.0 / max(folds - 1, 1) if ratio is None else float(ratio),
        ties=np.array(in_order_of_ties(candidates), dtype=np.int64),
    )
    try:
        seen = observed.read(folder / OBSERVED)
        predictions = records(study, folder, candidates, seen)
    except (StudyError, OSError):
        return without  # lost or damaged: the fold scores are safe in the journal
    return thinned(without._replace(predictions=predictions, observed=seen), max(1, MOST_CELLS // len(candidates)))


def thinned(evidence: Evidence, most: int) -> Evidence:
    """Leave no more than so many rows in the evidence, a fixed random subset."""
    seen, predictions = evidence.observed, evidence.predictions
    if seen is None or predictions is None or len(seen.targets) <= most:
        return evidence
    rows = np.sort(stream(0, THINNING).permutation(len(seen.targets))[:most])
    _, units = np.unique(seen.units[rows], return_inverse=True)
    part = replace(seen, targets=seen.targets[rows], folds=seen.folds[rows], units=units)
    return evidence._replace(predictions=predictions[:, rows], observed=part)


def _affordable(
    evidence: Evidence, study: StudyState, *, raced: int, averages: Averages | None
) -> tuple[Evidence, int]:
    """Leave as many rows as there is time for beside the training; says with how many resamples, too."""
    seen, predictions = evidence.observed, evidence.predictions
    if seen is None or predictions is None:
        return evidence, 0
    folds, configurations = evidence.scores.shape
    products = cells(evidence.metric, seen.classes, folds=folds, raced=raced)
    more = averages.seconds(predictions) if averages else 0.0
    made = effort(len(seen.targets), configurations, products, training=_trained(study, folds), more=more)
    return thinned(evidence, made.rows), made.resamples


def _trained(study: StudyState, folds: int) -> float:
    """Say how long the training of the whole study was expected to take (seconds): a function of what was trained."""
    trained = sum(len(each.fold_scores) for each in study.in_order())
    return float(study.header.trial_seconds or 0.0) * trained / folds
