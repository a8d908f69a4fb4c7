"""The stage smoke as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.markdown import check_page
from tasks.core.model import CheckResult, Image, Source, Target
from tasks.core.task import publish, showing_refusal
from tasks.smoke.effects import smoke

__all__ = ["smoke_image"]


@task(task_run_name="{image.component}: smoke")
def smoke_image(source: Source, image: Image, target: Target) -> CheckResult:
    """Run one image as the manifests will run it."""
    application, name = source.application, image.component
    with showing_refusal("smoke", application.application, name):
        result = smoke(image, application.components[name], target, get_run_logger().info)
    publish(("smoke", application.application, name), check_page(result), result.sentence)
    return result
