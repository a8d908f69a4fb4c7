"""Canaries of which the probing stage itself asks pods and Services."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from tasks.core.clock import Clock
from tasks.core.cluster import Answer, Cluster
from tasks.core.cluster_fake import FakeCluster
from tasks.core.model import Release, Verdict
from tasks.core.objects import Object
from tasks.core.probes import Probe
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import Canary, Strategy
from tasks.core.tracks import TRACK
from tasks.probe.effects import Probing, probe_release
from tasks.rollout.model import By, Place
from tasks.rollout.steps import ProbeRelease
from tests.unit.tasks.rollout.world import World, deployment, image, make_release, service

API = Probe(path="/health", component="api", passes=1, deadline=timedelta(seconds=5))
WORKER = replace(API, component="worker")
VIA_SERVICE = replace(API, via="service")
PUBLIC = replace(API, component=None, path="/")


@dataclass
class ProbedWorld(World):
    """Pods with the labels of their workloads, and who was asked about what."""

    asked: list[str] = field(default_factory=list)
    broken: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cluster.answer = self._answer

    def _answer(self, thing: Object, path: str) -> Answer:
        labels = thing["metadata"].get("labels") or {}
        is_canary = labels.get(TRACK) == "canary"
        name = f"{thing['kind']} {labels.get('app', thing['metadata']['name'])}"
        self.asked.append(f"{name}{' canary' if is_canary else ''} {path}")
        return Answer(500 if self.broken and self.broken in self.asked[-1] else 200, "", 0.1)

    def _probe(
        self, cluster: Cluster, clock: Clock, place: Place, step: ProbeRelease, began: datetime
    ) -> Verdict:
        probing = Probing(step.environment, place.target, step.release, began, step.access)
        return probe_release(probing, cluster, clock)

    def _control(self, cluster: FakeCluster, thing: Object) -> None:
        super()._control(cluster, thing)
        if thing["kind"] == "Deployment":
            labels = thing["spec"]["template"]["metadata"]["labels"]
            for ref, each in cluster.objects.items():
                if ref.kind.name == "Pod" and ref.name.startswith(f"{thing['metadata']['name']}-"):
                    each["metadata"]["labels"] = each["metadata"]["labels"] or labels


def release(digit: str) -> Release:
    api, worker = image("api", digit), image("worker", "f")
    return make_release(
        service("api"),
        deployment("api", api.reference, replicas=4, track="stable"),
        deployment("worker", worker.reference, track="stable"),
        images=(api, worker),
    )


ONE, TWO = release("1"), release("2")
STRATEGY = Strategy(canary=Canary(steps=(50, 100), bake=timedelta(seconds=2)))


def given_live(*probes: Probe) -> ProbedWorld:
    world = ProbedWorld(strategy=STRATEGY, probes=probes)
    record = world.when_rolling_out(ONE)
    assert record.state is RolloutState.SUCCEEDED, record.reason
    world.asked.clear()
    return world


def said(record: Record) -> list[str]:
    return [moment.what for moment in record.moments]


def test_each_is_asked_when_nothing_but_the_release_can_answer() -> None:
    world = given_live(API, WORKER, VIA_SERVICE)
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert world.asked == [
        "Pod api canary /health",
        "Pod api canary /health",
        "Pod api /health",
        "Pod worker /health",
        "Service api /health",
    ]
    beside = "1 probed, all passed; GET /health not asked: Service api does not lead to the canary"
    assert f"passed: {beside}" in said(record)


def test_a_service_that_fails_after_the_promotion_takes_the_release_back() -> None:
    world = given_live(API, VIA_SERVICE)
    world.broken = "Service"
    record = world.when_rolling_out(TWO)
    assert "service api: GET /health: expected 200, got 500" in record.reason
    assert record.state is not RolloutState.SUCCEEDED
    assert world.image_of("api") == image("api", "1").reference


@pytest.mark.parametrize("writes", range(1, 60, 2))
def test_killed_anywhere_and_resumed_an_hour_later_a_good_release_passes(writes: int) -> None:
    world = given_live(API, WORKER, VIA_SERVICE)
    by = By(run="run-x")
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    world.cluster.clock.jump(timedelta(hours=1))
    while world.cluster.pending:
        world.cluster.settle_one()
    record = world.when_rolling_out(TWO, by)
    assert record.state is RolloutState.SUCCEEDED, record.reason
