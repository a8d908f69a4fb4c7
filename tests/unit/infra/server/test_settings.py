"""Where Prefect listens, and what it asks for there."""

import os
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import httpx
import psutil
import pytest

from infra.lab.waiting import wait_until
from infra.server.settings import LOOPBACK, USER, Server, listen_at, server
from tasks.core.errors import ConfigError
from tasks.core.process import spawn

START_WITHIN = timedelta(minutes=2)
BEYOND = "192.0.2.7"
"""Nobody's address (RFC 5737)."""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "listens")


@pytest.mark.parametrize("host", [LOOPBACK, "::1"])
def test_on_loopback_nobody_is_asked_for_a_password(host: str) -> None:
    listen_at(host)
    assert server().password() is None
    assert not [name for name in server().environment() if "AUTH" in name]


@pytest.mark.parametrize(
    ("host", "api"),
    [(BEYOND, f"http://{BEYOND}"), ("0.0.0.0", "http://127.0.0.1")],  # noqa: S104
)
def test_beyond_loopback_server_and_clients_share_a_password_of_the_owners_alone(
    host: str, api: str
) -> None:
    listen_at(host)
    prefect = server()
    found = prefect.environment()
    assert found["PREFECT_SERVER_API_AUTH_STRING"] == found["PREFECT_API_AUTH_STRING"]
    assert found["PREFECT_API_AUTH_STRING"] == f"{USER}:{prefect.password_file.read_text()}"
    assert S_IMODE(prefect.password_file.stat().st_mode) == 0o600
    assert prefect.api.startswith(api)
    assert server().password() == prefect.password()


def test_a_name_is_no_address_to_listen_on() -> None:
    with pytest.raises(ConfigError, match="'everywhere' is no IP address"):
        listen_at("everywhere")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A server that is set up as beyond loopback, and listens on loopback all the same."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    found = Server(port, tmp_path / "prefect", "0.0.0.0")  # noqa: S104 overridden below
    found.home.mkdir()
    environment = {**os.environ, **found.environment(), "PREFECT_SERVER_API_HOST": LOOPBACK}
    argv = (sys.executable, "-m", "prefect", "server", "start")
    process = psutil.Process(spawn(argv, log=tmp_path / "log", env=environment))
    try:
        wait_until(lambda: _answers(f"{found.api}/health"), START_WITHIN, "the server")
        yield found
    finally:
        process.terminate()
        psutil.wait_procs([process], timeout=30)


@pytest.mark.xdist_group("prefect settings")
def test_who_does_not_know_the_password_is_let_nowhere(guarded: Server) -> None:
    for path in ("/flows/count", "/deployments/count", "/variables/count", "/admin/settings"):
        word = (USER, "guessed")
        assert httpx.post(f"{guarded.api}{path}", json={}).status_code == httpx.codes.UNAUTHORIZED
        refused = httpx.post(f"{guarded.api}{path}", json={}, auth=word)
        assert refused.status_code == httpx.codes.UNAUTHORIZED
    known = (USER, str(guarded.password()))
    assert httpx.post(f"{guarded.api}/flows/count", json={}, auth=known).json() == 0


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.HTTPError:
        return False
