"""What a repository holds that a first slipway.yaml can be written from."""

import dataclasses
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.core.config.dockerfile import Dockerfile, parse_dockerfile
from tasks.core.config.manifests import image_name, objects_in
from tasks.core.config.tree import KUSTOMIZATIONS, kustomization_in
from tasks.core.errors import ToolFailed
from tasks.core.objects import Object

__all__ = ["FoundComponent", "FoundEnvironment", "Survey", "as_name", "survey"]

MAX_DEPTH = 5
SKIPPED = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "__pycache__"})
ORDER = ("dev", "development", "test", "testing", "qa", "int", "staging", "stage", "uat", "preprod")
LAST = ("prod", "production", "live")
NAMELESS = frozenset({"deploy", "k8s", "kubernetes", "manifests", "kustomize", "overlays", "base"})


@dataclass(frozen=True, slots=True)
class FoundComponent:
    """A Dockerfile.

    Attributes:
        context: folder relative to the root.
        dockerfile: relative to the context.
    """

    name: str
    context: str
    dockerfile: str
    parsed: Dockerfile


@dataclass(frozen=True, slots=True)
class FoundEnvironment:
    """An overlay with what it says about itself.

    Attributes:
        folder: relative to the root.
        namespace: None where the manifests name none.
        url: of the first route with a host.
        images: names of the images of all containers, and the readiness path of each.
        secrets: names and keys of the Secrets that are referred to and in no manifest.
        loose: manifests of a folder that has no kustomization yet.
    """

    name: str
    folder: str
    namespace: str | None
    url: str | None
    images: dict[str, str | None]
    secrets: dict[str, tuple[str, ...]]
    loose: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was found; folders counts where it was looked for."""

    application: str
    components: tuple[FoundComponent, ...]
    environments: tuple[FoundEnvironment, ...]
    folders: int


def survey(root: Path, kubectl: str | None, name: str = "") -> Survey:
    """Look through a repository, five folders deep, hidden and generated ones left out.

    Args:
        root: folder of the repository.
        kubectl: renders overlays; they are read as they are where there is none.
        name: of the application; the folder's where empty.
    """
    folders = list(_folders(root))
    application = as_name(name or root.resolve().name) or "application"
    components = _components(root, folders, application)
    environments = [_environment(root, folder, kubectl) for folder in _overlays(folders)]
    if not environments:
        environments = [_loose(root, folder) for folder in folders if _manifests(folder)]
    return Survey(
        application,
        tuple(components),
        tuple(sorted(environments, key=lambda one: _rank(one.name))),
        len(folders),
    )


def as_name(text: str) -> str:
    """Make a name that Kubernetes takes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")


def _folders(root: Path) -> Iterator[Path]:
    for folder, children, _ in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        kept = (name for name in children if name not in SKIPPED and not name.startswith("."))
        children[:] = sorted(kept) if depth < MAX_DEPTH else []
        yield Path(folder)


def _components(root: Path, folders: Iterable[Path], application: str) -> list[FoundComponent]:
    contexts = _compose_contexts(root)
    found: list[FoundComponent] = []
    for folder in folders:
        for file in sorted(folder.iterdir()):
            if not _is_dockerfile(file):
                continue
            context = contexts.get(file.resolve(), folder)
            parsed = parse_dockerfile(file.read_text(encoding="utf-8", errors="replace"))
            name = _component_name(file, root, application, {one.name for one in found})
            if parsed.stages:
                place = str(context.relative_to(root))
                found.append(FoundComponent(name, place, str(file.relative_to(context)), parsed))
    return found


def _is_dockerfile(file: Path) -> bool:
    name = file.name
    if name.endswith((".dockerignore", ".md", ".tmpl", "~")) or not file.is_file():
        return False
    return name in {"Dockerfile", "Containerfile"} or (
        name.startswith("Dockerfile.") or name.endswith(".Dockerfile")
    )


def _component_name(file: Path, root: Path, application: str, taken: set[str]) -> str:
    variant = file.name.removesuffix(".Dockerfile").removeprefix("Dockerfile.")
    own = "" if variant in {"Dockerfile", "Containerfile"} else variant
    folders = file.parent.relative_to(root).parts
    words = [*folders[-1:], own] if own else [*folders[-1:]]
    name = as_name("-".join(words)) or application
    if name in taken:
        name = as_name("-".join([*folders, own]))
    return name


def _compose_contexts(root: Path) -> dict[Path, Path]:
    """Build contexts by Dockerfile, where a compose file says that they are other folders."""
    contexts: dict[Path, Path] = {}
    for name in ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"):
        for service in _mapping(_mapping(_yaml(root / name)).get("services")).values():
            build = _mapping(_mapping(service).get("build"))
            context = (root / str(build.get("context", "."))).resolve()
            if "dockerfile" in build and context.is_relative_to(root.resolve()):
                relative = context.relative_to(root.resolve())
                contexts[(context / str(build["dockerfile"])).resolve()] = root / relative
    return contexts


