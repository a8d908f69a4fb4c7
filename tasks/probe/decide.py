"""What an answer to a probe means, and where probes go."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.core.cluster import Answer
from tasks.core.model import ReleasedImage
from tasks.core.objects import Object, container_lists
from tasks.core.probes import Probe
from tasks.core.sample import Track
from tasks.core.units import format_duration

__all__ = ["TRACK", "Port", "Streak", "is_asked", "judge", "port_of"]

TRACK = "slipway.dev/track"
BODY_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Port:
    """Where a container serves."""

    container: str
    number: int


@dataclass(frozen=True, slots=True)
class Streak:
    """How a probe of one subject has gone so far.

    Attributes:
        passes: consecutive ones, up to now.
        last: why the newest answer was no pass; empty where it was.
    """

    passes: int = 0
    last: str = "no answer yet"

    def after(self, fault: str | None) -> "Streak":
        """Return the streak after another answer, fault being None for a pass."""
        return Streak(self.passes + 1, "") if fault is None else Streak(0, fault)


def judge(probe: Probe, answer: Answer) -> str | None:
    """Say what is wrong with an answer, None where nothing is."""
    if answer.status is None:
        return f"expected {probe.expect}, got {answer.text}"
    if answer.status != probe.expect:
        return f"expected {probe.expect}, got {answer.status} ({_shown(answer.text)})"
    if probe.contains is not None and probe.contains not in answer.text:
        return f"expected {probe.contains!r} in the body, got {_shown(answer.text)}"
    if answer.seconds > probe.within.total_seconds():
        within = format_duration(probe.within)
        return f"expected an answer within {within}, got it after {answer.seconds:.1f}s"
    return None


def port_of(pod: Object, image: ReleasedImage) -> Port | None:
    """Return where a pod serves a component: slipway.yaml's word, or the container's first port."""
    for container in _containers(pod):
        if container.get("image") != image.reference:
            continue
        ready = (container.get("readinessProbe") or {}).get("httpGet") or {}
        declared = [port["containerPort"] for port in container.get("ports") or ()]
        number = image.port or (declared[0] if declared else ready.get("port"))
        if isinstance(number, int):  # a name that no port bears leads nowhere
            return Port(container["name"], number)
    return None


def is_asked(pod: Object, track: Track) -> bool:
    """Say whether a pod of a track gets traffic, and so has to answer probes."""
    metadata = pod["metadata"]
    beside = (metadata.get("labels") or {}).get(TRACK) == "canary"
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    asked = beside == (track == "canary")
    return asked and ready and "deletionTimestamp" not in metadata


def _containers(thing: Object) -> Iterable[Object]:
    for containers in container_lists(thing):
        yield from containers


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= BODY_SHOWN else f"{line[:BODY_SHOWN]}…"
