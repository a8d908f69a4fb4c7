"""The stage smoke as a Prefect task."""

from prefect import task

from tasks.core.model import CheckResult, Image, Source, Target
from tasks.smoke.effects import smoke

__all__ = ["smoke_image"]


@task(task_run_name="smoke {image.component}")
def smoke_image(source: Source, image: Image, target: Target) -> CheckResult:
    """Run one image as the manifests will run it."""
    return smoke(image, source.application.components[image.component], target)
