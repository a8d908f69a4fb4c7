"""Our worker: Prefect's process worker, and the recovery of runs whose process is gone.

Prefect marks such a run as crashed at best and leaves it running at worst. Every stage is safe to
repeat, so here it is scheduled again and goes on from its stored results.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.states import Failed, Scheduled
from prefect.workers.process import ProcessWorker

from deployments import POOL
from flows.clearing import CLEARING, RECOVERING
from infra.server.cancelled import clear_cancelled, end_cancelling
from infra.server.forms import CHANGED, keep_forms, run_of
from infra.server.prefect_engine import RUN_VARIABLE
from infra.server.warm import WarmProcess, WarmWorker
from tasks.core.clock import utc_now
from tasks.core.paths import state_dir

__all__ = [
    "close_expired",
    "end_leftovers",
    "has_expired",
    "is_orphaned",
    "main",
    "next_state",
    "reschedule",
    "run_processes",
]

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 3
LOOKS_UNASKED = 10
"""Every so many looks are for cancelled runs, too, of which the server may have told nobody."""
MOST_RECOVERIES = 10
MOST_FAILED = 50
"""So many runs that failed last are looked at."""
GRACE = timedelta(seconds=20)
"""A run that has just been given to a worker has no process yet."""
DUE = tuple(f"prefect.flow-run.{name}" for name in ("Scheduled", "Resuming", RECOVERING, CLEARING))
"""Events after which a worker has something to do."""
CANCELLED = "prefect.flow-run.Cancelled"
ORPHANED = (StateType.RUNNING, StateType.PENDING, StateType.CRASHED)


def main() -> None:
    """Serve the work pool until a signal comes."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())


async def _serve() -> None:
    worker, due, cancelled = _worker(), asyncio.Event(), asyncio.Event()
    ended: asyncio.Queue[UUID] = asyncio.Queue()

    def hear(event: Event) -> None:
        if event.event == CANCELLED:
            cancelled.set()
        if run := run_of(event):
            ended.put_nowait(run)

    async with get_client() as client:
        await _recover(client, since=None)
        warm = worker if isinstance(worker, WarmWorker) else None
        starting = warm.starting if warm else set()
        underway = warm.underway if warm else set()
        beside = (
            _keep_recovering(client, starting, underway, cancelled),
            _keep_listening(lambda _: due.set(), DUE),
            _keep_listening(hear, CHANGED),
            keep_forms(client, ended),
            _keep_submitting(worker, due),
        )
        tasks = [asyncio.create_task(each) for each in beside]
        try:
            await worker.start()
        finally:
            for task in tasks:
                task.cancel()


def _worker() -> ProcessWorker:
    if sys.platform != "linux":  # elsewhere a fork is not safe, and cannot say whose it is
        return ProcessWorker(POOL)
    return WarmWorker(POOL, WarmProcess(state_dir() / "logs" / "worker.log"))


async def _keep_recovering(
    client: PrefectClient,
    starting: AbstractSet[str],
    underway: AbstractSet[str],
    cancelled: asyncio.Event,
) -> None:
    known: set[UUID] = set()
    for look in itertools.count():
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            processes = await _recover(client, since=GRACE, starting=starting)
            await close_expired(client, known)
            if cancelled.is_set() or look % LOOKS_UNASKED == 0:
                cancelled.clear()
                ending = await end_cancelling(client, processes, utc_now())
                clearing = await clear_cancelled(client, underway | processes.keys())
                if ending or clearing:
                    cancelled.set()
        except Exception:
            log.exception("looking for runs without a process failed, trying again")


async def _keep_listening(hear: Callable[[Event], None], names: Iterable[str]) -> None:
    """Hear from the server of runs; one that is due and missed, the worker finds when it polls."""
    wanted = EventFilter(event=EventNameFilter(name=list(names)))
    while True:
        try:
            async with get_events_subscriber(filter=wanted) as events:
                async for event in events:
                    hear(event)
        except Exception as error:  # noqa: BLE001 whatever it is, polling goes on
            log.debug("the server's events are not to be had: %s", error)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _keep_submitting(worker: ProcessWorker, due: asyncio.Event) -> None:
    """Look for runs once for all that have become due in the meantime."""
    while True:
        await due.wait()
        due.clear()
        try:
            await worker.get_and_submit_flow_runs()
        except Exception:
            log.exception("looking for runs that are due failed, trying again")


async def _recover(
    client: PrefectClient, since: timedelta | None, starting: AbstractSet[str] = frozenset()
) -> dict[str, list[psutil.Process]]:
    """Schedule again what has no process any more, but for what is about to get one.

    Returns:
        The processes of runs, by the run's id.
    """
    unfinished = await _unfinished(client)
    about, processes = frozenset(starting), await asyncio.to_thread(run_processes)
    gone = [run for run in unfinished if str(run.id) not in about | processes.keys()]
    await reschedule(client, gone, since)
    for run_id, family in processes.items():
        if not any(_is_engine(process) for process in family):
            end_leftovers(run_id, family)
    return processes


async def reschedule(
    client: PrefectClient, gone: Iterable[FlowRun], since: timedelta | None
) -> None:
    """Schedule runs without a process again, if they still are as they were listed."""
    for run in gone:
        if not is_orphaned(run.state, utc_now(), since):
            continue
        states = await client.read_flow_run_states(run.id)
        if not is_orphaned(_newest(states), utc_now(), since):
            continue  # it has ended, paused or been taken on meanwhile
        state = next_state(states)
        log.info("run %s has no process any more: %s", run.id, state.name)
        await client.set_flow_run_state(run.id, state, force=True)


async def close_expired(client: PrefectClient, known: set[UUID]) -> None:
    """Let runs whose question was never answered end themselves.

    Prefect fails them without a process; one that waits at a gate has a canary to take back.

    Args:
        client: of Prefect's server.
        known: states of runs that have been looked at; this adds to them.
    """
    for run in await _just_failed(client):
        if run.state_id is None or run.state_id in known:
            continue
        if has_expired(await client.read_flow_run_states(run.id)):
            log.info("run %s was not answered in time", run.id)
            await client.set_flow_run_state(run.id, _closing(), force=True)
        known.add(run.state_id)  # last: what the server did not answer is asked again


def _closing() -> State[Any]:
    return Scheduled(name=RECOVERING, message="Nobody answered in time; clearing up")


async def _just_failed(client: PrefectClient) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.FAILED])),
            deployment_id=FlowRunFilterDeploymentId(is_null_=False),
        ),
        sort=FlowRunSort.END_TIME_DESC,
        limit=MOST_FAILED,
    )


def has_expired(states: Iterable[State[Any]]) -> bool:
    """Say whether a run went from its pause to its failure without anybody's doing."""
    newest = sorted(states, key=lambda state: state.timestamp)[-2:]
    return [state.type for state in newest] == [StateType.PAUSED, StateType.FAILED]


async def _unfinished(client: PrefectClient) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ORPHANED))),
            deployment_id=FlowRunFilterDeploymentId(is_null_=False),
        )
    )


def _newest(states: Iterable[State[Any]]) -> State[Any] | None:
    return max(states, key=lambda state: state.timestamp, default=None)


def is_orphaned(state: State[Any] | None, now: datetime, since: timedelta | None) -> bool:
    """Say whether a run in such a state, without a process, should be started again."""
    if state is None or state.type not in ORPHANED:
        return False
    if state.type is StateType.CRASHED:
        return True
    return since is None or now - state.timestamp > since


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
