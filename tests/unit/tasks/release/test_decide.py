from dataclasses import replace

import pytest

from tasks.core.model import Digest, ReleasedImage
from tasks.core.objects import Object
from tasks.release.decide import Belonging, adopt, name_release, pin, sign, sort

IMAGE = ReleasedImage("api", "registry/shop/api", Digest(f"sha256:{'a' * 64}"))
WHOSE = Belonging("shop", "prod", "shop-prod")


def thing(kind: str, name: str = "x", **more: object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def workload(image: str, kind: str = "Deployment", key: str = "containers") -> Object:
    template = {"spec": {key: [{"name": "api", "image": image}]}}
    if kind == "CronJob":
        return thing(kind, spec={"jobTemplate": {"spec": {"template": template}}})
    return thing(kind, spec={"template": template})


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
@pytest.mark.parametrize("key", ["containers", "initContainers"])
def test_images_of_components_become_digests_in_every_kind_of_workload(kind: str, key: str) -> None:
    pinned = pin([workload("shop-api", kind, key)], {"shop-api": IMAGE})
    assert pinned.objects == (workload(IMAGE.reference, kind, key),)
    assert pinned.loose == ()


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("shop-api", id="by name"),
        pytest.param("shop-api:1.2", id="by tag"),
        pytest.param(f"shop-api@sha256:{'b' * 64}", id="by another digest"),
        pytest.param(f"shop-api:1.2@sha256:{'b' * 64}", id="by tag and digest"),
    ],
)
def test_what_the_manifest_says_after_the_name_does_not_matter(written: str) -> None:
    pinned = pin([workload(written)], {"shop-api": IMAGE})
    assert pinned.objects == (workload(IMAGE.reference),)


@pytest.mark.parametrize(
    ("written", "loose"),
    [
        pytest.param("mysql:8.4", ("mysql:8.4",), id="a tag may change"),
        pytest.param("localhost:5000/mysql", ("localhost:5000/mysql",), id="a port is no tag"),
        pytest.param(f"mysql@sha256:{'c' * 64}", (), id="a digest may not"),
    ],
)
def test_images_of_others_stay_and_are_told_when_they_may_change(
    written: str, loose: tuple[str, ...]
) -> None:
    pinned = pin([workload(written)], {"shop-api": IMAGE})
    assert pinned.objects == (workload(written),)
    assert pinned.loose == loose


def test_a_name_that_only_begins_like_a_component_is_not_one() -> None:
    assert pin([workload("shop-api-proxy:1")], {"shop-api": IMAGE}).loose == ("shop-api-proxy:1",)


def test_an_object_is_labelled_and_put_into_its_namespace_and_pods_stay_as_they_are() -> None:
    adopted = adopt(workload("shop-api"), WHOSE)
    assert adopted["metadata"]["namespace"] == "shop-prod"
    assert adopted["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "slipway",
        "slipway.dev/application": "shop",
        "slipway.dev/environment": "prod",
    }
    assert adopted["spec"] == workload("shop-api")["spec"]


def test_what_belongs_to_the_whole_cluster_gets_no_namespace() -> None:
    assert "namespace" not in adopt(thing("ClusterRole"), WHOSE)["metadata"]


def test_only_workloads_say_which_release_they_are_from_and_never_in_their_pods() -> None:
    signed = sign(workload("shop-api"), "r-1", "c0ffee")
    assert signed["metadata"]["annotations"] == {
        "slipway.dev/release": "r-1",
        "slipway.dev/commit": "c0ffee",
    }
    assert signed["spec"] == workload("shop-api")["spec"]
    assert sign(thing("ConfigMap"), "r-1", "c0ffee") == thing("ConfigMap")


def test_objects_come_in_the_order_that_a_cluster_needs() -> None:
    kinds = ["Ingress", "HorizontalPodAutoscaler", "Deployment", "Service", "ConfigMap"]
    kinds += ["ServiceAccount", "ResourceQuota", "Namespace"]
    assert [each["kind"] for each in sort([thing(kind) for kind in kinds])] == kinds[::-1]


def test_a_release_has_the_same_name_for_the_same_content_only() -> None:
    manifests = {"dev": (thing("ConfigMap"),), "prod": (thing("ConfigMap"),)}
    name = name_release([IMAGE], manifests)
    assert name.startswith("r-")
    assert len(name) == 14
    assert name_release([IMAGE], dict(reversed(manifests.items()))) == name
    other = replace(IMAGE, digest=Digest(f"sha256:{'b' * 64}"))
    assert name_release([other], manifests) != name
    assert name_release([IMAGE], {**manifests, "prod": (thing("Secret"),)}) != name
