"""Which components of an application a workload's pods run."""

from tasks.core.model import Release
from tasks.core.objects import Object, container_lists

__all__ = ["component_of", "components_in"]


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
