from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from tasks.core.errors import Unavailable
from tasks.probe.grpc_health import STATES, ask_health

SECOND = timedelta(seconds=1)
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]

Handler = Callable[[H2Connection, int], None]


@dataclass
class Server:
    """A gRPC server behind a tunnel: HTTP/2 by h2, answers by the test."""

    handler: Handler
    headers: dict[str, str] = field(default_factory=dict)
    message: bytes = b""
    connection: H2Connection = field(
        default_factory=lambda: H2Connection(
            H2Configuration(client_side=False, header_encoding="utf-8")
        )
    )

    def __post_init__(self) -> None:
        self.connection.initiate_connection()

    @property
    def path(self) -> str:
        return self.headers[":path"]

    def send(self, data: bytes) -> None:
        for event in self.connection.receive_data(data):
            match event:
                case RequestReceived():
                    self.headers = {str(key): str(value) for key, value in event.headers or ()}
                case DataReceived():
                    self.message += event.data or b""
                case StreamEnded():
                    self.handler(self.connection, event.stream_id or 0)
                case _:
                    pass

    def receive(self, within: timedelta) -> bytes | None:
        del within
        return self.connection.data_to_send() or None

    def close(self) -> None:
        self.headers = {}


def healthy(state: bytes) -> Handler:
    def answer(connection: H2Connection, stream: int) -> None:
        connection.send_headers(stream, HEADERS)
        connection.send_data(stream, b"\0" + len(state).to_bytes(4, "big") + state)
        connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)

    return answer


def ends_with(*headers: tuple[str, str]) -> Handler:
    return lambda connection, stream: connection.send_headers(stream, headers, end_stream=True)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        pytest.param(b"\x08\x01", "SERVING", id="serving"),
        pytest.param(b"\x08\x02", "NOT_SERVING", id="not serving"),
        pytest.param(b"\x08\x63", "UNKNOWN", id="a state of the future"),
        pytest.param(b"", "UNKNOWN", id="the default, which protobuf leaves out"),
    ],
)
def test_the_state_is_what_the_server_says(message: bytes, state: str) -> None:
    server = Server(healthy(message))
    assert STATES[ask_health(server, "orders", SECOND)] == state
    assert server.path == "/grpc.health.v1.Health/Check"
    assert server.message == b"\0\0\0\0\x08\x0a\x06orders"


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        pytest.param(
            ends_with(*HEADERS, ("grpc-status", "5"), ("grpc-message", "unknown service")),
            "gRPC status 5: unknown service",
            id="a service that it does not know",
        ),
        pytest.param(
            ends_with((":status", "404")), "no gRPC answer: HTTP status 404", id="plain HTTP/2"
        ),
        pytest.param(
            lambda connection, stream: connection.reset_stream(stream, 2),
            "HTTP/2 error 2",
            id="a call that is broken off",
        ),
        pytest.param(lambda _connection, _stream: None, "no answer", id="silence"),
    ],
)
def test_an_answer_that_is_no_state_says_what_it_was(handler: Handler, words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        ask_health(Server(handler), "", SECOND)


def test_a_server_of_another_protocol_is_named() -> None:
    class Http1(Server):
        def receive(self, within: timedelta) -> bytes | None:
            del within
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"

    with pytest.raises(Unavailable, match="no HTTP/2"):
        ask_health(Http1(lambda _connection, _stream: None), "", SECOND)
