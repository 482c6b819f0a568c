"""The report as one file of HTML: nothing is loaded, no address is in it, and no script runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from lrtune.reporting import judgements, tables
from lrtune.reporting.html.charts import figures
from lrtune.reporting.html.figures import Figure
from lrtune.reporting.html.subject import Subject, subject
from lrtune.reporting.html.svg import drawn, legend, written
from lrtune.run.names import BEST, MODEL
from lrtune.text import formats

if TYPE_CHECKING:
    from lrtune.run.folder import Run
    from lrtune.verdict.result import Result

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --fill: #f6f8fa;
  --c0: #0550ae; --c1: #b35900; --c2: #116329; --c3: #8250df; --c4: #6e7781; --c5: #afb8c1; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9da7b1; --line: #30363d;
  --fill: #161b22; --c0: #79c0ff; --c1: #ffa657; --c2: #7ee787; --c3: #d2a8ff; --c4: #8b949e; --c5: #57606a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .4rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
pre { background: var(--fill); border: 1px solid var(--line); border-radius: 6px; padding: .7rem; overflow-x: auto;
  font-size: .85rem; }
svg { width: 100%; min-width: 29rem; height: auto; display: block; }
nav a { margin-right: .8rem; } a { color: var(--c0); }
.grid { stroke: var(--line); stroke-width: .6; } .axis { stroke: var(--soft); }
.tick { fill: var(--soft); font-size: 11px; } .name { fill: var(--ink); font-size: 12px; }
polyline { fill: none; stroke-width: 1.8; } .dashed { stroke-dasharray: 5 4; } .band { opacity: .4; stroke: none; }
circle { stroke: none; } rect.cell { fill: var(--c0); stroke: var(--line); stroke-width: .5; }
.in { font-size: 11px; } .on { fill: var(--paper); } .off { fill: var(--ink); }
line.s0 { stroke-width: 3; }
.legend { font-size: .85rem; } .key { display: inline-block; width: .9rem; height: .55rem; margin: 0 .35rem 0 .8rem;
  border-radius: 2px; vertical-align: middle; } .key.dashed { opacity: .5; } .key.band { opacity: .5; }
details { margin: .4rem 0; } summary { color: var(--soft); cursor: pointer; font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; margin: .5rem 0; }
th, td { text-align: left; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
@media print { details { display: none; } body { max-width: none; } section { break-inside: avoid; } }
""" + "".join(
    f".s{tone} {{ stroke: var(--c{tone}); fill: var(--c{tone}); }} polyline.s{tone} {{ fill: none; }} "
    f".k{tone} {{ background: var(--c{tone}); }}\n"
    for tone in range(6)
)


def report(folder: Path, *, explained: bool | None = None) -> str:
    """Write the report of the run in a folder; the same study gives the same text, wherever and whenever it is read.

    Parameters
    ----------
    folder
        Of the run: finished, running or stopped; of one that goes on the report says what there is so far.
    explained
        Whether to tell which dimensions mattered, which takes a second or more; None: if the search took longer.

    Raises
    ------
    StudyError
        If there is no study, it has not begun, or it is damaged.

    """
    about = subject(folder, explained=explained)
    run, result = about.run, about.result
    made = [] if result is None else figures(run, result, about.explanation)
    parts = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{written(_title(about))}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<style>{_STYLE}</style></head><body><main>",
        *_head(about),
        f'<nav aria-label="figures">{" ".join(_links(made))}</nav>' if made else "",
        *map(_section, made),
        *(() if result is None else (*_health(result), *_list("Notes", result.notes))),
        *_again(run),
        "</main></body></html>\n",
    )
    return "\n".join(parts)


def _title(about: Subject) -> str:
    return f"{about.run.name}: {about.metric}"


def _head(about: Subject) -> Iterator[str]:
    run, result = about.run, about.result
    if result is None:
        yield f"<h1>{written(run.name)}: no trial is complete yet</h1>"
        yield f'<p class="soft">{written(_about(run))}</p>'
        return
    scores = formats.score_format([result.best.mean, result.default.mean, result.test.score if result.test else None])
    yield f"<h1>{written(run.name)}: {written(judgements.headline(result, scores))}</h1>"
    yield f'<p class="soft">{written(_about(run))}</p>'
    yield _facts(_answer(run, result, scores))


def _about(run: Run) -> str:
    ends = f"{formats.plural(len(run.trials), 'trial')}, {formats.count(len(run.ranked))} complete"
    rows = run.study.header.rows
    trained = f"; {formats.plural(rows.train, 'row')} to train on" if rows else ""
    return f"{ends}{trained}" + ("" if run.state == "finished" else f"; the search is {run.state}")


def _answer(run: Run, result: Result, scores: judgements.Show) -> Iterator[tuple[str, str]]:
    """Say in words what is worth knowing, without the figures."""
    expected = result.expected
    span = "" if expected.low is None else f", 95 % interval {scores(expected.low)} to {scores(expected.high)}"
    yield "to expect", f"{result.metric} {scores(expected.score)}{span}"
    if result.test is not None:
        rows = formats.plural(result.test.rows, "row")
        yield "on test rows", f"{tables.tested_text(result.test, scores)} on {rows} that the search never saw"
    yield "the best", tables.configuration_line(run.study.trials[result.best.number].configuration)
    yield from judgements.worth_rows(result, scores)


def _links(made: Sequence[Figure]) -> Iterator[str]:
    for each in made:
        yield f'<a href="#{each.name}">{written(each.title)}</a>'


def _section(figure: Figure) -> str:
    head = "".join(f'<th scope="col">{written(each)}</th>' for each in figure.header)
    rows = "".join("<tr>" + "".join(f"<td>{written(cell)}</td>" for cell in row) + "</tr>" for row in figure.rows)
    title = written(figure.title)
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return (
        f'<section id="{figure.name}"><h2>{title}</h2><p>{written(figure.sentence)}</p>'
        f'{legend(figure)}<div class="wide">{drawn(figure)}</div><details><summary>The numbers</summary>'
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}: the numbers"><table>{body}</table></div>'
        "</details></section>"
    )


def _health(result: Result) -> Iterator[str]:
    if not result.health:
        return
    yield "<section><h2>What is odd about it</h2>"
    for each in result.health:
        what, advice = written(each.sentence), written(_sentence(each.advice))
        yield f"<p><strong>{written(each.severity)}</strong>: {what}. {advice}.</p>"
    yield "</section>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(title: str, sentences: Iterable[str]) -> Iterator[str]:
    found = [f"<li>{written(each)}</li>" for each in sentences]
    if found:
        yield f"<section><h2>{title}</h2><ul>{''.join(found)}</ul></section>"


def _again(run: Run) -> Iterator[str]:
    """Say how to predict with the model and how to train it again."""
    lines = [tables.model_use(".", Path(MODEL), run.trained_by), f"lrtune search {BEST}"]
    yield "<section><h2>Use it, and make it again</h2><p>In the folder of the run:</p>"
    yield f"<pre>{escape(chr(10).join(lines))}</pre>"
    versions = run.study.header.versions or {}
    yield f'<p class="soft">{written(", ".join(f"{name} {each}" for name, each in versions.items()))}</p></section>'


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{written(name)}</dt><dd>{written(value)}</dd>" for name, value in rows) + "</dl>"
