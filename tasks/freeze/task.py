"""The gate of windows and freezes as a Prefect task."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.calendar import Calendar
from tasks.core.clock import utc_now
from tasks.core.gates import Freeze, Window
from tasks.freeze.decide import require_open_at

__all__ = ["require_thawed"]


@task(task_run_name="{environment}: windows and freezes", cache_policy=NO_CACHE)
def require_thawed(
    environment: str, freezes: tuple[Freeze, ...], windows: tuple[Window, ...] = ()
) -> None:
    """Return while nothing is frozen, and inside a window where there are any.

    Raises:
        GateClosed: a freeze holds, or no window is open.
    """
    require_open_at(environment, Calendar(windows, freezes), utc_now())
