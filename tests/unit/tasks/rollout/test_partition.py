from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.objects import Kind, Object, Ref
from tasks.rollout.partition import (
    SHARE,
    Part,
    at_share,
    in_the_way,
    may_be_shared,
    partition_for,
    partition_of,
    replaceable,
)
from tasks.rollout.readiness import Ready, Waiting, judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GENERATION = "deprecated.daemonset.template.generation"
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def workload(kind: str, **spec: object) -> Object:
    metadata = {"name": "db", "namespace": "shop", "uid": "w", "annotations": {GENERATION: "2"}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def pod(name: str, revision: str, *, ready: bool = True, leaving: bool = False) -> Object:
    metadata: Object = {
        "name": name,
        "namespace": "shop",
        "labels": {"controller-revision-hash": revision, "pod-template-generation": revision},
        "ownerReferences": [{"uid": "w"}],
    }
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = READY if ready else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": f"node-{name}"},
        "status": status,
    }


def ref(kind: str) -> Ref:
    return Ref(Kind("apps/v1", kind), "shop", "db")


@pytest.mark.parametrize(
    ("replicas", "share", "partition"),
    [
        pytest.param(3, 0, 3, id="nothing changes at 0"),
        pytest.param(3, 1, 2, id="one pod is the least"),
        pytest.param(3, 34, 1, id="rounded up to whole pods"),
        pytest.param(4, 50, 2, id="exact where the pods allow it"),
        pytest.param(4, 100, 0, id="everything changes at 100"),
        pytest.param(0, 50, 0, id="nothing of nothing"),
    ],
)
def test_the_partition_of_a_share(replicas: int, share: int, partition: int) -> None:
    assert partition_for(replicas, share) == partition


