"""Which steps come next, from what is seen in the cluster."""

from collections.abc import Iterable

from tasks.core.objects import Object, pod_template, ref_of
from tasks.core.record import Record, RolloutState
from tasks.rollout import beside, marks
from tasks.rollout.changing import WATCHED, applies, await_all, deletes, generated_secrets
from tasks.rollout.model import Observed
from tasks.rollout.steps import Finish, Mark, ProbeRelease, Step, WatchShare
from tasks.rollout.together import bake_for, deadline_for
from tasks.rollout.waves import enter, is_forced, run_hooks, waiting_for_pods
from tasks.rollout.way_back import backward
from tasks.rollout.ways import touches_stable

__all__ = ["changed_workloads", "known_names", "plan_steps"]


def plan_steps(seen: Observed) -> tuple[Step, ...]:
    """Return every step that can be done now, in order; none where it is over, or for people."""
    record, progress = seen.current.record, seen.current.progress
    if record.state is not RolloutState.STARTED:
        return ()
    is_beside = seen.twins.climb
    # nearly over, or without a way back, it is too late to step aside
    goes_on = (is_beside and touches_stable(progress)) or _is_past_return(seen)
    if progress.failed is None and (progress.aside is None or goes_on):
        return tuple(beside.forward(seen) if is_beside else _forward(seen))
    if progress.failed is None and seen.previous is None:
        return (Finish(RolloutState.SUPERSEDED, progress.aside or ""),)
    why_not = _why_no_way_back(seen)
    if why_not or seen.previous is None:
        why = progress.failed.reason if progress.failed else progress.aside
        return (Finish(RolloutState.FAILED, f"{why}; {why_not}"),)
    way_back = backward if is_beside else _backward
    return tuple(way_back(seen, seen.previous))


def _forward(seen: Observed) -> Iterable[Step]:
    """Bring the release in: secrets, objects, readiness, probes; then clear what is left over."""
    progress, release = seen.current.progress, seen.current.record.release
    objects, late = seen.wanted, waiting_for_pods(seen)
    if not progress.has(marks.APPLIED):
        yield from generated_secrets(seen)
        yield from enter(seen, tuple(each for each in objects if each not in late))
        yield Mark(marks.APPLIED, f"{len(objects)} objects applied")
    if not progress.has(marks.READY):
        yield await_all(objects, marks.APPLIED, release, seen.environment)
        yield Mark(marks.READY)
    if not progress.has(marks.PROBED):
        yield from applies(late, seen, force=is_forced(seen), among=objects)
        if seen.environment.probes:
            yield ProbeRelease(release, seen.environment, marks.READY)
        yield Mark(marks.PROBED)
    yield from _bake(seen)
    yield from run_hooks(seen, seen.current.rules.hooks.after)
    yield from deletes(seen, (*objects, *seen.jobs))
    yield Finish(RolloutState.SUCCEEDED, _success(seen))


def _bake(seen: Observed) -> Iterable[Step]:
    """Watch the pods of a rolling update for as long as the strategies of what changes say."""
    record, environment = seen.current.record, seen.environment
    servers = tuple(thing for thing in seen.wanted if thing["kind"] in WATCHED)
    changed = changed_workloads(servers, seen.before)
    bake = bake_for(changed, record.release, environment)
    if bake is None or record.restores is not None:
        return
    if not seen.current.progress.has(marks.BAKED):
        yield WatchShare(
            share=100,
            since=marks.PROBED,
            began=marks.APPLIED,
            least=bake,
            deadline=deadline_for(servers, record.release, environment),
            renewed=tuple(map(ref_of, servers)),
            judged=known_names(changed, seen.before),
        )
        yield Mark(marks.BAKED, "the bake has passed")


def changed_workloads(servers: Iterable[Object], before: Iterable[Object]) -> tuple[Object, ...]:
    """Return the workloads whose pods are others than before, those that are new too."""
    former = {ref_of(thing): pod_template(thing) for thing in before}
    return tuple(each for each in servers if former.get(ref_of(each)) != pod_template(each))


def known_names(servers: Iterable[Object], before: Iterable[Object]) -> tuple[str, ...]:
    """Name the workloads that were there before: what is new has nothing to be held against."""
    known = set(map(ref_of, before))
    return tuple(ref.name for ref in map(ref_of, servers) if ref in known)


def _backward(seen: Observed, previous: Record) -> Iterable[Step]:
    """Bring the whole previous release back, over whatever stands in its way, and probe it."""
    objects, environment = seen.before, seen.environment_before
    progress = seen.current.progress
    failed = progress.failed
    if not progress.has(marks.RESTORED):
        yield from applies(objects, seen, force=True, among=objects)
        yield Mark(marks.RESTORED, f"rollout {previous.number} applied again")
    if not progress.has(marks.RECOVERED):
        yield await_all(objects, marks.RESTORED, previous.release, environment)
        yield Mark(marks.RECOVERED)
    if environment.probes:
        yield ProbeRelease(previous.release, environment, marks.RECOVERED)
    yield from deletes(seen, objects)
    back = f"rollout {previous.number} ({previous.release.id}) is live again"
    if failed is None:
        yield Finish(RolloutState.SUPERSEDED, f"{progress.aside}; {back}")
    else:
        yield Finish(RolloutState.RESTORED, f"{failed.reason}; {back}")


def _why_no_way_back(seen: Observed) -> str:
    progress = seen.current.progress
    if _is_past_return(seen):
        return _to_a_person(seen)
    if seen.previous is None:
        return "there is no earlier release to go back to"
    if progress.restore_failed is not None:
        again = f"and rollout {seen.previous.number} did not come back"
        return f"{again}: {progress.restore_failed.reason}"
    return ""


def _is_past_return(seen: Observed) -> bool:
    """Say whether a release that allows no way back has got as far as that."""
    progress, after = seen.current.progress, seen.current.rules.hooks.after
    if seen.current.record.release.irreversible is None:
        return False
    if after:
        return any(progress.has(marks.hook_started(hook.job)) for hook in after)
    return progress.has(marks.APPLIED)


def _to_a_person(seen: Observed) -> str:
    record = seen.current.record
    return (
        f"nothing is taken back, for the release is irreversible ({record.release.irreversible}). "
        f"Next: repair it with another commit, or slipway rollback {record.environment} --reason"
    )


def _success(seen: Observed) -> str:
    record = seen.current.record
    if record.restores is not None:
        return f"{record.reason}; rollout {record.restores} ({record.release.id}) is live again"
    probes = len(seen.environment.probes)
    return "ready, no probes configured" if not probes else f"ready, probes passed: {probes}"
