"""Looking up and remembering finished images, as Prefect tasks."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.clock import utc_now
from tasks.core.model import ReleasedImage, ScanResult, Source, Target
from tasks.reuse import effects
from tasks.reuse.effects import Delivered

__all__ = ["find_delivered", "keep_delivered"]


@task(task_run_name="{component}: unchanged?", cache_policy=NO_CACHE)
def find_delivered(source: Source, component: str, target: Target) -> Delivered | None:
    """Say whether this content has passed every stage before."""
    return effects.find(source, component, target, utc_now().date())


@task(task_run_name="{image.component}: passed")
def keep_delivered(
    source: Source, image: ReleasedImage, scan: ScanResult, target: Target
) -> Delivered:
    """Remember an image that passed every stage."""
    delivered = Delivered(image, scan)
    effects.keep(source, delivered, target, utc_now().date())
    return delivered
