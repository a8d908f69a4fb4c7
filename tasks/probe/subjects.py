"""Who is to be asked: the pods of a release, the Services that lead to them, the public route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from tasks.core.application import Environment
from tasks.core.clock import Clock
from tasks.core.cluster import Answer, Cluster, Scope
from tasks.core.model import Release, ReleasedImage, Target
from tasks.core.objects import Kind, Object, ref_of
from tasks.core.probes import Probe
from tasks.core.sample import Track
from tasks.probe.ask import Server, ask_pod, request_route
from tasks.probe.decide import (
    container_of,
    goes_to_pods,
    headers_for,
    is_asked,
    leads_to,
    port_of,
)
from tasks.probe.job import JobRun, run_job

__all__ = ["Probing", "Scene", "Subject", "look", "subjects_of"]

POD, SERVICE = Kind("v1", "Pod"), Kind("v1", "Service")


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
class Subject:
    """Somebody to ask: a pod, a Service, the public route, or a Job that asks by itself.

    Attributes:
        number: place of its probe in the environment's list.
    """

    name: str
    number: int
    probe: Probe
    ask: Callable[[], Answer] = field(repr=False)
    server: Server | None = None

    @property
    def passes(self) -> int:
        """Consecutive passes that it needs."""
        return 1 if self.probe.job is not None else self.probe.passes


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs of the release now; pods come and go under an autoscaler."""

    probing: Probing
    cluster: Cluster
    clock: Clock
    pods: tuple[Object, ...]
    services: tuple[Object, ...]

    def pods_of(self, component: str | None) -> Iterator[tuple[Object, Server]]:
        """Return a component's pods, and how they are asked."""
        for image in self.probing.release.images:
            if image.component == component:
                yield from self._pods_with(image)

    def services_of(self, component: str | None) -> tuple[Object, ...]:
        """Return the Services that lead to a component's pods."""
        pods = [pod for pod, _ in self.pods_of(component)]
        return tuple(each for each in self.services if leads_to(each, pods))

    def is_due(self, probe: Probe) -> bool:
        """Say whether a probe can reach the release: no Service may lead to a canary yet."""
        reached = any(leads_to(each, self.pods) for each in self.services)
        return goes_to_pods(probe) or self.probing.track == "stable" or reached

    def _pods_with(self, image: ReleasedImage) -> Iterator[tuple[Object, Server]]:
        for pod in self.pods:
            container = container_of(pod, image)
            if container is not None:
                yield pod, Server(ref_of(pod), container["name"], port_of(container, image))


def look(probing: Probing, cluster: Cluster, clock: Clock) -> Scene:
    """Find the pods that get traffic, and the Services beside them."""
    found = cluster.find(Scope((POD, SERVICE), probing.environment.namespace))
    pods = tuple(
        thing for thing in found if ref_of(thing).kind == POD and is_asked(thing, probing.track)
    )
    services = tuple(thing for thing in found if ref_of(thing).kind == SERVICE)
    return Scene(probing, cluster, clock, pods, services)


def subjects_of(number: int, probe: Probe, scene: Scene) -> Iterator[Subject]:
    """List who is to be asked now by one probe."""
    probing, cluster = scene.probing, scene.cluster
    if probe.job is not None:
        run = _job_run(probe, scene)
        if run is not None:
            yield Subject("job", number, probe, partial(run_job, run, cluster, scene.clock))
    elif goes_to_pods(probe):
        for _, server in scene.pods_of(probe.component):
            port = (probe.tcp or probe.grpc or probe).port or server.port
            if port is not None or probe.command is not None:
                ask = partial(ask_pod, probe, replace(server, port=port), cluster)
                yield Subject(f"pod {server.pod.name}", number, probe, ask, server)
    elif probe.via == "service":
        for service in scene.services_of(probe.component):
            ref = ref_of(service)
            port = probe.port or service["spec"]["ports"][0]["port"]
            ask = partial(cluster.request, ref, port, probe.path or "/", probe.within, probe.scheme)
            yield Subject(f"service {ref.name}", number, probe, ask)
    else:
        headers = headers_for(probing.environment, probing.track)
        ask = partial(request_route, probing.environment, probing.target, probe, headers)
        yield Subject(f"route {probing.environment.url}", number, probe, ask)


def _job_run(probe: Probe, scene: Scene) -> JobRun | None:
    """Say what a probe's Job runs, None where its component does not run yet."""
    pods = tuple(scene.pods_of(probe.component))
    if probe.job is None or (probe.component is not None and not pods):
        return None
    released = {each.component: each.reference for each in scene.probing.release.images}
    services = [ref_of(each).name for each in scene.services_of(probe.component)]
    own = {"SLIPWAY_RELEASE": scene.probing.release.id}
    if services:
        own["SLIPWAY_SERVICE"] = services[0]
    secrets = pods[0][0]["spec"].get("imagePullSecrets") if pods else ()
    return JobRun(
        namespace=scene.probing.environment.namespace,
        image=probe.job.image or released[probe.component or ""],
        command=probe.job.command,
        env={**own, **probe.job.env},
        pull_secrets=tuple(each["name"] for each in secrets or ()),
        until=scene.probing.began + probe.deadline,
    )
