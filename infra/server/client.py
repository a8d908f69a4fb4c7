"""What the commands ask Prefect's server.

Importing it takes seconds, and Prefect reads the environment once, when it is imported: use
`infra.server.connect`, which sees to both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort, LogSort, TaskRunSort
from prefect.exceptions import ObjectNotFound

from infra.server.daemons import require_up
from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import ConfigError, GateClosed

__all__ = ["LOOK_EVERY", "RunView", "Runs", "StageView"]

LOOK_EVERY = timedelta(milliseconds=400)
PAGE = 200


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of a run as people see it."""

    name: str
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as people see it."""

    id: UUID
    name: str
    state: str
    message: str
    url: str
    stages: tuple[StageView, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will come without somebody's doing."""
        return self.state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED"}


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of this instance."""

    client: SyncPrefectClient
    ui: str

    @classmethod
    def connect(cls) -> "Runs":
        """Open a client on this instance's server."""
        return cls(get_client(sync_client=True), require_up().ui)

    def start(self, deployment: str, parameters: dict[str, Any]) -> UUID:
        """Create a run of a deployment (`flow/name`) and return its id."""
        found = self.client.read_deployment_by_name(deployment)
        run = self.client.create_flow_run_from_deployment(found.id, parameters=parameters)
        return run.id

    def view(self, run_id: UUID) -> RunView:
        """Return a run with its stages in the order of their start."""
        run = self.client.read_flow_run(run_id)
        tasks = self.client.read_task_runs(
            task_run_filter=TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run_id])),
            sort=TaskRunSort.EXPECTED_START_TIME_DESC,
            limit=PAGE,
        )
        stages = tuple(
            StageView(
                task.name,
                task.state_name or "Pending",
                task.estimated_run_time.total_seconds(),
            )
            for task in reversed(tasks)
        )
        return self._view(run, stages)

    def follow(self, run_id: UUID, clock: Clock | None = None) -> Iterator[RunView]:
        """Yield the run whenever it is looked at, the last time when it is over or waits."""
        clock = clock or SystemClock()
        while True:
            view = self.view(run_id)
            yield view
            if view.over:
                return
            clock.wait(LOOK_EVERY)

    def waiting(self) -> tuple[RunView, ...]:
        """Return the runs that wait for somebody, the newest first."""
        runs = self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
            ),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        )
        return tuple(self._view(run) for run in runs)

    def named(self, word: str) -> RunView:
        """Return the newest run with that id or name.

        Raises:
            ConfigError: there is none.
        """
        try:
            return self._view(self.client.read_flow_run(UUID(word)))
        except ObjectNotFound:
            runs: list[FlowRun] = []
        except ValueError:
            name = FlowRunFilter(name=FlowRunFilterName(any_=[word]))
            runs = self.client.read_flow_runs(
                flow_run_filter=name, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1
            )
        if not runs:
            raise ConfigError("no such run", where=word, next_step="slipway status lists them")
        return self._view(runs[0])

    def answer(self, run_id: UUID, form: dict[str, Any]) -> None:
        """Resume a waiting run with the approver's form.

        Raises:
            GateClosed: the run does not wait any more, or the form lacks something.
        """
        result = self.client.resume_flow_run(run_id, run_input=form)
        if result.status is not SetStateStatus.ACCEPT:
            view = self.view(run_id)
            reason = getattr(result.details, "reason", None) or "it does not wait"
            raise GateClosed(
                f"the answer does not count, {reason} (the run is {view.state.lower()})",
                where=view.name,
                next_step=f"look at {view.url}",
            )

    def log_lines(self, run_id: UUID, after: datetime | None = None) -> list[tuple[datetime, str]]:
        """Return the log of a run, oldest first."""
        lines: list[tuple[datetime, str]] = []
        while page := self.client.read_logs(
            log_filter=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id])),
            sort=LogSort.TIMESTAMP_ASC,
            limit=PAGE,
            offset=len(lines),
        ):
            lines += [(entry.timestamp, entry.message) for entry in page]
        return [line for line in lines if after is None or line[0] > after]

    def recent(self, most: int = 10) -> tuple[RunView, ...]:
        """Return the newest runs."""
        runs = self.client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=most)
        return tuple(self._view(run) for run in runs)

    def _view(self, run: FlowRun, stages: tuple[StageView, ...] = ()) -> RunView:
        state = run.state_type.value if run.state_type else "PENDING"
        message = (run.state.message if run.state else "") or ""
        url = f"{self.ui}/runs/flow-run/{run.id}"
        return RunView(run.id, run.name, state, message, url, stages)
