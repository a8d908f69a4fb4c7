"""The stage smoke as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.bounds import bounds_of
from tasks.core.markdown import check_page
from tasks.core.model import CheckResult, Image, Release, Source
from tasks.core.target import Target
from tasks.core.task import publish, showing_refusal
from tasks.smoke.effects import smoke

__all__ = ["smoke_image"]


@task(task_run_name="{image.component}: smoke")
def smoke_image(source: Source, image: Image, target: Target, release: Release) -> CheckResult:
    """Run one image as the manifests of a release will run it."""
    application, name = source.application, image.component
    component, bounds = application.components[name], bounds_of(release, name)
    with showing_refusal("smoke", application.application, name):
        result = smoke(image, component, target, get_run_logger().info, bounds)
    publish(("smoke", application.application, name), check_page(result), result.sentence)
    return result
