"""From where a command was given, as the trail keeps it; nobody proves that."""

import getpass
import socket

__all__ = ["own_origin"]


def own_origin() -> str:
    """Say who is logged in here, and on which machine."""
    return f"{getpass.getuser()}@{socket.gethostname()} (slipway)"
