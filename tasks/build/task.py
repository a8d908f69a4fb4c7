"""The stage build as a Prefect task."""

from prefect import get_run_logger, task

from tasks.build.effects import build
from tasks.build.render import image_page
from tasks.core.model import Image, Source
from tasks.core.target import Builders
from tasks.core.task import publish, showing_refusal

__all__ = ["build_image"]


@task(task_run_name="{component}: build")
def build_image(
    source: Source, component: str, target: Builders, flags: tuple[str, ...] = ()
) -> Image:
    """Build the image of one component; flags are further ones of buildx."""
    application = source.application.application
    with showing_refusal("build", application, component):
        image = build(source, component, target, get_run_logger().info, flags)
    words = ("image", application, component)
    publish(words, image_page(image, source), str(image.digest))
    return image
