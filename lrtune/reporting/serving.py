"""Serves the page of a run to browsers: GET and HEAD of one path, for those that name this server, and nothing else.

Nothing that arrives is kept or shown. A web page of somebody else cannot read the run by a name that leads here (DNS
rebinding), because the ``Host`` of a request has to be an address; and a client that is slow, or opens very many
connections, loses them to those that come later.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from lrtune.reporting.served_page import RunPages, ServedPage
from lrtune.text.errors import LrtuneError

LOOPBACK = "127.0.0.1"

METHODS = ("GET", "HEAD")

PATIENCE = 30.0
"""Seconds that a client may be silent, or take for a page."""

MOST_CONNECTIONS = 32
"""Of more at once, the oldest is closed."""

_NOTHING = "default-src 'none'; frame-ancestors 'none'"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer."""


class PageServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Answers for one run until it is shut down; a thread for each connection.

    Attributes
    ----------
    asked_at
        When somebody asked last, by the monotonic clock.
    has_told_the_end
        Whether the page that was sent last is that of a run on which nobody is at work.

    Parameters
    ----------
    pages
        What is served.
    host, port
        Where; port 0 is any that is free.

    Raises
    ------
    LrtuneError
        If it cannot be served there.

    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 2 * MOST_CONNECTIONS

    def __init__(self, pages: RunPages, host: str = LOOPBACK, port: int = 0) -> None:
        self.pages = pages
        self.host = host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.asked_at = float("-inf")
        self.has_told_the_end = False
        self._connections: dict[socket.socket, None] = {}
        self._counting = threading.Lock()
        try:
            super().__init__((host, port), _Answer)
        except (OSError, OverflowError) as error:
            raise LrtuneError(_why_not(host, port, error)) from error

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser on this machine."""
        here = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host)  # noqa: S104 - a name, nothing is bound
        return f"http://{_bracketed(here)}:{self.port}/"

    @property
    def is_for_others(self) -> bool:
        """Whether other machines can reach it."""
        return self.host != "localhost" and not _is_address(self.host, loopback=True)

    def admits(self, host: str) -> bool:
        """Tell whether a request is for this server: addressed by number, or by the name that was asked for."""
        name, port = _parted(host)
        if port != self.port:
            return False
        if not self.is_for_others:
            return name in ("localhost", LOOPBACK, "::1", self.host)
        return name in ("localhost", self.host.lower(), socket.gethostname().lower()) or _is_address(name)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; where there are too many, the oldest connection goes."""
        self.asked_at = time.monotonic()
        with self._counting:
            while len(self._connections) >= MOST_CONNECTIONS:
                oldest = next(iter(self._connections))
                del self._connections[oldest]
                with contextlib.suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)
            self._connections[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._counting:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


class _Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PageServer
    timeout = PATIENCE
    server_version = "lrtune"
    sys_version = ""

    def do_GET(self) -> None:
        """Send the page, or say why not."""
        if not self._is_ours():
            self._say(HTTPStatus.FORBIDDEN)
        elif self.path != "/":
            self._say(HTTPStatus.NOT_FOUND)
        else:
            self._send(self.server.pages.newest())

    do_HEAD = do_GET  # noqa: N815 - the same

    def _is_ours(self) -> bool:
        hosts = self.headers.get_all("Host", [])
        return len(hosts) == 1 and self.server.admits(hosts[0].strip().lower())

    def _send(self, page: ServedPage) -> None:
        mark = f'"{page.version}"'
        self.server.has_told_the_end = not page.is_running
        if self.headers.get("If-None-Match") == mark:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("ETag", mark)
            self.end_headers()
            return
        self._write(HTTPStatus.OK, "text/html", page.body, {"Content-Security-Policy": page.policy, "ETag": mark})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, and methods that there are not."""
        del message, explain
        self._say(HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code))

    def _say(self, status: HTTPStatus) -> None:
        more = {"Allow": ", ".join(METHODS)} if status is HTTPStatus.METHOD_NOT_ALLOWED else {}
        text = f"{status.value} {status.phrase}\n"
        self._write(status, "text/plain", text.encode(), {"Content-Security-Policy": _NOTHING, **more})

    def _write(self, status: HTTPStatus, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """End the headers with those that every answer has."""
        for name, value in _ALWAYS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is declared
        """Say nothing."""


def _parted(host: str) -> tuple[str, int | None]:
    """Part a ``Host`` into its name and its port, which is 80 where nothing is said.

    >>> _parted("127.0.0.1:8000"), _parted("[::1]:8000"), _parted("localhost"), _parted("a:b:c")
    (('127.0.0.1', 8000), ('::1', 8000), ('localhost', 80), ('a:b', None))
    """
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, "80"
    number = int(port) if port.isascii() and port.isdecimal() else None
    return name.removeprefix("[").removesuffix("]"), number


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(text: str, *, loopback: bool = False) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return found.is_loopback or not loopback


def _why_not(host: str, port: int, error: Exception) -> str:
    """Say why a page cannot be served there."""
    if isinstance(error, OverflowError):
        return f"--port: expected a whole number from 0 to 65535, got {port}"
    if isinstance(error, socket.gaierror):
        return f"--host {host}: no such address"
    said = getattr(error, "strerror", None) or str(error)
    return f"{_bracketed(host)}:{port}: cannot be served there ({said}); choose another --port, or leave it out"
