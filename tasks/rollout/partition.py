"""StatefulSets and DaemonSets: a share of their pods is changed where it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tasks.core.objects import Object, Ref, ref_of
from tasks.rollout.pods import is_observed, is_ready, new_pods, old_pods

__all__ = [
    "SHARE",
    "Part",
    "at_share",
    "in_the_way",
    "may_be_shared",
    "node_share",
    "nodes_for",
    "partition_for",
    "partition_of",
    "pods_for",
    "replaceable",
]

ALL = 100

SHARE = "slipway.dev/share"
"""Annotation of a DaemonSet: percent of its nodes that run the new release for now."""


@dataclass(frozen=True, slots=True)
class Part:
    """A StatefulSet or DaemonSet of a release that changes share by share.

    Attributes:
        workload: as the release wants it in the end.
    """

    workload: Object = field(repr=False)
    component: str

    @property
    def ref(self) -> Ref:
        """Its name."""
        return ref_of(self.workload)


def may_be_shared(workload: Object) -> bool:
    """Say whether a workload's pods can be changed a share at a time: people do not do it."""
    if workload["kind"] not in _SHAPES:
        return False
    return (workload["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"


def pods_for(count: int, share: int) -> int:
    """Return how many of a number of pods are a share of them, rounded up: 1 % is one pod."""
    return -(-count * share // ALL)


def partition_for(replicas: int, share: int) -> int:
    """Return the ordinal from which on the pods of a StatefulSet are changed, for a share."""
    return replicas - pods_for(replicas, share)


def partition_of(stateful_set: Object) -> int:
    """Return the ordinal from which on the pods of a StatefulSet are of its newest revision."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition", 0))


def at_share(part: Part, live: Object | None, share: int) -> Object:
    """Return what to apply so that a share of a workload's pods, in percent, is changed.

    How many pods there are stays as it is: an autoscaler may have its own mind about that, and a
    release changes it when it is promoted. At 100 Kubernetes changes what is left by itself.
    """
    wanted = part.workload
    if live is not None and "replicas" in live["spec"]:
        wanted = {**wanted, "spec": {**wanted["spec"], "replicas": live["spec"]["replicas"]}}
    return wanted if share == ALL else _SHAPES[wanted["kind"]](wanted, share)


def in_the_way(workloads: tuple[Ref, ...], objects: tuple[Object, ...]) -> Iterator[Ref]:
    """Name the pods that have to be deleted so that the workloads' newest revisions go on."""
    by_ref = {ref_of(thing): thing for thing in objects}
    for workload in (by_ref[ref] for ref in workloads if ref in by_ref):
        if workload["kind"] == "StatefulSet" and is_observed(workload):
            yield from _stuck(workload, objects)
        elif workload["kind"] == "DaemonSet" and is_observed(workload):
            yield from replaceable(workload, objects)


def replaceable(workload: Object, objects: Iterable[Object]) -> tuple[Ref, ...]:
    """Return the old pods of a DaemonSet to delete next, so that its share of nodes changes.

    No more at a time than it may lack; those that are not ready go first, then node by node.
    """
    share = node_share(workload)
    if share is None:
        return ()
    things = tuple(objects)
    new, old = new_pods(workload, things), old_pods(workload, things)
    wanted = nodes_for(workload, share) - len(new)
    desired = (workload.get("status") or {}).get("desiredNumberScheduled", 0)
    available = sum(map(is_ready, (*new, *old)))
    room = max(0, _may_lack(workload, desired) - (desired - available))
    idle = [pod for pod in old if not is_ready(pod)]
    busy = [pod for pod in old if is_ready(pod)]
    chosen = [*sorted(idle, key=_node), *sorted(busy, key=_node)[:room]]
    return tuple(map(ref_of, chosen[: max(0, wanted)]))


def node_share(workload: Object) -> int | None:
    """Return the percentage of its nodes on which a live DaemonSet is to be new; None for all."""
    text = (workload["metadata"].get("annotations") or {}).get(SHARE)
    return int(text) if text is not None else None


def nodes_for(workload: Object, share: int) -> int:
    """Return how many nodes of a live DaemonSet are a share of them."""
    return pods_for((workload.get("status") or {}).get("desiredNumberScheduled", 0), share)


def _stuck(workload: Object, objects: Iterable[Object]) -> tuple[Ref, ...]:
    """Return pods of an old revision that keep a StatefulSet from going on.

    It waits for a pod that is not ready for ever, even when its template was put right
    (kubernetes.io, StatefulSets, forced rollback): the pod has to be deleted. One below the
    partition would come back as it was.
    """
    first = partition_of(workload) + (workload["spec"].get("ordinals") or {}).get("start", 0)
    old = (pod for pod in old_pods(workload, objects) if not is_ready(pod))
    return tuple(ref_of(pod) for pod in old if _ordinal(pod) >= first)


def _set_at_share(wanted: Object, share: int) -> Object:
    spec = wanted["spec"]
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    partition = max(partition_for(spec.get("replicas", 1), share), partition_of(wanted))
    shared = {**strategy, "type": "RollingUpdate"}
    shared["rollingUpdate"] = {**rolling, "partition": partition}
    return {**wanted, "spec": {**spec, "updateStrategy": shared}}


def _daemons_at_share(wanted: Object, share: int) -> Object:
    strategy = {**(wanted["spec"].get("updateStrategy") or {}), "type": "OnDelete"}
    annotations = {**(wanted["metadata"].get("annotations") or {}), SHARE: str(share)}
    return {
        **wanted,
        "metadata": {**wanted["metadata"], "annotations": annotations},
        "spec": {**wanted["spec"], "updateStrategy": strategy},
    }


_SHAPES = {"StatefulSet": _set_at_share, "DaemonSet": _daemons_at_share}


def _may_lack(workload: Object, desired: int) -> int:
    """Return how many pods a DaemonSet may lack (apps/v1 RollingUpdateDaemonSet): 1 by default."""
    strategy = workload["spec"].get("updateStrategy") or {}
    most = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    if isinstance(most, str) and most.endswith("%"):
        most = pods_for(desired, int(most[:-1]))
    return max(1, int(most))  # 0 is allowed beside a surge, which deleting a pod cannot make


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _node(pod: Object) -> str:
    return str(pod["spec"].get("nodeName", ""))
