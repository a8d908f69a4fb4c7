"""Looking for newer base images, as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.model import ReleasedImage, Source
from tasks.core.target import Target
from tasks.fresh import effects
from tasks.fresh.model import Look

__all__ = ["look_for_newer_bases"]


@task(task_run_name="{environment}: newer base images?")
def look_for_newer_bases(
    environment: str,
    source: Source,
    images: tuple[ReleasedImage, ...],
    target: Target,
    refresh: tuple[str, ...],
) -> Look:
    """Say which components of a live release would be built on other images today."""
    del environment  # part of the task's name
    return effects.look(source, images, target, refresh, get_run_logger().info)
