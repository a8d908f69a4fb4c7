from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.cli.dora import _lasting, _often, _row
from tasks.report.dora import Figures

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NOTHING = Figures(
    "dev", NOW - timedelta(days=90), NOW, 0, 0.0, None, 0, 0, None, None, 0, 0, 0, None
)


@pytest.mark.parametrize(
    ("per_week", "text"),
    [(0, "0.0 a month"), (0.5, "2.2 a month"), (3, "3.0 a week"), (21, "3.0 a day")],
)
def test_a_frequency_is_told_in_the_unit_that_people_would_take(per_week: float, text: str) -> None:
    assert _often(per_week) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "none yet"), (96.2, "1m36s"), (47 * 3600, "47h"), (540 * 3600, "22.5 days")],
)
def test_a_duration_is_told_in_the_unit_that_people_would_take(
    seconds: float | None, text: str
) -> None:
    assert _lasting(seconds) == text


def test_what_cannot_be_counted_is_none_yet_and_not_zero() -> None:
    assert _row(NOTHING) == ("dev", "0, 0.0 a month", *["none yet"] * 4)


def test_a_row_names_each_share_with_its_counts() -> None:
    found = replace(
        NOTHING,
        deployments=39, per_week=3.0, lead_time_seconds=4200.4, failures=1, ended=40,
        change_fail_rate=1 / 40, recovery_seconds=96.0, unrecovered=1, rollbacks=2, reworks=3,
        rework_rate=3 / 42,
    )  # fmt: skip
    assert _row(found) == (
        "dev", "39, 3.0 a week", "1h10m", "2% (1 of 40)", "1m36s, 1 not yet", "7% (3 of 42)"
    )  # fmt: skip
