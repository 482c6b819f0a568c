"""The report as one file of HTML: nothing is loaded, no address is in it, and no script runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting.answer import answer
from lrtune.reporting.html.catalogue import FIGURES, GROUPS, FigureKind
from lrtune.reporting.html.figures import Figure
from lrtune.reporting.html.sections import article, table
from lrtune.reporting.html.style import page_rules
from lrtune.reporting.html.subject import Subject, subject
from lrtune.reporting.html.svg import written
from lrtune.reporting.html.tiles import facts, tiles
from lrtune.reporting.tables import model_use
from lrtune.reporting.versus import asked
from lrtune.run.names import BEST, EXPERIMENT, MODEL, RESULT, TRIALS
from lrtune.text import formats
from lrtune.text.written import cell

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

Made = tuple[FigureKind, Figure]
"""A figure of the report, and of which kind it is."""


def report(folder: Path, *, explained: bool | None = None, run: Run | None = None, result: Result | None = None) -> str:
    """Write the report of the run in a folder; the same study gives the same text, wherever and whenever it is read.

    Parameters
    ----------
    folder
        Of the run: finished, running or stopped; of one that goes on the report says what there is so far.
    explained
        Whether to tell which dimensions mattered; None: of a run that is finished.
    run, result
        What the folder says, and what it came to, if that is known already.

    Raises
    ------
    StudyError
        If there is no study, it has not begun, or it is damaged.

    """
    about = subject(folder, explained=explained, run=run, result=result)
    outcomes = [(kind, kind.make(about)) for kind in FIGURES.values()]
    made = [(kind, found) for kind, found in outcomes if isinstance(found, Figure)]
    missing = [(kind, found) for kind, found in outcomes if isinstance(found, str)]
    result = about.result
    body = (
        *_answer(about),
        *(part for group in GROUPS for part in _group(group, made)),
        *(() if result is None else _remarks(result)),
        *_again(about),
        *_missing(missing),
    )
    return document(f"{about.run.name}: {about.metric}", _head(about), _contents(made, result), body)


def document(title: str, head: Iterable[str], contents: str, body: Iterable[str]) -> str:
    """Put a page together."""
    parts = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{written(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<style>{page_rules()}</style></head><body>",
        "<header>",
        *head,
        contents,
        "</header><main>",
        *body,
        "</main><footer><p>Written by lrtune. Nothing in this file is loaded from anywhere.</p></footer>",
        "</body></html>\n",
    )
    return "\n".join(parts)


def _head(about: Subject) -> Iterator[str]:
    run = about.run
    trials = formats.plural(len(run.trials), "trial")
    rows = run.study.header.rows
    told = f", {formats.plural(rows.train, 'row')} to train on" if rows else ""
    yield f'<p class="over">lrtune report: {trials}{told}</p><h1>{written(run.name)}</h1>'
    if about.state != "finished":
        yield f"<p><strong>The search is {about.state}</strong>: this is what there is so far.</p>"
    yield from tiles(about)


def _answer(about: Subject) -> Iterator[str]:
    result = about.result
    yield '<h2 id="answer">In words</h2><article>'
    if result is None:
        yield f"<p>{written(_none_yet(about))}</p></article>"
        return
    found = answer(result, about.run.study.trials[result.best.number].configuration)
    yield f"<p><strong>{written(found.headline)}</strong></p>"
    yield from facts(found.facts)
    if found.beside is not None:
        title, header = found.beside.title, ("what", found.beside.metric)
        yield f"<h3>{written(title)}</h3>{table(title, header, found.beside.rows)}"
    yield "</article>"


def _none_yet(about: Subject) -> str:
    if about.run.is_told:
        return "The trials of this study are trained by whoever asks for them: it has scores, and no model."
    return "No trial is complete yet."


def _contents(made: Sequence[Made], result: Result | None) -> str:
    rows = []
    for group in GROUPS:
        links = "".join(
            f'<li><a href="#{kind.name}">{written(kind.title)}</a></li>' for kind, _ in made if kind.group == group
        )
        if links:
            rows.append(f"<ul><li><strong>{group}</strong></li>{links}</ul>")
    last = [("health", "Health"), ("again", "Use it, and make it again")]
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in last[0 if result else 1 :])
    return f'<nav aria-label="Contents">{"".join(rows)}<ul>{links}</ul></nav>'


def _group(group: str, made: Sequence[Made]) -> Iterator[str]:
    shown = [each for each in made if each[0].group == group]
    if shown:
        yield f"<h2>{group}, in pictures</h2>"
        yield from (article(kind.name, kind.title, figure) for kind, figure in shown)


def _remarks(result: Result) -> Iterator[str]:
    yield '<h2 id="health">Health</h2><article>'
    if not result.health:
        yield "<p>Nothing to remark: every rule of the health report is content.</p>"
    else:
        yield '<ul class="plain">'
        for each in result.health:
            what, advice = formats.sentence(each.sentence), formats.sentence(each.advice)
            tag = f'<span class="tag {written(each.severity)}">{written(each.severity)}</span>'
            yield f'<li>{tag}{written(what)} <span class="soft">{written(advice)}</span></li>'
        yield "</ul>"
    if result.notes:
        notes = "".join(f"<li>{written(each)}</li>" for each in result.notes)
        yield f'<h3>Notes</h3><ul class="plain">{notes}</ul>'
    yield "</article>"


def _again(about: Subject) -> Iterator[str]:
    """Say how to predict with the model and how to make it again, and what all of it depends on."""
    run = about.run
    yield '<h2 id="again">Use it, and make it again</h2><article>'
    if not run.is_told:
        lines = [f"lrtune search {EXPERIMENT} --output .     # goes on with the search, or shows its result"]
        if about.state == "finished":
            is_made = run.study.no_model is None
            lines = [
                *([f"{model_use('.', Path(MODEL), run.trained_by)}"] if is_made else []),
                f"lrtune search {BEST}     # trains the best again",
                f"lrtune search {EXPERIMENT} --output ../again     # repeats the search",
            ]
        yield f'<p>In the folder of the run:</p><pre tabindex="0">{written_lines(lines)}</pre>'
        yield f"<p>All trials are in {TRIALS}, all that is said of the result in {RESULT}.</p>"
        yield "<p>The same data, experiment and versions give the same trials, scores and model.</p>"
    rows = [(key, cell(value)) for key, value in asked(run).items()]
    rows += [("fingerprint", run.study.header.fingerprint or "")]
    title = "What the result depends on"
    yield f"<details><summary>{title}</summary>{table(title, ('setting', 'value'), rows)}</details></article>"


def written_lines(lines: Iterable[str]) -> str:
    """Write lines of which each stays one."""
    return "\n".join(map(written, lines))


def _missing(missing: Sequence[tuple[FigureKind, str]]) -> Iterator[str]:
    if missing:
        rows = "".join(f"<li><strong>{written(kind.title)}</strong>: {written(why)}</li>" for kind, why in missing)
        yield "<article><details><summary>What is not here, and why</summary>"
        yield f'<ul class="plain">{rows}</ul></details></article>'
