from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.calendar import DAYS, Calendar, Closed, frozen_until
from tasks.core.gates import Freeze, Window

LISBON = ZoneInfo("Europe/Lisbon")
WEEKEND = Freeze(start="Fri 16:00", end="Mon 08:00", tz="Europe/Lisbon")
HOLIDAYS = Freeze(start="2026-12-20", end="2027-01-03", tz="Europe/Lisbon", reason="year's end")
OFFICE = Window(start="Mon 09:00", end="Fri 16:00", tz="Europe/Lisbon")
Moment = tuple[int, int, int, int, int]


def lisbon(*moment: int, fold: int = 0) -> datetime:
    year, month, day, hour, minute = moment
    return datetime(year, month, day, hour, minute, tzinfo=LISBON, fold=fold)


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        pytest.param((2026, 11, 20, 15, 59), None, id="friday before four is open"),
        pytest.param((2026, 11, 20, 16, 0), (2026, 11, 23, 8, 0), id="friday at four is frozen"),
        pytest.param((2026, 11, 22, 12, 0), (2026, 11, 23, 8, 0), id="sunday is frozen"),
        pytest.param((2026, 11, 23, 7, 59), (2026, 11, 23, 8, 0), id="monday early is frozen"),
        pytest.param((2026, 11, 23, 8, 0), None, id="monday at eight is open"),
        pytest.param((2026, 10, 24, 12, 0), (2026, 10, 26, 8, 0), id="the clock goes back inside"),
        pytest.param((2026, 3, 28, 12, 0), (2026, 3, 30, 8, 0), id="the clock goes forward inside"),
    ],
)
def test_a_weekend_freeze_holds_by_the_wall_clock(instant: Moment, end: Moment | None) -> None:
    expected = None if end is None else lisbon(*end)
    assert frozen_until([WEEKEND], lisbon(*instant)) == expected


def test_the_longest_of_two_freezes_counts() -> None:
    day = Freeze(start="Sat 00:00", end="Sat 12:00", tz="Europe/Lisbon")
    assert frozen_until([day, WEEKEND], lisbon(2026, 11, 21, 3, 0)) == lisbon(2026, 11, 23, 8, 0)


@pytest.mark.parametrize(
    ("instant", "closed"),
    [
        pytest.param((2026, 12, 19, 23, 59), False, id="the minute before the first day"),
        pytest.param((2026, 12, 20, 0, 0), True, id="the first minute"),
        pytest.param((2027, 1, 3, 23, 59), True, id="the last day counts as a whole"),
        pytest.param((2027, 1, 4, 0, 0), False, id="the day after"),
    ],
)
def test_a_freeze_by_date_holds_through_its_last_day(instant: Moment, *, closed: bool) -> None:
    assert (Calendar(freezes=(HOLIDAYS,)).closed(lisbon(*instant)) is not None) == closed


def test_a_freeze_by_date_may_begin_and_end_in_the_middle_of_a_day() -> None:
    freeze = Freeze(start="2026-12-24 14:00", end="2026-12-26 10:00")
    ends = datetime(2026, 12, 26, 10, tzinfo=UTC)
    assert frozen_until([freeze], ends - timedelta(minutes=1)) == ends
    assert frozen_until([freeze], datetime(2026, 12, 24, 13, 59, tzinfo=UTC)) is None


CALENDARS = {
    "inside a window it is open": ((2026, 11, 26, 12, 0), None),
    "after it, until the next one": (
        (2026, 11, 27, 16, 0),
        Closed("outside its windows until Mon 2026-11-30 09:00 WET", lisbon(2026, 11, 30, 9, 0)),
    ),
    "a freeze goes before a window, and opens where both do": (
        (2026, 12, 22, 12, 0),
        Closed("frozen until Mon 2027-01-04 00:00 WET (year's end)", lisbon(2027, 1, 4, 9, 0)),
    ),
    "a window that opens into a freeze does not open": (
        (2026, 12, 19, 12, 0),
        Closed("outside its windows until Mon 2026-12-21 09:00 WET", lisbon(2027, 1, 4, 9, 0)),
    ),
}


@pytest.mark.parametrize(("instant", "expected"), CALENDARS.values(), ids=CALENDARS.keys())
def test_windows_and_freezes_together(instant: Moment, expected: Closed | None) -> None:
    assert Calendar((OFFICE,), (HOLIDAYS,)).closed(lisbon(*instant)) == expected


def test_of_windows_in_two_places_either_will_do() -> None:
    tokyo = Window(start="Mon 09:00", end="Mon 10:00", tz="Asia/Tokyo")
    calendar = Calendar((OFFICE, tokyo))
    closed = calendar.closed(datetime(2026, 11, 29, 23, 0, tzinfo=UTC))
    assert closed is not None
    assert closed.reason == "outside its windows until Mon 2026-11-30 09:00 JST"
    assert calendar.closed(datetime(2026, 11, 30, 0, 30, tzinfo=UTC)) is None


def test_what_never_opens_says_so() -> None:
    always = (
        Freeze(start="Mon 00:00", end="Thu 00:00"),
        Freeze(start="Thu 00:00", end="Mon 00:00"),
    )
    closed = Calendar(freezes=always).closed(datetime(2026, 1, 1, tzinfo=UTC))
    assert closed is not None
    assert closed.opens is None


