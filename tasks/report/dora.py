"""DORA's figures out of an environment's records.

Source of the definitions: https://dora.dev/guides/dora-metrics/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from tasks.core.record import Record, RolloutState

__all__ = ["DEFINITIONS", "Definition", "Figures", "Period", "figures"]

ENDED = frozenset({RolloutState.SUCCEEDED, RolloutState.RESTORED, RolloutState.FAILED})
"""A superseded rollout was neither a success nor a failure."""

FAILED = frozenset({RolloutState.RESTORED, RolloutState.FAILED})


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure: what DORA means by it, and what it is counted from here."""

    name: str
    meaning: str
    counted: str


DEFINITIONS = (
    Definition(
        "deployment frequency",
        "deployments over a period",
        "rollouts of a release that succeeded; rollbacks are none",
    ),
    Definition(
        "change lead time",
        "from committed to deployed",
        "median, from a commit's time to the end of its first rollout that succeeded",
    ),
    Definition(
        "change fail rate",
        "deployments that require immediate intervention",
        "rollouts that failed, were restored, or were rolled back later, of all that have ended",
    ),
    Definition(
        "recovery time",
        "time to recover from a failed deployment",
        "median, from the start of the rollout that failed to the end of what made it good: "
        "its own restore, or the next rollout that succeeded; an upper bound",
    ),
    Definition(
        "rework rate",
        "unplanned deployments that come from an incident",
        "rollbacks, and the first rollout after a failure, of all rollouts and rollbacks",
    ),
)


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when rollouts are counted, by their ends."""

    since: datetime
    until: datetime

    def __contains__(self, record: Record) -> bool:
        """Say whether a rollout ended within it."""
        return record.finished_at is not None and self.since <= record.finished_at <= self.until

    @property
    def days(self) -> float:
        """Its length."""
        return (self.until - self.since) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """The five figures of an environment; None where there is nothing to count from.

    Attributes:
        since: later than was asked for where older records are pruned.
        deployments: rollouts that succeeded, without rollbacks.
        ended: the same with those that failed, of which failures are a part.
        unrecovered: failures that nothing has made good yet.
        change_fail_rate: between 0 and 1, as is rework_rate.
    """

    environment: str
    since: datetime
    until: datetime
    deployments: int
    per_week: float
    lead_time_seconds: float | None
    failures: int
    ended: int
    change_fail_rate: float | None
    recovery_seconds: float | None
    unrecovered: int
    rollbacks: int
    reworks: int
    rework_rate: float | None


def figures(environment: str, records: Sequence[Record], asked: Period) -> Figures:
    """Count an environment's figures over a period, or over what its records reach back to."""
    oldest_first = sorted(records, key=lambda each: each.number)
    period = _known(oldest_first, asked)
    counted = [each for each in oldest_first if each in period and each.state in ENDED]
    changes = [each for each in counted if each.restores is None]
    deployed = [each for each in changes if each.state is RolloutState.SUCCEEDED]
    failed = [each for each in changes if _has_failed(each, oldest_first)]
    recoveries = [_recovery(each, oldest_first) for each in failed]
    recovered = [seconds for seconds in recoveries if seconds is not None]
    reworks = [each for each in _reworks(oldest_first) if each in period]
    return Figures(
        environment=environment,
        since=period.since,
        until=period.until,
        deployments=len(deployed),
        per_week=7 * len(deployed) / period.days,
        lead_time_seconds=_median(list(_lead_times(oldest_first, period))),
        failures=len(failed),
        ended=len(changes),
        change_fail_rate=_rate(len(failed), len(changes)),
        recovery_seconds=_median(recovered),
        unrecovered=len(failed) - len(recovered),
        rollbacks=len(counted) - len(changes),
        reworks=len(reworks),
        rework_rate=_rate(len(reworks), len(counted)),
    )


def _known(oldest_first: Sequence[Record], asked: Period) -> Period:
    """Shorten a period to the records without a gap: the older ones were pruned."""
    first = None
    for record in reversed(oldest_first):
        if first is not None and record.number != first.number - 1:
            break
        first = record
    if first is None or first.number == 1:
        return asked
    return Period(max(asked.since, first.started_at), asked.until)


def _has_failed(change: Record, oldest_first: Sequence[Record]) -> bool:
    return change.state in FAILED or any(
        _taken_back_by(each, oldest_first) == change for each in oldest_first
    )


def _taken_back_by(rollback: Record, oldest_first: Sequence[Record]) -> Record | None:
    """Return what was live before a rollback, which a rollback says no to."""
    if rollback.restores is None:
        return None
    before = [
        each
        for each in oldest_first
        if each.number < rollback.number and each.state is RolloutState.SUCCEEDED
    ]
    return before[-1] if before else None


def _recovery(failure: Record, oldest_first: Sequence[Record]) -> float | None:
    """Return the seconds until a failed rollout was made good; None where it is not yet."""
    good = (
        each
        for each in oldest_first
        if each.number > failure.number and each.state is RolloutState.SUCCEEDED
    )
    cure = failure if failure.state is RolloutState.RESTORED else next(good, None)
    if cure is None or cure.finished_at is None:
        return None
    return (cure.finished_at - failure.started_at).total_seconds()


def _lead_times(oldest_first: Sequence[Record], period: Period) -> Iterator[float]:
    """Yield the seconds from commit to live of each commit's first success."""
    seen: set[str] = set()
    for record in oldest_first:
        is_rollback = record.restores is not None  # of a commit whose own rollout may be pruned
        is_live = record.state is RolloutState.SUCCEEDED and not is_rollback
        if not is_live or record.release.commit in seen:
            continue
        seen.add(record.release.commit)
        if record.finished_at is not None and record in period:
            yield (record.finished_at - record.release.created_at).total_seconds()


def _reworks(oldest_first: Sequence[Record]) -> Iterator[Record]:
    was_broken = False
    for record in oldest_first:
        if record.state not in ENDED:
            continue
        if record.restores is not None:
            was_broken = True
            yield record
        else:
            if was_broken:
                yield record
            was_broken = _has_failed(record, oldest_first)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
