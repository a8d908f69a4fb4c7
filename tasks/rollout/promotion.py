"""The release takes the stable place while its canary answers everything."""

from collections.abc import Iterable

from tasks.core.objects import ref_of
from tasks.core.record import RolloutState
from tasks.rollout import marks
from tasks.rollout.changing import deletes
from tasks.rollout.probing import probe_promoted, probe_served
from tasks.rollout.steps import Drain, Finish, Mark, SetTraffic, Step, Wake
from tasks.rollout.waves import enter, run_hooks
from tasks.rollout.ways import DRAIN, Ways, left_at_rest, take_away, with_traffic

__all__ = ["promote"]


def promote(ways: Ways) -> Iterable[Step]:
    """Put the release into the stable place, hand the traffic to it, and clear up."""
    seen = ways.seen
    yield from _take_place(ways)
    if not ways.has(marks.HANDED_BACK):
        yield SetTraffic(0, ways.to_stable(ways.after, ways.before))
        yield Mark(marks.HANDED_BACK, "promoted: the stable pods answer with the new release")
    served = tuple(probe_served(seen, marks.HANDED_BACK))
    if served and not ways.has(marks.SERVED):
        yield Drain(marks.HANDED_BACK, DRAIN)
        yield from served
        yield Mark(marks.SERVED)
    yield from take_away(ways, ways.after, marks.HANDED_BACK)
    yield from run_hooks(seen, seen.current.rules.hooks.after)
    kept = (*ways.after, *seen.jobs)
    yield from deletes(seen, kept, map(ref_of, ways.twins.companions))
    shares = ", ".join(f"{step.share} %" for step in ways.ladder.ladder)
    yield Finish(RolloutState.SUCCEEDED, f"promoted after {shares} of the traffic")


def _take_place(ways: Ways) -> Iterable[Step]:
    """Change the stable pods, which nobody asks meanwhile, and probe them by themselves."""
    seen = ways.seen
    if not ways.has(marks.PROMOTING):
        yield Mark(marks.PROMOTING, "promotion began")
    if not ways.has(marks.APPLIED):
        yield from enter(seen, with_traffic(ways, ways.after))
        yield from (Wake(twin) for twin in left_at_rest(ways, ways.after))
        yield Mark(marks.APPLIED)
    if not ways.has(marks.READY):
        yield ways.await_all(ways.after, marks.APPLIED)
        yield Mark(marks.READY)
    if not ways.has(marks.PROBED):
        yield from probe_promoted(seen, marks.READY)
        yield Mark(marks.PROBED)
