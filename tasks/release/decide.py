"""What a release's manifests say: images by digest, labels, order and name."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tasks.core.model import Digest, Release, ReleasedImage
from tasks.core.objects import Object, container_lists, pod_template, ref_of
from tasks.core.previews import NUMBER

__all__ = [
    "UNKNOWN",
    "Belonging",
    "Pinned",
    "adopt",
    "assemble",
    "fill",
    "name_release",
    "pin",
    "sign",
    "sort",
]

UNKNOWN = Digest(f"sha256:{'0' * 64}")
"""Stands in a draft where the digest of an image will be."""

ORDER = (
    "Namespace", "PriorityClass", "ResourceQuota", "LimitRange", "NetworkPolicy",
    "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
    "CustomResourceDefinition", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
    "ConfigMap", "Secret", "Service", "PodDisruptionBudget",
    "StatefulSet", "DaemonSet", "Deployment", "Job", "CronJob",
    "HorizontalPodAutoscaler",
)  # fmt: skip
"""What must be there before what; kinds that are not named (routes, custom ones) come last."""

CLUSTER_WIDE = frozenset(
    {
        "APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
        "GatewayClass", "IngressClass", "MutatingWebhookConfiguration", "Namespace",
        "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass",
        "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration",
    }
)  # fmt: skip

WORKLOADS = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"})

_IMAGE = re.compile(r"(?P<name>.+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>[^@]+))?")


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose an object is."""

    application: str
    environment: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """Manifests whose own images are digests.

    Attributes:
        loose: images of others that are named by a tag only.
    """

    objects: tuple[Object, ...]
    loose: tuple[str, ...]


def pin(objects: Iterable[Object], images: Mapping[str, ReleasedImage]) -> Pinned:
    """Put digests in the place of the names (the keys of images) that manifests use."""
    pinned = tuple(json.loads(json.dumps(thing, default=str)) for thing in objects)
    loose = set()
    for container in _containers(pinned):
        match = _IMAGE.fullmatch(container.get("image") or "")
        image = images.get(match["name"]) if match else None
        if image is not None:
            container["image"] = image.reference
        elif match and not match["digest"]:
            loose.add(container["image"])
    return Pinned(pinned, tuple(sorted(loose)))


def fill(objects: Iterable[Object], number: str) -> tuple[Object, ...]:
    """Put the number of a pull request where `{number}` stands, names and namespaces included."""
    return tuple(
        json.loads(json.dumps(thing, default=str).replace(NUMBER, number)) for thing in objects
    )


def adopt(thing: Object, whose: Belonging) -> Object:
    """Label an object as one of an application's environment and put it into its namespace."""
    metadata = dict(thing.get("metadata") or {})
    metadata["labels"] = {
        **(metadata.get("labels") or {}),
        "app.kubernetes.io/managed-by": "slipway",
        "slipway.dev/application": whose.application,
        "slipway.dev/environment": whose.environment,
    }
    if thing["kind"] not in CLUSTER_WIDE:
        metadata.setdefault("namespace", whose.namespace)
    return {**thing, "metadata": metadata}


def sign(thing: Object, release: str, commit: str) -> Object:
    """Say on a workload, not on its pods, which release it is from."""
    if thing["kind"] not in WORKLOADS:
        return thing
    metadata = dict(thing["metadata"])
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        "slipway.dev/release": release,
        "slipway.dev/commit": commit,
    }
    return {**thing, "metadata": metadata}


def sort(objects: Iterable[Object]) -> tuple[Object, ...]:
    """Put objects into the order in which a cluster should get them."""
    rank = {kind: position for position, kind in enumerate(ORDER)}
    return tuple(
        sorted(objects, key=lambda thing: (rank.get(thing["kind"], len(rank)), ref_of(thing)))
    )


def assemble(
    draft: Release, images: Iterable[ReleasedImage], scan: tuple[str, ...] = ()
) -> Release:
    """Bind finished images into a draft: everything else of it stays as it was rendered.

    Args:
        draft: with every environment's manifests.
        images: one for each of the draft's.
        scan: what their scans said.
    """
    finished = {image.component: image for image in images}
    bound = tuple(replace(finished[each.component], port=each.port) for each in draft.images)
    name = _name([draft.id, *_content(bound)])
    words = {old.reference: new.reference for old, new in zip(draft.images, bound, strict=True)}
    manifests = tuple(
        replace(each, yaml=_rewritten(each.yaml, {**words, draft.id: name}))
        for each in draft.manifests
    )
    return replace(draft, id=name, images=bound, manifests=manifests, scan=scan)


def _rewritten(text: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def name_release(
    images: Iterable[ReleasedImage], manifests: Mapping[str, tuple[Object, ...]]
) -> str:
    """Return `r-` and twelve digits that are the same for the same content."""
    return _name(
        {
            "images": _content(images),
            "manifests": {name: list(objects) for name, objects in manifests.items()},
        }
    )


def _content(images: Iterable[ReleasedImage]) -> list[tuple[str, str]]:
    return sorted((image.component, image.reference) for image in images)


def _name(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"r-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _containers(objects: Iterable[Object]) -> Iterator[Object]:
    for thing in objects:
        if pod_template(thing) is not None:
            for containers in container_lists(thing):
                yield from containers
