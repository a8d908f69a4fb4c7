"""Judging a canary while users meet it."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.core.cluster import DRY_RUN, Scope
from tasks.core.evidence import evidence_of
from tasks.core.model import Moment, Outcome, Verdict
from tasks.core.objects import Kind, Object, ref_of
from tasks.core.sample import Sample
from tasks.core.thin import thin
from tasks.core.units import format_duration
from tasks.core.watching import Reading, Watch
from tasks.rollout.put import put, scale, stable_replicas
from tasks.rollout.readiness import Broken, Ready, Waiting, judge
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
    """What a watch remembers from one reading to the next.

    Attributes:
        samples: those that are not in the record yet.
        held: the outcome that keeps the step from going on, where one does.
        unready_since: since when pods of the canary are missing.
        compared_at: when it was last looked whether others have changed our objects.
    """

    samples: list[Sample]
    kept_at: datetime
    held: Outcome | None = None
    unready_since: datetime | None = None
    compared_at: datetime | None = None


def watch_share(step: WatchShare, rollout: Rollout) -> Verdict | None:
    """Iterate the evidence until it is complete, speaks against the release, or we are asked away.

    Only a failure ends the rollout. What cannot be judged holds the step, however long. Where all
    changes are in place there is no track to count on its own: pods and time decide.
    """
    clock = rollout.ports.clock
    enough = rollout.stored.progress.at(step.since) + step.least
    seen = _Seen([], clock.now())
    judge_by = rollout.ports.judge if step.twins else unjudged
    for reading in judge_by(rollout.ports.cluster, clock, _question(step, rollout)):
        rollout.lock.check()
        rollout.lock.look()
        if rollout.asked is not None:
            _keep(seen, rollout)
            return None
        _collect(reading, seen, rollout)
        verdict = _signals(step, seen, rollout)
        if verdict is None and _is_final(reading, enough, clock.now()):
            verdict = reading.verdict
        if verdict is not None and (seen.unready_since is None or _failed(verdict)):
            _keep(seen, rollout)
            return verdict
    raise RuntimeError("a judge speaks for as long as it is asked")


def _question(step: WatchShare, rollout: Rollout) -> Watch:
    place, stored = rollout.place, rollout.stored
    return Watch(
        application=place.application,
        environment=place.name,
        namespace=place.namespace,
        target=place.target,
        slos=stored.rules.slos,
        workloads=tuple(twin.stable.name for twin in step.twins),
        since=stored.progress.at(step.began),
        share=step.share,
        beside=step.share < 100,  # noqa: PLR2004 per cent
        seen=stored.record.samples,
    )


def _is_final(reading: Reading, enough: datetime, now: datetime) -> bool:
    match reading.verdict.outcome:
        case Outcome.FAILED:
            return True
        case Outcome.PASSED:
            return reading.decided and now >= enough
        case Outcome.NO_DATA | Outcome.UNAVAILABLE:
            return False


def _failed(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.FAILED


def _signals(step: WatchShare, seen: _Seen, rollout: Rollout) -> Verdict | None:
    """Look at what needs no statistics, and keep the canary in proportion to the stable pods."""
    cluster, now = rollout.ports.cluster, rollout.ports.clock.now()
    objects = cluster.find(Scope(KINDS, rollout.place.namespace))
    by_ref = {ref_of(thing): thing for thing in objects}
    canaries = tuple(ref_of(twin.canary) for twin in step.twins)
    gone = [ref for ref in canaries if ref not in by_ref]
    if gone:
        return Verdict(Outcome.FAILED, f"{gone[0]} was deleted by somebody")
    for each in step.scales:
        canary = by_ref[ref_of(each.twin.canary)]
        refused = _follow(each, by_ref.get(each.twin.stable), canary, rollout)
        if refused is not None:
            return refused
    changed = _drift(step, seen, rollout)
    if changed is not None:
        return changed
    workloads = (*canaries, *step.renewed)
    since = rollout.stored.progress.at(step.began)
    match judge(workloads, objects, since, now):
        case Ready():
            seen.unready_since = None
        case Broken(reason, subject, pod, container):
            shown = evidence_of(cluster, pod or subject, container)
            return Verdict(Outcome.FAILED, f"{subject}: {reason}", shown)
        case Waiting(missing):
            seen.unready_since = seen.unready_since or now
            if now - seen.unready_since >= step.deadline:
                lasts = format_duration(step.deadline)
                return Verdict(Outcome.FAILED, f"not ready for {lasts}: {'; '.join(missing)}")
    return None


def _drift(step: WatchShare, seen: _Seen, rollout: Rollout) -> Verdict | None:
    """Look now and then whether somebody else has changed what the traffic depends on.

    The environment says whether that ends the rollout, or is taken over. Scaling is no change.
    """
    now = rollout.ports.clock.now()
    if seen.compared_at is not None and now - seen.compared_at < COMPARE_EVERY:
        return None
    seen.compared_at = now
    for thing in step.guarded:
        conflicts = rollout.ports.cluster.apply(thing, DRY_RUN).conflicts
        if not conflicts:
            continue
        told = ", ".join(f"{each.field} by {each.manager}" for each in conflicts)
        reason = f"{ref_of(thing)} was changed meanwhile: {told}"
        environment = rollout.stored.environment or rollout.place.environment
        if environment.on_drift == "refuse":
            return Verdict(Outcome.FAILED, reason)
        refused = put(thing, rollout, force=True)
        if refused is not None:
            return refused
        _keep(seen, rollout, Moment(now, f"{reason}; taken over"))
    return None


def _follow(step: Scale, stable: Object | None, canary: Object, rollout: Rollout) -> Verdict | None:
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
        _keep(seen, rollout, Moment(rollout.ports.clock.now(), said))
    elif seen.samples and rollout.ports.clock.now() - seen.kept_at >= KEEP_EVERY:
        _keep(seen, rollout)


def _keep(seen: _Seen, rollout: Rollout, *said: Moment) -> None:
    """Write what was counted into the record, so that a new process goes on counting."""
    seen.kept_at = rollout.ports.clock.now()
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
