"""A small application for rollouts on the lab: busybox's httpd serves what its ConfigMap holds."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from infra.lab import lifecycle as labs
from tasks.core.application import Application, Component, Environment, GeneratedSecret
from tasks.core.clock import SystemClock
from tasks.core.cluster import Scope
from tasks.core.cluster_api import KubernetesCluster, connect
from tasks.core.http import authorities
from tasks.core.model import (
    ComponentSource,
    Digest,
    Release,
    ReleasedImage,
    Source,
    Verdict,
)
from tasks.core.objects import Kind, Object, Ref
from tasks.core.probes import Probe
from tasks.core.record import Record
from tasks.core.slos import Slos
from tasks.core.strategy import Hooks, Rolling, Strategy
from tasks.core.target import Target
from tasks.release.decide import assemble
from tasks.release.effects import draft
from tasks.rollout.history import history
from tasks.rollout.model import Back, By, Judge, Place, Ports, Rules
from tasks.rollout.ports import probe
from tasks.rollout.records import decode
from tasks.rollout.roll_back import roll_back
from tasks.rollout.roll_out import roll_out
from tasks.rollout.steps import ProbeRelease
from tasks.rollout.unjudged import unjudged

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json,application/vnd.oci.image.index.v1+json"
)

WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 2
  strategy: {{rollingUpdate: {{maxUnavailable: 0, maxSurge: 1}}}}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {annotations}}}
    spec:
      terminationGracePeriodSeconds: {grace}
      volumes: [{{name: www, configMap: {{name: {name}}}}}]
      containers:
        - name: {name}
          image: {image}
          command: [sh, -c, "{command}"]
          ports: [{{containerPort: 8080}}]
          volumeMounts: [{{name: www, mountPath: /www}}]
          readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
          lifecycle: {{preStop: {{sleep: {{seconds: {drain}}}}}}}
"""
SERVE = "trap exit TERM; httpd -f -p 8080 -h /www & wait"


def digest_of(target: Target, image: str) -> Digest:
    """Return the digest that the lab's registry has for one of its base images, NAME:TAG."""
    name, _, tag = image.partition(":")
    url = f"http://{target.registry}/v2/library/{name}/manifests/{tag}"
    accepted = {"Accept": MANIFEST_TYPES}
    answer = httpx.head(url, headers=accepted, trust_env=False, verify=authorities(url))
    return Digest(answer.headers["docker-content-digest"])


