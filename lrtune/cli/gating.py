"""Gates on the result of ``lrtune search``: their options, and where the baseline comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lrtune.cli.runs import RESULT, find, names
from lrtune.run.versions import ENGINE
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.trainers.population import Setting
    from lrtune.trainers.preparation import Prepared
    from lrtune.verdict.gates import Gate

BASELINE_SCORES = "baseline.json"
"""Scores of the baseline's configuration on this run's folds, where it had to be trained again."""

FailUnderOption = Annotated[
    float | None,
    typer.Option("--fail-under", metavar="SCORE", help="Exit with 3 if the score is lower; for scores like accuracy."),
]
FailOverOption = Annotated[
    float | None,
    typer.Option("--fail-over", metavar="ERROR", help="Exit with 3 if the score is higher; for errors like rmse."),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="RUN",
        help="Exit with 4 if the result is worse than that of a run, or of a result.json.",
        autocompletion=names,
    ),
]
ToleranceOption = Annotated[
    float | None,
    typer.Option("--tolerance", metavar="LOSS", help="How much worse than the baseline is fine; default: 0."),
]
RemeasureOption = Annotated[
    bool,
    typer.Option("--remeasure", help="Where data or folds differ, train the baseline's configuration on these."),
]


class Asked(NamedTuple):
    """What the options ask of a result, and the baseline as it was before the search."""

    fail_under: float | None
    fail_over: float | None
    baseline: str | None
    tolerance: float
    remeasure: bool
    found: Mapping[str, Any] | None
    missing: str

    @property
    def names(self) -> list[str]:
        """The gates, by name."""
        wanted = {"fail-under": self.fail_under, "fail-over": self.fail_over, "baseline": self.baseline}
        return [name for name, value in wanted.items() if value is not None]

    def check(self, metric: str) -> None:
        """Refuse a limit that makes no sense for the metric, before anything is trained.

        Raises
        ------
        LrtuneError
            If the metric is an error and the least score was given, or the other way round.

        """
        from lrtune.training.registry import METRICS

        given, wrong, right = (self.fail_over, "--fail-over", "--fail-under")
        if not METRICS[metric].larger_is_better:
            given, wrong, right = (self.fail_under, right, wrong)
        if given is not None:
            better = "larger" if METRICS[metric].larger_is_better else "smaller"
            raise LrtuneError(f"{wrong} {given:g}: of {metric}, {better} is better; use {right} {given:g}")


def asked_gates(
    fail_under: float | None,
    fail_over: float | None,
    baseline: str | None,
    tolerance: float | None,
    *,
    remeasure: bool,
) -> Asked:
    """Check the options, and read the baseline now: the search may write into the folder that it is in.

    Raises
    ------
    LrtuneError
        If they make no sense.

    """
    for name, value in {"--fail-under": fail_under, "--fail-over": fail_over, "--tolerance": tolerance}.items():
        if value is not None and not math.isfinite(value):
            raise LrtuneError(f"{name}: expected a number, got {value}")
    if tolerance is not None and tolerance < 0:
        raise LrtuneError(f"--tolerance: expected a loss of at least 0, got {tolerance:g}")
    if baseline is None and (tolerance is not None or remeasure):
        raise LrtuneError(f"{'--remeasure' if remeasure else '--tolerance'}: needs a --baseline to compare with")
    found, missing = (None, "") if baseline is None else _read(baseline)
    return Asked(fail_under, fail_over, baseline, tolerance or 0.0, remeasure, found, missing)


def _read(baseline: str) -> tuple[Mapping[str, Any] | None, str]:
    """Read a baseline, or say why it cannot be read: that fails its gate, not the search."""
    from lrtune.reporting import console
    from lrtune.run import files

    try:
        file = expanded(baseline)
        path = file if file.is_file() or baseline.endswith(".json") else find(baseline) / RESULT
        found = files.read_json(path)
        reason = "" if isinstance(found, Mapping) else f"{path}: is no result of a search"
    except FileNotFoundError:
        reason = f"{path}: there is no such file"
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
    except ValueError as error:
        reason = f"{path}: is no JSON ({error})"
    except LrtuneError as error:
        reason = str(error)
    if not reason:
        return found, ""
    console.warn(f"--baseline {baseline}: {reason}; the search goes on, and this gate will fail")
    return None, reason


def judged(wanted: Asked, result: Mapping[str, Any], prepared: Prepared, folder: Path) -> list[Gate]:
    """Check every gate that was asked for."""
    from lrtune.verdict import gates

    limits = (wanted.fail_under, wanted.fail_over)
    found = [gates.limit_gate(result, each) for each in limits if each is not None]
    return found if wanted.baseline is None else [*found, _baseline_gate(wanted, result, prepared, folder)]


def _baseline_gate(wanted: Asked, result: Mapping[str, Any], prepared: Prepared, folder: Path) -> Gate:
    from lrtune.verdict import gates

    if wanted.found is None:
        return gates.unknown_baseline(wanted.missing)
    reason = gates.why_not_comparable(result, wanted.found)
    if reason is not None:
        return gates.unknown_baseline(f"{wanted.baseline}: {reason}")
    theirs, other = wanted.found["best"]["fold_scores"], gates.not_same_folds(result, wanted.found)
    scores: Sequence[float | None] = theirs
    if other is not None:
        if not wanted.remeasure:
            return gates.unknown_baseline(
                f"{wanted.baseline}: {other}; --remeasure would train its configuration on these"
            )
        try:
            scores = _trained_again(wanted.found["best"].get("configuration"), prepared, folder)
        except LrtuneError as error:
            return gates.unknown_baseline(f"{wanted.baseline}: its configuration cannot be trained here: {error}")
    before = None if other is None else sum(theirs) / len(theirs)
    return gates.baseline_gate(
        result, scores, tolerance=wanted.tolerance, rows_ratio=prepared.rows_ratio, before=before
    )


def _trained_again(configuration: object, prepared: Prepared, folder: Path) -> list[float | None]:
    """Score the baseline's configuration on this run's folds, or remember what that gave; in the metric's own sign.

    Raises
    ------
    LrtuneError
        If the configuration cannot be trained here.

    """
    from lrtune.reporting import console, export, tables
    from lrtune.run import files

    if not isinstance(configuration, Mapping):
        raise LrtuneError("there is none")
    setting = prepared.setting
    made: dict[str, object] = {
        "configuration": dict(configuration),
        "data": prepared.data_hash,
        "folds": prepared.folds_hash,
    }
    made |= {"metric": setting.metric, "seed": setting.seed, "dtype": setting.dtype, "engine": ENGINE}
    known = _known(folder / BASELINE_SCORES)
    if {key: value for key, value in known.items() if key != "scores"} == made:
        return list(known["scores"])
    with console.working("training the baseline's configuration on these folds"):
        scores = [tables.own_sign(setting.metric, each) for each in _fold_scores(configuration, setting)]
    files.write(folder / BASELINE_SCORES, export.json_text({**made, "scores": scores}))
    return scores


def _fold_scores(configuration: Mapping[str, Any], setting: Setting) -> Sequence[float | None]:
    """Train a configuration out of a result on every fold; oriented scores."""
    from lrtune.blas import one_blas_thread
    from lrtune.text.errors import ConfigurationError
    from lrtune.training.evaluate import evaluate
    from lrtune.training.registry import problems
    from lrtune.training.wall_clock import follows_clock

    chosen = {key: tuple(value) if isinstance(value, list) else value for key, value in configuration.items()}
    found = problems(chosen)
    if found:
        raise ConfigurationError("; ".join(found))
    if follows_clock(chosen):
        raise ConfigurationError("its rates follow the clock, so that no two trainings of it are the same")
    with one_blas_thread():
        (outcome,) = evaluate(
            [chosen], setting.folds, setting.problem, setting.metric, seed=setting.seed, dtype=setting.dtype
        )
    return outcome.scores


def _known(path: Path) -> Mapping[str, Any]:
    from lrtune.run import files

    try:
        found = files.read_json(path)
    except (OSError, ValueError):
        return {}  # not there, or torn: then it is made again
    return found if isinstance(found, Mapping) else {}
