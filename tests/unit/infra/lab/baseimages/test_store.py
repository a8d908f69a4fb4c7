import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from infra.lab.baseimages import BaseImage, Tools, build, push
from infra.lab.baseimages.oci import read_manifest
from infra.lab.baseimages.recipe import Config, Folder, Link
from tasks.core.errors import Unavailable

IMAGE = BaseImage(
    repository="library/tiny",
    tags=("1", "latest"),
    layers=((Link("one", "two"),), (Link("three", "four"),)),
    config=Config(cmd=("one",), user="7"),
    standing_for="docker.io/library/tiny:1",
)


@dataclass
class Shelf:
    """What a registry holds, and every write that it took."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shelf: ClassVar[Shelf]

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        name = self.path.rpartition("/")[2]
        held = self.shelf.blobs.get(name) or self.shelf.manifests.get(name)
        digest = f"sha256:{hashlib.sha256(held).hexdigest()}" if held else ""
        self._answer(200 if held else 404, {"Docker-Content-Digest": digest})

    def do_POST(self) -> None:
        self._answer(202, {"Location": f"http://{self.headers['Host']}/upload?state=1"})

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if "/manifests/" in self.path:
            tag = self.path.rpartition("/")[2]
            self.shelf.manifests[tag] = content
            self.shelf.writes.append(f"manifest {tag}")
        else:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert f"state=1&digest={digest.replace(':', '%3A')}" in self.path
            self.shelf.blobs[digest] = content
            self.shelf.writes.append("blob")
        self._answer(201, {})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def registry() -> Iterator[tuple[str, Shelf]]:
    shelf = Shelf()
    handler = type("Bound", (Handler,), {"shelf": shelf})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", shelf
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(("mmdebstrap",), tmp_path / "cache")


def test_an_image_made_twice_has_the_same_digest(tmp_path: Path, tools: Tools) -> None:
    first = build(IMAGE, tmp_path / "one", tools)
    second = build(IMAGE, tmp_path / "two", tools)
    assert (first / "index.json").read_text() == (second / "index.json").read_text()


def test_an_image_that_is_there_is_not_made_again(tmp_path: Path, tools: Tools) -> None:
    layout = build(IMAGE, tmp_path, tools)
    (layout / "mark").touch()
    assert (build(IMAGE, tmp_path, tools) / "mark").exists()


def test_another_recipe_has_a_place_of_its_own(tmp_path: Path, tools: Tools) -> None:
    other = BaseImage(
        IMAGE.repository, IMAGE.tags, ((Folder("tmp", mode=0o755),),), Config(), "somewhere/tiny"
    )
    assert build(IMAGE, tmp_path, tools) != build(other, tmp_path, tools)


def test_a_push_brings_every_blob_and_every_tag(
    tmp_path: Path, tools: Tools, registry: tuple[str, Shelf]
) -> None:
    address, shelf = registry
    layout = build(IMAGE, tmp_path, tools)
    push(IMAGE, layout, address)
    raw, blobs = read_manifest(layout)
    assert shelf.writes == ["blob", "blob", "blob", "manifest 1", "manifest latest"]
    assert set(shelf.blobs) == {blob.digest for blob in blobs}
    assert set(shelf.manifests.values()) == {raw}


def test_a_second_push_writes_nothing(
    tmp_path: Path, tools: Tools, registry: tuple[str, Shelf]
) -> None:
    address, shelf = registry
    layout = build(IMAGE, tmp_path, tools)
    push(IMAGE, layout, address)
    shelf.writes.clear()
    push(IMAGE, layout, address)
    assert shelf.writes == []


def test_a_lost_tag_comes_back_without_its_blobs(
    tmp_path: Path, tools: Tools, registry: tuple[str, Shelf]
) -> None:
    address, shelf = registry
    layout = build(IMAGE, tmp_path, tools)
    push(IMAGE, layout, address)
    del shelf.manifests["latest"]
    shelf.writes.clear()
    push(IMAGE, layout, address)
    assert shelf.writes == ["manifest latest"]


def test_a_registry_that_is_away_is_named(tmp_path: Path, tools: Tools) -> None:
    layout = build(IMAGE, tmp_path, tools)
    with pytest.raises(Unavailable, match=r"registry 127\.0\.0\.1:9"):
        push(IMAGE, layout, "127.0.0.1:9")
