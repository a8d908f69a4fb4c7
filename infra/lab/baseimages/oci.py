"""Writes an image in the OCI layout, byte for byte the same for the same layers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from infra.lab.baseimages.recipe import EPOCH_SECONDS, BaseImage, Config
from tasks.core.process import run

__all__ = ["MANIFEST", "Blob", "Packed", "compress", "read_manifest", "write_layout"]

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
CREATED: Final = datetime.fromtimestamp(EPOCH_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed layer.

    Attributes:
        path: the gzip file.
        digest: of the file.
        diff_id: digest of what it unpacks to.
    """

    path: Path
    digest: str
    diff_id: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Something that a registry stores."""

    media_type: str
    digest: str
    size: int

    def descriptor(self) -> dict[str, str | int]:
        """Return it as a manifest refers to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def compress(tar: Path) -> Packed:
    """Compress a layer in place; gzip's `-n` leaves name and time out."""
    diff_id = _digest(tar)
    run(["gzip", "-n", "-6", "-f", str(tar)], timeout=timedelta(minutes=10))
    path = tar.with_name(tar.name + ".gz")
    return Packed(path, _digest(path), diff_id)


def write_layout(image: BaseImage, layers: Sequence[Packed], folder: Path) -> str:
    """Write blobs and index of an image and return its manifest's digest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    described = []
    for layer in layers:
        target = blobs / layer.digest.removeprefix("sha256:")
        target.hardlink_to(layer.path)
        described.append(Blob(LAYER, layer.digest, target.stat().st_size))
    config = _write(_config(image, layers), CONFIG, blobs)
    manifest = _write(_manifest(config, described), MANIFEST, blobs)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [manifest.descriptor()]}
    (folder / "index.json").write_text(json.dumps(index))
    return manifest.digest


def read_manifest(folder: Path) -> tuple[bytes, tuple[Blob, ...]]:
    """Return the manifest of a layout and every blob that it refers to."""
    index = json.loads((folder / "index.json").read_text())
    digest = str(index["manifests"][0]["digest"]).removeprefix("sha256:")
    raw = (folder / "blobs" / "sha256" / digest).read_bytes()
    manifest = json.loads(raw)
    parts = [manifest["config"], *manifest["layers"]]
    return raw, tuple(Blob(part["mediaType"], part["digest"], part["size"]) for part in parts)


def _manifest(config: Blob, layers: Sequence[Blob]) -> Mapping[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }


def _config(image: BaseImage, layers: Sequence[Packed]) -> Mapping[str, object]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {**_started(image.config), "Labels": _labels(image)},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [
            {"created": CREATED, "created_by": "slipway lab: made from Debian"} for _ in layers
        ],
    }


def _started(config: Config) -> dict[str, object]:
    words: dict[str, object] = {
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.cmd),
        "Env": list(config.env),
        "User": config.user,
        "WorkingDir": config.workdir,
        "ExposedPorts": {port: {} for port in config.ports},
        "Volumes": {volume: {} for volume in config.volumes},
        "StopSignal": config.stop_signal,
    }
    return {key: value for key, value in words.items() if value}


def _labels(image: BaseImage) -> dict[str, str]:
    about = f"Stand-in for {image.standing_for}, made from Debian by the Slipway lab"
    return {
        **dict(image.config.labels),
        "dev.slipway.stand-in-for": image.standing_for,
        "org.opencontainers.image.title": f"{image.repository} (stand-in)",
        "org.opencontainers.image.description": f"{about}; {image.notes}" if image.notes else about,
    }


def _write(document: Mapping[str, object], media_type: str, blobs: Path) -> Blob:
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(raw).hexdigest()
    (blobs / digest).write_bytes(raw)
    return Blob(media_type, f"sha256:{digest}", len(raw))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
