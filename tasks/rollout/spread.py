"""Whether there are nodes enough for pods that refuse to share one."""

from collections.abc import Iterable, Iterator, Mapping

from tasks.core.objects import Object, pod_template

__all__ = ["crowding", "keeps_apart"]

HOSTNAME = "kubernetes.io/hostname"
KEEPING_AWAY = frozenset({"NoExecute", "NoSchedule"})


def crowding(workload: Object, pods: int, nodes: Iterable[Object]) -> str | None:
    """Say that so many pods of a workload, which refuse to share a node, are more than the nodes.

    Args:
        workload: whose pods require to be apart from one another (keeps_apart).
        pods: how many of them run together at most.
        nodes: all of the cluster.
    """
    room = sum(_takes(node, workload) for node in nodes)
    if pods <= room:
        return None
    name = f"{workload['kind']}/{workload['metadata']['name']}"
    return (
        f"{name} requires a node for each pod (podAntiAffinity): {pods} run together for a while, "
        f"{room} nodes take them"
    )


def keeps_apart(workload: Object, labels: Mapping[str, str]) -> bool:
    """Say whether a workload's pods require not to share a node with pods that have these labels.

    Terms that look at one revision alone (matchLabelKeys) are left out: they let the new pods run
    beside the old ones.
    """
    return any(
        term.get("topologyKey") == HOSTNAME
        and not term.get("matchLabelKeys")
        and not term.get("mismatchLabelKeys")
        and _selects(term.get("labelSelector"), labels)
        for term in _terms(workload)
    )


def _terms(workload: Object) -> Iterator[Object]:
    affinity = _pod_spec(workload).get("affinity") or {}
    away = affinity.get("podAntiAffinity") or {}
    yield from away.get("requiredDuringSchedulingIgnoredDuringExecution") or ()


def _pod_spec(workload: Object) -> Object:
    return (pod_template(workload) or {}).get("spec") or {}


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or ()
    return wanted.items() <= labels.items() and all(_holds(each, labels) for each in rules)


def _holds(rule: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(rule["key"]), rule.get("values") or ()
    match rule["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def _takes(node: Object, workload: Object) -> bool:
    """Say whether a node would take a pod; how full it is, the scheduler knows."""
    spec, labels = node.get("spec") or {}, node["metadata"].get("labels") or {}
    pod = _pod_spec(workload)
    conditions = (node.get("status") or {}).get("conditions") or ()
    is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    is_chosen = (pod.get("nodeSelector") or {}).items() <= labels.items()
    taints = [each for each in spec.get("taints") or () if each["effect"] in KEEPING_AWAY]
    is_open = all(_is_tolerated(each, pod.get("tolerations") or ()) for each in taints)
    return is_ready and is_chosen and is_open and not spec.get("unschedulable")


def _is_tolerated(taint: Object, tolerations: Iterable[Object]) -> bool:
    return any(
        each.get("effect") in (None, "", taint["effect"])
        and each.get("key") in (None, "", taint["key"])
        and (each.get("operator") == "Exists" or each.get("value") == taint.get("value"))
        for each in tolerations
    )
