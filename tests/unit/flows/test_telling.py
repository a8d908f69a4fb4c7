"""Flows that tell people: on a channel that remembers what it heard, and GitHub in its process."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as RunState
from prefect.runtime import flow_run
from prefect.settings import (
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_UI_URL,
    temporary_settings,
)

from flows.promote import Wishes, promote
from flows.rollback import rollback
from flows.telling import Futures, await_stages, tell_begun, tell_release, telling
from tasks.core.application import Application, Component, Environment, LintTarget
from tasks.core.errors import StageFailed, Unavailable
from tasks.core.github_login import keep_login
from tasks.core.model import CheckResult, Release, Source
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.notify.model import Commit, News
from tasks.notify.ports import Channel
from tests.stand_ins.github import StandIn, standing_in
from tests.unit.tasks.releases import RELEASE
from tests.unit.tasks.rollout.world import World, config_map, deployment, make_release

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
GOOD, BAD = "1" * 40, "2" * 40
SHOP = Application(
    "shop",
    {"api": Component("api", lint=LintTarget()), "web": Component("web", lint=LintTarget())},
    {"prod": Environment("prod", "shop-prod")},
)
SOURCE = Source(
    "https://github.com/acme/shop.git",
    "c" * 40,
    "/tree",
    "Dora",
    "dora@example.com",
    "Sell more",
    datetime(2026, 1, 1, tzinfo=UTC),
    SHOP,
    (),
)


@dataclass
class Town:
    """People who listen, or do not."""

    listens: bool = True
    away: bool = False
    heard: list[str] = field(default_factory=list)
    patience: list[timedelta] = field(default_factory=list)

    def hears(self, _commit: Commit) -> bool:
        return self.listens

    @contextmanager
    def connect(self, patience: timedelta) -> Iterator["Town"]:
        self.patience.append(patience)
        yield self

    def tell(self, news: Sequence[News]) -> None:
        if self.away:
            raise Unavailable("nobody opens", where="the town", next_step="knock again")
        self.heard += [f"{each.subject}: {each.state}, {each.sentence}" for each in news]


@pytest.fixture
def town(prefect: None, monkeypatch: pytest.MonkeyPatch) -> Town:  # noqa: ARG001 the server comes first
    found = Town()
    channel = Channel("town", found.hears, found.connect)
    monkeypatch.setattr("tasks.notify.effects.CHANNELS", (channel,))
    return found


@task
def lint(component: str) -> CheckResult:
    if component == "web":
        raise StageFailed("3 problems\nweb.ts:1", "shop/web", "correct them")
    return CheckResult(component, "lint", "no problems")


@task
def build(_component: str) -> CheckResult:
    raise StageFailed("no such base image", "shop", "mend it")


@task
def smoke(_built: object) -> None:
    """Is never reached."""


@flow
@telling()
def delivery() -> None:
    tell_begun(SOURCE)
    names = ("api", "web")
    built = {name: build.submit(name) for name in names}
    futures: Futures = {
        name: {
            "lint": lint.submit(name),
            "build": built[name],
            "smoke": smoke.submit(built[name]),
            "keep": smoke.submit(built[name]),
        }
        for name in names
    }
    await_stages(futures, SOURCE, ())
    raise StageFailed("2 stages failed", "shop", "mend them")


@flow
@telling()
def good_delivery() -> str:
    tell_begun(SOURCE)
    await_stages({}, SOURCE, ("api", "web"))
    tell_release(RELEASE)
    return "delivered"


def sendings(state: RunState[Any]) -> list[str]:
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs()
    mine = [run for run in runs if run.flow_run_id == state.state_details.flow_run_id]
    return [run.name for run in mine if run.name.endswith("told")]


def test_people_hear_of_each_stage_as_the_last_component_has_passed_it(town: Town) -> None:
    state = delivery(return_state=True)
    assert str(state.message).count("2 stages failed")
    begun, rest = town.heard[:6], town.heard[6:]
    assert begun == [
        f"{stage}: pending, " for stage in ("lint", "build", "smoke", "scan", "push", "release")
    ]
    assert set(rest) == {
        "lint: failure, web: 3 problems; api: no problems",
        "build: failure, api: no such base image; web: no such base image",
        "smoke: error, api: not reached; web: not reached",
        "scan: failure, 2 stages failed",
        "push: failure, 2 stages failed",
        "release: failure, 2 stages failed",
    }


def test_what_passed_before_is_told_at_once(town: Town) -> None:
    assert good_delivery() == "delivered"
    assert (
        town.heard[6]
        == "lint: success, api: unchanged, passed before; web: unchanged, passed before"
    )
    assert town.heard[-1] == f"release: success, assembled {RELEASE.id}"


def test_a_run_that_goes_on_tells_nothing_twice(town: Town) -> None:
    @flow(retries=1)
    @telling()
    def interrupted() -> None:
        tell_begun(SOURCE)
        await_stages({}, SOURCE, ("api", "web"))
        if flow_run.run_count == 1:
            raise Unavailable("the cluster does not answer", "prod", "wait")
        tell_release(RELEASE)

    with temporary_settings({PREFECT_RESULTS_PERSIST_BY_DEFAULT: True}):
        interrupted()
    assert len(town.heard) == len(set(town.heard)) == 6 + 5 + 2
    assert town.heard[-2:] == [
        "release: error, the cluster does not answer",
        f"release: success, assembled {RELEASE.id}",
    ]


def test_nobody_who_listens_costs_no_task(town: Town) -> None:
    town.listens = False
    state = good_delivery(return_state=True)
    assert state.is_completed()
    assert (town.heard, sendings(state)) == ([], [])


def test_a_channel_that_is_away_fails_no_run_and_is_waited_for_once(town: Town) -> None:
    town.away = True
    state = good_delivery(return_state=True)
    assert state.is_completed()
    assert len(sendings(state)) == len(town.patience) > 2
    first, *later = town.patience
    assert first > timedelta(0)
    assert set(later) == {timedelta(0)}
    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts()
    said = [each for each in artifacts if each.key == "untold-town-shop"]
    assert "knock again" in str(said[0].data)


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


def brought(world: World, wanted: Release) -> RunState[Record]:
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
    assert re.search(r"\n-.*api@1\n\+.*api@2\n", comment["body"]), "the plan's diff"
    assert hub.world["deployment_statuses"][0]["environment_url"] == "https://shop.example"


def test_github_hears_of_a_rollback_by_hand(world: World, hub: StandIn) -> None:
    for version, commit in (("1", GOOD), ("2", BAD)):
        assert brought(world, release(hub, version, commit)).is_completed()
    before = len(told(hub))
    state = rollback("shop", "prod", "they suffer", TARGET, "shop", return_state=True)
    assert state.is_completed(), state.message
    assert [each[:2] for each in told(hub)[before:]] == [("1", "success")]


def test_a_rollout_does_not_depend_on_github(world: World, hub: StandIn) -> None:
    hub.fails("", 503, times=999)
    assert brought(world, release(hub, "1", GOOD)).is_completed()
    assert told(hub) == []
