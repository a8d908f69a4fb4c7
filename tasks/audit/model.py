"""What the audit trail keeps, and what can be wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

__all__ = ["Act", "Anchor", "Deed", "Entry", "Fault", "Kept", "Proof", "Subject"]


class Act(StrEnum):
    """What somebody did."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "answer refused"
    ROLLED_BACK = "rolled back"
    ROLLBACK_REFUSED = "rollback refused"
    ROLLBACK_FAILED = "rollback failed"
    OVERRODE = "overrode"
    CLEARED = "cleared"
    APPROVER_ADDED = "approver added"
    APPROVER_REMOVED = "approver removed"
    APPROVER_UNLOCKED = "approver unlocked"
    APPROVER_LINKED = "approver linked to Slack"


class Proof(StrEnum):
    """How it is known who did it.

    CLI is whoever held the cluster's credentials on the machine that `origin` names. NONE is a
    name that somebody gave and nobody has proved.
    """

    TOTP = "totp"
    SLACK = "slack"
    CLI = "cli"
    GUARD = "guard"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Subject:
    """What it was about; empty is what it had nothing to do with.

    Attributes:
        plan: id of the plan that an answer was bound to.
        rollout: number of the record in the environment's history.
        person: whom it was done to.
    """

    application: str = ""
    environment: str = ""
    release: str = ""
    plan: str = ""
    rollout: int | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did, as it is handed to the trail.

    Attributes:
        key: the same for the same deed, however often a run that is killed repeats it.
        origin: from where, as the one who did it says: `maria@laptop (slipway)`, `Prefect UI`.
    """

    key: str
    act: Act
    actor: str
    proof: Proof
    origin: str
    about: Subject = field(default_factory=Subject)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its place in the chain.

    Attributes:
        number: 1, 2, 3 … within a namespace.
        at: when it was written, aware UTC.
        previous: SHA-256 of the entry before it, in hex; zeros for the first.
    """

    number: int
    at: datetime
    deed: Deed
    previous: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as the cluster keeps it, which need not be what was written.

    Attributes:
        number: of the object's name.
        text: canonical JSON of the entry.
        stated: SHA-256 of the text as it was when it was written, in hex.
    """

    number: int
    text: str
    stated: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where something outside the trail says how an entry was.

    Attributes:
        who: says so, as people call it.
    """

    number: int
    sha256: str
    who: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry at which a trail is not what was written, and what is wrong."""

    number: int
    what: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"entry {self.number} {self.what}"
