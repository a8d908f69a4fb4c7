from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tasks.core.objects import Kind, Object
from tasks.core.quantities import parse_quantity
from tasks.rollout.footprint import added, footprint
from tasks.rollout.quota import Need, counted, demand, shortages
from tests.unit.tasks.rollout.world import deployment


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("100m", Decimal("0.1"), id="thousandths"),
        pytest.param("2", Decimal(2), id="plain"),
        pytest.param("256Mi", Decimal(268435456), id="binary"),
        pytest.param("1.5G", Decimal("1.5e9"), id="decimal"),
        pytest.param("1e3", Decimal(1000), id="exponent"),
        pytest.param("many", Decimal(0), id="no quantity"),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str, number: Decimal) -> None:
    assert parse_quantity(text) == number


def asks(cpu: str, **more: object) -> Object:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


SIDECAR = asks("200m", restartPolicy="Always")
DEFAULTS: Object = {
    "spec": {
        "limits": [
            {"type": "Pod", "max": {"cpu": "4"}},
            {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "50m"}},
        ]
    }
}


@pytest.mark.parametrize(
    ("spec", "limit_ranges", "cpu"),
    [
        pytest.param({"containers": [asks("100m"), asks("50m")]}, [], "0.15", id="the sum"),
        pytest.param(
            {"containers": [asks("100m")], "initContainers": [asks("300m"), asks("200m")]},
            [],
            "0.3",
            id="the greediest of those that initialise",
        ),
        pytest.param(
            {"containers": [asks("100m")], "initContainers": [SIDECAR, asks("50m")]},
            [],
            "0.3",
            id="sidecars run beside the servers",
        ),
        pytest.param(
            {"containers": [asks("100m")], "initContainers": [SIDECAR, asks("500m")]},
            [],
            "0.7",
            id="and beside those that initialise after them",
        ),
        pytest.param(
            {"containers": [{"resources": {"limits": {"cpu": "2"}}}]},
            [DEFAULTS],
            "2",
            id="what it may have it asks",
        ),
        pytest.param({"containers": [{}, {}]}, [DEFAULTS], "0.1", id="a LimitRange fills it in"),
        pytest.param({"containers": [asks("7m")]}, [DEFAULTS], "0.007", id="its own word counts"),
        pytest.param(
            {"containers": [asks("1")], "resources": {"requests": {"cpu": "3"}}},
            [],
            "3",
            id="the pod's own word counts more",
        ),
    ],
)
def test_a_pod_takes_what_its_containers_ask(
    spec: Object, limit_ranges: list[Object], cpu: str
) -> None:
    taken = footprint({"spec": spec}, limit_ranges)
    assert (taken["requests.cpu"], taken["cpu"]) == (Decimal(cpu), Decimal(cpu))
    assert taken["pods"] == taken["count/pods"] == 1


def sized(image: str, surge: str | int = "25%", replicas: int = 4) -> Object:
    made = deployment("api", image, replicas=replicas)
    made["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": surge}}
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}
    return made


def sums(needs: Iterable[Need]) -> dict[str, Decimal]:
    return added(need.amounts for need in needs)


@pytest.mark.parametrize(
    ("live", "wanted", "pods"),
    [
        pytest.param(None, sized("api@2", 1), 4, id="a new workload needs all of its pods"),
        pytest.param(sized("api@1"), sized("api@2", 1), 1, id="a changed one its surge"),
        pytest.param(sized("api@1"), sized("api@2", "50%"), 2, id="a share of its replicas"),
        pytest.param(sized("api@1"), sized("api@2", "30%"), 2, id="rounded up"),
        pytest.param(sized("api@2"), sized("api@2"), 0, id="an unchanged one nothing"),
        pytest.param(sized("api@2"), sized("api@2", replicas=6), 2, id="a larger one the rest"),
        pytest.param(sized("api@1"), sized("api@2", 1, 6), 3, id="the rest and its surge"),
    ],
)
def test_a_rollout_needs_room_for_its_surge(live: Object | None, wanted: Object, pods: int) -> None:
    needed = sums(demand(wanted, live))
    assert needed.get("pods", 0) == pods
    assert needed.get("requests.cpu", 0) == Decimal("0.1") * pods


