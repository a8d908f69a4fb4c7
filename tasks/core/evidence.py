"""What a pod shows for itself when something is wrong with it."""

import base64
import contextlib
from collections.abc import Iterable, Iterator

from tasks.core.cluster import Cluster, Scope
from tasks.core.errors import SlipwayError
from tasks.core.objects import Kind, Object, Ref

__all__ = ["evidence_of", "warnings_about"]

EVENT, SECRET = Kind("v1", "Event"), Kind("v1", "Secret")
LOG_LINES = 20
EVENTS = 10
LINE_LENGTH = 500
"""Evidence is kept in the rollout's record, which has a limit."""
SHORTEST_SECRET, LONGEST_SECRET = 6, 4096
"""Characters: shorter ones stand in a log for other reasons, longer ones are files."""


def evidence_of(cluster: Cluster, subject: Ref, container: str = "") -> tuple[str, ...]:
    """Return the warnings about an object and, for a container, its last lines of log.

    What stands in a Secret of the namespace is masked. Evidence is for people: where it cannot be
    had, there is none.
    """
    lines: list[str] = []
    with contextlib.suppress(SlipwayError):
        lines += _warnings(cluster, subject)
    if container:
        with contextlib.suppress(SlipwayError):
            hidden = sorted(_secrets(cluster, subject.namespace), key=len, reverse=True)
            said = (_masked(line, hidden) for line in cluster.logs(subject, container, LOG_LINES))
            lines += [f"log {subject.name}/{container}: {line}" for line in said]
    return tuple(line[:LINE_LENGTH] for line in lines)


def _secrets(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Walk over the values that containers of a namespace may have been given."""
    for secret in cluster.find(Scope((SECRET,), namespace)):
        for value in (secret.get("data") or {}).values():
            if SHORTEST_SECRET <= len(value) <= LONGEST_SECRET:
                text = base64.b64decode(value).decode(errors="ignore").strip()
                if len(text) >= SHORTEST_SECRET:
                    yield text


def _masked(line: str, hidden: list[str]) -> str:
    for secret in hidden:
        line = line.replace(secret, "***")
    return line


def _warnings(cluster: Cluster, subject: Ref) -> list[str]:
    found = warnings_about(subject, cluster.find(Scope((EVENT,), subject.namespace)))
    return [f"event {subject}: {warning}" for warning in found[-EVENTS:]]


def warnings_about(subject: Ref, objects: Iterable[Object]) -> list[str]:
    """Return what the events among objects warn of about one of them, the newest last."""
    events = [
        event
        for event in objects
        if event["kind"] == EVENT.name
        and event.get("type") == "Warning"
        and event["involvedObject"].get("kind") == subject.kind.name
        and event["involvedObject"].get("name") == subject.name
    ]
    events.sort(key=lambda event: event.get("lastTimestamp") or "")
    return [f"{event.get('reason', '')}: {event.get('message', '')}" for event in events]
