from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from infra.server.worker import (
    GRACE,
    MOST_RECOVERIES,
    RECOVERING,
    has_expired,
    is_orphaned,
    next_state,
)

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "age", "expected"),
    [
        pytest.param("CRASHED", 0, True, id="a crashed run is started again at once"),
        pytest.param("RUNNING", 60, True, id="a run that nobody runs is started again"),
        pytest.param("RUNNING", 5, False, id="a run that has just begun gets time"),
        pytest.param("PENDING", 60, True, id="a run that was never begun is started again"),
    ],
)
def test_a_run_without_a_process(state: str, age: int, expected: bool) -> None:  # noqa: FBT001
    run = FlowRun(
        flow_id=uuid4(),
        state=State(type=StateType(state), timestamp=NOW - timedelta(seconds=age)),
    )
    assert is_orphaned(run, NOW, GRACE) is expected


def test_a_worker_that_starts_waits_for_nobody() -> None:
    run = FlowRun(flow_id=uuid4(), run_count=1, state=State(type=StateType.RUNNING, timestamp=NOW))
    assert is_orphaned(run, NOW, None)


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
