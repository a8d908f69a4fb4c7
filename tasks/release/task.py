"""The release stage as a Prefect task."""

from prefect import task

from tasks.core.model import Release, ReleasedImage, Source, Target
from tasks.release import effects

__all__ = ["assemble"]


@task(task_run_name="assemble {source.commit}", persist_result=True)
def assemble(
    source: Source, images: tuple[ReleasedImage, ...], target: Target, scan: tuple[str, ...] = ()
) -> Release:
    """Bind images and rendered manifests into a release."""
    return effects.assemble(source, images, target, scan)
