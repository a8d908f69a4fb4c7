from datetime import timedelta

from tasks.core.model import Outcome, Verdict
from tasks.core.watching import Reading
from tasks.rollout.afterwards import judge_live
from tests.unit.tasks.rollout.world import ILL, WELL, World, config_map, deployment, make_release

ONE = make_release(deployment("api", "api@1"), deployment("web", "web@1"))
TWO = make_release(deployment("api", "api@2"), deployment("web", "web@1"))
UNSURE = Reading(Verdict(Outcome.PASSED, "too little is known"))


def given_two_rollouts() -> World:
    world = World()
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    return world


def test_what_has_changed_is_held_against_the_hour_before_its_rollout() -> None:
    world = given_two_rollouts()
    world.readings = [UNSURE, UNSURE, ILL]
    verdict = judge_live(world.place, 2, world.ports)
    assert verdict == ILL.verdict
    (watch,) = world.watched
    assert (watch.workloads, watch.in_place, watch.beside, watch.seen) == (
        ("api",),
        True,
        False,
        (),
    )
    assert watch.since < world.cluster.clock.now()


def test_a_release_that_is_surely_harmless_is_not_watched_any_longer() -> None:
    world = given_two_rollouts()
    world.readings = [UNSURE, WELL, ILL]
    assert judge_live(world.place, 2, world.ports) == WELL.verdict


def test_what_stays_unknown_is_watched_for_two_minutes() -> None:
    world = given_two_rollouts()
    world.readings = [UNSURE] * 1000
    began = world.cluster.clock.now()
    assert judge_live(world.place, 2, world.ports) == UNSURE.verdict
    assert world.cluster.clock.now() - began < timedelta(minutes=2, seconds=5)


def test_there_is_nothing_to_compare_a_first_rollout_or_the_same_pods_with() -> None:
    world = given_two_rollouts()
    assert judge_live(world.place, 1, world.ports).outcome is Outcome.NO_DATA
    same_pods = (deployment("api", "api@2"), deployment("web", "web@1"))
    world.when_rolling_out(make_release(config_map("more", a="1"), *same_pods))
    assert judge_live(world.place, 3, world.ports).outcome is Outcome.NO_DATA
    assert world.watched == []
