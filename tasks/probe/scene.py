"""What runs of a release at a moment of its rollout, and which ways lead to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tasks.core.access import EVERYWHERE, Access
from tasks.core.application import Environment
from tasks.core.cluster import Cluster, Scope
from tasks.core.model import Release, ReleasedImage
from tasks.core.objects import Kind, Object, ref_of
from tasks.core.probes import Probe
from tasks.core.target import Target
from tasks.probe.ask import Server
from tasks.probe.decide import belongs_to, container_of, is_asked, is_on, leads_to, port_of

__all__ = ["ALWAYS", "Probing", "Scene", "survey"]

POD, SERVICE = Kind("v1", "Pod"), Kind("v1", "Service")
ALWAYS = "always"
"""Value of the testers' header (strategy.Testers)."""


@dataclass(frozen=True, slots=True)
class Probing:
    """What is probed and where it is.

    Attributes:
        began: deadlines count from here, also in a process that goes on with it.
    """

    environment: Environment
    target: Target
    release: Release
    began: datetime
    access: Access = EVERYWHERE

    @property
    def headers(self) -> dict[str, str]:
        """What leads a request of the public route to the release."""
        testers = self.access.testers
        return {testers.header: ALWAYS} if testers else {}


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs of the release now, ready or not; pods come and go under an autoscaler."""

    probing: Probing
    pods: tuple[Object, ...]
    services: tuple[Object, ...]

    def pods_of(self, component: str | None) -> Iterator[tuple[Object, Server]]:
        """Walk over a component's pods that are ready, and how they are asked."""
        ready = [pod for pod in self.pods if is_asked(pod, self.probing.access.track)]
        for image in self.probing.release.images:
            if image.component == component:
                yield from _with_image(ready, image)

    def behind(self, probe: Probe) -> Iterator[Server]:
        """Walk over who may be to blame, ready or not: pods of a component, or one of each."""
        for image in self.probing.release.images:
            servers = [server for _, server in _with_image(self.pods, image)]
            if probe.component is None:
                yield from servers[:1]
            elif image.component == probe.component:
                yield from servers

    def services_of(self, component: str | None) -> tuple[Object, ...]:
        """Return the Services that are there for a component, whichever track they send to."""
        pods = [pod for pod, _ in self.pods_of(component)]
        return tuple(each for each in self.services if belongs_to(each, pods))

    def leading_to(self, component: str | None) -> tuple[Object, ...]:
        """Return those of them that send to the release now, and to nothing else."""
        track = self.probing.access.track
        return tuple(each for each in self.services_of(component) if leads_to(each, track))

    def why_not(self, probe: Probe) -> str | None:
        """Say why another release may answer a probe at this moment, None where only ours does."""
        access = self.probing.access
        if probe.way == "route" and access.track == "canary" and not access.testers:
            return "no rule of a route leads testers to the canary"
        services = self.services_of(probe.component) if probe.way == "service" else ()
        if services and not self.leading_to(probe.component):
            return f"Service {ref_of(services[0]).name} does not lead to the {access.track}"
        return None


def survey(probing: Probing, cluster: Cluster) -> Scene:
    """Look which pods and Services there are."""
    found = cluster.find(Scope((POD, SERVICE), probing.environment.namespace))
    return Scene(
        probing,
        tuple(
            each for each in found if each["kind"] == POD.name and is_on(each, probing.access.track)
        ),
        tuple(each for each in found if each["kind"] == SERVICE.name),
    )


def _with_image(pods: Iterable[Object], image: ReleasedImage) -> Iterator[tuple[Object, Server]]:
    for pod in pods:
        container = container_of(pod, image)
        if container is not None:
            yield pod, Server(ref_of(pod), container["name"], port_of(container, image))
