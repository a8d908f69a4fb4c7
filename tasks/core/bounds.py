"""What the manifests allow an image, by which it is tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tasks.core.model import Release
from tasks.core.objects import Object, parse_stream, pod_template
from tasks.core.quantities import parse_quantity

__all__ = ["GRACE", "Bounds", "bounds_of"]

GRACE = timedelta(seconds=30)
"""What Kubernetes gives a pod that names none (core/v1 PodSpec)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The narrowest of all environments.

    Attributes:
        memory: limit in bytes, None where no container has one.
        grace: time to stop, None where no pod runs the image.
    """

    memory: int | None = None
    grace: timedelta | None = None


def bounds_of(release: Release, component: str) -> Bounds:
    """Read what the manifests of every environment give the containers of a component's image."""
    image = next(each.reference for each in release.images if each.component == component)
    found = list(_containers(release, image))
    limits = [limit for limit in (_memory(container) for _, container in found) if limit]
    graces = [_grace(spec) for spec, _ in found]
    return Bounds(min(limits, default=None), min(graces, default=None))


def _containers(release: Release, image: str) -> Iterator[tuple[Object, Object]]:
    """Walk over the servers that run an image, each with its pod's spec."""
    for manifests in release.manifests:
        for thing in parse_stream(manifests.yaml):
            if thing["kind"] in {"Job", "CronJob"}:
                continue
            spec = (pod_template(thing) or {}).get("spec") or {}
            for container in spec.get("containers") or ():
                if container.get("image") == image:
                    yield spec, container


def _grace(spec: Object) -> timedelta:
    """Return how long a pod may take to stop; one that is given nothing is killed at once."""
    seconds = spec.get("terminationGracePeriodSeconds")
    return timedelta(seconds=seconds) if seconds else GRACE


def _memory(container: Object) -> int:
    limits = (container.get("resources") or {}).get("limits") or {}
    return int(parse_quantity(limits.get("memory", "0")))
