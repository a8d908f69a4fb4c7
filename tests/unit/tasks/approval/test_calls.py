from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.approval.calls import Call, next_call
from tasks.approval.model import Request
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Escalation, Freeze

NOON = datetime(2026, 6, 6, 12, tzinfo=UTC)  # a Saturday
HOUR = timedelta(hours=1)
RULES = Approval(
    approvers=("ana",), remind=4 * HOUR, escalate=Escalation(6 * HOUR, ("dora",)), expires=12 * HOUR
)
REQUEST = Request(
    application="shop",
    environment="prod",
    release="r-0123456789ab",
    plan="p-1",
    author="Rui",
    author_email="rui@example.com",
    opened_at=NOON,
    rules=RULES,
)
ANA, BOTH = ("ana",), ("ana", "dora")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(0, Call(NOON + 4 * HOUR, ANA, escalated=False), id="the first reminder"),
        pytest.param(4, Call(NOON + 6 * HOUR, BOTH, escalated=True), id="the escalation"),
        pytest.param(6, Call(NOON + 8 * HOUR, BOTH, escalated=False), id="all of them then"),
        pytest.param(5.5, Call(NOON + 6 * HOUR, BOTH, escalated=True), id="one that was missed"),
        pytest.param(8, None, id="the end of the request is no call"),
    ],
)
def test_the_next_call(after: float, expected: Call | None) -> None:
    assert next_call(REQUEST, NOON + after * HOUR) == expected


def test_nobody_is_called_where_the_rules_say_nothing_of_it() -> None:
    assert next_call(replace(REQUEST, rules=Approval(approvers=ANA)), NOON) is None


def test_nobody_is_called_in_a_freeze() -> None:
    weekend = Calendar(freezes=(Freeze(start="Fri 16:00", end="Mon 08:00"),))
    frozen = replace(REQUEST, calendar=weekend)
    call = next_call(frozen, NOON)
    assert call is not None
    assert call.at == datetime(2026, 6, 8, 12, tzinfo=UTC)


@given(
    st.timedeltas(timedelta(minutes=1), 2 * HOUR),
    st.timedeltas(timedelta(0), 20 * HOUR),
)
def test_calls_come_one_after_the_other_until_the_end(every: timedelta, after: timedelta) -> None:
    request = replace(REQUEST, rules=replace(RULES, remind=every))
    call = next_call(request, NOON + after)
    if call is None:
        assert after + every >= RULES.expires
    else:
        assert NOON + after < call.at <= NOON + max(after, timedelta(0)) + every
        assert call.at < request.expires_at
