"""A run as an Optuna study, in a SQLite file that optuna-dashboard opens: the one door of Optuna."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.reporting.parameters import Distribution, Parameters
from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import LrtuneError, StudyError
from lrtune.text.written import to_json
from lrtune.verdict.standing import larger_is_better, standing

if TYPE_CHECKING:
    from lrtune.run.folder import Run

STATES = {
    TrialState.COMPLETE: "COMPLETE",
    TrialState.PRUNED: "PRUNED",
    TrialState.DIVERGED: "FAIL",
    TrialState.FAILED: "FAIL",
}
"""Optuna's names of our states; trials without a result have none."""


def export(run: Run, path: Path) -> int:
    """Write a run's trials into a new SQLite file, as a study of the run folder's name.

    Scores of folds become intermediate values, with the number of the fold from 1 as their step. What Optuna has no
    place for stands in user attributes: the trial's number here, standard deviation and reason.

    Parameters
    ----------
    run
        The run.
    path
        The file; must not exist.

    Returns
    -------
    int
        The number of trials written.

    Raises
    ------
    LrtuneError
        If Optuna is not installed.
    StudyError
        If the file exists.

    """
    optuna = _library()
    if path.exists():
        raise StudyError(f"{path}: is there already; choose another --output")
    trials = [each for each in run.trials if each.state in STATES]
    parameters = Parameters(run.space)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with _quiet(optuna):
            study = _new_study(optuna, run, partial)
            study.add_trials([_frozen_trial(optuna, each, run.metric, parameters) for each in trials])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return len(trials)


def _library() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise LrtuneError(
            "--to optuna needs Optuna, which is not installed here: pip install 'lrtune[optuna]'"
        ) from error
    return optuna


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keep Optuna from telling of every step."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is experimental in Optuna is not the user's concern
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _new_study(optuna: Any, run: Run, path: Path) -> Any:
    larger = larger_is_better(run.metric)
    study = optuna.create_study(
        storage=f"sqlite:///{path.absolute()}",
        study_name=run.folder.name,
        direction="maximize" if larger else "minimize",
    )
    study.set_metric_names([run.metric])
    header = run.study.header
    said = {
        "metric": run.metric,
        "fingerprint": header.fingerprint,
        "rows": to_json(header.rows),
        "versions": header.versions,
        "finished": run.study.finished,
    }
    for key, value in said.items():
        study.set_user_attr(key, value)
    return study


def _frozen_trial(optuna: Any, trial: Trial, metric: str, parameters: Parameters) -> Any:
    shown = standing(trial, metric)
    found = parameters.of(trial.configuration)
    attributes = {"trial": trial.number, "state": str(trial.state), "std": shown.std, "reason": trial.reason}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[STATES[trial.state]],
        value=shown.mean if trial.state is TrialState.COMPLETE else None,
        params={name: value for name, (_, value) in found.items()},
        distributions={name: _distribution(optuna, each) for name, (each, _) in found.items()},
        intermediate_values={step: score for step, score in enumerate(shown.fold_scores, 1) if score is not None},
        user_attrs={key: value for key, value in attributes.items() if value is not None},
    )


def _distribution(optuna: Any, found: Distribution) -> Any:
    kinds = optuna.distributions
    if found.kind == "choice":
        return kinds.CategoricalDistribution(found.choices)
    if found.kind == "int":
        return kinds.IntDistribution(int(found.low), int(found.high), log=found.log)
    return kinds.FloatDistribution(found.low, found.high, log=found.log)
