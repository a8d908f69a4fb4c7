"""Reading what the next steps of a rollout depend on."""

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from tasks.core.application import Environment
from tasks.core.cluster import Objects, Scope
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.record import Record, RolloutState
from tasks.core.tracks import CANARY, TRACK
from tasks.rollout import records
from tasks.rollout.changing import manifests_of, only_hooks, refs_of, without_hooks
from tasks.rollout.model import Observed, Place, Stored
from tasks.rollout.twins import Twins, plan_twins

__all__ = ["leftovers", "observe", "other_autoscalers", "read_all"]

READERS = 8
AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
TWINNED = (
    Kind("apps/v1", "Deployment"),
    Kind("v1", "ConfigMap"),
    Kind("v1", "Secret"),
    Kind("v1", "Service"),
)


def observe(cluster: Objects, place: Place, current: Stored, gates: int = 0) -> Observed:
    """Read the history of an environment and the objects of a rollout that is under way.

    Args:
        cluster: to read from.
        place: where it is.
        current: the rollout's record.
        gates: how many gates on its way people have opened.
    """
    stored = records.fetch(cluster, place.namespace)
    earlier = [each for each in stored if each.record.number < current.record.number]
    previous = records.newest_good(earlier)
    refs = refs_of(current.record.release, place.name)
    before = previous.record if previous else None
    if before is not None:
        refs |= refs_of(before.release, place.name)
    left = leftovers(earlier, before, place)
    environment = current.environment or place.environment
    everything = manifests_of(current.record)
    wanted = without_hooks(everything, current.rules.hooks)
    old = without_hooks(manifests_of(before), previous.rules.hooks) if before and previous else ()
    return Observed(
        current=current,
        previous=before,
        live=read_all(cluster, refs),
        leftovers=left | _left_canaries(cluster, place),
        environment=environment,
        environment_before=(previous and previous.environment) or place.environment,
        wanted=wanted,
        before=old,
        jobs=only_hooks(everything, current.rules.hooks),
        twins=_twins(old, wanted, current.record, environment),
        gates=gates,
        autoscalers=other_autoscalers(cluster, place, refs | left),
    )


def _left_canaries(cluster: Objects, place: Place) -> frozenset[Ref]:
    """Return what canaries have put there, this rollout's own or of one that never came back."""
    scope = Scope(TWINNED, place.namespace, labels=f"{TRACK}={CANARY}")
    return frozenset(map(ref_of, cluster.find(scope)))


def _twins(
    before: tuple[Object, ...], wanted: tuple[Object, ...], record: Record, environment: Environment
) -> Twins:
    """Say what stands beside the live release: the same answer at every moment of a rollout."""
    if not before or record.restores is not None:
        return Twins()
    return plan_twins(before, wanted, record.release, environment)


def read_all(cluster: Objects, refs: Iterable[Ref]) -> dict[Ref, Object]:
    """Return those of the objects that exist."""
    wanted = tuple(refs)
    with ThreadPoolExecutor(READERS) as pool:
        found = zip(wanted, pool.map(cluster.read, wanted), strict=True)
        return {ref: thing for ref, thing in found if thing is not None}


def other_autoscalers(cluster: Objects, place: Place, ours: Collection[Ref]) -> tuple[Object, ...]:
    """Return the autoscalers that others than us have made, such as KEDA from its own objects."""
    found = cluster.find(Scope((AUTOSCALER,), place.namespace))
    return tuple(thing for thing in found if ref_of(thing) not in ours)


def leftovers(earlier: Iterable[Stored], previous: Record | None, place: Place) -> frozenset[Ref]:
    """Return what the rollouts since the last good one, and that one, have put there."""
    since = previous.number if previous else 0
    return frozenset(
        ref
        for each in earlier
        if each.record.number >= since and each.record.state is not RolloutState.RESTORED
        for ref in refs_of(each.record.release, place.name)
    )
