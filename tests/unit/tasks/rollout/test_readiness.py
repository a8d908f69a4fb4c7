from datetime import UTC, datetime, timedelta

import pytest

from tasks.core.objects import Kind, Object, Ref
from tasks.rollout.pods import new_pods, unready_pods, warnings_in
from tasks.rollout.readiness import Broken, Readiness, Ready, Waiting, judge, judge_again

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=1)
API = Ref(Kind("apps/v1", "Deployment"), "shop", "api")
REVISION = "deployment.kubernetes.io/revision"


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def workload(kind: str = "Deployment", **status: object) -> Object:
    metadata = {
        "name": "api",
        "namespace": "shop",
        "uid": "w",
        "generation": 2,
        "annotations": {REVISION: "2", "deprecated.daemonset.template.generation": "2"},
    }
    full = {"observedGeneration": 2, **status}
    api = "batch/v1" if kind == "Job" else "apps/v1"
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": metadata,
        "spec": {"replicas": 2},
        "status": full,
    }


def replica_set(name: str, revision: str) -> Object:
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": name,
        "annotations": {REVISION: revision},
        "ownerReferences": [{"uid": "w"}],
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata}


def pod(owner: str = "new", *, labels: dict[str, str] | None = None, **status: object) -> Object:
    metadata = {
        "name": f"pod-of-{owner}",
        "namespace": "shop",
        "labels": labels or {},
        "ownerReferences": [{"uid": owner}],
    }
    spec = {"containers": [{"name": "api", "image": "api@2"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def waiting(reason: str, **more: object) -> Object:
    state = {"waiting": {"reason": reason, "message": "m"}}
    return {"containerStatuses": [{"name": "api", "image": "api@2", "state": state, **more}]}


def crashed(times: int, ended: datetime, reason: str = "Error", code: int = 3) -> Object:
    last = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": stamp(ended)}}
    status = {"name": "api", "image": "api@2", "restartCount": times, "lastState": last}
    return {"containerStatuses": [status]}


def unschedulable(since: datetime) -> Object:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "no node",
        "lastTransitionTime": stamp(since),
    }
    return {"conditions": [condition]}


def condition(kind: str, status: str, reason: str, at: datetime) -> Object:
    entry = {"type": kind, "status": status, "reason": reason, "message": "m"}
    return {**entry, "lastTransitionTime": stamp(at)}


SETS = (replica_set("old", "1"), replica_set("new", "2"))


def seen(*objects: Object) -> Readiness:
    return judge((API,), (*SETS, *objects), SINCE, NOW)


def seen_again(*objects: Object) -> Readiness:
    return judge_again((API,), (*SETS, *objects), SINCE, NOW)


HALF: Object = {"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}
FULL: Object = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        pytest.param({"observedGeneration": 1, **FULL}, "has not seen the change", id="not seen"),
        pytest.param(HALF, "1 of 2 new pods made", id="new pods are missing"),
        pytest.param({**FULL, "replicas": 3}, "1 old pods still there", id="old pods remain"),
        pytest.param({**FULL, "availableReplicas": 1}, "1 of 2 pods ready", id="not all ready"),
    ],
)
def test_a_workload_that_is_on_its_way_is_waited_for(status: Object, missing: str) -> None:
    found = seen(workload(**status))
    assert isinstance(found, Waiting)
    assert missing in found.missing[0]
    assert found.until is None


def test_a_workload_with_all_of_its_new_pods_available_is_ready() -> None:
    assert seen(workload(**FULL)) == Ready()


def test_a_workload_that_is_not_there_is_waited_for() -> None:
    assert seen() == Waiting(("Deployment/api is not there yet",))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(waiting("ErrImagePull"), "image api@2 cannot be pulled", id="no image"),
        pytest.param(waiting("InvalidImageName"), "cannot be pulled", id="no name"),
        pytest.param(waiting("CreateContainerConfigError"), "cannot be started", id="no config"),
        pytest.param(
            waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 1}}),
            "crashes again and again (exit code 1",
            id="crash loop",
        ),
        pytest.param(crashed(2, NOW), "crashes again and again (exit code 3", id="two crashes"),
        pytest.param(
            unschedulable(NOW - timedelta(minutes=3)), "cannot be scheduled: no node", id="no node"
        ),
    ],
)
def test_a_new_pod_that_cannot_run_breaks_the_rollout_at_once(status: Object, reason: str) -> None:
    found = seen(workload(**HALF), pod(**status))
    assert isinstance(found, Broken)
    assert reason in found.reason
    assert found.pod == Ref(Kind("v1", "Pod"), "shop", "pod-of-new")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(pod(**crashed(1, NOW)), id="one crash may happen"),
        pytest.param(
            pod(**crashed(5, SINCE - timedelta(hours=1))), id="crashes of before are not ours"
        ),
        pytest.param(pod("old", **waiting("ImagePullBackOff")), id="old pods are not ours"),
        pytest.param(pod(**waiting("ContainerCreating")), id="starting takes a while"),
    ],
)
def test_what_is_no_sign_of_a_bad_release_is_waited_for(other: Object) -> None:
    assert isinstance(seen(workload(**HALF), other), Waiting)


