"""Waiting for workloads: by watching, with deadlines that outlive the process."""

import logging
from datetime import datetime, timedelta

from tasks.core.cluster import Scope
from tasks.core.evidence import evidence_of
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Kind, Object
from tasks.core.units import format_duration
from tasks.rollout.partition import in_the_way
from tasks.rollout.pods import unready_pods, warnings_in
from tasks.rollout.readiness import Broken, Ready, Waiting, judge
from tasks.rollout.running import Rollout
from tasks.rollout.steps import AwaitReady

__all__ = ["await_ready"]

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=10)
"""Nothing may change for long, and still another run may ask for ours to end."""

COMPANIONS = (Kind("apps/v1", "ReplicaSet"), Kind("v1", "Pod"), Kind("v1", "Event"))


def await_ready(step: AwaitReady, rollout: Rollout) -> Verdict | None:
    """Watch until the workloads are ready, broken or late, or another run asks us away."""
    cluster, clock = rollout.ports.cluster, rollout.ports.clock
    since = rollout.stored.progress.at(step.since)
    kinds = {ref.kind for ref in step.workloads} | set(COMPANIONS)
    scope = Scope(tuple(sorted(kinds)), rollout.place.namespace)
    objects = cluster.find(scope)
    said: tuple[str, ...] | None = None
    while True:
        now, left = clock.now(), step.deadline - rollout.age(step.since)
        match judge(step.workloads, objects, since, now):
            case Ready():
                return Verdict(Outcome.PASSED, f"workloads ready: {len(step.workloads)}")
            case Broken(reason, subject, pod, container):
                shown = evidence_of(cluster, pod or subject, container)
                return Verdict(Outcome.FAILED, f"{subject}: {reason}", shown)
            case Waiting(missing) if left <= timedelta(0):
                return _late(step, missing, objects, rollout)
            case Waiting() if rollout.asked is not None:
                return None
            case Waiting(missing, until):
                said = _say(rollout, said, (*missing, *warnings_in(step.workloads, objects)))
                wake = min(now + min(left, LOOK_EVERY), until or now + left)
                objects = _next_picture(step, rollout, scope, wake) or objects


def _say(
    rollout: Rollout, before: tuple[str, ...] | None, lines: tuple[str, ...]
) -> tuple[str, ...]:
    """Let whoever looks know what is waited for by now; at the first look it is no news."""
    if before is None:
        return ()
    if lines != before:
        log.info("%s: waits for %s", rollout.place, "; ".join(lines))
    return lines


def _next_picture(
    step: AwaitReady, rollout: Rollout, scope: Scope, until: datetime
) -> tuple[Object, ...]:
    """Follow the workloads until there is something new to say about them."""
    cluster, clock = rollout.ports.cluster, rollout.ports.clock
    since = rollout.stored.progress.at(step.since)
    objects: tuple[Object, ...] = ()
    for objects in cluster.watch(scope, until):
        rollout.lock.check()
        for pod in in_the_way(step.workloads, objects):
            cluster.delete(pod)
        found = judge(step.workloads, objects, since, clock.now())
        if not isinstance(found, Waiting) or (found.until and found.until < until):
            break
    return objects


def _late(
    step: AwaitReady, missing: tuple[str, ...], objects: tuple[Object, ...], rollout: Rollout
) -> Verdict:
    minutes = format_duration(step.deadline)
    shown = [f"{line} after {minutes}" for line in missing]
    for pod, container in unready_pods(step.workloads, objects):
        shown += evidence_of(rollout.ports.cluster, pod, container)
    reason = f"not ready within {minutes}: {'; '.join(missing)}"
    return Verdict(Outcome.FAILED, reason, tuple(shown))
