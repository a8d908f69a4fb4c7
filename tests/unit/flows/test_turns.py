from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from flows.turns import NIGHTLY, Turn, turn

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


@pytest.mark.parametrize(
    ("state", "tags", "expected"),
    [
        pytest.param(StateType.PAUSED, [], Turn.GIVE_WAY, id="a person's run that waits"),
        pytest.param(StateType.RUNNING, [], Turn.GIVE_WAY, id="a person's run that acts"),
        pytest.param(StateType.SCHEDULED, [], Turn.GIVE_WAY, id="one that was just answered"),
        pytest.param(StateType.COMPLETED, [], Turn.CLAIM, id="one that is over"),
        pytest.param(StateType.PAUSED, [NIGHTLY], Turn.END_OTHER, id="last night's is replaced"),
    ],
)
def test_a_night_ends_no_run_of_a_person(state: StateType, tags: list[str], expected: Turn) -> None:
    other = run(state, -5).model_copy(update={"tags": tags})
    mine = run(StateType.RUNNING, 0).model_copy(update={"tags": [NIGHTLY]})
    assert turn(other, mine) is expected


def test_a_persons_run_replaces_a_night_that_waits() -> None:
    night = run(StateType.PAUSED, -5).model_copy(update={"tags": [NIGHTLY]})
    assert turn(night, run(StateType.RUNNING, 0)) is Turn.END_OTHER
