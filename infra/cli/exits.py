"""Exit codes of `slipway`; docs and scripts rely on them."""

from tasks.core.errors import ConfigError, GateClosed, SlipwayError, Unavailable

__all__ = ["GATE", "INTERRUPTED", "NO", "OK", "UNAVAILABLE", "USAGE", "code_for"]

OK = 0
NO = 1
"""The check, the stage or the program that was asked said no."""
USAGE = 2
"""A mistake on the command line or in a configuration file; nothing was changed."""
UNAVAILABLE = 3
"""Cluster, registry, Prefect or another server does not answer."""
GATE = 4
"""An approval, a freeze or a lock says no."""
INTERRUPTED = 130


def code_for(error: SlipwayError) -> int:
    """Return the exit code that an error ends the command with."""
    match error:
        case ConfigError():
            return USAGE
        case Unavailable():
            return UNAVAILABLE
        case GateClosed():
            return GATE
        case _:
            return NO
