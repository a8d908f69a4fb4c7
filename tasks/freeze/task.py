"""The gate of windows and freezes as a Prefect task."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.calendar import Calendar, Closed
from tasks.core.clock import utc_now

__all__ = ["find_closed", "require_open"]


@task(task_run_name="{environment}: windows and freezes", cache_policy=NO_CACHE)
def require_open(environment: str, calendar: Calendar) -> None:
    """Return while nothing is frozen, and inside a window where there are any.

    Raises:
        GateClosed: a freeze holds, or no window is open.
    """
    calendar.require_open(utc_now(), environment)


@task(task_run_name="{environment}: closed now?")
def find_closed(environment: str, calendar: Calendar) -> Closed | None:
    """Say why an environment is closed when a run first asks: the same all through the run."""
    del environment  # part of the result's key
    return calendar.closed(utc_now())
