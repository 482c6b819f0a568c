"""lrtune watch and search --live: a page for this machine alone, which follows the run and changes nothing."""

import base64
import contextlib
import hashlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
from patience import PATIENCE, wait_until

from lrtune.reporting import served_page, serving
from lrtune.reporting.served_page import RunPages
from lrtune.reporting.serving import PageServer
from lrtune.run.journal import Journal
from lrtune.text.errors import StudyError

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and what stands in its styles and scripts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.within, self.inline = [], None, {"style": [], "script": []}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.within = tag if tag in self.inline else None

    def handle_endtag(self, _tag):
        self.within = None

    def handle_data(self, data):
        if self.within:
            self.inline[self.within].append(data)


@contextlib.contextmanager
def serving_pages(pages):
    with PageServer(pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def pages_of(folder):
    return RunPages(lambda: folder, str)


@pytest.fixture
def finished(made_runs):
    """A server of the finished run."""
    with serving_pages(pages_of(made_runs / "blobs-00000001")) as server:
        yield server


def ask(port, method="GET", path="/", **headers):
    """Send a request; gives back the answer, whose body is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, headers={key.replace("_", "-"): each for key, each in headers.items()})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
    return answer


def ask_raw(port, sent):
    """Send bytes as they are; gives back all that comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as file:
            return file.read()


def is_gone(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def test_the_page_is_the_report(finished, run):
    answer = ask(finished.port)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert run("report", "blobs", "-o", "page.html").exit_code == 0
    headline = re.search(r"<h1>.*?</h1>", answer.text).group()
    assert headline in Path("page.html").read_text(encoding="utf-8")
    assert answer.text.count("<svg") >= 7


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"])
def test_other_methods_are_refused(finished, method):
    answer = ask(finished.port, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert "<" not in answer.text


@pytest.mark.parametrize("path", ["/study.db", "/report.html", "/../study.db", "/?x=1", "*"])
def test_there_is_one_path(finished, path):
    assert ask(finished.port, path=path).status == 404


def test_a_name_that_leads_here_is_not_served(finished):
    port = finished.port
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert ask(port, Host=f"{name}:{port}").status == 200, name
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        f"localhost:{port + 1}",
        f"127.0.0.1.nip.io:{port}",
    ):
        answer = ask(port, Host=host)
        assert (answer.status, "svg" in answer.text) == (403, False), host
    for lines in ("", f"Host: localhost:{port}\r\nHost: evil.example\r\n", "Host:\r\n", "Host: [::1\r\n"):
        assert ask_raw(port, f"GET / HTTP/1.0\r\n{lines}\r\n".encode()).startswith(b"HTTP/1.0 403"), lines


def test_who_asks_for_other_machines_gets_addresses_and_no_names(made_runs):
    server = PageServer(pages_of(made_runs), "0.0.0.0")
    with server:
        assert server.is_for_others
        assert server.address == f"http://127.0.0.1:{server.port}/"
        assert server.admits(f"192.0.2.7:{server.port}")
        assert server.admits(f"2001:db8::7:{server.port}")
        assert not server.admits(f"evil.example:{server.port}")
        assert not server.admits("192.0.2.7")
    with PageServer(pages_of(made_runs), "localhost") as server:
        assert not server.is_for_others


def test_every_answer_has_the_headers_that_keep_it_here(finished):
    for answer in (
        ask(finished.port),
        ask(finished.port, "HEAD"),
        ask(finished.port, "POST"),
        ask(finished.port, path="/x"),
        ask(finished.port, Host="evil.example"),
    ):
        assert {key: answer.headers[key] for key in ALWAYS} == ALWAYS
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert "Python" not in answer.headers["Server"]


def test_the_policy_allows_what_stands_in_the_page_and_nothing_else(finished):
    answer = ask(finished.port)
    page = Elements(answer.text)
    policy = dict(each.split(" ", 1) for each in answer.headers["Content-Security-Policy"].split("; "))
    for kind, found in page.inline.items():
        assert found
        hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in found]
        assert policy.pop(f"{kind}-src").split() == [f"'sha256-{each}'" for each in hashes]
    none = dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
    assert policy == {**none, "connect-src": "'self'"}
    assert not [each for _, attributes in page.found for each in attributes if each == "style" or each.startswith("on")]
    assert not [each for _, each in page.found if each.get("http-equiv") == "Content-Security-Policy"]


def test_a_file_has_no_script(finished, run):
    assert "<script" in ask(finished.port).text
    assert run("report", "blobs", "-o", "page.html").exit_code == 0
    assert "<script" not in Path("page.html").read_text(encoding="utf-8")


def test_heads_have_no_body_and_what_is_known_is_not_sent_again(finished):
    whole, head = ask(finished.port), ask(finished.port, "HEAD")
    assert head.text == ""
    assert head.headers["Content-Length"] == str(len(whole.text.encode()))
    assert head.headers["ETag"] == whole.headers["ETag"]
    again = ask(finished.port, If_None_Match=whole.headers["ETag"])
    assert (again.status, again.text) == (304, "")
    assert ask(finished.port, If_None_Match='"other"').status == 200


def test_what_is_no_request_harms_nobody(finished, capfd):
    port = finished.port
    assert ask_raw(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").endswith(b"400 Bad Request\n")
    assert ask_raw(port, b"GET /" + b"x" * 70000 + b" HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 414")
    assert ask_raw(port, b"GET / HTTP/1.0\r\n" + b"a: b\r\n" * 500 + b"\r\n").startswith(b"HTTP/1.0 431")
    assert b"svg" not in ask_raw(port, b"GET /\r\n")
    ask_raw(port, b"")
    assert ask(port).status == 200
    assert capfd.readouterr() == ("", "")


def test_clients_that_say_nothing_hold_nobody_up(finished):
    port = finished.port
    with contextlib.ExitStack() as silent:
        for _ in range(3 * serving.MOST_CONNECTIONS):
            connection = silent.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            connection.sendall(b"GET / HT")
        assert ask(port).status == 200


def content_of(folder):
    return {
        each.relative_to(folder).as_posix(): (each.stat().st_mtime_ns, each.read_bytes())
        for each in folder.rglob("*")
        if each.is_file() and not each.name.startswith("study.db-")  # SQLite's, of whoever looks
    }


@pytest.mark.parametrize("name", ["blobs-00000001", "stopped-00000002"])
def test_nothing_is_written_into_the_folder(made_runs, name):
    before = content_of(made_runs / name)
    with serving_pages(pages_of(made_runs / name)) as server:
        assert ask(server.port).status == 200
    assert content_of(made_runs / name) == before


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_page_is_made_when_something_was_written_and_not_too_often(made_runs, monkeypatch):
    made, clock, folder = [], Clock(), made_runs / "copy"
    with Journal(made_runs / "blobs-00000001" / "study.db") as journal:
        events = journal.events()

    def report(folder, *, explained):
        made.append((folder, explained))
        clock.now += 3.0
        return f"<html><head></head><body><main>{len(made)}</main></body></html>"

    monkeypatch.setattr(served_page, "report", report)
    pages = RunPages(lambda: folder, str, clock)
    folder.mkdir()
    with Journal(folder / "study.db", write=True) as journal:
        journal.append(events[:4])
        first = pages.newest()
        assert first.is_running
        clock.now += 1000.0
        assert pages.newest() is first  # nothing was written
        journal.append(events[4:6])
        second = pages.newest()
        assert second is not first
        journal.append(events[6:8])
        assert pages.newest() is second  # what took 3 seconds lasts for 30
        clock.now += 29.0
        assert pages.newest() is second
        clock.now += 2.0
        third = pages.newest()
        assert third is not second
    last = pages.newest()  # that a search has ended is told at once
    assert not last.is_running
    assert [each for _, each in made] == [False, False, False, None]
    clock.now += 1000.0
    assert pages.newest() is last


def trials_of(answer):
    """How many trials a page says there are."""
    return int(re.search(r"lrtune report: ([0-9,]+) trial", answer.text).group(1).replace(",", ""))


def test_a_run_grows_under_the_eyes_of_the_reader(made_runs):
    folder = made_runs / "growing"
    with Journal(made_runs / "blobs-00000001" / "study.db") as journal:
        events = journal.events()

    def locate():
        if not folder.is_dir():
            raise StudyError("no run 'growing'; did you mean 'blobs'?")
        return folder

    clock = Clock()
    counts = []
    with serving_pages(RunPages(locate, str, clock)) as server:
        answer = ask(server.port)
        assert answer.status == 200
        assert "no run &#x27;growing&#x27;; did you mean &#x27;blobs&#x27;?. This page waits" in answer.text
        folder.mkdir()
        assert "no study here" in ask(server.port).text
        with Journal(folder / "study.db", write=True) as journal:
            clock.now += 100.0
            assert "has not begun yet" in ask(server.port).text
            for number in range(len(events)):
                journal.append(events[number : number + 1])
                clock.now += 100.0
                answer = ask(server.port)
                counts.append(trials_of(answer))
                assert "The search is running" in answer.text
        assert "The search is running" not in ask(server.port).text
    assert sorted(set(counts)) == list(range(7))


def test_a_damaged_study_is_a_sentence(made_runs):
    database = made_runs / "blobs-00000001" / "study.db"
    database.write_bytes(b"no database at all " * 500)
    clock = Clock()
    with serving_pages(RunPages(lambda: database.parent, str, clock)) as server:
        answer = ask(server.port)
        assert answer.status == 200
        assert "not a readable study" in answer.text
        assert "Traceback" not in answer.text
        database.unlink()
        clock.now += 100.0
        assert "is lost, though result.json is there" in ask(server.port).text


def test_a_defect_is_told_where_somebody_looks(made_runs, monkeypatch, capfd):
    def report(*_, **__):
        raise KeyError("<script>")

    monkeypatch.setattr(served_page, "report", report)
    with serving_pages(pages_of(made_runs / "blobs-00000001")) as server:
        answer = ask(server.port)
    assert "This is a defect of lrtune, please report it: KeyError: &#x27;&lt;script&gt;&#x27;." in answer.text
    assert capfd.readouterr() == ("", "")


# --- the commands


@pytest.mark.usefixtures("made_runs")
def test_a_port_that_cannot_be_had_is_a_sentence(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = run("watch", "blobs", "--port", port)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"lrtune: 127.0.0.1:{port}: cannot be served there (Address already in use)" in shown.stderr
    shown = run("watch", "blobs", "--port", 70000)
    assert (shown.exit_code, shown.stderr.count("\n")) == (2, 1)
    assert "--port: expected a whole number from 0 to 65535, got 70000" in shown.stderr
    shown = run("watch", "blobs", "--host", "no such host")
    assert shown.exit_code == 2
    assert "--host no such host: no such address" in shown.stderr


def address_of(process):
    line = process.stdout.readline()
    return int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", line).group(1))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.usefixtures("made_runs")
def test_it_is_served_until_it_is_stopped(command, number, code):
    process = command("watch", "latest", patient=True)
    port = address_of(process)
    assert "The search is stopped" in ask(port).text
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (code, "", "Ctrl-C ends it\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_run_that_is_not_there_yet_is_waited_for(command, run, folder):
    process = command("watch", "latest", "--host", "127.0.0.1", patient=True)
    port = address_of(process)
    assert "no run in" in ask(port).text
    assert run("search", "blobs.yaml", "--trials", "2", "-q", "-o", "runs/blobs").exit_code == 0
    assert "lrtune report: 2 trials" in ask(port).text
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.count("\n")) == (130, 2)
    assert err.startswith(f"no run in {folder / 'runs'}; `lrtune search` makes one; waiting for it\n")


def live_port(process):
    for line in process.stderr:
        if line.startswith("live: "):
            return int(re.search(r":(\d+)/", line).group(1))
    pytest.fail("no address was said")


ENDLESS = ("--trials", 5000, "--set", "search.round=2", "--set", "training.epochs=40", "--workers", 1)


def test_a_search_serves_its_page_while_it_lives(command, folder):
    process = command("search", "blobs.yaml", "--live", "-o", "run", *ENDLESS)
    port = live_port(process)
    wait_until(lambda: "The search is running" in ask(port).text)
    first = trials_of(ask(port))
    wait_until(lambda: trials_of(ask(port)) > first)
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: is_gone(port))
    assert (folder / "run" / "study.db").is_file()


def test_at_its_end_a_search_says_where_the_report_is(command):
    process = command("search", "blobs.yaml", "--live", "-o", "run", "--trials", 2)
    port = live_port(process)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "live: ended; the report is run/report.html" in err
    assert "live: " not in out
    wait_until(lambda: is_gone(port))
    process = command(
        "search", "blobs.yaml", "--live", "-o", "other", "--trials", 2, "--no-report", stdout=subprocess.DEVNULL
    )
    live_port(process)
    assert "live: ended; `lrtune watch other` serves the page again" in process.communicate(timeout=PATIENCE)[1]
