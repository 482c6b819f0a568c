"""Gates on the result of ``lrtune search``: their options, where the baseline comes from, reports and exit codes."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lrtune.cli import exits, runs
from lrtune.errors import LrtuneError
from lrtune.versions import ENGINE

if TYPE_CHECKING:
    from lrtune.evaluation import Setting
    from lrtune.gates import Gate
    from lrtune.preparation import Prepared
    from lrtune.reporting.blocks import Block, Facts

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
        autocompletion=runs.names,
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
JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the search and its gates as a JUnit report.")
]
SummaryOption = Annotated[
    Path | None, typer.Option("--summary", metavar="FILE", help="Write the result as Markdown, for summaries of CI.")
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


def asked(
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

    try:
        is_file = Path(baseline).is_file() or baseline.endswith(".json")
        path = Path(baseline) if is_file else runs.find(baseline) / runs.RESULT
        found = json.loads(path.read_text(encoding="utf-8"))
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


def judge(wanted: Asked, result: Mapping[str, Any], prepared: Prepared, folder: Path) -> list[Gate]:
    """Check every gate that was asked for."""
    from lrtune import gates

    limits = (wanted.fail_under, wanted.fail_over)
    found = [gates.limit_gate(result, each) for each in limits if each is not None]
    return found if wanted.baseline is None else [*found, _baseline_gate(wanted, result, prepared, folder)]


def _baseline_gate(wanted: Asked, result: Mapping[str, Any], prepared: Prepared, folder: Path) -> Gate:
    from lrtune import gates

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

    if not isinstance(configuration, Mapping):
        raise LrtuneError("there is none")
    setting = prepared.setting
    made = {"configuration": dict(configuration), "data": prepared.data_hash, "folds": prepared.folds_hash}
    made |= {"metric": setting.metric, "seed": setting.seed, "dtype": setting.dtype, "engine": ENGINE}
    known = _known(folder / BASELINE_SCORES)
    if {key: value for key, value in known.items() if key != "scores"} == made:
        return list(known["scores"])
    with console.working("training the baseline's configuration on these folds"):
        scores = [tables.own_sign(setting.metric, each) for each in _fold_scores(configuration, setting)]
    export.write_text(folder / BASELINE_SCORES, export.json_text({**made, "scores": scores}))
    return scores


def _fold_scores(configuration: Mapping[str, Any], setting: Setting) -> Sequence[float | None]:
    """Train a configuration out of a result on every fold; oriented scores."""
    from lrtune.errors import ConfigurationError
    from lrtune.training.evaluate import evaluate
    from lrtune.training.registry import problems
    from lrtune.training.wall_clock import follows_clock
    from lrtune.workers import one_blas_thread

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
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not there, or torn: then it is made again
    return found if isinstance(found, Mapping) else {}


def block(gates: Sequence[Gate]) -> list[Facts]:
    """Show what became of the gates, if there are any."""
    from lrtune.reporting.blocks import Facts

    return [Facts("gates", [(each.name, f"{each.state}: {each.sentence}") for each in gates])] if gates else []


def report(
    gates: Sequence[Gate],
    result: Mapping[str, Any],
    page: Sequence[Block],
    *,
    junit: Path | None,
    summary: Path | None,
    only_json: bool,
) -> None:
    """Write the reports that were asked for, tell what became of the gates, and end with their exit code.

    Raises
    ------
    typer.Exit
        If a gate failed.

    """
    from lrtune.reporting import annotations, console
    from lrtune.reporting.blocks import Headline
    from lrtune.reporting.junit import Case, gate_cases, junit_text
    from lrtune.reporting.summary import markdown

    headline = next(each.text for each in page if isinstance(each, Headline))
    if junit is not None:
        search = Case("search", "", headline, result["seconds"]["total"])
        _write(junit, junit_text(result["name"], [search, *gate_cases(gates)]))
    if summary is not None:
        _write_summary(summary, markdown(result["name"], [page[0], *block(gates), *page[1:]]))
    if not gates:
        return
    _annotate(annotations.gate_annotations(result["name"], gates), only_json=only_json)
    failed = [each for each in gates if not each.passed]
    if failed:
        console.fail("; ".join(f"gate {each.name} failed: {each.sentence}" for each in failed))
        raise typer.Exit(exits.WORSE if any(each.is_worse for each in failed) else exits.GATE)


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command that fails without a result write the reports that were asked for nevertheless."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except exits.FOR_TYPER:
            raise
        except Exception as error:
            _report_failure(error, options)
            raise

    return run


def _report_failure(error: Exception, options: Mapping[str, Any]) -> None:
    from lrtune.reporting import annotations, console
    from lrtune.reporting.blocks import Facts, Headline
    from lrtune.reporting.junit import Case, junit_text
    from lrtune.reporting.summary import markdown

    name = next((Path(str(options[key])).stem for key in ("config", "data") if options.get(key)), "lrtune")
    asked_for = [key for key in ("fail_under", "fail_over", "baseline") if options.get(key) is not None]
    gates = [each.replace("_", "-") for each in asked_for]
    reason = str(error) or type(error).__name__
    try:
        if options.get("junit"):
            cases = [Case("search", "error", reason), *(Case(each, "error", "there is no result") for each in gates)]
            _write(options["junit"], junit_text(name, cases))
        if options.get("summary"):
            rows = [(each, "failed: there is no result") for each in gates]
            page = [Headline(f"no result: {reason}"), *([Facts("gates", rows)] if rows else [])]
            _write_summary(options["summary"], markdown(name, page))
    except LrtuneError as problem:
        console.warn(str(problem))  # what went wrong first is what the command ends with
    _annotate(
        [annotations.annotation(annotations.ERROR, f"lrtune: {name}", reason)], only_json=bool(options.get("as_json"))
    )


def _annotate(lines: Sequence[str], *, only_json: bool) -> None:
    """Print workflow commands where GitHub Actions reads the output, both streams of it."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        out = sys.stderr if only_json else sys.stdout
        out.write("".join(f"{each}\n" for each in lines))
        out.flush()


def _write(path: Path, text: str) -> None:
    from lrtune.errors import StudyError
    from lrtune.reporting import export

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error
    export.write_text(path, text)


def _write_summary(path: Path, text: str) -> None:
    """Write a summary; the file of GitHub's step summary, which other steps may have written to, gets it appended."""
    shared = os.environ.get("GITHUB_STEP_SUMMARY")
    if shared and path.resolve() == Path(shared).resolve() and path.is_file():
        text = f"{path.read_text(encoding='utf-8').rstrip()}\n\n{text}".lstrip()
    _write(path, text)
