"""Which pods are of a workload's newest revision, and how they stand."""

from collections.abc import Callable, Iterable, Iterator

from tasks.core.evidence import warnings_about
from tasks.core.objects import Object, Ref, ref_of

__all__ = [
    "is_observed",
    "is_ready",
    "last_failed",
    "new_pods",
    "old_pods",
    "unready_pods",
    "warnings_in",
]


def new_pods(workload: Object, objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the pods of a workload's newest revision that are not on their way out."""
    objects = tuple(objects)
    chosen = _POD_CHOICE.get(workload["kind"])
    if chosen is None:
        return ()
    return tuple(
        thing for thing in chosen(workload, objects) if "deletionTimestamp" not in thing["metadata"]
    )


def old_pods(workload: Object, objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the pods of earlier revisions that a StatefulSet or DaemonSet has, and keeps."""
    things = tuple(objects)
    current = {ref_of(pod) for pod in new_pods(workload, things)}
    return tuple(
        pod
        for pod in _owned(things, "Pod", workload["metadata"]["uid"])
        if ref_of(pod) not in current and "deletionTimestamp" not in pod["metadata"]
    )


def unready_pods(
    workloads: tuple[Ref, ...], objects: tuple[Object, ...]
) -> Iterator[tuple[Ref, str]]:
    """Name, for each workload, a new pod that is not ready, and its container."""
    by_ref = {ref_of(thing): thing for thing in objects}
    for workload in (by_ref[ref] for ref in workloads if ref in by_ref):
        for pod in new_pods(workload, objects):
            if not is_ready(pod):
                yield ref_of(pod), pod["spec"]["containers"][0]["name"]
                break


def warnings_in(workloads: tuple[Ref, ...], objects: tuple[Object, ...]) -> tuple[str, ...]:
    """Return the newest warning about a pod of each workload that is not ready."""
    found = (warnings_about(pod, objects)[-1:] for pod, _ in unready_pods(workloads, objects))
    return tuple(warning for newest in found for warning in newest)


def last_failed(workload: Object, objects: tuple[Object, ...]) -> tuple[Ref | None, str]:
    """Name the newest pod of a Job that has failed, and its container; none where it is gone."""
    failed = [
        pod
        for pod in new_pods(workload, objects)
        if (pod.get("status") or {}).get("phase") == "Failed"
    ]
    if not failed:
        return None, ""
    newest = max(failed, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    return ref_of(newest), newest["spec"]["containers"][0]["name"]


def is_ready(pod: Object) -> bool:
    """Say whether Kubernetes sends traffic to a pod."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_observed(workload: Object) -> bool:
    """Say whether status and pods are about the newest revision; until then they are old news."""
    if workload["kind"] == "Job":
        return True
    seen = (workload.get("status") or {}).get("observedGeneration", 0)
    return bool(seen >= workload["metadata"].get("generation", 0))


def _owned(objects: Iterable[Object], kind: str, uid: str) -> Iterator[Object]:
    for thing in objects:
        owners = thing["metadata"].get("ownerReferences") or ()
        if thing["kind"] == kind and any(owner["uid"] == uid for owner in owners):
            yield thing


_REVISION = "deployment.kubernetes.io/revision"
_GENERATION = "deprecated.daemonset.template.generation"


def _deployment_pods(workload: Object, objects: tuple[Object, ...]) -> Iterator[Object]:
    revision = (workload["metadata"].get("annotations") or {}).get(_REVISION)
    for replica_set in _owned(objects, "ReplicaSet", workload["metadata"]["uid"]):
        if (replica_set["metadata"].get("annotations") or {}).get(_REVISION) == revision:
            yield from _owned(objects, "Pod", replica_set["metadata"]["uid"])


def _stateful_pods(workload: Object, objects: tuple[Object, ...]) -> Iterator[Object]:
    revision = (workload.get("status") or {}).get("updateRevision")
    for pod in _owned(objects, "Pod", workload["metadata"]["uid"]):
        if pod["metadata"]["labels"].get("controller-revision-hash") == revision:
            yield pod


def _daemon_pods(workload: Object, objects: tuple[Object, ...]) -> Iterator[Object]:
    generation = (workload["metadata"].get("annotations") or {}).get(_GENERATION)
    for pod in _owned(objects, "Pod", workload["metadata"]["uid"]):
        if pod["metadata"]["labels"].get("pod-template-generation") == generation:
            yield pod


def _job_pods(workload: Object, objects: tuple[Object, ...]) -> Iterator[Object]:
    return _owned(objects, "Pod", workload["metadata"]["uid"])


_POD_CHOICE: dict[str, Callable[[Object, tuple[Object, ...]], Iterator[Object]]] = {
    "Deployment": _deployment_pods,
    "StatefulSet": _stateful_pods,
    "DaemonSet": _daemon_pods,
    "Job": _job_pods,
}
