"""Reading what the next steps of a rollout depend on."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tasks.core.cluster import Objects
from tasks.core.model import Record, RolloutState
from tasks.core.objects import Object, Ref
from tasks.rollout import records
from tasks.rollout.decide import refs_of
from tasks.rollout.model import Observed, Place, Stored

__all__ = ["leftovers", "observe", "read_all"]

READERS = 8


def observe(cluster: Objects, place: Place, current: Stored) -> Observed:
    """Read the history of an environment and the objects of a rollout that is under way."""
    stored = records.fetch(cluster, place.namespace)
    earlier = [each for each in stored if each.record.number < current.record.number]
    previous = records.newest_good(earlier)
    refs = refs_of(current.record.release, place.name)
    before = previous.record if previous else None
    if before is not None:
        refs |= refs_of(before.release, place.name)
    return Observed(
        current=current,
        previous=before,
        live=read_all(cluster, refs),
        leftovers=leftovers(earlier, before, place),
        environment=current.environment or place.environment,
        environment_before=(previous and previous.environment) or place.environment,
    )


def read_all(cluster: Objects, refs: Iterable[Ref]) -> dict[Ref, Object]:
    """Return those of the objects that exist."""
    wanted = tuple(refs)
    with ThreadPoolExecutor(READERS) as pool:
        found = zip(wanted, pool.map(cluster.read, wanted), strict=True)
        return {ref: thing for ref, thing in found if thing is not None}


def leftovers(earlier: Iterable[Stored], previous: Record | None, place: Place) -> frozenset[Ref]:
    """Return what the rollouts since the last good one, and that one, have put there."""
    since = previous.number if previous else 0
    return frozenset(
        ref
        for each in earlier
        if each.record.number >= since and each.record.state is not RolloutState.RESTORED
        for ref in refs_of(each.record.release, place.name)
    )
