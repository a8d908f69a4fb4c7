"""The stage smoke as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.model import CheckResult, Image, Source, Target
from tasks.smoke.effects import smoke

__all__ = ["smoke_image"]


@task(task_run_name="{image.component}: smoke")
def smoke_image(source: Source, image: Image, target: Target) -> CheckResult:
    """Run one image as the manifests will run it."""
    component = source.application.components[image.component]
    return smoke(image, component, target, get_run_logger().info)
