"""Waiting for requests under way, and for pods, to end."""

from datetime import timedelta

from tasks.core.cluster import Scope
from tasks.core.objects import Kind
from tasks.core.tracks import CANARY, TRACK
from tasks.rollout.running import Rollout
from tasks.rollout.steps import AwaitGone, Drain

__all__ = ["await_gone", "drain"]

POD = Kind("v1", "Pod")
TICK = timedelta(seconds=1)


def drain(step: Drain, rollout: Rollout) -> None:
    """Wait until requests that began before the traffic changed have ended."""
    clock = rollout.ports.clock
    while (left := step.lasts - rollout.age(step.since)) > timedelta(0):
        clock.wait(min(left, TICK))
        rollout.lock.check()


def await_gone(step: AwaitGone, rollout: Rollout) -> None:
    """Watch until the canary's pods are gone; after the deadline they are Kubernetes' matter."""
    cluster = rollout.ports.cluster
    scope = Scope((POD,), rollout.place.namespace, labels=f"{TRACK}={CANARY}")
    if not cluster.find(scope):
        return
    left = step.deadline - rollout.age(step.since)
    for pods in cluster.watch(scope, rollout.ports.clock.now() + left):
        rollout.lock.check()
        if not pods:
            return
