"""Images that run in an environment and are not those of its live release: databases, sidecars."""

from collections.abc import Iterable, Iterator

from tasks.core.model import Digest, ReleasedImage
from tasks.core.objects import Object

__all__ = ["others_in"]

STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def others_in(
    pods: Iterable[Object], released: Iterable[ReleasedImage]
) -> tuple[ReleasedImage, ...]:
    """Return what runs beside a release, each image once, in the order of their names.

    Args:
        pods: of the environment's namespace.
        released: images of the live release.

    Returns:
        Images by the digest that the node pulled; in the place of a component stands what the pod
        calls the image, without its registry (`mysql:8.4`), or the component whose repository it
        is from. What a node has by no digest is left out: nobody else could read it.
    """
    ours = tuple(released)
    known = {image.digest for image in ours}
    components = {image.repository: image.component for image in ours}
    found = {
        image for pod in pods for image in _running(pod, components) if image.digest not in known
    }
    return tuple(sorted(found, key=lambda image: (image.component, image.digest)))


def _running(pod: Object, components: dict[str, str]) -> Iterator[ReleasedImage]:
    status = pod.get("status") or {}
    for container in (each for key in STATUSES for each in status.get(key) or ()):
        pulled = str(container.get("imageID") or "").removeprefix("docker-pullable://")
        repository, at, digest = pulled.partition("@")
        if at and "running" in (container.get("state") or {}):
            name = components.get(repository, _name(container["image"], repository))
            yield ReleasedImage(name, repository, Digest(digest))


def _name(image: str, repository: str) -> str:
    """Return `mysql:8.4` of `docker.io/library/mysql:8.4`; a node may know no more than an id."""
    named = repository if image.startswith("sha256:") else image.partition("@")[0]
    return named.rpartition("/")[2]
