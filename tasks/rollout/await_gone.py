"""Waiting for requests under way, and for pods, to end."""

from datetime import datetime, timedelta

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
    _wait_until(rollout.stored.progress.at(step.since) + step.lasts, rollout)


def await_gone(step: AwaitGone, rollout: Rollout) -> None:
    """Watch until the canary's pods are gone; after the deadline they are Kubernetes' matter."""
    cluster = rollout.ports.cluster
    scope = Scope((POD,), rollout.place.namespace, labels=f"{TRACK}={CANARY}")
    deadline = rollout.stored.progress.at(step.since) + step.deadline
    if not cluster.find(scope):
        return
    for pods in cluster.watch(scope, deadline):
        rollout.lock.check()
        if not pods:
            return


def _wait_until(instant: datetime, rollout: Rollout) -> None:
    clock = rollout.ports.clock
    while (left := instant - clock.now()) > timedelta(0):
        clock.wait(min(left, TICK))
        rollout.lock.check()
