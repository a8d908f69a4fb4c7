"""The stage push as a Prefect task."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.core.model import Image, ReleasedImage, Source
from tasks.core.registry import repository_of
from tasks.core.target import Target
from tasks.push.credentials import stored_credentials
from tasks.push.effects import is_pushed, push

__all__ = ["confirm_pushed", "push_image"]


@task(task_run_name="{image.component}: push")
def push_image(source: Source, image: Image, target: Target) -> ReleasedImage:
    """Push one image by digest; its tag is the commit."""
    repository = repository_of(source.application, image.component, target.registry)
    credentials = stored_credentials(repository.partition("/")[0])
    tagged = f"{repository}:{source.commit}"
    return push(image, tagged, target, credentials, get_run_logger().info)


@task(task_run_name="{image.component}: still pushed?", cache_policy=NO_CACHE)
def confirm_pushed(image: ReleasedImage, target: Target) -> bool:
    """Say whether the registry has the image under its digest, still."""
    credentials = stored_credentials(image.repository.partition("/")[0])
    return is_pushed(image, target, credentials)
