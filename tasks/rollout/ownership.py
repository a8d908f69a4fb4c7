"""What of a live object our own apply has set (structured-merge-diff's FieldsV1)."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from tasks.core.cluster import FIELD_MANAGER
from tasks.core.objects import Object

__all__ = ["own_part"]


def own_part(thing: Object) -> Object:
    """Return an object as we would have to apply it again to change nothing.

    Args:
        thing: as read from the cluster, or as in the manifests, where all of it is ours.
    """
    metadata = thing["metadata"]
    mine = _take(thing, _our_fields(metadata)) if "managedFields" in metadata else thing
    head = {"apiVersion": thing["apiVersion"], "kind": thing["kind"]}
    name = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    described = mine.get("metadata") or {}
    wished = {key: described[key] for key in ("labels", "annotations") if key in described}
    body = {key: value for key, value in mine.items() if key not in (*head, "metadata", "status")}
    return copy.deepcopy({**head, "metadata": {**name, **wished}, **body})


def _our_fields(metadata: Object) -> Object:
    """Return the fields that we have applied; an empty set has the one member `.`."""
    for entry in metadata["managedFields"] or ():
        applied = entry.get("operation", "Apply") == "Apply" and not entry.get("subresource")
        if entry["manager"] == FIELD_MANAGER and applied:
            return dict(entry["fieldsV1"])
    return {".": {}}


def _take(value: Any, fields: Object) -> Any:  # noqa: ANN401 a YAML value
    """Return the part of a value that a set of fields names; a set without members is all."""
    if isinstance(value, dict) and fields:
        return {
            name[2:]: _take(value[name[2:]], inner)
            for name, inner in fields.items()
            if name.startswith("f:") and name[2:] in value
        }
    if isinstance(value, list) and fields:
        return [item for name, inner in fields.items() for item in _items(value, name, inner)]
    return value


def _items(items: list[Any], name: str, fields: Object) -> Iterator[Any]:
    """Yield the item of a list that a member of a set names by its keys or by its value."""
    if name.startswith("v:"):
        yield from (item for item in items if item == json.loads(name[2:]))
    elif name.startswith("k:"):
        keys = json.loads(name[2:])
        yield from (_take(item, fields) for item in items if keys.items() <= item.items())
