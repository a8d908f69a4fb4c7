"""Cheap questions about whether something serves: one try, no waiting, never an exception."""

import socket
from pathlib import Path

import httpx

__all__ = ["answers", "listens"]

_TIMEOUT = 2.0


def answers(url: str) -> bool:
    """Say whether a GET ends with a status below 400; certificates are not looked at."""
    try:
        with httpx.Client(verify=False, trust_env=False, timeout=_TIMEOUT) as client:  # noqa: S501 the lab's own
            return client.get(url).is_success
    except httpx.HTTPError:
        return False


def listens(path: Path) -> bool:
    """Say whether a Unix socket takes connections."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True
