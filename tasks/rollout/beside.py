"""A release beside the live one: its way in, share by share, and its way back by traffic."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from tasks.core.model import Record, RolloutState
from tasks.core.objects import Object, Ref, ref_of
from tasks.core.references import renamed
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.core.tracks import canary_name
from tasks.rollout import marks
from tasks.rollout.changing import (
    applies,
    await_all,
    deletes,
    generated_secrets,
    scaled,
    without_replicas,
)
from tasks.rollout.ladder import ladder_of
from tasks.rollout.model import Observed
from tasks.rollout.steps import (
    Apply,
    AwaitGone,
    AwaitReady,
    Delete,
    Drain,
    Finish,
    Mark,
    ProbeRelease,
    Renew,
    Rest,
    Scale,
    SetTraffic,
    Step,
    Wake,
    WatchShare,
)
from tasks.rollout.traffic import all_to_canary, restore_traffic, set_traffic, way_of
from tasks.rollout.twins import Twin, Twins
from tasks.rollout.waves import LATER, enter, levels, run_hooks

__all__ = ["backward", "forward"]

ALL = 100
DRAIN = timedelta(seconds=5)
"""Proxies and nodes learn of a change of traffic within so long, and short requests end."""
AUTOSCALER = "HorizontalPodAutoscaler"
ENDING = timedelta(minutes=2)
"""Pods that take longer to end than this are left to Kubernetes."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """What both ways need: the objects of both releases and how to climb between them."""

    seen: Observed
    before: tuple[Object, ...]
    after: tuple[Object, ...]
    ladder: Canary

    @property
    def twins(self) -> Twins:
        return self.seen.twins

    @property
    def canaries(self) -> tuple[Object, ...]:
        return tuple(twin.canary for twin in self.twins.workloads)

    @property
    def renewed(self) -> tuple[Ref, ...]:
        return tuple(part.ref for part in self.twins.parts)

    @property
    def rests(self) -> bool:
        return not self.ladder.standby

    def has(self, mark: str) -> bool:
        return self.seen.current.progress.has(mark)

    def scales(self, share: int) -> tuple[Scale, ...]:
        return tuple(
            Scale(twin, share, way_of(twin, self.before, self.twins))
            for twin in self.twins.workloads
        )

    def traffic(self, base: tuple[Object, ...], share: int) -> tuple[Object, ...]:
        shared = set_traffic(base, self.twins, share, self.ladder.testers)
        # nobody may be left with stable pods that are about to rest
        return all_to_canary(shared, self.twins) if self.rests and share == ALL else shared

    def to_stable(self, base: tuple[Object, ...]) -> tuple[Object, ...]:
        """Services that leave the canary out, routes that know it and send nobody there.

        A gateway may learn of a route before it learns of a new Service in it, and of a Service's
        end before the route's: a request between the two would fail. So the canary comes into
        routes, and goes out of them, while it has no share.
        """
        return set_traffic(base, self.twins, 0, None)


def forward(seen: Observed) -> Iterable[Step]:
    """Stand beside the live release, take its traffic share by share, then its place."""
    ways = _ways(seen)
    if not ways.has(marks.APPLIED):
        yield from _beside(ways)
        for number, step in enumerate(ways.ladder.ladder):
            yield from _climb(ways, number, step)
            if step.gate and not ways.has(marks.opened(number)):
                if _gates_before(ways, number) >= seen.gates:
                    if not ways.has(marks.asked(number)):
                        yield Mark(marks.asked(number), "waits for a person's yes")
                    return
                yield Mark(marks.opened(number), "a person has said yes")
        if not ways.has(marks.BAKED):
            yield from _rest(ways)
            last = marks.watched(len(ways.ladder.ladder) - 1)
            since = marks.RESTED if ways.rests else last
            yield _watch(ways, ALL, since, ways.ladder.bake)
            yield Mark(marks.BAKED, "the bake has passed")
            if ways.rests:
                return  # look again who sets the replicas of the stable pods by now
    yield from _promote(ways)


def backward(seen: Observed, previous: Record) -> Iterable[Step]:
    """Give the traffic back to the live release, and take everything of the new one away."""
    ways = _ways(seen)
    progress, environment = seen.current.progress, seen.environment_before
    was_promoted = ways.has(marks.PROMOTING)
    if was_promoted and not ways.has(marks.RECOVERED):
        yield from _restore(ways, previous)
    if not ways.has(marks.BACK):
        yield from _wake(ways)
        yield from _make_again(ways)
        yield SetTraffic(0, ways.to_stable(ways.before), force=True)
        yield Mark(marks.BACK, "all traffic back on the stable pods", 0)
    if not was_promoted:
        yield from _renew_back(ways)
    if was_promoted and environment.probes:
        yield ProbeRelease(previous.release, environment, marks.RECOVERED)
    yield from _take_away(ways, ways.before, marks.BACK)
    yield from deletes(seen, ways.before, map(ref_of, ways.twins.companions))
    untouched = "answers everything again, it was never touched"
    touched = "is live again" if was_promoted or ways.renewed else untouched
    back = f"rollout {previous.number} ({previous.release.id}) {touched}"
    if progress.failed is None:
        yield Finish(RolloutState.SUPERSEDED, f"{progress.aside}; {back}")
    else:
        yield Finish(RolloutState.RESTORED, f"{progress.failed.reason}; {back}")


def _ways(seen: Observed) -> _Ways:
    return _Ways(seen, seen.before, seen.wanted, ladder_of(seen.environment, seen.twins))


def _beside(ways: _Ways) -> Iterable[Step]:
    """Start the canary without traffic: its pods carry the labels that the Services select."""
    seen = ways.seen
    brought = _brought(ways)
    if not ways.has(marks.BESIDE):
        yield from generated_secrets(seen)
        entering = (*brought, *ways.twins.companions)
        if not ways.has(marks.BROUGHT):
            yield from applies(entering, seen.live, force=False, among=ways.after)
            yield Mark(marks.BROUGHT)
        if seen.current.rules.hooks.before:  # what is new may be what they stand on
            yield await_all(brought, marks.BROUGHT, _strategy(ways))
            yield from run_hooks(_with_copies(ways), seen.current.rules.hooks.before)
        yield SetTraffic(0, ways.to_stable(ways.before))
        yield from _start(ways, ways.ladder.ladder[0].share)
        yield Mark(marks.BESIDE, "canary started beside the stable pods", 0)
    if not ways.has(marks.BESIDE_READY):
        yield await_all((*brought, *ways.canaries), marks.BESIDE, _strategy(ways))
        yield Mark(marks.BESIDE_READY, "canary ready")
    if not ways.has(marks.BESIDE_PROBED):
        if seen.environment.probes and ways.canaries:
            release = seen.current.record.release
            yield ProbeRelease(release, seen.environment, marks.BESIDE_READY, "canary")
        yield SetTraffic(0, ways.traffic(ways.before, 0))
        yield Mark(marks.BESIDE_PROBED, "testers may come")


def _with_copies(ways: _Ways) -> Observed:
    """Let the Jobs of hooks read the new configuration where the canary has copies of it."""
    copies = {ref_of(each) for each in ways.twins.companions}
    names = {
        (ref.kind.name, ref.name): canary_name(ref.name)
        for ref in map(ref_of, ways.after)
        if replace(ref, name=canary_name(ref.name)) in copies
    }
    return replace(ways.seen, jobs=tuple(renamed(job, names) for job in ways.seen.jobs))


def _start(ways: _Ways, share: int) -> Iterable[Step]:
    """Start the canaries, those first that others depend on."""
    level = levels(ways.seen.current.rules.order)
    groups: dict[int, list[Scale]] = {}
    for scale in ways.scales(share):
        groups.setdefault(level.get(scale.twin.component, 0), []).append(scale)
    *first, last = sorted(groups) or [0]
    for number in first:
        if not ways.has(marks.beside_ready(number)):
            yield from groups[number]
            yield Mark(marks.beside_applied(number))
            workloads = tuple(ref_of(scale.twin.canary) for scale in groups[number])
            yield AwaitReady(workloads, marks.beside_applied(number), ways.ladder.deadline)
            yield Mark(marks.beside_ready(number))
    yield from groups.get(last, ())


def _climb(ways: _Ways, number: int, step: CanaryStep) -> Iterable[Step]:
    """Bring the canary to the size of a share, give it the share, and watch what it does."""
    if not ways.has(marks.shifted(number)):
        if number > 0 or ways.renewed:
            if not ways.has(marks.scaled_to(number)):
                yield from ways.scales(step.share)
                yield from (Renew(part, step.share) for part in ways.twins.parts)
                yield Mark(marks.scaled_to(number))
            workloads = (*map(ref_of, ways.canaries), *ways.renewed)
            yield AwaitReady(workloads, marks.scaled_to(number), ways.ladder.deadline)
        yield SetTraffic(step.share, ways.traffic(ways.before, step.share))
        yield Mark(marks.shifted(number), f"{step.share} % of the traffic", step.share)
    if not ways.has(marks.watched(number)):
        yield _watch(ways, step.share, marks.shifted(number), step.wait or timedelta(0))
        yield Mark(marks.watched(number))


def _promote(ways: _Ways) -> Iterable[Step]:
    """Put the release into the stable place while the canary answers everything."""
    seen = ways.seen
    if not ways.has(marks.PROMOTING):
        yield Mark(marks.PROMOTING, "promotion began")
    if not ways.has(marks.APPLIED):
        yield from enter(seen, _with_traffic(ways, ways.after))
        yield from (Wake(twin) for twin in _left_at_rest(ways, ways.after))
        yield Mark(marks.APPLIED)
    if not ways.has(marks.READY):
        yield await_all(ways.after, marks.APPLIED, _strategy(ways))
        yield Mark(marks.READY)
    if not ways.has(marks.PROBED):
        if seen.environment.probes:
            yield ProbeRelease(seen.current.record.release, seen.environment, marks.READY)
        yield Mark(marks.PROBED)
    if not ways.has(marks.HANDED_BACK):
        yield SetTraffic(0, ways.to_stable(ways.after))
        yield Mark(marks.HANDED_BACK, "promoted: the stable pods answer with the new release")
    yield from _take_away(ways, ways.after, marks.HANDED_BACK)
    yield from run_hooks(seen, seen.current.rules.hooks.after)
    kept = (*ways.after, *seen.jobs)
    yield from deletes(seen, kept, map(ref_of, ways.twins.companions))
    shares = ", ".join(f"{step.share} %" for step in ways.ladder.ladder)
    yield Finish(RolloutState.SUCCEEDED, f"promoted after {shares} of the traffic")


def _restore(ways: _Ways, previous: Record) -> Iterable[Step]:
    """Put the old release into its place again.

    Until then the canary answers, which has passed the bake; where the traffic has been handed
    back already, and the canary may be gone, the stable pods themselves.
    """
    if not ways.has(marks.RESTORED):
        handed_back = ways.has(marks.HANDED_BACK)
        old = ways.before if handed_back else _with_traffic(ways, ways.before)
        yield from applies(old, ways.seen.live, force=True, among=old)
        if not handed_back:
            yield from (Wake(twin) for twin in _left_at_rest(ways, ways.before))
        yield Mark(marks.RESTORED, f"rollout {previous.number} applied again")
    strategy = ways.seen.environment_before.strategy
    yield await_all(ways.before, marks.RESTORED, strategy)
    yield Mark(marks.RECOVERED)


def _renew_back(ways: _Ways) -> Iterable[Step]:
    """Put the old release into the pods that were changed where they are."""
    if not ways.has(marks.BESIDE_PROBED) or not ways.renewed:
        return
    if not ways.has(marks.RENEWED_BACK):
        old = tuple(each for each in ways.before if ref_of(each) in ways.renewed)
        autoscalers = (each for each in ways.before if each["kind"] == AUTOSCALER)
        entering = (*old, *autoscalers)
        yield from applies(entering, ways.seen.live, force=True, among=ways.before)
        yield Mark(marks.RENEWED_BACK, "the pods that were changed in place go back")
    yield AwaitReady(ways.renewed, marks.RENEWED_BACK, ways.ladder.deadline)


def _take_away(ways: _Ways, objects: tuple[Object, ...], since: str) -> Iterable[Step]:
    """Delete the canary, which has no traffic any more, and let Services be as they were."""
    yield Drain(since, DRAIN)
    for canary in ways.canaries:
        yield Delete(ref_of(canary))
    yield AwaitGone(since, DRAIN + ENDING)
    for thing in restore_traffic(objects, ways.twins):
        yield Apply(thing, force=True)


def _watch(ways: _Ways, share: int, since: str, least: timedelta) -> WatchShare:
    return WatchShare(
        share=share,
        since=since,
        began=marks.shifted(0),
        least=least,
        deadline=ways.ladder.deadline,
        twins=ways.twins.workloads,
        scales=() if ways.rests and share == ALL else ways.scales(share),
        guarded=_guarded(ways, share),
        renewed=ways.renewed,
    )


def _guarded(ways: _Ways, share: int) -> tuple[Object, ...]:
    """Return what stands while a share is watched; how many pods there are is left open."""
    stables = {twin.stable for twin in ways.twins.workloads}
    stable = (without_replicas(each) for each in ways.before if ref_of(each) in stables)
    return (*stable, *ways.canaries, *ways.traffic(ways.before, share))


def _rest(ways: _Ways) -> Iterable[Step]:
    """Where there is no room for two, let the stable pods go once they have no traffic."""
    if ways.rests and not ways.has(marks.RESTED):
        last = len(ways.ladder.ladder) - 1
        yield Drain(marks.shifted(last), DRAIN)
        for twin in ways.twins.workloads:
            yield Rest(twin.stable)
        yield Mark(marks.RESTED, "stable pods scaled down, standby is off")


def _wake(ways: _Ways) -> Iterable[Step]:
    """Start stable pods that rest again, before they get traffic."""
    last_watched = marks.watched(len(ways.ladder.ladder) - 1)  # resting may have begun since
    if not ways.rests or ways.has(marks.PROMOTING) or not ways.has(last_watched):
        return
    if not ways.has(marks.WOKEN):
        for twin in ways.twins.workloads:
            yield Wake(twin)
        yield Mark(marks.WOKEN, "stable pods started again")
    stables = tuple(twin.stable for twin in ways.twins.workloads)
    yield AwaitReady(stables, marks.WOKEN, ways.ladder.deadline)


def _make_again(ways: _Ways) -> Iterable[Step]:
    """Make stable Deployments that somebody has deleted again, before they get traffic."""
    stables = {twin.stable for twin in ways.twins.workloads}
    gone = [each for each in ways.before if ref_of(each) in stables - ways.seen.live.keys()]
    if gone and not ways.has(marks.PROMOTING):
        yield from (Apply(each, force=True) for each in gone)
        yield Mark(marks.MADE_AGAIN, "stable pods started again")
    if gone or ways.has(marks.MADE_AGAIN):
        yield AwaitReady(tuple(sorted(stables)), marks.MADE_AGAIN, ways.ladder.deadline)


def _left_at_rest(ways: _Ways, objects: tuple[Object, ...]) -> Iterable[Twin]:
    """Return the twins whose stable Deployment would stay at rest: we do not set its replicas."""
    if not ways.rests:
        return
    by_autoscaler = scaled(objects)
    sized = {ref_of(each) for each in objects if "replicas" in (each.get("spec") or {})}
    for twin in ways.twins.workloads:
        is_autoscaled = (twin.stable.kind.name, twin.stable.name) in by_autoscaler
        if is_autoscaled or twin.stable not in sized:
            yield twin


def _with_traffic(ways: _Ways, objects: tuple[Object, ...]) -> tuple[Object, ...]:
    """Return the objects of a release, with all traffic on the canary."""
    shifted = {ref_of(each): each for each in ways.traffic(objects, ALL)}
    return tuple(shifted.get(ref_of(each), each) for each in objects)


def _brought(ways: _Ways) -> tuple[Object, ...]:
    """Return what the live release does not have at all and so disturbs nobody."""
    known = {ref_of(each) for each in ways.before}
    new = (each for each in ways.after if ref_of(each) not in known)
    return tuple(each for each in new if each["kind"] not in LATER)


def _gates_before(ways: _Ways, number: int) -> int:
    return sum(step.gate for step in ways.ladder.ladder[:number])


def _strategy(ways: _Ways) -> Strategy:
    return Strategy(canary=ways.ladder)
