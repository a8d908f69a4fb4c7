"""Reading OCI layouts."""

import json
from pathlib import Path

import pytest

from tasks.core.application import Application, Component, Environment, ImageTarget
from tasks.core.errors import ToolFailed
from tasks.core.oci import read_layout
from tasks.core.registry import repository_of
from tests.unit.tasks.scan.oci_layout import ImageFiles, write_image


def test_an_image_is_found_at_the_top_of_a_layout(tmp_path: Path) -> None:
    image = write_image(tmp_path, ImageFiles(layers=({"a": b"1"}, {"b": b"2"})))
    layout = read_layout(Path(image.layout))
    assert layout.image.descriptor.digest == image.digest
    assert layout.image.config.digest == image.config_digest
    assert len(layout.image.layers) == 2
    assert all(layout.blob(layer).is_file() for layer in layout.image.layers)
    assert layout.attestation is None


@pytest.mark.parametrize("index", ["", "{}", '{"manifests": []}', '{"manifests": [{}]}'])
def test_what_is_no_layout_is_said_so(tmp_path: Path, index: str) -> None:
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(ToolFailed, match=r"no OCI image layout|holds 0 images"):
        read_layout(tmp_path)


def test_a_layout_of_two_images_is_refused(tmp_path: Path) -> None:
    image = write_image(tmp_path, ImageFiles(layers=({"a": b"1"},)))
    file = Path(image.layout) / "index.json"
    index = json.loads(file.read_bytes())
    file.write_text(json.dumps({**index, "manifests": index["manifests"] * 2}))
    with pytest.raises(ToolFailed, match="holds 2 images"):
        read_layout(Path(image.layout))


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        (None, "ghcr.io/team/shop-api"),
        ("backend", "ghcr.io/team/backend"),
        ("shop/backend:v1", "ghcr.io/team/shop/backend"),
        ("ghcr.io/other/backend@sha256:00", "ghcr.io/team/other/backend"),
        ("localhost/backend", "ghcr.io/team/backend"),
    ],
)
def test_the_person_says_where_images_go_not_the_manifests(
    name: str | None, repository: str
) -> None:
    component = Component("api", image=ImageTarget(name=name))
    environment = Environment("deploy", "shop")
    application = Application("shop", {"api": component}, {"dev": environment})
    assert repository_of(application, "api", "ghcr.io/team/") == repository