@dataclass
class World:
    """The application, its environment and the rollouts in it."""

    tmp: Path
    cluster: KubernetesCluster
    target: Target
    namespace: str = field(default_factory=lambda: f"e2e-{uuid4().hex[:8]}")
    deadline: timedelta = timedelta(seconds=60)
    runs: int = 0
    digest: str = ""
    strategy: Strategy | None = None
    extra: str = ""
    drain: int = 0
    annotations: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """What else slipway.yaml says about the environment."""
    hooks: Hooks = field(default_factory=Hooks)
    irreversible: str | None = None
    slos: Slos = field(default_factory=Slos)
    judge: Judge = unjudged
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def place(self) -> Place:
        environment = Environment(
            overlay="dev",
            namespace=self.namespace,
            strategy=self.strategy or Strategy(rolling=Rolling(deadline=self.deadline)),
            probes=(Probe(path="/health", component="api", deadline=timedelta(seconds=5)),),
            secrets=(GeneratedSecret(name="passwords", keys=("root", "user")),),
        )
        rules = Rules(hooks=self.hooks, slos=self.slos)
        return Place("toy", "dev", replace(environment, **self.settings), self.target, rules)

    def release(self, api: dict[str, str], web: str = "hello", command: str = SERVE) -> Release:
        """Return a release whose api serves these files."""
        tree = self.tmp / uuid4().hex
        overlay = tree / "dev"
        overlay.mkdir(parents=True)
        (overlay / "api.yaml").write_text(self._workload("api", command, "toy-api"))
        others = "busybox:1.36"
        web_workload = self._workload("web", SERVE, others)
        (overlay / "web.yaml").write_text(web_workload)
        (overlay / "extra.yaml").write_text(self.extra)
        kustomization = {
            "namespace": self.namespace,
            "resources": ["api.yaml", "web.yaml", "extra.yaml"],
            "configMapGenerator": [
                {"name": "api", "literals": [f"{key}={value}" for key, value in api.items()]},
                {"name": "web", "literals": [f"index.html={web}"]},
            ],
        }
        (overlay / "kustomization.yaml").write_text(json.dumps(kustomization))
        return assemble(draft(self._source(tree), self.target), (self.image(),))

    def image(self) -> ReleasedImage:
        name = f"{self.target.registry}/library/busybox"
        return ReleasedImage(
            "api", name, Digest(self.digest or digest_of(self.target, "busybox:1.36"))
        )

    def roll_out(self, release: Release, by: By | None = None) -> Record:
        self.runs += 1
        ports = Ports(self.cluster, self.clock, probe, self.judge)
        return roll_out(release, self.place, by or By(run=f"run-{self.runs}", actor="ann"), ports)

    @contextmanager
    def rolling_out(self, release: Release, number: int, mark: str) -> Iterator[Future[Record]]:
        """Roll out in a thread, give what it will come to as soon as something is behind it."""
        with connect(self.target) as cluster, ThreadPoolExecutor(1) as thread:
            by = By(run=f"beside-{number}", actor="ann")
            ended = thread.submit(replace(self, cluster=cluster).roll_out, release, by)
            self.until_marked(number, mark)
            yield ended

    def until_marked(self, number: int, mark: str) -> None:
        """Wait until something is behind a rollout."""
        scope = Scope((Kind("v1", "Secret"),), self.namespace, name=f"slipway-rollout-{number}")
        for found in self.cluster.watch(scope, self.clock.now() + timedelta(minutes=1)):
            if found and decode(found[0]).progress.has(mark):
                return
        raise AssertionError(f"rollout {number} was never {mark}")

    def roll_back(self, to: int | None = None, by: By | None = None) -> Record:
        self.runs += 1
        ports = Ports(self.cluster, self.clock, probe, self.judge)
        by = by or By(run=f"run-{self.runs}")
        return roll_back(self.place, by, Back("users suffer", to), ports)

    def history(self) -> tuple[Record, ...]:
        """Return the records, newest first."""
        return history(self.place, self.cluster)

    def probe(self, release: Release) -> Verdict:
        step = ProbeRelease(release, self.place.environment, "ready_at")
        return probe(self.cluster, self.clock, self.place, step, self.clock.now())

    def objects(self, api_version: str, kind: str) -> dict[str, Object]:
        found = self.cluster.find(Scope((Kind(api_version, kind),), self.namespace))
        return {thing["metadata"]["name"]: thing for thing in found}

    def _workload(self, name: str, command: str, image: str) -> str:
        times = {"drain": self.drain, "grace": self.drain + 1}
        annotations = json.dumps(self.annotations)
        return WORKLOAD.format(
            name=name, command=command, image=image, annotations=annotations, **times
        )

    def _source(self, tree: Path) -> Source:
        application = Application(
            application="toy",
            components={"api": Component(context="api")},
            environments={"dev": self.place.environment},
            hooks=self.hooks,
            irreversible=self.irreversible,
        )
        when = datetime(2026, 1, 1, tzinfo=UTC)
        parts = (ComponentSource("api", "x"),)
        commit = uuid4().hex
        return Source("r", commit, str(tree), "Ann", "a@b.c", "Change", when, application, parts)


@contextmanager
def world(tmp: Path) -> Iterator[World]:
    """Give a namespace of one's own, and take it away afterwards."""
    target = labs.target()
    with connect(target) as cluster:
        made = World(tmp, cluster, target)
        try:
            yield made
        finally:
            cluster.delete(Ref(Kind("v1", "Namespace"), "", made.namespace))
