"""Writing into the audit trail, as Prefect tasks."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.audit import effects
from tasks.audit.decide import anchor_text
from tasks.audit.model import Deed, Kept
from tasks.core.clock import SystemClock
from tasks.core.cluster_api import connect
from tasks.core.target import Target
from tasks.core.task import SOON, again

__all__ = ["newest_entry", "write_entry"]


@task(task_run_name="{namespace}: audit trail: {deed.act}", **again(SOON))
def write_entry(target: Target, namespace: str, deed: Deed) -> Kept:
    """Write down what somebody did, once however often it is called."""
    with connect(target) as cluster:
        kept = effects.append(cluster, namespace, deed, SystemClock())
    get_run_logger().info("audit trail of %s: entry %s", namespace, kept.number)
    return kept


@task(task_run_name="{namespace}: audit trail so far", cache_policy=NO_CACHE, **again(SOON))
def newest_entry(target: Target, namespace: str) -> str:
    """Return how a record refers to the newest entry; empty where there is none."""
    with connect(target) as cluster:
        known = effects.fetch(cluster, namespace)
    return anchor_text(known[-1]) if known else ""
