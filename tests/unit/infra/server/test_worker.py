import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType

from flows.clearing import RECOVERING
from infra.server.worker import (
    GRACE,
    MOST_RECOVERIES,
    close_expired,
    has_expired,
    is_orphaned,
    next_state,
    reschedule,
)

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "age", "expected"),
    [
        pytest.param("CRASHED", 0, True, id="a crashed run is started again at once"),
        pytest.param("RUNNING", 60, True, id="a run that nobody runs is started again"),
        pytest.param("RUNNING", 5, False, id="a run that has just begun gets time"),
        pytest.param("PENDING", 60, True, id="a run that was never begun is started again"),
        pytest.param("PAUSED", 60, False, id="a run that waits for people has no process"),
        pytest.param("CANCELLED", 60, False, id="a run that was cancelled stays so"),
        pytest.param("COMPLETED", 60, False, id="a run that has ended stays so"),
    ],
)
def test_a_run_without_a_process(state: str, age: int, expected: bool) -> None:  # noqa: FBT001
    found = State(type=StateType(state), timestamp=NOW - timedelta(seconds=age))
    assert is_orphaned(found, NOW, GRACE) is expected


def test_a_worker_that_starts_waits_for_nobody() -> None:
    assert is_orphaned(State(type=StateType.RUNNING, timestamp=NOW), NOW, None)


@pytest.mark.parametrize(
    ("recoveries", "expected"),
    [
        pytest.param(0, StateType.SCHEDULED, id="the first time it goes on"),
        pytest.param(MOST_RECOVERIES - 1, StateType.SCHEDULED, id="the last time it goes on"),
        pytest.param(MOST_RECOVERIES, StateType.FAILED, id="a run that always ends is given up"),
    ],
)
def test_a_run_without_a_process_goes_on_but_not_for_ever(
    recoveries: int, expected: StateType
) -> None:
    before = [State(type=StateType.SCHEDULED, name=RECOVERING) for _ in range(recoveries)]
    paused = [State(type=StateType.PAUSED, name="Suspended") for _ in range(20)]
    assert next_state([*before, *paused]).type is expected


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        pytest.param(("RUNNING", "PAUSED", "FAILED"), True, id="never answered"),
        pytest.param(("RUNNING", "PAUSED", "RUNNING", "FAILED"), False, id="answered, then failed"),
        pytest.param(("PAUSED", "FAILED", "SCHEDULED"), False, id="let go on already"),
        pytest.param(("FAILED",), False, id="never paused"),
        pytest.param((), False, id="nothing is known"),
    ],
)
def test_a_run_that_nobody_answered_is_told_from_one_that_failed(
    types: tuple[str, ...],
    expected: bool,  # noqa: FBT001
) -> None:
    states = [
        State(type=StateType(name), timestamp=NOW + timedelta(seconds=number))
        for number, name in enumerate(types)
    ]
    assert has_expired(reversed(states)) is expected


@dataclass
class Server:
    """One run at Prefect's server, which may not answer once."""

    states: list[State[Any]]
    away: set[str] = field(default_factory=set)

    @property
    def run(self) -> FlowRun:
        newest = self.states[-1]
        return FlowRun(flow_id=uuid4(), state_id=newest.id, state=newest)

    async def read_flow_runs(self, **_filters: object) -> list[FlowRun]:
        return [self.run]

    async def read_flow_run_states(self, _run: UUID) -> list[State[Any]]:
        self._answer("read")
        return self.states

    async def set_flow_run_state(self, _run: UUID, state: State[Any], *, force: bool) -> None:
        assert force
        self._answer("set")
        self.enters(state)

    def enters(self, state: State[Any]) -> None:
        self.states = [*self.states, state]

    def _answer(self, question: str) -> None:
        if question in self.away:
            self.away.clear()
            raise ConnectionError(question)


def given(*types: str, **more: Any) -> Server:  # noqa: ANN401 fields of different types
    return Server([state(name, number) for number, name in enumerate(types)], **more)


def state(name: str, second: int) -> State[Any]:
    return State(type=StateType(name), timestamp=NOW + timedelta(seconds=second))


def names(server: Server) -> list[str]:
    return [each.name or "" for each in server.states]


@pytest.mark.parametrize("question", ["read", "set"])
def test_a_run_that_nobody_answered_is_closed_although_the_server_was_away(question: str) -> None:
    server = given("RUNNING", "PAUSED", "FAILED", away={question})
    failed, known = server.run.state_id, set[UUID]()
    with pytest.raises(ConnectionError):
        asyncio.run(close_expired(cast("PrefectClient", server), known))
    asyncio.run(close_expired(cast("PrefectClient", server), known))
    assert names(server)[-1] == RECOVERING
    assert known == {failed}


def test_a_run_whose_process_is_gone_goes_on() -> None:
    server = given("RUNNING")
    asyncio.run(reschedule(cast("PrefectClient", server), [server.run], None))
    assert names(server) == ["Running", RECOVERING]


@pytest.mark.parametrize("now", ["COMPLETED", "PAUSED", "CANCELLED", "CANCELLING", "SCHEDULED"])
def test_what_a_run_has_become_since_it_was_listed_is_not_overwritten(now: str) -> None:
    server = given("RUNNING")
    listed = server.run
    server.enters(state(now, 9))
    asyncio.run(reschedule(cast("PrefectClient", server), [listed], None))
    assert [each.type for each in server.states] == [StateType.RUNNING, StateType(now)]
