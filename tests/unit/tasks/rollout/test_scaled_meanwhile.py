"""Who sets the number of stable pods while a release comes in beside them, and afterwards."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import pytest

from tasks.core.model import Outcome, Release, Verdict
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Rolling, Strategy
from tasks.core.watching import Reading
from tasks.rollout.changing import scaled_since
from tests.unit.tasks.rollout.world import (
    WELL,
    World,
    autoscaler,
    deployment,
    image,
    make_release,
    service,
)

BAKE = timedelta(seconds=5)
CANARY = Strategy(canary=Canary(steps=(50, 100), bake=BAKE))
ROLLING = Strategy(rolling=Rolling())
BAD = Reading(Verdict(Outcome.FAILED, "availability: 20 % of 100 requests failed"))
PROBE_FAILED = Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")


def release(digit: str, replicas: int = 2) -> Release:
    api = image("api", digit)
    workload = deployment("api", api.reference, replicas=replicas, track="stable")
    return make_release(service("api"), workload, images=(api,))


def given_live(strategy: Strategy = CANARY) -> World:
    world = World(strategy=strategy)
    world.when_rolling_out(release("1"))
    world.cluster.clock.wait(timedelta(hours=1))
    return world


def scale_by(manager: str, replicas: int) -> Callable[[World], None]:
    def scale(world: World) -> None:
        workload = world.workload("api")
        workload["spec"]["replicas"] = replicas
        world.cluster.change(workload, manager)

    return scale


def have_autoscaler(world: World) -> None:
    """Make an autoscaler that no release has brought."""
    scaler = autoscaler("keda-hpa-api")
    scaler["metadata"]["namespace"] = "shop"
    scaler["spec"]["scaleTargetRef"]["name"] = "api"
    world.cluster.change(scaler, "keda-operator")


def autoscale(world: World) -> None:
    have_autoscaler(world)
    scale_by("kube-controller-manager", 10)(world)


SCALERS = pytest.mark.parametrize(
    "scaler", [scale_by("kubectl-scale", 10), autoscale], ids=["a person", "an autoscaler"]
)


@SCALERS
@pytest.mark.parametrize("on_drift", ["refuse", "take over"])
@pytest.mark.parametrize("wanted", [2, 4])
def test_stable_pods_that_somebody_scales_during_a_canary_keep_their_number(
    scaler: Callable[[World], None], on_drift: Literal["refuse", "take over"], wanted: int
) -> None:
    world = given_live()
    world.on_drift = on_drift
    world.meanwhile = [scaler]
    record = world.when_rolling_out(release("2", wanted))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert world.image_of("api") == image("api", "2").reference
    assert world.replicas_of("api") == 10


@SCALERS
def test_a_promotion_that_fails_goes_back_with_as_many_pods_as_there_are_now(
    scaler: Callable[[World], None],
) -> None:
    world = given_live()
    world.meanwhile = [scaler]
    passed = Verdict(Outcome.PASSED, "probes passed")
    world.verdicts = [passed, passed, PROBE_FAILED]
    record = world.when_rolling_out(release("2"))
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith(PROBE_FAILED.reason), record.reason
    assert world.image_of("api") == image("api", "1").reference
    assert world.replicas_of("api") == 10


def test_a_canary_that_goes_back_by_traffic_leaves_the_number_of_stable_pods_alone() -> None:
    world = given_live()
    world.meanwhile = [scale_by("kubectl-scale", 10)]
    world.readings = [WELL, BAD]
    assert world.when_rolling_out(release("2")).state is RolloutState.RESTORED
    assert world.replicas_of("api") == 10


@SCALERS
def test_pods_scaled_during_a_rolling_update_keep_their_number_on_the_way_back(
    scaler: Callable[[World], None],
) -> None:
    world = given_live(Strategy(rolling=Rolling(bake=BAKE)))
    world.meanwhile = [scaler]
    world.readings = [WELL, BAD]
    assert world.when_rolling_out(release("2")).state is RolloutState.RESTORED
    assert world.replicas_of("api") == 10


@pytest.mark.parametrize("strategy", [CANARY, ROLLING], ids=["canary", "rolling"])
def test_a_release_that_changes_the_number_itself_takes_it_back_when_it_fails(
    strategy: Strategy,
) -> None:
    world = given_live(strategy)
    passed = Verdict(Outcome.PASSED, "probes passed")
    world.verdicts = [passed, passed, PROBE_FAILED] if strategy is CANARY else [PROBE_FAILED]
    assert world.when_rolling_out(release("2", 5)).state is RolloutState.RESTORED
    assert world.replicas_of("api") == 2


@pytest.mark.parametrize("strategy", [CANARY, ROLLING], ids=["canary", "rolling"])
def test_what_was_scaled_before_is_taken_over_where_the_file_says_so(strategy: Strategy) -> None:
    world = given_live(strategy)
    world.on_drift = "take over"
    scale_by("kubectl-scale", 10)(world)
    world.cluster.clock.wait(timedelta(minutes=1))
    assert world.when_rolling_out(release("2")).state is RolloutState.SUCCEEDED
    assert world.replicas_of("api") == 2


@pytest.mark.parametrize("strategy", [CANARY, ROLLING], ids=["canary", "rolling"])
def test_an_autoscaler_that_no_release_has_brought_keeps_its_number(strategy: Strategy) -> None:
    world = given_live(strategy)
    have_autoscaler(world)
    scale_by("kube-controller-manager", 10)(world)
    world.cluster.clock.wait(timedelta(minutes=1))
    record = world.when_rolling_out(release("2"))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert world.replicas_of("api") == 10
    assert record.plan is not None
    assert not any("replicas" in change.diff for change in record.plan.changes)
    assert world.when_rolling_out(release("2")) == record, "nothing differs from the live release"


def test_pods_at_rest_come_back_for_an_autoscaler_that_no_release_has_brought() -> None:
    world = given_live(Strategy(canary=Canary(steps=(50, 100), bake=BAKE, standby=False)))
    have_autoscaler(world)
    scale_by("kube-controller-manager", 10)(world)
    assert world.when_rolling_out(release("2")).state is RolloutState.SUCCEEDED
    assert world.replicas_of("api") == 10


def test_the_number_of_an_autoscaler_that_has_gone_is_ours_again() -> None:
    world = given_live()
    scale_by("kube-controller-manager", 10)(world)
    world.cluster.clock.wait(timedelta(minutes=1))
    assert world.when_rolling_out(release("2")).state is RolloutState.SUCCEEDED
    assert world.replicas_of("api") == 2


def test_what_tells_no_time_may_have_been_set_since_the_rollout_began() -> None:
    """The API server writes none for the subresource `scale`."""
    world = given_live()
    scale_by("kubectl-scale", 10)(world)
    began = world.cluster.clock.now() + timedelta(minutes=1)
    scaled = world.workload("api")
    assert not scaled_since(scaled, began)
    for entry in scaled["metadata"]["managedFields"]:
        del entry["time"]
    assert scaled_since(scaled, began)
