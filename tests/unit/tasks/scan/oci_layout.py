"""Makes an OCI image layout out of files, without a builder (OCI image specification 1.1)."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.core.model import Digest, Image

__all__ = ["ImageFiles", "write_image"]

DEBIAN = {"etc/os-release": b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'}


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """What goes into an image; each layer maps paths without a leading slash to contents."""

    layers: tuple[Mapping[str, bytes], ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    executable: frozenset[str] = frozenset()


def write_image(folder: Path, files: ImageFiles, component: str = "api") -> Image:
    """Write the layout to `folder/layout` and a tar for `docker load` to `folder/image.tar`."""
    blobs = folder / "layout" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    tars = [_tar(layer, files.executable) for layer in files.layers]
    config = _blob(blobs, json.dumps(_config(files, tars)).encode())
    layers = [_blob(blobs, gzip.compress(tar, mtime=0)) for tar in tars]
    manifest = _blob(blobs, json.dumps(_manifest(config, layers)).encode())
    _write_index(folder / "layout", manifest)
    _write_archive(folder / "image.tar", files, tars)
    return Image(
        component=component,
        digest=Digest(manifest["digest"]),
        config_digest=Digest(config["digest"]),
        layout=str(folder / "layout"),
        archive=str(folder / "image.tar"),
        size_bytes=sum(layer["size"] for layer in layers),
    )


def _tar(layer: Mapping[str, bytes], executable: frozenset[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in sorted(layer.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if path in executable else 0o644
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _config(files: ImageFiles, tars: list[bytes]) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(files.config),
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar in tars]},
        "history": [
            {"created_by": f"COPY layer-{number} /"} for number, _ in enumerate(tars, start=1)
        ],
    }


def _manifest(config: dict[str, Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    kind = "application/vnd.oci.image"
    return {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **config},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", **layer} for layer in layers],
    }


def _write_index(layout: Path, manifest: dict[str, Any]) -> None:
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def _write_archive(archive: Path, files: ImageFiles, tars: list[bytes]) -> None:
    """The format of `docker save` (moby image specification 1.2): what an old engine loads."""
    config = json.dumps(_config(files, tars)).encode()
    name = _digest(config).removeprefix("sha256:") + ".json"
    paths = [f"{number}/layer.tar" for number, _ in enumerate(tars, start=1)]
    listing = json.dumps([{"Config": name, "RepoTags": None, "Layers": paths}]).encode()
    contents = {name: config, "manifest.json": listing, **dict(zip(paths, tars, strict=True))}
    archive.write_bytes(_tar(contents, frozenset()))


def _blob(blobs: Path, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    return {"digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
