"""A gRPC health check over any connection (grpc.health.v1, RFC 9113).

One unary call of two fields does not need the gRPC runtime: HTTP/2 comes from h2, and the
messages are `HealthCheckRequest{string service = 1}` and `HealthCheckResponse{enum status = 1}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error

from tasks.core.cluster import Tunnel
from tasks.core.errors import Unavailable

__all__ = ["CHECK", "HEADERS", "SERVING", "STATES", "ask_health", "health_request", "state_of"]

STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
SERVING = STATES.index("SERVING")
PREFIX = 5
"""Bytes before each message: whether it is compressed, and its length."""
STATUS_FIELD = 0x08
CHECK = "/grpc.health.v1.Health/Check"
HEADERS = {"content-type": "application/grpc", "te": "trailers"}


@dataclass(slots=True)
class _Reply:
    """What has come of the answer."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False


def ask_health(tunnel: Tunnel, service: str, within: timedelta, scheme: str = "http") -> int:
    """Return the state of a service, an index into STATES.

    Raises:
        Unavailable: the server is none of gRPC, knows no such service, or does not answer.
    """
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, _headers(scheme))
    connection.send_data(stream, health_request(service), end_stream=True)
    reply = _Reply()
    while not reply.ended:
        tunnel.send(connection.data_to_send())
        data = tunnel.receive(within)
        if not data:
            came = "no answer" if data is None else "the connection was closed"
            raise Unavailable(f"{came}; is it a gRPC server?")
        try:
            events = connection.receive_data(data)
        except H2Error as error:
            raise Unavailable(f"the answer is no HTTP/2: {error}") from error
        for event in events:
            _take(event, reply, connection)
    return state_of(reply.headers, reply.body)


def health_request(service: str) -> bytes:
    """Return the body that asks for the state of a service."""
    name = service.encode()
    message = b"\x0a" + bytes([len(name)]) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def state_of(headers: Mapping[str, str], body: bytes) -> int:
    """Read the state in an answer: its headers, with the trailers among them, and its body.

    Raises:
        Unavailable: it holds none, and the server says why, or is none of gRPC.
    """
    code = headers.get("grpc-status")
    if code is None:
        raise Unavailable(f"no gRPC answer: HTTP status {headers.get(':status')}")
    if code != "0":
        raise Unavailable(f"gRPC status {code}: {headers.get('grpc-message', '')}")
    message = body[PREFIX:]
    known = message[:1] == bytes([STATUS_FIELD]) and message[1] < len(STATES)
    return message[1] if known else 0


def _headers(scheme: str) -> list[tuple[str, str]]:
    named = {":method": "POST", ":scheme": scheme, ":authority": "localhost", ":path": CHECK}
    return [*named.items(), *HEADERS.items()]


def _take(event: Event, reply: _Reply, connection: H2Connection) -> None:
    match event:
        case ResponseReceived() | TrailersReceived():
            reply.headers |= {str(name): str(value) for name, value in event.headers or ()}
        case DataReceived():
            reply.body += event.data or b""
            length = event.flow_controlled_length or 0
            connection.acknowledge_received_data(length, event.stream_id or 0)
        case StreamEnded():
            reply.ended = True
        case StreamReset() | ConnectionTerminated():
            raise Unavailable(f"the server ended the call: HTTP/2 error {event.error_code}")
        case _:
            pass  # settings and windows are h2's own business
