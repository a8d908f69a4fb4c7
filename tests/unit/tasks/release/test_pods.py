import pytest

from tasks.core.objects import Object
from tasks.release.pods import CONFIG, bind_config, label_track

IMAGE = "registry/shop/api@sha256:aaa"


def workload(kind: str = "Deployment", image: str = IMAGE, config: str = "settings") -> Object:
    container = {"name": "api", "image": image, "envFrom": [{"configMapRef": {"name": config}}]}
    template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "api"}}, "template": template}
    metadata = {"name": "api", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def config_map(name: str = "settings", **data: str) -> Object:
    metadata = {"name": name, "namespace": "shop", "annotations": {"noise": str(len(data))}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def hash_in(thing: Object) -> str | None:
    found = thing["spec"]["template"]["metadata"].get("annotations", {}).get(CONFIG)
    return None if found is None else str(found)


def test_the_pods_of_a_component_are_on_the_stable_track_and_its_selector_is_not() -> None:
    labelled = label_track(workload(), {IMAGE})
    assert labelled["spec"]["template"]["metadata"]["labels"] == {
        "app": "api",
        "slipway.dev/track": "stable",
    }
    assert labelled["spec"]["selector"] == {"matchLabels": {"app": "api"}}


@pytest.mark.parametrize(
    "other",
    [workload("StatefulSet"), workload("Job"), workload(image="mysql:8.4")],
    ids=["no canary of a StatefulSet", "nor of a Job", "somebody else's image"],
)
def test_what_never_gets_a_canary_is_left_alone(other: Object) -> None:
    assert label_track(other, {IMAGE}) == other


def test_other_content_under_the_same_name_makes_other_pods() -> None:
    one = bind_config(workload(), [config_map(a="1"), config_map("unrelated", b="1")])
    two = bind_config(workload(), [config_map(a="2"), config_map("unrelated", b="1")])
    same = bind_config(workload(), [config_map(a="1"), config_map("unrelated", b="2")])
    assert hash_in(one) != hash_in(two)
    assert hash_in(one) == hash_in(same)


def test_configuration_that_is_not_the_releases_is_not_bound() -> None:
    assert hash_in(bind_config(workload(config="of the cluster"), [config_map(a="1")])) is None
    assert hash_in(bind_config(workload("Job"), [config_map(a="1")])) is None
