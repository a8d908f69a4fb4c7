"""Of the runs about one pull request the newest goes on; those before it are ended."""

from datetime import datetime, timedelta
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import flow_run
from prefect.states import Cancelled, Cancelling

from flows.clearing import SUPERSEDED
from tasks.core.errors import GateClosed, Unavailable

__all__ = ["ABOUT_PULLS", "await_ended", "end_older", "ending", "is_about", "require_newest"]

ABOUT_PULLS = ("check", "preview", "remove-preview")
"""Names of the flows that are about one pull request each."""
PAGE = 200
PAUSES = [5.0] * 12
"""Seconds between looks at a run that its worker is ending."""
LEEWAY = timedelta(minutes=5)
"""The clocks of those who ask for runs may differ by as much."""
_WORKING = frozenset({StateType.RUNNING, StateType.PENDING})
_UNDER_WAY = [*_WORKING, StateType.SCHEDULED, StateType.PAUSED]


def end_older(repository: str, number: int) -> tuple[FlowRun, ...]:
    """End the runs about a pull request that were created before this one; return them.

    A removal that is planned for later is no run under way and stays.
    """
    with get_client(sync_client=True) as client:
        mine = client.read_flow_run(UUID(flow_run.id))
        older = [
            each
            for each in _others(client, _UNDER_WAY)
            if is_about(each, repository, number) and _before(each, mine) and not _planned(each)
        ]
        for each in older:
            client.set_flow_run_state(each.id, ending(each, mine.name), force=True)
    return tuple(older)


@task(cache_policy=NO_CACHE, retries=len(PAUSES), retry_delay_seconds=PAUSES)
def await_ended(runs: tuple[UUID, ...]) -> None:
    """Wait until no process is at any of the runs.

    Raises:
        Unavailable: one does not end; its worker may be away.
    """
    with get_client(sync_client=True) as client:
        for run in runs:
            left = client.read_flow_run(run)
            if left.state is not None and not left.state.is_final():
                raise Unavailable("does not end", where=f"run {left.name}")


def require_newest(repository: str, number: int) -> None:
    """See that nothing newer has happened to a pull request.

    Raises:
        GateClosed: a newer run is about it.
    """
    with get_client(sync_client=True) as client:
        mine = client.read_flow_run(UUID(flow_run.id))
        for each in _others(client, [*_UNDER_WAY, StateType.COMPLETED], since=mine.created):
            if is_about(each, repository, number) and _before(mine, each) and not _planned(each):
                raise GateClosed(
                    f"superseded by the run {each.name}", where=f"{repository}: {number}"
                )


def is_about(run: FlowRun, repository: str, number: int) -> bool:
    """Say whether a run is about a pull request; names alone could be those of two repositories."""
    known = run.parameters
    return known.get("repository") == repository and known.get("number") == number


def ending(run: FlowRun, newer: str) -> State:
    """Return how a run ends: by its worker where a process is at it, else at once."""
    message = f"superseded by the run {newer}"
    if run.state_type in _WORKING:
        return Cancelling(message=message)
    return Cancelled(name=SUPERSEDED, message=message)


def _others(
    client: SyncPrefectClient, states: list[StateType], since: datetime | None = None
) -> list[FlowRun]:
    """Return runs about any pull requests; since leaves out most that were due earlier."""
    earliest = since - LEEWAY if since else None
    due = FlowRunFilterExpectedStartTime.model_validate({"after_": earliest})
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=list(ABOUT_PULLS))),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states)),
                expected_start_time=due,
            ),
            sort=FlowRunSort.START_TIME_DESC,
            limit=PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < PAGE:
            return found


def _before(one: FlowRun, other: FlowRun) -> bool:
    created: tuple[datetime | None, datetime | None] = (one.created, other.created)
    return created[0] is not None and created[1] is not None and created[0] < created[1]


def _planned(run: FlowRun) -> bool:
    """Say whether a run is a removal that looks later whether it is time."""
    return run.parameters.get("because") == "age"
