"""Reads images as OCI layouts (OCI image layout specification 1.1): index, manifest, blobs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.errors import ToolFailed
from tasks.core.model import Digest

__all__ = ["Descriptor", "Layout", "Manifest", "read_layout"]

ATTESTS = "vnd.docker.reference.digest"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob by its digest."""

    digest: Digest
    size_bytes: int
    media_type: str
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest and what it is made of, in the order of the layers."""

    descriptor: Descriptor
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """An image in a folder.

    Attributes:
        attestation: provenance of the image; None where the builder made none.
    """

    folder: Path
    image: Manifest
    attestation: Manifest | None

    def blob(self, descriptor: Descriptor) -> Path:
        """Return the file that holds a blob."""
        return blob_path(self.folder, descriptor.digest)


def blob_path(folder: Path, digest: str) -> Path:
    """Return the file of a blob in a layout."""
    return folder / "blobs" / Path(*digest.split(":", 1))


def read_layout(folder: Path) -> Layout:
    """Read the one image of a layout, at the top or inside one nested index.

    Raises:
        ToolFailed: the folder is no layout, or holds another number of images than one.
    """
    try:
        entries = list(_entries(folder, json.loads((folder / "index.json").read_bytes())))
        images = [entry for entry in entries if not _attested(entry)]
        if len(images) != 1:
            raise ToolFailed(f"holds {len(images)} images instead of one", where=str(folder))
        image = _manifest(folder, images[0])
        of_it = [entry for entry in entries if _attested(entry) == image.descriptor.digest]
        attestation = _manifest(folder, of_it[0]) if of_it else None
    except (OSError, ValueError, KeyError) as error:
        raise ToolFailed(
            f"is no OCI image layout: {error!r}",
            where=str(folder),
            next_step="build the component again",
        ) from error
    return Layout(folder, image, attestation)


def _entries(folder: Path, index: dict[str, Any]) -> list[Descriptor]:
    found: list[Descriptor] = []
    for raw in index["manifests"]:
        descriptor = _descriptor(raw)
        if descriptor.media_type.endswith(("image.index.v1+json", "manifest.list.v2+json")):
            nested = blob_path(folder, descriptor.digest).read_bytes()
            found += _entries(folder, json.loads(nested))
        else:
            found.append(descriptor)
    return found


def _manifest(folder: Path, descriptor: Descriptor) -> Manifest:
    content = json.loads(blob_path(folder, descriptor.digest).read_bytes())
    layers = tuple(_descriptor(layer) for layer in content["layers"])
    return Manifest(descriptor, _descriptor(content["config"]), layers)


def _descriptor(raw: dict[str, Any]) -> Descriptor:
    annotations = tuple(sorted((raw.get("annotations") or {}).items()))
    return Descriptor(Digest(raw["digest"]), raw["size"], raw["mediaType"], annotations)


def _attested(descriptor: Descriptor) -> str | None:
    return dict(descriptor.annotations).get(ATTESTS)
