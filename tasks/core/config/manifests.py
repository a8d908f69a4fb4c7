"""The file against the manifests: every component's image must stand in them.

Rendered by kustomize where a kubectl is given. Without one the YAML files are read as they
stand, and where they refer to what only kustomize can follow, nothing is said.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import yaml

from tasks.core import process
from tasks.core.application import Application
from tasks.core.config.problem import Finding, Path
from tasks.core.config.tree import inside, kustomization_in
from tasks.core.errors import ToolFailed
from tasks.core.objects import Object, read_document, read_documents

__all__ = [
    "Workload",
    "image_name",
    "manifest_findings",
    "objects_in",
    "workloads_in",
]

RENDER_TIMEOUT = timedelta(seconds=60)
MAX_DEPTH = 20

Renames = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with containers; namespace is None where the manifest names none."""

    kind: str
    name: str
    namespace: str | None
    images: tuple[str, ...]


class _Unknown(Exception):
    """The manifests refer to something that cannot be followed without kustomize."""


def manifest_findings(
    application: Application, root: FilePath, kubectl: str | None
) -> Iterator[Finding]:
    """Overlays that do not render, and components whose image is in none of them."""
    rendered: dict[str, tuple[Workload, ...]] = {}
    followed = True
    for name, environment in application.environments.items():
        path: Path = ("environments", name, "overlay")
        folder = inside(root, environment.overlay)
        if folder is None or kustomization_in(folder) is None:
            continue
        try:
            rendered[name] = workloads_in(folder, kubectl)
        except _Unknown:
            followed = False
        except (ToolFailed, yaml.YAMLError, OSError, ValueError, RecursionError) as error:
            yield _not_rendered(path, environment.overlay, error)
    yield from _namespaces(application, rendered)
    if followed and rendered:
        yield from _images(application, rendered)
        yield from _hooks(application, rendered)


def _not_rendered(path: Path, overlay: str, error: Exception) -> Finding:
    what = error.what if isinstance(error, ToolFailed) else str(error)
    reason = " ".join(what.split())[:400]
    return Finding(path, f"cannot be rendered: {reason}", f"try: kubectl kustomize {overlay}")


def _images(
    application: Application, rendered: Mapping[str, tuple[Workload, ...]]
) -> Iterator[Finding]:
    found = {
        image_name(image)
        for workloads in rendered.values()
        for workload in workloads
        for image in workload.images
    }
    for name in application.components:
        image = application.image_name(name)
        if image not in found:
            there = ", ".join(sorted(found)) or "no image at all"
            yield Finding(
                ("components", name, "image", "name"),
                f"the image {image} is in no manifest of {' or '.join(rendered)}, only {there}",
                f"write `image: {image}` in a container, or name the one that is there here",
            )


def _hooks(
    application: Application, rendered: Mapping[str, tuple[Workload, ...]]
) -> Iterator[Finding]:
    jobs = {
        name: {each.name for each in workloads if each.kind == "Job"}
        for name, workloads in rendered.items()
    }
    for when in ("before", "after"):
        for index, hook in enumerate(getattr(application.hooks, when)):
            missing = [name for name in rendered if hook.job not in jobs[name]]
            if missing:
                yield Finding(
                    ("hooks", when, index, "job"),
                    f"{hook.job} is no Job in the manifests of {' or '.join(missing)}",
                    "name a Job that stands in the overlays of all environments",
                )


def _namespaces(
    application: Application, rendered: Mapping[str, tuple[Workload, ...]]
) -> Iterator[Finding]:
    ours = {application.image_name(name) for name in application.components}
    for name, workloads in rendered.items():
        wanted = application.environments[name].namespace
        strays = [
            workload
            for workload in workloads
            if workload.namespace not in {None, wanted}
            and ours.intersection(map(image_name, workload.images))
        ]
        if strays:
            first = strays[0]
            yield Finding(
                ("environments", name, "namespace"),
                f"is {wanted}, and the overlay puts {first.kind}/{first.name} into"
                f" {first.namespace}",
                "write the same namespace here and in the kustomization",
            )


def image_name(image: str) -> str:
    """Take tag and digest off an image reference."""
    name = image.split("@", 1)[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.split(':', 1)[0]}"


def workloads_in(folder: FilePath, kubectl: str | None) -> tuple[Workload, ...]:
    """Return every object with containers that an overlay holds.

    Raises:
        ToolFailed: kustomize refused it.
    """
    return tuple(
        workload
        for one, renames in _objects(folder, kubectl)
        if (workload := _workload(one, renames)) is not None
    )


def objects_in(folder: FilePath, kubectl: str | None) -> tuple[Object, ...]:
    """Return the objects that an overlay holds; without a kubectl those that can be followed.

    Raises:
        ToolFailed: kustomize refused it.
    """
    found: list[Object] = []
    with contextlib.suppress(_Unknown):
        for one, _ in _objects(folder, kubectl):
            found.append(one)
    return tuple(found)


def _objects(folder: FilePath, kubectl: str | None) -> Iterator[tuple[Object, Renames]]:
    """Objects with the images that the kustomizations around them rename, inner ones first."""
    if kubectl is None:
        yield from _read(folder, 0)
        return
    options = process.Options(kept_lines=None)
    argv = [kubectl, "kustomize", str(folder)]
    done = process.run(argv, timeout=RENDER_TIMEOUT, options=options)
    for one in read_documents(done.stdout):
        if isinstance(one, dict):
            yield one, ()


def _read(folder: FilePath, depth: int) -> Iterator[tuple[Object, Renames]]:
    file = kustomization_in(folder)
    content = read_document(file.read_text(encoding="utf-8")) if file else None
    if not isinstance(content, dict) or depth > MAX_DEPTH:
        raise _Unknown
    if any(key in content for key in ("components", "helmCharts", "generators", "transformers")):
        raise _Unknown
    renames = {
        str(image.get("name")): str(image.get("newName") or image.get("name"))
        for image in _list(content, "images")
        if isinstance(image, dict)
    }
    for resource in [*_list(content, "resources"), *_list(content, "bases")]:
        place = folder / str(resource)
        if place.is_dir():
            yield from ((one, (*inner, renames)) for one, inner in _read(place, depth + 1))
        elif place.is_file():
            for one in read_documents(place.read_text(encoding="utf-8")):
                if isinstance(one, dict):
                    yield one, (renames,)
        else:
            raise _Unknown


def _list(content: Mapping[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    return value if isinstance(value, list) else []


def _workload(one: Object, renames: Renames) -> Workload | None:
    images = tuple(sorted(set(_images_below(one, 0))))
    metadata = one.get("metadata")
    if not images or not isinstance(metadata, dict):
        return None
    for names in renames:
        images = tuple(names.get(image_name(image), image) for image in images)
    # an outer kustomization, or its patches, may still move what was read without kustomize
    namespace = None if renames else metadata.get("namespace")
    return Workload(
        str(one.get("kind")),
        str(metadata.get("name")),
        str(namespace) if namespace else None,
        images,
    )


def _images_below(value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401
    """Images of containers, wherever a kind keeps its pod template."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"containers", "initContainers"} and isinstance(item, list):
                yield from (
                    str(one["image"]) for one in item if isinstance(one, dict) and "image" in one
                )
            else:
                yield from _images_below(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _images_below(item, depth + 1)
