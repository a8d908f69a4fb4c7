"""The way back of a release that came in beside the live one: by traffic, while that is enough."""

from collections.abc import Iterable

from tasks.core.objects import ref_of
from tasks.core.record import Record, RolloutState
from tasks.rollout import marks
from tasks.rollout.changing import applies, await_all, deletes
from tasks.rollout.model import Observed
from tasks.rollout.steps import (
    Apply,
    AwaitReady,
    Finish,
    Mark,
    ProbeRelease,
    SetTraffic,
    Step,
    Wake,
)
from tasks.rollout.ways import (
    Ways,
    left_at_rest,
    take_away,
    touches_stable,
    ways_of,
    with_traffic,
)

__all__ = ["backward"]

AUTOSCALER = "HorizontalPodAutoscaler"


def backward(seen: Observed, previous: Record) -> Iterable[Step]:
    """Give the traffic back to the live release, and take everything of the new one away."""
    ways = ways_of(seen)
    progress, environment = seen.current.progress, seen.environment_before
    was_promoted = touches_stable(progress)
    if was_promoted and not ways.has(marks.RECOVERED):
        yield from _restore(ways, previous)
    if not ways.has(marks.BACK):
        yield from _make_again(ways)
        yield from _wake(ways)
        yield SetTraffic(0, ways.to_stable(ways.before, ways.after), force=True)
        yield Mark(marks.BACK, "all traffic back on the stable pods", 0)
    if not was_promoted:
        yield from _renew_back(ways)
    if was_promoted and environment.probes:
        yield ProbeRelease(previous.release, environment, marks.RECOVERED)
    yield from take_away(ways, ways.before, marks.BACK)
    yield from deletes(seen, ways.before, map(ref_of, ways.twins.companions))
    untouched = "answers everything again, it was never touched"
    touched = "is live again" if was_promoted or ways.renewed else untouched
    back = f"rollout {previous.number} ({previous.release.id}) {touched}"
    if progress.failed is None:
        yield Finish(RolloutState.SUPERSEDED, f"{progress.aside}; {back}")
    else:
        yield Finish(RolloutState.RESTORED, f"{progress.failed.reason}; {back}")


def _restore(ways: Ways, previous: Record) -> Iterable[Step]:
    """Put the old release into its place again.

    Until then the canary answers, which has passed the bake; where the traffic has been handed
    back already, and the canary may be gone, the stable pods themselves.
    """
    if not ways.has(marks.RESTORED):
        handed_back = ways.has(marks.HANDED_BACK)
        old = ways.before if handed_back else with_traffic(ways, ways.before)
        yield from applies(old, ways.seen, force=True, among=old)
        if not handed_back:
            yield from (Wake(twin) for twin in left_at_rest(ways, ways.before))
        yield Mark(marks.RESTORED, f"rollout {previous.number} applied again")
    environment = ways.seen.environment_before
    yield await_all(ways.before, marks.RESTORED, previous.release, environment)
    yield Mark(marks.RECOVERED)


def _make_again(ways: Ways) -> Iterable[Step]:
    """Make stable Deployments that somebody has deleted again, before they get traffic."""
    if touches_stable(ways.seen.current.progress):
        return  # all of the old release is applied again anyway
    stables = {twin.stable for twin in ways.twins.workloads}
    gone = [each for each in ways.before if ref_of(each) in stables - ways.seen.live.keys()]
    if gone:
        yield from (Apply(each, force=True) for each in gone)
        yield Mark(marks.MADE_AGAIN, "stable pods started again")
    if gone or ways.has(marks.MADE_AGAIN):
        yield AwaitReady(tuple(sorted(stables)), marks.MADE_AGAIN, ways.ladder.deadline)


def _renew_back(ways: Ways) -> Iterable[Step]:
    """Put the old release into the pods that were changed where they are."""
    if not ways.has(marks.BESIDE_PROBED) or not ways.renewed:
        return
    if not ways.has(marks.RENEWED_BACK):
        old = tuple(each for each in ways.before if ref_of(each) in ways.renewed)
        autoscalers = (each for each in ways.before if each["kind"] == AUTOSCALER)
        entering = (*old, *autoscalers)
        yield from applies(entering, ways.seen, force=True, among=ways.before)
        yield Mark(marks.RENEWED_BACK, "the pods that were changed in place go back")
    yield AwaitReady(ways.renewed, marks.RENEWED_BACK, ways.ladder.deadline)


def _wake(ways: Ways) -> Iterable[Step]:
    """Start stable pods that rest again, before they get traffic."""
    last_watched = marks.watched(len(ways.ladder.ladder) - 1)  # resting may have begun since
    touched = touches_stable(ways.seen.current.progress)
    if not ways.rests or touched or not ways.has(last_watched):
        return
    if not ways.has(marks.WOKEN):
        for twin in ways.twins.workloads:
            yield Wake(twin)
        yield Mark(marks.WOKEN, "stable pods started again")
    stables = tuple(twin.stable for twin in ways.twins.workloads)
    yield AwaitReady(stables, marks.WOKEN, ways.ladder.deadline)
