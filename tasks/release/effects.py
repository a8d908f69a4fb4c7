"""Rendering overlays with kustomize, as the draft of a release."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import yaml

from tasks.core import process
from tasks.core.application import Application, Environment
from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.kept import is_kept
from tasks.core.model import Manifests, Release, ReleasedImage, Source
from tasks.core.objects import Object, dump_stream, parse_stream, ref_of
from tasks.core.previews import name_of
from tasks.core.registry import repository_of
from tasks.core.target import Builders, Workshop
from tasks.core.unreviewed import alone
from tasks.release.decide import (
    CLUSTER_WIDE,
    UNKNOWN,
    Belonging,
    adopt,
    fill,
    name_release,
    pin,
    sign,
    sort,
)
from tasks.release.pods import bind_config, label_track

__all__ = ["draft", "render"]

RENDER_TIMEOUT = timedelta(minutes=1)
QUICK = {"GOGC": "400"}
"""kustomize lives for less than a second: a third of it goes into collecting garbage."""

log = logging.getLogger(__name__)


def draft(source: Source, target: Builders, number: int | None = None) -> Release:
    """Render the manifests of every environment before there are images.

    Args:
        source: with the overlays.
        target: whose registry and kubectl.
        number: of the pull request that has one of the environments; None where none has.

    Raises:
        ConfigError: an overlay cannot be rendered, reaches beyond its namespace, or no
            manifest uses a component's image.
    """
    application = source.application
    images = tuple(
        ReleasedImage(name, repository_of(application, name, target.registry), UNKNOWN, each.port)
        for name, each in sorted(application.components.items())
    )
    overlays = [Path(source.tree) / each.overlay for each in application.environments.values()]
    kubectl, env = alone(target.kubectl) if isinstance(target, Workshop) else (target.kubectl, {})
    own = None if number is None else name_of(number)
    with ThreadPoolExecutor() as pool:
        rendered = pool.map(partial(render, kubectl=kubectl, env=env), overlays)
        objects = {
            name: _prepare(
                source, images, name, things if name != own else fill(things, str(number))
            )
            for name, things in zip(application.environments, rendered, strict=True)
        }
    name = name_release(images, objects)
    manifests = tuple(
        Manifests(
            environment,
            application.environments[environment].namespace,
            dump_stream(tuple(sign(thing, name, source.commit) for thing in things)),
        )
        for environment, things in objects.items()
    )
    _check_use(application, images, manifests)
    return Release(
        id=name,
        application=application.application,
        commit=source.commit,
        author=source.author,
        author_email=source.author_email,
        subject=source.subject,
        created_at=source.committed_at,
        images=images,
        manifests=manifests,
        irreversible=application.irreversible,
        repository=source.repository,
        people=source.people,
    )


def render(overlay: Path, kubectl: str, env: Mapping[str, str] | None = None) -> tuple[Object, ...]:
    """Render a kustomize overlay.

    Args:
        overlay: folder with a kustomization.
        kubectl: program that has kustomize in it.
        env: variables that it gets beside this process's own.

    Raises:
        ConfigError: kustomize or YAML refuses it.
    """
    try:
        options = process.Options(env={**QUICK, **(env or {})}, kept_lines=None)
        argv = [kubectl, "kustomize", str(overlay)]
        done = process.run(argv, timeout=RENDER_TIMEOUT, options=options)
        return parse_stream(done.stdout)
    except (ToolFailed, yaml.YAMLError) as error:
        raise ConfigError(
            f"the overlay cannot be rendered: {error}",
            where=str(overlay),
            next_step=f"run `kubectl kustomize {overlay}` and correct what it names",
        ) from error


def _prepare(
    source: Source, images: tuple[ReleasedImage, ...], name: str, rendered: tuple[Object, ...]
) -> tuple[Object, ...]:
    """Pin the images of one environment's objects, label them and put them in order."""
    application = source.application
    environment = application.environments[name]
    by_name = {application.image_name(image.component): image for image in images}
    by_name |= {image.repository: image for image in images}
    pinned = pin(rendered, by_name)
    for image in pinned.loose:
        log.warning("%s: image %s is named by a tag, which may change", name, image)
    whose = Belonging(application.application, name, environment.namespace)
    adopted = tuple(adopt(thing, whose) for thing in pinned.objects)
    _check_namespace(adopted, name, environment)
    _check_reserved(adopted, f"{name}: {environment.overlay}")
    ours = {image.reference for image in images}
    return sort(label_track(bind_config(thing, adopted), ours) for thing in adopted)


def _check_namespace(objects: tuple[Object, ...], name: str, environment: Environment) -> None:
    for thing in objects:
        ref = ref_of(thing)
        namespace = ref.name if thing["kind"] == "Namespace" else ref.namespace
        is_nowhere = thing["kind"] in CLUSTER_WIDE - {"Namespace"}
        if not is_nowhere and namespace != environment.namespace:
            raise ConfigError(
                f"{ref} is in namespace {namespace}, not in {environment.namespace}",
                where=f"{name}: {environment.overlay}",
                next_step="set `namespace:` in the overlay's kustomization.yaml",
            )


def _check_reserved(objects: tuple[Object, ...], where: str) -> None:
    """See that no manifest is taken for a record, an entry of the audit trail or the lock."""
    for thing in objects:
        if is_kept(thing):
            raise ConfigError(
                f"{ref_of(thing)} would be taken for something that Slipway itself keeps",
                where=where,
                next_step="give it another name, type and labels",
            )


def _check_use(
    application: Application, images: tuple[ReleasedImage, ...], manifests: tuple[Manifests, ...]
) -> None:
    for image in images:
        if not any(image.reference in each.yaml for each in manifests):
            wanted = application.image_name(image.component)
            raise ConfigError(
                f"no manifest uses the image of component {image.component}",
                where=application.application,
                next_step=f"name the image `{wanted}` in a workload of the overlays",
            )
