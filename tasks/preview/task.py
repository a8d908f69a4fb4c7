"""The stage preview as Prefect tasks."""

from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.core.application import Application
from tasks.core.clock import utc_now
from tasks.core.cluster_api import connect
from tasks.core.model import Release
from tasks.core.target import Target
from tasks.core.task import SOON, again
from tasks.preview import effects
from tasks.preview.decide import require_inside
from tasks.preview.effects import Pull

__all__ = ["claim_namespace", "inspect_kinds", "remove_namespace"]

PAUSES = [5.0] * 24
"""Seconds between tries: a namespace on its way out takes a while."""


@task(task_run_name="pr-{number}: kinds", cache_policy=NO_CACHE, **again(SOON))
def inspect_kinds(release: Release, application: Application, number: int, target: Target) -> None:
    """See by what the cluster says of kinds that a preview changes its own namespace alone."""
    with connect(target) as cluster:
        wide = effects.wide_kinds(release, number, cluster)
    require_inside(release, application, number, wide)


@task(
    task_run_name="pr-{pull.number}: claim",
    cache_policy=NO_CACHE,
    **again(PAUSES),
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
