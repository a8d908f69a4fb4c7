from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.core.record import Record, RolloutState
from tasks.report.dora import Figures, Period, figures
from tests.unit.tasks.report.records import RECORD, RELEASE

DAY = timedelta(days=1)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
QUARTER = Period(NOW - 90 * DAY, NOW)


def rollout(number: int, what: str, *, release: str = "", restores: int | None = None) -> Record:
    """The rollout of a commit of an hour ago, on its own day, which took ten minutes."""
    began = NOW - (60 - number) * DAY
    name = release or f"r-{number}"
    return replace(
        RECORD,
        number=number,
        state=RolloutState(what),
        restores=restores,
        started_at=began,
        finished_at=None if what == "started" else began + timedelta(minutes=10),
        release=replace(RELEASE, id=name, commit=name, created_at=began - timedelta(hours=1)),
    )


def counted(*records: Record, period: Period = QUARTER) -> Figures:
    return figures("prod", records, period)


ONE = rollout(1, "succeeded")
BAD = rollout(2, "restored")
TWO = rollout(2, "succeeded")
BACK = rollout(3, "succeeded", release="r-1", restores=1)


def test_nothing_rolled_out_gives_no_figures() -> None:
    assert counted() == Figures(
        "prod", QUARTER.since, NOW, 0, 0.0, None, 0, 0, None, None, 0, 0, 0, None
    )


@pytest.mark.parametrize(
    ("records", "deployments"),
    [
        ((ONE,), 1),
        ((ONE, TWO), 2),
        ((ONE, BAD), 1),
        ((ONE, TWO, BACK), 2),
        ((ONE, rollout(2, "superseded")), 1),
        ((ONE, rollout(2, "started")), 1),
    ],
    ids=["one", "two", "restored", "a rollback is none", "superseded", "under way"],
)
def test_deployments_are_rollouts_that_went_live(
    records: tuple[Record, ...], deployments: int
) -> None:
    found = counted(*records)
    assert found.deployments == deployments
    assert found.per_week == pytest.approx(7 * deployments / 90)


def test_lead_time_is_from_the_commit_to_the_end_of_the_first_success() -> None:
    late = replace(
        rollout(3, "succeeded"),
        release=replace(RELEASE, created_at=rollout(1, "failed").started_at),
    )
    rebuilt = rollout(4, "succeeded")
    again = replace(rebuilt, release=replace(rebuilt.release, commit="r-1"))
    assert counted(ONE).lead_time_seconds == 4200
    assert counted(ONE, BAD, late, again).lead_time_seconds == (4200 + 2 * 86400 + 600) / 2


def test_a_rollback_brings_no_commit_to_anybody_even_where_its_own_rollout_is_pruned() -> None:
    kept = (rollout(5, "succeeded"), replace(BACK, number=6))
    assert counted(*kept).lead_time_seconds == 4200


@pytest.mark.parametrize(
    ("records", "failures", "rate"),
    [
        ((ONE, TWO), 0, 0),
        ((ONE, BAD), 1, 0.5),
        ((ONE, rollout(2, "failed")), 1, 0.5),
        ((ONE, TWO, BACK), 1, 0.5),
        ((ONE, TWO, replace(BACK, state=RolloutState.FAILED)), 1, 0.5),
        ((ONE, rollout(2, "superseded")), 0, 0),
    ],
    ids=["good", "restored", "failed", "taken back later", "not even that worked", "superseded"],
)
def test_changes_fail_by_themselves_or_by_being_taken_back(
    records: tuple[Record, ...], failures: int, rate: float
) -> None:
    found = counted(*records)
    assert (found.failures, found.change_fail_rate) == (failures, rate)


@pytest.mark.parametrize(
    ("records", "seconds", "unrecovered"),
    [
        ((ONE, BAD), 600, 0),
        ((ONE, TWO, BACK), 86400 + 600, 0),
        ((ONE, rollout(2, "failed"), rollout(3, "succeeded")), 86400 + 600, 0),
        ((ONE, rollout(2, "failed")), None, 1),
        ((ONE, TWO), None, 0),
    ],
    ids=["its own restore", "a rollback", "the next success", "not yet", "nothing to recover"],
)
def test_recovery_is_from_the_start_of_the_failure_to_the_end_of_what_made_it_good(
    records: tuple[Record, ...], seconds: float | None, unrecovered: int
) -> None:
    found = counted(*records)
    assert (found.recovery_seconds, found.unrecovered) == (seconds, unrecovered)


@pytest.mark.parametrize(
    ("records", "reworks", "rate"),
    [
        ((ONE, TWO), 0, 0),
        ((ONE, BAD), 0, 0),
        ((ONE, BAD, rollout(3, "succeeded"), rollout(4, "succeeded")), 1, 1 / 4),
        ((ONE, BAD, rollout(3, "restored"), rollout(4, "succeeded")), 2, 1 / 2),
        ((ONE, TWO, BACK, rollout(4, "succeeded"), rollout(5, "succeeded")), 2, 2 / 5),
        ((ONE, TWO, BACK, rollout(4, "superseded"), rollout(5, "succeeded")), 2, 1 / 2),
    ],
    ids=[
        "none", "no fix yet", "a fix", "a fix that failed", "a rollback and its fix",
        "a superseded rollout is no fix",
    ],
)  # fmt: skip
def test_rework_is_rollbacks_and_the_first_rollout_after_a_failure(
    records: tuple[Record, ...], reworks: int, rate: float
) -> None:
    found = counted(*records)
    assert found.reworks == reworks
    assert found.rework_rate == pytest.approx(rate)


def test_only_the_period_is_counted_but_what_went_before_it_is_known() -> None:
    period = Period(rollout(3, "succeeded").started_at, NOW)
    found = counted(ONE, BAD, rollout(3, "succeeded"), rollout(4, "succeeded"), period=period)
    assert (found.deployments, found.failures, found.reworks) == (2, 0, 1)


def test_the_period_begins_where_the_records_have_no_gap() -> None:
    kept = (rollout(5, "succeeded"), rollout(20, "succeeded"), rollout(21, "restored"))
    found = counted(*kept)
    assert found.since == kept[1].started_at
    assert (found.deployments, found.failures) == (1, 1)
