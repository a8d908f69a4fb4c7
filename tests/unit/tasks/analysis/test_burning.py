from datetime import UTC, datetime, timedelta

import pytest

from tasks.analysis.burning import fast_burn, worst_burn
from tasks.analysis.model import Count, Look, Objective
from tasks.core.burn import BURN_WINDOWS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAYS_30 = timedelta(days=30)
GOAL = Objective(0.001, DAYS_30)


def minutes(*rates: tuple[int, float]) -> list[Look]:
    """Looks of a minute with 1,000 requests each, oldest first: for how long, how many bad."""
    bad = [part for length, part in rates for part in [part] * length]
    return [
        Look(NOW - timedelta(minutes=len(bad) - 1 - index), 50, Count(1000, each))
        for index, each in enumerate(bad)
    ]


@pytest.mark.parametrize(
    ("days", "limits"),
    [
        pytest.param(30, [14.4, 6.0, 1.0], id="the workbook's own table"),
        pytest.param(28, [13.44, 5.6, 1.0], id="four weeks"),
        pytest.param(7, [3.36, 1.4, 1.0], id="a week: never under 1"),
        pytest.param(90, [43.2, 18.0, 3.0], id="a quarter"),
    ],
)
def test_the_limits_follow_the_period(days: int, limits: list[float]) -> None:
    period = timedelta(days=days)
    assert [row.limit(period) for row in BURN_WINDOWS] == pytest.approx(limits)


@pytest.mark.parametrize(
    ("looks", "over"),
    [
        pytest.param(minutes((2, 20)), True, id="young and burning"),
        pytest.param(minutes((2, 0.9)), False, id="young, just under the objective"),
        pytest.param(minutes((60, 15)), True, id="for an hour at 15"),
        pytest.param(minutes((400, 0), (5, 15)), False, id="5 min at 15 in a good day"),
        pytest.param(minutes((400, 0), (40, 30)), True, id="40 min at 30 in a good day"),
        pytest.param(minutes((60, 30), (400, 0)), False, id="an hour at 30, over for hours"),
        pytest.param([], False, id="never seen"),
    ],
)
def test_both_windows_of_a_row_have_to_burn(looks: list[Look], *, over: bool) -> None:
    assert worst_burn(looks, GOAL, NOW).over is over


@pytest.mark.parametrize(
    ("budget", "rate"),
    [
        pytest.param(0.001, 0.0144, id="14.4 times the budget"),
        pytest.param(0.1, 0.55, id="half-way to all, where that is more than all"),
    ],
)
def test_a_fast_burn_is_a_rate_that_can_be_told_from_the_budget(budget: float, rate: float) -> None:
    assert fast_burn(Objective(budget, DAYS_30)) == pytest.approx(rate)
