"""The canary's objects: a second Deployment beside each stable one that changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object, Ref, container_lists, pod_template, ref_of
from tasks.core.references import Reference, references, renamed
from tasks.core.tracks import CANARY, STABLE, TRACK, canary_name
from tasks.rollout.partition import Part, may_be_shared
from tasks.rollout.reach import HTTP_ROUTE, SERVICE, is_routed, labels_of, reached, selects
from tasks.rollout.splits import why_not_split

__all__ = ["Twin", "Twins", "component_of", "components_in", "plan_twins", "why_rolling"]

SERVERS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})

_SERVICE_FIELDS = (
    "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "publishNotReadyAddresses",
    "sessionAffinity", "sessionAffinityConfig", "trafficDistribution",
)  # fmt: skip
"""What a canary's Service takes over besides ports and selector: nothing that an address, a
node's port or a load balancer would come from."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A Deployment of the new release beside the live one.

    Attributes:
        canary: leaves its replicas open.
    """

    stable: Ref
    canary: Object = field(repr=False)
    component: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Everything that a canary needs for itself.

    Attributes:
        companions: copies of the ConfigMaps and Secrets whose content changes, and the Services
            that routes send the canary's share to.
        parts: what has no twin and changes a share of its pods at a time.
    """

    workloads: tuple[Twin, ...] = ()
    companions: tuple[Object, ...] = field(default=(), repr=False)
    parts: tuple[Part, ...] = ()

    @property
    def climb(self) -> bool:
        """Whether there is anything that goes share by share."""
        return bool(self.workloads or self.parts)


@dataclass(frozen=True, slots=True)
class _Scene:
    before: Mapping[Ref, Object]
    wanted: Mapping[Ref, Object]
    release: Release
    environment: Environment


def plan_twins(
    before: tuple[Object, ...],
    wanted: tuple[Object, ...],
    release: Release,
    environment: Environment,
) -> Twins:
    """Return what stands beside the live release while a new one is tried; nothing where none can.

    A Deployment is twinned when its pods change and its component's strategy is not rolling. What
    is behind the same Service is twinned with it, changed or not, so that the canary's pods can
    answer everything that the Service is asked. Before are the manifests of the live release,
    wanted those of the new one.
    """
    scene = _scene(before, wanted, release, environment)
    chosen = sorted(
        ref for group in _groups(scene) if not any(_obstacles(group, scene)) for ref in group
    )
    copied = {
        reference
        for ref in chosen
        for reference in references(scene.wanted[ref])
        if _content_differs(reference, ref.namespace, scene)
    }
    names = {reference: canary_name(reference[1]) for reference in copied}
    workloads = tuple(_twin(scene.wanted[ref], names, release) for ref in chosen)
    configuration = (thing for thing in wanted if (thing["kind"], _name(thing)) in copied)
    services = (
        _canary_service(thing)
        for thing in wanted
        if thing["kind"] == SERVICE.name
        and is_routed(thing, (*before, *wanted))
        and any(selects(thing, labels_of(scene.wanted[ref])) for ref in chosen)
    )
    return Twins(workloads, (*map(_copy, configuration), *services), tuple(_parts(scene)))


def why_rolling(
    before: tuple[Object, ...],
    wanted: tuple[Object, ...],
    release: Release,
    environment: Environment,
) -> str | None:
    """Say why something that the environment wants to try beside the live release cannot be."""
    scene = _scene(before, wanted, release, environment)
    if not before:
        hoped = any(_wants_twin(thing, scene) for thing in wanted)
        return "first rollout: there is nothing that a canary could stand beside" if hoped else None
    told = [reason for group in _groups(scene) for reason in _obstacles(group, scene)]
    return f"without a canary: {'; '.join(dict.fromkeys(told))}" if told else None


def component_of(workload: Object, release: Release) -> str | None:
    """Return the component whose image a workload's pods run, None where there is none."""
    components = {image.reference: image.component for image in release.images}
    for containers in reversed(tuple(container_lists(workload))):  # servers before what prepares
        for container in containers:
            if container.get("image") in components:
                return components[container["image"]]
    return None


def components_in(workload: Object, release: Release) -> frozenset[str]:
    """Return every component whose image a workload's pods run."""
    components = {image.reference: image.component for image in release.images}
    used = (each.get("image") for containers in container_lists(workload) for each in containers)
    return frozenset(components[image] for image in used if image in components)


def _scene(
    before: Iterable[Object], wanted: Iterable[Object], release: Release, environment: Environment
) -> _Scene:
    earlier = {ref_of(thing): thing for thing in before}
    return _Scene(earlier, {ref_of(thing): thing for thing in wanted}, release, environment)


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])


def _wants_shares(thing: Object, scene: _Scene) -> bool:
    component = component_of(thing, scene.release)
    strategies = scene.environment.strategies
    strategy = strategies.get(component or "", scene.environment.strategy)
    return component is not None and strategy.rolling is None


def _wants_twin(thing: Object, scene: _Scene) -> bool:
    return thing["kind"] == "Deployment" and _wants_shares(thing, scene)


def _is_changed(ref: Ref, scene: _Scene) -> bool:
    live = scene.before.get(ref)
    return live is not None and pod_template(live) != pod_template(scene.wanted[ref])


