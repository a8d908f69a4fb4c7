import os
import tarfile
from pathlib import Path

from infra.lab.baseimages.recipe import EPOCH_SECONDS, Folder, Layer, Link
from infra.lab.baseimages.rootfs import Tools, make_layer

TREE: Layer = (
    Folder("var/lib/data", owner=os.getuid(), mode=0o1777),
    Folder("home", owner=os.getuid()),
    Link("usr/bin/python", "python3"),
)


def _made(layer: Layer, folder: Path, name: str) -> Path:
    target = folder / name
    make_layer(layer, target, Tools(("mmdebstrap",), folder / "cache"))
    return target


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    first = _made(TREE, tmp_path, "first.tar")
    second = _made(TREE, tmp_path, "second.tar")
    assert first.read_bytes() == second.read_bytes()


def test_a_layer_holds_what_its_sources_say(tmp_path: Path) -> None:
    with tarfile.open(_made(TREE, tmp_path, "layer.tar")) as archive:
        members = {member.name: member for member in archive.getmembers()}
    assert members["./var/lib/data"].mode == 0o1777
    assert members["./usr/bin/python"].linkname == "python3"
    assert {member.mtime for member in members.values()} == {EPOCH_SECONDS}


def test_nothing_unfinished_is_left_over(tmp_path: Path) -> None:
    _made(TREE, tmp_path, "layer.tar")
    assert list((tmp_path / "cache" / "images" / "work").iterdir()) == []
