"""Our worker: Prefect's process worker, and the recovery of runs whose process is gone.

Prefect marks such a run as crashed at best and leaves it running at worst. Every stage is safe to
repeat, so here it is scheduled again and goes on from its stored results.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import psutil
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Failed, Scheduled
from prefect.workers.process import ProcessWorker

from deployments import POOL
from tasks.core.clock import utc_now

__all__ = ["end_leftovers", "is_orphaned", "main", "next_state", "run_processes"]

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 3
MOST_RECOVERIES = 10
GRACE = timedelta(seconds=20)
"""A run that has just been given to a worker has no process yet."""
RECOVERING = "Recovering"
RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
ORPHANED = (StateType.RUNNING, StateType.PENDING, StateType.CRASHED)


def main() -> None:
    """Serve the work pool until a signal comes."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())


async def _serve() -> None:
    worker = ProcessWorker(work_pool_name=POOL, create_pool_if_not_found=True)
    async with get_client() as client:
        await _recover(client, since=None)
        recovery = asyncio.create_task(_keep_recovering(client))
        try:
            await worker.start()
        finally:
            recovery.cancel()


async def _keep_recovering(client: PrefectClient) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            await _recover(client, since=GRACE)
        except Exception:
            log.exception("looking for runs without a process failed, trying again")


async def _recover(client: PrefectClient, since: timedelta | None) -> None:
    """Schedule again what has no process any more."""
    processes = run_processes()
    for run in await _unfinished(client):
        if str(run.id) not in processes and is_orphaned(run, utc_now(), since):
            states = await client.read_flow_run_states(run.id)
            state = next_state(states)
            log.info("run %s has no process any more: %s", run.id, state.name)
            await client.set_flow_run_state(run.id, state, force=True)
    for run_id, family in processes.items():
        if not any(_is_engine(process) for process in family):
            end_leftovers(run_id, family)


async def _unfinished(client: PrefectClient) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ORPHANED))),
            deployment_id=FlowRunFilterDeploymentId(is_null_=False),
        )
    )


def is_orphaned(run: FlowRun, now: datetime, since: timedelta | None) -> bool:
    """Say whether a run without a process should be started again."""
    if run.state is None:
        return False
    if run.state.type is StateType.CRASHED:
        return True
    return since is None or now - run.state.timestamp > since


def next_state(states: Iterable[State[Any]]) -> State[Any]:
    """Return what becomes of an orphaned run; states are all that it has been through.

    Runs that end before they begin, say on an import, are not counted as runs by Prefect.
    """
    recoveries = sum(state.name == RECOVERING for state in states)
    if recoveries >= MOST_RECOVERIES:
        return Failed(
            message=f"its process ended {recoveries + 1} times. Next: read the log of the worker "
            "and of the run, then deliver or roll back again"
        )
    return Scheduled(name=RECOVERING, message="Its process was gone; going on where it was")


def run_processes() -> dict[str, list[psutil.Process]]:
    """Return the processes of this machine that belong to a flow run, by the run's id."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            run_id = process.environ().get(RUN_VARIABLE)
            if run_id and process.status() != "zombie":
                found.setdefault(run_id, []).append(process)
    return found


def _is_engine(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("prefect" in word for word in process.cmdline())
    return False


def end_leftovers(run_id: str, family: Iterable[psutil.Process]) -> None:
    """End the programs that a killed run left behind."""
    for process in family:
        with contextlib.suppress(psutil.Error):
            log.info("run %s left %s behind, ended", run_id, process.name())
            process.kill()


if __name__ == "__main__":
    main()
