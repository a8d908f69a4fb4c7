import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.core.application import Environment
from tasks.core.probes import Grpc, Probe
from tasks.core.target import Target
from tasks.probe.grpc_health import STATES
from tasks.probe.route import ask_route
from tests.unit.tasks.probe.test_grpc_health import Handler, Server, ends_with, healthy

PUBLIC = Probe(path="/?a=b", via="route")
HEALTH = Probe(grpc=Grpc(service="orders"), via="route")
TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
SHOP = Environment(overlay="prod", namespace="shop", url="http://shop.example:8443")


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve the Host header, path and X-Canary of each request; an ingress in small."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.headers['Host']} {self.path} {self.headers['X-Canary']}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"MyFin")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its own name
            del format, args

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{serving.server_address[1]}", seen
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def test_the_route_is_asked_through_the_ingress_under_its_public_name() -> None:
    with server() as (address, seen):
        target = replace(TARGET, ingress=address)
        answer = ask_route(SHOP, target, PUBLIC, {"X-Canary": "always"})
    assert (answer.status, answer.text) == (200, "MyFin")
    assert seen == ["shop.example:8443 /?a=b always"]


def test_a_route_that_nobody_serves_says_so() -> None:
    answer = ask_route(SHOP, replace(TARGET, ingress="127.0.0.1:9"), PUBLIC, {})
    assert answer.status is None
    assert answer.text.startswith("no answer")


@contextmanager
def grpc_server(handler: Handler) -> Iterator[tuple[str, Server]]:
    """Serve one connection of HTTP/2 without TLS."""
    made = Server(handler)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            connection.sendall(made.connection.data_to_send())
            while data := connection.recv(65_536):
                made.send(data)
                connection.sendall(made.connection.data_to_send())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", made
        thread.join()


@pytest.mark.parametrize(
    ("handler", "status", "text"),
    [
        pytest.param(
            healthy(b"\x08\x01"), STATES.index("SERVING"), "SERVING", id="a server that serves"
        ),
        pytest.param(
            ends_with(
                (":status", "200"),
                ("content-type", "application/grpc"),
                ("grpc-status", "5"),
                ("grpc-message", "unknown service"),
            ),
            None,
            "gRPC status 5: unknown service",
            id="a service that it does not know",
        ),
        pytest.param(
            ends_with((":status", "404")), None, "no gRPC answer: HTTP status 404", id="no gRPC"
        ),
    ],
)
def test_health_is_asked_through_the_ingress_as_testers_do(
    handler: Handler, status: int | None, text: str
) -> None:
    with grpc_server(handler) as (address, seen):
        target = replace(TARGET, ingress=address)
        answer = ask_route(SHOP, target, HEALTH, {"X-Canary": "always"})
    assert (answer.status, answer.text) == (status, text)
    assert seen.path == "/grpc.health.v1.Health/Check"
    assert seen.headers["x-canary"] == "always"
    assert seen.headers[":authority"] == "shop.example:8443"
