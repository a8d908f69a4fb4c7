"""What a rollout stands upon goes away in its middle: it ends as an undisturbed one does."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from benchmarks.load import Load, Road
from infra import server
from infra.lab import lifecycle as labs
from tasks.core.clock import SystemClock, utc_now
from tasks.core.cluster_api import connect
from tasks.core.objects import Kind, Ref
from tasks.core.record import Record, RolloutState

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.disruptive]

RATE = 40
AWAY = timedelta(minutes=1)
SETTLED = timedelta(seconds=11)
LEASE = Kind("coordination.k8s.io/v1", "Lease")
ROLLING = "rolling: { deadline: 3m }"
CANARY = "canary: { steps: [{ share: 30, wait: 4s }, 100], bake: 10s, deadline: 3m }"


@dataclass
class Stage:
    """A shop whose releases come in as canaries, judged by what its users meet."""

    pipeline: "Pipeline"
    shop: "Shop"
    releases: int = 1
    expected: Record | None = field(default=None)

    def when_delivered(self, fault: Callable[["Stage", UUID], object] | None = None) -> "RunView":
        """Deliver another greeting under load; the fault comes while the canary has users."""
        self.releases += 1
        self.shop.given_greeting(f"Hello {self.releases}")
        with Load(self.road(), RATE) as load:
            run = self.pipeline.when_started(self.shop)
            self.pipeline.until_holds(run, lambda: self.has_users(run))
            if fault is not None:
                fault(self, run)
            view = self.pipeline.until_over(run)
        assert not load.failures, load.failures
        return view

    def road(self) -> Road:
        place = self.shop.place("dev")
        return Road(str(place.target.ingress), str(place.environment.url).removeprefix("http://"))

    def newest(self) -> Record:
        return self.shop.history("dev")[0]

    def has_users(self, run: UUID) -> bool:
        """Say whether the canary of a run's rollout has got its first share."""
        record = self.newest()
        return record.run == str(run) and any(each.share for each in record.moments)


@pytest.fixture(scope="module")
def stage(pipeline: "Pipeline") -> Iterator[Stage]:
    with pipeline.shop("dev") as shop:
        shop.given_change("slipway.yaml", ROLLING, CANARY)
        first = pipeline.when_delivered(shop)
        assert first.state == "COMPLETED", first.message
        made = Stage(pipeline, shop)
        calm = made.when_delivered()
        assert calm.state == "COMPLETED", calm.message
        made.expected = made.newest()
        yield made


def worker_killed(stage: Stage, _run: UUID) -> None:
    stage.pipeline.when_daemon_killed("worker")


def engine_killed(stage: Stage, run: UUID) -> None:
    stage.pipeline.when_killed(run, lambda: True)


def prefect_killed(stage: Stage, _run: UUID) -> None:
    stage.pipeline.until_back(stage.pipeline.when_daemon_killed("prefect-server"))


def prefect_away(stage: Stage, _run: UUID) -> None:
    server.daemon("keeper").stop()
    stage.pipeline.when_daemon_killed("prefect-server")
    SystemClock().wait(AWAY)
    server.up()


def component_killed(name: str) -> Callable[[Stage, UUID], None]:
    def fault(_stage: Stage, _run: UUID) -> None:
        found = next(each for each in labs.status().components if each.name == name)
        assert found.pid is not None
        os.kill(found.pid, signal.SIGKILL)
        labs.up()

    return fault


def kubelet_killed(stage: Stage, run: UUID) -> None:
    """Kill the kubelet once every container is settled.

    One that began less than 10 s before its kubelet is unready until it is probed again
    (kubeletRestartGracePeriod in Kubernetes' pkg/kubelet/prober), whoever rolls it out.
    """
    stage.pipeline.until_holds(run, lambda: youngest(stage.shop) > SETTLED)
    component_killed("kubelet")(stage, run)


def youngest(shop: "Shop") -> timedelta:
    """Return how long the container runs that began last, to the second."""
    statuses = [each for pod in shop.pods("dev") for each in pod["status"]["containerStatuses"]]
    began = [datetime.fromisoformat(each["state"]["running"]["startedAt"]) for each in statuses]
    return utc_now() - max(began)


FAULTS = {
    "the worker is killed": worker_killed,
    "the flow's process is killed": engine_killed,
    "Prefect's server is killed": prefect_killed,
    "Prefect's server is away for a minute": prefect_away,
    "the API server is killed": component_killed("kube-apiserver"),
    "etcd is killed": component_killed("etcd"),
    "the node's kubelet is killed": kubelet_killed,
    "Prometheus is killed": component_killed("prometheus"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_canary_ends_as_if_nothing_had_been(
    stage: Stage, fault: Callable[[Stage, UUID], object]
) -> None:
    view = stage.when_delivered(fault)
    assert view.state == "COMPLETED", view.message
    assert stage.expected is not None
    assert told(stage.newest()) == told(stage.expected)
    stage.pipeline.until_gone(view.id)


def test_who_loses_the_lock_stops_and_the_next_run_ends_what_it_began(stage: Stage) -> None:
    view = stage.when_delivered(steal_the_lock)
    assert view.state == "FAILED"
    assert "another run has taken this rollout over" in view.message
    left = stage.newest()
    assert left.state is RolloutState.STARTED
    with Load(stage.road(), RATE) as load:
        again = stage.pipeline.when_delivered(stage.shop)
    assert load.failures == []
    assert again.state == "COMPLETED", again.message
    assert stage.newest().number == left.number
    assert stage.expected is not None
    assert told(stage.newest()) == told(stage.expected)


def steal_the_lock(stage: Stage, _run: UUID) -> None:
    """Take the environment's Lease as a second worker does, and fall silent."""
    place = stage.shop.place("dev")
    ref = Ref(LEASE, place.namespace, "slipway")
    with connect(place.target) as cluster:
        lease = cluster.read(ref)
        assert lease is not None
        spec = lease["spec"]
        stolen = {"holderIdentity": "thief", "leaseTransitions": spec["leaseTransitions"] + 1}
        cluster.replace({**lease, "spec": {**spec, **stolen}})


def told(record: Record) -> tuple[object, ...]:
    """Return everything in a record that no fault may change: all but names, counts and times.

    That evidence was waited for is said where it was, and is no difference.
    """
    moments = [
        (_plain(each.what), each.share, each.outcome)
        for each in record.moments
        if not each.what.startswith(("holds, ", "there is data again"))
    ]
    verdicts = [(each.outcome, _plain(each.reason)) for each in record.verdicts]
    return record.state, _plain(record.reason), verdicts, moments


def _plain(text: str) -> str:
    """Leave out ids and numbers, and what a verdict counted."""
    text = re.sub(r"\br-[0-9a-f]{12}\b", "RELEASE", text)
    kept = text if not text.startswith("passed: ") or "ready" in text else "passed"
    return re.sub(r"\d+(\.\d+)?", "N", kept.partition(": ")[0])
