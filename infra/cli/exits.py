"""Exit codes of `slipway`; docs and scripts rely on them."""

from tasks.core.errors import ConfigError, GateClosed, SlipwayError, Unavailable

__all__ = [
    "EPILOG",
    "FAULT",
    "GATE",
    "INTERRUPTED",
    "NO",
    "OK",
    "UNAVAILABLE",
    "USAGE",
    "code_for",
    "code_for_name",
]

OK = 0
NO = 1
"""The check, the stage or the program that was asked said no."""
USAGE = 2
"""A mistake on the command line or in a configuration file; nothing was changed."""
UNAVAILABLE = 3
"""Cluster, registry, Prefect or another server does not answer."""
GATE = 4
"""An approval, a freeze or a lock says no."""
FAULT = 70
"""A fault of Slipway's own; its trace is in a file (sysexits.h: EX_SOFTWARE)."""
INTERRUPTED = 130

EPILOG = (
    "Exit codes: 0 done; 1 the answer is no, or it failed; 2 a mistake in the arguments or in a "
    "configuration file; 3 a server does not answer; 4 an approval, a freeze or a lock says no; "
    "70 a fault of Slipway's own; 130 interrupted."
)


def code_for(error: SlipwayError) -> int:
    """Return the exit code that an error ends the command with."""
    return code_for_name(type(error).__name__)


def code_for_name(error: str) -> int:
    """Return the exit code for an error by the name of its class, as a run's state keeps it."""
    codes = {
        ConfigError.__name__: USAGE,
        Unavailable.__name__: UNAVAILABLE,
        GateClosed.__name__: GATE,
    }
    return codes.get(error, NO)