LONG_AGO = NOW - timedelta(minutes=30)
CRASHED = crashed(5, NOW)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({**CRASHED, "phase": "Failed", "reason": "Evicted"}, id="evicted"),
        pytest.param({**CRASHED, "phase": "Failed", "reason": "NodeLost"}, id="its node is lost"),
        pytest.param(
            {**CRASHED, "conditions": [condition("DisruptionTarget", "True", "Taint", NOW)]},
            id="about to be evicted",
        ),
        pytest.param(
            {"conditions": [condition("Ready", "False", "NodeNotReady", NOW)]},
            id="on a node that is not ready",
        ),
        pytest.param(crashed(2, NOW, "Unknown", 255), id="its node was started again"),
        pytest.param(crashed(2, NOW, "ContainerStatusUnknown", 137), id="its end was not seen"),
    ],
)
def test_what_the_cluster_does_to_a_pod_is_no_crash(status: Object) -> None:
    assert isinstance(seen(workload(**HALF), pod(**status)), Waiting)
    assert isinstance(seen_again(workload(**HALF), pod(**status)), Waiting)


@pytest.mark.parametrize(
    ("status", "conditions"),
    [
        pytest.param(unschedulable(LONG_AGO), [], id="no node has room"),
        pytest.param(waiting("ImagePullBackOff"), [], id="the registry is away"),
        pytest.param(
            {}, [condition("ReplicaFailure", "True", "FailedCreate", SINCE)], id="the quota is full"
        ),
    ],
)
def test_what_keeps_pods_from_coming_back_is_waited_for_and_on_the_way_in_it_is_not(
    status: Object, conditions: list[Object]
) -> None:
    objects = (workload(**HALF, conditions=conditions), pod(**status))
    assert isinstance(seen(*objects), Broken)
    assert seen_again(*objects) == Waiting(("Deployment/api: 1 of 2 new pods made",))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(CRASHED, "crashes again and again", id="crash loop"),
        pytest.param(waiting("CreateContainerConfigError"), "cannot be started", id="no config"),
    ],
)
def test_what_pods_do_themselves_breaks_them_whenever_it_is(status: Object, reason: str) -> None:
    found = seen_again(workload(**HALF), pod(**status))
    assert isinstance(found, Broken)
    assert reason in found.reason


def test_pods_that_are_all_there_are_ready_again() -> None:
    assert seen_again(workload(**FULL)) == Ready()


def test_old_news_is_not_judged_before_the_controller_has_seen_the_change() -> None:
    late = workload(**{**HALF, "observedGeneration": 1})
    assert isinstance(seen(late, pod(**waiting("ImagePullBackOff"))), Waiting)


