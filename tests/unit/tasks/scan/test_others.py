"""What runs beside a release, as the node names it."""

from typing import Any

import pytest

from tasks.core.model import Digest, ReleasedImage
from tasks.scan.others import others_in

ONE, TWO = (Digest(f"sha256:{letter * 64}") for letter in "ab")
API = ReleasedImage("api", "registry.example/shop-api", ONE)
MYSQL = f"docker.io/library/mysql@{TWO}"


def pod(image: str, pulled: str, key: str = "containerStatuses", **state: object) -> dict[str, Any]:
    container = {"name": "it", "image": image, "imageID": pulled, "state": state or {"running": {}}}
    return {"kind": "Pod", "status": {key: [container]}}


@pytest.mark.parametrize(
    ("running", "names"),
    [
        pytest.param(pod("docker.io/library/mysql:8.4", MYSQL), ["mysql:8.4"], id="a database"),
        pytest.param(pod("mysql:8.4", f"docker-pullable://{MYSQL}"), ["mysql:8.4"], id="Docker's"),
        pytest.param(pod(str(TWO), MYSQL), ["mysql"], id="known by an id"),
        pytest.param(pod(f"mysql@{TWO}", MYSQL), ["mysql"], id="named by digest"),
        pytest.param(
            pod("envoy:1", MYSQL, "initContainerStatuses"), ["envoy:1"], id="a native sidecar"
        ),
        pytest.param(pod("x", f"{API.repository}@{TWO}"), ["api"], id="another release of ours"),
        pytest.param(pod("x", API.reference), [], id="the live release itself"),
        pytest.param(pod("x", str(TWO)), [], id="never pulled"),
        pytest.param(pod("x", MYSQL, waiting={"reason": "CrashLoop"}), [], id="not running"),
        pytest.param({"kind": "Pod"}, [], id="not started"),
    ],
)
def test_an_image_is_named_as_people_know_it(running: dict[str, Any], names: list[str]) -> None:
    assert [image.component for image in others_in([running], [API])] == names


def test_each_image_is_named_once_with_the_digest_that_runs() -> None:
    (found,) = others_in([pod("mysql:8.4", MYSQL), pod("mysql:8.4", MYSQL)], [API])
    assert found.reference == MYSQL
