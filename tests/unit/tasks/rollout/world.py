"""An application in a cluster in memory, told in three words: given, when, then."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from tasks.core.application import Environment, GeneratedSecret
from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.cluster_fake import FakeCluster, Killed
from tasks.core.model import Digest, Manifests, Outcome, Release, ReleasedImage, Verdict
from tasks.core.objects import Kind, Object, Ref, dump_stream
from tasks.core.probes import Probe
from tasks.core.record import Record
from tasks.core.strategy import Rolling, Strategy
from tasks.core.target import Target
from tasks.core.tracks import TRACK, Track
from tasks.core.watching import Reading, Watch
from tasks.rollout.model import Back, By, Place, Ports, Rules
from tasks.rollout.roll_back import roll_back
from tasks.rollout.roll_out import roll_out
from tasks.rollout.steps import ProbeRelease
from tests.unit.tasks.releases import RELEASE

DEADLINE = timedelta(minutes=5)
ILL = Reading(Verdict(Outcome.FAILED, "worse than stable"), decided=True)
WELL = Reading(Verdict(Outcome.PASSED, "no worse than stable"), decided=True)
REVISION = "deployment.kubernetes.io/revision"


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def service(name: str) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deployment(
    name: str, image: str, *, replicas: int | None = 2, config: str = "", track: str = ""
) -> Object:
    container: Object = {"name": name, "image": image, "ports": [{"containerPort": 8080}]}
    if config:
        container["envFrom"] = [{"configMapRef": {"name": config}}]
    labels = {"app": name} | ({TRACK: track} if track else {})
    spec: Object = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def autoscaler(name: str, version: str = "v2") -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 10},
    }


def image(name: str = "api", digit: str = "a") -> ReleasedImage:
    return ReleasedImage(name, f"registry/{name}", Digest(f"sha256:{digit * 64}"))


def make_release(*objects: Object, images: tuple[ReleasedImage, ...] = ()) -> Release:
    labels = {"slipway.dev/application": "shop", "slipway.dev/environment": "prod"}
    placed = tuple(
        {**thing, "metadata": {"namespace": "shop", "labels": labels, **thing["metadata"]}}
        for thing in objects
    )
    text = dump_stream(placed)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    other = Manifests("staging", "shop", text)
    return replace(
        RELEASE,
        id=f"r-{digest}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        images=images,
        manifests=(Manifests("prod", "shop", text), other),
    )


def told(record: Record) -> tuple[object, ...]:
    """Return everything in a record that a kill may not change: all but when it happened."""
    moments = [(each.what, each.share, each.outcome) for each in record.moments]
    return record.number, record.state, record.reason, record.verdicts, moments


@dataclass
class BusyCluster(FakeCluster):
    """A cluster where others come first.

    Attributes:
        first: what they do while a run that has looked at the history waits for the Lease.
    """

    first: list[Callable[[], object]] = field(default_factory=list)

    def read(self, ref: Ref) -> Object | None:
        if self.first and ref.kind.name == "Lease":
            self.first.pop(0)()
        return super().read(ref)


@dataclass
class World:
    """The shop's prod, and how its images behave there."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    behaviour: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    probes_sent: list[tuple[Probe, ...]] = field(default_factory=list)
    probing_began: list[datetime] = field(default_factory=list)
    secrets: tuple[GeneratedSecret, ...] = ()
    probes: tuple[Probe, ...] = (Probe(path="/health", component="api"),)
    strategy: Strategy = field(default_factory=lambda: Strategy(rolling=Rolling(deadline=DEADLINE)))
    strategies: dict[str, Strategy] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    readings: list[Reading] = field(default_factory=list)
    watched: list[Watch] = field(default_factory=list)
    on_drift: Literal["refuse", "take over"] = "refuse"
    job_fates: dict[str, str] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    meanwhile: list[Callable[["World"], object]] = field(default_factory=list)
    tracks_probed: list[Track] = field(default_factory=list)
    name: str = "prod"
    runs: int = 0

    def __post_init__(self) -> None:
        self.cluster.controllers.append(self._control)

    @property
    def place(self) -> Place:
        environment = Environment(
            overlay="prod",
            namespace="shop",
            strategy=self.strategy,
            strategies=self.strategies,
            probes=self.probes,
            on_drift=self.on_drift,
            secrets=self.secrets,
        )
        target = Target("kubeconfig", "ctx", "r", "b", "d")
        return Place("shop", self.name, environment, target, self.rules)

    @property
    def ports(self) -> Ports:
        return Ports(self.cluster, self.cluster.clock, self._probe, self._judge)

    def when_rolling_out(self, release: Release, by: By | None = None) -> Record:
        return roll_out(release, self.place, by or self._by(), self.ports)

    def when_rolling_back(self, to: int | None = None, by: By | None = None) -> Record:
        return roll_back(self.place, by or self._by(), Back("users suffer", to), self.ports)

    @contextmanager
    def killed_after(self, writes: int) -> Iterator[None]:
        """End the process when it has written so often, if it writes so often."""
        self.cluster.kill_after = writes
        with suppress(Killed):
            yield
        self.cluster.kill_after = None

    def names(self, kind: str, api_version: str = "v1") -> set[str]:
        wanted = Kind(api_version, kind)
        return {ref.name for ref in self.cluster.objects if ref.kind == wanted}

    def workload(self, name: str) -> Object:
        return copy.deepcopy(self.cluster.objects[Ref(Kind("apps/v1", "Deployment"), "shop", name)])

    def image_of(self, name: str) -> str:
        return str(self.workload(name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def selector_of(self, name: str) -> dict[str, str]:
        return dict(
            self.cluster.objects[Ref(Kind("v1", "Service"), "shop", name)]["spec"]["selector"]
        )

    def replicas_of(self, name: str) -> int:
        return int(self.workload(name)["spec"]["replicas"])

    def _by(self) -> By:
        self.runs += 1
        return By(run=f"run-{self.runs}", actor="ann", approved_by=("bob",))

    def _probe(
        self, cluster: Cluster, clock: Clock, place: Place, step: ProbeRelease, began: datetime
    ) -> Verdict:
        del cluster, clock, place
        self.probed.append(step.release.id)
        self.probes_sent.append(step.environment.probes)
        self.probing_began.append(began)
        self.tracks_probed.append(step.access.track)
        return self.verdicts.pop(0) if self.verdicts else Verdict(Outcome.PASSED, "probes passed")

    def _judge(self, cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
        """Say what the test has written down, then that all is well."""
        del cluster
        self.watched.append(watch)
        while True:
            clock.wait(timedelta(seconds=1))
            while self.cluster.pending:
                self.cluster.settle_one()
            if self.meanwhile:
                self.meanwhile.pop(0)(self)
            yield self._reading()

    def _reading(self) -> Reading:
        if any(self.image_of(name) in self.bad for name in self.names("Deployment", "apps/v1")):
            return ILL
        return self.readings.pop(0) if self.readings else WELL

    def _end_job(self, cluster: FakeCluster, thing: Object) -> None:
        fate = self.job_fates.get(thing["metadata"]["name"], "complete")
        if "status" not in thing and fate in _JOB_STATUS:
            cluster.change({**thing, "status": _JOB_STATUS[fate]}, "kube-controller-manager")

    def _control(self, cluster: FakeCluster, thing: Object) -> None:
        """Do what the Deployment controller and the kubelet do, all in one."""
        status = thing.get("status") or {}
        if thing["kind"] == "Job":
            self._end_job(cluster, thing)
        if thing["kind"] != "Deployment":
            return
        if status.get("observedGeneration") == thing["metadata"]["generation"]:
            return
        template = thing["spec"]["template"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:6]
        revision = str(thing["metadata"]["generation"])
        set_name = f"{thing['metadata']['name']}-{digest}"
        replica_set = _owned("apps/v1", "ReplicaSet", set_name, thing)
        replica_set["metadata"]["annotations"] = {REVISION: revision}
        cluster.change(replica_set, "kube-controller-manager")
        owner = cluster.objects[
            Ref(Kind("apps/v1", "ReplicaSet"), thing["metadata"]["namespace"], set_name)
        ]
        how = self.behaviour.get(template["spec"]["containers"][0]["image"], "ready")
        pod = _owned("v1", "Pod", f"{set_name}-0", owner)
        pod |= {"spec": template["spec"], "status": _POD_STATUS[how]}
        cluster.change(pod, "kubelet")
        replicas = thing["spec"].get("replicas", 1)
        ready = replicas if how == "ready" else 0
        thing["spec"]["replicas"] = replicas
        annotations = {**(thing["metadata"].get("annotations") or {}), REVISION: revision}
        thing["metadata"]["annotations"] = annotations
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": ready,
            "conditions": _CONDITIONS.get(how, []),
        }
        cluster.change(thing, "kube-controller-manager")


def _owned(api_version: str, kind: str, name: str, owner: Object) -> Object:
    owners = [{"uid": owner["metadata"]["uid"]}]
    place = owner["metadata"]["namespace"]
    metadata = {"name": name, "namespace": place, "labels": {}, "ownerReferences": owners}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _waiting(reason: str, **more: object) -> Object:
    state = {"waiting": {"reason": reason, "message": "because"}}
    return {"containerStatuses": [{"name": "api", "image": "x", "state": state, **more}]}


_READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_POD_STATUS: dict[str, Object] = {
    "ready": _READY,
    "slow": {"conditions": [{"type": "Ready", "status": "False"}]},
    "no image": _waiting("ImagePullBackOff"),
    "no config": _waiting("CreateContainerConfigError"),
    "crash": _waiting(
        "CrashLoopBackOff",
        restartCount=2,
        lastState={"terminated": {"exitCode": 3, "reason": "Error"}},
    ),
    "refused": {},
}
_JOB_STATUS: dict[str, Object] = {
    "complete": {"succeeded": 1},
    "failed": {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimit"}]},
}
_CONDITIONS: dict[str, list[Object]] = {
    "refused": [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": "exceeded quota: shop",
        }
    ]
}
