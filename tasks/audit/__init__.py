"""The audit trail: who did what, when, from where; append-only and hash-chained."""

from tasks.audit.model import Act, Anchor, Deed, Entry, Fault, Kept, Proof, Subject

__all__ = ["Act", "Anchor", "Deed", "Entry", "Fault", "Kept", "Proof", "Subject"]
