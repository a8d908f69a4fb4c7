"""Fields of objects in memory: flat, as a tree again, and who owns them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.core.cluster import FIELD_MANAGER
from tasks.core.objects import Object

__all__ = ["Path", "leaves", "managed", "tree"]

Path = tuple[str, ...]
REPLICAS = ("spec", "replicas")


def leaves(value: Object, prefix: Path = ()) -> dict[Path, Any]:
    """Flatten a mapping; lists and what the cluster itself keeps are leaves."""
    flat: dict[Path, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict) and item and key != "status":
            flat |= leaves(item, (*prefix, key))
        else:
            flat[(*prefix, key)] = item
    return flat


def tree(flat: dict[Path, Any]) -> Object:
    """Make a mapping of what was flattened."""
    made: Object = {}
    for path, value in flat.items():
        place = made
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value
    return made


def managed(owners: Mapping[str, set[Path]], changed: Mapping[Path, datetime]) -> list[Object]:
    """Say who owns what, and since when; all others than we scale by an entry of its own."""
    entries = []
    for manager, paths in sorted(owners.items()):
        scale = set() if manager == FIELD_MANAGER else paths & {REPLICAS}
        for each in filter(None, (paths - scale, scale)):
            fields = tree({tuple(f"f:{key}" for key in path): {} for path in sorted(each)})
            at = max(changed[path] for path in each)
            entries.append(
                {"manager": manager, "time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "fieldsV1": fields}
            )
    return entries
