"""Waiting for something to become true, with an end and a readable error."""

from collections.abc import Callable
from datetime import timedelta

from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import Unavailable

__all__ = ["wait_until"]

_STEP = timedelta(milliseconds=50)
_SYSTEM = SystemClock()


def wait_until(
    condition: Callable[[], bool],
    patience: timedelta,
    what: str,
    *,
    strict: bool = True,
    clock: Clock = _SYSTEM,
) -> None:
    """Ask again and again until the condition holds.

    Args:
        condition: asked every 50 ms.
        patience: how long.
        what: what is waited for, for the error ("kubelet to become healthy").
        strict: raise when the time is over, else just return.
        clock: tells and passes the time.

    Raises:
        Unavailable: it did not hold in time.
    """
    end = clock.now() + patience
    while not condition():
        if clock.now() >= end:
            if strict:
                raise Unavailable(f"waited {patience.total_seconds():.0f} s for {what}")
            return
        clock.wait(_STEP)
