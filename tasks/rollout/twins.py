"""The canary's objects: a second Deployment beside each stable one that changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object, Ref, ref_of
from tasks.core.references import Reference, references, renamed
from tasks.core.tracks import CANARY, TRACK, canary_name
from tasks.rollout.components import component_of
from tasks.rollout.obstacles import obstacles
from tasks.rollout.partition import Part, may_be_shared
from tasks.rollout.reach import SERVICE
from tasks.rollout.scene import (
    Scene,
    content_differs,
    doubled,
    groups,
    is_changed,
    scene_of,
    wants_shares,
    wants_twin,
)

__all__ = ["Twin", "Twins", "plan_twins", "why_rolling"]

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
            that the live routes send the canary's share to.
        parts: what has no twin and changes a share of its pods at a time.
    """

    workloads: tuple[Twin, ...] = ()
    companions: tuple[Object, ...] = field(default=(), repr=False)
    parts: tuple[Part, ...] = ()

    @property
    def climb(self) -> bool:
        """Whether there is anything that goes share by share."""
        return bool(self.workloads or self.parts)


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
    scene = scene_of(before, wanted, release, environment)
    chosen = sorted(
        ref for group in groups(scene) if not any(obstacles(group, scene)) for ref in group
    )
    copied = tuple(doubled(chosen, scene))
    names = {(thing["kind"], _name(thing)): canary_name(_name(thing)) for thing in copied}
    workloads = tuple(_twin(scene.wanted[ref], names, release) for ref in chosen)
    return Twins(workloads, tuple(map(_companion, copied)), tuple(_parts(scene)))


def why_rolling(
    before: tuple[Object, ...],
    wanted: tuple[Object, ...],
    release: Release,
    environment: Environment,
) -> str | None:
    """Say why something that the environment wants to try beside the live release cannot be."""
    scene = scene_of(before, wanted, release, environment)
    if not before:
        hoped = any(wants_twin(thing, scene) for thing in wanted)
        return "first rollout: there is nothing that a canary could stand beside" if hoped else None
    told = [reason for group in groups(scene) for reason in obstacles(group, scene)]
    return f"without a canary: {'; '.join(dict.fromkeys(told))}" if told else None


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])


def _parts(scene: Scene) -> Iterator[Part]:
    """Walk over what changes in place; where a share would read what only the end brings, not."""
    for ref, thing in scene.wanted.items():
        if not (may_be_shared(thing) and is_changed(ref, scene) and wants_shares(thing, scene)):
            continue
        if not any(content_differs(each, ref.namespace, scene) for each in references(thing)):
            yield Part(thing, component_of(thing, scene.release) or "")


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


def _companion(thing: Object) -> Object:
    """Return a canary's copy of an object, a Service's for its pods alone."""
    if thing["kind"] != SERVICE.name:
        return _copy(thing)
    spec = thing["spec"]
    kept = {key: spec[key] for key in _SERVICE_FIELDS if key in spec}
    ports = [
        {key: value for key, value in port.items() if key != "nodePort"}
        for port in spec.get("ports") or ()
    ]
    selector = {**spec["selector"], TRACK: CANARY}
    return _copy({**thing, "spec": {**kept, "ports": ports, "selector": selector}})
