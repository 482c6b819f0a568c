"""A run as runs of MLflow: one for the search, one below it for each trial. The one door of MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrtune.run.names import BEST, EXPERIMENT, RESULT, TRIALS
from lrtune.space.trial import Trial, TrialState
from lrtune.text.errors import LrtuneError
from lrtune.text.written import cell
from lrtune.training.metrics.catalogue import plain_name
from lrtune.verdict.making import test_score
from lrtune.verdict.standing import standing

if TYPE_CHECKING:
    from lrtune.run.folder import Run

STATUSES = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.DIVERGED: "FAILED",
    TrialState.FAILED: "FAILED",
}
"""MLflow's names of our states; trials without a result have none."""

FILES = (RESULT, BEST, EXPERIMENT, TRIALS)
_LONGEST = 500  # characters of a value that every store of MLflow takes


def export(run: Run, uri: str | None = None) -> int:
    """Record a run with MLflow's client, in the experiment of the run's name.

    Parameters are the trial's point of the space, metrics its mean and standard deviation, and the scores of its folds
    as steps of one metric. The run of the search has the best trial's values, the test score and the files.

    Parameters
    ----------
    run
        The run.
    uri
        Where to, as ``sqlite:///mlflow.db`` or a server's address; None leaves it to MLflow's own settings.

    Returns
    -------
    int
        The number of trials recorded.

    Raises
    ------
    LrtuneError
        If MLflow is not installed, or refuses.

    """
    mlflow = _library()
    try:
        recorder = _Recorder(mlflow, run, uri)
        return recorder.record()
    except mlflow.exceptions.MlflowException as error:
        raise LrtuneError(f"MLflow refuses: {str(error).splitlines()[0]}") from error


def _library() -> Any:
    try:
        import mlflow
    except ImportError as error:
        raise LrtuneError(
            "--to mlflow needs MLflow, which is not installed here: pip install 'lrtune[mlflow]'"
        ) from error
    return mlflow


class _Recorder:
    def __init__(self, mlflow: Any, run: Run, uri: str | None) -> None:
        self.mlflow = mlflow
        self.run = run
        self.client = mlflow.tracking.MlflowClient(tracking_uri=uri)
        found = self.client.get_experiment_by_name(run.name)
        self.experiment = found.experiment_id if found else self.client.create_experiment(run.name)

    def record(self) -> int:
        search = self.begin(self.run.folder.name, self.search_tags())
        if self.run.ranked:
            self.log(search, self.run.ranked[0], self.search_metrics())
        for name in FILES:
            if (self.run.folder / name).is_file():
                self.client.log_artifact(search, str(self.run.folder / name))
        trials = [each for each in self.run.trials if each.state in STATUSES]
        for each in trials:
            self.record_trial(each, search)
        self.client.set_terminated(search, "FINISHED" if self.run.study.finished else "KILLED")
        return len(trials)

    def begin(self, name: str, tags: dict[str, str]) -> str:
        begun = self.client.create_run(self.experiment, run_name=name, tags=tags)
        return str(begun.info.run_id)

    def search_tags(self) -> dict[str, str]:
        header = self.run.study.header
        tags = {"lrtune.metric": self.run.metric, "lrtune.fingerprint": header.fingerprint}
        tags["lrtune.finished"] = self.run.study.finished
        return {key: str(value) for key, value in tags.items() if value is not None}

    def search_metrics(self) -> dict[str, float]:
        test = test_score(self.run.study.tested, self.run.metric)
        found = {"trials": float(len(self.run.trials)), "search_seconds": self.run.study.search_seconds}
        return found if test is None or test.score is None else {**found, f"test_{self.run.metric}": test.score}

    def record_trial(self, trial: Trial, parent: str) -> None:
        tags = {"mlflow.parentRunId": parent, "lrtune.trial": str(trial.number), "lrtune.state": str(trial.state)}
        if trial.reason:
            tags["lrtune.reason"] = trial.reason[:_LONGEST]
        begun = self.begin(f"trial {trial.number}", tags)
        self.log(begun, trial, {})
        self.client.set_terminated(begun, STATUSES[trial.state])

    def log(self, run_id: str, trial: Trial, more: dict[str, float]) -> None:
        """Write a trial's parameters and metrics in one request."""
        entities, shown = self.mlflow.entities, standing(trial, self.run.metric)
        metric = plain_name(self.run.metric)
        single = {metric: shown.mean, f"{metric}_std": shown.std, **more}
        metrics = [entities.Metric(key, value, 0, 0) for key, value in single.items() if value is not None]
        metrics += [
            entities.Metric(f"{metric}_fold", value, 0, step)
            for step, value in enumerate(shown.fold_scores, 1)
            if value is not None
        ]
        parameters = [entities.Param(key, cell(value)[:_LONGEST]) for key, value in trial.configuration.items()]
        self.client.log_batch(run_id, metrics=metrics, params=parameters)
