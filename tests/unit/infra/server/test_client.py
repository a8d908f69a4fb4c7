import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from infra.server.api import Api
from infra.server.client import Runs, pause_after
from infra.server.settings import server
from tasks.core.errors import GateClosed

ID = UUID(int=7)
FORM = {"approver": "ana"}
STORED: dict[str, Any] = {
    "id": str(ID),
    "name": "shop@main",
    "state_type": "PAUSED",
    "estimated_run_time": 3.5,
    "state": {"type": "PAUSED", "name": "Suspended", "message": None, "state_details": {}},
}


@contextmanager
def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[Runs]:
    """Runs at a server that is a function."""
    transport = httpx.MockTransport(answer)
    with httpx.Client(transport=transport, base_url="http://prefect/api") as http:
        yield Runs(Api(server(), http))


@pytest.mark.parametrize(
    ("watched", "pause"),
    [
        pytest.param(0, 0.2, id="a run that may be over in a moment"),
        pytest.param(10, 0.5, id="one that goes on for a while"),
        pytest.param(3600, 1, id="one that takes an hour"),
    ],
)
def test_who_follows_a_run_looks_less_often_the_longer_it_takes(
    watched: float, pause: float
) -> None:
    assert pause_after(timedelta(seconds=watched)) == timedelta(seconds=pause)


def test_a_run_that_ends_between_two_questions_is_not_over_before_its_stages_are() -> None:
    over: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        word = "COMPLETED" if over else "RUNNING"
        over.append(request.url.path)
        stage = {"name": "dev: roll out", "state_name": word, "estimated_run_time": 1.0}
        stages = request.url.path.endswith("/task_runs/filter")
        return httpx.Response(200, json=[stage] if stages else {**STORED, "state_type": word})

    with answering(answer) as runs:
        views = [runs.view(ID), runs.view(ID)]
    assert [view.over for view in views] == [False, True]
    assert views[-1].stages[0].state == "COMPLETED"


def test_an_answer_that_may_have_counted_is_not_given_twice() -> None:
    given: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=STORED)
        given.append(request.url.path)
        raise httpx.ReadError("the server is gone")

    with answering(answer) as runs, pytest.raises(httpx.ReadError):
        runs.answer(ID, FORM)
    assert given == [f"/api/flow_runs/{ID}/resume"]


def test_an_answer_that_does_not_count_says_why() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        refused = {"status": "REJECT", "details": {"reason": "code: field required"}}
        if request.url.path.endswith("/resume"):
            return httpx.Response(200, json=refused)
        return httpx.Response(200, json=STORED if request.method == "GET" else [])

    with answering(answer) as runs, pytest.raises(GateClosed, match="code: field required"):
        runs.answer(ID, FORM)


def test_all_runs_that_wait_are_known_and_each_by_the_beginning_of_its_id() -> None:
    stored = [{**STORED, "id": str(UUID(int=number << 96))} for number in range(1, 1001)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        assert asked["limit"] <= 200, "more than the server tells at once"
        if "name" in asked["flow_runs"]:
            return httpx.Response(200, json=[])
        return httpx.Response(200, json=stored[asked["offset"] :][: asked["limit"]])

    with answering(answer) as runs:
        assert len(runs.waiting()) == 1000
        assert runs.named("000003e8").id == UUID(int=1000 << 96)
