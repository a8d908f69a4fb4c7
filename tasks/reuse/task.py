"""Looking up and remembering finished images, as Prefect tasks."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.bounds import bounds_of
from tasks.core.clock import utc_now
from tasks.core.model import Release, ReleasedImage, ScanResult, Source
from tasks.core.target import Target
from tasks.core.vulnerabilities import fetch_database, is_usable
from tasks.reuse import effects
from tasks.reuse.effects import Delivered, Terms

__all__ = ["find_checked", "find_delivered", "keep_checked", "keep_delivered"]


@task(task_run_name="{component}: checked before?", cache_policy=NO_CACHE)
def find_checked(source: Source, component: str) -> bool:
    """Say whether this content has passed what is asked of a pull request before."""
    now, database = utc_now(), fetch_database()
    usable = database.updated_at if is_usable(database, now) else None
    return effects.find_checked(source, component, now.date(), usable)


@task(task_run_name="{scan.component}: passed")
def keep_checked(source: Source, scan: ScanResult) -> None:
    """Remember a component that passed, for other checks."""
    effects.keep_checked(source, scan, utc_now().date())


@task(task_run_name="{component}: unchanged?", cache_policy=NO_CACHE)
def find_delivered(
    source: Source, component: str, target: Target, draft: Release
) -> Delivered | None:
    """Say whether this content has passed every stage before, as it would have to today."""
    now, database = utc_now(), fetch_database()
    usable = database.updated_at if is_usable(database, now) else None
    terms = Terms(target, now.date(), usable, bounds_of(draft, component))
    return effects.find(source, component, terms)


@task(task_run_name="{image.component}: passed")
def keep_delivered(
    source: Source, image: ReleasedImage, scan: ScanResult, target: Target, draft: Release
) -> Delivered:
    """Remember an image that passed every stage."""
    delivered = Delivered(image, scan)
    bounds = bounds_of(draft, image.component)
    effects.keep(source, delivered, Terms(target, utc_now().date(), scan.database, bounds))
    return delivered
