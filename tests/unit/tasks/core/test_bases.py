import json
from pathlib import Path

import pytest

from tasks.core.bases import Base, bases_in, keep_bases, parse_bases, recall_bases
from tasks.core.model import Digest
from tasks.core.oci import Descriptor, Layout, Manifest

NODE = "9" * 64
BUSYBOX = "c" * 64
IMAGE = Digest(f"sha256:{'1' * 64}")


def material(uri: str, digest: str = NODE) -> dict[str, object]:
    return {"uri": uri, "digest": {"sha256": digest}}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        pytest.param(
            "pkg:docker/python@3.11-slim-bookworm?platform=linux%2Famd64",
            Base("python:3.11-slim-bookworm", Digest(f"sha256:{NODE}")),
            id="an image of Docker Hub",
        ),
        pytest.param(
            "pkg:docker/gcr.io/distroless/nodejs22-debian12@nonroot?platform=linux%2Famd64",
            Base("gcr.io/distroless/nodejs22-debian12:nonroot", Digest(f"sha256:{NODE}")),
            id="an image of another registry",
        ),
        pytest.param(
            "pkg:docker/127.0.0.1:5000/base@1",
            Base("127.0.0.1:5000/base:1", Digest(f"sha256:{NODE}")),
            id="a registry with a port",
        ),
        pytest.param(
            "pkg:docker/alpine?platform=linux%2Famd64",
            Base("alpine:latest", Digest(f"sha256:{NODE}")),
            id="a name without a tag",
        ),
        pytest.param(
            f"pkg:docker/alpine@3.20?digest=sha256:{NODE}&platform=linux%2Famd64",
            Base("alpine:3.20", Digest(f"sha256:{NODE}"), pinned=True),
            id="a tag with a digest is pinned",
        ),
        pytest.param(
            f"pkg:docker/alpine?digest=sha256:{NODE}&platform=linux%2Famd64",
            Base("alpine", Digest(f"sha256:{NODE}"), pinned=True),
            id="a digest without a tag is pinned",
        ),
    ],
)
def test_a_base_image_is_read_from_what_buildkit_says_it_took(uri: str, expected: Base) -> None:
    assert parse_bases({"materials": [material(uri)]}) == (expected,)


def test_repositories_and_files_that_a_build_took_are_no_base_images() -> None:
    taken = [material("https://example.com/tool.tar"), material("pkg:docker/alpine@3")]
    found = parse_bases({"buildDefinition": {"resolvedDependencies": taken}})
    assert [base.reference for base in found] == ["alpine:3"]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    blobs = tmp_path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    statements = {
        "a": {"predicateType": "https://spdx.dev/Document", "predicate": {}},
        "b": {
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {"buildDefinition": {"resolvedDependencies": [
                material("pkg:docker/busybox@1.36", BUSYBOX)
            ]}},
        },
    }  # fmt: skip
    for name, statement in statements.items():
        (blobs / (name * 64)).write_text(json.dumps(statement))
    layers = tuple(Descriptor(Digest(f"sha256:{name * 64}"), 1, "x") for name in statements)
    image = Manifest(Descriptor(IMAGE, 1, "x"), layers[0], ())
    return Layout(tmp_path, image, Manifest(layers[0], layers[0], layers))


def test_the_provenance_beside_an_image_names_its_base_images(layout: Layout) -> None:
    assert bases_in(layout) == (Base("busybox:1.36", Digest(f"sha256:{BUSYBOX}")),)


def test_an_image_is_remembered_longer_than_it_is_kept(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    assert recall_bases(IMAGE) is None
    keep_bases(IMAGE, bases_in(layout))
    assert recall_bases(IMAGE) == bases_in(layout)


def test_an_image_without_provenance_is_not_remembered_as_one_that_was_built_on_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    keep_bases(IMAGE, None)
    assert recall_bases(IMAGE) is None
