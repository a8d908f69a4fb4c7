import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Load, Road


class Moody(BaseHTTPRequestHandler):
    """Answers writes, and reads only while it is well."""

    statuses: list[int]
    served: threading.Event

    def do_GET(self) -> None:
        status = self.statuses[0]
        if status:
            self.send_response(status)
            self.end_headers()
        self.served.set()

    def do_POST(self) -> None:
        self.send_response(303)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        del format, args


@pytest.fixture
def moody() -> Iterator[tuple[Road, type[Moody]]]:
    handler = type("Handler", (Moody,), {"statuses": [200], "served": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Road(f"127.0.0.1:{server.server_port}", "shop.localhost"), handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "failed", "what"),
    [
        pytest.param(200, False, "", id="a good answer"),
        pytest.param(503, True, "GET 503", id="another answer"),
        pytest.param(0, True, "RemoteProtocolError", id="a connection that ends without one"),
    ],
)
def test_a_request_fails_with(
    moody: tuple[Road, type[Moody]],
    status: int,
    failed: bool,  # noqa: FBT001 a case
    what: str,
) -> None:
    road, handler = moody
    handler.statuses[0] = status
    with Load(road, rate=200, during="rollout") as load:
        assert handler.served.wait(10)
    assert load.sent["rollout"] > 0
    assert bool(load.failed["rollout"]) is failed
    assert all(what in each.what for each in load.failures)


def test_load_is_for_labs_on_this_machine_only() -> None:
    with pytest.raises(ValueError, match="on this machine only"):
        Road("8.8.8.8:80", "shop.example.org")