# On 25 October 2026 Lisbon's clocks show 01:00 to 01:59 twice, on 29 March not at all.
EARLY = Freeze(start="Sun 01:15", end="Sun 01:45", tz="Europe/Lisbon")


@pytest.mark.parametrize(
    ("minute", "fold", "holds"),
    [
        pytest.param(14, 0, False, id="before the first time"),
        pytest.param(15, 0, True, id="the first time"),
        pytest.param(59, 0, True, id="between the two"),
        pytest.param(0, 1, True, id="between the two, the clock has gone back"),
        pytest.param(44, 1, True, id="the second time"),
        pytest.param(45, 1, False, id="after the second time"),
    ],
)
def test_a_freeze_in_the_hour_that_comes_twice_is_not_left_in_between(
    minute: int, fold: int, *, holds: bool
) -> None:
    now = lisbon(2026, 10, 25, 1, minute, fold=fold)
    assert (frozen_until([EARLY], now) is not None) == holds


def test_a_window_in_the_hour_that_comes_twice_opens_once() -> None:
    calendar = Calendar((Window(start="Sun 01:15", end="Sun 01:45", tz="Europe/Lisbon"),))
    first, second = (lisbon(2026, 10, 25, 1, 30, fold=fold) for fold in (0, 1))
    assert calendar.closed(first) is None
    assert calendar.closed(second) is not None


def test_a_time_that_the_clock_skips_is_the_instant_of_the_jump() -> None:
    into = Freeze(start="Sat 12:00", end="Sun 01:30", tz="Europe/Lisbon")
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert frozen_until([into], jump - timedelta(seconds=1)) == jump
    assert frozen_until([EARLY], jump) is None
    over = Freeze(start="Sun 01:30", end="Sun 02:15", tz="Europe/Lisbon")
    assert frozen_until([over], jump) == jump + timedelta(minutes=15)


ZONES = st.sampled_from(
    [
        "Europe/Lisbon",
        "America/New_York",
        "America/St_Johns",
        "Australia/Lord_Howe",  # by half an hour
        "Pacific/Apia",  # left a whole day out
        "Africa/Casablanca",
        "Asia/Kathmandu",
    ]
)
WEEKLY = st.builds(
    "{} {:02}:{:02}".format, st.sampled_from(DAYS), st.integers(0, 23), st.integers(0, 59)
)
NAIVE = st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 the zone is drawn


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """Any instant, and every other one within hours of a change of the clock."""
    now = draw(NAIVE).replace(tzinfo=UTC)
    if draw(st.booleans()):
        return now
    there = ZoneInfo(zone)
    days = (now + timedelta(days=day) for day in range(366))
    before = (day for day in days if offset(day, there) != offset(day + timedelta(days=1), there))
    return next(before, now) + timedelta(minutes=draw(st.integers(-600, 2400)))


def offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def shows_inside(rule: Freeze | Window, now: datetime) -> bool:
    """Say whether the place's clock shows a time between the two, as a person would look."""
    wall = now.astimezone(ZoneInfo(rule.tz))
    shown = f"{wall.weekday()} {wall:%H:%M}"
    start, end = (f"{DAYS.index(each[:3])} {each[4:]}" for each in (rule.start, rule.end))
    return start <= shown < end if start < end else shown >= start or shown < end


@given(st.data(), ZONES, WEEKLY, WEEKLY)
def test_whenever_the_clock_shows_a_frozen_time_it_is_frozen(
    data: st.DataObject, zone: str, start: str, end: str
) -> None:
    now = data.draw(instants(zone))
    freeze = Freeze(start=start, end=end, tz=zone)
    until = frozen_until([freeze], now)
    if start != end and shows_inside(freeze, now):
        assert until is not None
    if until is not None:
        assert until > now
        assert not shows_inside(freeze, until) or start == end


@given(st.data(), ZONES, WEEKLY, WEEKLY)
def test_far_from_a_change_of_the_clock_both_are_what_the_clock_shows(
    data: st.DataObject, zone: str, start: str, end: str
) -> None:
    now = data.draw(instants(zone))
    there, day = ZoneInfo(zone), timedelta(days=1, hours=1)
    if start == end or len({offset(now + shift * day, there) for shift in (-1, 0, 1)}) > 1:
        return
    freeze, window = Freeze(start=start, end=end, tz=zone), Window(start=start, end=end, tz=zone)
    assert (frozen_until([freeze], now) is not None) == shows_inside(freeze, now)
    assert (Calendar((window,)).closed(now) is None) == shows_inside(window, now)


@given(st.data(), ZONES, WEEKLY, WEEKLY, WEEKLY, WEEKLY)
def test_where_it_opens_it_is_open_and_a_freeze_goes_before_a_window(  # noqa: PLR0913, PLR0917 drawn
    data: st.DataObject, zone: str, a: str, b: str, c: str, d: str
) -> None:
    now = data.draw(instants(zone))
    freeze = Freeze(start=c, end=d, tz=zone)
    calendar = Calendar((Window(start=a, end=b, tz=zone),), (freeze,) if c != d else ())
    closed = calendar.closed(now) if a != b else None
    if closed is not None and closed.opens is not None:
        assert closed.opens >= now
        assert calendar.closed(closed.opens) is None
        assert calendar.closed(closed.opens - timedelta(seconds=1)) is not None
    if frozen_until(calendar.freezes, now) is not None and a != b:
        assert closed is not None
