"""Rollouts through their flows, and what GitHub hears of them in its own process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import stamina
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_UI_URL, temporary_settings

from flows.promote import Wishes, promote
from flows.rollback import rollback
from flows.telling import telling
from tasks.core.application import Application, Component
from tasks.core.github_login import keep_login
from tasks.core.model import Release
from tasks.core.record import Record
from tasks.core.target import Target
from tests.stand_ins.github import StandIn, standing_in
from tests.unit.tasks.rollout.world import World, config_map, deployment, make_release

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
GOOD, BAD = "1" * 40, "2" * 40


@pytest.fixture
def hub(world: World, tmp_path: Path) -> Iterator[StandIn]:  # noqa: ARG001 the state is its own
    """GitHub, which this machine is logged in to; nobody waits before asking it again."""
    stamina.set_testing(testing=True, attempts=2, cap=True)
    with standing_in() as found, temporary_settings({PREFECT_UI_URL: "http://prefect.example"}):
        keep_login(found.login())
        yield found
    stamina.set_testing(testing=False)


def release(hub: StandIn, version: str, commit: str) -> Release:
    objects = config_map("settings", a=version), deployment("api", f"api@{version}")
    made = make_release(*objects)
    return replace(made, commit=commit, repository=hub.address, id=f"r-{version}")


def brought(world: World, wanted: Release) -> State[Record]:
    environment = replace(world.place.environment, url="https://shop.example", probes=())
    shop = Application("shop", {"api": Component("api")}, {"prod": environment})

    @flow
    @telling()
    def bring() -> Record:
        return promote(wanted, "prod", shop, Wishes(TARGET))

    return bring(return_state=True)


def told(hub: StandIn) -> list[tuple[str, str, str]]:
    known = hub.world
    commits = {each["id"]: each["sha"] for each in known["deployments"]}
    return [
        (commits[each["deployment_id"]][0], each["state"], each["description"])
        for each in known["deployment_statuses"]
    ]


def test_github_hears_of_a_rollout_and_of_its_way_back(world: World, hub: StandIn) -> None:
    hub.knows(pulls={BAD: [{"number": 7, "head": BAD}]})
    assert brought(world, release(hub, "1", GOOD)).is_completed()
    world.behaviour["api@2"] = "crash"
    state = brought(world, release(hub, "2", BAD))
    assert state.is_completed(), state.message
    said = told(hub)
    assert [each[:2] for each in said] == [
        ("1", "queued"),
        ("1", "in_progress"),
        ("1", "success"),
        ("2", "queued"),
        ("2", "in_progress"),
        ("2", "failure"),
    ]
    assert said[0][2] == "comes next: 2 new"
    [comment] = hub.world["comments"]
    assert comment["issue"] == 7
    assert "#### ✗ prod: failure" in comment["body"]
    assert "http://prefect.example/runs/flow-run/" in comment["body"]
    assert "-image: api@1" in comment["body"].replace(" ", ""), "the plan's diff"
    assert hub.world["deployment_statuses"][0]["environment_url"] == "https://shop.example"


def test_github_hears_of_a_rollback_by_hand(world: World, hub: StandIn) -> None:
    for version, commit in (("1", GOOD), ("2", BAD)):
        assert brought(world, release(hub, version, commit)).is_completed()
    before = len(told(hub))
    state = rollback("shop", "prod", "shop", "they suffer", TARGET, return_state=True)
    assert state.is_completed(), state.message
    assert [each[:2] for each in told(hub)[before:]] == [("1", "success")]


def test_a_rollout_does_not_depend_on_github(world: World, hub: StandIn) -> None:
    hub.fails("", 503, times=999)
    assert brought(world, release(hub, "1", GOOD)).is_completed()
    assert told(hub) == []
