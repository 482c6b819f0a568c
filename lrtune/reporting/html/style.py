"""How pages and pictures look: colours by theme, and the rules of the page."""

from __future__ import annotations

from lrtune.reporting.html.figures import GREY, PALE, TONES

LIGHT = {
    "back": "#f5f6f8",
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "soft": "#57606a",
    "line": "#d8dee4",
    "cell": "#0a5cc2",
    "c0": "#0a5cc2",
    "c1": "#b8500a",
    "c2": "#1a7f37",
    "c3": "#8250df",
    "c4": "#6e7781",
    "c5": "#afb8c1",
    "c6": "#0e7490",
    "c7": "#bf3989",
}
DARK = {
    "back": "#0b0f14",
    "paper": "#131920",
    "ink": "#e6edf3",
    "soft": "#9da7b1",
    "line": "#2c343d",
    "cell": "#1f6feb",
    "c0": "#6cb6ff",
    "c1": "#ffa657",
    "c2": "#6bd387",
    "c3": "#d2a8ff",
    "c4": "#8b949e",
    "c5": "#56606b",
    "c6": "#5fcbd6",
    "c7": "#f778ba",
}
"""Colours by name: texts have a contrast of at least 4.5 on the paper, marks one of 3."""

_DRAWING = """
.grid {{ stroke: {line}; stroke-width: .8; fill: none }}
.tick, .value, .in, .mark {{ font-size: 12px; fill: {soft} }} .value {{ fill: {ink}; font-weight: 600 }}
.name {{ font-size: 12px; fill: {soft} }} .head {{ font-size: 13px; font-weight: 600; fill: {ink} }}
.in {{ fill: {ink} }}
.mark {{ fill: {ink}; stroke: {paper}; stroke-width: 4px; paint-order: stroke; stroke-linejoin: round }}
.line {{ stroke-width: 2 }} .thin {{ stroke-width: 1 }} .dashed {{ stroke-width: 1.6; stroke-dasharray: 5 4 }}
.span {{ stroke-width: 4; stroke-linecap: round; stroke-opacity: .45; fill: none }}
.dots {{ stroke-width: 6; stroke-linecap: round; stroke-opacity: .65; fill: none }}
.ring {{ fill: none; stroke: {ink}; stroke-width: 1.8 }}
.cell {{ fill: {cell} }} .paper {{ fill: {paper} }}
"""


_OPAQUE, _SHEER = 0.35, 0.15
"""How much of what is behind it a band hides: one alone, and those of several series, which lie upon each other."""


def drawing_rules(colours: dict[str, str]) -> str:
    """Write the rules for what is drawn."""
    rules = [_DRAWING.format(**colours)]
    for tone in range(TONES):
        colour = colours[f"c{tone}"]
        rules.append(
            f"circle.s{tone}, rect.s{tone} {{ fill: {colour} }} .line.s{tone}, .thin.s{tone}, .dashed.s{tone} "
            f"{{ stroke: {colour}; fill: none }} .span.s{tone}, .dots.s{tone} {{ stroke: {colour} }} "
            f"circle.hollow.s{tone} {{ fill: {colours['paper']}; stroke: {colour}; stroke-width: 2 }} "
            f".band.s{tone} {{ fill: {colour}; fill-opacity: {_OPAQUE if tone in (GREY, PALE) else _SHEER} }}\n"
        )
    return "".join(rules)


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


_PAGE = """
* { box-sizing: border-box } html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere }
header, main, footer { max-width: 47.5rem; margin: 0 auto; padding: 0 1rem }
header { padding-top: 2rem } footer { padding-bottom: 3rem; color: var(--soft); font-size: .875rem }
h1 { font-size: clamp(1.35rem, 1.1rem + 1.4vw, 1.8rem); line-height: 1.25; letter-spacing: -.01em;
  margin: .2rem 0 .6rem }
h2 { font-size: 1.25rem; letter-spacing: -.01em; margin: 2.75rem 0 .9rem } h3 { font-size: 1.05rem; margin: 0 0 .35rem }
p { margin: .45rem 0 } .soft { color: var(--soft) } .over { color: var(--soft); font-size: .875rem; margin: 0 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 45%), 1fr)); gap: .75rem;
  margin: 1.2rem 0 }
.tile, article { background: var(--paper); border: 1px solid var(--line); border-radius: 10px }
.tile { padding: .75rem .9rem } .tile dt { color: var(--soft); font-size: .8rem }
.tile dd { margin: 0 } .tile .big { font-size: 1.5rem; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums; letter-spacing: -.01em } .tile .small { color: var(--soft); font-size: .82rem }
article { padding: 1.1rem 1.2rem; margin: 0 0 1rem } article > p { max-width: 42rem }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .45rem 1.1rem; margin: .8rem 0 }
.facts dt { color: var(--soft); font-weight: 600 } .facts dd { margin: 0 }
ul.plain { list-style: none; margin: .6rem 0 0; padding: 0 } ul.plain li { margin: .5rem 0 }
.tag { display: inline-block; font-size: .75rem; font-weight: 600; border: 1px solid var(--line); border-radius: 99px;
  padding: 0 .55rem; margin-right: .4rem; color: var(--soft) }
.tag.warning { color: var(--c1); border-color: var(--c1) }
nav { font-size: .9rem } nav ul { list-style: none; margin: .3rem 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: .15rem .95rem } nav li { padding: .2rem 0 } nav strong { font-weight: 600; color: var(--soft) }
a { color: var(--c0); text-underline-offset: .15em }
:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px }
svg { display: block; width: 100%; height: auto; font-family: inherit } svg.narrow { display: none }
.several { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17.5rem, 100%), 1fr)); gap: 1rem }
.drawn { margin: .6rem 0 .3rem }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .6rem 0 0; padding: 0;
  font-size: .85rem; color: var(--soft) } .legend li { display: flex; align-items: center; gap: .4rem }
.legend svg { width: 22px; height: 12px; flex: none }
details { margin: .5rem 0 0 } summary { color: var(--soft); cursor: pointer; font-size: .875rem }
.wide-table { overflow: auto; margin-top: .4rem } details .wide-table { max-height: 26rem }
table { border-collapse: collapse; overflow-wrap: break-word; font-size: .84rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--soft); font-weight: 600 } th[scope=col] { white-space: nowrap }
td { max-width: 26rem; min-width: 2.5rem }
pre { background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem;
  overflow-x: auto; font: .84rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
@media (max-width: 560px) { svg.wide { display: none } svg.narrow { display: block }
  article { padding: .9rem .8rem } dl.facts { display: block } .facts dt { margin-top: .5rem }
  header, main, footer { padding-left: .7rem; padding-right: .7rem } }
@media print { body { background: none; font-size: 11pt } header, main, footer { max-width: none; padding: 0 }
  article, .tile { break-inside: avoid } nav, details { display: none } h2 { break-after: avoid }
  svg.wide { display: block } svg.narrow { display: none } }
"""


def page_rules() -> str:
    """Write the rules of the page, light and dark; printed it is light."""
    names = {name: f"var(--{name})" for name in LIGHT}
    return (
        f":root {{ color-scheme: light dark; {_variables(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}"
        f"{_PAGE}{drawing_rules(names)}"
    )
