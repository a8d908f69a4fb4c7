"""The trail in a cluster: one immutable ConfigMap an entry, in the namespace that it is about."""

import re

from tasks.audit.decide import link, read_entry
from tasks.audit.model import Deed, Kept
from tasks.core.clock import Clock
from tasks.core.cluster import Objects, Scope
from tasks.core.errors import Conflict, Unavailable
from tasks.core.kept import AUDIT, AUDIT_NAME
from tasks.core.objects import Kind, Object, Ref

__all__ = ["append", "fetch"]

CONFIG_MAP = Kind("v1", "ConfigMap")
MOST_TRIES = 100
"""Each lost one is an entry of somebody else's."""
_NAME = re.compile(rf"{AUDIT_NAME}(\d{{6,}})")


def fetch(cluster: Objects, namespace: str) -> tuple[Kept, ...]:
    """Return every entry of a namespace, oldest first."""
    found = cluster.find(Scope((CONFIG_MAP,), namespace, labels=f"{AUDIT}=entry"))
    kept = (each for each in map(_decode, found) if each is not None)
    return tuple(sorted(kept, key=lambda each: each.number))


def append(cluster: Objects, namespace: str, deed: Deed, clock: Clock) -> Kept:
    """Write a deed behind the newest entry, once however often it is called.

    Entries are only ever created: where somebody else has taken the number, ours goes behind
    theirs, so that two writers never fork the chain.

    Raises:
        ConfigError: the namespace takes no entry (permission, quota).
        Unavailable: the cluster does not answer, or others write without end; call again.
    """
    known = fetch(cluster, namespace)
    for kept in known:
        if _is_of(kept, deed):
            return kept
    head = known[-1] if known else None
    for _ in range(MOST_TRIES):
        mine = link(deed, clock.now(), head)
        try:
            cluster.create(_encode(mine, namespace))
        except Conflict:
            head = _taken(cluster, namespace, mine.number) or head
            if head is not None and _is_of(head, deed):
                return head
        else:
            return mine
    raise Unavailable("others write without end", where=f"audit trail of {namespace}")


def _taken(cluster: Objects, namespace: str, number: int) -> Kept | None:
    """Return the entry that has a number, whatever its labels say."""
    found = cluster.read(Ref(CONFIG_MAP, namespace, _name(number)))
    return None if found is None else _decode(found)


def _is_of(kept: Kept, deed: Deed) -> bool:
    entry = read_entry(kept)
    return entry is not None and entry.deed.key == deed.key


def _name(number: int) -> str:
    return f"{AUDIT_NAME}{number:06}"


def _encode(kept: Kept, namespace: str) -> Object:
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.name,
        "metadata": {
            "name": _name(kept.number),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "slipway", AUDIT: "entry"},
        },
        "immutable": True,
        "data": {"entry": kept.text, "sha256": kept.stated},
    }


def _decode(thing: Object) -> Kept | None:
    """Read an entry; whatever is in it, its name gives it its number, and a number one name."""
    found = _NAME.fullmatch(thing["metadata"]["name"])
    if found is None or _name(int(found[1])) != found[0]:
        return None
    content = thing.get("data") or {}
    return Kept(int(found[1]), content.get("entry", ""), content.get("sha256", ""))
