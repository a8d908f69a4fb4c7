"""Runs that somebody has cancelled, as the worker sees them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Cancelling, Running

from deployments import POOL
from deployments.register import make_pool
from flows.clearing import CLEARED, CLEARING
from infra.server.cancelled import (
    PATIENCE,
    clear_cancelled,
    end_cancelling,
    is_stuck,
    must_clear,
)
from tasks.core.clock import utc_now

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def named(word: str) -> State[object]:
    """Return a state by `TYPE` or `TYPE name`."""
    kind, _, name = word.partition(" ")
    return State(type=StateType(kind), name=name or kind, timestamp=NOW)


@pytest.mark.parametrize(
    ("state", "began", "expected"),
    [
        pytest.param("CANCELLED Cancelled", True, True, id="cancelled while it ran"),
        pytest.param("CANCELLED Cancelled", False, False, id="cancelled before it began"),
        pytest.param(f"CANCELLED {CLEARED}", True, False, id="it has cleared up"),
        pytest.param("CANCELLED Superseded", True, False, id="a newer one clears up"),
        pytest.param("FAILED", True, False, id="it has failed by itself"),
    ],
)
def test_which_cancelled_runs_clear_up(state: str, began: bool, expected: bool) -> None:  # noqa: FBT001
    known = {"id": uuid4(), "flow_id": uuid4(), "start_time": NOW if began else None}
    run = FlowRun.model_validate({**known, "state": named(state)})
    assert must_clear(run) is expected


@pytest.mark.parametrize(
    ("kind", "age", "expected"),
    [
        pytest.param("CANCELLING", 5, False, id="its worker is at it"),
        pytest.param("CANCELLING", 90, True, id="nobody is at it"),
        pytest.param("RUNNING", 90, False, id="it is not cancelled"),
    ],
)
def test_whether_nobody_ends_a_cancelling_run(kind: str, age: int, expected: bool) -> None:  # noqa: FBT001
    now = NOW + timedelta(seconds=age)
    assert timedelta(seconds=5) < PATIENCE < timedelta(seconds=90)
    assert is_stuck(named(kind), now) is expected


@flow
def rollback() -> None:
    """Stand for ours by its name."""


@flow
def check() -> None:
    """Stand for a flow that does not clear up."""


async def _run_of(name: str, *states: State[object]) -> UUID:
    known = {"rollback": rollback, "check": check}[name]
    async with get_client() as client:
        flow_id = await client.create_flow(known)
        await make_pool(client)
        deployment = await client.create_deployment(flow_id, "any", work_pool_name=POOL)
        run = await client.create_flow_run_from_deployment(deployment)
        for state in states:
            await client.set_flow_run_state(run.id, state, force=True)
    return run.id


async def _looked(alive: tuple[str, ...] = (), later: timedelta = timedelta(0)) -> bool:
    async with get_client() as client:
        ending = await end_cancelling(client, {}, utc_now() + later)
        return await clear_cancelled(client, alive) or ending


async def _state_of(run: UUID) -> str | None:
    async with get_client() as client:
        return (await client.read_flow_run(run)).state_name


@pytest.mark.usefixtures("prefect")
def test_a_cancelled_run_is_started_once_more_when_its_process_has_gone() -> None:
    run = asyncio.run(_run_of("rollback", Running(), Cancelled()))
    assert asyncio.run(_looked(alive=(str(run),))), "it has to be looked at again"
    assert asyncio.run(_state_of(run)) == "Cancelled"
    assert not asyncio.run(_looked())
    assert asyncio.run(_state_of(run)) == CLEARING


@pytest.mark.usefixtures("prefect")
def test_a_run_whose_worker_died_while_it_was_cancelled_is_not_forgotten() -> None:
    run = asyncio.run(_run_of("rollback", Running(), Cancelling()))
    asyncio.run(_looked())
    assert asyncio.run(_state_of(run)) == "Cancelling"
    asyncio.run(_looked(later=2 * PATIENCE))
    assert asyncio.run(_state_of(run)) == CLEARING


@pytest.mark.usefixtures("prefect")
def test_a_flow_that_does_not_clear_up_stays_cancelled() -> None:
    run = asyncio.run(_run_of("check", Running(), Cancelled()))
    asyncio.run(_looked())
    assert asyncio.run(_state_of(run)) == "Cancelled"


@pytest.mark.usefixtures("prefect")
def test_a_check_whose_worker_died_while_it_was_cancelled_ends_too() -> None:
    run = asyncio.run(_run_of("check", Running(), Cancelling()))
    asyncio.run(_looked(later=2 * PATIENCE))
    assert asyncio.run(_state_of(run)) == "Cancelled"