def _parts(scene: _Scene) -> Iterator[Part]:
    """Walk over what changes in place; where a share would read what only the end brings, not."""
    for ref, thing in scene.wanted.items():
        if not (may_be_shared(thing) and _is_changed(ref, scene) and _wants_shares(thing, scene)):
            continue
        if not any(_content_differs(each, ref.namespace, scene) for each in references(thing)):
            yield Part(thing, component_of(thing, scene.release) or "")


def _groups(scene: _Scene) -> Iterator[frozenset[Ref]]:
    """Walk over the changed Deployments, each with everything that shares a Service with it."""
    seen: frozenset[Ref] = frozenset()
    for ref, thing in scene.wanted.items():
        if ref not in seen and _wants_twin(thing, scene) and _is_changed(ref, scene):
            group = _behind_the_same(frozenset({ref}), scene)
            seen |= group
            yield group


def _behind_the_same(group: frozenset[Ref], scene: _Scene) -> frozenset[Ref]:
    """Return a group with what the Services send to that send to one of the group."""
    together = [behind for _, behind in _services(scene) if behind & group]
    grown = group.union(*together)
    return group if grown == group else _behind_the_same(grown, scene)


def _services(scene: _Scene) -> Iterator[tuple[Object, frozenset[Ref]]]:
    """Walk over the Services, live and new, with the workloads that each sends to."""
    for objects in (scene.before, scene.wanted):
        servers = {ref: labels_of(each) for ref, each in objects.items() if each["kind"] in SERVERS}
        for thing in objects.values():
            if thing["kind"] == SERVICE.name:
                yield thing, frozenset(ref for ref in servers if selects(thing, servers[ref]))


def _obstacles(group: frozenset[Ref], scene: _Scene) -> Iterator[str]:
    """Say what keeps a group from being twinned."""
    for ref in sorted(group):
        reason = _obstacle(ref, scene)
        if reason is not None:
            yield f"{ref} {reason}"
    for service, behind in _services(scene):
        if behind & group:
            yield from _obstacles_on_the_way(service, behind, scene)


def _obstacle(ref: Ref, scene: _Scene) -> str | None:
    live, thing = scene.before.get(ref), scene.wanted.get(ref)
    if ref.kind.name != "Deployment":
        return "is behind the same Service and no Deployment"
    if live is not None and labels_of(live).get(TRACK) != STABLE:
        return f"was released by a Slipway that did not label its pods {TRACK}"
    if live is None or thing is None:
        return "is behind the same Service in one of the two releases only"
    if not _wants_twin(thing, scene):
        return "is behind the same Service and rolled out in place"
    if thing["spec"].get("strategy", {}).get("type") == "Recreate":
        return "has the strategy Recreate: two versions of it may not run at once"
    twin = canary_name(ref.name)
    names = {each.name for each in (*scene.before, *scene.wanted) if each.kind == ref.kind}
    return f"would be doubled as {twin}, which is in the release already" if twin in names else None


def _obstacles_on_the_way(service: Object, behind: frozenset[Ref], scene: _Scene) -> Iterator[str]:
    new = (scene.wanted[ref] for ref in behind if ref in scene.wanted)
    if not all(selects(service, labels_of(thing)) for thing in new):
        yield f"{ref_of(service)} does not send to the pods of both releases"
    routes = (*scene.before.values(), *scene.wanted.values())
    for route in (each for each in routes if each["kind"] == HTTP_ROUTE):
        if ref_of(service) in reached(route):
            reason = why_not_split(route)
            if reason is not None:
                yield reason


def _content_differs(reference: Reference, namespace: str, scene: _Scene) -> bool:
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


def _twin(stable: Object, names: Mapping[Reference, str], release: Release) -> Twin:
    """Return a Deployment's twin: its pods carry all labels of the stable ones but the track."""
    canary = renamed(_copy(stable), names)
    spec = {key: value for key, value in canary["spec"].items() if key != "replicas"}
    selector = spec["selector"]
    spec["selector"] = {
        **selector,
        "matchLabels": {**(selector.get("matchLabels") or {}), TRACK: CANARY},
    }
    spec["template"] = {**spec["template"], "metadata": _on_track(spec["template"]["metadata"])}
    component = component_of(stable, release) or ""
    return Twin(ref_of(stable), {**canary, "spec": spec}, component)


def _copy(thing: Object) -> Object:
    """Return an object under its canary's name."""
    metadata = _on_track(thing["metadata"])
    return {**thing, "metadata": {**metadata, "name": canary_name(metadata["name"])}}


def _on_track(metadata: Object) -> Object:
    return {**metadata, "labels": {**(metadata.get("labels") or {}), TRACK: CANARY}}


def _canary_service(service: Object) -> Object:
    spec = service["spec"]
    kept = {key: spec[key] for key in _SERVICE_FIELDS if key in spec}
    ports = [
        {key: value for key, value in port.items() if key != "nodePort"}
        for port in spec.get("ports") or ()
    ]
    selector = {**spec["selector"], TRACK: CANARY}
    return _copy({**service, "spec": {**kept, "ports": ports, "selector": selector}})
