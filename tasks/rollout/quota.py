"""Whether a namespace's quota has room for a rollout's additional pods."""

import math
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from tasks.core.objects import Object, pod_template

__all__ = ["demand", "parse_quantity", "pods_demand", "shortages"]

_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)")
_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
}  # fmt: skip


def parse_quantity(text: str) -> Decimal:
    """Read a quantity as Kubernetes writes it (`100m`, `256Mi`); 0 where it is none."""
    match = _QUANTITY.fullmatch(str(text))
    return Decimal(match[1]) * _FACTORS.get(match[2], Decimal(1)) if match else Decimal(0)


def demand(wanted: Object, live: Object | None) -> dict[str, Decimal]:
    """Return what a workload needs beyond what it uses now while it is rolled out.

    Args:
        wanted: as a dry run answers it, so that the cluster's defaults are in it.
        live: None where it does not exist yet.
    """
    template = pod_template(wanted)
    if template is None or wanted["kind"] in ("CronJob", "Pod"):
        return {}
    spec = wanted.get("spec") or {}
    replicas = int(spec.get("replicas", 1))
    if live is None:
        pods = replicas
    elif pod_template(live) == template:
        return {}
    else:
        pods = _surge(wanted, int((live.get("spec") or {}).get("replicas", replicas)))
    return pods_demand(wanted, pods)


def pods_demand(workload: Object, pods: int) -> dict[str, Decimal]:
    """Return what so many of a workload's pods need."""
    template = pod_template(workload) or {}
    return {name: amount * pods for name, amount in _per_pod(template).items()}


def shortages(quotas: Iterable[Object], demands: Iterable[dict[str, Decimal]]) -> Iterator[str]:
    """Say which limits of which quota the additional pods would exceed."""
    needed: dict[str, Decimal] = {}
    for each in demands:
        for name, amount in each.items():
            needed[name] = needed.get(name, Decimal(0)) + amount
    for quota in quotas:
        status = quota.get("status") or {}
        hard = status.get("hard") or (quota.get("spec") or {}).get("hard") or {}
        used = status.get("used") or {}
        for name, limit in sorted(hard.items()):
            free = parse_quantity(limit) - parse_quantity(used.get(name, "0"))
            if needed.get(name, Decimal(0)) > free:
                yield (
                    f"quota {quota['metadata']['name']}: the rollout needs "
                    f"{_show(name, needed[name])} of {name} more, {_show(name, free)} are free"
                )


def _surge(wanted: Object, replicas: int) -> int:
    """Return how many pods a rolling update has beyond its replicas (apps/v1 DeploymentSpec)."""
    if wanted["kind"] != "Deployment":
        return 0
    strategy = wanted["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(surge, str) and surge.endswith("%"):
        return math.ceil(replicas * int(surge[:-1]) / 100)
    return int(surge)


def _per_pod(template: Object) -> dict[str, Decimal]:
    amounts = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for container in (template.get("spec") or {}).get("containers") or ():
        for side in ("requests", "limits"):
            for name, text in ((container.get("resources") or {}).get(side) or {}).items():
                keys = (f"{side}.{name}", name) if side == "requests" else (f"{side}.{name}",)
                for key in keys:
                    amounts[key] = amounts.get(key, Decimal(0)) + parse_quantity(text)
    return amounts


def _show(name: str, amount: Decimal) -> str:
    if name.endswith("memory"):
        return f"{amount / 2**20:.0f}Mi"
    return f"{amount * 1000:.0f}m" if name.endswith("cpu") else f"{amount:f}"
