from typing import Any

import pytest

from tasks.core.objects import Object
from tasks.core.tracks import STABLE, TRACK
from tasks.rollout.spread import crowding, keeps_apart
from tests.unit.tasks.rollout.shapes import tracked

ITS_OWN = {"matchLabels": {"app": "api"}}


def apart(selector: Object, topology: str = "kubernetes.io/hostname", **term: object) -> Object:
    """A Deployment whose pods refuse the company of those that a selector names."""
    made = tracked("api", "api@1")
    wish = {"topologyKey": topology, "labelSelector": selector, **term}
    away = {"requiredDuringSchedulingIgnoredDuringExecution": [wish]}
    made["spec"]["template"]["spec"]["affinity"] = {"podAntiAffinity": away}
    return made


def expression(operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": "app", "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("workload", "is_apart"),
    [
        pytest.param(apart(ITS_OWN), True, id="from its own pods"),
        pytest.param(apart(expression("In", "api", "web")), True, id="by an expression"),
        pytest.param(apart(expression("NotIn", "web")), True, id="from all but some"),
        pytest.param(apart(expression("Exists")), True, id="from all that have a label"),
        pytest.param(apart(expression("DoesNotExist")), False, id="from those that have it not"),
        pytest.param(apart({"matchLabels": {"app": "web"}}), False, id="from others"),
        pytest.param(apart(ITS_OWN, "topology.kubernetes.io/zone"), False, id="in zones"),
        pytest.param(
            apart(ITS_OWN, matchLabelKeys=["pod-template-hash"]), False, id="in one revision"
        ),
        pytest.param(tracked("api", "api@1"), False, id="it does not mind"),
    ],
)
def test_pods_that_may_not_share_a_node_are_found(
    workload: Object,
    is_apart: bool,  # noqa: FBT001
) -> None:
    assert keeps_apart(workload, {"app": "api", TRACK: STABLE}) is is_apart


def node(status: str = "True", **spec: Any) -> Object:  # noqa: ANN401 YAML values
    return {
        "kind": "Node",
        "metadata": {"name": "n", "labels": {"disk": "fast"}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": status}]},
    }


TAINT = {"key": "gpu", "value": "a", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("second", "pod", "fits"),
    [
        pytest.param(node(), {}, True, id="two nodes"),
        pytest.param(node("False"), {}, False, id="one is not ready"),
        pytest.param(node(unschedulable=True), {}, False, id="one is cordoned"),
        pytest.param(node(taints=[TAINT]), {}, False, id="one keeps away"),
        pytest.param(
            node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), {}, True, id="one would rather"
        ),
        pytest.param(
            node(taints=[TAINT]),
            {"tolerations": [{"key": "gpu", "operator": "Exists"}]},
            True,
            id="what they tolerate",
        ),
        pytest.param(
            node(taints=[TAINT]),
            {"tolerations": [{"key": "gpu", "value": "b"}]},
            False,
            id="they tolerate something else",
        ),
        pytest.param(node(), {"nodeSelector": {"disk": "slow"}}, False, id="they want others"),
    ],
)
def test_pods_that_may_not_share_a_node_need_as_many(
    second: Object,
    pod: Object,
    fits: bool,  # noqa: FBT001
) -> None:
    workload = apart(ITS_OWN)
    workload["spec"]["template"]["spec"] |= pod
    assert (crowding(workload, 2, [node(), second]) is None) is fits


def test_the_warning_says_how_many_are_missing() -> None:
    assert crowding(apart(ITS_OWN), 3, [node()]) == (
        "Deployment/api requires a node for each pod (podAntiAffinity): 3 run together for a "
        "while, 1 nodes take them"
    )
