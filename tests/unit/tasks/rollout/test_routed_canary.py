"""Canaries of a shop whose api is behind HTTPRoutes, which may come, go and change their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Object, Ref, ref_of
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Hook, Hooks, Strategy
from tasks.core.tracks import TRACK
from tasks.rollout.model import Place, Rules
from tasks.rollout.reach import reached, selects
from tasks.rollout.steps import ProbeRelease
from tests.unit.tasks.rollout.shapes import backend, route, rule, service
from tests.unit.tasks.rollout.world import World, deployment, image, make_release

STRATEGY = Strategy(canary=Canary(steps=(50, 100), bake=timedelta(seconds=2)))
RULES = Rules(hooks=Hooks(after=(Hook(job="warm"),)))


def release(digit: str, *leading: Object) -> Release:
    api = image("api", digit)
    workload = deployment("api", api.reference, track="stable")
    job: Object = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "warm"}}
    job["spec"] = {"template": {"spec": {"containers": [{"name": "warm", "image": "curl"}]}}}
    return make_release(*leading, workload, job, images=(api,))


def shop(name: str, to: str = "api") -> tuple[Object, ...]:
    """Return a Service in front of the api, and a route to it."""
    ports = [{"port": 80, "targetPort": 8080}]
    return service(to, selector={"app": "api"}, ports=ports), route(rule(backend(to)), name=name)


PLAIN = release("1", shop("shop")[0])
ONE = release("1", *shop("shop"))
NEXT = {
    "the same": release("2", *shop("shop")),
    "the route renamed": release("2", *shop("store")),
    "the route gone": release("2", shop("shop")[0]),
    "the Service renamed": release("2", *shop("shop", "api2")),
    "both renamed": release("2", *shop("store", "api2")),
}


@dataclass
class Failing(World):
    """A second release that fails at a moment of its rollout: at its last probe, or its hook."""

    fails: str = ""

    def _probe(
        self, cluster: Cluster, clock: Clock, place: Place, step: ProbeRelease, began: datetime
    ) -> Verdict:
        is_last = step.access.track != "canary" and step.release.id != ONE.id
        if self.fails == "promoted" and is_last:
            return Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")
        return super()._probe(cluster, clock, place, step, began)


def given_live(fails: str = "", live: Release = ONE) -> Failing:
    world = Failing(strategy=STRATEGY, rules=RULES, fails=fails)
    assert world.when_rolling_out(live).state is RolloutState.SUCCEEDED
    world.job_fates = {"warm": "failed"} if fails == "after all" else {}
    return world


def dead_ends(world: World) -> list[str]:
    """Say which routes send requests to where nobody answers."""
    return [
        f"{ref_of(thing)} sends to {to}"
        for thing in world.cluster.objects.values()
        if thing["kind"] == "HTTPRoute"
        for each, to in zip(_backends(thing), reached(thing), strict=True)
        if each.get("weight", 1) and not is_served(to, world)
    ]


def is_served(to: Ref, world: World) -> bool:
    """Say whether a Service is there and has a Deployment to send to."""
    service = world.cluster.objects.get(to)
    if service is None:
        return False
    track = service["spec"]["selector"].get(TRACK)
    labels = (
        thing["spec"]["template"]["metadata"]["labels"]
        for thing in world.cluster.objects.values()
        if thing["kind"] == "Deployment"
    )
    return any(selects(service, each) and track in (None, each[TRACK]) for each in labels)


def _backends(thing: Object) -> Iterator[Object]:
    for each in thing["spec"]["rules"]:
        yield from each["backendRefs"]


class Looks(list[str]):
    """What is written, with a look at the world before each write."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.dead_ends: list[str] = []

    def append(self, write: str) -> None:
        self.dead_ends += [f"before {write}: {each}" for each in dead_ends(self.world)]
        super().append(write)


@pytest.mark.parametrize("fails", ["", "promoted", "after all"])
@pytest.mark.parametrize("after", NEXT)
def test_at_no_moment_does_a_route_send_where_nobody_answers(after: str, fails: str) -> None:
    world = given_live(fails)
    world.cluster.writes = looks = Looks(world)
    record = world.when_rolling_out(NEXT[after])
    assert record.state is (RolloutState.RESTORED if fails else RolloutState.SUCCEEDED)
    assert "delete Deployment/api-canary" in looks
    assert looks.dead_ends == []
    assert dead_ends(world) == []


def test_a_release_that_brings_the_first_route_gets_its_share_by_the_count_of_pods() -> None:
    world, selectors = given_live(live=PLAIN), list[dict[str, str]]()
    world.meanwhile = [lambda each: selectors.append(each.selector_of("api"))] * 2
    assert world.when_rolling_out(NEXT["the same"]).state is RolloutState.SUCCEEDED
    assert selectors == [{"app": "api"}, {"app": "api", TRACK: "canary"}]
    assert world.selector_of("api") == {"app": "api"}
    assert dead_ends(world) == []
