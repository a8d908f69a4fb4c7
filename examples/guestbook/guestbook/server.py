"""HTTP around the book, with nothing but the standard library."""

import json
import time
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from guestbook.book import Book, Refused
from guestbook.faults import Faults
from guestbook.metrics import Metrics
from guestbook.page import render

MAX_BODY = 4096
ROUTES = frozenset({"/", "/entries", "/health", "/metrics"})


@dataclass(frozen=True, slots=True)
class Guestbook:
    """What the handlers share; words are greeting, environment and version."""

    words: dict[str, str]
    book: Book = field(default_factory=Book)
    metrics: Metrics = field(default_factory=Metrics)
    faults: Faults = field(default_factory=Faults)


class Server(ThreadingHTTPServer):
    """One thread a request; closing waits for those that are being answered."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], guestbook: Guestbook) -> None:
        super().__init__(address, Handler)
        self.guestbook = guestbook


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    timeout = 10
    server_version = "guestbook"
    sys_version = ""

    def do_GET(self) -> None:
        """Show the page, the entries, the health or the counts."""
        shared = self.server.guestbook
        match urlsplit(self.path).path:
            case "/" | "/entries" if shared.faults.strike():
                self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "the book is burning"})
            case "/":
                self._answer(
                    HTTPStatus.OK, render(shared.book.entries(), shared.words), "text/html"
                )
            case "/entries":
                self._json(HTTPStatus.OK, [asdict(entry) for entry in shared.book.entries()])
            case "/health":
                self._json(HTTPStatus.OK, {"status": "ok", "version": shared.words["version"]})
            case "/metrics":
                self._answer(HTTPStatus.OK, shared.metrics.text(), "text/plain")
            case _:
                self._json(HTTPStatus.NOT_FOUND, {"error": "no such page"})

    def do_POST(self) -> None:
        """Sign the book and go back to the page."""
        if urlsplit(self.path).path != "/entries":
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such page"})
            return
        try:
            form = self._form()
            self.server.guestbook.book.sign(form.get("name", ""), form.get("line", ""))
        except Refused as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.SEE_OTHER, "", "text/plain", location="/")

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            raise Refused(f"a body of at most {MAX_BODY} bytes and its length are needed")
        body = self.rfile.read(int(length)).decode(errors="replace")
        return {key: values[0] for key, values in parse_qs(body, max_num_fields=10).items()}

    def _json(self, status: HTTPStatus, value: Any) -> None:
        self._answer(status, json.dumps(value), "application/json")

    def _answer(
        self, status: HTTPStatus, text: str, kind: str, *, location: str | None = None
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Release", self.server.guestbook.words["version"])
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        """Answer, and count the request under its route."""
        started = time.monotonic()
        self._status = 0
        super().handle_one_request()
        if self._status:
            path = urlsplit(self.path).path
            route = path if path in ROUTES else "other"
            request = (self.command, route, self._status)
            self.server.guestbook.metrics.observe(request, time.monotonic() - started)

    def send_response(self, code: int, message: str | None = None) -> None:
        """Remember the status for the count."""
        self._status = int(code)
        super().send_response(code, message)

    def log_message(self, format: str, *args: Any) -> None:
        """Log one JSON line a request."""
        line = {"client": self.client_address[0], "message": format % args}
        print(json.dumps(line), flush=True)
