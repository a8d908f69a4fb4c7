"""Where Prefect listens and how its processes are set up."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.lab.layout import current
from tasks.core.paths import state_dir

__all__ = ["Server", "reports_address", "reports_port", "server"]

PORT_OFFSET = 42
REPORTS_OFFSET = 44


@dataclass(frozen=True, slots=True)
class Server:
    """Prefect of one instance.

    Attributes:
        port: on loopback.
        home: Prefect's own folder: database, results, profiles.
    """

    port: int
    home: Path

    @property
    def api(self) -> str:
        """Address that clients speak to."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def ui(self) -> str:
        """Address for people."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables that each Prefect process of this instance needs."""
        return {
            "PREFECT_HOME": str(self.home),
            "PREFECT_PROFILES_PATH": str(self.home / "profiles.toml"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_UI_API_URL": self.api,
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


def server() -> Server:
    """Return this instance's Prefect."""
    return Server(current().port + PORT_OFFSET, state_dir() / "prefect")


def reports_port() -> int:
    """Return where the reports of rollouts are served, on loopback."""
    return current().port + REPORTS_OFFSET


def reports_address() -> str:
    """Return where a browser on this machine finds the reports."""
    return f"http://127.0.0.1:{reports_port()}"
