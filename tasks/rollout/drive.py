"""Observing, planning and acting until a rollout is over, or waits for people."""

import logging
from dataclasses import replace

from tasks.core.record import Record, RolloutState
from tasks.rollout import records
from tasks.rollout.decide import plan_steps
from tasks.rollout.execute import execute
from tasks.rollout.model import Stored
from tasks.rollout.observe import observe
from tasks.rollout.running import Rollout

__all__ = ["drive", "end_abandoned", "send_back"]

log = logging.getLogger(__name__)


def drive(rollout: Rollout) -> Record:
    """Do what is still to do; the record says how it ended, or that it waits at a gate."""
    cluster, place = rollout.ports.cluster, rollout.place
    while True:
        steps = plan_steps(observe(cluster, place, rollout.stored, rollout.gates))
        if not steps:
            break
        number = rollout.stored.record.number
        log.info("%s: rollout %d: %d steps", place, number, len(steps))
        execute(steps, rollout)
    if rollout.stored.record.state is not RolloutState.STARTED:
        records.prune(cluster, records.fetch(cluster, place.namespace))
    return rollout.stored.record


def end_abandoned(left: Stored, successor: str, rollout: Rollout) -> None:
    """End a rollout whose run was killed and did not come back, or was left at a gate.

    Args:
        left: its record.
        successor: id of the release that takes its place.
        rollout: the one that comes after, whose lock is used.
    """
    if send_back(left, successor, rollout):
        return
    failed = left.progress.failed
    why = f"{failed.reason}; " if failed else ""
    record = replace(
        left.record,
        state=RolloutState.FAILED if failed else RolloutState.SUPERSEDED,
        reason=f"{why}its run ended half-way, and {successor} took its place",
        finished_at=rollout.ports.clock.now(),
    )
    changed = replace(left, record=record, bad=left.bad or failed is not None)
    replace(rollout, stored=left).write(changed)


def send_back(left: Stored, successor: str, rollout: Rollout) -> bool:
    """End what was left beside the live release, and say whether there was any.

    A canary goes back by traffic. One that was being promoted, or was on its way back, is brought
    to the end that it was on its way to. What was changed in place stays as it is: only another
    release, or a rollback, can follow on it.
    """
    environment = left.environment or rollout.place.environment
    place = replace(rollout.place, environment=environment)
    if not observe(rollout.ports.cluster, place, left).twins.climb:
        return False
    ended = replace(rollout, place=place, stored=left, gates=0)
    aside = f"its run ended half-way, and it made room for {successor}"
    progress = replace(left.progress, aside=left.progress.aside or aside)
    ended.write(replace(left, progress=progress))
    drive(ended)
    return True
