"""Whether a namespace's quotas have room for what a rollout adds to it for a while."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tasks.core.objects import Kind, Object, pod_template
from tasks.core.quantities import parse_quantity
from tasks.rollout.footprint import Amounts, added, footprint

__all__ = ["Need", "counted", "demand", "pods_beyond", "pods_need", "shortages", "surge"]

ONE = Decimal(1)
REPLICA_SET = Kind("apps/v1", "ReplicaSet")
WITHOUT_PODS = frozenset({"CronJob", "Pod"})
"""Kinds whose pods come later, or are not ours to multiply."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a rollout adds to a namespace.

    Attributes:
        pod: template of the pods that are added, which a quota's scopes look at.
    """

    amounts: Amounts
    pod: Object | None = field(default=None, repr=False)


def demand(
    wanted: Object, live: Object | None, limit_ranges: Iterable[Object] = ()
) -> Iterator[Need]:
    """Yield what an object needs beyond what it uses now while it is rolled out in its place.

    Args:
        wanted: as a dry run answers it, so that the cluster's defaults are in it.
        live: None where it does not exist yet.
        limit_ranges: those of its namespace.
    """
    if live is None:
        yield counted(Kind(wanted["apiVersion"], wanted["kind"]), wanted)
    if wanted["kind"] == "Deployment" and not _runs_already(wanted, live):
        yield counted(REPLICA_SET)
    pods = pods_beyond(wanted, live)
    if pods:
        yield pods_need(wanted, pods, limit_ranges)


def pods_beyond(wanted: Object, live: Object | None) -> int:
    """Return how many pods a workload has at most beyond those of now, while it is rolled out."""
    if pod_template(wanted) is None or wanted["kind"] in WITHOUT_PODS:
        return 0
    replicas = _replicas(wanted, 1)
    if live is None:
        return replicas
    grown = max(0, replicas - _replicas(live, replicas))
    return grown if _runs_already(wanted, live) else grown + surge(wanted, replicas)


def pods_need(workload: Object, pods: int, limit_ranges: Iterable[Object] = ()) -> Need:
    """Return what so many of a workload's pods need."""
    template = pod_template(workload) or {}
    each = footprint(template, limit_ranges)
    return Need({name: amount * pods for name, amount in each.items()}, template)


def counted(kind: Kind, thing: Object | None = None) -> Need:
    """Return what one object more of a kind needs, under the names that quotas have for it.

    Source: kubernetes.io, Resource Quotas, object count.
    """
    plural, group = _plural(kind.name), kind.api_version.rpartition("/")[0]
    if group:
        return Need({f"count/{plural}.{group}": ONE})
    spec = (thing or {}).get("spec") or {}
    amounts = {f"count/{plural}": ONE, plural: ONE}
    if kind.name == "Service":
        is_balanced = spec.get("type") == "LoadBalancer"
        on_nodes = len(spec.get("ports") or ()) * (is_balanced or spec.get("type") == "NodePort")
        amounts |= {"services.loadbalancers": Decimal(is_balanced)}
        amounts |= {"services.nodeports": Decimal(on_nodes)}
    elif kind.name == "PersistentVolumeClaim":
        requests = (spec.get("resources") or {}).get("requests") or {}
        amounts |= {"requests.storage": parse_quantity(requests.get("storage", "0"))}
    return Need(amounts)


def shortages(quotas: Iterable[Object], needs: Iterable[Need]) -> Iterator[str]:
    """Say which limits of which quota would be exceeded."""
    wanted = tuple(needs)
    for quota in quotas:
        needed = added(each.amounts for each in wanted if _covers(quota, each))
        status = quota.get("status") or {}
        hard = status.get("hard") or (quota.get("spec") or {}).get("hard") or {}
        used = status.get("used") or {}
        for name, limit in sorted(hard.items()):
            free = parse_quantity(limit) - parse_quantity(used.get(name, "0"))
            if needed.get(name, Decimal(0)) > max(free, Decimal(0)):
                yield (
                    f"quota {quota['metadata']['name']}: the rollout needs "
                    f"{_show(name, needed[name])} of {name} more, {_show(name, free)} are free"
                )


def surge(workload: Object, replicas: int) -> int:
    """Return how many pods a rolling update has beyond its replicas (apps/v1 DeploymentSpec)."""
    if workload["kind"] != "Deployment":
        return 0
    strategy = workload["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    most = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(most, str) and most.endswith("%"):
        return math.ceil(replicas * int(most[:-1]) / 100)
    return int(most)


def _runs_already(wanted: Object, live: Object | None) -> bool:
    return live is not None and pod_template(live) == pod_template(wanted)


def _replicas(workload: Object, default: int) -> int:
    return int((workload.get("spec") or {}).get("replicas", default))


def _plural(kind: str) -> str:
    """Name a kind as its resource is named in the API."""
    name = kind.lower()
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _covers(quota: Object, need: Need) -> bool:
    """Say whether a quota counts a need: one with scopes counts only pods, and not all of them."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": each, "operator": "Exists"} for each in spec.get("scopes") or ()]
    scopes += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return not scopes or (need.pod is not None and all(_is_in(each, need) for each in scopes))


def _is_in(scope: Object, need: Need) -> bool:
    """Say whether pods are in a scope; of those that look at other things than pods none is."""
    spec: Mapping[str, object] = (need.pod or {}).get("spec") or {}
    has_end = "activeDeadlineSeconds" in spec
    asks = any(
        need.amounts.get(f"{side}.{name}", 0) > 0
        for side in ("requests", "limits")
        for name in ("cpu", "memory")
    )
    match scope["scopeName"]:
        case "Terminating":
            return has_end
        case "NotTerminating":
            return not has_end
        case "BestEffort":
            return not asks
        case "NotBestEffort":
            return asks
        case "PriorityClass":
            return _is_selected(scope, spec.get("priorityClassName"))
        case _:
            return False


def _is_selected(scope: Object, priority: object) -> bool:
    match scope["operator"]:
        case "In":
            return priority in (scope.get("values") or ())
        case "NotIn":
            return priority not in (scope.get("values") or ())
        case "Exists":
            return priority is not None
        case _:
            return priority is None


def _show(name: str, amount: Decimal) -> str:
    if name.endswith(("memory", "storage")):
        return f"{amount / 2**20:.0f}Mi"
    return f"{amount * 1000:.0f}m" if name.endswith("cpu") else f"{amount:f}"
