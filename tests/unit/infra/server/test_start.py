"""Starting a run, against a server that answers as it is told."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import stamina

from infra import server
from tasks.core.errors import ConfigError, SlipwayError, Unavailable

RUN = UUID(int=5)


class Prefect(ThreadingHTTPServer):
    """Answers each request with the next of the given codes, and goes on with the last."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.codes = [200]
        self.asked: list[dict[str, Any]] = []
        self.looked_up: list[str] = []

    def next_code(self) -> int:
        return self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]


class _Handler(BaseHTTPRequestHandler):
    server: Prefect

    def do_GET(self) -> None:
        healthy = self.path.endswith("/health")
        if not healthy:
            self.server.looked_up.append(self.path)
        self._answer(200 if healthy else self.server.next_code(), {"id": "7"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        self._answer(201, {"id": str(RUN)})

    def _answer(self, code: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Prefect]:
    stand_in = _on_a_free_port(monkeypatch)
    stamina.set_testing(testing=True, attempts=3)
    with stand_in:
        thread = Thread(target=stand_in.serve_forever, args=(0.05,))
        thread.start()
        yield stand_in
        stand_in.shutdown()
        thread.join()
    stamina.set_testing(testing=False)


def _on_a_free_port(monkeypatch: pytest.MonkeyPatch) -> Prefect:
    """Become an instance that does not run on this machine: its port is free."""
    for number in count():
        monkeypatch.setenv("SLIPWAY_INSTANCE", f"start-{number}")
        with contextlib.suppress(OSError):
            return Prefect(server.server().port)
    raise AssertionError


def test_a_run_is_started_with_its_parameters_name_and_tags(prefect: Prefect) -> None:
    parameters, tags = {"revision": "main"}, ("by rui@laptop",)
    assert server.start("deliver/deliver", parameters, "shop@main", "once", tags) == RUN
    wanted = {"parameters": parameters, "name": "shop@main", "idempotency_key": "once"}
    assert prefect.asked == [{**wanted, "tags": list(tags)}]


def test_two_starts_without_a_key_are_two_runs(prefect: Prefect) -> None:
    server.start("deliver/deliver", {})
    server.start("deliver/deliver", {})
    assert len({asked["idempotency_key"] for asked in prefect.asked}) == 2


def test_who_starts_many_looks_a_deployment_up_once(prefect: Prefect) -> None:
    with contextlib.closing(server.Launcher()) as launcher:
        for name in ("deliver/deliver", "guard/guard", "deliver/deliver"):
            assert server.start(name, {}, over=launcher) == RUN
    assert len(prefect.asked) == 3
    assert [path.split("/name/")[1] for path in prefect.looked_up] == [
        "deliver/deliver",
        "guard/guard",
    ]


def test_after_a_refusal_a_deployment_is_looked_up_again(prefect: Prefect) -> None:
    with contextlib.closing(server.Launcher()) as launcher:
        server.start("deliver/deliver", {}, over=launcher)
        prefect.codes = [404]
        with pytest.raises(Unavailable):
            server.start("guard/guard", {}, over=launcher)
        prefect.codes = [200]
        server.start("deliver/deliver", {}, over=launcher)
    assert [path.split("/name/")[1] for path in prefect.looked_up] == [
        "deliver/deliver",
        "guard/guard",
        "guard/guard",
        "deliver/deliver",
    ]


def test_a_connection_of_before_costs_no_run(prefect: Prefect) -> None:
    with contextlib.closing(server.Launcher()) as launcher:
        server.start("deliver/deliver", {}, over=launcher)
        prefect.codes = [401, 200]
        assert server.start("guard/guard", {}, over=launcher) == RUN


def test_a_busy_server_is_asked_again(prefect: Prefect) -> None:
    prefect.codes = [503, 503, 200]
    assert server.start("deliver/deliver", {}) == RUN
    assert len(prefect.asked) == 1


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        pytest.param(404, Unavailable, "is not registered", id="no such deployment"),
        pytest.param(503, Unavailable, "refuses the run", id="busy for too long"),
        pytest.param(422, ConfigError, "refuses the run", id="parameters that the flow lacks"),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    prefect: Prefect, code: int, error: type[SlipwayError], said: str
) -> None:
    prefect.codes = [code]
    with pytest.raises(error, match=said):
        server.start("deliver/deliver", {})


def test_credentials_are_never_stored_with_a_run(prefect: Prefect) -> None:
    with pytest.raises(ConfigError, match="credentials"):
        server.start("deliver/deliver", {"repository": "https://me:secret@git.example/shop"})
    assert prefect.asked == []
