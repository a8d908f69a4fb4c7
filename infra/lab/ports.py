"""Whether a port of this machine's loopback is somebody's already."""

import socket
from datetime import timedelta

from infra.lab.waiting import wait_until

__all__ = ["stays_taken"]

_DYING = timedelta(seconds=2)
"""How long a program that was just killed may still hold its port."""


def stays_taken(port: int) -> bool:
    """Say whether a port on 127.0.0.1 is taken, and not just by somebody who is about to go."""
    wait_until(lambda: not _taken(port), _DYING, "", strict=False)
    return _taken(port)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
