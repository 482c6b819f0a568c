"""`lrtune.search` and `lrtune.search_steps`: the use case as Python calls it."""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from lrtune.data.tables import Table
from lrtune.experiment import Experiment
from lrtune.experiment.reading.document import Values
from lrtune.text.errors import LrtuneError, named_as_typed
from lrtune.text.paths import expanded
from lrtune.text.shown import showing
from lrtune.trainers.arguments import experiment_and_table
from lrtune.tuning.allowance import read_allowance
from lrtune.tuning.search import steps
from lrtune.tuning.searched import Searched
from lrtune.tuning.steps import Ended, Step
from lrtune.tuning.suggestions.spaces import plain


class SearchSettings(TypedDict, total=False):
    """The keyword arguments of `lrtune.search`, described there."""

    data: Any
    target: str | None
    X: Any
    y: Any
    quality: str | None
    trainer: str | Mapping[str, Any] | Callable[..., Any] | None
    space: Values | None
    trials: int | None
    strategy: str | None
    pruning: str | None
    metric: str | None
    direction: str | None
    folds: int | None
    seed: int | None
    workers: int | str | None
    timeout: str | float | None
    more_trials: int | None
    overrides: Sequence[str]
    output: str | Path | None
    fresh: bool
    report: bool
    champions: Sequence[str | Path]
    warm_start: Sequence[str | Path]
    nights: str | Path | None


def search(
    experiment: str | Path | Experiment | None = None,
    *,
    data: Any = None,
    target: str | None = None,
    X: Any = None,
    y: Any = None,
    quality: str | None = None,
    trainer: str | Mapping[str, Any] | Callable[..., Any] | None = None,
    space: Values | None = None,
    trials: int | None = None,
    strategy: str | None = None,
    pruning: str | None = None,
    metric: str | None = None,
    direction: str | None = None,
    folds: int | None = None,
    seed: int | None = None,
    workers: int | str | None = None,
    timeout: str | float | None = None,
    more_trials: int | None = None,
    overrides: Sequence[str] = (),
    output: str | Path | None = None,
    fresh: bool = False,
    report: bool = True,
    champions: Sequence[str | Path] = (),
    warm_start: Sequence[str | Path] = (),
    nights: str | Path | None = None,
) -> Searched:
    """Search for the best configuration, then retrain it: ``lrtune search`` as a function.

    The same call goes on with a search that was interrupted, and gives the result of one that is finished.

    Parameters
    ----------
    experiment
        An experiment file, or an `Experiment`, beside which nothing else describes the search; None takes what suits
        the table, as `lrtune init` writes it.
    data
        A table in place of the file's: a path, a data frame of polars or pandas, or a mapping from names to columns.
    target
        Its column to predict.
    X, y
        In place of `data`: features (N, D), an array or a data frame, and the value or label of each row (N,).
    quality
        How much to do where there is no file: ``"fast"``, ``"good"`` (usual) or ``"best"``, as `lrtune search` has it.
    trainer
        What trains, in the form of the file: ``{"estimator": "sklearn.svm.SVC"}``, ``"train.py:train"``, or the
        function itself if a file has it; None: lrtune's own networks.
    space
        What to search, in the form of the file: ``{"learning_rate": {"low": 1e-3, "high": 1, "scale": "log"}}``.
    trials, strategy, pruning, metric, direction, folds, seed, workers
        The settings of ``search`` of these names; what is not given is what the file says, or what suits the table.
    timeout
        How long this call may take, retraining included: seconds, or a text such as ``"10m"``. The next one goes on.
        What all calls together may take is ``search.timeout`` of the file.
    more_trials
        By how many trials a finished study searches on; one that is not finished goes on to what it was asked for.
    overrides
        Further settings, as ``"model.hidden=[32]"``.
    output
        Folder of the run; by default one of its own under ``./runs``.
    fresh
        Begin anew; an earlier study in the folder is kept beside it.
    report
        Whether to write ``report.html`` into the folder, the page with pictures.
    champions
        Folders of runs, or their ``result.json`` or ``best.yaml``: what they delivered is tried first. A run that goes
        on keeps those that it began with.
    warm_start
        Folders of earlier runs, or of many runs: what they know shapes the search from the beginning, and their best
        configurations come first. A search of the same on the same data goes on with its run, and trains nothing.
    nights
        A folder of champions, which is made if need be: this search is its next night, as ``--champions`` has it.

    Returns
    -------
    Searched
        The `Result`, with ``model`` (a fitted estimator), ``trials`` (a data frame, of pandas if `data` or `X` is one,
        else of polars) and ``folder``;
        ``.plot(kind)`` draws a picture of it. Nothing is printed while it searches: `search_steps` tells how it goes.

    Raises
    ------
    LrtuneError
        If an argument, the experiment or the table is wrong, or no trial is complete in the end.

    >>> import lrtune, tempfile
    >>> result = lrtune.search(
    ...     data={"x": [0.0, 1.0] * 40, "y": ["no", "yes"] * 40}, target="y", trials=3, output=tempfile.mkdtemp()
    ... )
    >>> result.counts.total, result.best.mean < 0.01, result.model.predict([[0.0]]).tolist()
    (3, True, ['no'])
    """
    given: SearchSettings = {
        "data": data,
        "target": target,
        "X": X,
        "y": y,
        "quality": quality,
        "trainer": trainer,
        "space": space,
        "trials": trials,
        "strategy": strategy,
        "pruning": pruning,
        "metric": metric,
        "direction": direction,
        "folds": folds,
        "seed": seed,
        "workers": workers,
        "timeout": timeout,
        "more_trials": more_trials,
        "overrides": overrides,
        "output": output,
        "fresh": fresh,
        "report": report,
        "champions": champions,
        "warm_start": warm_start,
        "nights": nights,
    }
    for step in search_steps(experiment, **given):
        if isinstance(step, Ended):
            result = step.result
    return result


