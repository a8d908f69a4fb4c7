"""The stage build as a Prefect task."""

from prefect import get_run_logger, task

from tasks.build.effects import build
from tasks.core.model import Image, Source, Target

__all__ = ["build_image"]


@task(task_run_name="{component}: build")
def build_image(source: Source, component: str, target: Target) -> Image:
    """Build the image of one component."""
    return build(source, component, target, get_run_logger().info)
