"""What buildx is asked for, so that a commit gives one digest on every machine."""

import re
from datetime import datetime

from tasks.core.model import Source
from tasks.core.oci import Layout

__all__ = ["archive_listing", "build_args", "cache_flags", "outdated", "output"]

_WANTS_EPOCH = re.compile(r"^\s*ARG\s+SOURCE_DATE_EPOCH\b", re.MULTILINE | re.IGNORECASE)


def output(folder: str, name: str, epoch_seconds: int) -> str:
    """Return the `--output` that writes a layout with the commit's time in every file.

    The time goes to the exporter: as a build argument it would be part of every step's cache key,
    and each commit would install its packages again.
    """
    reproducible = f"rewrite-timestamp=true,source-date-epoch={epoch_seconds}"
    return f"type=oci,tar=false,dest={folder},name={name},{reproducible}"


def build_args(source: Source, component: str, dockerfile: str) -> dict[str, str]:
    """Return the configured arguments; the commit's time only where the Dockerfile asks for it."""
    args = dict(source.application.components[component].image.args)
    if _WANTS_EPOCH.search(dockerfile):
        args.setdefault("SOURCE_DATE_EPOCH", str(int(source.committed_at.timestamp())))
    return args


def cache_flags(repository: str) -> tuple[str, ...]:
    """Return the flags for a cache that every builder with this registry shares.

    It has a repository of its own: nothing of an image is beside the released ones before the
    scan has passed it.
    """
    ref = f"ref={repository}-cache:buildcache"
    store = (
        f"type=registry,{ref},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
    )
    return ("--cache-from", f"type=registry,{ref}", "--cache-to", store)


def archive_listing(layout: Layout) -> list[dict[str, object]]:
    """Return `manifest.json` of `docker save` over the layout's own blobs."""
    blobs = [f"blobs/{layer.digest.replace(':', '/')}" for layer in layout.image.layers]
    config = f"blobs/{layout.image.config.digest.replace(':', '/')}"
    return [{"Config": config, "RepoTags": None, "Layers": blobs}]


def outdated(images: dict[str, datetime], now: datetime, keep: int, days: int) -> tuple[str, ...]:
    """Return the images beyond the newest ones that were not built for some days."""
    newest_first = sorted(images, key=lambda name: images[name], reverse=True)
    return tuple(name for name in newest_first[keep:] if (now - images[name]).days >= days)