@given(st.integers(0, 200), st.integers(0, 100), st.integers(0, 100))
def test_a_greater_share_never_takes_a_pod_back(replicas: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert replicas >= partition_for(replicas, less) >= partition_for(replicas, more) >= 0


def test_a_stateful_set_changes_its_last_pods_first_and_keeps_what_its_manifest_says() -> None:
    rolling = {"maxUnavailable": 2}
    wanted = workload("StatefulSet", replicas=2, updateStrategy={"rollingUpdate": rolling})
    part = Part(wanted, "db")
    shared = at_share(part, workload("StatefulSet", replicas=10), 25)
    assert shared["spec"] == {
        "replicas": 10,
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 2, "partition": 7},
        },
    }
    assert at_share(part, None, 50)["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 1
    assert at_share(part, None, 100) == wanted
    assert partition_of(wanted) == 0


def test_pods_that_a_manifest_keeps_back_are_kept_back_at_every_share() -> None:
    wanted = workload("StatefulSet", replicas=4, updateStrategy={"rollingUpdate": {"partition": 3}})
    assert [partition_of(at_share(Part(wanted, "db"), None, share)) for share in (25, 75, 100)] == [
        3, 3, 3,
    ]  # fmt: skip


def test_a_daemon_set_waits_for_us_to_delete_its_pods_until_all_nodes_may_change() -> None:
    part = Part(workload("DaemonSet"), "db")
    shared = at_share(part, None, 25)
    assert shared["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert shared["metadata"]["annotations"][SHARE] == "25"
    assert at_share(part, None, 100) == part.workload


@pytest.mark.parametrize(
    ("kind", "strategy", "shared"),
    [
        pytest.param("StatefulSet", {}, True, id="a StatefulSet"),
        pytest.param("DaemonSet", {"type": "RollingUpdate"}, True, id="a DaemonSet"),
        pytest.param("StatefulSet", {"type": "OnDelete"}, False, id="not one that people update"),
        pytest.param("Deployment", {}, False, id="not a Deployment, which gets a twin"),
    ],
)
def test_what_goes_share_by_share_where_it_is(kind: str, strategy: Object, shared: bool) -> None:  # noqa: FBT001 a case
    assert may_be_shared(workload(kind, updateStrategy=strategy)) is shared


def daemon_set(share: int, nodes: int, most: int | str = 1) -> Object:
    made = workload(
        "DaemonSet",
        updateStrategy={"type": "OnDelete", "rollingUpdate": {"maxUnavailable": most}},
    )
    made["metadata"]["annotations"][SHARE] = str(share)
    made["status"] = {"desiredNumberScheduled": nodes}
    return made


OLD = [pod(name, "1") for name in "cab"]
BROKEN = pod("z", "1", ready=False)


@pytest.mark.parametrize(
    ("thing", "pods", "names"),
    [
        pytest.param(daemon_set(50, 3), OLD, "a", id="one at a time, node by node"),
        pytest.param(daemon_set(100, 3, 2), OLD, "ab", id="as many as it may lack"),
        pytest.param(daemon_set(100, 3, "60%"), OLD, "ab", id="or a share of its nodes"),
        pytest.param(daemon_set(100, 3, 0), OLD, "a", id="one where it may lack none"),
        pytest.param(
            daemon_set(100, 3),
            [*OLD[1:], pod("c", "2", ready=False)],
            "",
            id="none while one starts",
        ),
        pytest.param(
            daemon_set(100, 4), [*OLD, BROKEN], "z", id="one that does not work before all others"
        ),
        pytest.param(daemon_set(34, 3), [pod("c", "2"), *OLD[1:]], "a", id="34 % of 3 are two"),
        pytest.param(daemon_set(33, 3), [pod("c", "2"), *OLD[1:]], "", id="no more than the share"),
        pytest.param(daemon_set(0, 3), OLD, "", id="none at 0"),
        pytest.param(
            daemon_set(67, 3), [*OLD[:2], pod("b", "1", leaving=True)], "", id="none while one ends"
        ),
        pytest.param(workload("DaemonSet"), OLD, "", id="none where Kubernetes does it"),
    ],
)
def test_which_pods_of_a_daemon_set_are_deleted_next(
    thing: Object, pods: list[Object], names: str
) -> None:
    assert "".join(each.name for each in replaceable(thing, pods)) == names


@given(st.integers(0, 100), st.integers(1, 8), st.sampled_from((1, 3, "50%")))
def test_a_daemon_set_ends_with_its_share_of_new_nodes_and_never_lacks_more_than_it_may(
    share: int, nodes: int, most: int | str
) -> None:
    thing = daemon_set(share, nodes, most)
    pods = {str(number): pod(str(number), "1") for number in range(nodes)}
    while found := replaceable(thing, list(pods.values())):
        limit = max(1, -(-nodes * 50 // 100)) if most == "50%" else int(most)
        assert len(found) <= limit
        pods |= {each.name: pod(each.name, "2") for each in found}
    new = [each for each in pods.values() if each["metadata"]["labels"][GEN] == "2"]
    assert len(new) == -(-nodes * share // 100)


GEN = "pod-template-generation"


@pytest.mark.parametrize(
    ("pods", "partition", "names"),
    [
        pytest.param([pod("db-1", "1", ready=False)], 0, ["db-1"], id="an old one that is broken"),
        pytest.param([pod("db-1", "1")], 0, [], id="not one that works"),
        pytest.param([pod("db-1", "2", ready=False)], 0, [], id="not a new one"),
        pytest.param([pod("db-1", "1", ready=False)], 2, [], id="not one that is to stay old"),
        pytest.param([pod("db-1", "1", ready=False, leaving=True)], 0, [], id="not one that ends"),
    ],
)
def test_a_stateful_set_is_freed_of_the_broken_pods_that_it_waits_for(
    pods: list[Object], partition: int, names: list[str]
) -> None:
    rolling = {"rollingUpdate": {"partition": partition}}
    thing = {**workload("StatefulSet", updateStrategy=rolling), "status": {"updateRevision": "2"}}
    found = in_the_way((ref("StatefulSet"),), (thing, *pods))
    assert [each.name for each in found] == names


def test_ordinals_that_begin_elsewhere_are_counted_from_there() -> None:
    strategy = {"rollingUpdate": {"partition": 2}}
    thing = workload("StatefulSet", updateStrategy=strategy, ordinals={"start": 10})
    thing["status"] = {"updateRevision": "2"}
    pods = [pod(f"db-{number}", "1", ready=False) for number in (11, 12)]
    assert [each.name for each in in_the_way((ref("StatefulSet"),), (thing, *pods))] == ["db-12"]


MOVING = {"updateRevision": "2", "currentRevision": "1", "availableReplicas": 4}


@pytest.mark.parametrize(
    ("thing", "status", "lack"),
    [
        pytest.param(
            at_share(Part(workload("StatefulSet", replicas=4), "db"), None, 50),
            {**MOVING, "updatedReplicas": 1},
            "1 of 2 pods updated",
            id="a StatefulSet whose share is on its way",
        ),
        pytest.param(
            at_share(Part(workload("StatefulSet", replicas=4), "db"), None, 50),
            {**MOVING, "updatedReplicas": 2},
            None,
            id="a StatefulSet whose share has changed",
        ),
        pytest.param(
            at_share(Part(workload("DaemonSet"), "db"), None, 50),
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3},
            "1 of 2 nodes updated",
            id="a DaemonSet whose share is on its way",
        ),
        pytest.param(
            at_share(Part(workload("DaemonSet"), "db"), None, 50),
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 2, "numberAvailable": 2},
            "2 of 3 pods ready",
            id="a DaemonSet whose new pod starts",
        ),
        pytest.param(
            at_share(Part(workload("DaemonSet"), "db"), None, 50),
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 2, "numberAvailable": 3},
            None,
            id="a DaemonSet whose share has changed",
        ),
        pytest.param(
            workload("DaemonSet", updateStrategy={"type": "OnDelete"}),
            {"desiredNumberScheduled": 3, "numberAvailable": 3},
            None,
            id="a DaemonSet that people update",
        ),
    ],
)
def test_a_share_is_ready_when_its_pods_are(
    thing: Object, status: Object, lack: str | None
) -> None:
    live = {**thing, "status": status}
    found = judge((ref(thing["kind"]),), (live,), NOW, NOW)
    assert found == (Waiting((f"{thing['kind']}/db: {lack}",)) if lack else Ready())
