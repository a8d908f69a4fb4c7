"""Where Prefect listens and how its processes are set up."""

import ipaddress
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.lab.layout import current
from infra.webhook.keys import ensure_token
from tasks.core.errors import ConfigError
from tasks.core.files import write_whole
from tasks.core.paths import state_dir

__all__ = ["LOOPBACK", "USER", "Server", "listen_at", "reports_address", "reports_port", "server"]

LOOPBACK = "127.0.0.1"
USER = "slipway"
"""Who signs in at a server that listens beyond loopback; Prefect knows no other users."""

PORT_OFFSET = 42
REPORTS_OFFSET = 44


@dataclass(frozen=True, slots=True)
class Server:
    """Prefect of one instance.

    Attributes:
        port: on the host's address.
        home: Prefect's own folder: database, results, profiles.
        host: IP address that it listens on.
    """

    port: int
    home: Path
    host: str = LOOPBACK

    @property
    def api(self) -> str:
        """Address that clients on this machine speak to."""
        here = LOOPBACK if _is_wildcard(self.host) else self.host
        return f"{_url(here, self.port)}/api"

    @property
    def ui(self) -> str:
        """Address for people."""
        there = socket.getfqdn() if _is_wildcard(self.host) else self.host
        return _url(there, self.port)

    @property
    def password_file(self) -> Path:
        """Where the password of USER is, mode 600."""
        return self.home / "password"

    def password(self) -> str | None:
        """Return what its API asks for, None where only this machine reaches it."""
        return None if _is_loopback(self.host) else ensure_token(self.password_file)

    def environment(self) -> dict[str, str]:
        """Return the variables that each Prefect process of this instance needs."""
        return {
            **self._secrets(),
            "PREFECT_HOME": str(self.home),
            "PREFECT_PROFILES_PATH": str(self.home / "profiles.toml"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_API_HOST": self.host,
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_UI_API_URL": f"{self.ui}/api",
            "PREFECT_UI_URL": self.ui,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_CLIENT_RETRY_EXTRA_CODES": "503",
            "PREFECT_CLIENT_MAX_RETRIES": "10",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks",
            # commands and helper threads have no run that their lines belong to
            "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
            "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(self.home / "results"),
            "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
            # the server's events wake the worker; this is for what it may have missed
            "PREFECT_WORKER_QUERY_SECONDS": "3",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def _secrets(self) -> dict[str, str]:
        password = self.password()
        if password is None:
            return {}
        word = f"{USER}:{password}"
        return {"PREFECT_SERVER_API_AUTH_STRING": word, "PREFECT_API_AUTH_STRING": word}


def server() -> Server:
    """Return this instance's Prefect."""
    try:
        host = _host_file().read_text().strip()
    except FileNotFoundError:
        host = LOOPBACK
    return Server(current().port + PORT_OFFSET, state_dir() / "prefect", host)


def listen_at(host: str) -> None:
    """Choose the address that this instance's Prefect listens on from its next start.

    Raises:
        ConfigError: it is no IP address.
    """
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError as error:
        raise ConfigError(
            f"{host!r} is no IP address", where="--listen", next_step="0.0.0.0 means every one"
        ) from error
    _host_file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_host_file(), address.encode())


def _host_file() -> Path:
    return state_dir() / "listen"


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def _is_wildcard(host: str) -> bool:
    return ipaddress.ip_address(host).is_unspecified


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reports_port() -> int:
    """Return where the reports of rollouts are served, on loopback."""
    return current().port + REPORTS_OFFSET


def reports_address() -> str:
    """Return where a browser on this machine finds the reports."""
    return f"http://127.0.0.1:{reports_port()}"
