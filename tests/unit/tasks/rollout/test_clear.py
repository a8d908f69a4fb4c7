import pytest

from tasks.core.errors import ConfigError, GateClosed
from tasks.core.record import RolloutState
from tasks.rollout.clear import Clearance, clear
from tasks.rollout.history import is_bad, stored_history
from tests.unit.tasks.rollout.world import World, deployment, make_release

ONE = make_release(deployment("api", "api@1"))
TWO = make_release(deployment("api", "api@2"))
BECAUSE = Clearance(TWO.id, "ann", "the database was at fault")


def given_a_bad_release() -> World:
    world = World()
    for release in (ONE, TWO):
        world.when_rolling_out(release)
    world.when_rolling_back()
    return world


def test_a_release_that_was_taken_back_is_refused_with_the_way_out() -> None:
    world = given_a_bad_release()
    with pytest.raises(GateClosed, match=f"slipway release clear {TWO.id} prod --reason TEXT"):
        world.when_rolling_out(TWO)


def test_a_cleared_release_is_deployed_again_and_its_record_says_who_allowed_it() -> None:
    world = given_a_bad_release()
    (record,) = clear(BECAUSE, world.place, world.cluster, world.cluster.clock)
    said = record.moments[-1]
    assert (said.at, said.what) == (
        world.cluster.clock.now(), "cleared by ann: the database was at fault"
    )  # fmt: skip
    marks = {
        each.record.number: (each.bad, each.cleared)
        for each in stored_history(world.place, world.cluster)
    }
    assert marks == {1: (False, False), 2: (False, True), 3: (False, False)}
    assert world.when_rolling_out(TWO).state is RolloutState.SUCCEEDED


def test_a_cleared_release_that_is_taken_back_again_is_bad_again() -> None:
    world = given_a_bad_release()
    clear(BECAUSE, world.place, world.cluster, world.cluster.clock)
    world.when_rolling_out(TWO)
    world.when_rolling_back()
    assert is_bad(TWO.id, world.place, world.cluster)


@pytest.mark.parametrize(
    ("release", "what"),
    [("r-none", "no release 'r-none'"), (ONE.id, f"{ONE.id} is not marked bad")],
)
def test_what_is_not_bad_is_not_cleared(release: str, what: str) -> None:
    world = given_a_bad_release()
    with pytest.raises(ConfigError, match=f"prod/shop: {what}"):
        clear(Clearance(release, "ann", "why"), world.place, world.cluster, world.cluster.clock)
