"""Components with strategies of their own: how long each is waited for and watched."""

from datetime import timedelta

import pytest

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import parse_stream
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Rolling, Strategy
from tasks.rollout.model import Rules
from tasks.rollout.together import deadline_for
from tests.unit.tasks.rollout.world import World, deployment, image, make_release, service

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OWN = Strategy(rolling=Rolling(deadline=10 * MINUTE))
SLOW = Strategy(rolling=Rolling(deadline=40 * MINUTE))
CANARY = Strategy(canary=Canary(steps=(100,), bake=5 * SECOND, deadline=20 * MINUTE))


def release(api: str = "1", worker: str = "1") -> Release:
    images = (image("api", api), image("worker", worker))
    workloads = [deployment(each.component, each.reference, track="stable") for each in images]
    return make_release(
        service("api"), deployment("database", "mysql:8"), *workloads, images=images
    )


def given_live(strategy: Strategy, **others: Strategy) -> World:
    world = World(strategy=strategy, strategies=others)
    world.when_rolling_out(release())
    return world


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), 10),
        (("database",), 10),
        (("api",), 20),
        (("worker",), 40),
        (("api", "database"), 20),
        (("api", "database", "worker"), 40),
    ],
)
def test_workloads_are_waited_for_as_long_as_the_most_patient_strategy_among_them_says(
    names: tuple[str, ...], expected: int
) -> None:
    strategies = {"api": CANARY, "worker": SLOW}
    environment = Environment(overlay="prod", namespace="shop", strategy=OWN, strategies=strategies)
    one = release()
    objects = [
        each
        for each in parse_stream(one.manifests_for("prod").yaml)
        if each["kind"] == "Deployment" and each["metadata"]["name"] in names
    ]
    assert deadline_for(objects, one, environment) == expected * MINUTE


@pytest.mark.parametrize("strategy", [OWN, CANARY], ids=["all rolling", "beside a canary"])
def test_a_component_that_starts_slowly_has_the_time_of_its_own_strategy(
    strategy: Strategy,
) -> None:
    world = given_live(strategy, worker=SLOW)
    world.behaviour[image("worker", "2").reference] = "slow"
    record = world.when_rolling_out(release("2", "2"))
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith("not ready within 40m: "), record.reason


def test_a_wave_without_it_is_not_waited_for_any_longer() -> None:
    world = given_live(OWN, worker=SLOW)
    world.rules = Rules(order={"api": (), "worker": ("api",)})
    world.behaviour[image("api", "2").reference] = "slow"
    record = world.when_rolling_out(release("2", "2"))
    assert record.reason.startswith("not ready within 10m: "), record.reason


def baked(world: World, what: Release) -> timedelta:
    began = world.cluster.clock.now()
    record = world.when_rolling_out(what)
    assert record.state is RolloutState.SUCCEEDED, record.reason
    return world.cluster.clock.now() - began


@pytest.mark.parametrize("own", [OWN, CANARY], ids=["rolling", "canary"])
def test_a_component_that_changes_is_watched_for_the_bake_of_its_own_strategy(
    own: Strategy,
) -> None:
    worker = Strategy(rolling=Rolling(bake=5 * MINUTE))
    world = given_live(own, worker=worker)
    assert baked(world, release("1", "2")) == 5 * MINUTE
    assert {each.workloads for each in world.watched} == {("worker",)}


def test_one_that_does_not_change_is_not_watched() -> None:
    api, worker = (Strategy(rolling=Rolling(bake=each * MINUTE)) for each in (2, 5))
    world = given_live(api, worker=worker)
    assert baked(world, release("2", "1")) == 2 * MINUTE
    assert baked(world, release("3", "3")) == 5 * MINUTE
