"""Prefect's server and our worker on this machine."""

from infra.server.client import connect
from infra.server.daemons import (
    Daemon,
    Health,
    daemon,
    daemons,
    down,
    require_free_ports,
    require_up,
    up,
)
from infra.server.settings import Server, server
from infra.server.start import Launcher, start

__all__ = [
    "Daemon",
    "Health",
    "Launcher",
    "Server",
    "connect",
    "daemon",
    "daemons",
    "down",
    "require_free_ports",
    "require_up",
    "server",
    "start",
    "up",
]
