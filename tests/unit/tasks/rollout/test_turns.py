"""Of releases that wait for one another, none goes in over a newer one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.core.errors import GateClosed
from tasks.core.model import Release
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.rollout import records
from tests.unit.tasks.rollout.test_canary import BAKE, ONE, SHORT, THREE, TWO
from tests.unit.tasks.rollout.world import BusyCluster, World, image

GATED = Strategy(canary=Canary(steps=(CanaryStep(50, gate=True), CanaryStep(100)), bake=BAKE))


def later(release: Release) -> Release:
    """Return a release of a newer commit."""
    return replace(release, created_at=release.created_at + timedelta(hours=1))


def given_that_meanwhile(act: Callable[[World], object], strategy: Strategy = SHORT) -> World:
    """Let something happen while the next run that has looked at the history waits."""
    world = World(cluster := BusyCluster(), strategy=strategy)
    world.when_rolling_out(ONE)
    cluster.first = [lambda: act(world)]
    return world


def test_a_release_that_waited_does_not_go_in_over_a_newer_one_that_came_meanwhile() -> None:
    world = given_that_meanwhile(lambda each: each.when_rolling_out(later(THREE)))
    said = rf"rollout 2 \({THREE.id}\) came meanwhile, of a newer commit: {TWO.id} is superseded"
    with pytest.raises(GateClosed, match=said):
        world.when_rolling_out(TWO)
    assert world.image_of("api") == image("api", "3").reference
    assert world.when_rolling_out(TWO).state is RolloutState.SUCCEEDED, "wanted all the same"


def test_a_release_that_waited_leaves_a_newer_canary_at_its_gate_alone() -> None:
    world = given_that_meanwhile(lambda each: each.when_rolling_out(later(THREE)), GATED)
    with pytest.raises(GateClosed, match=f"{TWO.id} is superseded"):
        world.when_rolling_out(TWO)
    assert records.fetch(world.cluster, "shop")[-1].record.state is RolloutState.STARTED


@pytest.mark.parametrize(
    ("other", "fate"),
    [
        pytest.param(THREE, "ready", id="one of the same age came in before it"),
        pytest.param(later(THREE), "crash", id="a newer one came and was taken back"),
    ],
)
def test_a_release_that_waited_goes_in_where(other: Release, fate: str) -> None:
    world = given_that_meanwhile(lambda each: each.when_rolling_out(other))
    world.behaviour[image("api", "3").reference] = fate
    assert world.when_rolling_out(TWO).state is RolloutState.SUCCEEDED


def test_an_older_release_that_somebody_wants_goes_in_over_a_newer_one() -> None:
    world = World(strategy=SHORT)
    world.when_rolling_out(later(ONE))
    assert world.when_rolling_out(TWO).state is RolloutState.SUCCEEDED