@pytest.mark.parametrize(
    ("live", "counts"),
    [
        pytest.param(
            None, {"count/deployments.apps": 1, "count/replicasets.apps": 1}, id="a new workload"
        ),
        pytest.param(sized("api@1"), {"count/replicasets.apps": 1}, id="a changed one"),
        pytest.param(sized("api@2"), {}, id="an unchanged one"),
    ],
)
def test_a_rollout_needs_room_for_its_objects(live: Object | None, counts: dict[str, int]) -> None:
    needed = sums(need for need in demand(sized("api@2"), live) if need.pod is None)
    assert needed == counts


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "counts"),
    [
        pytest.param("v1", "Secret", {}, {"secrets": 1, "count/secrets": 1}, id="of the core"),
        pytest.param(
            "networking.k8s.io/v1",
            "Ingress",
            {},
            {"count/ingresses.networking.k8s.io": 1},
            id="of a group",
        ),
        pytest.param(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            {},
            {"count/networkpolicies.networking.k8s.io": 1},
            id="policies",
        ),
        pytest.param(
            "gateway.networking.k8s.io/v1",
            "Gateway",
            {},
            {"count/gateways.gateway.networking.k8s.io": 1},
            id="gateways",
        ),
        pytest.param(
            "v1",
            "Service",
            {"type": "LoadBalancer", "ports": [{"port": 80}, {"port": 443}]},
            {
                "services": 1,
                "count/services": 1,
                "services.loadbalancers": 1,
                "services.nodeports": 2,
            },
            id="a load balancer has ports on nodes",
        ),
        pytest.param(
            "v1",
            "PersistentVolumeClaim",
            {"resources": {"requests": {"storage": "1Mi"}}},
            {
                "persistentvolumeclaims": 1,
                "count/persistentvolumeclaims": 1,
                "requests.storage": 1048576,
            },
            id="a volume has a size",
        ),
    ],
)
def test_objects_count_under_the_names_that_quotas_have_for_them(
    api_version: str, kind: str, spec: Object, counts: dict[str, int]
) -> None:
    amounts = counted(Kind(api_version, kind), {"spec": spec}).amounts
    assert {name: amount for name, amount in amounts.items() if amount} == counts


def quota(used: dict[str, str], hard: dict[str, str], **spec: Any) -> Object:  # noqa: ANN401 YAML
    return {
        "metadata": {"name": "shop"},
        "spec": spec,
        "status": {"hard": hard, "used": used},
    }


def test_a_quota_without_room_is_named_with_what_is_needed_and_free() -> None:
    full = quota(
        {"requests.cpu": "950m", "limits.memory": "4Gi", "pods": "9"},
        {"requests.cpu": "1", "limits.memory": "8Gi", "pods": "9", "secrets": "0"},
    )
    assert list(shortages([full], demand(sized("api@2", 1), sized("api@1", 1)))) == [
        "quota shop: the rollout needs 1 of pods more, 0 are free",
        "quota shop: the rollout needs 100m of requests.cpu more, 50m are free",
    ]


def test_a_quota_that_is_over_already_is_no_matter_of_a_rollout_that_needs_none_of_it() -> None:
    assert list(shortages([quota({"secrets": "9"}, {"secrets": "3"})], [])) == []


def pods(**spec: Any) -> Need:  # noqa: ANN401 YAML values
    template = {"spec": {"containers": [asks("100m")], **spec}}
    return Need(footprint(template), template)


IDLE = Need(footprint({"spec": {"containers": [{}]}}), {"spec": {"containers": [{}]}})
URGENT = {"scopeName": "PriorityClass", "operator": "In", "values": ["urgent"]}


@pytest.mark.parametrize(
    ("spec", "need", "counts"),
    [
        pytest.param({"scopes": ["BestEffort"]}, pods(), False, id="pods that ask for something"),
        pytest.param({"scopes": ["BestEffort"]}, IDLE, True, id="pods that ask for nothing"),
        pytest.param({"scopes": ["NotBestEffort"]}, pods(), True, id="not those"),
        pytest.param({"scopes": ["Terminating"]}, pods(), False, id="pods that stay"),
        pytest.param(
            {"scopes": ["Terminating"]}, pods(activeDeadlineSeconds=9), True, id="pods that end"
        ),
        pytest.param({"scopes": ["NotTerminating", "BestEffort"]}, pods(), False, id="both"),
        pytest.param({"scopeSelector": {"matchExpressions": [URGENT]}}, pods(), False, id="class"),
        pytest.param(
            {"scopeSelector": {"matchExpressions": [URGENT]}},
            pods(priorityClassName="urgent"),
            True,
            id="their class",
        ),
        pytest.param(
            {"scopes": ["NotTerminating"]}, Need({"pods": Decimal(1)}), False, id="other objects"
        ),
    ],
)
def test_a_quota_with_scopes_counts_the_pods_in_them(
    spec: Object,
    need: Need,
    counts: bool,  # noqa: FBT001
) -> None:
    assert bool(list(shortages([quota({}, {"pods": "0"}, **spec)], [need]))) is counts
