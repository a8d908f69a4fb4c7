"""What a plan says beforehand about the way a release comes in, and what that may cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from tasks.core.model import Release
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.strategy import Canary, Testers
from tasks.core.units import format_duration
from tasks.rollout.ladder import ladder_of, overruled_testers
from tasks.rollout.model import Place
from tasks.rollout.put import stable_replicas
from tasks.rollout.quota import Need, counted, demand, pods_beyond, pods_need
from tasks.rollout.reach import labels_of
from tasks.rollout.spread import crowding, keeps_apart
from tasks.rollout.traffic import canary_replicas, real_share, way_of, why_no_testers
from tasks.rollout.twins import Twin, Twins, plan_twins, why_rolling

__all__ = ["Outlook", "look_ahead"]

ALL = 100
REPLICA_SET = Kind("apps/v1", "ReplicaSet")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stands beside the live release, and how it climbs.

    Attributes:
        ladder: None where every workload is replaced in place.
        why_rolling: what keeps a workload from the strategy that it should have.
        live: objects as they are now; how many pods there are, an autoscaler may have said.
        overruled: what components name for their testers and does not count.
    """

    before: tuple[Object, ...]
    twins: Twins
    ladder: Canary | None
    why_rolling: str | None
    live: Mapping[Ref, Object] = field(default_factory=dict, repr=False)
    overruled: tuple[Testers, ...] = ()

    @property
    def how(self) -> str:
        """Say it in a sentence."""
        if self.ladder is None:
            return "rolling update in place"
        beside = ", ".join(twin.stable.name for twin in self.twins.workloads)
        parts = ", ".join(part.ref.name for part in self.twins.parts)
        places = (f"canary beside {beside}" if beside else "", f"{parts} in place" if parts else "")
        steps = ", ".join(
            f"{step.share} %"
            + (f" for {format_duration(step.wait)}" if step.wait else "")
            + (" and a person's yes" if step.gate else "")
            for step in self.ladder.ladder
        )
        bake = format_duration(self.ladder.bake)
        where = " and ".join(filter(None, places))
        of_what = "of the traffic" if beside else "of the pods"
        return f"{where}: {steps} {of_what}, then {bake} of bake"

    def warnings(self) -> Iterator[str]:
        """Say what an approver should know about it."""
        if self.why_rolling:
            yield self.why_rolling
        if self.ladder is None:
            return
        yield from self._real_shares(self.ladder)
        refused = why_no_testers(self.before, self.twins, self.ladder.testers)
        if refused:
            yield refused
        if self.overruled:
            others = ", ".join(map(attrgetter("header"), self.overruled))
            counts = self.ladder.testers.header
            yield f"testers come in by {counts} to every component; {others} does not count"
        if not self.ladder.standby:
            yield self._way_back(self.ladder)

    def needs(
        self, wanted: Object, live: Object | None, limit_ranges: Iterable[Object] = ()
    ) -> Iterator[Need]:
        """Yield what an object needs beyond what it uses now, its canary included."""
        twin = self._twin_of(wanted)
        if twin is None or live is None:
            yield from demand(wanted, live, limit_ranges)
            return
        yield from (need for need in demand(wanted, live, limit_ranges) if need.pod is None)
        yield counted(ref_of(twin.canary).kind)
        yield counted(REPLICA_SET)
        yield pods_need(wanted, self._beyond(twin, wanted, live), limit_ranges)

    def companions(self) -> Iterator[Need]:
        """Yield what the canary's own configuration and Services need."""
        return (counted(ref_of(each).kind, each) for each in self.twins.companions)

    def crowding(self, wanted: Object, live: Object | None, nodes: Iterable[Object]) -> str | None:
        """Say that pods which refuse to share a node are more than the nodes for a while."""
        if not keeps_apart(wanted, labels_of(wanted)):
            return None
        twin, now = self._twin_of(wanted), stable_replicas(live) if live else 0
        beyond = pods_beyond(wanted, live)
        if twin is not None and live is not None and keeps_apart(wanted, labels_of(twin.canary)):
            beyond = self._beyond(twin, wanted, live)
        return crowding(wanted, now + beyond, nodes) if beyond else None

    def _twin_of(self, wanted: Object) -> Twin | None:
        return next((each for each in self.twins.workloads if each.stable == ref_of(wanted)), None)

    def _beyond(self, twin: Twin, wanted: Object, live: Object) -> int:
        """Return how many pods a twinned Deployment has at most beyond those of now.

        Either the canary is at its largest beside the stable pods as they are, or, at its last
        size, beside the stable pods that change. Those that rest need no surge: none is replaced.
        """
        stable, way = stable_replicas(live), way_of(twin, self.before, self.twins)
        shares = [step.share for step in self.ladder.ladder] if self.ladder else [ALL]
        sizes = [canary_replicas(stable, share, way) for share in shares]
        rests = self.ladder is not None and not self.ladder.standby
        grown = max(0, stable_replicas(wanted) - stable)
        changing = grown if rests else pods_beyond(wanted, live)
        return max(*sizes, sizes[-1] + changing)

    def _stable(self, twin: Twin) -> int:
        known = {ref_of(thing): thing for thing in self.before} | dict(self.live)
        return stable_replicas(known[twin.stable])

    def _way_back(self, ladder: Canary) -> str:
        """Say what a rollback costs where the stable pods are at rest."""
        pods = ", ".join(
            f"{self._stable(each)} of {each.stable.name}" for each in self.twins.workloads
        )
        return (
            f"standby is off: during the bake the stable pods ({pods}) are scaled down, and a "
            f"rollback has to start them again: up to {format_duration(ladder.deadline)} in which "
            "the new release goes on answering; before and after the bake both have all their pods"
        )

    def _real_shares(self, ladder: Canary) -> Iterator[str]:
        """Say which shares whole pods cannot give where no route has weights."""
        for twin in self.twins.workloads:
            way, stable = way_of(twin, self.before, self.twins), self._stable(twin)
            shares = [step.share for step in ladder.ladder]
            pods = [canary_replicas(stable, share, way) for share in shares]
            real = [
                round(real_share(stable, count, share, way))
                for share, count in zip(shares, pods, strict=True)
            ]
            if stable and real != shares:
                told = ", ".join(f"{share} %" for share in real)
                yield (
                    f"{twin.stable.name} gets its share by the count of its pods, no route has "
                    f"weights for it: {told} of its requests beside {stable} stable pods"
                )


def look_ahead(
    before: tuple[Object, ...],
    wanted: tuple[Object, ...],
    release: Release,
    place: Place,
    live: Mapping[Ref, Object] | None = None,
) -> Outlook:
    """Say how a release would come in.

    Args:
        before: manifests of the live release, none before the first.
        wanted: those of the new one.
        release: the new one.
        place: where it goes.
        live: objects as they are in the cluster.
    """
    environment = place.environment
    twins = plan_twins(before, wanted, release, environment) if before else Twins()
    return Outlook(
        before=before,
        twins=twins,
        ladder=ladder_of(environment, twins) if twins.climb else None,
        why_rolling=why_rolling(before, wanted, release, environment),
        live=live or {},
        overruled=overruled_testers(environment, twins) if twins.climb else (),
    )
