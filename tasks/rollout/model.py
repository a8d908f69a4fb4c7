"""What a rollout is told, what it sees, and the steps that it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from tasks.core.application import Environment
from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.model import Record, Release, RolloutState, Target, Verdict
from tasks.core.objects import Object, Ref
from tasks.core.sample import Track

__all__ = [
    "Apply",
    "AwaitReady",
    "Back",
    "By",
    "Delete",
    "Finish",
    "HandOver",
    "MakeSecret",
    "Mark",
    "Observed",
    "Phase",
    "Place",
    "Ports",
    "ProbeRelease",
    "Prober",
    "Progress",
    "Step",
    "Stored",
]


@dataclass(frozen=True, slots=True)
class Place:
    """An environment of an application, and the cluster that it is in."""

    application: str
    name: str
    environment: Environment
    target: Target

    @property
    def namespace(self) -> str:
        """Namespace of everything in it."""
        return self.environment.namespace

    def __str__(self) -> str:
        """Say it as people do: `prod/myfin`."""
        return f"{self.name}/{self.application}"


@dataclass(frozen=True, slots=True)
class By:
    """Who does a rollout.

    Attributes:
        run: id of the Prefect flow run; the same id may go on where a killed process stopped.
        despite: reason for deploying a release that was taken back before; None refuses it.
        plan: id of the plan that was approved; where the cluster has changed since, so that
            the plan is another one, the rollout is refused.
    """

    run: str
    actor: str = ""
    approved_by: tuple[str, ...] = ()
    despite: str | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """Where a rollback goes.

    Attributes:
        to: number of a rollout; the newest good one before the live one where absent.
    """

    reason: str
    to: int | None = None


Prober = Callable[[Cluster, Clock, Place, "ProbeRelease", datetime], Verdict]
"""Sends an environment's probes to a release's pods; the instant is when probing began."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside."""

    cluster: Cluster
    clock: Clock
    probe: Prober


Phase = Literal["applied_at", "ready_at", "probed_at", "restored_at", "recovered_at"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout has come, kept beside its record so that a new process can go on.

    Attributes:
        applied_at: every object of the release was applied.
        ready_at: every workload was ready in its new revision.
        probed_at: the probes passed.
        failed: why the release is being taken back.
        restored_at: every object of the previous release was applied again.
        recovered_at: every workload of the previous release was ready again.
        restore_failed: why the previous release did not come back.
    """

    applied_at: datetime | None = None
    ready_at: datetime | None = None
    probed_at: datetime | None = None
    failed: Verdict | None = None
    restored_at: datetime | None = None
    recovered_at: datetime | None = None
    restore_failed: Verdict | None = None

    def at(self, phase: Phase) -> datetime:
        """Return when a phase was over.

        Raises:
            ValueError: it is not over.
        """
        instant = {
            "applied_at": self.applied_at,
            "ready_at": self.ready_at,
            "probed_at": self.probed_at,
            "restored_at": self.restored_at,
            "recovered_at": self.recovered_at,
        }[phase]
        if instant is None:
            raise ValueError(phase)
        return instant

    def reached(self, phase: Phase, instant: datetime) -> "Progress":
        """Return the progress after a phase was over."""
        match phase:
            case "applied_at":
                return replace(self, applied_at=instant)
            case "ready_at":
                return replace(self, ready_at=instant)
            case "probed_at":
                return replace(self, probed_at=instant)
            case "restored_at":
                return replace(self, restored_at=instant)
            case "recovered_at":
                return replace(self, recovered_at=instant)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the cluster keeps it.

    Attributes:
        bad: its release was taken back.
        version: the cluster's version of the record's Secret; writing needs the newest one.
        fence: number of the lock under which it was written.
        environment: as slipway.yaml described it then, so that going back needs no Git; None in
            records of Slipway 0.1.
        cleared: it was bad, and somebody has said since that it may be deployed again.
    """

    record: Record
    progress: Progress = field(default_factory=Progress)
    bad: bool = False
    version: str = ""
    fence: int = 0
    environment: Environment | None = None
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that the next steps depend on.

    Attributes:
        current: the rollout that is under way.
        previous: what was live before it, None on a first rollout.
        live: the objects of both that exist in the cluster now.
        leftovers: what earlier rollouts brought and may still be there.
        environment: how the release that comes in is watched and probed.
        environment_before: the same of the release that was live before it.
    """

    current: Stored
    previous: Record | None
    live: dict[Ref, Object]
    leftovers: frozenset[Ref]
    environment: Environment
    environment_before: Environment


@dataclass(frozen=True, slots=True)
class MakeSecret:
    """Make a Secret with random values for the keys that it lacks."""

    ref: Ref
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Leave the number of replicas to an autoscaler without a moment at one replica."""

    ref: Ref
    replicas: int


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply an object; force takes over fields that others have changed since."""

    object: Object = field(repr=False)
    force: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Remember in the record that a phase is over; phase is a field of Progress."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Watch workloads until their new revision is ready; the deadline counts from a mark."""

    workloads: tuple[Ref, ...]
    since: Phase
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class ProbeRelease:
    """Send an environment's probes to a release's pods; their deadlines count from a mark.

    Attributes:
        track: whether the release runs as the canary beside the stable one, or in its place.
    """

    release: Release
    environment: Environment
    since: Phase
    track: Track = "stable"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object that is ours."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the end into the record."""

    state: RolloutState
    reason: str


Step = MakeSecret | HandOver | Apply | Mark | AwaitReady | ProbeRelease | Delete | Finish
