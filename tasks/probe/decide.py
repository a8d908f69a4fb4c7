"""What an answer to a probe means, and where probes go."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import jsonpath

from tasks.core.cluster import Answer
from tasks.core.model import ReleasedImage
from tasks.core.objects import Object, container_lists
from tasks.core.probes import Probe, Scalar
from tasks.core.tracks import CANARY, STABLE, TRACK, Track
from tasks.core.units import format_duration
from tasks.probe.grpc_health import SERVING

__all__ = [
    "Spent",
    "Streak",
    "belongs_to",
    "container_of",
    "describe",
    "has_failed",
    "is_asked",
    "is_late",
    "is_on",
    "judge",
    "leads_to",
    "port_of",
    "service_port",
    "target_port",
]

SHOWN = 200
CHANCE = timedelta(seconds=10)
"""A process that goes on after a deadline asks for at least so long: the time was another's."""


@dataclass(frozen=True, slots=True)
class Streak:
    """How a probe of one subject has gone so far.

    Attributes:
        passes: consecutive ones, up to now.
        last: why the newest answer was no pass; empty where it was.
        tries: answers in this process.
    """

    passes: int = 0
    last: str = "no answer yet"
    tries: int = 0

    def after(self, fault: str | None) -> "Streak":
        """Return the streak after another answer, fault being None for a pass."""
        tries = self.tries + 1
        return Streak(self.passes + 1, "", tries) if fault is None else Streak(0, fault, tries)


@dataclass(frozen=True, slots=True)
class Spent:
    """How long has been probed: since the mark that deadlines count from, and by this process."""

    since_mark: timedelta
    here: timedelta


def describe(probe: Probe) -> str:
    """Say what a probe asks, as it is read in verdicts."""
    if probe.tcp is not None:
        return "TCP connection"
    if probe.grpc is not None:
        return f"gRPC health of {probe.grpc.service or 'the server'}"
    if probe.command is not None:
        return f"command {_shown(' '.join(probe.command))}"
    if probe.job is not None:
        return f"job {_shown(' '.join(probe.job.command) or probe.job.image or '')}".rstrip()
    return f"GET {probe.path}"


def judge(probe: Probe, answer: Answer) -> str | None:
    """Say what is wrong with an answer, None where nothing is."""
    status, words = _wanted(probe)
    if answer.status is None:
        return f"expected {words}, got {_shown(answer.text)}"
    if answer.status != status:
        return f"expected {words}, got {_got(probe, answer)}"
    if probe.contains is not None and probe.contains not in answer.text:
        where = "the body" if probe.path is not None else "the output"
        return f"expected {probe.contains!r} in {where}, got {_shown(answer.text)}"
    fault = _json_fault(probe.json, answer.text) if probe.json else None
    if fault is None and probe.job is None and answer.seconds > probe.within.total_seconds():
        within = format_duration(probe.within)
        return f"expected an answer within {within}, got it after {answer.seconds:.1f}s"
    return fault


def has_failed(probe: Probe, streak: Streak, spent: Spent) -> bool:
    """Say whether one who was asked has had enough time and tries.

    One whole series of tries is made in every process, and one that passes so far is let end. A Job
    has one try.
    """
    if probe.job is not None:
        return streak.passes == 0
    return is_late(probe, spent) and streak.passes == 0 and streak.tries >= probe.passes


def is_late(probe: Probe, spent: Spent) -> bool:
    """Say whether a probe's time is over."""
    return spent.since_mark >= probe.deadline and spent.here >= min(probe.deadline, CHANCE)


def container_of(pod: Object, image: ReleasedImage) -> Object | None:
    """Return a pod's container of a component, None where it runs another release."""
    containers = (each for some in container_lists(pod) for each in some)
    return next((each for each in containers if each.get("image") == image.reference), None)


def port_of(container: Object, image: ReleasedImage) -> int | None:
    """Return where a component serves: slipway.yaml's word, or the container's first port."""
    ready = (container.get("readinessProbe") or {}).get("httpGet") or {}
    declared = [port["containerPort"] for port in container.get("ports") or ()]
    number = image.port or (declared[0] if declared else ready.get("port"))
    return number if isinstance(number, int) else None  # a name that no port bears leads nowhere


def is_on(pod: Object, track: Track) -> bool:
    """Say whether a pod is of a track, and to stay."""
    metadata = pod["metadata"]
    beside = (metadata.get("labels") or {}).get(TRACK) == CANARY
    has_ended = (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}
    return beside == (track == CANARY) and "deletionTimestamp" not in metadata and not has_ended


def is_asked(pod: Object, track: Track) -> bool:
    """Say whether a pod of a track gets traffic, and so has to answer probes."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and is_on(pod, track)


def belongs_to(service: Object, pods: Iterable[Object]) -> bool:
    """Say whether a Service is there for one of these pods, whichever track it sends to now."""
    selector = service["spec"].get("selector") or {}
    wanted = {key: value for key, value in selector.items() if key != TRACK}
    labels = [pod["metadata"].get("labels") or {} for pod in pods]
    return bool(wanted) and any(wanted.items() <= each.items() for each in labels)


def leads_to(service: Object, track: Track) -> bool:
    """Say whether a Service sends to a track now; to both is not to the canary."""
    selector = service["spec"].get("selector") or {}
    return bool(selector.get(TRACK, STABLE) == track)


def service_port(service: Object, number: int | None) -> Object | None:
    """Return a port of a Service, the first one where none is named."""
    ports = service["spec"].get("ports") or ()
    return next((each for each in ports if number in (None, each["port"])), None)


def target_port(port: Object, container: Object) -> int | None:
    """Return where a container is reached by a port of a Service, None where it leads nowhere."""
    target = port.get("targetPort", port["port"])
    named = {each.get("name"): each["containerPort"] for each in container.get("ports") or ()}
    return target if isinstance(target, int) else named.get(target)


def _wanted(probe: Probe) -> tuple[int, str]:
    """Return the status of a good answer, and the words for it."""
    if probe.grpc is not None:
        return SERVING, "SERVING"
    if probe.tcp is not None:
        return 0, "a connection"
    if probe.path is None:
        return 0, "exit status 0"
    return probe.expect, str(probe.expect)


def _got(probe: Probe, answer: Answer) -> str:
    said = _shown(answer.text)
    return said if probe.grpc is not None else f"{answer.status} ({said})"


def _json_fault(wanted: dict[str, Scalar], text: str) -> str | None:
    try:
        body = json.loads(text)
    except ValueError:
        return f"expected JSON in the body, got {_shown(text)}"
    for query, value in wanted.items():
        found = jsonpath.compile(query, strict=True).findall(body)
        if not found or not all(_is_same(each, value) for each in found):
            came = _shown(", ".join(json.dumps(each) for each in found)) or "nothing"
            return f"expected {json.dumps(value)} at {query}, got {came}"
    return None


def _is_same(found: object, wanted: Scalar) -> bool:
    """Compare as JSON does, where true is no 1."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
