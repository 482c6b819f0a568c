"""scikit-learn's estimators and their relatives: made by their names, trained, and asked for predictions.

An estimator whose rate anybody may set (`SCHEDULED`) is trained batch by batch, with lrtune's rate for each. All others
are fitted as they fit themselves.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lrtune.arrays import Array
from lrtune.text.errors import nearest, reason
from lrtune.trainers.foreign.ending import Ending, Report
from lrtune.trainers.foreign.run import FitRun, TrainingError, rows_of
from lrtune.training.estimated import predicted
from lrtune.training.metrics.catalogue import METRICS
from lrtune.training.registry import DATA_KEYS, SCHEDULE_KEYS, SCHEDULED

PROCESSES = ("n_jobs", "nthread", "thread_count")
"""Parameters that say how many processes or threads an estimator takes: each worker has one."""

SEED = "random_state"

_PLAIN = (bool, int, float, str, type(None))


def own(configuration: Mapping[str, Any], *, scheduled: bool) -> dict[str, Any]:
    """Take the parameters of an estimator out of a complete configuration."""
    taken = {*DATA_KEYS, *(SCHEDULE_KEYS if scheduled else ())}
    return {
        key: value
        for key, value in configuration.items()
        if key not in taken and not (scheduled and key.startswith("decay."))
    }


def classes_of(steps: Sequence[Sequence[str]]) -> list[Any]:
    """Import the classes of an estimator's steps.

    Raises
    ------
    TrainingError
        If one does not exist, or cannot be imported.

    """
    return [_class(path) for _, path in steps]


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise TrainingError(f"{path} cannot be imported: {reason(error)}") from error
    if not inspect.isclass(getattr(found, name, None)):
        classes = [key for key, each in vars(found).items() if inspect.isclass(each) and not key.startswith("_")]
        raise TrainingError(f"{module} has no class '{name}'; {nearest(name, classes)}")
    return getattr(found, name)


def made(steps: Sequence[Sequence[str]], parameters: Mapping[str, Any], seed: int | None = None) -> Any:
    """Make an estimator with its parameters; it uses one process, and the seed where it would draw one itself.

    Raises
    ------
    TrainingError
        If it refuses a parameter.

    """
    built = []
    for each, (_, path) in zip(classes_of(steps), steps, strict=True):
        try:
            built.append(each())
        except Exception as error:
            raise TrainingError(f"{path} cannot be made without arguments: {reason(error)}") from error
    if steps[0][0]:
        from sklearn.pipeline import Pipeline

        estimator = Pipeline(list(zip((name for name, _ in steps), built, strict=True)))
    else:
        (estimator,) = built
    if not hasattr(estimator, "get_params"):
        raise TrainingError(f"{steps[-1][1]} is no estimator: it has no get_params")
    known = estimator.get_params(deep=True)
    fixed = {key: 1 for key in known if key.rpartition("__")[2] in PROCESSES}
    if seed is not None:
        fixed |= {key: seed for key, each in known.items() if key.rpartition("__")[2] == SEED and each is None}
    try:
        estimator.set_params(**{**fixed, **parameters})
    except (TypeError, ValueError) as error:
        raise TrainingError(reason(error)) from error
    return estimator


def described(
    steps: Sequence[Sequence[str]], names: Sequence[str], fixed: Mapping[str, Any], *, task: str, metric: str
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Look at an estimator before anything is trained.

    Parameters
    ----------
    steps
        What it is.
    names
        Parameters that an experiment sets.
    fixed
        Those of the default configuration.
    task, metric
        What is asked of it.

    Returns
    -------
    tuple
        Its own values of these parameters, as far as they are plain; and what is wrong, each with the parameter that it
        is about, or an empty text.

    """
    estimator = made(steps, {})
    known = estimator.get_params(deep=True)
    wrong = [(name, _unknown(name, steps, known)) for name in names if name not in known]
    defaults = {name: known[name] for name in names if name in known and isinstance(known[name], _PLAIN)}
    kind = _kind(estimator)
    if kind and kind != ("regressor" if task == "regression" else "classifier"):
        wrong.append(("", f"{steps[-1][1]} is a {kind}, and the target is {_target(task)}"))
    elif not wrong and task != "regression" and METRICS[metric].keeps != "label":
        wrong += _without_probabilities(steps, {**fixed}, metric, task)
    return defaults, wrong


def _unknown(name: str, steps: Sequence[Sequence[str]], known: Collection[str]) -> str:
    """Say whose parameter does not exist: that of a step of a pipeline, or of the estimator."""
    step, _, own = name.partition("__")
    for called, path in steps:
        if own and called == step:
            return (
                f"{path} has no parameter '{own}'; {nearest(name, [each for each in known if each.startswith(step)])}"
            )
    owner = f"the pipeline of {' and '.join(called for called, _ in steps)}" if steps[0][0] else steps[-1][1]
    return f"{owner} has no such parameter; {nearest(name, known)}"


def _without_probabilities(
    steps: Sequence[Sequence[str]], fixed: Mapping[str, Any], metric: str, task: str
) -> Iterator[tuple[str, str]]:
    estimator = made(steps, fixed)
    scores = METRICS[metric].keeps == "score" and task == "binary" and hasattr(estimator, "decision_function")
    if not scores and not hasattr(estimator, "predict_proba"):
        problem = f"{metric} needs probabilities, and {steps[-1][1]} gives none with these parameters"
        yield "", f"{problem}; set search.metric: accuracy, or a parameter that makes it give some"


def _kind(estimator: Any) -> str:
    from sklearn.base import is_classifier, is_regressor

    return "classifier" if is_classifier(estimator) else "regressor" if is_regressor(estimator) else ""


def _target(task: str) -> str:
    return "a number" if task == "regression" else "a class"


def trained(steps: Sequence[Sequence[str]], run: FitRun, codes: Array, tell: Any) -> Any:
    """Train an estimator on the rows of a fit; ``codes`` are numbers of classes or values ``(N,)``."""
    rate = SCHEDULED.get(steps[-1][1])
    parameters = own(run.configuration, scheduled=rate is not None)
    estimator = made(steps, parameters, run.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if rate is None or "learning_rate" not in run:
            return estimator.fit(run.train.X, codes)
        return _by_batches(estimator, rate, run, codes, tell)


def _by_batches(estimator: Any, rate: str, run: FitRun, codes: Array, tell: Any) -> Any:
    """Train batch by batch with the rates of the schedule; what comes before the last step is fitted once."""
    last, features = estimator, run.train.X
    if hasattr(estimator, "steps"):
        last = estimator.steps[-1][1]
        for _, step in estimator.steps[:-1]:
            features = step.fit_transform(features, codes)
    last.set_params(learning_rate="constant")
    more = {} if run.task == "regression" else {"classes": np.arange(len(run.classes))}
    for epoch in range(run.epochs):
        for rows in run.batches():
            last.set_params(**{rate: max(run.rate, 1e-300)})  # it refuses a rate of 0
            last.partial_fit(rows_of(features, rows), codes[rows], **more)
        tell(Report(epoch + 1, {}))
    return estimator


def ending(estimator: Any, run: FitRun, metric: str) -> Ending:
    """Ask an estimator for what a metric needs of the validation rows."""
    if not len(run.validation.y):
        return Ending({})
    scores = METRICS[metric].keeps == "score"
    found, kind = predicted(estimator, run.validation.X, len(run.classes), scores=scores)
    return Ending({}, (), found, kind)
