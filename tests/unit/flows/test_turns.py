from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from flows.turns import NIGHTLY, Turn, turn

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def run(state: StateType, minutes: int, *tags: str, created: int = 0) -> FlowRun:
    """Return a run that was due so many minutes from now, and created so many from now."""
    return FlowRun.model_validate(
        {
            "flow_id": uuid4(),
            "created": (NOW + timedelta(minutes=created)).isoformat(),
            "expected_start_time": (NOW + timedelta(minutes=minutes)).isoformat(),
            "state_type": state,
            "tags": tags,
        }
    )


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
def test_of_two_runs_the_one_that_was_due_later_goes_before(
    state: StateType, minutes: int, expected: Turn
) -> None:
    assert turn(run(state, minutes), run(StateType.RUNNING, 0)) is expected


TWO_DAYS = 2 * 24 * 60


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(run(StateType.PAUSED, -5), Turn.GIVE_WAY, id="a person's run that waits"),
        pytest.param(run(StateType.RUNNING, -5), Turn.GIVE_WAY, id="a person's run that acts"),
        pytest.param(run(StateType.SCHEDULED, -5), Turn.GIVE_WAY, id="one that was just answered"),
        pytest.param(run(StateType.COMPLETED, -5), Turn.CLAIM, id="one that is over"),
        pytest.param(
            run(StateType.COMPLETED, 5), Turn.CLAIM, id="one that is over though the night is late"
        ),
        pytest.param(
            run(StateType.PAUSED, -5, NIGHTLY), Turn.END_OTHER, id="last night's is replaced"
        ),
        pytest.param(
            run(StateType.COMPLETED, -5, NIGHTLY, created=5),
            Turn.CLAIM,
            id="an earlier night that was created later",
        ),
        pytest.param(
            run(StateType.RUNNING, 5, NIGHTLY), Turn.GIVE_WAY, id="a later night does this one's"
        ),
    ],
)
def test_a_night_that_was_created_days_ahead_goes_behind_people_and_later_nights(
    other: FlowRun, expected: Turn
) -> None:
    mine = run(StateType.RUNNING, 0, NIGHTLY, created=-TWO_DAYS)
    assert turn(other, mine) is expected


@pytest.mark.parametrize(
    ("night", "expected"),
    [
        pytest.param(run(StateType.PAUSED, -5, NIGHTLY), Turn.END_OTHER, id="waits"),
        pytest.param(run(StateType.PAUSED, 5, NIGHTLY), Turn.END_OTHER, id="waits, due later"),
        pytest.param(run(StateType.RUNNING, 5, NIGHTLY), Turn.CLAIM, id="acts, due later"),
        pytest.param(run(StateType.COMPLETED, 5, NIGHTLY), Turn.CLAIM, id="is over, due later"),
    ],
)
def test_a_persons_run_is_never_behind_a_night(night: FlowRun, expected: Turn) -> None:
    assert turn(night, run(StateType.RUNNING, 0)) is expected
