"""The result of a study as a JSON-like dict: what ``result.json`` holds and ``--json`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lrtune.reporting import branches, judgements, tables
from lrtune.reporting.savings import savings
from lrtune.space.trial import TrialState
from lrtune.training.registry import METRICS
from lrtune.verdict import choice as selection
from lrtune.verdict import comparison, confirmation

if TYPE_CHECKING:
    from lrtune.run.study import Study
    from lrtune.space.trial import Configuration, Trial, Value
    from lrtune.verdict.judging import Judgement

SCHEMA = 1
"""Raised whenever a key changes its meaning or goes; new keys do not raise it."""

DEFAULT_TRIAL = 0


def result(
    study: Study,
    metric: str,
    complete: Callable[[Configuration], Mapping[str, Value]],
    *,
    rows_ratio: float | None = None,
    confirm: int = 0,
    judgement: Judgement | None = None,
) -> dict[str, Any]:
    """Write down what a search found.

    Scores are in the metric's own sign (an error is positive, smaller is better); where a lane diverged they are null,
    never NaN. ``std`` is the standard deviation over the folds (``ddof=1``).

    ::

        schema        version of this layout
        name          of the experiment
        metric        its name;  larger_is_better: whether more of it is better
        best          number         of the trial that was chosen
                      state          complete; of the default also proposed (not scored yet), diverged, failed
                      configuration  everything that trains it again: flat keys, factors behind a dot
                      mean, std      over the folds
                      fold_scores    one number for each fold
        default       the same for the default configuration, which is always trial 0
        gain          mean, error    of the paired differences best - default, positive when the best is better, and
                                     their standard error corrected for overlapping training rows
                      wins, folds    on how many folds it is better
                      p              of the corrected resampled t-test (two-sided) that they are equally good
                      probability    that the best is better;  gain is null when the two cannot be compared
        corrected     method         "bootstrap", or "folds" where the out-of-fold predictions are missing
                      naive          mean of the folds of the best;  optimism: how much better it is than the score,
                                     because it was picked;  score: without that
                      low, high      95 % interval of the score
                      resamples      of the rows, how many;  share: in which part of them the best was chosen
                      gain           mean, low, high over the default configuration, without the luck of the choice,
                                     positive when the best is better;  probability that it is;  null for the default
        selection     rule           by which the best was chosen (search.select);  best: number of the best mean
                      rivals         count, numbers of the first: trials that the folds cannot tell from the best
        constant      number, mean   of the best trial with a constant rate;  gain of the best over it, as above;
                                     null if that is the best, or there is none
                      corrected, selection and constant are null while the search goes on
        confirmation  trials    of each that was scored again on fresh splits and seeds, in the order of the search:
                                number, mean (of the search), confirmed (mean; null if it diverged), fold_scores
                      optimism  by how much the search's scores of these are too good, on average, positive for too
                                good;  confirmation is null without search.confirm
        nested        mean, std  of the scores of the outer folds (`lrtune.tuning.nested`): what the search is worth
                      optimism   by how much the searches' own means are too good, on average
                      of, folds  how many were made;  score, rows, trial, inner of each with a score
                      nested is null without search.nested
        decays        the best trial of each decay type, ranked: name, number, mean, std, and difference to that
                      with a constant rate, as in gain;  empty where there is no other or no constant
        optimizers    the same for optimizers, with the difference to that of the default configuration
        test          score, rows    on the rows that the search never saw;  null without test rows
                      has            only where score is null, since the metric has none on them: why
        unscored      of, folds      how many folds the splitter made, and number and reason of those that are left out,
                                     since the metric has no score there (`lrtune.trainers.partition`);  null if none is
        trials        total, complete, pruned, failed, diverged: how many
        pruning       kind, pruned: how many trials, first: number and reason of the first of them, saved: share of the
                      training that was left out, and the seconds that it would have taken;  null without pruning
        seconds       search, retrain, total: wall time over all sessions
        finished      why the search ended;  null while it goes on
        data          hash, folds: hashes of what training sees of the table, and of the rows of every fold
        fingerprint   of the experiment and its data
        versions      of what computed it
        health        what is odd about the search (`lrtune.verdict.health`), warnings first: name, severity (warning or
                      hint), sentence, advice and numbers of each
        gates         what was asked of this result (`lrtune.verdict.gates`): name, state, sentence, numbers of each
        notes         what was noticed about the data and the search, the most important first

    Parameters
    ----------
    study
        The study.
    metric
        What it was scored with.
    complete
        Fills a point of the space with everything that was fixed (`Experiment.configuration`).
    rows_ratio
        Validation rows over training rows of a fold; by default as in k-fold cross-validation.
    confirm
        How many trials were to be scored again before the choice (``search.confirm``).
    judgement
        The choice and its correction (`lrtune.verdict.judging.judge`).

    Raises
    ------
    NoUsableResultError
        If no trial is complete.

    """
    trials = study.in_order()
    best, default = selection.chosen(study), study.trials[DEFAULT_TRIAL]
    return {
        "schema": SCHEMA,
        "name": study.header.get("name"),
        "metric": metric,
        "larger_is_better": METRICS[metric].larger_is_better,
        "best": _standing(best, metric, complete),
        "default": _standing(default, metric, complete),
        "gain": _gain(best, default, rows_ratio),
        **_judged(judgement, trials, metric, complete, rows_ratio),
        "confirmation": _confirmation(study, metric, confirm),
        "decays": branches.compared(trials, "decay", branches.CONSTANT, metric, rows_ratio),
        "optimizers": branches.compared(
            trials, "optimizer", str(default.configuration.get("optimizer")), metric, rows_ratio
        ),
        "test": _test(study, metric),
        "unscored": study.header.get("left_out"),
        "trials": {"total": len(trials), **{str(state): study.count(state) for state in _ENDS}},
        "pruning": savings(study, complete),
        "seconds": {
            "search": round(study.search_seconds, 3),
            "retrain": round(study.retrain_seconds, 3),
            "total": round(study.search_seconds + study.retrain_seconds, 3),
        },
        "finished": study.finished,
        "data": {"hash": study.header.get("data"), "folds": study.header.get("folds")},
        "fingerprint": study.header.get("fingerprint"),
        "versions": study.header.get("clock", {}).get("versions"),
    }


_ENDS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.DIVERGED)


def _standing(trial: Trial, metric: str, complete: Callable[[Configuration], Mapping[str, Value]]) -> dict[str, Any]:
    shown = tables.standing(trial, metric)
    configuration = complete(trial.configuration)
    return {
        "number": shown.number,
        "state": str(trial.state),
        "configuration": {key: configuration[key] for key in tables.canonical_keys([configuration])},
        "mean": shown.mean,
        "std": shown.std,
        "fold_scores": list(shown.folds),
    }


def _judged(
    judgement: Judgement | None,
    trials: list[Trial],
    metric: str,
    complete: Callable[[Configuration], Mapping[str, Value]],
    rows_ratio: float | None,
) -> dict[str, Any]:
    if judgement is None:
        return {"corrected": None, "selection": None, "constant": None}
    return judgements.entries(judgement, trials, metric, complete, rows_ratio=rows_ratio)


def _gain(best: Trial, default: Trial, rows_ratio: float | None) -> dict[str, Any] | None:
    found = comparison.between(best, default, rows_ratio)
    return None if found is None else found._asdict()


def _confirmation(study: Study, metric: str, count: int) -> dict[str, Any] | None:
    found = confirmation.summary(study, count)
    if found is None:
        return None
    rows = [
        {
            **each,
            "mean": tables.own_sign(metric, each["mean"]),
            "confirmed": tables.own_sign(metric, each["confirmed"]),
            "fold_scores": [tables.own_sign(metric, score) for score in each["fold_scores"]],
        }
        for each in found["trials"]
    ]
    return {"trials": rows, "optimism": found["optimism"]}


def _test(study: Study, metric: str) -> dict[str, Any] | None:
    found = (study.refit or {}).get("test")
    if not found or not found.get("rows"):
        return None
    return tables.tested(metric, found)
