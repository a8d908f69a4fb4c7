"""What Slipway adds to the pods of a release: how they are told apart, and what they read."""

import hashlib
import json
from collections.abc import Collection, Mapping

from tasks.core.objects import Object, container_lists, ref_of
from tasks.core.references import Reference, references
from tasks.core.tracks import STABLE, TRACK

__all__ = ["CONFIG", "bind_config", "label_track"]

CONFIG = "slipway.dev/config"
"""Annotation of pods: another hash starts new ones, which read the new configuration."""

SERVERS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})


def label_track(thing: Object, images: Collection[str]) -> Object:
    """Label a component's Deployment, on its pods, as the stable track that a canary may join.

    The selector, which nobody may change, stays as it is.
    """
    used = {
        container.get("image") for containers in container_lists(thing) for container in containers
    }
    if thing["kind"] != "Deployment" or not used.intersection(images):
        return thing
    return _with_metadata(thing, "labels", {TRACK: STABLE})


def bind_config(thing: Object, objects: Collection[Object]) -> Object:
    """Note, on a server's pods, a hash of what they read of the release's ConfigMaps and Secrets.

    A change of configuration alone is a rollout by that, and is judged like any other.
    """
    if thing["kind"] not in SERVERS:
        return thing
    namespace = thing["metadata"].get("namespace")
    contents: Mapping[Reference, Object] = {
        (each["kind"], each["metadata"]["name"]): _content(each)
        for each in objects
        if each["kind"] in {"ConfigMap", "Secret"} and ref_of(each).namespace == namespace
    }
    read = sorted(reference for reference in references(thing) if reference in contents)
    if not read:
        return thing
    text = json.dumps([[*reference, contents[reference]] for reference in read], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return _with_metadata(thing, "annotations", {CONFIG: digest})


def _content(thing: Object) -> Object:
    return {key: thing[key] for key in ("binaryData", "data", "stringData") if key in thing}


def _with_metadata(thing: Object, key: str, added: Mapping[str, str]) -> Object:
    template = thing["spec"]["template"]
    metadata = template.get("metadata") or {}
    metadata = {**metadata, key: {**(metadata.get(key) or {}), **added}}
    return {**thing, "spec": {**thing["spec"], "template": {**template, "metadata": metadata}}}