def test_an_unschedulable_pod_is_looked_at_again_when_its_grace_is_over() -> None:
    began = NOW - timedelta(seconds=30)
    found = seen(workload(**HALF), pod(**unschedulable(began)))
    assert isinstance(found, Waiting)
    assert found.until == began + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            condition("Progressing", "False", "ProgressDeadlineExceeded", NOW),
            Broken("no progress: m", API),
            id="its own deadline",
        ),
        pytest.param(
            condition("Progressing", "False", "ProgressDeadlineExceeded", SINCE - timedelta(1)),
            Waiting(("Deployment/api: 1 of 2 new pods made",)),
            id="a deadline of before",
        ),
        pytest.param(
            condition("ReplicaFailure", "True", "FailedCreate", SINCE),
            Broken("pods are refused: m", API),
            id="quota",
        ),
        pytest.param(
            condition("ReplicaFailure", "True", "FailedCreate", NOW),
            Waiting(("Deployment/api: 1 of 2 new pods made",), NOW + timedelta(seconds=15)),
            id="quota that pods on their way out may free",
        ),
    ],
)
def test_conditions_of_a_workload_are_judged(entry: Object, expected: Readiness) -> None:
    assert seen(workload(**HALF, conditions=[entry])) == expected


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        pytest.param(
            "StatefulSet",
            {"updateRevision": "b", "currentRevision": "a", "availableReplicas": 2},
            "0 of 2 pods updated",
            id="stateful set on its way",
        ),
        pytest.param(
            "StatefulSet",
            {"updateRevision": "b", "currentRevision": "b", "availableReplicas": 2},
            None,
            id="stateful set ready",
        ),
        pytest.param(
            "StatefulSet",
            {"updateRevision": "b", "currentRevision": "a", "updatedReplicas": 2},
            "0 of 2 pods ready",
            id="stateful set updated and not ready",
        ),
        pytest.param(
            "StatefulSet",
            {"updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 1},
            "1 of 2 pods ready",
            id="stateful set whose newest pod is not ready for minReadySeconds yet",
        ),
        pytest.param(
            "DaemonSet",
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2},
            "2 of 3 pods updated and ready",
            id="daemon set on its way",
        ),
        pytest.param("Job", {"observedGeneration": 0}, "0 of 1 completions", id="job on its way"),
        pytest.param("Job", {"succeeded": 1}, None, id="job done"),
    ],
)
def test_every_kind_of_workload_says_what_it_lacks(
    kind: str, status: Object, expected: str | None
) -> None:
    thing = workload(kind, **status)
    ref = Ref(Kind(thing["apiVersion"], kind), "shop", "api")
    found = judge((ref,), (thing,), SINCE, NOW)
    if expected is None:
        assert found == Ready()
    else:
        assert found == Waiting((f"{kind}/api: {expected}",))


def test_a_stateful_set_that_is_refused_pods_tells_it_in_events() -> None:
    thing = workload("StatefulSet", updateRevision="b", currentRevision="a")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"uid": "w"},
        "reason": "FailedCreate",
        "message": "exceeded quota",
        "lastTimestamp": stamp(NOW),
    }
    ref = Ref(Kind("apps/v1", "StatefulSet"), "shop", "api")
    assert judge((ref,), (thing, event), SINCE, NOW) == Broken(
        "pods are refused: exceeded quota", ref
    )


@pytest.mark.parametrize(
    ("kind", "label"),
    [("StatefulSet", "controller-revision-hash"), ("DaemonSet", "pod-template-generation")],
)
def test_new_pods_are_those_of_the_newest_revision(kind: str, label: str) -> None:
    thing = workload(kind, updateRevision="2")
    old, new = pod("w", labels={label: "1"}), pod("w", labels={label: "2"})
    assert new_pods(thing, (old, new)) == (new,)


def test_the_evidence_of_a_deadline_is_a_new_pod_that_is_not_ready() -> None:
    sets = (replica_set("old", "1"), replica_set("new", "2"))
    found = unready_pods((API,), (workload(**HALF), *sets, pod()))
    assert list(found) == [(Ref(Kind("v1", "Pod"), "shop", "pod-of-new"), "api")]


def warning(pod: str, message: str, at: datetime, kind: str = "Warning") -> Object:
    about = {"kind": "Pod", "name": pod}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": message, "namespace": "shop"},
    }
    said = {"type": kind, "reason": "Unhealthy", "message": message, "lastTimestamp": stamp(at)}
    return {**event, "involvedObject": about, **said}


def test_the_newest_warning_says_why_a_pod_is_not_ready() -> None:
    objects = (
        workload(),
        replica_set("new", "2"),
        pod(),
        warning("pod-of-new", "Readiness probe failed: 500", NOW),
        warning("pod-of-new", "Readiness probe failed: refused", SINCE),
        warning("pod-of-new", "Pulled", NOW, kind="Normal"),
        warning("pod-of-old", "Liveness probe failed", NOW),
    )
    assert warnings_in((API,), objects) == ("Unhealthy: Readiness probe failed: 500",)
