"""What the commands ask Prefect's server about runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from httpx import HTTPStatusError

from flows.notice import read_notice
from infra.server.api import Api, was_refused
from infra.server.run_views import LogLine, RunView, StageView
from tasks.core.clock import Clock, SystemClock, utc_now
from tasks.core.errors import ConfigError, GateClosed

__all__ = ["LogLine", "RunView", "Runs", "StageView", "asked_in", "connect", "pause_after"]

LOOK_EVERY = timedelta(milliseconds=200)
RARELY = timedelta(seconds=1)
"""How often a run is looked at in its first seconds, and later, when it shares the machine."""
STORED_WITHIN = timedelta(seconds=10)
PAGE = 200
"""The most that Prefect's server tells at once."""
MOST = 20_000
"""So many runs are looked through."""
SHORTEST_ID = 4
_RAISED = re.compile(r"^(?:Flow|Task) run encountered an exception:? (?:(\w+): )?")

_KEY = re.compile(r"suspended-(?P<question>.+)-\d+-description")

Json = dict[str, Any]


def connect() -> "Runs":
    """Open a client on this instance's Prefect.

    Raises:
        Unavailable: it does not answer.
    """
    return Runs(Api.connect())


def pause_after(watched: timedelta) -> timedelta:
    """Return how long to wait before a run is looked at again: who watches takes time from it.

    Args:
        watched: for how long it has been looked at.
    """
    return min(max(LOOK_EVERY, watched / 20), RARELY)


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of this instance."""

    api: Api

    def view(self, run_id: UUID) -> RunView:
        """Return a run with its stages in the order of their start."""
        run = self._read(run_id)  # first: what is over when it is read has all its stages then
        return self._view(run, tuple(_stage(task) for task in reversed(self._tasks(run_id))))

    def stage_names(self, run_id: UUID) -> dict[UUID, str]:
        """Return the names of a run's stages by their ids."""
        return {UUID(task["id"]): task["name"] for task in self._tasks(run_id)}

    def _tasks(self, run_id: UUID) -> list[Json]:
        """Return the newest task runs of a run, the newest first."""
        wanted = {
            "task_runs": {"flow_run_id": {"any_": [str(run_id)]}},
            "sort": "EXPECTED_START_TIME_DESC",
            "limit": PAGE,
        }
        found: list[Json] = self.api.post("/task_runs/filter", wanted)
        return found

    def follow(self, run_id: UUID, clock: Clock | None = None) -> Iterator[RunView]:
        """Yield the run whenever it is looked at, the last time when it is over or waits."""
        clock = clock or SystemClock()
        began = clock.now()
        while True:
            view = self.view(run_id)
            yield view
            if view.over:
                return
            clock.wait(pause_after(clock.now() - began))

    def waiting(self) -> tuple[RunView, ...]:
        """Return the runs that wait for somebody, the newest first."""
        return tuple(self._all({"state": {"type": {"any_": ["PAUSED"]}}}))

    def named(self, word: str) -> RunView:
        """Return the newest run with that id, beginning of an id, or name.

        Raises:
            ConfigError: there is none, or there are several that begin so.
        """
        try:
            found = self._by_id(UUID(word))
        except ValueError:
            found = self._by_name(word) or self._by_beginning(word)
        if found is None:
            raise ConfigError("no such run", where=word, next_step="slipway status lists them")
        return found

    def answer(self, run_id: UUID, form: Json) -> None:
        """Resume a waiting run with the approver's form.

        Args:
            run_id: of the run.
            form: with `question`, the name of what was read (see `asks`).

        Raises:
            GateClosed: the run does not wait any more or asks something else, or the form lacks
                something.
        """
        self.question(run_id)  # until it is there the form would be refused
        if (asked := self.asks(run_id)) and asked != form.get("question"):
            raise GateClosed(
                f"the answer does not count, the run asks {asked} now",
                where=self.view(run_id).name,
                next_step="slipway approve shows what it asks, and takes another code",
            )
        resume = f"/flow_runs/{run_id}/resume"
        result = self.api.post(resume, {"run_input": form}, again=was_refused)
        if result["status"] != "ACCEPT":
            view = self.view(run_id)
            reason = (result.get("details") or {}).get("reason") or "it does not wait"
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
        while key := self.question_key(run_id):
            try:
                return str(self.api.get(f"/flow_runs/{run_id}/input/{key}"))
            except HTTPStatusError as error:
                if not _is_missing(error) or clock.now() > deadline:
                    raise
                clock.wait(LOOK_EVERY)
        return ""

    def asks(self, run_id: UUID) -> str:
        """Return the name of what a waiting run asks; empty where it asks nothing."""
        return asked_in(self._read(run_id)["state"] or {})

    def question_key(self, run_id: UUID) -> str:
        """Return under which name the question of a waiting run is kept; empty where none is."""
        return key_in(self._read(run_id)["state"] or {})

    def notice(self, run_id: UUID) -> str:
        """Return why the last answer to a waiting run did not count; empty where none was given."""
        return read_notice(self.question(run_id))

    def cancel(self, run_id: UUID) -> RunView:
        """End a run: at once where no process works on it, else as soon as the worker sees it.

        Raises:
            ConfigError: it is over.
        """
        view = self._view(self._read(run_id))
        if view.over and view.state != "PAUSED":
            raise ConfigError(f"is over ({view.state.lower()})", where=f"run {view.name}")
        works = view.state in {"RUNNING", "PENDING"}
        state = (
            {"type": "CANCELLING", "name": "Cancelling"}
            if works
            else {
                "type": "CANCELLED",
                "name": "Cancelled",
                "message": "cancelled with slipway cancel",
            }
        )
        self.api.post(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})
        return self.view(run_id)

    def log_lines(self, run_id: UUID, after: datetime | None = None) -> list[LogLine]:
        """Return the log of a run, oldest first, from an instant on (that instant included)."""
        wanted: Json = {"flow_run_id": {"any_": [str(run_id)]}}
        if after is not None:
            wanted["timestamp"] = {"after_": after.isoformat()}
        asked = {"logs": wanted, "sort": "TIMESTAMP_ASC", "limit": PAGE}
        lines: list[LogLine] = []
        while page := self.api.post("/logs/filter", {**asked, "offset": len(lines)}):
            lines += [_line(each) for each in page]
        return lines

    def recent(self, most: int = 10) -> tuple[RunView, ...]:
        """Return the newest runs that have begun, or should have."""
        return self._found({"expected_start_time": {"before_": utc_now().isoformat()}}, most)

    def _read(self, run_id: UUID) -> Json:
        run: Json = self.api.get(f"/flow_runs/{run_id}")
        return run

    def _all(self, wanted: Json) -> Iterator[RunView]:
        """Yield runs, the newest first, as many as are looked at: a thousand may be waiting."""
        for offset in range(0, MOST, PAGE):
            found = self._found(wanted, offset=offset)
            yield from found
            if len(found) < PAGE:
                return

    def _found(self, wanted: Json, most: int = PAGE, offset: int = 0) -> tuple[RunView, ...]:
        sort = "EXPECTED_START_TIME_DESC"
        asked = {"flow_runs": wanted, "sort": sort, "limit": most, "offset": offset}
        return tuple(map(self._view, self.api.post("/flow_runs/filter", asked)))

    def _by_id(self, run_id: UUID) -> RunView | None:
        try:
            return self._view(self._read(run_id))
        except HTTPStatusError as error:
            if not _is_missing(error):
                raise
            return None

    def _by_name(self, word: str) -> RunView | None:
        return next(iter(self._found({"name": {"any_": [word]}}, most=1)), None)

    def _by_beginning(self, word: str) -> RunView | None:
        if len(word) < SHORTEST_ID:
            return None
        found = [run for run in self._all({}) if str(run.id).startswith(word.lower())]
        if len(found) > 1:
            raise ConfigError(
                f"{len(found)} runs begin with it", where=word, next_step="write more of the id"
            )
        return found[0] if found else None

    def _view(self, run: Json, stages: tuple[StageView, ...] = ()) -> RunView:
        state = run["state"] or {}
        said = state.get("message") or ""
        raised = _RAISED.match(said)
        return RunView(
            id=UUID(run["id"]),
            name=run["name"],
            state=run["state_type"] or "PENDING",
            message=said[raised.end() :] if raised else said,
            url=f"{self.api.server.ui}/runs/flow-run/{run['id']}",
            stages=stages,
            word=state.get("name") or "",
            seconds=run["estimated_run_time"],
            error=(raised[1] or "") if raised else "",
        )


def key_in(state: Json) -> str:
    """Return under which name a state says that a question is kept; empty where it says none."""
    keys = state.get("state_details", {}).get("run_input_keyset") or {}
    return str(keys.get("description", "")) if state.get("type") == "PAUSED" else ""


def asked_in(state: Json) -> str:
    """Return the name of what a state says that a run asks; empty where it asks nothing."""
    found = _KEY.fullmatch(key_in(state))
    return found["question"] if found else ""


def _stage(task: Json) -> StageView:
    return StageView(task["name"], task["state_name"] or "Pending", task["estimated_run_time"])


def _line(told: Json) -> LogLine:
    at = datetime.fromisoformat(told["timestamp"])
    stage = UUID(told["task_run_id"]) if told.get("task_run_id") else None
    return LogLine(UUID(told["id"]), at, told["level"], told["message"], stage)


def _is_missing(error: HTTPStatusError) -> bool:
    return error.response.status_code == HTTPStatus.NOT_FOUND
