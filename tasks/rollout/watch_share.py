"""Judging a canary while users meet it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from tasks.core.cluster import DRY_RUN, Scope
from tasks.core.evidence import evidence_of
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Kind, Object, ref_of
from tasks.core.record import Moment
from tasks.core.sample import Sample
from tasks.core.thin import thin
from tasks.core.units import format_duration
from tasks.core.watching import Reading, Watch
from tasks.rollout.put import put, scale, stable_replicas
from tasks.rollout.readiness import Broken, Ready, Waiting, judge_again
from tasks.rollout.running import Rollout
from tasks.rollout.steps import Scale, WatchShare
from tasks.rollout.traffic import canary_replicas
from tasks.rollout.unjudged import unjudged

__all__ = ["watch_share"]

KINDS = (
    Kind("apps/v1", "DaemonSet"),
    Kind("apps/v1", "Deployment"),
    Kind("apps/v1", "ReplicaSet"),
    Kind("apps/v1", "StatefulSet"),
    Kind("v1", "Pod"),
)
COMPARE_EVERY = timedelta(seconds=10)
MOST_SAMPLES = 4_000
"""A record has room for many times as many; beyond them the older ones are added up."""
KEEP_EVERY = timedelta(seconds=10)
"""What was counted is written into the record so often, and when a step ends."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """What a watch remembers from one reading to the next; times are the clock's own.

    Attributes:
        samples: those that are not in the record yet.
        running: names of the workloads to judge that have pods.
        held: the outcome that keeps the step from going on, where one does.
        unready_since: since when pods of the canary are missing.
        compared_at: when it was last looked whether others have changed our objects.
    """

    samples: list[Sample]
    kept_at: timedelta
    running: tuple[str, ...]
    held: Outcome | None = None
    unready_since: timedelta | None = None
    compared_at: timedelta | None = None


def watch_share(step: WatchShare, rollout: Rollout) -> Verdict | None:
    """Iterate the evidence until it is complete, speaks against the release, or we are asked away.

    Only a failure ends the rollout. What cannot be judged holds the step, however long. What has no
    pods, and a share of what changes in place, which has no track to count on its own, is not
    judged: pods and time decide.
    """
    running = _running(step, _objects(rollout))
    seen = _Seen([], rollout.ports.clock.elapsed(), running)
    for reading in _readings(step, seen, rollout):
        rollout.lock.check()
        if rollout.asked is not None:
            _keep(seen, rollout)
            return None
        _collect(reading, seen, rollout)
        objects = _objects(rollout)
        running = _running(step, objects)
        is_over = running == seen.running and rollout.age(step.since) >= step.least
        seen.running = running
        verdict = _signals(step, seen, objects, rollout)
        if verdict is None and _is_final(reading, is_over=is_over):
            verdict = reading.verdict
        if verdict is not None and (seen.unready_since is None or _failed(verdict)):
            _keep(seen, rollout)
            return verdict
    raise RuntimeError("a judge speaks for as long as it is asked")


def _readings(step: WatchShare, seen: _Seen, rollout: Rollout) -> Iterator[Reading]:
    """Ask anew when others than before have pods."""
    cluster, clock = rollout.ports.cluster, rollout.ports.clock
    while True:
        asked = seen.running
        judge_by = rollout.ports.judge if asked else unjudged
        for reading in judge_by(cluster, clock, _question(step, asked, rollout)):
            yield reading
            if seen.running != asked:
                seen.held = None
                _keep(seen, rollout)
                break


def _objects(rollout: Rollout) -> tuple[Object, ...]:
    return rollout.ports.cluster.find(Scope(KINDS, rollout.place.namespace))


def _running(step: WatchShare, objects: Iterable[Object]) -> tuple[str, ...]:
    """Name what is to be judged, without what is switched off or sleeps.

    A canary has no pods where its stable Deployment has none, unless that only rests.
    """
    sizes = {ref_of(thing): stable_replicas(thing) for thing in objects}
    if step.judged:
        renewed = (ref for ref in step.renewed if ref.name in step.judged)
        return tuple(ref.name for ref in renewed if sizes.get(ref))
    return tuple(twin.stable.name for twin in step.twins if sizes.get(ref_of(twin.canary)))


def _question(step: WatchShare, workloads: tuple[str, ...], rollout: Rollout) -> Watch:
    place, stored = rollout.place, rollout.stored
    return Watch(
        application=place.application,
        environment=place.name,
        namespace=place.namespace,
        target=place.target,
        slos=stored.rules.slos,
        workloads=workloads,
        since=stored.record.started_at if step.judged else stored.progress.at(step.began),
        share=step.share,
        beside=step.share < 100,  # noqa: PLR2004 per cent
        seen=stored.record.samples,
        in_place=bool(step.judged),
    )


def _is_final(reading: Reading, *, is_over: bool) -> bool:
    match reading.verdict.outcome:
        case Outcome.FAILED:
            return True
        case Outcome.PASSED:
            return reading.decided and is_over
        case Outcome.NO_DATA | Outcome.UNAVAILABLE:
            return False


def _failed(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.FAILED


def _signals(
    step: WatchShare, seen: _Seen, objects: tuple[Object, ...], rollout: Rollout
) -> Verdict | None:
    """Look at what needs no statistics, and keep the canary in proportion to the stable pods."""
    cluster, clock = rollout.ports.cluster, rollout.ports.clock
    by_ref = {ref_of(thing): thing for thing in objects}
    canaries = tuple(ref_of(twin.canary) for twin in step.twins)
    stables = tuple(twin.stable for twin in step.twins)
    gone = [ref for ref in (*canaries, *stables) if ref not in by_ref]
    if gone:
        return Verdict(Outcome.FAILED, f"{gone[0]} was deleted by somebody")
    for each in step.scales:
        canary = by_ref[ref_of(each.twin.canary)]
        refused = _follow(each, by_ref[each.twin.stable], canary, rollout)
        if refused is not None:
            return refused
    changed = _drift(step, seen, rollout)
    if changed is not None:
        return changed
    workloads = (*canaries, *step.renewed)
    since = rollout.stored.progress.at(step.began)
    match judge_again(workloads, objects, since, clock.now()):
        case Ready():
            seen.unready_since = None
        case Broken(reason, subject, pod, container):
            shown = evidence_of(cluster, pod or subject, container)
            return Verdict(Outcome.FAILED, f"{subject}: {reason}", shown)
        case Waiting(missing):
            if seen.unready_since is None:
                seen.unready_since = clock.elapsed()
            if clock.elapsed() - seen.unready_since >= step.deadline:
                lasts = format_duration(step.deadline)
                return Verdict(Outcome.FAILED, f"not ready for {lasts}: {'; '.join(missing)}")
    return None


def _drift(step: WatchShare, seen: _Seen, rollout: Rollout) -> Verdict | None:
    """Look now and then whether somebody else has changed what the traffic depends on.

    The environment says whether that ends the rollout, or is taken over. Scaling is no change.
    """
    elapsed = rollout.ports.clock.elapsed()
    if seen.compared_at is not None and elapsed - seen.compared_at < COMPARE_EVERY:
        return None
    seen.compared_at = elapsed
    for thing in step.guarded:
        reason = _change_of(thing, rollout)
        if reason is None:
            continue
        environment = rollout.stored.environment or rollout.place.environment
        if environment.on_drift == "refuse":
            return Verdict(Outcome.FAILED, reason)
        refused = put(_at_its_size(thing, rollout), rollout, force=True)
        if refused is not None:
            return refused
        _keep(seen, rollout, Moment(rollout.ports.clock.now(), f"{reason}; taken over"))
    return None


def _change_of(thing: Object, rollout: Rollout) -> str | None:
    """Say what somebody has done to an object as we have applied it."""
    cluster, ref = rollout.ports.cluster, ref_of(thing)
    if cluster.read(ref) is None:
        return f"{ref} was deleted by somebody"
    conflicts = cluster.apply(thing, DRY_RUN).conflicts
    told = ", ".join(f"{each.field} by {each.manager}" for each in conflicts)
    return f"{ref} was changed meanwhile: {told}" if told else None


def _at_its_size(thing: Object, rollout: Rollout) -> Object:
    """Return a workload with as many pods as it has: a field that nobody names is reset."""
    live = rollout.ports.cluster.read(ref_of(thing))
    replicas = (live or {}).get("spec", {}).get("replicas")
    if replicas is None or "replicas" in thing["spec"]:
        return thing
    return {**thing, "spec": {**thing["spec"], "replicas": replicas}}


def _follow(step: Scale, stable: Object, canary: Object, rollout: Rollout) -> Verdict | None:
    """Scale the canary where an autoscaler or a person has scaled the stable pods."""
    wanted = canary_replicas(stable_replicas(stable), step.share, step.way)
    return None if stable_replicas(canary) == wanted else scale(step, rollout)


def _collect(reading: Reading, seen: _Seen, rollout: Rollout) -> None:
    """Remember what was counted, and say once when the evidence stops or comes back."""
    seen.samples += reading.samples
    outcome = reading.verdict.outcome
    held = outcome if outcome in (Outcome.NO_DATA, Outcome.UNAVAILABLE) else None
    if held != seen.held and outcome is not Outcome.FAILED:
        seen.held = held
        said = f"holds, {held.value}: {reading.verdict.reason}" if held else "there is data again"
        log.info("%s: %s", rollout.place, said)
        progress = replace(rollout.stored.progress, held=reading.verdict.reason if held else "")
        rollout.stored = replace(rollout.stored, progress=progress)
        _keep(seen, rollout, Moment(rollout.ports.clock.now(), said))
    elif seen.samples and rollout.ports.clock.elapsed() - seen.kept_at >= KEEP_EVERY:
        _keep(seen, rollout)


def _keep(seen: _Seen, rollout: Rollout, *said: Moment) -> None:
    """Write what was counted into the record, so that a new process goes on counting."""
    seen.kept_at = rollout.ports.clock.elapsed()
    if not seen.samples and not said:
        return
    record = rollout.stored.record
    record = replace(
        record,
        samples=tuple(thin((*record.samples, *seen.samples), MOST_SAMPLES)),
        moments=(*record.moments, *said),
    )
    rollout.write(replace(rollout.stored, record=record))
    seen.samples.clear()
