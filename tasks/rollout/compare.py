"""What differs between an object in the cluster and the one that a release wants."""

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from tasks.core.objects import Object

__all__ = ["comparable", "diff_of"]

OWN_FIELDS = frozenset({"name", "namespace", "labels", "annotations", "finalizers"})
NOISE = frozenset(
    {
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "kubectl.kubernetes.io/last-applied-configuration",
        "slipway.dev/commit",
        "slipway.dev/release",
        "slipway.dev/rollout",
    }
)
"""Annotations that change with every rollout and change nothing."""


def comparable(thing: Object, *, scaled: bool) -> Object:
    """Return what of an object is somebody's wish and not the cluster's bookkeeping.

    Args:
        thing: an object as read, as answered by a dry run, or as in the manifests.
        scaled: an autoscaler sets its replicas.
    """
    kept = {key: value for key, value in thing.items() if key != "status"}
    metadata = {key: value for key, value in thing["metadata"].items() if key in OWN_FIELDS}
    annotations = metadata.pop("annotations", None) or {}
    wished = {key: value for key, value in annotations.items() if key not in NOISE}
    if wished:
        metadata["annotations"] = wished
    kept["metadata"] = metadata
    if scaled and isinstance(kept.get("spec"), dict):
        kept["spec"] = {key: value for key, value in kept["spec"].items() if key != "replicas"}
    return kept


def diff_of(before: Object | None, after: Object | None) -> str:
    """Return a unified diff of two comparable objects, None being no object at all."""
    if before == after:
        return ""
    old, new = _hidden(before, after)
    lines = difflib.unified_diff(_lines(old), _lines(new), "live", "release", lineterm="")
    return "\n".join(lines)


def _lines(thing: Object | None) -> list[str]:
    return [] if thing is None else yaml.safe_dump(thing, sort_keys=True).splitlines()


def _hidden(before: Object | None, after: Object | None) -> tuple[Object | None, Object | None]:
    """Hide the values of Secrets, leaving visible which of them change."""
    if (after or before or {}).get("kind") != "Secret":
        return before, after
    old, new = dict(before or {}), dict(after or {})
    for key in ("data", "stringData"):
        values, changed = old.get(key) or {}, new.get(key) or {}
        if values:
            old[key] = dict.fromkeys(values, "(hidden)")
        if changed:
            new[key] = {name: _mask(name, value, values) for name, value in changed.items()}
    return (old if before else None), (new if after else None)


def _mask(name: str, value: Any, before: Mapping[str, Any]) -> str:  # noqa: ANN401 a YAML value
    return "(hidden)" if before.get(name) == value else "(hidden, new value)"
