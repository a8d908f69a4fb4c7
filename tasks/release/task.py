"""The release stage as Prefect tasks."""

from prefect import task

from tasks.core.model import Release, ReleasedImage, Source
from tasks.core.target import Builders, Target
from tasks.core.task import publish
from tasks.release import decide, effects
from tasks.release.render import release_page

__all__ = ["assemble", "draft_release"]


@task(task_run_name="manifests: render")
def draft_release(source: Source, target: Builders, number: int | None = None) -> Release:
    """Render the manifests of every environment, a pull request's too, before there are images."""
    return effects.draft(source, target, number)


@task(task_run_name="release: assemble {source.commit:.12}", persist_result=True)
def assemble(
    draft: Release,
    images: tuple[ReleasedImage, ...],
    source: Source,
    target: Target,
    scan: tuple[str, ...] = (),
) -> Release:
    """Bind images and rendered manifests into a release."""
    release = decide.assemble(draft, images, scan)
    words = ("release", release.application)
    publish(words, release_page(release, source, target), f"{release.id}: {release.subject}")
    return release
