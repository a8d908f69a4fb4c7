"""An environment's history as frozen values: what a rollout was to change, what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.core.gates import Override
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.sample import Sample

__all__ = ["Change", "ChangeKind", "Moment", "Plan", "Record", "RolloutState"]


class ChangeKind(StrEnum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What a rollout does to one object; object is `Kind/name`, diff a unified diff."""

    kind: ChangeKind
    object: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rollout would do, against the cluster as it is now.

    Attributes:
        id: hash over release, environment and changes: what an approval is bound to.
        live: number of the record that is live now, None before the first rollout.
        how: by which strategy and steps the release would come in.
        warnings: what the reader should know before saying yes.
    """

    id: str
    environment: str
    namespace: str
    release: str
    live: int | None
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    how: str = ""

    @property
    def changed(self) -> tuple[Change, ...]:
        """What would be another one afterwards."""
        return tuple(each for each in self.changes if each.kind is not ChangeKind.UNCHANGED)


class RolloutState(StrEnum):
    """How far a rollout is; the words of a record."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    RESTORED = "restored"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in a rollout, in words.

    Attributes:
        share: percent of the traffic, where it changed.
        outcome: of the verdict that was reached then.
    """

    at: datetime
    what: str
    share: int | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One rollout in an environment's history, kept in its own cluster.

    Attributes:
        number: 1, 2, 3 … within the environment.
        run: id of the Prefect flow run that did it.
        approved_by: names, in the order of their approvals.
        restores: number of the record whose release this one brought back.
        moments: what happened, oldest first.
        samples: what the service level indicators counted, oldest first.
        plan: what the rollout was to change, as it was shown before.
        trail: number and SHA-256 of the audit trail's newest entry when people had approved it,
            `42:0f…`; that and all before it cannot be changed unseen.
        override: who let it in although a freeze held or no window was open.
    """

    number: int
    environment: str
    namespace: str
    release: Release
    state: RolloutState
    reason: str
    started_at: datetime
    finished_at: datetime | None = None
    run: str = ""
    actor: str = ""
    approved_by: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    restores: int | None = None
    moments: tuple[Moment, ...] = ()
    samples: tuple[Sample, ...] = ()
    plan: Plan | None = None
    trail: str = ""
    override: Override | None = None
