"""What is live has a say in what replaces it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.admission import Admission, admission
from tasks.core.application import Environment
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Freeze, Window

BARE = Environment("deploy", "shop-prod")
ANA = Approval(approvers=("ana",), count=1)
MALLORY = Approval(approvers=("mallory",), not_author=False)
SALE, FAIR = (
    Freeze(start="2026-01-01", end="2026-01-05"),
    Freeze(start="Sat 00:00", end="Mon 00:00"),
)
MORNING, EVENING = (
    Window(start=f"Mon {a}", end=f"Mon {b}") for a, b in (("08:00", "09:00"), ("18:00", "19:00"))
)
GUARDED = replace(BARE, approval=ANA, freezes=(SALE,), overriders=("maria",))
ALL = ("approval", "freezes", "overriders")
OFFICE = replace(BARE, windows=(MORNING,))


@pytest.mark.parametrize(
    ("own", "live", "expected"),
    [
        pytest.param(
            GUARDED, None, Admission(ANA, Calendar(freezes=(SALE,)), ("maria",)), id="the first"
        ),
        pytest.param(
            BARE,
            GUARDED,
            Admission(ANA, Calendar(freezes=(SALE,)), ("maria",), ALL),
            id="a rule fewer",
        ),
        pytest.param(
            GUARDED,
            BARE,
            Admission(ANA, Calendar(freezes=(SALE,)), ("maria",), ALL),
            id="a rule more",
        ),
        pytest.param(
            replace(GUARDED, approval=MALLORY, freezes=(FAIR,), overriders=("mallory",)),
            GUARDED,
            Admission(ANA, Calendar(freezes=(FAIR, SALE)), ("maria",), ALL),
            id="other people and times",
        ),
        pytest.param(
            replace(BARE, windows=(EVENING,)),
            OFFICE,
            Admission(None, Calendar((EVENING,), also=(MORNING,)), (), ("windows",)),
            id="other windows",
        ),
        pytest.param(OFFICE, OFFICE, Admission(None, Calendar((MORNING,)), ()), id="the same"),
    ],
)
def test_whoever_guards_what_is_live_lets_in_what_replaces_it(
    own: Environment, live: Environment | None, expected: Admission
) -> None:
    assert admission(own, live) == expected


HOURS = st.builds("{} {:02}:00".format, st.sampled_from(("Mon", "Thu", "Sun")), st.integers(0, 23))
WINDOWS = st.lists(st.builds(lambda a, b: Window(start=a, end=b), HOURS, HOURS), max_size=2)
FREEZES = st.lists(st.builds(lambda a, b: Freeze(start=a, end=b), HOURS, HOURS), max_size=2)
CALENDARS = st.builds(lambda w, f: Calendar(tuple(w), tuple(f)), WINDOWS, FREEZES)
INSTANTS = st.integers(0, 7 * 24 * 60).map(
    lambda minute: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(CALENDARS, INSTANTS, st.integers(0, 4 * 24 * 60))
def test_what_somebody_opened_is_open_then_and_never_closed_where_nothing_is(
    calendar: Calendar, opened: datetime, minutes: int
) -> None:
    assert calendar.closed(opened, opened) is None
    now = opened + timedelta(minutes=minutes)
    closed = calendar.closed(now, opened)
    assert closed is None or calendar.closed(now) is not None


@given(CALENDARS, CALENDARS, INSTANTS)
def test_a_calendar_within_another_is_open_while_both_are(
    own: Calendar, other: Calendar, now: datetime
) -> None:
    closed = own.within(other).closed(now)
    assert (closed is None) == (own.closed(now) is None and other.closed(now) is None)
    if closed is not None and closed.opens is not None:
        assert own.within(other).closed(closed.opens) is None
