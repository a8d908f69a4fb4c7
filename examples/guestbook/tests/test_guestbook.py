import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest

from guestbook.book import KEPT, Book, Refused
from guestbook.faults import Faults
from guestbook.server import Guestbook, Server

WORDS = {"greeting": "Welcome <all>", "environment": "dev", "version": "7"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Guestbook(WORDS)) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: Server, method: str, path: str, body: str | None = None
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, body)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text


def sign(server: Server, name: str, line: str) -> tuple[HTTPResponse, str]:
    return ask(server, "POST", "/entries", urlencode({"name": name, "line": line}))


def test_a_signed_line_is_read_by_everybody(server: Server) -> None:
    response, _ = sign(server, "Ada", "It works")
    assert (response.status, response.getheader("Location")) == (303, "/")
    assert json.loads(ask(server, "GET", "/entries")[1]) == [{"name": "Ada", "line": "It works"}]


def test_what_people_write_is_shown_and_never_run(server: Server) -> None:
    sign(server, "<b>Mallory</b>", "<script>alert(1)</script>")
    _, page = ask(server, "GET", "/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "Welcome &lt;all&gt;" in page


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        pytest.param("", "hello", "the name is empty", id="no name"),
        pytest.param("Ada", "  \n ", "the line is empty", id="only blanks"),
        pytest.param(
            "Ada", "x" * 281, "the line has 281 characters, at most 280 fit", id="too long"
        ),
    ],
)
def test_a_line_that_does_not_fit_is_refused(
    server: Server, name: str, line: str, reason: str
) -> None:
    response, text = sign(server, name, line)
    assert (response.status, json.loads(text)) == (400, {"error": reason})


def test_a_body_that_is_too_long_is_not_read(server: Server) -> None:
    response, _ = sign(server, "Ada", "x" * 5000)
    assert response.status == 400


def test_health_says_which_version_answers(server: Server) -> None:
    response, text = ask(server, "GET", "/health")
    assert (response.status, json.loads(text)) == (200, {"status": "ok", "version": "7"})


def test_every_request_is_counted_under_its_route(server: Server) -> None:
    ask(server, "GET", "/health")
    ask(server, "GET", "/no/such?page=1")
    ask(server, "DELETE", "/entries")
    _, counts = ask(server, "GET", "/metrics")
    assert 'http_requests_total{method="GET",route="/health",status="200"} 1' in counts
    assert 'http_requests_total{method="GET",route="other",status="404"} 1' in counts
    assert 'http_requests_total{method="DELETE",route="/entries",status="501"} 1' in counts
    assert "http_request_duration_seconds_count 3" in counts


def test_every_answer_says_which_release_gave_it(server: Server) -> None:
    response, _ = ask(server, "GET", "/")
    assert response.getheader("X-Release") == "7"


def test_a_bad_release_fails_its_users_and_stays_healthy(server: Server, tmp_path: Path) -> None:
    server.guestbook = Guestbook(WORDS, faults=Faults(1.0))
    assert ask(server, "GET", "/")[0].status == 500
    assert ask(server, "GET", "/health")[0].status == 200
    file = tmp_path / "share"
    server.guestbook = Guestbook(WORDS, faults=Faults(0.0, file))
    assert ask(server, "GET", "/entries")[0].status == 200
    file.write_text("1.0")
    assert ask(server, "GET", "/entries")[0].status == 500


def test_the_book_keeps_the_newest_lines() -> None:
    book = Book()
    for number in range(KEPT + 5):
        book.sign("Ada", str(number))
    assert len(book.entries()) == KEPT
    assert book.entries()[0].line == str(KEPT + 4)


def test_a_name_of_blanks_is_refused() -> None:
    with pytest.raises(Refused, match="the name is empty"):
        Book().sign(" ", "hello")
