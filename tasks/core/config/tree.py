"""The file against the repository that it lies in: contexts, Dockerfiles, overlays."""

from collections.abc import Iterator
from pathlib import Path as FilePath

from tasks.core.application import Application, Component
from tasks.core.config.dockerfile import Dockerfile, parse_dockerfile
from tasks.core.config.problem import Finding, Path

__all__ = ["KUSTOMIZATIONS", "inside", "kustomization_in", "tree_findings"]

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def tree_findings(application: Application, root: FilePath) -> Iterator[Finding]:
    """Every file and target that the application names and the repository does not have."""
    for name, component in application.components.items():
        yield from _component(component, root, ("components", name))
    for name, environment in application.environments.items():
        yield from _overlay(environment.overlay, root, ("environments", name, "overlay"))
    if application.previews:
        yield from _overlay(application.previews.overlay, root, ("previews", "overlay"))


def inside(root: FilePath, relative: str) -> FilePath | None:
    """Return a path of the repository; None where it leads out of it or is none at all."""
    try:
        path = (root / relative).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    return path if path.is_relative_to(root.resolve()) else None


def kustomization_in(folder: FilePath) -> FilePath | None:
    """Return the folder's kustomization file."""
    files = (folder / name for name in KUSTOMIZATIONS)
    return next((file for file in files if _is(file, "file")), None)


def _is(path: FilePath, kind: str) -> bool:
    try:
        return path.is_dir() if kind == "dir" else path.is_file()
    except OSError:  # a name that is too long for this file system
        return False


def _component(component: Component, root: FilePath, path: Path) -> Iterator[Finding]:
    context = inside(root, component.context)
    if context is None:
        yield _outside((*path, "context"), component.context)
    elif not _is(context, "dir"):
        what = f"folder {component.context!r} does not exist"
        yield Finding(
            (*path, "context"), what, "name the folder that the image is built from, or create it"
        )
    else:
        yield from _dockerfile(component, context, path)


def _outside(path: Path, name: str) -> Finding:
    remedy = "name a folder below slipway.yaml, relative to it"
    return Finding(path, f"{name!r} leads out of the repository", remedy)


def _dockerfile(component: Component, context: FilePath, path: Path) -> Iterator[Finding]:
    file = inside(context, component.dockerfile)
    key = (*path, "dockerfile")
    if file is None or not _is(file, "file"):
        what = f"{component.context}/{component.dockerfile} does not exist"
        yield Finding(key, what, "name the Dockerfile relative to the context, or write one")
        return
    try:
        parsed = parse_dockerfile(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield Finding(key, f"cannot be read: {error}", "store it as UTF-8 text")
        return
    if parsed.stages == 0:
        yield Finding(
            key, f"{component.dockerfile} has no FROM", "begin it with `FROM image AS name`"
        )
        return
    for part, target in _targets(component):
        if not parsed.builds(target):
            yield _no_target((*path, part, "target"), component, target, parsed)


def _targets(component: Component) -> Iterator[tuple[str, str]]:
    if component.lint:
        yield "lint", component.lint.target
    if component.test:
        yield "test", component.test.target
    yield "image", component.image.target


def _no_target(path: Path, component: Component, target: str, parsed: Dockerfile) -> Finding:
    file = f"{component.context}/{component.dockerfile}"
    if not parsed.targets:
        remedy = f"give the stage a name: `FROM ... AS {target}`"
        return Finding(
            path, f"{file} has no target {target!r}, none of its stages is named", remedy
        )
    there = ", ".join(parsed.targets)
    remedy = f"name one of {there}, or add `FROM ... AS {target}`"
    return Finding(path, f"{file} has no target {target!r}, only {there}", remedy)


def _overlay(overlay: str, root: FilePath, path: Path) -> Iterator[Finding]:
    folder = inside(root, overlay)
    if folder is None:
        yield _outside(path, overlay)
    elif not _is(folder, "dir"):
        what = f"folder {overlay!r} does not exist"
        yield Finding(path, what, "name the folder of the kustomize overlay, or create it")
    elif kustomization_in(folder) is None:
        what = f"{overlay} holds no kustomization.yaml"
        remedy = "write one that lists the manifests under `resources:`"
        yield Finding(path, what, remedy)
