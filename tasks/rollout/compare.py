"""What differs between an object in the cluster and the one that a release wants."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tasks.core.objects import Object, Ref, ref_of
from tasks.core.record import Change, ChangeKind, Record
from tasks.rollout.changing import KEPT_KINDS, manifests_of

__all__ = ["changes_between", "comparable", "diff_of"]

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


def changes_between(before: Record, after: Record) -> tuple[Change, ...]:
    """Return what one rollout's manifests have otherwise than another's, without any cluster."""
    return tuple(_changes(_comparables(before), _comparables(after)))


def _comparables(record: Record) -> dict[Ref, Object]:
    return {ref_of(thing): comparable(thing, scaled=False) for thing in manifests_of(record)}


def _changes(old: Mapping[Ref, Object], new: Mapping[Ref, Object]) -> Iterator[Change]:
    for ref, thing in new.items():
        diff = diff_of(old.get(ref), thing)
        kind = ChangeKind.UPDATE if ref in old else ChangeKind.CREATE
        yield Change(kind if diff else ChangeKind.UNCHANGED, str(ref), diff)
    for ref, thing in old.items():
        if ref not in new and ref.kind.name not in KEPT_KINDS:
            yield Change(ChangeKind.DELETE, str(ref), diff_of(thing, None))


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
