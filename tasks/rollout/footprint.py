"""What a pod takes of its namespace's quota: what its containers ask, together or at most."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from tasks.core.objects import Object
from tasks.core.quantities import parse_quantity

__all__ = ["Amounts", "added", "footprint"]

Amounts = Mapping[str, Decimal]
"""By resource, as quotas name it: `requests.cpu`, `limits.memory`, `count/secrets`."""


def added(amounts: Iterable[Amounts]) -> dict[str, Decimal]:
    """Return the sum of amounts, resource by resource."""
    return _merged(amounts, lambda one, other: one + other)


def footprint(template: Object, limit_ranges: Iterable[Object] = ()) -> dict[str, Decimal]:
    """Return what one pod takes.

    Args:
        template: of the pod.
        limit_ranges: those of its namespace; they fill in what containers leave open.

    Source: kubernetes.io, Init Containers and Sidecar Containers, resource sharing: containers that
    initialise run one after the other, each beside the sidecars that were started before it.
    """
    spec = template.get("spec") or {}
    filled = _filled_in(limit_ranges)
    first = spec.get("initContainers") or ()
    asked = [_asked(container, filled) for container in first]
    sidecars = [
        each if container.get("restartPolicy") == "Always" else {}
        for each, container in zip(asked, first, strict=True)
    ]
    beginning = [added((each, *sidecars[:number])) for number, each in enumerate(asked)]
    servers = (_asked(container, filled) for container in spec.get("containers") or ())
    most = _merged((added((*servers, *sidecars)), *beginning), max)
    whole = {**most, **_sides(spec.get("resources") or {})}  # of the pod, where it says so itself
    short = {
        name.removeprefix("requests."): amount
        for name, amount in whole.items()
        if name.startswith("requests.")
    }
    return {"pods": Decimal(1), "count/pods": Decimal(1), **whole, **short}


def _merged(
    amounts: Iterable[Amounts], merge: Callable[[Decimal, Decimal], Decimal]
) -> dict[str, Decimal]:
    merged: dict[str, Decimal] = {}
    for each in amounts:
        for name, amount in each.items():
            merged[name] = merge(merged[name], amount) if name in merged else amount
    return merged


def _asked(container: Object, filled: Object) -> dict[str, Decimal]:
    """Return what a container asks; what it may have at most it asks, where it says nothing else.

    Source: kubernetes.io, Limit Ranges; and defaults of the API for containers of pods.
    """
    own = container.get("resources") or {}
    limits = own.get("limits") or {}
    requests = {**filled["requests"], **limits, **(own.get("requests") or {})}
    return _sides({"requests": requests, "limits": {**filled["limits"], **limits}})


def _sides(resources: Object) -> dict[str, Decimal]:
    return {
        f"{side}.{name}": parse_quantity(text)
        for side in ("requests", "limits")
        for name, text in (resources.get(side) or {}).items()
    }


def _filled_in(limit_ranges: Iterable[Object]) -> Object:
    """Return what a namespace's LimitRanges give to containers that ask for nothing."""
    requests: Object = {}
    limits: Object = {}
    for limit_range in limit_ranges:
        for item in (limit_range.get("spec") or {}).get("limits") or ():
            if item.get("type") == "Container":
                limits |= item.get("default") or {}
                requests |= {**(item.get("default") or {}), **(item.get("defaultRequest") or {})}
    return {"requests": requests, "limits": limits}
