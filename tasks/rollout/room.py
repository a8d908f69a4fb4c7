"""What limits the pods and objects of a namespace."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.core.cluster import Objects, Scope
from tasks.core.errors import ConfigError
from tasks.core.objects import Kind, Object
from tasks.rollout.reach import labels_of
from tasks.rollout.spread import keeps_apart

__all__ = ["Room", "fetch_room", "planned_room"]

LIMIT_RANGE = Kind("v1", "LimitRange")
NODE = Kind("v1", "Node")
QUOTA = Kind("v1", "ResourceQuota")


@dataclass(frozen=True, slots=True)
class Room:
    """What there is of limits.

    Attributes:
        limit_ranges: what the namespace gives to pods that ask for nothing.
        nodes: all of the cluster, where it matters; none where this user may not look.
    """

    quotas: tuple[Object, ...]
    limit_ranges: tuple[Object, ...]
    nodes: tuple[Object, ...]


def fetch_room(cluster: Objects, namespace: str, wanted: Iterable[Object]) -> Room:
    """Ask the cluster what limits these objects of a namespace."""
    return Room(
        quotas=cluster.find(Scope((QUOTA,), namespace)),
        limit_ranges=_if_allowed(cluster, LIMIT_RANGE, namespace),
        nodes=_nodes(cluster, wanted),
    )


def planned_room(cluster: Objects, wanted: tuple[Object, ...]) -> Room:
    """Return what will limit objects in a namespace that they make first."""
    return Room(
        quotas=tuple(thing for thing in wanted if thing["kind"] == QUOTA.name),
        limit_ranges=tuple(thing for thing in wanted if thing["kind"] == LIMIT_RANGE.name),
        nodes=_nodes(cluster, wanted),
    )


def _nodes(cluster: Objects, wanted: Iterable[Object]) -> tuple[Object, ...]:
    """Return the nodes where there are pods that refuse to share one."""
    if not any(keeps_apart(thing, labels_of(thing)) for thing in wanted):
        return ()
    return _if_allowed(cluster, NODE, "")


def _if_allowed(cluster: Objects, kind: Kind, namespace: str) -> tuple[Object, ...]:
    """Return what is there of a kind; nothing where this user may not look at it."""
    try:
        return cluster.find(Scope((kind,), namespace))
    except ConfigError:
        return ()
