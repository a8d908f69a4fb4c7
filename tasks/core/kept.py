"""What Slipway keeps in an environment's namespace, and how that is told from an application's."""

from tasks.core.objects import Object

__all__ = ["AUDIT", "AUDIT_NAME", "LOCK", "RECORD", "RECORD_NAME", "RECORD_TYPE", "is_kept"]

AUDIT, RECORD = "slipway.dev/audit", "slipway.dev/record"
"""Labels of the audit trail's entries and of rollouts' records."""
AUDIT_NAME, RECORD_NAME = "slipway-audit-", "slipway-rollout-"
RECORD_TYPE = "slipway.dev/rollout.v1"
LOCK = "slipway"


def is_kept(thing: Object) -> bool:
    """Say whether an object would be taken for a record, an entry of the trail or the lock."""
    metadata = thing["metadata"]
    name = str(metadata["name"])
    return (
        not {AUDIT, RECORD}.isdisjoint(metadata.get("labels") or {})
        or name.startswith((AUDIT_NAME, RECORD_NAME))
        or str(thing.get("type", "")).startswith("slipway.dev/")
        or (thing["kind"], name) == ("Lease", LOCK)
    )
