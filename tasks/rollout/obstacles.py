"""What keeps Deployments from being tried beside the live release."""

from collections.abc import Iterator
from dataclasses import replace

from tasks.core.objects import Object, Ref, ref_of
from tasks.core.tracks import STABLE, TRACK, canary_name
from tasks.rollout.reach import (
    HTTP_ROUTE,
    asked,
    is_routed,
    labels_of,
    missed_ports,
    ports_of,
    reached,
    selects,
)
from tasks.rollout.scene import Scene, doubled, services, wants_twin
from tasks.rollout.splits import why_not_split

__all__ = ["obstacles"]


def obstacles(group: frozenset[Ref], scene: Scene) -> Iterator[str]:
    """Say what keeps a group, which is behind the same Services, from being twinned."""
    for ref in sorted(group):
        reason = _obstacle(ref, scene)
        if reason is not None:
            yield f"{ref} {reason}"
    for thing in doubled(group, scene):
        taken = _taken(ref_of(thing), scene)
        if taken is not None:
            yield f"{ref_of(thing)} {taken}"
    for service, behind in services(scene):
        if behind & group:
            yield from _obstacles_on_the_way(service, behind, scene)


def _obstacle(ref: Ref, scene: Scene) -> str | None:
    live, thing = scene.before.get(ref), scene.wanted.get(ref)
    if ref.kind.name != "Deployment":
        return "is behind the same Service and no Deployment"
    if live is not None and labels_of(live).get(TRACK) != STABLE:
        return f"was released by a Slipway that did not label its pods {TRACK}"
    if live is None or thing is None:
        return "is behind the same Service in one of the two releases only"
    if not wants_twin(thing, scene):
        return "is behind the same Service and rolled out in place"
    if thing["spec"].get("strategy", {}).get("type") == "Recreate":
        return "has the strategy Recreate: two versions of it may not run at once"
    return _taken(ref, scene)


def _taken(ref: Ref, scene: Scene) -> str | None:
    """Say that an object's canary would overwrite another one of the application's own."""
    twin = replace(ref, name=canary_name(ref.name))
    is_taken = twin in scene.before or twin in scene.wanted
    return f"would be doubled as {twin.name}, which is in the release already" if is_taken else None


def _obstacles_on_the_way(service: Object, behind: frozenset[Ref], scene: Scene) -> Iterator[str]:
    new = (scene.wanted[ref] for ref in behind if ref in scene.wanted)
    if not all(selects(service, labels_of(thing)) for thing in new):
        yield f"{ref_of(service)} does not send to the pods of both releases"
    routes = (*scene.before.values(), *scene.wanted.values())
    for route in (each for each in routes if each["kind"] == HTTP_ROUTE):
        if ref_of(service) in reached(route):
            reason = why_not_split(route)
            if reason is not None:
                yield reason
    if service is scene.before.get(ref_of(service)):
        yield from _obstacles_at_ports(service, behind, scene)


def _obstacles_at_ports(live: Object, behind: frozenset[Ref], scene: Scene) -> Iterator[str]:
    """Say what of the live traffic would come to a port that the canary does not have.

    Routes ask the canary's own Service, which has the ports of the new release.
    """
    ref = ref_of(live)
    new = scene.wanted.get(ref)
    if new is not None and is_routed(live, scene.before.values()):
        gone = {port["port"] for port in ports_of(live)} - {port["port"] for port in ports_of(new)}
        for route in (each for each in scene.before.values() if each["kind"] == HTTP_ROUTE):
            for service, port in asked(route):
                if service == ref and port in gone:
                    of_whom = f"{ref_of(route)} asks {ref} for port {port}"
                    yield f"{of_whom}, which it does not have any more"
        return
    for workload in sorted(behind & scene.wanted.keys()):
        for port in missed_ports(live, scene.wanted[workload], scene.wanted.values()):
            where = f"where the new pods of {workload} do not listen"
            yield f"{ref} leads its port {port} to {where}"
