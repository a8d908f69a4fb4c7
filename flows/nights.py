"""What a night asks of Prefect's server: whether a later one is due, and who else wants in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import flow_run

from flows.suspension import read_beside
from flows.turns import is_over
from tasks.approval.task import newest_claim
from tasks.core.clock import utc_now
from tasks.core.past import Past
from tasks.fresh.decide import Now, hindrance, superseded_by
from tasks.fresh.model import Claim
from tasks.rollout.model import Place
from tasks.rollout.task import look_now

__all__ = ["Missed", "find_hindrance", "find_missed", "missed"]

MOST_NIGHTS = 200


@dataclass(frozen=True, slots=True)
class Missed:
    """When a run should have begun, and the later night that does its work, where one does."""

    expected: datetime
    later: datetime | None = None


@task(task_run_name="missed?")
def find_missed() -> Missed:
    """Say whether a later night of the same schedule is due; the same all through a run."""
    return missed(flow_run.id or "", utc_now())


def missed(run: str, now: datetime) -> Missed:
    """Say whether a later night of a run's schedule is due by now; never of a run by hand."""
    with get_client(sync_client=True) as client:
        mine = client.read_flow_run(UUID(run))
        expected = mine.expected_start_time or now
        if not mine.auto_scheduled or mine.deployment_id is None:
            return Missed(expected)
        between = {"after_": expected, "before_": now}
        after = FlowRunFilterExpectedStartTime.model_validate(between)
        deployment = FlowRunFilterDeploymentId(any_=[mine.deployment_id])
        found = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(deployment_id=deployment, expected_start_time=after),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=MOST_NIGHTS,
        )
    others = [each.expected_start_time for each in found if _is_alike(each, mine)]
    return Missed(expected, superseded_by(expected, filter(None, others), now))


def _is_alike(other: FlowRun, mine: FlowRun) -> bool:
    """Say whether another run is of the same schedule: it is about the same environments."""
    return other.auto_scheduled and other.parameters == mine.parameters


def find_hindrance(place: Place, live: int) -> str | None:
    """Say why an environment is left alone now; None where nothing speaks against it.

    Args:
        place: the environment, with its freezes and windows of today.
        live: number of the rollout that was live when the run began.
    """
    past: Past = look_now(place)
    closed = place.environment.calendar.closed(utc_now())
    claimed = newest_claim(place.application, place.name)
    if claimed == flow_run.id:
        now = Now(past, closed, is_ours=True)
    else:
        now = Now(past, closed, _claim_of(claimed) if claimed else None)
    return hindrance(now, live, flow_run.id or "")


def _claim_of(run: str) -> Claim | None:
    """Return what another run wants that has not come to its end."""
    beside = read_beside(run)
    if beside is None or is_over(beside[0]):
        return None
    return Claim(beside[0].name, waits=beside[0].state_type is StateType.PAUSED)
