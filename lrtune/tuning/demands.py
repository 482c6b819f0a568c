"""What is asked of a search's result, and whether it is met: limits, and a baseline that it must not fall behind."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrtune.arrays import one_blas_thread
from lrtune.engines.contract import FailedError
from lrtune.run import files
from lrtune.run.names import BASELINE_SCORES, FITS
from lrtune.run.versions import ENGINE
from lrtune.space.trial import Configuration
from lrtune.text.errors import ConfigurationError, LrtuneError
from lrtune.text.written import Json, json_text, to_json
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.contract import Work
from lrtune.trainers.preparation import Prepared
from lrtune.training.evaluate import evaluate
from lrtune.training.registry import METRICS, complete, problems
from lrtune.training.tasks import Outcome
from lrtune.training.wall_clock import follows_clock
from lrtune.tuning.seeds import mean_scores
from lrtune.tuning.steps import Begun, Part
from lrtune.verdict import gates
from lrtune.verdict.conditions import Gate
from lrtune.verdict.night_gates import NightCondition, night_gate
from lrtune.verdict.result import Result
from lrtune.verdict.standing import own_sign


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a result is compared with: what to call it, and its result; without one, why it could not be read."""

    called: str
    result: Result | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of a result.

    Attributes
    ----------
    fail_under, fail_over
        The least score, or the largest error.
    fail_behind
        What it must beat on the same folds (`lrtune.verdict.anchored.ASKED`).
    baseline
        What it must not be worse than.
    tolerance
        How much worse than the baseline is fine, in the metric's unit.
    remeasure
        Whether what the baseline delivers is trained on this run's folds where data or folds differ.
    fail_if
        Conditions on the night under which it fails.

    """

    fail_under: float | None = None
    fail_over: float | None = None
    baseline: Baseline | None = None
    tolerance: float = 0.0
    remeasure: bool = False
    fail_behind: tuple[str, ...] = ()
    fail_if: tuple[NightCondition, ...] = ()

    def check(self, metric: str) -> None:
        """Refuse a limit that makes no sense for the metric, before anything is trained.

        Raises
        ------
        LrtuneError
            If the metric is an error and the least score was given, or the other way round.

        """
        given, wrong, right = (self.fail_over, "--fail-over", "--fail-under")
        if not METRICS[metric].larger_is_better:
            given, wrong, right = (self.fail_under, right, wrong)
        if given is not None:
            better = "larger" if METRICS[metric].larger_is_better else "smaller"
            raise LrtuneError(f"{wrong} {given:g}: of {metric}, {better} is better; use {right} {given:g}")


def judged(demands: Demands, result: Result, prepared: Prepared, folder: Path) -> Generator[Begun, None, list[Gate]]:
    """Check everything that is asked of a result; yields when something has to be trained for that."""
    limits = (demands.fail_under, demands.fail_over)
    found = [gates.limit_gate(result, each) for each in limits if each is not None]
    found += [gates.behind_gate(result, each) for each in demands.fail_behind]
    found += [night_gate(result.nightly, each) for each in demands.fail_if]
    if demands.baseline is not None:
        found.append((yield from _against(demands.baseline, demands, result, prepared, folder)))
    return found


def _against(
    baseline: Baseline, demands: Demands, result: Result, prepared: Prepared, folder: Path
) -> Generator[Begun, None, Gate]:
    theirs = baseline.result
    if theirs is None:
        return gates.unknown_baseline(baseline.missing)
    reason = gates.why_not_comparable(result, theirs)
    if reason is not None:
        return gates.unknown_baseline(f"{baseline.called}: {reason}")
    other, scores = gates.not_same_folds(result, theirs), theirs.fold_scores
    if other is not None:
        if not demands.remeasure:
            return gates.unknown_baseline(
                f"{baseline.called}: {other}; --remeasure would train its configuration on these"
            )
        try:
            scores = yield from _trained_again(_configurations(theirs), prepared, folder)
        except LrtuneError as error:
            return gates.unknown_baseline(f"{baseline.called}: its configuration cannot be trained here: {error}")
    return gates.baseline_gate(
        result,
        scores,
        tolerance=demands.tolerance,
        rows_ratio=prepared.rows_ratio,
        before=None if other is None else theirs.mean,
        called=theirs.scored if result.is_mean or theirs.is_mean else None,
    )


def _configurations(theirs: Result) -> tuple[Configuration, ...]:
    """List what the baseline's model consists of.

    Raises
    ------
    ConfigurationError
        If it does not say that.

    """
    if not theirs.is_mean or theirs.delivered is None:
        return (theirs.best.configuration,)
    if not theirs.delivered.configurations:
        raise ConfigurationError("it does not say of which configurations its mean is")
    return theirs.delivered.configurations


def _trained_again(
    configurations: Sequence[Configuration], prepared: Prepared, folder: Path
) -> Generator[Begun, None, tuple[float | None, ...]]:
    """Score what the baseline delivers on this run's folds, or remember what that gave; in the metric's own sign.

    Raises
    ------
    LrtuneError
        If a configuration cannot be trained here.

    """
    setting = prepared.setting
    made = {"configurations": to_json(configurations), "data": prepared.data_hash, "folds": prepared.folds_hash}
    made |= {"metric": setting.metric, "seed": setting.seed, "dtype": setting.dtype, "engine": ENGINE}
    known = _known(folder / BASELINE_SCORES)
    if {key: value for key, value in known.items() if key != "scores"} == made:
        return tuple(known["scores"])
    yield Begun(Part.BASELINE)
    scores = tuple(own_sign(setting.metric, each) for each in _fold_scores(configurations, prepared, folder))
    files.write(folder / BASELINE_SCORES, json_text({**made, "scores": list(scores)}))
    return scores


def _fold_scores(configurations: Sequence[Configuration], prepared: Prepared, folder: Path) -> Sequence[float | None]:
    """Train configurations out of a result on every fold, and score their mean; oriented."""
    is_foreign = TRAINERS[prepared.setting.trainer].is_foreign
    outcomes = [_foreign(each, prepared, folder) if is_foreign else _outcome(each, prepared) for each in configurations]
    if len(outcomes) == 1:
        return outcomes[0].scores
    members = [[kept for kept in each.predictions if kept is not None] for each in outcomes]
    if any(None in each.scores for each in outcomes):
        return [None] * len(prepared.setting.folds)
    return mean_scores(prepared.setting, members)


def _outcome(configuration: Configuration, prepared: Prepared) -> Outcome:
    found = problems(configuration)
    if found:
        raise ConfigurationError("; ".join(found))
    if follows_clock(configuration):
        raise ConfigurationError("its rates follow the clock, so that no two trainings of it are the same")
    setting = prepared.setting_of(complete(configuration))
    with one_blas_thread():
        (outcome,) = evaluate(
            [configuration], setting.folds, setting.problem, setting.metric, seed=setting.seed, dtype=setting.dtype
        )
    return outcome


def _foreign(configuration: Configuration, prepared: Prepared, folder: Path) -> Outcome:
    """Let code of somebody else train a configuration."""
    setting, entry = prepared.setting, TRAINERS[prepared.setting.trainer]
    assert setting.foreign is not None
    setting = setting._replace(foreign=setting.foreign._replace(folder=str(folder / FITS / "baseline")))
    try:
        (outcome,) = entry.run(setting, Work([configuration]))
    except FailedError as error:
        raise ConfigurationError(str(error)) from error
    finally:
        entry.close()
    return outcome


def _known(path: Path) -> Json:
    try:
        found = files.read_json(path)
    except (OSError, ValueError):
        return {}  # not there, or torn: then it is made again
    return found if isinstance(found, Mapping) else {}
