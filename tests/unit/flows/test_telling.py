"""A flow that tells people, on a channel that remembers what it heard."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as RunState

from flows.telling import Futures, await_stages, tell_begun, tell_release, telling
from tasks.core.application import Application, Component, Environment, LintTarget
from tasks.core.errors import StageFailed, Unavailable
from tasks.core.model import CheckResult, Source
from tasks.notify.model import Commit, News
from tasks.notify.ports import Channel
from tests.unit.tasks.releases import RELEASE

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
