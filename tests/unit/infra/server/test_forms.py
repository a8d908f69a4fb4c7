"""What the end of a run makes the worker do about forms."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

from deployments.registered import Registered
from infra.server.forms import CHANGED, meant, run_of
from tasks.core.application import Application, Component, Environment


def registered(name: str) -> Registered:
    described = Application(name, {"api": Component("api")}, {"prod": Environment("prod", name)})
    return Registered(f"https://git.example/{name}.git", described)


SHOP, BANK, WIKI = registered("shop"), registered("bank"), registered("wiki")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([{"repository": SHOP.address}], ("shop",), id="a delivery"),
        pytest.param([{"application": "bank"}], ("bank",), id="a rollback"),
        pytest.param(
            [{"application": "wiki"}, {"repository": SHOP.address}, {"application": "wiki"}],
            ("shop", "wiki"),
            id="some that ended together",
        ),
        pytest.param([{"application": "other"}], (), id="nobody has registered it"),
        pytest.param(
            [{"application": "bank"}, {"repository": "/home/ana/shop"}],
            ("shop", "bank", "wiki"),
            id="it may be anybody's",
        ),
    ],
)
def test_whose_forms_are_looked_at(told: list[dict[str, Any]], expected: tuple[str, ...]) -> None:
    found = meant((SHOP, BANK, WIKI), told)
    assert tuple(each.application.application for each in found) == expected


@flow
def rollback() -> None:
    """Stand for ours by its name."""


@flow
def remind() -> None:
    """Stand for one that changes no environment."""


async def _ended(name: str) -> tuple[UUID, Event]:
    """End a run, and return it with what the server tells of that."""
    wanted = EventFilter(event=EventNameFilter(name=list(CHANGED)))
    async with get_client() as client, get_events_subscriber(filter=wanted) as events:
        known = {"rollback": rollback, "remind": remind}[name]
        run = await client.create_flow_run(known)
        await client.set_flow_run_state(run.id, State(type=StateType.COMPLETED), force=True)
        async for event in events:
            if str(run.id) in event.resource.id:
                return run.id, event
    raise AssertionError("the server told nothing")


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(("name", "counts"), [("rollback", True), ("remind", False)])
def test_a_run_counts_whose_flow_may_change_an_environment(name: str, *, counts: bool) -> None:
    run, event = asyncio.run(_ended(name))
    assert run_of(event) == (run if counts else None)
