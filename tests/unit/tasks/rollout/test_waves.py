"""Hooks, the order of components, Jobs, and releases that allow no way back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Object
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Hook, Hooks, Strategy
from tasks.rollout.model import By, Rules
from tasks.rollout.waves import levels
from tests.unit.tasks.rollout.world import World, deployment, image, make_release, service

ORDER = {"api": (), "web": ("api",)}
HOOKS = Hooks(before=(Hook("expand"),), after=(Hook("contract"),))
CANARY = Strategy(canary=Canary(steps=(50, 100), bake=timedelta(seconds=3)))
FAILED = Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")


def job(name: str, image_name: str = "migrate:1") -> Object:
    container = {"name": name, "image": image_name}
    template = {"metadata": {"labels": {"job": name}}, "spec": {"containers": [container]}}
    spec = {"template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def release(digit: str, irreversible: str | None = None) -> Release:
    api, web = image("api", digit), image("web", digit)
    made = make_release(
        service("api"),
        service("web"),
        deployment("database", "mysql:8"),
        deployment("api", api.reference, track="stable"),
        deployment("web", web.reference, track="stable"),
        job("expand", f"migrate:{digit}"),
        job("contract", f"migrate:{digit}"),
        job("report", f"report:{digit}"),
        images=(api, web),
    )
    return replace(made, irreversible=irreversible)


def given_shop(strategy: Strategy | None = None, **fates: str) -> World:
    world = World(rules=Rules(hooks=HOOKS, order=ORDER))
    if strategy:
        world.strategy = strategy
    world.job_fates.update(fates)
    return world


def writes(world: World) -> list[str]:
    """What was applied, in order, without the bookkeeping."""
    ours = ("Job/", "Deployment/")
    return [write for write in world.cluster.writes if any(each in write for each in ours)]


def test_what_components_stand_on_comes_first_then_hooks_then_one_component_after_another() -> None:
    world = given_shop()
    record = world.when_rolling_out(release("1"))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert writes(world) == [
        "apply Deployment/database",
        "apply Job/expand",
        "apply Deployment/api",
        "apply Deployment/web",
        "apply Job/report",
        "apply Job/contract",
    ]


def test_hooks_run_again_in_the_next_rollout_and_a_job_with_other_pods_is_made_again() -> None:
    world = given_shop()
    world.when_rolling_out(release("1"))
    world.cluster.writes.clear()
    assert world.when_rolling_out(release("2")).state is RolloutState.SUCCEEDED
    assert [write for write in writes(world) if "Job/" in write] == [
        "delete Job/expand",
        "apply Job/expand",
        "delete Job/report",
        "apply Job/report",
        "delete Job/contract",
        "apply Job/contract",
    ]


def test_the_same_release_again_runs_no_hook() -> None:
    world = given_shop()
    first = world.when_rolling_out(release("1"))
    world.cluster.writes.clear()
    assert world.when_rolling_out(release("1")) == first
    assert writes(world) == []


def test_a_hook_that_fails_before_anything_changed_leaves_the_live_release_alone() -> None:
    world = given_shop(CANARY)
    world.when_rolling_out(release("1"))
    world.job_fates["expand"] = "failed"
    world.cluster.writes.clear()
    record = world.when_rolling_out(release("2"))
    assert record.state is RolloutState.RESTORED
    assert "Job/expand: the job failed" in record.reason
    assert not [write for write in writes(world) if write.startswith("apply Deployment")]


def test_a_rollback_runs_no_hook() -> None:
    world = given_shop()
    world.when_rolling_out(release("1"))
    world.when_rolling_out(release("2"))
    world.cluster.writes.clear()
    assert world.when_rolling_back().state is RolloutState.SUCCEEDED
    assert [write for write in writes(world) if "expand" in write] == []


def test_a_job_that_is_no_hook_is_not_waited_for() -> None:
    world = given_shop(report="never ends")
    assert world.when_rolling_out(release("1")).state is RolloutState.SUCCEEDED


@pytest.mark.parametrize("strategy", [None, CANARY], ids=["rolling", "canary"])
@pytest.mark.parametrize("cut", range(3, 40, 3))
def test_killed_anywhere_a_hook_runs_once(cut: int, strategy: Strategy | None) -> None:
    world = given_shop(strategy)
    world.when_rolling_out(release("1"))
    world.cluster.writes.clear()
    by = By(run="run-x")
    with world.killed_after(cut):
        world.when_rolling_out(release("2"), by)
    assert world.when_rolling_out(release("2"), by).state is RolloutState.SUCCEEDED
    made = [write for write in writes(world) if write in ("apply Job/expand", "apply Job/contract")]
    assert sorted(made) == ["apply Job/contract", "apply Job/expand"]


def test_the_canary_of_what_others_depend_on_is_ready_first() -> None:
    world = given_shop(CANARY)
    world.when_rolling_out(release("1"))
    world.behaviour[image("api", "2").reference] = "crash"
    record = world.when_rolling_out(release("2"))
    assert record.state is RolloutState.RESTORED
    assert "apply Deployment/web-canary" not in writes(world)


def test_an_irreversible_release_that_fails_in_its_place_is_left_to_a_person() -> None:
    world = given_shop(contract="failed")
    bad = release("2", "drops the table of 2019")
    world.job_fates.clear()
    world.when_rolling_out(release("1"))
    world.job_fates["contract"] = "failed"
    record = world.when_rolling_out(bad)
    assert record.state is RolloutState.FAILED
    assert "Job/contract: the job failed" in record.reason
    assert "nothing is taken back, for the release is irreversible" in record.reason
    assert "slipway rollback prod" in record.reason
    assert world.image_of("api") == image("api", "2").reference


def test_an_irreversible_release_goes_back_as_long_as_it_can() -> None:
    world = given_shop(CANARY)
    world.when_rolling_out(release("1"))
    world.verdicts = [FAILED]
    record = world.when_rolling_out(release("2", "drops the table of 2019"))
    assert record.state is RolloutState.RESTORED


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({}, {}),
        ({"a": ()}, {"a": 0}),
        ({"web": ("api",), "api": ("db",), "db": ()}, {"web": 2, "api": 1, "db": 0}),
        ({"web": ("api", "db"), "api": ("db",), "db": ()}, {"web": 2, "api": 1, "db": 0}),
    ],
)
def test_a_component_comes_after_all_that_it_depends_on(
    order: dict[str, tuple[str, ...]], expected: dict[str, int]
) -> None:
    assert levels(order) == expected
