"""What a picture of the cluster says about workloads that should become ready."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.core.objects import Object, Ref, ref_of
from tasks.rollout.partition import node_share, nodes_for, partition_of
from tasks.rollout.pods import is_observed, last_failed, new_pods

__all__ = ["Broken", "Readiness", "Ready", "Waiting", "judge", "judge_again", "new_pods"]

UNSCHEDULABLE_GRACE = timedelta(minutes=2)
"""A cluster autoscaler needs about as long for a new node. On the way in no node means that there
is no room for the release; for pods that ran before it means that a node has gone (judge_again)."""
QUOTA_GRACE = timedelta(seconds=15)
"""Pods that are still ending count against a quota."""
CRASHES = 2

NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
NO_START = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
LOST = frozenset({"ContainerStatusUnknown", "Unknown"})
"""How a kubelet calls the end of containers that it did not see: it, or its node, was away."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Every workload runs its new revision."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet; look again at the latest at an instant.

    Attributes:
        missing: one line a workload that is not ready.
    """

    missing: tuple[str, ...]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """It will not become ready.

    Attributes:
        pod: whose logs and events are the evidence, None where no pod came to be.
    """

    reason: str
    subject: Ref
    pod: Ref | None = None
    container: str = ""


Readiness = Ready | Waiting | Broken


def judge(
    workloads: tuple[Ref, ...], objects: tuple[Object, ...], since: datetime, now: datetime
) -> Readiness:
    """Say how workloads stand that come in; since is when their new state was applied."""
    return _judge(workloads, objects, now, lambda workload: _troubles(workload, objects, since))


def judge_again(
    workloads: tuple[Ref, ...], objects: tuple[Object, ...], since: datetime, now: datetime
) -> Readiness:
    """Say how workloads stand that were ready once, since an instant.

    What keeps a pod from coming back is the cluster's matter (a node that is gone or full, a quota
    that others use up, a registry that is away) and is waited for. What the pods do is not.
    """
    return _judge(workloads, objects, now, lambda workload: _faults(workload, objects, since))


def _judge(
    workloads: tuple[Ref, ...],
    objects: tuple[Object, ...],
    now: datetime,
    troubles_of: "Callable[[Object], Iterable[_Trouble]]",
) -> Readiness:
    by_ref = {ref_of(thing): thing for thing in objects}
    missing: list[str] = []
    pending: list[datetime] = []
    for ref in workloads:
        workload = by_ref.get(ref)
        if workload is None:
            missing.append(f"{ref} is not there yet")
            continue
        if not is_observed(workload):
            missing.append(f"{ref}: its controller has not seen the change yet")
            continue
        lack = _LACKS[workload["kind"]](workload, workload.get("status") or {})
        if lack is None:
            continue
        for trouble in troubles_of(workload):
            if trouble.at <= now:
                return trouble.broken
            pending.append(trouble.at)
        missing.append(f"{ref}: {lack}")
    if not missing:
        return Ready()
    return Waiting(tuple(missing), min(pending, default=None))


def _deployment_lack(workload: Object, status: Object) -> str | None:
    wanted = workload["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted:
        return f"{updated} of {wanted} new pods made"
    if old > 0:
        return f"{old} old pods still there"
    return None if available >= wanted else f"{available} of {wanted} pods ready"


def _stateful_lack(workload: Object, status: Object) -> str | None:
    wanted, strategy = workload["spec"].get("replicas", 1), _update_strategy(workload)
    if strategy.get("type") == "OnDelete":
        return None
    available, updated = status.get("availableReplicas", 0), status.get("updatedReplicas", 0)
    to_update = max(0, wanted - partition_of(workload))
    if status.get("updateRevision") != status.get("currentRevision") and updated < to_update:
        return f"{updated} of {to_update} pods updated"
    return None if available >= wanted else f"{available} of {wanted} pods ready"


def _daemon_lack(workload: Object, status: Object) -> str | None:
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    if _update_strategy(workload).get("type") == "OnDelete":
        to_update = nodes_for(workload, node_share(workload) or 0)
        if updated < to_update:
            return f"{updated} of {to_update} nodes updated"
        return None if available >= wanted else f"{available} of {wanted} pods ready"
    ready = min(updated, available)
    return None if ready >= wanted else f"{ready} of {wanted} pods updated and ready"


def _update_strategy(workload: Object) -> Object:
    return workload["spec"].get("updateStrategy") or {}


def _job_lack(workload: Object, status: Object) -> str | None:
    wanted = (workload.get("spec") or {}).get("completions", 1)
    done = status.get("succeeded", 0)
    return None if done >= wanted else f"{done} of {wanted} completions"


_LACKS: dict[str, Callable[[Object, Object], str | None]] = {
    "Deployment": _deployment_lack,
    "StatefulSet": _stateful_lack,
    "DaemonSet": _daemon_lack,
    "Job": _job_lack,
}


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Something that means broken from an instant on."""

    at: datetime
    broken: Broken


