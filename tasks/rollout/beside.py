"""A release beside the live one: its way in, share by share."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from tasks.core.objects import Object, ref_of
from tasks.core.references import renamed
from tasks.core.strategy import CanaryStep
from tasks.core.tracks import canary_name
from tasks.rollout import marks
from tasks.rollout.changing import applies, generated_secrets, without_replicas
from tasks.rollout.model import Observed
from tasks.rollout.probing import probe_beside, probe_route, probe_share
from tasks.rollout.promotion import promote
from tasks.rollout.steps import (
    AwaitReady,
    Drain,
    Mark,
    Renew,
    Rest,
    Scale,
    SetTraffic,
    Step,
    WatchShare,
)
from tasks.rollout.waves import LATER, levels, run_hooks
from tasks.rollout.ways import ALL, DRAIN, Ways, touches_stable, ways_of

__all__ = ["forward"]


def forward(seen: Observed) -> Iterable[Step]:
    """Stand beside the live release, take its traffic share by share, then its place."""
    ways = ways_of(seen)
    if touches_stable(seen.current.progress):
        yield from promote(ways)
        return
    yield from _beside(ways)
    for number, step in enumerate(ways.ladder.ladder):
        yield from _climb(ways, number, step)
        if step.gate and not ways.has(marks.opened(number)):
            if _gates_before(ways, number) >= seen.gates:
                if not ways.has(marks.asked(number)):
                    yield Mark(marks.asked(number), "waits for a person's yes")
                return
            yield Mark(marks.opened(number), "a person has said yes")
    yield from _bake(ways)


def _bake(ways: Ways) -> Iterable[Step]:
    """Watch the last share for long; then look again who sets the replicas of stable pods."""
    if not ways.has(marks.BAKED):
        yield from _rest(ways)
        last = marks.watched(len(ways.ladder.ladder) - 1)
        since = marks.RESTED if ways.rests else last
        yield _watch(ways, ALL, since, ways.ladder.bake)
        yield Mark(marks.BAKED, "the bake has passed")
        return
    yield from promote(ways)


def _beside(ways: Ways) -> Iterable[Step]:
    """Start the canary without traffic: its pods carry the labels that the Services select."""
    brought = _brought(ways)
    if not ways.has(marks.BESIDE):
        yield from _bring(ways, brought)
        yield SetTraffic(0, ways.to_stable(ways.before))
        yield from _start(ways, ways.ladder.ladder[0].share)
        yield Mark(marks.BESIDE, "canary started beside the stable pods", 0)
    if not ways.has(marks.BESIDE_READY):
        yield ways.await_all((*brought, *ways.canaries), marks.BESIDE)
        yield Mark(marks.BESIDE_READY, "canary ready")
    yield from _probe(ways)


def _bring(ways: Ways, brought: tuple[Object, ...]) -> Iterable[Step]:
    """Apply what the canary stands on, and run what has to come before it."""
    seen = ways.seen
    before = seen.current.rules.hooks.before
    if not ways.has(marks.BROUGHT):
        yield from generated_secrets(seen)
        entering = (*brought, *ways.twins.companions)
        yield from applies(entering, seen, force=False, among=ways.after)
        yield Mark(marks.BROUGHT)
    if before:  # what is new may be what hooks stand on
        yield ways.await_all(brought, marks.BROUGHT)
        yield from run_hooks(_with_copies(ways), before)


def _probe(ways: Ways) -> Iterable[Step]:
    """Ask the canary by itself, let testers in, and ask it as they do."""
    seen, testers = ways.seen, ways.testers
    if not ways.has(marks.BESIDE_PROBED):
        yield from probe_beside(seen, marks.BESIDE_READY, testers)
        yield SetTraffic(0, ways.traffic(ways.before, 0))
        yield Mark(marks.BESIDE_PROBED, "testers may come")
    as_testers = tuple(probe_route(seen, marks.BESIDE_PROBED, testers))
    if as_testers and not ways.has(marks.BESIDE_ROUTED):
        yield Drain(marks.BESIDE_PROBED, DRAIN)  # gateways know of the rule for testers by then
        yield from as_testers
        yield Mark(marks.BESIDE_ROUTED)


def _with_copies(ways: Ways) -> Observed:
    """Let the Jobs of hooks read the new configuration where the canary has copies of it."""
    copies = {ref_of(each) for each in ways.twins.companions}
    names = {
        (ref.kind.name, ref.name): canary_name(ref.name)
        for ref in map(ref_of, ways.after)
        if replace(ref, name=canary_name(ref.name)) in copies
    }
    return replace(ways.seen, jobs=tuple(renamed(job, names) for job in ways.seen.jobs))


def _start(ways: Ways, share: int) -> Iterable[Step]:
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


def _climb(ways: Ways, number: int, step: CanaryStep) -> Iterable[Step]:
    """Bring the canary to the size of a share, give it the share, and watch what it does."""
    if not ways.has(marks.shifted(number)):
        if number > 0 or ways.renewed:
            if not ways.has(marks.scaled_to(number)):
                yield from ways.scales(step.share)
                yield from (Renew(part, step.share) for part in ways.twins.parts)
                yield Mark(marks.scaled_to(number))
            workloads = (*map(ref_of, ways.canaries), *ways.renewed)
            if not ways.has(marks.grown(number)):
                yield AwaitReady(workloads, marks.scaled_to(number), ways.ladder.deadline)
                yield Mark(marks.grown(number))
            yield from probe_share(ways.seen, marks.grown(number))
        yield SetTraffic(step.share, ways.traffic(ways.before, step.share))
        yield Mark(marks.shifted(number), f"{step.share} % of the traffic", step.share)
    if not ways.has(marks.watched(number)):
        yield _watch(ways, step.share, marks.shifted(number), step.wait or timedelta(0))
        yield Mark(marks.watched(number))


def _watch(ways: Ways, share: int, since: str, least: timedelta) -> WatchShare:
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
        judged=tuple(ref.name for ref in ways.renewed if share == ALL and not ways.canaries),
    )


def _guarded(ways: Ways, share: int) -> tuple[Object, ...]:
    """Return what stands while a share is watched; how many pods there are is left open."""
    stables = {twin.stable for twin in ways.twins.workloads}
    stable = (without_replicas(each) for each in ways.before if ref_of(each) in stables)
    return (*stable, *ways.canaries, *ways.traffic(ways.before, share))


def _rest(ways: Ways) -> Iterable[Step]:
    """Where there is no room for two, let the stable pods go once they have no traffic."""
    if ways.rests and not ways.has(marks.RESTED):
        last = len(ways.ladder.ladder) - 1
        yield Drain(marks.shifted(last), DRAIN)
        for twin in ways.twins.workloads:
            yield Rest(twin.stable)
        yield Mark(marks.RESTED, "stable pods scaled down, standby is off")


def _brought(ways: Ways) -> tuple[Object, ...]:
    """Return what the live release does not have at all and so disturbs nobody."""
    known = {ref_of(each) for each in ways.before}
    new = (each for each in ways.after if ref_of(each) not in known)
    return tuple(each for each in new if each["kind"] not in LATER)


def _gates_before(ways: Ways, number: int) -> int:
    return sum(step.gate for step in ways.ladder.ladder[:number])
