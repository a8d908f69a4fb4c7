"""Builds images through BuildKit into OCI layouts, and keeps the newest of them."""

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.build.decide import archive_listing, build_args, cache_flags, outdated, output
from tasks.core.bases import bases_in, keep_bases
from tasks.core.buildkit import Build, dockerfile_of, run_build, scratch_folder
from tasks.core.clock import utc_now
from tasks.core.errors import StageFailed
from tasks.core.model import Image, Source
from tasks.core.oci import Layout, blob_path, read_layout
from tasks.core.paths import state_dir
from tasks.core.registry import repository_of
from tasks.core.target import Builders, Target
from tasks.core.units import format_size

__all__ = ["build"]

KEPT_IMAGES = 20
KEPT_DAYS = 7


def build(
    source: Source,
    component: str,
    target: Builders,
    log: Callable[[str], None],
    flags: tuple[str, ...] = (),
) -> Image:
    """Build a component's image; the same commit gives the same digest.

    Args:
        source: the commit's clean tree.
        component: its name in slipway.yaml.
        target: which BuildKit builds, and which registry keeps the cache: that is for targets
            alone, so that code that nobody has reviewed writes nothing that others read.
        log: takes each line that a person should read.
        flags: further ones of buildx; `--pull` and `--no-cache` build on fresh base images.

    Raises:
        StageFailed: a step failed, or the Dockerfile cannot be built.
        Unavailable: BuildKit or a base image's registry does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="image-", dir=scratch_folder()) as scratch:
        draft = Path(scratch) / "image"
        draft.mkdir()
        request = _request(source, component, target, draft / "layout")
        _build(replace(request, flags=(*request.flags, *flags)), target, log)
        _flatten(draft / "layout")
        layout = read_layout(draft / "layout")
        _write_archive(layout, draft / "image.tar")
        keep_bases(layout.image.descriptor.digest, bases_in(layout))
        home = _move(draft, layout.image.descriptor.digest)
    _prune(utc_now())
    return _describe(component, home, log)


def _request(source: Source, component: str, target: Builders, layout: Path) -> Build:
    described = source.application.components[component]
    dockerfile = dockerfile_of(source, component)
    repository = repository_of(source.application, component, target.registry)
    shared = cache_flags(repository) if isinstance(target, Target) else ()
    return Build(
        where=f"{source.application.application}/{component}",
        context=Path(source.tree) / described.context,
        dockerfile=dockerfile,
        target=described.image.target,
        deadline=described.image.deadline,
        args=build_args(source, component, dockerfile.read_text(errors="replace")),
        outputs=(output(str(layout), repository, int(source.committed_at.timestamp())),),
        flags=("--provenance", "mode=max", *shared),
    )


def _build(request: Build, target: Builders, log: Callable[[str], None]) -> None:
    built = run_build(request, target, log)
    if built.failed is not None:
        lines = "\n".join(built.tail)
        raise StageFailed(
            f"`{built.failed.name}` failed:\n{lines}",
            where=request.where,
            next_step="correct the step and push again",
        )


def _flatten(folder: Path) -> None:
    """Put image and attestation side by side at the top, where every reader finds them."""
    shutil.rmtree(folder / "ingest", ignore_errors=True)
    top = json.loads((folder / "index.json").read_bytes())["manifests"]
    if len(top) == 1 and top[0]["mediaType"].endswith("image.index.v1+json"):
        nested = blob_path(folder, top[0]["digest"])
        (folder / "index.json").write_bytes(nested.read_bytes())


def _write_archive(layout: Layout, archive: Path) -> None:
    """Write what `docker load` reads out of the layout's own blobs.

    BuildKit's docker exporter refuses images with provenance; the engine unpacks gzip itself.
    """
    listing = json.dumps(archive_listing(layout)).encode()
    members = {blob.digest: blob for blob in (layout.image.config, *layout.image.layers)}
    with tarfile.open(archive, "w") as tar:
        header = tarfile.TarInfo("manifest.json")
        header.size = len(listing)
        tar.addfile(header, io.BytesIO(listing))
        for blob in members.values():
            tar.add(layout.blob(blob), f"blobs/{blob.digest.replace(':', '/')}")


def _move(draft: Path, digest: str) -> Path:
    """Bring a finished image to its place; one that is there already is the same."""
    home = state_dir() / "images" / digest.replace(":", "-")
    home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        draft.rename(home)
    except OSError:
        if not home.is_dir():
            raise
        os.utime(home)
    return home


def _describe(component: str, home: Path, log: Callable[[str], None]) -> Image:
    image = read_layout(home / "layout").image
    size_bytes = image.config.size_bytes + sum(layer.size_bytes for layer in image.layers)
    log(f"image {image.descriptor.digest}, {format_size(size_bytes)} compressed")
    return Image(
        component=component,
        digest=image.descriptor.digest,
        config_digest=image.config.digest,
        layout=str(home / "layout"),
        archive=str(home / "image.tar"),
        size_bytes=size_bytes,
    )


def _prune(now: datetime) -> None:
    folder = state_dir() / "images"
    built: dict[str, datetime] = {}
    for path in folder.glob("sha256-*"):
        with suppress(FileNotFoundError):
            built[path.name] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    for name in outdated(built, now, KEPT_IMAGES, KEPT_DAYS):
        shutil.rmtree(folder / name, ignore_errors=True)
