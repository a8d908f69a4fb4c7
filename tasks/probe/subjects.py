"""Who is to be asked: the pods of a release, the Services that lead to them, the public route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from tasks.core.clock import Clock
from tasks.core.cluster import Answer, Cluster
from tasks.core.objects import Object, container_lists, ref_of
from tasks.core.probes import Probe
from tasks.probe.ask import Server, ask_pod
from tasks.probe.decide import describe, service_port, target_port
from tasks.probe.job import JobRun, run_job
from tasks.probe.route import ask_route
from tasks.probe.scene import ALWAYS, Probing, Scene, survey

__all__ = ["Subject", "Turn", "look"]


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
class Turn:
    """Who is asked this time.

    Attributes:
        nobody: probes that have found nobody yet.
        left_out: what another release might answer, each in a sentence.
    """

    scene: Scene
    subjects: tuple[Subject, ...]
    nobody: tuple[Probe, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Caller:
    """What it takes to ask on behalf of one probe."""

    number: int
    probe: Probe
    scene: Scene
    cluster: Cluster
    clock: Clock

    def subjects(self) -> Iterator[Subject]:
        """List who is to be asked now."""
        if self.probe.job is not None:
            yield from self._jobs()
        elif self.probe.way == "pods":
            yield from self._pods()
        elif self.probe.way == "route":
            probing = self.scene.probing
            ask = partial(
                ask_route, probing.environment, probing.target, self.probe, probing.headers
            )
            yield Subject(f"route {probing.environment.url}", self.number, self.probe, ask)
        else:
            for service in self.scene.leading_to(self.probe.component):
                yield from self._behind(service)

    def _pods(self) -> Iterator[Subject]:
        for _, server in self.scene.pods_of(self.probe.component):
            port = _asked_port(self.probe) or server.port
            if port is not None or self.probe.command is not None:
                yield self._pod(f"pod {server.pod.name}", replace(server, port=port))

    def _behind(self, service: Object) -> Iterator[Subject]:
        """Ask a Service; where it is no HTTP, each pod behind, at the port that the Service names.

        The API server passes nothing but HTTP on to Services.
        """
        ref, probe = ref_of(service), self.probe
        port = service_port(service, _asked_port(probe))
        if probe.path is not None:
            number = probe.port or (port or {}).get("port")
            if number is not None:
                ask = partial(
                    self.cluster.request, ref, number, probe.path, probe.within, probe.scheme
                )
                yield Subject(f"service {ref.name}", self.number, probe, ask)
        elif port is not None:
            for pod, server in self.scene.pods_of(probe.component):
                target = target_port(port, _container(pod, server))
                if target is not None:
                    name = f"service {ref.name}, pod {server.pod.name}"
                    yield self._pod(name, replace(server, port=target))

    def _pod(self, name: str, server: Server) -> Subject:
        ask = partial(ask_pod, self.probe, server, self.cluster)
        return Subject(name, self.number, self.probe, ask, server)

    def _jobs(self) -> Iterator[Subject]:
        """Run a Job; nobody does where its component does not run yet."""
        probe, probing = self.probe, self.scene.probing
        pods = tuple(self.scene.pods_of(probe.component))
        if probe.job is None or (probe.component is not None and not pods):
            return
        released = {each.component: each.reference for each in probing.release.images}
        secrets = pods[0][0]["spec"].get("imagePullSecrets") if pods else ()
        run = JobRun(
            namespace=probing.environment.namespace,
            image=probe.job.image or released[probe.component or ""],
            command=probe.job.command,
            env={**_told(probe, self.scene), **probe.job.env},
            pull_secrets=tuple(each["name"] for each in secrets or ()),
            deadline=probe.deadline,
        )
        yield Subject("job", self.number, probe, partial(run_job, run, self.cluster, self.clock))


def look(probing: Probing, cluster: Cluster, clock: Clock) -> Turn:
    """Find out who is to be asked now."""
    scene = survey(probing, cluster)
    subjects: list[Subject] = []
    nobody: list[Probe] = []
    left_out: list[str] = []
    for number, probe in enumerate(probing.environment.probes):
        if not probe.is_among(probing.access.components, probing.access.via):
            continue
        why = scene.why_not(probe)
        if why is not None:
            left_out.append(f"{describe(probe)} not asked: {why}")
            continue
        found = tuple(_Caller(number, probe, scene, cluster, clock).subjects())
        subjects += found
        nobody += () if found else (probe,)
    return Turn(scene, tuple(subjects), tuple(nobody), tuple(left_out))


def _asked_port(probe: Probe) -> int | None:
    return (probe.tcp or probe.grpc or probe).port


def _container(pod: Object, server: Server) -> Object:
    containers = (each for some in container_lists(pod) for each in some)
    return next(each for each in containers if each["name"] == server.container)


def _told(probe: Probe, scene: Scene) -> dict[str, str]:
    """Return what a Job learns of the release: where it is, and how its canary is met."""
    probing = scene.probing
    told = {"SLIPWAY_RELEASE": probing.release.id}
    if probe.component is not None:
        services = scene.leading_to(probe.component)
        return told | ({"SLIPWAY_SERVICE": ref_of(services[0]).name} if services else {})
    if probing.environment.url:
        told["SLIPWAY_URL"] = probing.environment.url
    testers = probing.access.testers
    if testers:
        told["SLIPWAY_HEADER"] = f"{testers.header}: {ALWAYS}"
    return told
