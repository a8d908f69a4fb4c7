"""What a rollout is told, what it sees, and how far it has come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.core.application import Environment
from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.gates import Override
from tasks.core.model import Verdict
from tasks.core.objects import Object, Ref
from tasks.core.record import Record
from tasks.core.slos import Slos
from tasks.core.strategy import Hooks
from tasks.core.target import Target
from tasks.core.watching import Reading, Watch
from tasks.rollout.steps import ProbeRelease
from tasks.rollout.twins import Twins

__all__ = [
    "Back",
    "By",
    "Judge",
    "Observed",
    "Place",
    "Ports",
    "Prober",
    "Progress",
    "Rules",
    "Stored",
]


@dataclass(frozen=True, slots=True)
class Rules:
    """What slipway.yaml says about rollouts into any environment.

    Attributes:
        order: each component with those that have to be ready before it.
    """

    hooks: Hooks = field(default_factory=Hooks)
    order: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slos: Slos = field(default_factory=Slos)


@dataclass(frozen=True, slots=True)
class Place:
    """An environment of an application, and the cluster that it is in."""

    application: str
    name: str
    environment: Environment
    target: Target
    rules: Rules = field(default_factory=Rules)

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
        gates: how many gates between the steps of a canary people have opened so far.
        refused: why people did not open the next one.
        trail: the audit trail's newest entry when they had approved, as records keep it.
        override: who said that it may begin although the calendar has closed the environment.
    """

    run: str
    actor: str = ""
    approved_by: tuple[str, ...] = ()
    despite: str | None = None
    plan: str | None = None
    gates: int = 0
    refused: str | None = None
    trail: str = ""
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """Where a rollback goes.

    Attributes:
        to: number of a rollout, or id of a release; the newest good one before the live one where
            absent.
        blames: id of the release that has to be live still; whatever is live where absent.
    """

    reason: str
    to: int | str | None = None
    blames: str | None = None


Prober = Callable[[Cluster, Clock, Place, ProbeRelease, datetime], Verdict]
"""Sends an environment's probes to a release's pods; the instant is when probing began."""

Judge = Callable[[Cluster, Clock, Watch], Iterator[Reading]]
"""Says at least once a second, for as long as it is asked, what the evidence shows by now."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside."""

    cluster: Cluster
    clock: Clock
    probe: Prober
    judge: Judge


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout has come, kept beside its record so that a new process can go on.

    Attributes:
        marks: what is behind it (marks.py), and since when.
        failed: why the release is being taken back.
        aside: why it goes back although nothing is said against it.
        asked_by: run that has asked for that, or has taken it back.
        restore_failed: why the previous release did not come back.
        held: why the step cannot be judged now; empty where it can.
    """

    marks: dict[str, datetime] = field(default_factory=dict)
    failed: Verdict | None = None
    aside: str | None = None
    asked_by: str = ""
    restore_failed: Verdict | None = None
    held: str = ""

    def has(self, mark: str) -> bool:
        """Say whether something is behind it."""
        return mark in self.marks

    def at(self, mark: str) -> datetime:
        """Return when something was over.

        Raises:
            KeyError: it is not over.
        """
        return self.marks[mark]

    def reached(self, mark: str, instant: datetime) -> "Progress":
        """Return the progress after something was over; the first time counts."""
        return replace(self, marks={mark: instant, **self.marks})


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the cluster keeps it.

    Attributes:
        bad: its release was taken back.
        version: the cluster's version of the record's Secret; writing needs the newest one.
        fence: number of the lock under which it was written.
        environment: as slipway.yaml described it then, so that going back needs no Git; None in
            records of Slipway 0.1.
        rules: likewise.
        cleared: it was bad, and somebody has said since that it may be deployed again.
    """

    record: Record
    progress: Progress = field(default_factory=Progress)
    bad: bool = False
    version: str = ""
    fence: int = 0
    environment: Environment | None = None
    rules: Rules = field(default_factory=Rules)
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
        wanted: the objects of the release that comes in; before: those of the one before it.
        jobs: those that hooks run, which are in neither.
        twins: what stands beside the stable workloads for a while; empty in a rolling update.
        gates: how many of the gates on the way people have opened.
        autoscalers: those in the namespace that no release has brought.
    """

    current: Stored
    previous: Record | None
    live: dict[Ref, Object]
    leftovers: frozenset[Ref]
    environment: Environment
    environment_before: Environment
    wanted: tuple[Object, ...] = ()
    before: tuple[Object, ...] = ()
    jobs: tuple[Object, ...] = ()
    twins: Twins = field(default_factory=Twins)
    gates: int = 0
    autoscalers: tuple[Object, ...] = ()
