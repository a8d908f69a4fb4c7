"""A rollout in a freeze: whatever was approved, and however long ago."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.core.cluster_fake import Killed
from tasks.core.errors import GateClosed
from tasks.core.gates import Freeze, Override, Window
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.rollout.history import history
from tasks.rollout.model import Back, By, Place
from tasks.rollout.roll_back import roll_back
from tasks.rollout.roll_out import roll_out
from tests.unit.tasks.rollout.test_canary import ONE, release
from tests.unit.tasks.rollout.world import BusyCluster, World

TWO = release("2", config="more")
HOLIDAY = Freeze(start="2026-01-01", end="2026-01-01", reason="New Year")
BY = By(run="second", actor="ann", approved_by=("bob",))


@pytest.fixture
def world() -> World:
    """The shop's prod with a release in it, on the first day of the year."""
    made = World()
    made.when_rolling_out(ONE)
    return made


def closed(world: World, *freezes: Freeze) -> Place:
    environment = replace(world.place.environment, freezes=freezes or (HOLIDAY,))
    return replace(world.place, environment=environment)


def rolled_out(world: World, place: Place, by: By = BY, wanted: Release = TWO) -> Record:
    return roll_out(wanted, place, by, world.ports)


def releases(world: World) -> list[str]:
    return [each.release.id for each in history(world.place, world.cluster)]


def test_what_was_approved_does_not_begin_in_a_freeze(world: World) -> None:
    with pytest.raises(GateClosed, match=r"frozen until Fri 2026-01-02 00:00 UTC \(New Year\)"):
        rolled_out(world, closed(world))
    assert releases(world) == [ONE.id]


def test_nor_outside_the_windows(world: World) -> None:
    window = Window(start="Mon 09:00", end="Mon 16:00")
    environment = replace(world.place.environment, windows=(window,))
    with pytest.raises(GateClosed, match="outside its windows until Mon 2026-01-05 09:00 UTC"):
        rolled_out(world, replace(world.place, environment=environment))


def test_a_freeze_that_begins_while_another_rollout_is_waited_for_holds() -> None:
    cluster = BusyCluster()
    world = World(cluster)
    world.when_rolling_out(ONE)
    evening = Freeze(start="2026-01-01 18:00", end="2026-01-02")
    cluster.first = [lambda: cluster.clock.jump(timedelta(hours=18))]
    with pytest.raises(GateClosed, match="frozen until"):
        rolled_out(world, closed(world, evening))


def test_the_record_keeps_who_overrode_it_and_why(world: World) -> None:
    override = Override("maria", "the shop is down", world.cluster.clock.now())
    rolled_out(world, closed(world), replace(BY, override=override))
    newest = history(world.place, world.cluster)[0]
    assert (newest.state, newest.override) == (RolloutState.SUCCEEDED, override)
    assert newest.moments[0].what == "maria overrode that it was closed: the shop is down"


@pytest.mark.parametrize(
    ("ago", "is_let_in"), [(timedelta(hours=1), True), (timedelta(days=1), False)]
)
def test_an_override_opens_what_was_closed_then_and_nothing_that_closes_later(
    *, ago: timedelta, is_let_in: bool
) -> None:
    world = World()
    world.cluster.clock.jump(timedelta(hours=2))
    world.when_rolling_out(ONE)
    at = world.cluster.clock.now() - ago
    by = replace(BY, override=Override("maria", "the shop is down", at))
    if is_let_in:
        assert rolled_out(world, closed(world), by).state is RolloutState.SUCCEEDED
    else:
        with pytest.raises(GateClosed, match="frozen until"):
            rolled_out(world, closed(world), by)


def test_a_commit_without_the_freeze_of_what_is_live_does_not_come_in_through_it() -> None:
    world = World()
    new_year = Freeze(start="2026-01-02", end="2026-01-03", reason="New Year")
    rolled_out(world, closed(world, new_year), By("first", "ann"), ONE)
    world.cluster.clock.jump(timedelta(days=1))
    with pytest.raises(GateClosed, match=r"frozen until Sun 2026-01-04 00:00 UTC \(New Year\)"):
        rolled_out(world, world.place)


def test_a_rollout_that_has_begun_goes_on_in_a_freeze(world: World) -> None:
    world.cluster.kill_after = 3
    with suppress(Killed):
        rolled_out(world, world.place)
    world.cluster.kill_after = None
    assert history(world.place, world.cluster)[0].state is RolloutState.STARTED
    assert rolled_out(world, closed(world)).state is RolloutState.SUCCEEDED


def test_what_is_live_already_is_no_rollout() -> None:
    world = World()
    tomorrow = closed(world, Freeze(start="2026-01-02", end="2026-01-03"))
    rolled_out(world, tomorrow, By("first", "ann"), ONE)
    world.cluster.clock.jump(timedelta(days=1))
    assert rolled_out(world, tomorrow, wanted=ONE).number == 1


def test_no_freeze_stops_a_rollback(world: World) -> None:
    rolled_out(
        world,
        closed(world),
        replace(BY, override=Override("maria", "it is urgent", world.cluster.clock.now())),
    )
    roll_back(closed(world), By("third", "ann"), Back("users suffer"), world.ports)
    assert releases(world)[0] == ONE.id
