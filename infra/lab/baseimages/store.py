"""Base images on this machine: made once, kept by recipe, pushed where they are missing."""

import hashlib
import shutil
import tempfile
from pathlib import Path

import httpx
from filelock import FileLock

from infra.lab.baseimages.oci import MANIFEST, Blob, Packed, compress, read_manifest, write_layout
from infra.lab.baseimages.recipe import BaseImage, Layer, digest_of
from infra.lab.baseimages.rootfs import Tools, make_layer
from tasks.core.errors import Unavailable

__all__ = ["build", "layout_of", "push"]

TIMEOUT_SECONDS = 60


def layout_of(image: BaseImage, store: Path) -> Path:
    """Say where the image's OCI layout is or will be."""
    return store / f"{image.repository.replace('/', '-')}-{image.tags[0]}-{digest_of(image)}"


def build(image: BaseImage, store: Path, tools: Tools) -> Path:
    """Make the image unless it is there, and return its OCI layout."""
    layout = layout_of(image, store)
    if layout.exists():
        return layout
    layers = [_layer(layer, store, tools) for layer in image.layers]
    store.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=store, prefix=".unfinished-"))
    try:
        write_layout(image, layers, unfinished)
        unfinished.chmod(0o755)
        unfinished.rename(layout)
    except OSError:
        if not layout.exists():  # otherwise another instance was quicker with the same image
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return layout


def _layer(layer: Layer, store: Path, tools: Tools) -> Packed:
    """Return the compressed layer; images that share a layer share its bytes."""
    folder = store / "layers" / digest_of(layer)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                tar = Path(work) / "layer.tar"
                make_layer(layer, tar, tools)
                packed = compress(tar)
                (Path(work) / "diff_id").write_text(packed.diff_id)
                (Path(work) / "digest").write_text(packed.digest)
                shutil.copytree(work, folder)
    return Packed(
        path=folder / "layer.tar.gz",
        digest=(folder / "digest").read_text(),
        diff_id=(folder / "diff_id").read_text(),
    )


def push(image: BaseImage, layout: Path, registry: str) -> None:
    """Bring the image under all its tags into a registry (`host:port`, plain HTTP).

    Raises:
        Unavailable: the registry does not answer or refuses.
    """
    raw, blobs = read_manifest(layout)
    base = f"http://{registry}/v2/{image.repository}"
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            missing = [tag for tag in image.tags if not _holds(client, base, tag, raw)]
            for blob in blobs if missing else ():
                _push_blob(client, base, blob, layout)
            for tag in missing:
                headers = {"Content-Type": MANIFEST}
                client.put(
                    f"{base}/manifests/{tag}", content=raw, headers=headers
                ).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{image.repository} cannot be pushed: {error}",
            where=f"registry {registry}",
            next_step="slipway lab logs registry",
        ) from error


def _holds(client: httpx.Client, base: str, tag: str, raw: bytes) -> bool:
    answer = client.head(f"{base}/manifests/{tag}", headers={"Accept": MANIFEST})
    held = answer.headers.get("Docker-Content-Digest")
    return answer.is_success and held == f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _push_blob(client: httpx.Client, base: str, blob: Blob, layout: Path) -> None:
    if client.head(f"{base}/blobs/{blob.digest}").status_code == httpx.codes.OK:
        return
    started = client.post(f"{base}/blobs/uploads/")
    started.raise_for_status()
    place = httpx.URL(started.headers["Location"]).copy_merge_params({"digest": blob.digest})
    path = layout / "blobs" / "sha256" / blob.digest.removeprefix("sha256:")
    with path.open("rb") as content:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        client.put(place, content=content, headers=headers).raise_for_status()
