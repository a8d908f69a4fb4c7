"""The freeze gate as a Prefect task."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.application import Freeze
from tasks.core.clock import utc_now
from tasks.core.errors import GateClosed
from tasks.freeze.decide import frozen_until

__all__ = ["require_thawed"]


@task(task_run_name="{environment}: freezes", cache_policy=NO_CACHE)
def require_thawed(environment: str, freezes: tuple[Freeze, ...]) -> None:
    """Return while nothing is frozen.

    Raises:
        GateClosed: a freeze holds.
    """
    end = frozen_until(freezes, utc_now())
    if end is not None:
        raise GateClosed(
            f"frozen until {end:%a %Y-%m-%d %H:%M %Z}",
            where=environment,
            next_step="deliver again after that",
        )
