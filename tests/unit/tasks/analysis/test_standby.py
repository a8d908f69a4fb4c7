from collections.abc import Mapping

import pytest

from tasks.analysis.questions import Pods
from tasks.analysis.standby import Standby
from tasks.core.cluster import Answer
from tasks.core.cluster_fake import FakeCluster
from tasks.core.objects import Object
from tests.unit.tasks.analysis.world import pod

PODS = Pods.between("shop", ("api", "web"))
ONE, OTHER = "api-5d7f9c6b8-abcde", "api-5d7f9c6b8-fghij"
PROBE = {"httpGet": {"path": "/health", "port": "http"}}
HEADERS = {"httpGet": {"path": "/health", "port": 80, "httpHeaders": [{"name": "a", "value": "b"}]}}


def standing_by(*names: str, probe: Mapping[str, object] | None = None) -> FakeCluster:
    cluster = FakeCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    ports = [{"name": "http", "containerPort": 8080}]
    for name in names:
        container = {"name": "api", "ports": ports, **({"readinessProbe": probe} if probe else {})}
        cluster.create({**pod(name), "spec": {"containers": [container]}})
    return cluster


def unready(cluster: FakeCluster, *names: str) -> None:
    for thing in cluster.objects.values():
        if thing["metadata"]["name"] in names:
            thing["status"]["conditions"] = [{"type": "Ready", "status": "False"}]


@pytest.mark.parametrize(
    ("ill", "components"),
    [
        pytest.param((), set(), id="all are ready"),
        pytest.param((ONE,), set(), id="one of two is not"),
        pytest.param((ONE, OTHER), {"api"}, id="none is"),
    ],
)
def test_a_component_is_ill_when_none_of_its_pods_is_ready(
    ill: tuple[str, ...], components: set[str]
) -> None:
    cluster = standing_by(ONE, OTHER)
    unready(cluster, *ill)
    assert set(Standby(cluster, PODS).ill()) == components


def test_pods_of_the_canary_and_pods_on_their_way_out_do_not_stand_by() -> None:
    cluster = standing_by("api-canary-5d7f9c6b8-abcde", ONE)
    unready(cluster, "api-canary-5d7f9c6b8-abcde", ONE)
    for thing in cluster.objects.values():
        if thing["metadata"]["name"] == ONE:
            thing["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert Standby(cluster, PODS).ill() == {}


def test_a_pod_that_has_answered_is_ill_at_once_when_it_does_not() -> None:
    cluster = standing_by(ONE, probe=PROBE)
    asked: list[str] = []

    def answer(_thing: Object, path: str) -> Answer:
        asked.append(path)
        return Answer(200 if len(asked) == 1 else 503, "", 0.01)

    cluster.answer = answer
    standby = Standby(cluster, PODS)
    assert standby.ill() == {}
    assert set(standby.ill()) == {"api"}
    assert asked == ["/health", "/health"]


@pytest.mark.parametrize(
    "probe", [PROBE, HEADERS], ids=["never reached", "with headers of its own"]
)
def test_a_pod_that_cannot_be_asked_as_kubelet_does_is_as_kubelet_says(
    probe: Mapping[str, object],
) -> None:
    cluster = standing_by(ONE, probe=probe)
    cluster.answer = lambda _thing, _path: Answer(403, "", 0.01)
    assert Standby(cluster, PODS).ill() == {}
