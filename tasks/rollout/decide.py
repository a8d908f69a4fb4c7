"""Which steps come next, from what is seen in the cluster."""

from collections.abc import Iterable

from tasks.core.model import Record, RolloutState
from tasks.rollout import beside, marks
from tasks.rollout.changing import (
    applies,
    await_all,
    deletes,
    generated_secrets,
    manifests_of,
)
from tasks.rollout.model import Observed
from tasks.rollout.steps import Finish, Mark, ProbeRelease, Step

__all__ = ["plan_steps"]


def plan_steps(seen: Observed) -> tuple[Step, ...]:
    """Return every step that can be done now, in order; none where it is over, or for people."""
    record, progress = seen.current.record, seen.current.progress
    if record.state is not RolloutState.STARTED:
        return ()
    is_beside = seen.twins.climb
    if progress.failed is None and progress.aside is not None and not is_beside:
        return (Finish(RolloutState.SUPERSEDED, progress.aside),)
    is_promoted = progress.has(marks.APPLIED)  # too late to step aside: it is nearly over
    if progress.failed is None and (progress.aside is None or is_promoted):
        return tuple(beside.forward(seen) if is_beside else _forward(seen))
    why = progress.failed.reason if progress.failed else progress.aside
    if seen.previous is None:
        reason = f"{why}; there is no earlier release to go back to"
        return (Finish(RolloutState.FAILED, reason),)
    if progress.restore_failed is not None:
        again = f"and rollout {seen.previous.number} did not come back"
        reason = f"{why}; {again}: {progress.restore_failed.reason}"
        return (Finish(RolloutState.FAILED, reason),)
    way_back = beside.backward if is_beside else _backward
    return tuple(way_back(seen, seen.previous))


def _forward(seen: Observed) -> Iterable[Step]:
    """Bring the release in: secrets, objects, readiness, probes; then clear what is left over."""
    progress = seen.current.progress
    objects = manifests_of(seen.current.record)
    if not progress.has(marks.APPLIED):
        yield from generated_secrets(seen)
        is_rollback = seen.current.record.restores is not None
        yield from applies(objects, seen.live, force=is_rollback)
        yield Mark(marks.APPLIED, f"{len(objects)} objects applied")
    if not progress.has(marks.READY):
        yield await_all(objects, marks.APPLIED, seen.environment.strategy)
        yield Mark(marks.READY)
    if not progress.has(marks.PROBED):
        if seen.environment.probes:
            release = seen.current.record.release
            yield ProbeRelease(release, seen.environment, marks.READY)
        yield Mark(marks.PROBED)
    yield from deletes(seen, objects)
    yield Finish(RolloutState.SUCCEEDED, _success(seen))


def _backward(seen: Observed, previous: Record) -> Iterable[Step]:
    """Bring the whole previous release back, over whatever stands in its way, and probe it."""
    objects, environment = manifests_of(previous), seen.environment_before
    progress = seen.current.progress
    failed = progress.failed
    if not progress.has(marks.RESTORED):
        yield from applies(objects, seen.live, force=True)
        yield Mark(marks.RESTORED, f"rollout {previous.number} applied again")
    if not progress.has(marks.RECOVERED):
        yield await_all(objects, marks.RESTORED, environment.strategy)
        yield Mark(marks.RECOVERED)
    if environment.probes:
        yield ProbeRelease(previous.release, environment, marks.RECOVERED)
    yield from deletes(seen, objects)
    why = failed.reason if failed else ""
    back = f"rollout {previous.number} ({previous.release.id}) is live again"
    yield Finish(RolloutState.RESTORED, f"{why}; {back}")


def _success(seen: Observed) -> str:
    record = seen.current.record
    if record.restores is not None:
        return f"{record.reason}; rollout {record.restores} ({record.release.id}) is live again"
    probes = len(seen.environment.probes)
    return "ready, no probes configured" if not probes else f"ready, {probes} probes passed"
