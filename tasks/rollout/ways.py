"""What the way in beside the live release, its promotion and the way back have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tasks.core.objects import Object, Ref, ref_of
from tasks.core.strategy import Canary, Testers
from tasks.rollout import marks
from tasks.rollout.changing import await_all, scaled
from tasks.rollout.ladder import ladder_of
from tasks.rollout.model import Observed, Progress
from tasks.rollout.probing import let_in
from tasks.rollout.steps import Apply, AwaitGone, AwaitReady, Delete, Drain, Scale, Step
from tasks.rollout.traffic import all_to_canary, restore_traffic, set_traffic, way_of
from tasks.rollout.twins import Twin, Twins

__all__ = [
    "ALL",
    "DRAIN",
    "Ways",
    "left_at_rest",
    "take_away",
    "touches_stable",
    "ways_of",
    "with_traffic",
]

ALL = 100
DRAIN = timedelta(seconds=5)
"""Proxies and nodes learn of a change of traffic within so long, and short requests end."""
ENDING = timedelta(minutes=2)
"""Pods that take longer to end than this are left to Kubernetes."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What both ways need: the objects of both releases and how to climb between them."""

    seen: Observed
    before: tuple[Object, ...]
    after: tuple[Object, ...]
    ladder: Canary

    @property
    def twins(self) -> Twins:
        """What stands beside the stable workloads."""
        return self.seen.twins

    @property
    def canaries(self) -> tuple[Object, ...]:
        """Their Deployments."""
        return tuple(twin.canary for twin in self.twins.workloads)

    @property
    def renewed(self) -> tuple[Ref, ...]:
        """What changes where it is, a share of its pods at a time."""
        return tuple(part.ref for part in self.twins.parts)

    @property
    def rests(self) -> bool:
        """Whether the stable pods are scaled down while the canary answers everything."""
        return not self.ladder.standby

    def await_all(self, objects: Iterable[Object], since: str) -> AwaitReady:
        """Wait for the workloads among objects of the release that comes in."""
        return await_all(objects, since, self.seen.current.record.release, self.seen.environment)

    def has(self, mark: str) -> bool:
        """Say whether something is behind the rollout."""
        return self.seen.current.progress.has(mark)

    @property
    def testers(self) -> Testers | None:
        """What leads a request of the public address to the canary, if anything does."""
        routed = self.traffic(self.before, 0)
        return let_in(routed, self.ladder.testers, self.seen.environment.url)

    def scales(self, share: int) -> tuple[Scale, ...]:
        """Return the steps that bring the canaries to the size of a share."""
        return tuple(
            Scale(twin, share, way_of(twin, self.before, self.twins))
            for twin in self.twins.workloads
        )

    def traffic(self, base: tuple[Object, ...], share: int) -> tuple[Object, ...]:
        """Return the Services and routes that give the canary a share."""
        shared = set_traffic(base, self.twins, share, self.ladder.testers)
        # nobody may be left with stable pods that are about to rest
        return all_to_canary(shared, self.twins) if self.rests and share == ALL else shared

    def to_stable(
        self, base: tuple[Object, ...], going: tuple[Object, ...] = ()
    ) -> tuple[Object, ...]:
        """Return Services that leave the canary out, routes that know it and send nobody there.

        A gateway may learn of a route before it learns of a new Service in it, and of a Service's
        end before the route's: a request between the two would fail. So the canary comes into
        routes, and goes out of them, while it has no share.

        Args:
            base: objects of the release that the stable pods are of.
            going: those of the release that is left; what the other does not have, such as a route
                that was renamed, leads to the stable pods until it is deleted.
        """
        gone = self.seen.live.keys() - {ref_of(each) for each in base}
        left = (each for each in going if ref_of(each) in gone)
        return set_traffic((*base, *left), self.twins, 0, None)


def ways_of(seen: Observed) -> Ways:
    """Return the ways between the live release and the one that comes in."""
    return Ways(seen, seen.before, seen.wanted, ladder_of(seen.environment, seen.twins))


def touches_stable(progress: Progress) -> bool:
    """Say whether the promotion has begun; an older Slipway only marked that it was applied."""
    return progress.has(marks.PROMOTING) or progress.has(marks.APPLIED)


def take_away(ways: Ways, objects: tuple[Object, ...], since: str) -> Iterable[Step]:
    """Delete the canary, which has no traffic any more, and let Services be as they were."""
    yield Drain(since, DRAIN)
    for canary in ways.canaries:
        yield Delete(ref_of(canary))
    yield AwaitGone(since, DRAIN + ENDING)
    for thing in restore_traffic(objects, ways.twins):
        yield Apply(thing, force=True)


def with_traffic(ways: Ways, objects: tuple[Object, ...]) -> tuple[Object, ...]:
    """Return the objects of a release, with all traffic on the canary."""
    shifted = {ref_of(each): each for each in ways.traffic(objects, ALL)}
    return tuple(shifted.get(ref_of(each), each) for each in objects)


def left_at_rest(ways: Ways, objects: tuple[Object, ...]) -> Iterable[Twin]:
    """Return the twins whose stable Deployment would stay at rest: we do not set its replicas."""
    if not ways.rests:
        return
    by_autoscaler = scaled((*objects, *ways.seen.autoscalers))
    sized = {ref_of(each) for each in objects if "replicas" in (each.get("spec") or {})}
    for twin in ways.twins.workloads:
        is_autoscaled = (twin.stable.kind.name, twin.stable.name) in by_autoscaler
        if is_autoscaled or twin.stable not in sized:
            yield twin