def _yaml(file: Path) -> Any:  # noqa: ANN401 a file of somebody else's
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []


def _overlays(folders: Iterable[Path]) -> list[Path]:
    """Kustomizations that no other one builds on."""
    with_file = {folder.resolve(): folder for folder in folders if kustomization_in(folder)}
    used: set[Path] = set()
    kept: dict[Path, Path] = {}
    for resolved, folder in with_file.items():
        content = _mapping(_yaml(kustomization_in(folder) or folder))
        if content.get("kind") != "Component":
            kept[resolved] = folder
        for key in ("resources", "bases", "components"):
            used |= {(folder / str(one)).resolve() for one in _items(content.get(key))}
    return [folder for resolved, folder in kept.items() if resolved not in used]


def _environment(root: Path, folder: Path, kubectl: str | None) -> FoundEnvironment:
    try:
        objects = objects_in(folder, kubectl)
    except (ToolFailed, yaml.YAMLError, OSError, ValueError):
        objects = ()  # the check that follows says why it does not render
    content = _mapping(_yaml(kustomization_in(folder) or folder))
    namespace = content.get("namespace") or _namespace(objects)
    return _described(root, folder, objects, str(namespace) if namespace else None)


def _loose(root: Path, folder: Path) -> FoundEnvironment:
    files = _manifests(folder)
    objects = tuple(one for file in files for one in _objects(file))
    found = _described(root, folder, objects, _namespace(objects))
    return dataclasses.replace(found, loose=tuple(file.name for file in files))


def _manifests(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"})
    named = [file for file in files if file.name not in KUSTOMIZATIONS and _objects(file)]
    workload = {"Deployment", "StatefulSet", "DaemonSet"}
    kinds = {one["kind"] for file in named for one in _objects(file)}
    return named if kinds & workload else []


def _objects(file: Path) -> list[Object]:
    try:
        content = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return []
    return [one for one in content if isinstance(one, dict) and {"apiVersion", "kind"} <= set(one)]


def _described(
    root: Path, folder: Path, objects: tuple[Object, ...], namespace: str | None
) -> FoundEnvironment:
    place = folder.relative_to(root)
    names = [name for name in place.parts if name not in NAMELESS]
    name = as_name(names[-1]) if names else "prod"
    return FoundEnvironment(
        name, str(place), namespace, _url(objects), _images(objects), _secrets(objects)
    )


def _namespace(objects: Iterable[Object]) -> str | None:
    for one in objects:
        metadata = _mapping(one.get("metadata"))
        if one.get("kind") == "Namespace":
            return str(metadata.get("name"))
        if metadata.get("namespace") and _pods(one):
            return str(metadata["namespace"])
    return None


def _url(objects: Iterable[Object]) -> str | None:
    for one in objects:
        spec = _mapping(one.get("spec"))
        if one.get("kind") == "Ingress":
            hosts = [_mapping(rule).get("host") for rule in _items(spec.get("rules"))]
        elif one.get("kind") == "HTTPRoute":
            hosts = _items(spec.get("hostnames"))
        else:
            continue
        named = [str(host) for host in hosts if host and "*" not in str(host)]
        if named:
            return f"{'https' if spec.get('tls') else 'http'}://{named[0]}"
    return None


def _images(objects: Iterable[Object]) -> dict[str, str | None]:
    images: dict[str, str | None] = {}
    for one in objects:
        for container in _items(_pods(one).get("containers")):
            if isinstance(container, dict) and container.get("image"):
                probe = _mapping(_mapping(container.get("readinessProbe")).get("httpGet"))
                path = str(probe["path"]) if probe.get("path") else None
                images[image_name(str(container["image"]))] = path
    return images


def _secrets(objects: Iterable[Object]) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, set[str]] = {}
    there = {
        str(_mapping(one.get("metadata")).get("name"))
        for one in objects
        if one.get("kind") == "Secret"
    }
    for one in objects:
        for container in _items(_pods(one).get("containers")):
            for variable in _items(_mapping(container).get("env")):
                source = _mapping(_mapping(variable).get("valueFrom"))
                reference = _mapping(source.get("secretKeyRef"))
                if reference.get("name") not in {None, *there} and reference.get("key"):
                    wanted.setdefault(str(reference["name"]), set()).add(str(reference["key"]))
    return {name: tuple(sorted(keys)) for name, keys in sorted(wanted.items())}


def _pods(one: Object) -> dict[str, Any]:
    spec = _mapping(one.get("spec"))
    return _mapping(_mapping(spec.get("template")).get("spec"))


def _rank(name: str) -> tuple[int, str]:
    """Order of promotion: the usual names in their usual order, production last."""
    for index, word in enumerate((*ORDER, None, *LAST)):
        if word is not None and word in re.split(r"-", name):
            return index, name
    return len(ORDER), name
