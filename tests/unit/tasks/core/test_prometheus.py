"""The adapter against a server of its own, which answers in every way that a Prometheus might."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.core.prometheus import HttpPrometheus, Span, prometheus_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUE = (
    b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"7"]}]}}'
)


@contextmanager
def answering(status: int, body: bytes, asked: list[str]) -> Iterator[HttpPrometheus]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield HttpPrometheus(client)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_query_is_sent_and_its_values_are_returned() -> None:
    asked: list[str] = []
    with answering(200, VALUE, asked) as prometheus:
        assert [point.value for point in prometheus.instant("up")] == [7.0]
        assert [point.value for point in prometheus.instant("up", NOW)] == [7.0]
        span = Span(NOW, NOW + timedelta(hours=1), timedelta(minutes=1))
        assert [point.value for point in prometheus.history("up", span)] == [7.0]
    assert asked == [
        "query=up&timeout=10",
        "query=up&time=1767225600.0&timeout=10",
        "query=up&start=1767225600.0&end=1767229200.0&step=60.0&timeout=10",
    ]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(500, b"Internal Server Error", Unavailable, id="an error of the server"),
        pytest.param(302, b"", Unavailable, id="a login page's redirect"),
        pytest.param(200, b"<html></html>", Unavailable, id="HTML"),
        pytest.param(200, b"\xff\xfe", Unavailable, id="no text"),
        pytest.param(400, b'{"status":"error","error":"parse"}', ConfigError, id="a wrong query"),
        pytest.param(200, b" " * 20_000_001, Unavailable, id="more than anybody asked for"),
    ],
)
def test_what_is_no_answer_is_one_of_our_errors(
    status: int, body: bytes, error: type[SlipwayError]
) -> None:
    with answering(status, body, []) as prometheus, pytest.raises(error):
        prometheus.instant("up")


def test_nobody_there_is_unavailable() -> None:
    with prometheus_at("http://127.0.0.1:1") as prometheus:
        assert prometheus is not None
        with pytest.raises(Unavailable, match="Prometheus does not answer"):
            prometheus.instant("up")


def test_without_an_address_there_is_nobody_to_ask() -> None:
    with prometheus_at(None) as prometheus:
        assert prometheus is None
