from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from infra.server.worker import GRACE, MOST_RUNS, is_orphaned

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "age", "runs", "expected"),
    [
        pytest.param("CRASHED", 0, 1, True, id="a crashed run is started again at once"),
        pytest.param("RUNNING", 60, 1, True, id="a run that nobody runs is started again"),
        pytest.param("RUNNING", 5, 1, False, id="a run that has just begun gets time"),
        pytest.param("PENDING", 60, 1, True, id="a run that was never begun is started again"),
        pytest.param("CRASHED", 0, MOST_RUNS, False, id="a run that crashes always is given up"),
    ],
)
def test_a_run_without_a_process(state: str, age: int, runs: int, expected: bool) -> None:  # noqa: FBT001
    run = FlowRun(
        flow_id=uuid4(),
        run_count=runs,
        state=State(type=StateType(state), timestamp=NOW - timedelta(seconds=age)),
    )
    assert is_orphaned(run, NOW, GRACE) is expected


def test_a_worker_that_starts_waits_for_nobody() -> None:
    run = FlowRun(flow_id=uuid4(), run_count=1, state=State(type=StateType.RUNNING, timestamp=NOW))
    assert is_orphaned(run, NOW, None)
