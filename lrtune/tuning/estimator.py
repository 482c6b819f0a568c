"""A search as a scikit-learn estimator: `SearchCV` fits, chooses and predicts as GridSearchCV does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from lrtune.data.memory import is_frame
from lrtune.experiment.reading.document import Values
from lrtune.model.estimator import Classifier, Regressor
from lrtune.run.folder import open_run
from lrtune.text.errors import LrtuneError
from lrtune.tuning.calls import override, search
from lrtune.tuning.searched import Searched
from lrtune.verdict.standing import standing

TASKS = ("auto", "classification", "regression")


def _classifies(estimator: SearchCV) -> bool:
    return isinstance(estimator.best_estimator_, Classifier)


class SearchCV(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Search learning rate, decay and the rest by cross-validation, then retrain the best on all rows.

    Parameters
    ----------
    space
        What to search, in the form of the experiment file; None takes the default space.
    trials, strategy, pruning, metric, folds
        As in `lrtune.search`; None takes what suits the table.
    task
        ``"classification"``, ``"regression"``, or ``"auto"``: what the values of `y` suggest.
    settings
        Further settings of the experiment, as ``{"model.hidden": [32], "training.epochs": 10}``.
    output
        Folder of the run, where an interrupted search goes on; None keeps nothing.
    workers
        Worker processes, or ``"auto"``.
    random_state
        A whole number; the same one gives the same search.

    Attributes
    ----------
    best_params_, best_score_, best_index_
        Complete configuration, mean score and trial number of the best trial, as `cv_results_` has them. Scores are in
        the metric's own sign: an error is positive.
    best_estimator_
        The model that is delivered: of the best trial, or the mean of several (``result_.delivered``, whose mean score
        is ``result_.mean``).
    cv_results_
        A mapping of arrays, one entry for each trial: ``params``, ``state``, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score`` (1 for the best) and ``split<k>_test_score``; NaN where a trial has no score there.
    result_
        The `Result`: the corrected score, what is odd, and the rest.
    classes_, n_features_in_, feature_names_in_
        As the retrained model has them.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> found = SearchCV(trials=4, settings={"training.epochs": 5}).fit(X, y)
    >>> found.predict(X[:2]).tolist(), len(found.cv_results_["params"])
    ([0, 0], 4)
    """

    def __init__(
        self,
        space: Values | None = None,
        *,
        trials: int = 50,
        strategy: str | None = None,
        pruning: str = "none",
        metric: str | None = None,
        folds: int | None = None,
        task: str = "auto",
        settings: Values | None = None,
        output: str | Path | None = None,
        workers: int | str = "auto",
        random_state: int = 0,
    ) -> None:
        self.space = space
        self.trials = trials
        self.strategy = strategy
        self.pruning = pruning
        self.metric = metric
        self.folds = folds
        self.task = task
        self.settings = settings
        self.output = output
        self.workers = workers
        self.random_state = random_state

    result_: Searched
    best_estimator_: Classifier | Regressor

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        kinds = {"classification": "classifier", "regression": "regressor"}
        fitted = getattr(self, "best_estimator_", None)
        if fitted is not None:
            of_model = fitted.__sklearn_tags__()
            tags.estimator_type = of_model.estimator_type
            tags.classifier_tags, tags.regressor_tags = of_model.classifier_tags, of_model.regressor_tags
        elif self.task in kinds:
            of_model = (Classifier() if self.task == "classification" else Regressor()).__sklearn_tags__()
            tags.estimator_type = kinds[self.task]
            tags.classifier_tags, tags.regressor_tags = of_model.classifier_tags, of_model.regressor_tags
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Search on all rows, and retrain the best configuration on them.

        Parameters
        ----------
        X
            Features (N, D): an array or a data frame; missing cells and texts are encoded inside.
        y
            Label or value of each row (N,).

        Raises
        ------
        LrtuneError
            If a parameter or the table is wrong, or no trial is complete in the end; most are a ValueError, too.

        """
        if self.task not in TASKS:
            raise LrtuneError(f"task: expected one of {', '.join(TASKS)}, got {self.task!r}")
        X, y = self._checked(X, y)
        with tempfile.TemporaryDirectory() as nowhere:
            folder = Path(nowhere) / "run" if self.output is None else self.output
            self.result_ = search(
                X=X,
                y=y,
                space=self.space,
                trials=self.trials,
                strategy=self.strategy,
                pruning=self.pruning,
                metric=self.metric,
                folds=self.folds,
                seed=self.random_state,
                workers=self.workers,
                overrides=self._overrides(),
                output=folder,
            )
            self.best_estimator_ = self.result_.model
            self.cv_results_ = _table(self.result_)
        self._take_over()
        return self

    def _checked(self, features: Any, targets: Any) -> tuple[Any, Any]:
        """Check what is given as all of scikit-learn does; data frames stay as they are."""
        check_consistent_length(features, targets)
        features = self._numbers(features, least=2)
        validate_data(self, features, reset=True, skip_check_array=True)
        if not hasattr(targets, "to_frame"):  # a series keeps its name
            targets = check_array(column_or_1d(targets, warn=True), ensure_2d=False, dtype=None, input_name="y")
        if self.task == "classification":
            check_classification_targets(np.asarray(targets))
        return features, targets

    def _numbers(self, features: Any, least: int = 1) -> Any:
        """Check an array; a data frame stays as it is."""
        if is_frame(features):
            return features
        return check_array(
            features, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=least, estimator=self
        )

    def _overrides(self) -> tuple[str, ...]:
        task = () if self.task == "auto" else (f"data.task={self.task}",)
        more = (override(key, value) for key, value in (self.settings or {}).items())
        return ("data.test_size=0", *task, *more)

    def _take_over(self) -> None:
        """Give the attributes that scikit-learn's users look for."""
        best = self.result_.best
        self.best_params_ = dict(best.configuration)
        self.best_score_, self.best_index_ = best.mean, best.number
        if isinstance(self.best_estimator_, Classifier):
            self.classes_ = self.best_estimator_.classes_

    def _fitted(self, features: Any) -> Any:
        """Give the retrained model, for features of the names and number that it knows."""
        check_is_fitted(self, "best_estimator_")
        validate_data(self, self._numbers(features), reset=False, skip_check_array=True)
        return self.best_estimator_

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict labels or values (N,) of the rows of X (N, D)."""
        return np.asarray(self._fitted(X).predict(X))

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Give the probability of each class (N, classes), in the order of ``classes_``."""
        return np.asarray(self._fitted(X).predict_proba(X))

    def score(self, X: Any, y: Any) -> float:
        """Score predictions for X (N, D) against y (N,): accuracy of labels, R2 of values, as the model does."""
        return float(self._fitted(X).score(X, y))


def _table(result: Searched) -> dict[str, Any]:
    """Make ``cv_results_`` of all trials, by number."""
    run = open_run(result.folder)
    shown = [standing(each, result.metric, run.configuration(each.configuration)) for each in run.trials]
    folds = max(len(each.fold_scores) for each in shown)
    ranks = {each.number: place for place, each in enumerate(run.ranked, 1)}
    return {
        "params": [dict(each.configuration) for each in shown],
        "state": np.array([each.state for each in shown]),
        "mean_test_score": _numbers(each.mean for each in shown),
        "std_test_score": _numbers(each.std for each in shown),
        "rank_test_score": np.array([ranks.get(each.number, len(ranks) + 1) for each in shown]),
        **{
            f"split{fold}_test_score": _numbers(
                each.fold_scores[fold] if fold < len(each.fold_scores) else None for each in shown
            )
            for fold in range(folds)
        },
    }


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)
