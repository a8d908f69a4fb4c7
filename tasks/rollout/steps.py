"""The steps that a rollout takes: printable data, every one safe to repeat."""

from dataclasses import dataclass, field
from datetime import timedelta

from tasks.core.access import EVERYWHERE, Access
from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object, Ref
from tasks.core.record import RolloutState
from tasks.rollout.partition import Part
from tasks.rollout.traffic import Way
from tasks.rollout.twins import Twin

__all__ = [
    "Apply",
    "AwaitGone",
    "AwaitReady",
    "Delete",
    "Drain",
    "Finish",
    "HandOver",
    "MakeSecret",
    "Mark",
    "ProbeRelease",
    "Renew",
    "Rest",
    "Scale",
    "SetTraffic",
    "StartJob",
    "Step",
    "Wake",
    "WatchShare",
]


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
    """Remember in the record that something is behind us.

    Attributes:
        name: one of the words in marks.py.
        moment: the same for people; nothing is told where it is empty.
        share: percent of the traffic from now on, None where it did not change.
    """

    name: str
    moment: str = ""
    share: int | None = None


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Watch workloads until their new revision is ready; the deadline counts from a mark."""

    workloads: tuple[Ref, ...]
    since: str
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class ProbeRelease:
    """Send an environment's probes to a release's pods; their deadlines count from a mark."""

    release: Release
    environment: Environment
    since: str
    access: Access = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Scale:
    """Apply a canary with the replicas that a share of the traffic asks for now."""

    twin: Twin
    share: int
    way: Way


@dataclass(frozen=True, slots=True)
class Renew:
    """Change a share of a workload's pods, in percent of those it has now, where they are."""

    part: Part
    share: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Scale a stable Deployment to nothing while its canary answers everything."""

    stable: Ref


@dataclass(frozen=True, slots=True)
class Wake:
    """Scale a stable Deployment that rests to as many pods as its canary has."""

    twin: Twin


@dataclass(frozen=True, slots=True)
class SetTraffic:
    """Give the canary a share of the traffic, in percent; force takes over what others hold."""

    share: int
    objects: tuple[Object, ...] = field(repr=False)
    force: bool = False


@dataclass(frozen=True, slots=True)
class WatchShare:
    """Judge the canary while it has a share of the traffic.

    Attributes:
        since: mark from which the least time counts.
        began: mark of the canary's first share, from which the evidence counts.
        least: it is watched for so long even where the evidence is complete before.
        deadline: its pods may be unready for so long.
        twins: whose canaries are watched.
        scales: what keeps them in proportion to stable pods that are scaled meanwhile.
        guarded: objects as we have applied them: nobody else is to change them meanwhile.
        renewed: workloads of which a share was changed where it is.
        judged: names of those whose new pods are judged against the time before; only where
            nothing runs beside them.
    """

    share: int
    since: str
    began: str
    least: timedelta
    deadline: timedelta
    twins: tuple[Twin, ...] = ()
    scales: tuple[Scale, ...] = ()
    guarded: tuple[Object, ...] = field(default=(), repr=False)
    renewed: tuple[Ref, ...] = ()
    judged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drain:
    """Let requests under way end, counted from the mark of the traffic's last change."""

    since: str
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class AwaitGone:
    """Watch until no pod of the canary is left; so that no Service finds one that is ending."""

    since: str
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class StartJob:
    """Make a hook's Job for this rollout; one of an earlier rollout is deleted first."""

    job: Object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object that is ours."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the end into the record."""

    state: RolloutState
    reason: str


Step = (
    MakeSecret
    | HandOver
    | Apply
    | Mark
    | AwaitReady
    | ProbeRelease
    | Scale
    | Renew
    | Rest
    | Wake
    | SetTraffic
    | StartJob
    | WatchShare
    | Drain
    | AwaitGone
    | Delete
    | Finish
)
