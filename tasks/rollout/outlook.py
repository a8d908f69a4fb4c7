"""What a plan says beforehand about the way a release comes in, and what that may cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tasks.core.model import Release
from tasks.core.objects import Object, ref_of
from tasks.core.strategy import Canary
from tasks.core.units import format_duration
from tasks.rollout.ladder import ladder_of
from tasks.rollout.model import Place
from tasks.rollout.put import stable_replicas
from tasks.rollout.quota import demand, pods_demand
from tasks.rollout.traffic import canary_replicas, real_share, way_of, why_no_testers
from tasks.rollout.twins import Twins, plan_twins, why_rolling

__all__ = ["Outlook", "look_ahead"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stands beside the live release, and how it climbs.

    Attributes:
        ladder: None where every workload is replaced in place.
        why_rolling: what keeps a workload from the strategy that it should have.
    """

    before: tuple[Object, ...]
    twins: Twins
    ladder: Canary | None
    why_rolling: str | None

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
        if not self.ladder.standby:
            yield (
                "standby is off: the stable pods are scaled down during the bake, and a way back "
                f"waits up to {format_duration(self.ladder.deadline)} for them to start again"
            )

    def _real_shares(self, ladder: Canary) -> Iterator[str]:
        """Say which shares whole pods cannot give where no route has weights."""
        live = {ref_of(thing): thing for thing in self.before}
        for twin in self.twins.workloads:
            way, stable = way_of(twin, self.before, self.twins), stable_replicas(live[twin.stable])
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

    def demand(self, wanted: Object, live: Object | None) -> dict[str, Decimal]:
        """Return what a workload needs beyond what it uses now, its canary's pods included."""
        needed = demand(wanted, live)
        twin = next((each for each in self.twins.workloads if each.stable == ref_of(wanted)), None)
        if twin is None or self.ladder is None:
            return needed
        way = way_of(twin, self.before, self.twins)
        stable = stable_replicas(live)
        most = max(canary_replicas(stable, step.share, way) for step in self.ladder.ladder)
        beside = pods_demand(wanted, most)
        return {
            name: needed.get(name, Decimal(0)) + beside.get(name, Decimal(0))
            for name in needed.keys() | beside.keys()
        }


def look_ahead(
    before: tuple[Object, ...], wanted: tuple[Object, ...], release: Release, place: Place
) -> Outlook:
    """Say how a release would come in.

    Args:
        before: manifests of the live release, none before the first.
        wanted: those of the new one.
        release: the new one.
        place: where it goes.
    """
    environment = place.environment
    twins = plan_twins(before, wanted, release, environment) if before else Twins()
    ladder = ladder_of(environment, twins) if twins.climb else None
    return Outlook(before, twins, ladder, why_rolling(before, wanted, release, environment))
