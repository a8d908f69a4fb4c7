"""The stage preview as Prefect tasks."""

from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.core.clock import utc_now
from tasks.core.cluster_api import connect
from tasks.core.errors import Unavailable
from tasks.core.target import Target
from tasks.preview import effects
from tasks.preview.effects import Pull

__all__ = ["claim_namespace", "remove_namespace"]

PAUSES = [5.0] * 24
"""Seconds between tries: a namespace on its way out takes a while."""


@task(
    task_run_name="pr-{pull.number}: claim",
    cache_policy=NO_CACHE,
    retries=len(PAUSES),
    retry_delay_seconds=PAUSES,
    retry_condition_fn=lambda _task, _run, state: isinstance(
        state.result(raise_on_failure=False), Unavailable
    ),
)
def claim_namespace(pull: Pull, target: Target) -> datetime:
    """Make the namespace of a pull request, or keep it longer."""
    with connect(target) as cluster:
        return effects.claim(pull, cluster, utc_now())


@task(task_run_name="pr-{pull.number}: remove", cache_policy=NO_CACHE)
def remove_namespace(pull: Pull, target: Target, because: str) -> str:
    """Remove the namespace of a pull request; for its age only where it is old enough."""
    with connect(target) as cluster:
        said = effects.remove(pull, cluster, utc_now() if because == "age" else None)
    get_run_logger().info(said)
    return said
