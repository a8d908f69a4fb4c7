from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.application import Freeze
from tasks.freeze import frozen_until

LISBON = ZoneInfo("Europe/Lisbon")
WEEKEND = Freeze(start="Fri 16:00", end="Mon 08:00", tz="Europe/Lisbon")


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
def test_a_weekend_freeze_holds_by_the_wall_clock(
    instant: tuple[int, int, int, int, int], end: tuple[int, int, int, int, int] | None
) -> None:
    expected = None if end is None else datetime(*end, tzinfo=LISBON)
    assert frozen_until([WEEKEND], datetime(*instant, tzinfo=LISBON)) == expected


def test_the_longest_of_two_freezes_counts() -> None:
    day = Freeze(start="Sat 00:00", end="Sat 12:00", tz="Europe/Lisbon")
    saturday = datetime(2026, 11, 21, 3, 0, tzinfo=LISBON)
    assert frozen_until([day, WEEKEND], saturday) == datetime(2026, 11, 23, 8, 0, tzinfo=LISBON)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_end_lies_ahead_and_within_a_week(now: datetime) -> None:
    end = frozen_until([WEEKEND], now)
    assert end is None or 0 < (end - now).total_seconds() <= 7 * 86_400
