from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from flows.turns import Turn, turn

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def run(state: StateType, minutes: int) -> FlowRun:
    created = (NOW + timedelta(minutes=minutes)).isoformat()
    return FlowRun.model_validate({"flow_id": uuid4(), "created": created, "state_type": state})


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        pytest.param(StateType.PAUSED, -5, Turn.END_OTHER, id="an older run that waits is ended"),
        pytest.param(StateType.RUNNING, -5, Turn.CLAIM, id="an older run that acts gives way"),
        pytest.param(StateType.PAUSED, 5, Turn.GIVE_WAY, id="a newer run that waits stays"),
        pytest.param(
            StateType.SCHEDULED, 5, Turn.GIVE_WAY, id="a newer run that was just answered stays"
        ),
        pytest.param(
            StateType.COMPLETED, 5, Turn.GIVE_WAY, id="a newer release is not overwritten"
        ),
        pytest.param(
            StateType.CANCELLED, 5, Turn.CLAIM, id="a newer run that was cancelled is gone"
        ),
        pytest.param(StateType.FAILED, 5, Turn.CLAIM, id="a newer run that was refused is gone"),
    ],
)
def test_of_two_runs_the_one_that_started_later_goes_before(
    state: StateType, minutes: int, expected: Turn
) -> None:
    assert turn(run(state, minutes), run(StateType.RUNNING, 0)) is expected
