"""Services that select pods which only the new release has, where it comes in in place."""

import copy

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Object
from tasks.core.record import RolloutState
from tasks.rollout.model import By, Rules
from tests.unit.tasks.rollout.world import World, deployment, image, make_release, service


def release(digit: str, selector: dict[str, str], **labels: str) -> Release:
    api = image("api", digit)
    workload = deployment("api", api.reference)
    workload["spec"]["template"]["metadata"]["labels"] |= labels
    door = service("api")
    door["spec"]["selector"] = selector
    return make_release(door, workload, images=(api,))


ONE = release("1", {"app": "api"})
TWO = release("2", {"app": "api", "tier": "web"}, tier="web")


def given_live(first: Release = ONE) -> World:
    world = World()
    world.when_rolling_out(first)
    world.cluster.writes.clear()
    return world


def applied(world: World) -> list[str]:
    ours = ("Service/", "Deployment/")
    return [write for write in world.cluster.writes if any(each in write for each in ours)]


def test_a_service_that_only_new_pods_match_changes_when_they_are_ready_and_before_probes() -> None:
    world = given_live()
    selectors: list[dict[str, str]] = []

    def watch(_cluster: FakeCluster, thing: Object) -> None:
        if thing["kind"] == "Deployment":
            selectors.append(copy.deepcopy(world.selector_of("api")))

    world.cluster.controllers.insert(0, watch)
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED
    assert applied(world) == ["apply Deployment/api", "apply Service/api"]
    assert {tuple(each) for each in selectors} == {("app",)}
    assert world.selector_of("api") == {"app": "api", "tier": "web"}


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(release("2", {"app": "api"}, tier="web"), id="the selector is the same"),
        pytest.param(release("2", {"app": "other"}), id="it selects none of the release's pods"),
    ],
)
def test_any_other_service_comes_before_the_pods(second: Release) -> None:
    world = given_live()
    world.when_rolling_out(second)
    assert applied(world) == ["apply Service/api", "apply Deployment/api"]


def test_a_selector_that_the_live_pods_match_too_changes_first() -> None:
    world = given_live(release("1", {"app": "api", "tier": "web"}, tier="web"))
    world.when_rolling_out(release("2", {"app": "api"}, tier="web"))
    assert applied(world) == ["apply Service/api", "apply Deployment/api"]


def test_a_first_release_brings_its_services_first() -> None:
    world = World()
    world.when_rolling_out(TWO)
    assert applied(world) == ["apply Service/api", "apply Deployment/api"]


def test_in_waves_it_comes_after_the_last_one() -> None:
    world = given_live()
    world.rules = Rules(order={"api": (), "web": ("api",)})
    world.when_rolling_out(TWO)
    assert applied(world) == ["apply Deployment/api", "apply Service/api"]


def test_pods_that_never_come_leave_the_service_with_the_live_ones() -> None:
    world = given_live()
    world.behaviour[image("api", "2").reference] = "crash"
    assert world.when_rolling_out(TWO).state is RolloutState.RESTORED
    assert world.selector_of("api") == {"app": "api"}


def test_a_probe_that_fails_brings_the_old_selector_back() -> None:
    world = given_live()
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    assert world.when_rolling_out(TWO).state is RolloutState.RESTORED
    assert world.selector_of("api") == {"app": "api"}


def test_a_rollback_to_other_labels_waits_for_their_pods_too() -> None:
    world = given_live(TWO)
    world.when_rolling_out(release("3", {"app": "api"}))
    world.cluster.writes.clear()
    assert world.when_rolling_back().state is RolloutState.SUCCEEDED
    assert applied(world) == ["apply Deployment/api", "apply Service/api"]
    assert world.selector_of("api") == {"app": "api", "tier": "web"}


@pytest.mark.parametrize("writes", range(12))
def test_killed_anywhere_the_service_leads_to_the_new_pods_in_the_end(writes: int) -> None:
    world = given_live()
    by = By(run="x")
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    assert world.when_rolling_out(TWO, by).state is RolloutState.SUCCEEDED
    assert world.selector_of("api") == {"app": "api", "tier": "web"}
