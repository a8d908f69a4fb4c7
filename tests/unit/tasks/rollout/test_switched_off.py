"""Rollouts of what has no pods: switched off, or sent to sleep until somebody needs it."""

from collections.abc import Callable
from datetime import timedelta

from tasks.core.model import Outcome, Release, Verdict
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Rolling, Strategy
from tasks.core.watching import Reading
from tests.unit.tasks.rollout.world import WELL, World, deployment, image, make_release, service

BAKE = timedelta(seconds=5)
CANARY = Strategy(canary=Canary(steps=(50, 100), bake=BAKE))
BLIND = Reading(Verdict(Outcome.NO_DATA, "nobody asks"), decided=True)
HOUR = timedelta(hours=1)


def release(digit: str, api: int = 0, worker: int = 0) -> Release:
    images = {name: image(name, digit) for name in ("api", "worker")}
    sizes = {"api": api, "worker": worker}
    workloads = [
        deployment(name, each.reference, replicas=sizes[name], track="stable")
        for name, each in images.items()
    ]
    return make_release(service("api"), *workloads, images=tuple(images.values()))


def given_live(first: Release, strategy: Strategy = CANARY) -> World:
    world = World(strategy=strategy)
    world.when_rolling_out(first)
    return world


def scale(name: str, replicas: int) -> Callable[[World], None]:
    def act(world: World) -> None:
        workload = world.workload(name)
        workload["spec"]["replicas"] = replicas
        world.cluster.change(workload, "keda-operator")

    return act


def judged(world: World) -> list[tuple[int, tuple[str, ...]]]:
    return [(each.share, each.workloads) for each in world.watched]


def test_where_nothing_has_pods_time_decides() -> None:
    world = given_live(release("1"))
    world.readings = [BLIND] * 2000
    before = world.cluster.clock.now()
    record = world.when_rolling_out(release("2"))
    assert record.state is RolloutState.SUCCEEDED
    assert judged(world) == []
    assert BAKE < world.cluster.clock.now() - before < HOUR
    assert "passed: no pods to judge by" in [moment.what for moment in record.moments]


def test_a_rolling_bake_of_what_has_no_pods_is_a_matter_of_time_too() -> None:
    world = given_live(release("1"), Strategy(rolling=Rolling(bake=BAKE)))
    world.readings = [BLIND] * 2000
    assert world.when_rolling_out(release("2")).state is RolloutState.SUCCEEDED
    assert judged(world) == []


def test_only_what_has_pods_is_judged() -> None:
    world = given_live(release("1", api=2))
    assert world.when_rolling_out(release("2", api=2)).state is RolloutState.SUCCEEDED
    assert {workloads for _, workloads in judged(world)} == {("api",)}


def test_what_wakes_up_meanwhile_is_judged_from_then_on_and_what_falls_asleep_no_longer() -> None:
    world = given_live(release("1", api=2))
    world.readings = [WELL, BLIND, BLIND, BLIND, BLIND]
    world.meanwhile = [
        lambda _world: None,
        scale("worker", 2),
        lambda _world: None,
        scale("worker", 0),
    ]
    record = world.when_rolling_out(release("2", api=2))
    assert record.state is RolloutState.SUCCEEDED
    assert judged(world)[1:4] == [
        (100, ("api",)),
        (100, ("api", "worker")),
        (100, ("api",)),
    ]


def test_a_step_that_holds_goes_on_when_the_last_pods_have_gone() -> None:
    world = given_live(release("1", api=2))
    world.readings = [BLIND] * 2000
    world.meanwhile = [lambda _world: None, scale("api", 0)]
    before = world.cluster.clock.now()
    record = world.when_rolling_out(release("2", api=2))
    assert record.state is RolloutState.SUCCEEDED
    assert world.cluster.clock.now() - before < HOUR
    assert world.replicas_of("api") == 0


def test_stable_pods_at_rest_do_not_end_the_judging() -> None:
    strategy = Strategy(canary=Canary(steps=(50, 100), bake=BAKE, standby=False))
    world = given_live(release("1", api=2), strategy)
    assert world.when_rolling_out(release("2", api=2)).state is RolloutState.SUCCEEDED
    assert judged(world) == [(50, ("api",)), (100, ("api",)), (100, ("api",))]