def _troubles(workload: Object, objects: tuple[Object, ...], since: datetime) -> Iterator[_Trouble]:
    yield from _faults(workload, objects, since)
    for pod in new_pods(workload, objects):
        yield from _lacks_of(workload, pod, since)
    yield from _condition_troubles(workload, objects, since)
    yield from _refusals(workload, objects, since)


def _faults(workload: Object, objects: tuple[Object, ...], since: datetime) -> Iterator[_Trouble]:
    """Walk over what containers have done themselves."""
    for pod in new_pods(workload, objects):
        for container in _containers(pod):
            reason = _fault(container, since)
            if reason:
                broken = Broken(reason, ref_of(workload), ref_of(pod), container["name"])
                yield _Trouble(since, broken)


def _lacks_of(workload: Object, pod: Object, since: datetime) -> Iterator[_Trouble]:
    """Walk over what a pod is not given: its images, a node."""
    subject, ref = ref_of(workload), ref_of(pod)
    for container in _containers(pod):
        why = _waits_for(container).get("reason")
        if why in NO_IMAGE:
            reason = f"image {container.get('image')} cannot be pulled ({why})"
            yield _Trouble(since, Broken(reason, subject, ref, container["name"]))
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("reason") == "Unschedulable" and condition["status"] == "False":
            reason = f"pod {ref.name} cannot be scheduled: {condition.get('message', '')}"
            at = _instant(condition, since) + UNSCHEDULABLE_GRACE
            yield _Trouble(at, Broken(reason, subject, ref))


def _containers(pod: Object) -> Iterator[Object]:
    """Walk over the containers of a pod; not of one that the cluster ends, whose matter they are.

    Such a pod was evicted, or its node goes. Pods of servers start their containers again for ever,
    so that none fails by itself.
    """
    status = pod.get("status") or {}
    conditions = [(each["type"], each["status"]) for each in status.get("conditions") or ()]
    if status.get("phase") == "Failed" or ("DisruptionTarget", "True") in conditions:
        return
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(key) or ()


def _waits_for(container: Object) -> Object:
    return (container.get("state") or {}).get("waiting") or {}


def _fault(container: Object, since: datetime) -> str | None:
    """Say what a container has done so that it cannot run, None where it can or may yet."""
    waiting = _waits_for(container)
    reason, name = waiting.get("reason", ""), container["name"]
    if reason in NO_START:
        return f"container {name} cannot be started ({reason}: {waiting.get('message', '')})"
    ended = (container.get("lastState") or {}).get("terminated") or {}
    crashed = ended.get("exitCode", 0) != 0 and ended.get("reason") not in LOST
    is_ours = crashed and _instant(ended, since, "finishedAt") >= since
    if is_ours and (reason == "CrashLoopBackOff" or container.get("restartCount", 0) >= CRASHES):
        how = f"exit code {ended['exitCode']}, {ended.get('reason', 'Error')}"
        return f"container {name} crashes again and again ({how})"
    return None


def _condition_troubles(
    workload: Object, objects: tuple[Object, ...], since: datetime
) -> Iterator[_Trouble]:
    ref = ref_of(workload)
    for condition in (workload.get("status") or {}).get("conditions") or ():
        at, message = _instant(condition, since), condition.get("message", "")
        match condition["type"], condition["status"], condition.get("reason"):
            case "Progressing", "False", "ProgressDeadlineExceeded" if at >= since:
                yield _Trouble(at, Broken(f"no progress: {message}", ref))
            case "ReplicaFailure", "True", _:
                at = max(at, since) + QUOTA_GRACE
                yield _Trouble(at, Broken(f"pods are refused: {message}", ref))
            case "Failed", "True", _:
                pod, container = last_failed(workload, objects)
                yield _Trouble(at, Broken(f"the job failed: {message}", ref, pod, container))
            case _:
                continue


def _refusals(workload: Object, objects: tuple[Object, ...], since: datetime) -> Iterator[_Trouble]:
    """Read from events what StatefulSets and DaemonSets do not tell in their conditions."""
    if workload["kind"] == "Deployment":
        return
    uid = workload["metadata"].get("uid")
    for event in objects:
        if event["kind"] != "Event" or event.get("reason") != "FailedCreate":
            continue
        seen = _instant(event, since, "lastTimestamp")
        if event["involvedObject"].get("uid") == uid and seen >= since:
            reason = f"pods are refused: {event.get('message', '')}"
            yield _Trouble(since + QUOTA_GRACE, Broken(reason, ref_of(workload)))


def _instant(holder: Object, default: datetime, key: str = "lastTransitionTime") -> datetime:
    text = holder.get(key)
    return datetime.fromisoformat(text) if text else default
