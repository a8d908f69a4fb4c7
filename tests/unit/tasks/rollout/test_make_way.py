"""A release that people are asked about, while another one is under way."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Literal

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError, GateClosed
from tasks.core.model import Release
from tasks.core.record import Plan, Record, RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.rollout import records
from tasks.rollout.history import is_bad
from tasks.rollout.lock import hold
from tasks.rollout.make_way import find_in_way, make_way
from tasks.rollout.model import By
from tasks.rollout.opening import wish
from tasks.rollout.plan import plan
from tests.unit.tasks.rollout.test_canary import (
    BAKE,
    ONE,
    THREE,
    release,
    then_only_the_stable_track_is_left,
)
from tests.unit.tasks.rollout.world import BusyCluster, World

GATED = Strategy(canary=Canary(steps=(CanaryStep(50, gate=True), CanaryStep(100)), bake=BAKE))
TWO = release("2", config="more")
SECOND = By(run="second")
THIRD = By(run="third")


def given_a_canary_at_a_gate(cluster: FakeCluster | None = None) -> World:
    world = World(cluster or FakeCluster(), strategy=GATED)
    world.when_rolling_out(ONE)
    assert world.when_rolling_out(TWO, SECOND).state is RolloutState.STARTED
    return world


def when_way_is_made(world: World, wanted: Release = THREE, by: By = THIRD) -> tuple[Record, ...]:
    return make_way(wanted, world.place, by, world.ports)


def planned(world: World, wanted: Release = THREE) -> Plan:
    return plan(wanted, world.place, world.cluster)


def states(world: World) -> list[RolloutState]:
    return [each.record.state for each in records.fetch(world.cluster, "shop")]


def test_what_people_are_asked_about_is_what_comes_in_although_a_canary_was_there() -> None:
    world = given_a_canary_at_a_gate()
    beside_the_canary = planned(world)
    (ended,) = when_way_is_made(world)
    assert (ended.number, ended.state) == (2, RolloutState.SUPERSEDED)
    assert ended.reason.startswith(f"its run ended half-way, and it made room for {THREE.id}; ")
    assert not is_bad(TWO.id, world.place, world.cluster)
    then_only_the_stable_track_is_left(world, "1")
    approved = planned(world)
    assert approved.id != beside_the_canary.id, "a yes to that would have let nothing in"
    world.strategy = Strategy(canary=Canary(steps=(100,), bake=BAKE))
    record = world.when_rolling_out(THREE, replace(THIRD, plan=approved.id))
    assert record.state is RolloutState.SUCCEEDED


def test_where_nothing_is_under_way_nothing_is_done() -> None:
    world = World()
    world.when_rolling_out(ONE)
    before = len(world.cluster.writes)
    assert find_in_way(TWO, world.place, world.cluster) is None
    assert when_way_is_made(world, TWO) == ()
    assert world.cluster.writes[before:] == []


def test_a_first_release_has_nothing_in_its_way() -> None:
    world = World()
    assert find_in_way(ONE, world.place, world.cluster) is None


def test_a_rollout_that_is_under_way_is_waited_for() -> None:
    world = given_a_canary_at_a_gate(cluster := BusyCluster())
    found = find_in_way(THREE, world.place, world.cluster)
    assert found is not None
    assert found.release == TWO
    opened = replace(SECOND, gates=1)
    cluster.first = [lambda: world.when_rolling_out(TWO, opened)]
    assert when_way_is_made(world) == ()
    assert states(world) == [RolloutState.SUCCEEDED] * 2


def test_a_canary_of_a_newer_commit_that_came_meanwhile_is_left_alone() -> None:
    world = given_a_canary_at_a_gate(cluster := BusyCluster())
    newer = replace(release("4"), created_at=THREE.created_at + timedelta(hours=1))
    cluster.first = [lambda: world.when_rolling_out(newer)]
    with pytest.raises(GateClosed, match=f"of a newer commit: {THREE.id} is superseded"):
        when_way_is_made(world)
    assert states(world)[1:] == [RolloutState.SUPERSEDED, RolloutState.STARTED]


@pytest.mark.parametrize(
    ("busy", "reason"),
    [
        pytest.param("queue", None, id="waited for"),
        pytest.param("supersede", f"{THREE.id} took its place", id="asked to give way"),
    ],
)
def test_a_rollout_under_way_is(busy: Literal["queue", "supersede"], reason: str | None) -> None:
    place = World().place
    environment = replace(place.environment, when_busy=busy)
    found = wish(THREE, replace(place, environment=environment), THIRD)
    assert (found and found.reason) == reason


def test_a_canary_of_the_same_release_is_left_to_go_on() -> None:
    world = given_a_canary_at_a_gate()
    assert find_in_way(TWO, world.place, world.cluster) is None
    assert when_way_is_made(world, TWO) == ()
    assert states(world)[-1] is RolloutState.STARTED


def test_nobody_makes_way_for_a_release_that_was_taken_back() -> None:
    world = given_a_canary_at_a_gate()
    when_way_is_made(world)
    world.strategy = Strategy(canary=Canary(steps=(100,), bake=BAKE))
    world.when_rolling_out(THREE)
    world.when_rolling_back()
    world.strategy = GATED
    world.when_rolling_out(TWO, By(run="again"))
    with pytest.raises(GateClosed, match="was taken back here before"):
        find_in_way(THREE, world.place, world.cluster)
    found = find_in_way(THREE, world.place, world.cluster, despite="it is mended")
    assert found is not None
    assert states(world)[-1] is RolloutState.STARTED


def test_nobody_makes_way_for_manifests_that_the_cluster_refuses() -> None:
    world = given_a_canary_at_a_gate()
    text = THREE.manifests_for("prod").yaml.replace("namespace: shop", "namespace: nowhere")
    refused = replace(THREE, manifests=tuple(replace(each, yaml=text) for each in THREE.manifests))
    with pytest.raises(ConfigError, match="nowhere"):
        find_in_way(refused, world.place, world.cluster)
    assert states(world)[-1] is RolloutState.STARTED


def test_what_is_half_way_in_place_waits_for_the_release_that_replaces_it() -> None:
    world = World()
    world.when_rolling_out(ONE)
    with world.killed_after(6):
        world.when_rolling_out(TWO, SECOND)
    assert when_way_is_made(world) == ()
    assert states(world) == [RolloutState.SUCCEEDED, RolloutState.STARTED]
    approved = planned(world)
    record = world.when_rolling_out(THREE, replace(THIRD, plan=approved.id))
    assert record.state is RolloutState.SUCCEEDED


@cache
def writes_of_making_way() -> range:
    world = given_a_canary_at_a_gate()
    before = len(world.cluster.writes)
    when_way_is_made(world)
    return range(len(world.cluster.writes) - before)


@pytest.mark.parametrize("writes", writes_of_making_way())
def test_killed_anywhere_and_called_again_way_is_made(writes: int) -> None:
    world = given_a_canary_at_a_gate()
    with world.killed_after(writes):
        when_way_is_made(world)
    when_way_is_made(world)
    assert states(world) == [RolloutState.SUCCEEDED, RolloutState.SUPERSEDED]
    then_only_the_stable_track_is_left(world, "1")


def test_another_plan_than_the_approved_one_is_refused_before_anybody_is_waited_for() -> None:
    world = World()
    world.when_rolling_out(ONE)
    began = world.cluster.clock.now()
    silent = hold(world.cluster, world.cluster.clock, "shop", "somebody")
    silent.__enter__()
    with pytest.raises(GateClosed, match="the approval is for plan p-other"):
        world.when_rolling_out(TWO, replace(THIRD, plan="p-other"))
    assert world.cluster.clock.now() == began
    silent.__exit__(None, None, None)
