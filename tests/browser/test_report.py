"""Reports and the served page in a browser: nothing is asked for, nothing goes wrong, and everybody can read them."""

import contextlib
import itertools
import os
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from patience import PATIENCE
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.reporting.served_page import RunPages
from lrtune.reporting.serving import PageServer
from lrtune.run.journal import Journal

pytestmark = pytest.mark.extra

PAGES = {
    "classes": ["classes"],
    "two classes": ["two_classes"],
    "values": ["values"],
    "estimator": ["estimator"],
    "stopped": ["stopped"],
    "comparison": ["classes", "stopped"],
}
"""Reports by what they are of: the runs."""

WIDE, PHONE = 1280, 360
SCHEMES = ("light", "dark")


class Seen(NamedTuple):
    """A page, and what went wrong with it: words on the console, errors, and requests for something else."""

    page: object
    wrong: list


@contextlib.contextmanager
def opened(chromium, address, *, width, scheme="light"):
    wrong = []
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)

    def pass_or_stop(route):
        if route.request.url == address:
            route.continue_()
        else:
            wrong.append(f"asks for {route.request.url}")
            route.abort()

    page.route("**/*", pass_or_stop)
    page.on("console", lambda said: wrong.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    try:
        page.goto(address)
        yield Seen(page, wrong)
    finally:
        context.close()


def violations(page, axe):
    """Ask axe-core what is wrong: rule, help, and the first places."""
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    return [(each["id"], each["help"], [place["html"][:200] for place in each["nodes"][:3]]) for each in found]


@pytest.fixture(scope="session")
def files(runs):
    """The reports, by what they are of."""
    made, before = {}, Path.cwd()
    os.chdir(runs)
    try:
        for name, words in PAGES.items():
            path = runs / f"{name} report.html"
            shown = CliRunner().invoke(app, ["report", *words, "-o", str(path)])
            assert shown.exit_code == 0, shown.output
            made[name] = path
    finally:
        os.chdir(before)
    return made


@pytest.mark.parametrize("look", list(itertools.product((WIDE, PHONE), SCHEMES)), ids=str)
@pytest.mark.parametrize("name", PAGES)
def test_a_report_asks_for_nothing_and_everybody_can_read_it(chromium, axe, files, name, look):
    width, scheme = look
    with opened(chromium, files[name].as_uri(), width=width, scheme=scheme) as (page, wrong):
        assert page.locator("svg").count() >= 2
        assert violations(page, axe) == []
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert violations(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert wrong == []


@contextlib.contextmanager
def served(folder):
    with PageServer(RunPages(lambda: folder, str)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.address
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_served_page_is_readable_and_within_its_policy(chromium, axe, runs, scheme):
    with served(runs / "classes") as address, opened(chromium, address, width=PHONE, scheme=scheme) as (page, wrong):
        assert page.locator("svg").count() >= 2
        assert violations(page, axe) == []
        assert wrong == []


def test_the_served_page_follows_and_stays_where_the_reader_is(chromium, runs, tmp_path):
    with Journal(runs / "classes" / "study.db") as journal:
        events = journal.events()
    half = next(number for number, each in enumerate(events) if each.kind == "result") + 2
    with Journal(tmp_path / "study.db", write=True) as journal:
        journal.append(events[:half])
        with served(tmp_path) as address, opened(chromium, address, width=WIDE) as (page, wrong):
            page.locator("#history summary").click()
            page.evaluate("scrollTo(0, 200)")
            page.evaluate("window.kept = document.querySelector('h1')")
            before = page.locator("#history tr").count()
            journal.append(events[half:-1])
            page.locator("#history tr").nth(before).wait_for(state="attached")
            assert page.locator("#history details").get_attribute("open") is not None
            assert page.evaluate("document.activeElement.textContent") == "The numbers"
            assert page.evaluate("scrollY") == 200
            assert page.evaluate("window.kept") is not None  # the page was not loaded anew
            assert wrong == []


def test_the_served_page_says_when_nobody_serves_it_any_more(chromium, runs):
    with contextlib.ExitStack() as until:
        address = until.enter_context(served(runs / "classes"))
        with opened(chromium, address, width=WIDE) as (page, _):
            assert page.locator("#served").inner_text() == ""
            until.close()
            page.get_by_text("it shows what it had last").wait_for()
            assert page.locator("svg").count() >= 2


def test_without_scripts_the_served_page_loads_itself_again(chromium, runs):
    with served(runs / "classes") as address:
        context = chromium.new_context(java_script_enabled=False)
        try:
            page = context.new_page()
            page.goto(address)
            assert page.locator("meta[http-equiv=refresh]").count() == 1
            assert page.locator("svg").count() >= 2
        finally:
            context.close()