def search_steps(
    experiment: str | Path | Experiment | None = None, **settings: Unpack[SearchSettings]
) -> Iterator[Step]:
    """Search as `search` does, step by step, for those who want to see how it goes.

    Parameters
    ----------
    experiment, settings
        As `lrtune.search` takes them.

    Yields
    ------
    Begun, Recorded, Ended
        A part of the search begins; an event is on the disk, and part of the study; the search has its result.
        Whoever stops iterating stops the search; the same call goes on with it.

    >>> import lrtune, tempfile
    >>> table = {"x": [0.0, 1.0] * 40, "y": ["no", "yes"] * 40}
    >>> steps = lrtune.search_steps(data=table, target="y", trials=2, output=tempfile.mkdtemp())
    >>> sum(type(each).__name__ == "Recorded" and each.event.kind == "result" for each in steps)
    2
    """
    given = {key: settings.get(key) for key in ("data", "target", "X", "y", "quality")}
    said = {f"{key}={value!r}": override(place, value) for key, place, value in _said(settings)}
    overrides = (*settings.get("overrides", ()), *said.values())
    with named_as_typed(said):
        chosen, table = experiment_and_table(experiment, **given, overrides=overrides)  # type: ignore[arg-type]
    return _searched(chosen, table, settings, said)


def _searched(
    experiment: Experiment, table: Table | None, settings: SearchSettings, said: Mapping[str, str]
) -> Iterator[Step]:
    output, nights = settings.get("output"), settings.get("nights")
    allowance = read_allowance(settings.get("timeout"), settings.get("more_trials"))
    with named_as_typed(said):  # whether a metric fits is known when the table has been read
        for step in steps(
            experiment,
            table=table,
            output=None if output is None else expanded(output),
            fresh=settings.get("fresh", False),
            allowance=allowance,
            library=_library(settings),
            champions=[expanded(each) for each in settings.get("champions", ())],
            warm=[expanded(each) for each in settings.get("warm_start", ())],
            nights=None if nights is None else expanded(nights),
        ):
            yield _reported(step) if isinstance(step, Ended) and settings.get("report", True) else step


def _reported(ended: Ended) -> Ended:
    """Leave the report in the folder of a search."""
    failure = showing().leave(ended.result)
    return ended if failure is None else dataclasses.replace(ended, remarks=(*ended.remarks, failure))


_SEARCH = ("trials", "strategy", "pruning", "metric", "direction", "folds", "seed", "workers")


def _said(settings: SearchSettings) -> Iterator[tuple[str, str, object]]:
    """Yield the keyword, the key path and the value of each setting of the experiment that is given."""
    places = {"trainer": "trainer", "space": "space", **{key: f"search.{key}" for key in _SEARCH}}
    for key, place in places.items():
        value = settings.get(key)
        if value is not None:
            yield key, place, _named(value) if key == "trainer" else value


def _named(trainer: Any) -> Any:
    """Name what trains in the form of the file."""
    if hasattr(trainer, "get_params"):
        raise LrtuneError(
            f"trainer={_shown(trainer)}: an estimator is given by its name, so that other processes can make it: "
            f"trainer={{'estimator': {_estimator(trainer)!r}}}; its parameters stand in space"
        )
    return _where(trainer) if callable(trainer) else trainer


def _shown(trainer: Any) -> str:
    name = trainer.__name__ if isinstance(trainer, type) else type(trainer).__name__
    return name if isinstance(trainer, type) else f"{name}()"


def _estimator(trainer: Any) -> Any:
    """Name an estimator as the file does: its class, or the steps of a pipeline."""
    steps = getattr(trainer, "steps", None)
    if steps and not isinstance(trainer, type):
        return [{name: _public(type(each))} for name, each in steps]
    return _public(trainer if isinstance(trainer, type) else type(trainer))


def _public(kind: type) -> str:
    """Name a class by the module that people import it from, without the parts that begin with ``_``."""
    parts = kind.__module__.split(".")
    ends = [number for number in range(1, len(parts) + 1) if not any(each.startswith("_") for each in parts[:number])]
    modules = [".".join(parts[:end]) for end in reversed(ends)]
    public = (each for each in modules if getattr(sys.modules.get(each), kind.__name__, None) is kind)
    return f"{next(public, kind.__module__)}.{kind.__name__}"


def _where(function: Callable[..., Any]) -> str:
    """Name a function by the file that has it, so that other processes find it."""
    name = getattr(function, "__name__", "")
    try:
        file = inspect.getsourcefile(function)
    except TypeError:
        file = None
    if file is None or not Path(file).is_file() or not name.isidentifier() or function.__qualname__ != name:
        raise LrtuneError(
            f"trainer={function!r}: other processes cannot find it; write it into a file, as a function of its own "
            "(in a notebook by %%writefile train.py as the first line of its cell), and give trainer='train.py:train'"
        )
    return f"{Path(file).resolve()}:{name}"


def override(place: str, value: object) -> str:
    """Write a setting as ``--set`` takes it: the value as YAML in one line, and JSON is YAML.

    >>> override("model.hidden", (32, 16)), override("search.metric", "rmse")
    ('model.hidden=[32, 16]', 'search.metric=rmse')
    """
    return f"{place}={value if isinstance(value, str) else json.dumps(plain(value), default=str)}"


def _library(settings: SearchSettings) -> str:
    """Say whose data frames the caller uses."""
    given = settings.get("X") if settings.get("data") is None else settings.get("data")
    return "pandas" if type(given).__module__.partition(".")[0] == "pandas" else "polars"
