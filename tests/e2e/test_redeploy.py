"""A base image gets newer under its tag: what stands on it is built again, and nothing else."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from infra import server

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

PYTHON = "library/python"
TAG = "3.11-slim-bookworm"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class BaseImage:
    """An image of the test's own in the lab's registry, which is asked for Docker Hub's names."""

    http: httpx.Client
    name: str

    def publish(self, **labels: str) -> None:
        """Put the lab's Python there under the same tag, with labels that make it another image."""
        manifest = self.http.get(f"/v2/{PYTHON}/manifests/{TAG}", headers={"Accept": MANIFEST})
        found: dict[str, Any] = manifest.raise_for_status().json()
        config = self.http.get(f"/v2/{PYTHON}/blobs/{found['config']['digest']}").json()
        config["config"]["Labels"] = {**(config["config"].get("Labels") or {}), **labels}
        for layer in found["layers"]:
            mounted = {"mount": layer["digest"], "from": PYTHON}
            self.http.post(f"/v2/library/{self.name}/blobs/uploads/", params=mounted)
        found["config"] = {**found["config"], **self._upload(json.dumps(config).encode())}
        self.http.put(
            f"/v2/library/{self.name}/manifests/1",
            content=json.dumps(found).encode(),
            headers={"Content-Type": MANIFEST},
        ).raise_for_status()

    def _upload(self, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        opened = self.http.post(f"/v2/library/{self.name}/blobs/uploads/").raise_for_status()
        place = httpx.URL(opened.headers["Location"]).copy_merge_params({"digest": digest})
        self.http.put(place, content=content).raise_for_status()
        return {"digest": digest, "size": len(content)}


def given_two_components(shop: "Shop", base: BaseImage) -> None:
    """Put the guestbook on a base image of its own, and a twin of it beside it on Python."""
    folder = shop.repository
    dockerfile = (folder / "Dockerfile").read_text()
    (folder / "Dockerfile.twin").write_text(dockerfile)
    (folder / "Dockerfile").write_text(dockerfile.replace(f"python:{TAG}", f"{base.name}:1"))
    described = yaml.safe_load((folder / "slipway.yaml").read_text())
    web = described["components"]["web"]
    twin = {key: value for key, value in web.items() if key not in {"lint", "test"}}
    twin |= {"dockerfile": "Dockerfile.twin", "image": {"target": "runtime", "name": "twin"}}
    described["components"]["twin"] = twin
    (folder / "slipway.yaml").write_text(yaml.safe_dump(described, sort_keys=False))
    manifests = folder / "deploy" / "base"
    text = (manifests / "guestbook.yaml").read_text()
    (workload,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment")
    labels = {"app.kubernetes.io/name": "twin"}
    workload["metadata"] = {"name": "twin", "labels": labels}
    workload["spec"]["selector"]["matchLabels"] = labels
    workload["spec"]["template"]["metadata"]["labels"] = labels
    workload["spec"]["template"]["spec"]["containers"][0]["image"] = "twin"
    (manifests / "twin.yaml").write_text(yaml.safe_dump(workload))
    listed = manifests / "kustomization.yaml"
    listed.write_text(
        listed.read_text().replace("  - guestbook.yaml", "  - guestbook.yaml\n  - twin.yaml")
    )
    shop.given_commit("A twin")


def when_redeployed(pipeline: "Pipeline", shop: "Shop") -> "RunView":
    parameters = {"repository": str(shop.repository), "target": asdict(shop.target)}
    return pipeline.until_over(server.start("redeploy/redeploy", parameters))


@pytest.fixture
def base(pipeline: "Pipeline", request: pytest.FixtureRequest) -> Iterator[BaseImage]:  # noqa: ARG001 the lab comes first
    from infra.target import chosen  # noqa: PLC0415 after the instance

    host = chosen().registry.partition("/")[0]
    with httpx.Client(base_url=f"http://{host}", trust_env=False, timeout=30) as http:
        yield BaseImage(http, f"night-{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}")


def test_a_newer_base_image_brings_its_component_alone_and_brings_it_once(
    pipeline: "Pipeline", base: BaseImage
) -> None:
    base.publish(patched="no")
    with pipeline.shop("dev") as shop:
        given_two_components(shop, base)
        delivered = pipeline.when_delivered(shop)
        assert delivered.state == "COMPLETED", delivered.message
        same = when_redeployed(pipeline, shop)
        assert same.message == "dev: unchanged", same.message
        base.publish(patched="yes")
        shop.given_greeting("Not delivered yet")
        renewed = when_redeployed(pipeline, shop)
        again = when_redeployed(pipeline, shop)
        newer, older = shop.history("dev")
        pods = {pod["spec"]["containers"][0]["image"] for pod in shop.pods("dev")}
    assert (renewed.state, renewed.message) == ("COMPLETED", "dev: rolled out"), renewed.message
    stages = pipeline.stages(renewed)
    assert {"web: build", "web: lint", "web: scan", "web: push"} <= stages
    assert "twin: build" not in stages
    assert newer.release.commit == older.release.commit, "what is live, not the branch's head"
    before = {image.component: image.digest for image in older.release.images}
    after = {image.component: image.digest for image in newer.release.images}
    assert after["twin"] == before["twin"]
    assert after["web"] != before["web"]
    assert pods == {image.reference for image in newer.release.images}
    assert again.message == "dev: unchanged", again.message
