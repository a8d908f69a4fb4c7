import socket

import pytest
from typer.testing import CliRunner

from infra import server
from infra.cli.main import build
from infra.server.daemons import Daemon, require_free_ports
from tasks.core.errors import ConfigError


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "ports")


def test_a_port_of_another_program_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        receiver = Daemon("receiver", ("true",), f"http://127.0.0.1:{port}/readyz")
        with pytest.raises(ConfigError, match=f"receiver: its port 127.0.0.1:{port} is taken"):
            require_free_ports((receiver,))


def test_who_listens_nowhere_needs_no_port() -> None:
    require_free_ports((Daemon("worker", ("true",), None),))


def test_every_daemon_that_serves_has_the_port_that_it_is_asked_at() -> None:
    ports = {daemon.name: daemon.port for daemon in server.daemons()}
    assert ports["worker"] is None
    assert ports["prefect-server"] == server.server().port


def test_a_daemon_is_known_until_it_is_stopped() -> None:
    daemon = Daemon("sleeper", ("sleep", "600"), None)
    daemon.start({})
    started = daemon.process()
    daemon.start({})
    assert daemon.process() == started
    assert daemon.health().word == "up"
    daemon.stop()
    assert (daemon.process(), daemon.health().word) == (None, "down")


def test_the_lab_does_not_come_up_for_a_server_that_could_not() -> None:
    with socket.create_server(("127.0.0.1", server.server().port)):
        result = CliRunner().invoke(build("up"), ["up", "--lab"])
    assert isinstance(result.exception, ConfigError)
    assert "prefect-server: its port" in str(result.exception)
