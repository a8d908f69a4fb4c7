"""Runs that somebody has cancelled: their process ends, and what they had begun is cleared up."""

import contextlib
import logging
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psutil
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Scheduled

from deployments import POOL
from flows.clearing import CLEARED, CLEARING, CLEARS, SUPERSEDED
from tasks.core.clock import utc_now

__all__ = ["clear_cancelled", "end_cancelling", "is_stuck", "must_clear"]

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)
"""Prefect's worker gives a process half a minute to end; longer than this nobody sees to it."""
LOOKED_BACK = timedelta(days=1)
"""What was cancelled earlier, the next rollout has closed, or will."""
MOST = 50


async def clear_cancelled(client: PrefectClient, alive: Container[str]) -> bool:
    """Let runs that were cancelled clear up what they had begun, once.

    Args:
        client: of Prefect's server.
        alive: ids of runs whose processes have not gone yet.

    Returns:
        Whether one of these has still to clear up.
    """
    flows = FlowFilter(name=FlowFilterName(any_=list(CLEARS)))
    wanted = _in_state(StateType.CANCELLED, utc_now() - LOOKED_BACK)
    waits = False
    for run in await client.read_flow_runs(
        flow_filter=flows, flow_run_filter=wanted, sort=FlowRunSort.END_TIME_DESC, limit=MOST
    ):
        if not must_clear(run):
            continue
        if str(run.id) in alive:
            waits = True
        else:
            log.info("run %s was cancelled, it clears up", run.id)
            await client.set_flow_run_state(run.id, _clearing(), force=True)
    return waits


async def end_cancelling(
    client: PrefectClient, processes: Mapping[str, Sequence[psutil.Process]], now: datetime
) -> bool:
    """Finish cancelling runs whose worker has gone: end their processes, then say so.

    That goes for every flow, not only for those that clear up afterwards.

    Args:
        client: of Prefect's server.
        processes: those of runs, by the run's id.
        now: aware UTC.

    Returns:
        Whether processes were ended, whose runs have still to be told of.
    """
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    wanted = _in_state(StateType.CANCELLING)
    waits = False
    for run in await client.read_flow_runs(work_pool_filter=ours, flow_run_filter=wanted):
        if not is_stuck(run.state, now):
            continue
        family = processes.get(str(run.id), ())
        for process in family:
            log.info("run %s is cancelled and does not end, %s is ended", run.id, process.pid)
            with contextlib.suppress(psutil.Error):
                process.kill()
        if family:
            waits = True
        else:
            ended: State[Any] = Cancelled(message="Cancelled; its worker had gone meanwhile")
            await client.set_flow_run_state(run.id, ended, force=True)
    return waits


def must_clear(run: FlowRun) -> bool:
    """Say whether a cancelled run may have left something behind: it ran, and has not looked."""
    state = run.state
    if state is None or state.type is not StateType.CANCELLED or run.start_time is None:
        return False
    return state.name not in (CLEARED, SUPERSEDED)


def is_stuck(state: State[Any] | None, now: datetime) -> bool:
    """Say whether nobody sees to it that a run which is being cancelled ends."""
    if state is None or state.type is not StateType.CANCELLING:
        return False
    return now - state.timestamp > PATIENCE


def _clearing() -> State[Any]:
    return Scheduled(name=CLEARING, message="Cancelled; what it had begun is brought to an end")


def _in_state(kind: StateType, since: datetime | None = None) -> FlowRunFilter:
    return FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[kind])),
        deployment_id=FlowRunFilterDeploymentId(is_null_=False),
        end_time=FlowRunFilterEndTime.model_validate({"after_": since}) if since else None,
    )
