"""The worker's engines: forks of a warm process instead of interpreters that begin with nothing."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.flows import load_flow_from_flow_run
from prefect.runner._control_channel import ControlChannel
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from infra.server.prefect_engine import HOUSE, MODULE, ROOM, ROOM_VALUE, Order
from tasks.core.process import spawn

__all__ = ["Engine", "WarmProcess", "WarmWorker"]


@dataclass(slots=True)
class Engine:
    """The process of one run, as Prefect's runner wants to know it.

    Attributes:
        pid: its number.
        returncode: None while it lives; negative where a signal ended it.
    """

    pid: int
    returncode: int | None
    _lines: asyncio.StreamReader
    _connection: asyncio.StreamWriter

    async def wait(self) -> None:
        """Return when the process has gone."""
        try:
            status = await self._lines.read()
            # who was killed says nothing
            self.returncode = int(status) if status else -signal.SIGKILL
        finally:
            self._connection.close()


class WarmProcess:
    """The process that engines are forked from; it ends with this one."""

    def __init__(self, log: Path, house: Path = HOUSE) -> None:
        """Start it.

        Args:
            log: where its output and that of the engines goes.
            house: folder of the sources that it watches.
        """
        self.variables = get_current_settings().to_environment_variables(exclude_unset=True)
        self._log = log
        self._house = house
        self._begin()

    def _begin(self) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            argv = (sys.executable, "-m", MODULE, str(theirs.fileno()), str(self._house))
            variables = {**self.variables, ROOM: ROOM_VALUE}
            self.pid = spawn(argv, log=self._log, env=variables, handles=(theirs.fileno(),))

    def end(self) -> None:
        """End it; engines that it has forked go on."""
        self._orders.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    async def fork(self, order: Order) -> Engine:
        """Return a new engine; where the warm process has died, another one is started.

        Raises:
            ConnectionError: it died in between.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._orders, [b"\n"], [theirs.fileno()])
            except OSError:
                self.end()
                self._begin()
                socket.send_fds(self._orders, [b"\n"], [theirs.fileno()])
        lines, connection = await asyncio.open_unix_connection(sock=ours)
        connection.write(f"{json.dumps(asdict(order))}\n".encode())
        pid = await lines.readline()
        if not pid:
            raise ConnectionError("the warm process died before it had forked")
        return Engine(int(pid), None, lines, connection)


@dataclass(frozen=True, slots=True)
class _Starter:
    """Prefect's port for whatever starts a run's process."""

    warm: WarmProcess
    order: Order
    control: ControlChannel

    async def start(
        self,
        flow_run: FlowRun,
        task_status: TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Return when the run's process has gone; tell it as soon as it is there."""
        port, token = self.control.register(flow_run.id)
        control = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        variables = {**self.order.variables, **control}
        engine = await self.warm.fork(Order(variables, self.order.folder))
        task_status.started(ProcessHandle(engine))  # type: ignore[arg-type]
        await engine.wait()


class WarmWorker(ProcessWorker):
    """Prefect's process worker, whose engines need not import anything."""

    def __init__(self, pool: str, warm: WarmProcess) -> None:
        super().__init__(work_pool_name=pool, create_pool_if_not_found=True)
        self._warm = warm
        self.starting: set[str] = set()
        """Runs that wait for their process: a warm process that imports anew takes its time."""
        self.underway: set[str] = set()
        """Runs that this worker sees to: of one that is cancelled it has yet to say so."""

    @classmethod
    def __dispatch_key__(cls) -> str:
        """Return a name of its own in Prefect's register: the pool's type it shares."""
        return "slipway"

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow in an engine of its own and return how that ended."""
        variables = {name: value for name, value in configuration.env.items() if value is not None}
        run_id = str(flow_run.id)
        self.starting.add(run_id)
        self.underway.add(run_id)
        told = _Told(task_status, lambda: self.starting.discard(run_id))
        with contextlib.ExitStack() as ending:
            ending.callback(self.underway.discard, run_id)
            ending.enter_context(contextlib.closing(told))
            folder = ending.enter_context(TemporaryDirectory(prefix="slipway-run-"))
            async with FlowRunExecutorContext() as context:
                starter = _Starter(self._warm, Order(variables, folder), context.control_channel)
                executor = context.create_executor(
                    flow_run,
                    starter,
                    resolve_flow=load_flow_from_flow_run,
                    propose_submitting=False,
                )
                execution = await executor.submit(task_status=told)
        if execution is None or execution.status_code is None:
            raise RuntimeError("the run's process could not be started")
        return ProcessWorkerResult(
            status_code=execution.status_code, identifier=str(execution.handle.pid)
        )


@dataclass(frozen=True, slots=True)
class _Told(TaskStatus[ProcessHandle]):
    """Hands on the number of a process that has been started."""

    to: TaskStatus[int] | None
    close: Callable[[], None]

    def started(self, value: ProcessHandle | None = None) -> None:
        self.close()
        if self.to is not None and value is not None and value.pid is not None:
            self.to.started(value.pid)
