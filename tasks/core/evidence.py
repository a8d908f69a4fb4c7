"""What a pod shows for itself when something is wrong with it."""

import contextlib

from tasks.core.cluster import Cluster, Scope
from tasks.core.errors import SlipwayError
from tasks.core.objects import Kind, Ref

__all__ = ["evidence_of"]

EVENT = Kind("v1", "Event")
LOG_LINES = 20
EVENTS = 10
LINE_LENGTH = 500
"""Evidence is kept in the rollout's record, which has a limit."""


def evidence_of(cluster: Cluster, subject: Ref, container: str = "") -> tuple[str, ...]:
    """Return the warnings about an object and, for a container, its last lines of log.

    Evidence is for people: where it cannot be had, there is none.
    """
    lines: list[str] = []
    with contextlib.suppress(SlipwayError):
        lines += _warnings(cluster, subject)
    if container:
        with contextlib.suppress(SlipwayError):
            said = cluster.logs(subject, container, LOG_LINES)
            lines += [f"log {subject.name}/{container}: {line}" for line in said]
    return tuple(line[:LINE_LENGTH] for line in lines)


def _warnings(cluster: Cluster, subject: Ref) -> list[str]:
    events = [
        event
        for event in cluster.find(Scope((EVENT,), subject.namespace))
        if event.get("type") == "Warning"
        and event["involvedObject"].get("kind") == subject.kind.name
        and event["involvedObject"].get("name") == subject.name
    ]
    events.sort(key=lambda event: event.get("lastTimestamp") or "")
    return [
        f"event {subject}: {event.get('reason', '')}: {event.get('message', '')}"
        for event in events[-EVENTS:]
    ]
