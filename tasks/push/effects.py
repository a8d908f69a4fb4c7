"""Brings an image into a registry and makes sure that what arrived is what was scanned."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

from tasks.core.errors import Conflict, StageFailed
from tasks.core.model import Digest, Image, ReleasedImage
from tasks.core.oci import Descriptor, Layout, Manifest, read_layout
from tasks.core.target import Target
from tasks.core.units import format_size
from tasks.push.client import Registry
from tasks.push.decide import INDEX_TYPE, parse_reference, with_referrer
from tasks.push.model import Credentials

__all__ = ["is_pushed", "push"]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

logger = logging.getLogger(__name__)


def push(
    image: Image,
    repository: str,
    target: Target,
    credentials: Credentials | None = None,
    log: Callable[[str], None] = logger.info,
) -> ReleasedImage:
    """Push an image by its digest, with its provenance, and verify it there.

    Safe to repeat and to interrupt: what the registry has is not sent again, and the manifest,
    which makes the image visible, comes last.

    Args:
        image: its layout is read, its digest is what must arrive.
        repository: `host/path`, or `host/path:tag` for a tag that people can read.
        target: whose certificates are trusted.
        credentials: of the registry; None where it asks for none.
        log: takes each line that a person should read.

    Raises:
        ConfigError: the registry refuses the credentials, or the name is none.
        StageFailed: the image on this machine is not what was built, or does not fit.
        Unavailable: the registry does not answer.
        Conflict: the registry holds something else under the digest or the tag.
    """
    reference = parse_reference(repository)
    layout = read_layout(Path(image.layout))
    _require_same(image, layout)
    registry = Registry.connect(reference, credentials, target.ca_certificates)
    with registry.http:
        _push_manifest(registry, layout, layout.image, log)
        if layout.attestation is not None:
            _push_attestation(registry, layout, layout.attestation, log)
        if reference.tag is not None:
            _put(registry, layout, layout.image.descriptor, name=reference.tag)
    log(f"pushed {reference.repository}@{image.digest}")
    return ReleasedImage(image.component, reference.repository, image.digest)


def is_pushed(image: ReleasedImage, target: Target, credentials: Credentials | None = None) -> bool:
    """Ask the registry whether it has an image under its digest, still.

    Raises:
        ConfigError: the registry refuses the credentials.
        Unavailable: the registry does not answer.
    """
    reference = parse_reference(image.repository)
    registry = Registry.connect(reference, credentials, target.ca_certificates)
    with registry.http:
        return registry.manifest_digest(image.digest, MANIFEST_TYPE) is not None


def _require_same(image: Image, layout: Layout) -> None:
    if layout.image.descriptor.digest != image.digest:
        raise StageFailed(
            f"holds {layout.image.descriptor.digest}, but {image.digest} was built and scanned",
            where=image.layout,
            next_step="deliver again; somebody changed the folder",
        )


def _push_manifest(
    registry: Registry, layout: Layout, manifest: Manifest, log: Callable[[str], None]
) -> bool:
    for blob in dict.fromkeys((manifest.config, *manifest.layers)):
        if registry.has_blob(blob):
            log(f"{_short(blob)} is there already")
            continue
        file = _checked(layout, blob)
        log(f"{_short(blob)} is sent, {format_size(blob.size_bytes)}")
        registry.upload_blob(blob, file)
    return _put(registry, layout, manifest.descriptor, name=manifest.descriptor.digest)


def _put(registry: Registry, layout: Layout, manifest: Descriptor, name: str) -> bool:
    """Store a manifest under a name and ask the registry what it has there."""
    content = _checked(layout, manifest).read_bytes()
    listed = registry.put_manifest(name, content, manifest.media_type)
    stored = registry.manifest_digest(name, manifest.media_type)
    if stored == "":
        again = registry.manifest(name, manifest.media_type) or b""
        stored = Digest(f"sha256:{hashlib.sha256(again).hexdigest()}")
    if stored != manifest.digest:
        raise Conflict(
            f"the registry has {stored or 'nothing'} as {name}, {manifest.digest} was pushed",
            where=registry.reference.repository,
            next_step="look who else pushes there, then deliver again",
        )
    return listed


def _push_attestation(
    registry: Registry, layout: Layout, attestation: Manifest, log: Callable[[str], None]
) -> None:
    """Store provenance as a referrer, and list it by tag where the registry cannot do so."""
    if _push_manifest(registry, layout, attestation, log):
        return
    tag = layout.image.descriptor.digest.replace(":", "-")
    content = json.loads(layout.blob(attestation.descriptor).read_bytes())
    kind = content.get("artifactType") or attestation.config.media_type
    index = with_referrer(registry.manifest(tag, INDEX_TYPE), attestation.descriptor, kind)
    registry.put_manifest(tag, index, INDEX_TYPE)


def _checked(layout: Layout, blob: Descriptor) -> Path:
    """Hash a blob again right before it is sent."""
    file = layout.blob(blob)
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        digest = "nothing"
    if f"sha256:{digest}" != blob.digest:
        raise StageFailed(
            f"blob {blob.digest} was changed on this machine",
            where=str(layout.folder),
            next_step="check the disk, remove the folder and deliver again",
        )
    return file


def _short(blob: Descriptor) -> str:
    return blob.digest[:19]
