"""Whether an environment lets anything in now."""

from datetime import datetime

from tasks.core.calendar import Calendar
from tasks.core.errors import GateClosed

__all__ = ["require_open_at"]


def require_open_at(environment: str, calendar: Calendar, now: datetime) -> None:
    """Return where an environment is open at an aware instant.

    Raises:
        GateClosed: a freeze holds, or no window is open.
    """
    closed = calendar.closed(now)
    if closed is not None:
        raise GateClosed(closed.reason, where=environment, next_step="deliver again after that")
