"""Rendering overlays with kustomize and binding them to images."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import yaml

from tasks.core import process
from tasks.core.application import Application, Environment
from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.model import Digest, Manifests, Release, ReleasedImage, Source
from tasks.core.objects import Object, dump_stream, parse_stream, ref_of
from tasks.core.registry import repository_of
from tasks.core.target import Target
from tasks.release.decide import CLUSTER_WIDE, Belonging, adopt, name_release, pin, sign, sort
from tasks.release.pods import bind_config, label_track

__all__ = ["assemble", "draft", "render"]

RENDER_TIMEOUT = timedelta(minutes=1)
UNKNOWN = Digest(f"sha256:{'0' * 64}")
"""Stands where the digest of an image will be."""

log = logging.getLogger(__name__)


def assemble(
    source: Source, images: tuple[ReleasedImage, ...], target: Target, scan: tuple[str, ...] = ()
) -> Release:
    """Bind images and the rendered manifests of every environment into a release.

    Raises:
        ConfigError: an overlay cannot be rendered, reaches beyond its namespace, or no
            manifest uses a component's image.
    """
    application = source.application
    overlays = [Path(source.tree) / each.overlay for each in application.environments.values()]
    with ThreadPoolExecutor() as pool:
        rendered = pool.map(partial(render, kubectl=target.kubectl), overlays)
        manifests = {
            name: _prepare(source, images, name, objects)
            for name, objects in zip(application.environments, rendered, strict=True)
        }
    _check_use(source, images, manifests)
    name = name_release(images, manifests)
    return Release(
        id=name,
        application=application.application,
        commit=source.commit,
        author=source.author,
        author_email=source.author_email,
        subject=source.subject,
        created_at=source.committed_at,
        images=tuple(sorted(_with_ports(application, images), key=lambda each: each.component)),
        manifests=tuple(
            Manifests(
                environment,
                application.environments[environment].namespace,
                dump_stream(tuple(sign(thing, name, source.commit) for thing in objects)),
            )
            for environment, objects in manifests.items()
        ),
        scan=scan,
        irreversible=application.irreversible,
    )


def draft(source: Source, target: Target) -> Release:
    """Render a release before its images are there: the same but for digests and its id.

    Raises:
        ConfigError: as for the release itself.
    """
    application = source.application
    images = tuple(
        ReleasedImage(name, repository_of(application, name, target.registry), UNKNOWN)
        for name in application.components
    )
    return assemble(source, images, target)


def _with_ports(
    application: Application, images: tuple[ReleasedImage, ...]
) -> Iterator[ReleasedImage]:
    for image in images:
        yield replace(image, port=application.components[image.component].port)


def render(overlay: Path, kubectl: str) -> tuple[Object, ...]:
    """Render a kustomize overlay.

    Raises:
        ConfigError: kustomize or YAML refuses it.
    """
    try:
        options = process.Options(kept_lines=None)
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
    ours = {image.reference for image in images}
    return sort(label_track(bind_config(thing, adopted), ours) for thing in adopted)


def _check_namespace(objects: tuple[Object, ...], name: str, environment: Environment) -> None:
    for thing in objects:
        namespace = ref_of(thing).namespace
        if thing["kind"] not in CLUSTER_WIDE and namespace != environment.namespace:
            raise ConfigError(
                f"{ref_of(thing)} is in namespace {namespace}, not in {environment.namespace}",
                where=f"{name}: {environment.overlay}",
                next_step="set `namespace:` in the overlay's kustomization.yaml",
            )


def _check_use(
    source: Source, images: tuple[ReleasedImage, ...], manifests: dict[str, tuple[Object, ...]]
) -> None:
    text = "".join(dump_stream(objects) for objects in manifests.values())
    for image in images:
        if image.reference not in text:
            wanted = source.application.image_name(image.component)
            raise ConfigError(
                f"no manifest uses the image of component {image.component}",
                where=source.application.application,
                next_step=f"name the image `{wanted}` in a workload of the overlays",
            )
