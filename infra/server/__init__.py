"""Prefect's server and our worker on this machine."""

from infra.server.daemons import Daemon, Health, daemons, down, require_up, up
from infra.server.settings import Server, server

__all__ = ["Daemon", "Health", "Server", "daemons", "down", "require_up", "server", "up"]
