"""The stage source as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.model import Source
from tasks.source import effects
from tasks.source.decide import require_storable

__all__ = ["fetch_source"]


@task(task_run_name="source: {revision}")
def fetch_source(repository: str, revision: str) -> Source:
    """Bring a commit onto this machine as a clean tree."""
    require_storable(repository)
    return effects.fetch_source(repository, revision, get_run_logger().info)
