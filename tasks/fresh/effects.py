"""Asks BuildKit which image a reference stands for today."""

import json
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from tasks.core.bases import parse_bases, recall_bases
from tasks.core.buildkit import Build, dockerfile_of, run_build, scratch_folder
from tasks.core.errors import Unavailable
from tasks.core.model import Digest, ReleasedImage, Source
from tasks.core.target import Target
from tasks.fresh.decide import compare, moving, to_refresh
from tasks.fresh.model import Look, Part

__all__ = ["look", "resolve"]

DEADLINE = timedelta(minutes=2)
PROVENANCE = {"BUILDX_METADATA_PROVENANCE": "min"}


def look(
    source: Source,
    images: tuple[ReleasedImage, ...],
    target: Target,
    refresh: tuple[str, ...],
    log: Callable[[str], None],
) -> Look:
    """Hold the images of a live release against today's base images.

    Args:
        source: the live commit.
        images: of the live release.
        target: whose BuildKit is asked.
        refresh: stages of Dockerfiles that are built without the cache.
        log: takes each line that a person should read.

    Raises:
        Unavailable: BuildKit or a registry does not answer.
    """
    known = {image.component: recall_bases(image.digest) for image in images}
    wanted = {name for bases in known.values() for name in moving(bases or ())}
    today = _resolve_all(sorted(wanted), target)
    parts: list[Part] = []
    for image in images:
        if image.component not in source.application.components:
            continue
        dockerfile = dockerfile_of(source, image.component).read_text(errors="replace")
        stages = to_refresh(dockerfile, refresh)
        part = compare(image, known[image.component], today, stages)
        log(f"{part.component}: {part.why}")
        parts.append(part)
    return Look(tuple(parts))


def _resolve_all(references: Iterable[str], target: Target) -> dict[str, Digest]:
    return {reference: resolve(reference, target) for reference in references}


def resolve(reference: str, target: Target) -> Digest:
    """Return the digest that a reference stands for today, through BuildKit's own registries.

    A build of the image as it is makes BuildKit look the name up, as a Dockerfile's FROM would
    with all its mirrors and credentials; no layer is pulled.

    Raises:
        Unavailable: BuildKit or the image's registry does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="base-", dir=scratch_folder()) as scratch:
        folder = Path(scratch)
        context, told = folder / "context", folder / "told.json"
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {reference} AS base\n")
        build = Build(
            where=reference,
            context=context,
            dockerfile=context / "Dockerfile",
            target="base",
            deadline=DEADLINE,
            flags=("--pull", "--metadata-file", str(told)),
            environment=PROVENANCE,
        )
        run_build(build, target, lambda _line: None)
        predicate = json.loads(told.read_bytes()).get("buildx.build.provenance") or {}
    found = parse_bases(predicate)
    if not found:
        raise Unavailable(
            "BuildKit does not say which image it found",
            where=reference,
            next_step="a BuildKit of 0.11 or later keeps a build's provenance",
        )
    return found[0].digest
