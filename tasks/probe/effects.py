"""Sending probes until they have passed often enough, or too late."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import httpx

from tasks.core.application import Environment
from tasks.core.clock import Clock
from tasks.core.cluster import Answer, Cluster, Scope
from tasks.core.evidence import evidence_of
from tasks.core.model import Outcome, Release, ReleasedImage, Target, Verdict
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.probes import Probe
from tasks.core.sample import Track
from tasks.core.units import format_duration
from tasks.probe.decide import Streak, is_asked, judge, port_of

__all__ = ["Probing", "probe_release", "request_route"]

POD = Kind("v1", "Pod")
PAUSE = timedelta(milliseconds=250)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probing:
    """What is probed and where it is.

    Attributes:
        began: deadlines count from here, also in a process that goes on with it.
        track: whether the release runs as the canary beside the stable one, or in its place.
    """

    environment: Environment
    target: Target
    release: Release
    began: datetime
    track: Track = "stable"


@dataclass(frozen=True, slots=True)
class _Subject:
    """Somebody to ask: a pod, or the public route."""

    name: str
    probe: Probe
    ask: Callable[[], Answer] = field(repr=False)
    pod: Ref | None = None
    container: str = ""


def probe_release(probing: Probing, cluster: Cluster, clock: Clock) -> Verdict:
    """Send an environment's probes to every pod of a release and to the public route."""
    streaks: dict[tuple[str, Probe], Streak] = {}
    while True:
        subjects = tuple(_subjects(probing, cluster))
        for subject in subjects:
            key = subject.name, subject.probe
            streak = streaks.get(key, Streak())
            if streak.passes < subject.probe.passes:
                streaks[key] = streak.after(judge(subject.probe, subject.ask()))
        pending = [each for each in subjects if not _is_done(each, streaks)]
        unseen = _unseen(probing, subjects)
        if not pending and not unseen:
            return Verdict(Outcome.PASSED, f"{len(subjects)} probed, all passed", _said(subjects))
        late = [probe for probe in probing.environment.probes if _is_late(probe, probing, clock)]
        for subject in pending:
            if subject.probe in late:
                return _failed(subject, streaks[subject.name, subject.probe], cluster)
        for probe in unseen:
            if probe in late:
                reason = f"probe {probe.path}: no pod of component {probe.component} is ready"
                return Verdict(Outcome.FAILED, reason)
        clock.wait(PAUSE)


def request_route(environment: Environment, target: Target, probe: Probe) -> Answer:
    """GET a path of the public address, through the ingress where one is named."""
    url = httpx.URL(environment.url or "").join(probe.path)
    headers, extensions = {"Host": url.netloc.decode()}, {"sni_hostname": url.host}
    direct = target.ingress is None
    if target.ingress is not None:
        host, _, port = target.ingress.partition(":")
        url = url.copy_with(host=host, port=int(port) if port else None)
    seconds = probe.within.total_seconds()
    started = time.monotonic()
    try:
        with httpx.Client(timeout=seconds, trust_env=direct) as client:
            response = client.get(url, headers=headers, extensions=extensions)
    except httpx.HTTPError as error:
        return Answer(None, f"no answer: {error}", time.monotonic() - started)
    return Answer(response.status_code, response.text, time.monotonic() - started)


def _subjects(probing: Probing, cluster: Cluster) -> Iterator[_Subject]:
    """List who is to be asked now; pods come and go under an autoscaler."""
    environment = probing.environment
    found = cluster.find(Scope((POD,), environment.namespace))
    pods = tuple(pod for pod in found if is_asked(pod, probing.track))
    for probe in environment.probes:
        for image in probing.release.images:
            if image.component == probe.component and probe.via == "pods":
                yield from _pod_subjects(probe, image, pods, cluster)
        if probe.component is None or probe.via == "route":
            ask = partial(request_route, environment, probing.target, probe)
            yield _Subject(f"route {environment.url}", probe, ask)


def _pod_subjects(
    probe: Probe, image: ReleasedImage, pods: tuple[Object, ...], cluster: Cluster
) -> Iterator[_Subject]:
    for pod in pods:
        port = port_of(pod, image)
        if port is not None:
            ref = ref_of(pod)
            ask = partial(cluster.request, ref, port.number, probe.path, probe.within)
            yield _Subject(f"pod {ref.name}", probe, ask, ref, port.container)


def _is_done(subject: _Subject, streaks: dict[tuple[str, Probe], Streak]) -> bool:
    return streaks[subject.name, subject.probe].passes >= subject.probe.passes


def _is_late(probe: Probe, probing: Probing, clock: Clock) -> bool:
    return clock.now() >= probing.began + probe.deadline


def _unseen(probing: Probing, subjects: tuple[_Subject, ...]) -> tuple[Probe, ...]:
    """Return the probes that have nobody to ask yet."""
    asked = {subject.probe for subject in subjects}
    return tuple(probe for probe in probing.environment.probes if probe not in asked)


def _said(subjects: tuple[_Subject, ...]) -> tuple[str, ...]:
    return tuple(
        f"{subject.name}: GET {subject.probe.path} answered {subject.probe.expect} "
        f"{subject.probe.passes} times"
        for subject in subjects
    )


def _failed(subject: _Subject, streak: Streak, cluster: Cluster) -> Verdict:
    within = format_duration(subject.probe.deadline)
    reason = f"{subject.name}: GET {subject.probe.path}: {streak.last} (for {within})"
    shown = evidence_of(cluster, subject.pod, subject.container) if subject.pod else ()
    return Verdict(Outcome.FAILED, reason, shown)
