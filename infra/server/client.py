"""What the commands ask Prefect's server.

Importing it takes seconds, and Prefect reads the environment once, when it is imported: use
`infra.server.connect`, which sees to both.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from httpx import HTTPStatusError, codes
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort, LogSort, TaskRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling

from flows.views import read_notice
from infra.server.daemons import require_up
from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import ConfigError, GateClosed

__all__ = ["LOOK_EVERY", "LogLine", "RunView", "Runs", "StageView"]

LOOK_EVERY = timedelta(milliseconds=400)
STORED_WITHIN = timedelta(seconds=10)
PAGE = 200
SHORTEST_ID = 4
_RAISED = re.compile(r"^(?:Flow|Task) run encountered an exception:? (?:(\w+): )?")


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of a run as people see it."""

    name: str
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as people see it.

    Attributes:
        state: Prefect's type of state, in capitals.
        word: Prefect's name of the state, which says more: Late, Superseded, Recovering.
        message: why it is in this state, without Prefect's own words about exceptions.
        error: class of the exception that ended it, as Prefect names it.
    """

    id: UUID
    name: str
    state: str
    message: str
    url: str
    stages: tuple[StageView, ...] = ()
    word: str = ""
    seconds: float = 0.0
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will come without somebody's doing."""
        return self.state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED"}

    @property
    def queued(self) -> bool:
        """Whether no worker has begun with it, or begun again after an approval."""
        return self.state in {"SCHEDULED", "PENDING"}

    @property
    def short_id(self) -> str:
        """Enough of the id to name the run on a command line."""
        return str(self.id)[:8]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a run's log; level as Python counts it (30 is a warning)."""

    id: UUID
    at: datetime
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of this instance."""

    client: SyncPrefectClient
    ui: str

    @classmethod
    def connect(cls) -> "Runs":
        """Open a client on this instance's server."""
        return cls(get_client(sync_client=True), require_up().ui)

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
        """Return the newest run with that id, beginning of an id, or name.

        Raises:
            ConfigError: there is none.
        """
        run: FlowRun | None = None
        try:
            run = self.client.read_flow_run(UUID(word))
        except ObjectNotFound:
            pass  # an id, but of no run
        except ValueError:
            run = self._by_name(word) or self._by_beginning(word)
        if run is None:
            raise ConfigError("no such run", where=word, next_step="slipway status lists them")
        return self._view(run)

    def answer(self, run_id: UUID, form: dict[str, Any]) -> None:
        """Resume a waiting run with the approver's form.

        Raises:
            GateClosed: the run does not wait any more, or the form lacks something.
        """
        self.question(run_id)  # until it is there the form would be refused
        result = self.client.resume_flow_run(run_id, run_input=form)
        if result.status is not SetStateStatus.ACCEPT:
            view = self.view(run_id)
            reason = getattr(result.details, "reason", None) or "it does not wait"
            raise GateClosed(
                f"the answer does not count, {reason} (the run is {view.state.lower()})",
                where=view.name,
                next_step=f"look at {view.url}",
            )

    def question(self, run_id: UUID, clock: Clock | None = None) -> str:
        """Return what an approver of a waiting run reads, as markdown; empty where none waits.

        Prefect says that a run waits a moment before it stores what the run waits for.
        """
        clock = clock or SystemClock()
        deadline = clock.now() + STORED_WITHIN
        while key := self._question_key(run_id):
            try:
                return str(json.loads(self.client.read_flow_run_input(run_id, key)))
            except HTTPStatusError as error:
                if error.response.status_code != codes.NOT_FOUND or clock.now() > deadline:
                    raise
                clock.wait(LOOK_EVERY)
        return ""

    def _question_key(self, run_id: UUID) -> str:
        state = self.client.read_flow_run(run_id).state
        keys = state.state_details.run_input_keyset if state and state.is_paused() else None
        return (keys or {}).get("description", "")

    def notice(self, run_id: UUID) -> str:
        """Return why the last answer to a waiting run did not count; empty where none was given."""
        return read_notice(self.question(run_id))

    def cancel(self, run_id: UUID) -> RunView:
        """End a run: at once where no process works on it, else as soon as the worker sees it.

        Raises:
            ConfigError: it is over.
        """
        view = self._view(self.client.read_flow_run(run_id))
        if view.over and view.state != "PAUSED":
            raise ConfigError(f"is over ({view.state.lower()})", where=f"run {view.name}")
        works = view.state in {"RUNNING", "PENDING"}
        state: State[Any] = (
            Cancelling() if works else Cancelled(message="cancelled with slipway cancel")
        )
        self.client.set_flow_run_state(run_id, state, force=True)
        return self.view(run_id)

    def log_lines(self, run_id: UUID, after: datetime | None = None) -> list[LogLine]:
        """Return the log of a run, oldest first, from an instant on (that instant included)."""
        wanted = LogFilter(
            flow_run_id=LogFilterFlowRunId(any_=[run_id]),
            timestamp=LogFilterTimestamp.model_validate({"after_": after}) if after else None,
        )
        lines: list[LogLine] = []
        while page := self.client.read_logs(
            log_filter=wanted, sort=LogSort.TIMESTAMP_ASC, limit=PAGE, offset=len(lines)
        ):
            lines += [LogLine(each.id, each.timestamp, each.level, each.message) for each in page]
        return lines

    def recent(self, most: int = 10) -> tuple[RunView, ...]:
        """Return the newest runs."""
        runs = self.client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=most)
        return tuple(self._view(run) for run in runs)

    def _by_name(self, word: str) -> FlowRun | None:
        name = FlowRunFilter(name=FlowRunFilterName(any_=[word]))
        newest = FlowRunSort.EXPECTED_START_TIME_DESC
        runs = self.client.read_flow_runs(flow_run_filter=name, sort=newest, limit=1)
        return runs[0] if runs else None

    def _by_beginning(self, word: str) -> FlowRun | None:
        if len(word) < SHORTEST_ID:
            return None
        newest = FlowRunSort.EXPECTED_START_TIME_DESC
        runs = self.client.read_flow_runs(sort=newest, limit=PAGE)
        return next((run for run in runs if str(run.id).startswith(word.lower())), None)

    def _view(self, run: FlowRun, stages: tuple[StageView, ...] = ()) -> RunView:
        state = run.state_type.value if run.state_type else "PENDING"
        said = (run.state.message if run.state else "") or ""
        raised = _RAISED.match(said)
        url = f"{self.ui}/runs/flow-run/{run.id}"
        word = (run.state.name if run.state else "") or ""
        seconds = run.estimated_run_time.total_seconds()
        return RunView(
            id=run.id,
            name=run.name,
            state=state,
            message=said[raised.end() :] if raised else said,
            url=url,
            stages=stages,
            word=word,
            seconds=seconds,
            error=(raised[1] or "") if raised else "",
        )
