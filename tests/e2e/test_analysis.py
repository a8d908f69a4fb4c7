"""A release is judged on the lab: real pods, their own metrics, and the lab's Prometheus."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from infra.lab import lifecycle as labs
from tasks.analysis.check import Mark, check
from tasks.analysis.effects import judge
from tasks.analysis.questions import Pods, questions
from tasks.core.clock import SystemClock
from tasks.core.cluster import Scope
from tasks.core.cluster_api import KubernetesCluster, connect
from tasks.core.model import Outcome
from tasks.core.objects import Kind, Object, Ref
from tasks.core.prometheus import prometheus_at
from tasks.core.slos import Availability, Slos
from tasks.core.watching import Reading, Watch
from tests.e2e.rollout_world import digest_of

pytestmark = pytest.mark.e2e

POD = Kind("v1", "Pod")
SLOS = Slos(availability=Availability(99.5, 'hits_total{status="500"}', "hits_total"))
ONLY_PROMQL = Slos(
    availability=Availability(
        99.5,
        'sum by (job) (increase(hits_total{status="500"}[$window]))',
        "sum by (job) (increase(hits_total[$window]))",
    )
)
COUNT = """\
trap exit TERM
httpd -p 8080 -h /www
n=0
while true; do
  n=$((n+1))
  printf 'hits_total{status="200"} %s\\n' $((n*{good})) > /www/new
  printf 'hits_total{status="500"} %s\\n' $((n*{bad})) >> /www/new
  mv /www/new /www/metrics
  sleep 1 & wait $!
done
"""


def workload(name: str, namespace: str, image: str, bad: int) -> Object:
    """Pods that count 50 requests a second, some of them failed."""
    labels = {"app": name}
    container = {
        "name": "shop",
        "image": image,
        "command": ["sh", "-c", COUNT.replace("{good}", str(50 - bad)).replace("{bad}", str(bad))],
        "volumeMounts": [{"name": "www", "mountPath": "/www"}],
        "readinessProbe": {"httpGet": {"path": "/metrics", "port": 8080}, "periodSeconds": 1},
    }
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [container],
                    "volumes": [{"name": "www", "emptyDir": {}}],
                },
            },
        },
    }


@dataclass
class World:
    """A namespace with a stable release and a canary whose every fifth request fails."""

    cluster: KubernetesCluster
    namespace: str
    clock: SystemClock

    def watch(self, slos: Slos) -> Watch:
        return Watch(
            application="shop",
            environment="prod",
            namespace=self.namespace,
            target=labs.target(),
            slos=slos,
            workloads=("shop",),
            since=self.clock.now(),
            share=50,
        )

    def readings(self, slos: Slos, until: Outcome) -> list[Reading]:
        """Watch until a verdict comes, for two minutes at most."""
        seen: list[Reading] = []
        for reading in itertools.islice(judge(self.cluster, self.clock, self.watch(slos)), 120):
            seen.append(reading)
            if reading.verdict.outcome is until:
                return seen
        raise AssertionError(f"never {until}: {seen[-1].verdict}")

    def await_ready(self, pods: int) -> None:
        until = self.clock.now() + timedelta(minutes=2)
        for found in self.cluster.watch(Scope((POD,), self.namespace), until):
            if sum(_is_ready(pod) for pod in found) == pods:
                return
        raise AssertionError("the pods did not become ready")


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.fixture(scope="module")
def world(lab: object) -> Iterator[World]:
    del lab  # it has to be up
    target, namespace = labs.target(), f"judged-{uuid4().hex[:8]}"
    image = f"{target.registry}/library/busybox@{digest_of(target, 'busybox:1.36')}"
    with connect(target) as cluster:
        made = World(cluster, namespace, SystemClock())
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        try:
            cluster.apply(workload("shop", namespace, image, bad=0))
            cluster.apply(workload("shop-canary", namespace, image, bad=10))
            made.await_ready(2)
            yield made
        finally:
            cluster.delete(Ref(Kind("v1", "Namespace"), "", namespace))


def test_a_release_with_a_fifth_of_errors_is_seen_in_a_few_looks_at_its_pods(world: World) -> None:
    readings = world.readings(SLOS, Outcome.FAILED)
    looks = [reading for reading in readings if reading.samples]
    assert len(looks) <= 4, [reading.verdict.reason for reading in readings]
    assert "bad on the new release, 0 of" in readings[-1].verdict.reason


def test_what_only_prometheus_knows_is_judged_by_it_and_every_query_can_be_tried(
    world: World,
) -> None:
    verdict = world.readings(ONLY_PROMQL, Outcome.FAILED)[-1].verdict
    assert "bad on the new release, 0 of" in verdict.reason
    pods = Pods.between(world.namespace, ("shop",))
    for slos in (SLOS, ONLY_PROMQL):
        with prometheus_at(labs.target().prometheus) as prometheus:
            assert prometheus is not None
            answers = tuple(check(questions(slos, world.namespace), pods, prometheus))
        assert {answer.mark for answer in answers} == {Mark.GOOD}, answers
