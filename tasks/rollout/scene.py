"""The live release and the new one side by side, and what of them may climb together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object, Ref, pod_template, ref_of
from tasks.core.references import Reference, references
from tasks.rollout.components import component_of
from tasks.rollout.reach import SERVICE, is_routed, labels_of, selects

__all__ = [
    "Scene",
    "content_differs",
    "doubled",
    "groups",
    "is_changed",
    "scene_of",
    "services",
    "wants_shares",
    "wants_twin",
]

SERVERS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})


@dataclass(frozen=True, slots=True)
class Scene:
    """The objects of both releases by their names.

    Attributes:
        before: manifests of the live release; wanted: those of the new one.
        release: the new one.
        environment: where it goes.
    """

    before: Mapping[Ref, Object]
    wanted: Mapping[Ref, Object]
    release: Release
    environment: Environment


def scene_of(
    before: Iterable[Object], wanted: Iterable[Object], release: Release, environment: Environment
) -> Scene:
    """Return the scene of two releases."""
    earlier = {ref_of(thing): thing for thing in before}
    return Scene(earlier, {ref_of(thing): thing for thing in wanted}, release, environment)


def wants_shares(thing: Object, scene: Scene) -> bool:
    """Say whether a workload is of a component that the environment rolls out share by share."""
    component = component_of(thing, scene.release)
    strategies = scene.environment.strategies
    strategy = strategies.get(component or "", scene.environment.strategy)
    return component is not None and strategy.rolling is None


def wants_twin(thing: Object, scene: Scene) -> bool:
    """Say whether an object would be tried in a second Deployment."""
    return thing["kind"] == "Deployment" and wants_shares(thing, scene)


def is_changed(ref: Ref, scene: Scene) -> bool:
    """Say whether a workload that is live gets other pods."""
    live = scene.before.get(ref)
    return live is not None and pod_template(live) != pod_template(scene.wanted[ref])


def groups(scene: Scene) -> Iterator[frozenset[Ref]]:
    """Walk over the changed Deployments, each with everything that shares a Service with it."""
    seen: frozenset[Ref] = frozenset()
    for ref, thing in scene.wanted.items():
        if ref not in seen and wants_twin(thing, scene) and is_changed(ref, scene):
            group = _behind_the_same(frozenset({ref}), scene)
            seen |= group
            yield group


def services(scene: Scene) -> Iterator[tuple[Object, frozenset[Ref]]]:
    """Walk over the Services, live and new, with the workloads that each sends to."""
    for objects in (scene.before, scene.wanted):
        servers = {ref: labels_of(each) for ref, each in objects.items() if each["kind"] in SERVERS}
        for thing in objects.values():
            if thing["kind"] == SERVICE.name:
                yield thing, frozenset(ref for ref in servers if selects(thing, servers[ref]))


def content_differs(reference: Reference, namespace: str, scene: Scene) -> bool:
    """Say whether what a reference names is in both releases with another content."""
    live, new = (
        next(
            (
                {key: value for key, value in thing.items() if key != "metadata"}
                for ref, thing in objects.items()
                if (ref.kind.name, ref.name, ref.namespace) == (*reference, namespace)
            ),
            None,
        )
        for objects in (scene.before, scene.wanted)
    )
    return live is not None and new is not None and live != new


def doubled(stables: Iterable[Ref], scene: Scene) -> Iterator[Object]:
    """Walk over what canaries of Deployments have to have a copy of, beside their pods.

    That is configuration that changes under its name, and every Service that gets its share of the
    traffic by a live route.
    """
    workloads = [scene.wanted[ref] for ref in stables if ref in scene.wanted]
    changed = {
        each
        for thing in workloads
        for each in references(thing)
        if content_differs(each, ref_of(thing).namespace, scene)
    }
    for ref, thing in scene.wanted.items():
        if (ref.kind.name, ref.name) in changed:
            yield thing
    for thing in scene.wanted.values():
        is_ours = any(selects(thing, labels_of(each)) for each in workloads)
        if thing["kind"] == SERVICE.name and is_ours and is_routed(thing, scene.before.values()):
            yield thing


def _behind_the_same(group: frozenset[Ref], scene: Scene) -> frozenset[Ref]:
    """Return a group with what the Services send to that send to one of the group."""
    together = [behind for _, behind in services(scene) if behind & group]
    grown = group.union(*together)
    return group if grown == group else _behind_the_same(grown, scene)
