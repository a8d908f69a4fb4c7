"""Prefect's server and our worker on this machine."""

import os
from typing import TYPE_CHECKING

from infra.server.daemons import (
    Daemon,
    Health,
    daemons,
    down,
    register,
    require_free_ports,
    require_up,
    up,
)
from infra.server.settings import Server, server
from infra.server.start import start

if TYPE_CHECKING:
    from infra.server.client import Runs

__all__ = [
    "Daemon",
    "Health",
    "Server",
    "connect",
    "daemons",
    "down",
    "register",
    "require_free_ports",
    "require_up",
    "server",
    "start",
    "up",
]


def connect() -> "Runs":
    """Open a client on this instance's Prefect.

    Raises:
        Unavailable: it does not answer.
    """
    # a person waits: half a minute for a server that comes back, not the hour of a flow's patience
    patience = {"PREFECT_CLIENT_MAX_RETRIES": "4"}
    os.environ.update({**require_up().environment(), **patience})
    from infra.server.client import Runs  # noqa: PLC0415 Prefect reads the environment on import

    return Runs.connect()
