"""What is left behind for CI: reports and annotations, also of a command that fails; and the exit code of gates."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrtune.cli.exits import FOR_TYPER, GATE, UNUSABLE, WORSE
from lrtune.cli.outputs import OverwritingError, refuse_overwriting
from lrtune.text.errors import LrtuneError
from lrtune.text.paths import expanded
from lrtune.verdict.conditions import BASELINE, BEHIND, FAIL_IF, OVER, UNDER

if TYPE_CHECKING:
    from lrtune.reporting.blocks import Block, Facts
    from lrtune.verdict.conditions import Gate
    from lrtune.verdict.result import Result

Options = Mapping[str, Any]
"""What a command was called with, by the names of its parameters."""

JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the search and its gates as a JUnit report.")
]
SummaryOption = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Write the page as Markdown, for CI; with --details that one."),
]


def gate_block(gates: Sequence[Gate]) -> list[Facts]:
    """Show what became of the gates, if there are any."""
    from lrtune.reporting.blocks import Facts

    return [Facts("gates", [(each.called, f"{each.state}: {each.sentence}") for each in gates])] if gates else []


def gate_notes(gates: Sequence[Gate]) -> list[str]:
    """Say in a line each which gates are passed; those that are not are what the command ends with."""
    return [f"gate {each.called} passed: {each.sentence}" for each in gates if each.passed]


def report_gates(
    result: Result,
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
        If there is no model, or a gate failed.

    """
    from lrtune.reporting import annotations
    from lrtune.reporting.blocks import Headline
    from lrtune.reporting.junit import JunitCase, gate_cases, junit_text
    from lrtune.reporting.summary import markdown

    name, gates = str(result.name), result.gates
    headline = next(each.text for each in page if isinstance(each, Headline))
    if junit is not None:
        state, text = ("", headline) if result.no_model is None else ("error", f"there is no model: {result.no_model}")
        search = JunitCase("search", state, text, result.seconds.total)
        _write(junit, junit_text(name, [search, *gate_cases(gates)]))
    if summary is not None:
        write_summary(summary, markdown(name, [page[0], *gate_block(gates), *page[1:]]))
    lines = annotations.gate_annotations(name, gates) if gates else []
    if result.no_model is not None:
        lines.append(annotations.annotation(annotations.ERROR, f"lrtune: {name}", f"no model: {result.no_model}"))
    if lines:
        _annotate(lines, only_json=only_json)
    end_as_judged(gates, is_shown=not only_json, no_model=result.no_model)


def end_as_judged(gates: Sequence[Gate], *, is_shown: bool, no_model: str | None = None) -> None:
    """End with the exit code of the gates that failed, or of a model that there is not; go on if all is well.

    Parameters
    ----------
    gates
        What was asked for.
    is_shown
        Whether a page has said why.
    no_model
        Why there is none.

    Raises
    ------
    typer.Exit
        If something failed.

    """
    from lrtune.reporting import console

    failed = [each for each in gates if not each.passed]
    sentences = [_failed(each, is_shown=is_shown) for each in failed]
    if no_model is not None:
        sentences.insert(0, "there is no model" + ("" if is_shown else f": {no_model}"))
    if sentences:
        console.fail("; ".join(sentences))
        worse = WORSE if any(each.is_worse for each in failed) else GATE
        raise typer.Exit(worse if no_model is None else UNUSABLE)


def _failed(gate: Gate, *, is_shown: bool) -> str:
    """Say that a gate failed, and why unless the page has said that already."""
    return f"gate {gate.called} failed" + ("" if is_shown else f": {gate.sentence}")


def with_reports(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command that fails without a result write the reports that were asked for nevertheless."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        refuse_overwriting(_asked_for(options), _given(options))
        try:
            command(*arguments, **options)
        except FOR_TYPER:
            raise
        except (OverwritingError, BrokenPipeError):  # a report would go where it must not, or tell of a reader's end
            raise
        except Exception as error:
            _report_failure(error, options)
            raise

    return run


def _asked_for(options: Options) -> dict[str, Path | None]:
    """Name the reports by the options that ask for them."""
    return {f"--{key}": options.get(key) for key in ("junit", "summary")}


def _given(options: Options) -> dict[str, Path]:
    """Name the files that a search reads, as far as its options alone say so."""
    named = {"the experiment file": "config", "the training table": "data", "the baseline": "baseline"}
    return {what: expanded(options[key]) for what, key in named.items() if options.get(key)}


def _report_failure(error: Exception, options: Options) -> None:
    from lrtune.reporting import annotations, console
    from lrtune.reporting.blocks import Facts, Headline
    from lrtune.reporting.junit import JunitCase, junit_text
    from lrtune.reporting.summary import markdown

    name = next((Path(str(options[key])).stem for key in ("config", "data") if options.get(key)), "lrtune")
    gates = _asked_gates(options)
    reason = str(error) or type(error).__name__
    try:
        if options.get("junit"):
            cases = [
                JunitCase("search", "error", reason),
                *(JunitCase(each, "error", "there is no result") for each in gates),
            ]
            _write(options["junit"], junit_text(name, cases))
        if options.get("summary"):
            rows = [(each, "failed: there is no result") for each in gates]
            page = (Headline(f"no result: {reason}"), *((Facts("gates", rows),) if rows else ()))
            write_summary(options["summary"], markdown(name, page))
    except LrtuneError as problem:
        console.warn(str(problem))  # what went wrong first is what the command ends with
    _annotate(
        [annotations.annotation(annotations.ERROR, f"lrtune: {name}", reason)], only_json=bool(options.get("as_json"))
    )


def _asked_gates(options: Options) -> list[str]:
    """Name the gates that were asked for as those of a result are called."""
    behind = [f"{BEHIND} {each}" for each in dict.fromkeys(options.get("fail_behind") or ())]
    under, over, baseline = (
        [name] * (options.get(name.replace("-", "_")) is not None) for name in (UNDER, OVER, BASELINE)
    )
    conditions = [f"{FAIL_IF} {each}" for each in dict.fromkeys(options.get("fail_if") or ())]
    return [*under, *over, *behind, *conditions, *baseline]


def _annotate(lines: Sequence[str], *, only_json: bool) -> None:
    """Print workflow commands where GitHub Actions reads the output, both streams of it."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        out = sys.stderr if only_json else sys.stdout
        out.write("".join(f"{each}\n" for each in lines))
        out.flush()


def _write(path: Path, text: str) -> None:
    from lrtune.reporting import export
    from lrtune.text.errors import StudyError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from error
    export.write(path, text)


def write_summary(path: Path, text: str) -> None:
    """Write a summary; the file of GitHub's step summary, which other steps may have written to, gets it appended."""
    shared = os.environ.get("GITHUB_STEP_SUMMARY")
    if shared and path.resolve() == Path(shared).resolve() and path.is_file():
        text = f"{path.read_text(encoding='utf-8').rstrip()}\n\n{text}".lstrip()
    _write(path, text)
