"""The report as a page that follows its run: read anew where something was written, and made only as often as is cheap.

Without scripts the page loads itself again; with them, its one script asks whether there is a newer one and puts the
parts that changed in their places, so that nothing scrolls or closes under the reader.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lrtune.reporting.html.page import report
from lrtune.reporting.html.svg import written
from lrtune.run.lock import is_held
from lrtune.run.names import DATABASE, RESULT
from lrtune.text.errors import LrtuneError

EVERY = 1.0
"""Seconds that a page of a running search lasts at least."""

SHARE = 0.1
"""How much of a processor pages of a running search may take: one lasts the longer the more it costs."""

_REFRESH = '<noscript><meta http-equiv="refresh" content="5"></noscript>'

_SCRIPT = """
const head = name => document.querySelector(`meta[name="${name}"]`).content;
const parts = page => [...page.body.children].filter(each => each.tagName !== "SCRIPT");
let version = head("version"), last = parts(document).map(each => each.cloneNode(true)), asking = false;
const said = text => { const place = document.getElementById("served"); if (place) place.textContent = text; };
const named = each => (each.closest("[id]")?.id ?? "") + each.querySelector("summary")?.textContent;
const styles = page => [...page.querySelectorAll("style")].map(each => each.textContent).join();
function put(old, next) {
  const open = new Set([...old.querySelectorAll("details[open]")].map(named));
  const scrolled = [...old.querySelectorAll("[role=region]")].map(each => [each.scrollLeft, each.scrollTop]);
  const focused = old.contains(document.activeElement) && document.activeElement.tagName === "SUMMARY"
    ? named(document.activeElement.parentElement) : null;
  old.replaceWith(next);
  for (const each of next.querySelectorAll("details")) {
    each.open = open.has(named(each));
    if (named(each) === focused) each.querySelector("summary").focus({preventScroll: true});
  }
  next.querySelectorAll("[role=region]").forEach((each, place) => each.scrollTo(...(scrolled[place] ?? [0, 0])));
}
function show(page) {
  if (styles(page) !== styles(document)) { location.reload(); return; }
  const x = scrollX, y = scrollY, now = parts(document), next = parts(page);
  const kept = next.map(each => each.cloneNode(true));
  next.forEach((part, place) => {
    if (part.children.length !== last[place].children.length) { put(now[place], part); return; }
    const olds = [...now[place].children];
    [...part.children].forEach((each, child) => {
      if (!each.isEqualNode(last[place].children[child])) put(olds[child], each);
    });
  });
  last = kept;
  document.title = page.title;
  scrollTo(x, y);
}
async function look() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch("/", {headers: {"If-None-Match": `"${version}"`}, cache: "no-store"});
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      version = page.querySelector('meta[name="version"]').content;
      show(page);
    }
    said("");
  } catch { said("Nobody serves this page any more: it shows what it had last."); }
  asking = false;
}
setInterval(look, 2000);
document.addEventListener("visibilitychange", look);
"""

_SMALL = """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem; font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; }
"""

_OWN_POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_MAIN = re.compile(r"<main[^>]*>")


class ServedPage(NamedTuple):
    """A page.

    Attributes
    ----------
    body
        Its HTML.
    policy
        What a browser may do for it, as ``Content-Security-Policy`` says it.
    version
        What tells it from others.
    is_running
        Whether a search was at work when it was made.

    """

    body: bytes
    policy: str
    version: str
    is_running: bool


class _Seen(NamedTuple):
    """What tells one state of a run's folder from another, without reading the study."""

    is_running: bool
    files: tuple[tuple[int, int] | None, ...]


class RunPages:
    """The page of one run, as it is now; many threads may ask for it.

    Parameters
    ----------
    locate
        Finds the run's folder, or says in an `LrtuneError` that there is none yet.
    called
        Says how commands call it.
    clock
        Seconds.

    """

    def __init__(
        self, locate: Callable[[], Path], called: Callable[[Path], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._locate, self._called, self._clock = locate, called, clock
        self._making = threading.Lock()
        self._folder: Path | None = None
        self._page: ServedPage | None = None
        self._seen: _Seen | None = None
        self._until = 0.0

    def newest(self) -> ServedPage:
        """Give the page; whoever asks while a new one is being made gets the one before."""
        if self._making.acquire(blocking=self._page is None):
            try:
                self._renew()
            finally:
                self._making.release()
        assert self._page is not None
        return self._page

    def _renew(self) -> None:
        """Make the page anew, unless nothing was written or it is too early; the end of a search is told at once."""
        begun = self._clock()
        try:
            self._folder = self._folder or self._locate()
        except LrtuneError as error:
            self._page = served(_sentence_page("No run yet", f"{error}. This page waits for it."), is_running=False)
            return
        seen = _look_at(self._folder)
        has_ended = self._seen is not None and self._seen.is_running and not seen.is_running
        if self._page is not None and (seen == self._seen or (begun < self._until and not has_ended)):
            return
        text, is_whole = _text_of(self._folder, self._called(self._folder), is_running=seen.is_running)
        self._page, self._seen = served(text, is_running=seen.is_running), seen if is_whole else None
        now = self._clock()
        self._until = max(begun + EVERY, now + (now - begun) / SHARE)


def _look_at(folder: Path) -> _Seen:
    files = (DATABASE, f"{DATABASE}-wal", RESULT)
    return _Seen(is_held(folder), tuple(_stamp(folder / each) for each in files))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _text_of(folder: Path, called: str, *, is_running: bool) -> tuple[str, bool]:
    """Write the page of a folder; second, whether it shows the study rather than why that cannot be shown."""
    try:
        return report(folder, explained=False if is_running else None), True
    except LrtuneError as error:
        sentence = f"{error}."
    except OSError as error:
        sentence = f"{error.filename or folder}: {error.strerror or error}."
    except Exception as error:  # noqa: BLE001 - it is told where somebody looks, and looking goes on
        sentence = f"This is a defect of lrtune, please report it: {type(error).__name__}: {error}."
    return _sentence_page(called, sentence), False


def _sentence_page(title: str, sentence: str) -> str:
    name = written(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_SMALL}</style></head>'
        f"<body><main><h1>{name}</h1><p>{written(sentence)}</p></main></body></html>\n"
    )


def served(text: str, *, is_running: bool) -> ServedPage:
    """Make a page that follows its run of a report that is written once: with a script, and a policy that allows it.

    The policy is for a header; the one that a file carries in itself would forbid the script.
    """
    version = hashlib.sha256(text.encode()).hexdigest()[:32]
    text = _OWN_POLICY.sub("", text, count=1)
    text = text.replace("</head>", f'<meta name="version" content="{version}">{_REFRESH}</head>', 1)
    text = _MAIN.sub(r'\g<0><div id="served" role="status"></div>', text, count=1)
    before, end, after = text.rpartition("</body>")
    policy = {
        "default-src": "'none'",
        "style-src": " ".join(dict.fromkeys(map(_source, _STYLE.findall(text)))),
        "script-src": _source(_SCRIPT),
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    said = "; ".join(f"{directive} {allowed}" for directive, allowed in policy.items())
    return ServedPage(f"{before}<script>{_SCRIPT}</script>{end}{after}".encode(), said, version, is_running)


def _source(content: str) -> str:
    """Name an inline style or script as a policy does, by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
