"""What is left of a cancelled run's rollout is brought to an end."""

from dataclasses import replace

import pytest

from tasks.core.objects import Kind, Ref
from tasks.core.record import Record, RolloutState
from tasks.rollout import records
from tasks.rollout.history import is_bad
from tasks.rollout.model import By
from tasks.rollout.settle import settle
from tests.unit.tasks.rollout.test_canary import (
    CANARY,
    ONE,
    THREE,
    TWO,
    then_only_the_stable_track_is_left,
)
from tests.unit.tasks.rollout.test_make_way import GATED
from tests.unit.tasks.rollout.world import World

REASON = "cancelled by a person"
SECOND = By(run="second")
LEASE = Ref(Kind("coordination.k8s.io/v1", "Lease"), "shop", "slipway")
MOST_WRITES = 40


def when_settled(world: World, run: str = "second") -> Record | None:
    return settle(world.place, run, REASON, world.ports)


def states(world: World) -> list[RolloutState]:
    return [each.record.state for each in records.fetch(world.cluster, "shop")]


def then_the_lock_is_free(world: World) -> None:
    assert not world.cluster.objects[LEASE]["spec"]["holderIdentity"]


@pytest.mark.parametrize("writes", range(1, MOST_WRITES))
def test_a_canary_cancelled_anywhere_leaves_one_release_and_a_free_lock(writes: int) -> None:
    world = World(strategy=CANARY)
    world.when_rolling_out(ONE)
    with world.killed_after(writes):
        world.when_rolling_out(TWO, SECOND)
    if (record := when_settled(world)) is None:
        assert states(world) == [RolloutState.SUCCEEDED], "it had not begun"
        return
    assert record.state in (RolloutState.SUCCEEDED, RolloutState.SUPERSEDED)
    live = "2" if record.state is RolloutState.SUCCEEDED else "1"
    then_only_the_stable_track_is_left(world, live)
    then_the_lock_is_free(world)
    assert not is_bad(TWO.id, world.place, world.cluster), "nothing speaks against it"
    assert world.when_rolling_out(THREE).state is RolloutState.SUCCEEDED


def test_a_canary_at_a_gate_goes_back_by_traffic() -> None:
    world = World(strategy=GATED)
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, SECOND)
    record = when_settled(world)
    assert record is not None
    assert record.state is RolloutState.SUPERSEDED
    assert record.reason.startswith(REASON)
    assert "it was never touched" in record.reason
    then_only_the_stable_track_is_left(world, "1")


def test_a_rolling_update_goes_back_to_the_release_before() -> None:
    world = World()
    world.when_rolling_out(ONE)
    with world.killed_after(8):
        world.when_rolling_out(TWO, SECOND)
    record = when_settled(world)
    assert record is not None
    assert (record.state, world.image_of("api")) == (
        RolloutState.SUPERSEDED,
        ONE.images[0].reference,
    )


def test_the_first_rollout_has_nothing_to_go_back_to_and_ends() -> None:
    world = World()
    with world.killed_after(8):
        world.when_rolling_out(ONE, SECOND)
    record = when_settled(world)
    assert record is not None
    assert (record.state, record.reason) == (RolloutState.SUPERSEDED, REASON)


def test_a_rollback_is_finished_because_where_it_goes_is_the_healthier_side() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    with world.killed_after(6):
        world.when_rolling_back(by=SECOND)
    assert states(world)[-1] is RolloutState.STARTED
    record = when_settled(world)
    assert record is not None
    assert (record.state, world.image_of("api")) == (
        RolloutState.SUCCEEDED,
        ONE.images[0].reference,
    )
    assert is_bad(TWO.id, world.place, world.cluster)


def test_a_rollout_that_the_cancelled_run_was_turning_round_goes_back() -> None:
    world = World(strategy=GATED)
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, By(run="first"))
    with world.killed_after(3):
        world.when_rolling_back(by=SECOND)
    assert states(world)[-1] is RolloutState.STARTED
    record = when_settled(world)
    assert record is not None
    assert record.state is RolloutState.RESTORED
    then_only_the_stable_track_is_left(world, "1")


def test_what_is_over_is_only_reported_and_what_others_have_begun_is_left_alone() -> None:
    world = World()
    first = world.when_rolling_out(ONE, SECOND)
    assert when_settled(world) == first
    assert when_settled(world, "nobody") is None


def test_by_the_records_own_description_though_slipway_yaml_says_something_else_by_now() -> None:
    world = World(strategy=GATED)
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, SECOND)
    bare = replace(world.place.environment, strategy=World().strategy, probes=())
    record = settle(replace(world.place, environment=bare), "second", REASON, world.ports)
    assert record is not None
    assert record.state is RolloutState.SUPERSEDED
    then_only_the_stable_track_is_left(world, "1")
