"""People are called again by runs that Prefect starts at their time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from flows.approval import ask_until_approved
from flows.reminding import remind
from tasks.approval.model import Request
from tasks.approval.task import note_opening
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Escalation, Freeze
from tests.unit.flows.asking import Asking, People
from tests.unit.tasks.rollout.test_canary import ONE
from tests.unit.tasks.rollout.world import World

RULES = Approval(
    approvers=("ana", "bo"),
    remind=timedelta(hours=4),
    escalate=Escalation(timedelta(hours=6), ("dora",)),
    expires=timedelta(hours=12),
)
NEVER = Freeze(start="2020-01-01", end="2020-01-02", reason="long ago")
"""In the parameters of a run it has to fit the form that Prefect's server knows."""


@pytest.fixture
def client(world: World) -> Iterator[SyncPrefectClient]:
    """The server, with the deployment as it is registered: its form is enforced."""
    world.when_rolling_out(ONE)  # the trail has a namespace
    with get_client(sync_client=True) as found:
        form = remind.parameters.model_dump(mode="json")
        found.create_deployment(
            found.create_flow(remind),
            remind.name,
            tags=["approval"],
            parameter_openapi_schema=form,
        )
        yield found


def request(opened_at: datetime, release: str) -> Request:
    return Request(
        application="shop",
        environment="prod",
        release=release,
        plan=f"p-{release}",
        author="Rui",
        author_email="rui@example.com",
        opened_at=opened_at,
        rules=RULES,
        calendar=Calendar(freezes=(NEVER,)),
    )


def asking_for_one(world: World) -> Flow[[], tuple[str, ...]]:
    @flow(persist_result=True)
    def ask() -> tuple[str, ...]:
        opened = note_opening("p-r-1")
        wanted = request(opened, "r-1")
        return ask_until_approved(wanted, world.place, lambda notice, _: notice).by

    return ask


def calls(client: SyncPrefectClient, run: UUID) -> list[FlowRun]:
    """Return the runs that call people about a run, the first one first."""
    ours = FlowRunFilter(tags=FlowRunFilterTags(all_=["approval"]))
    found = client.read_flow_runs(flow_run_filter=ours)
    about = [each for each in found if each.parameters["run"] == str(run)]
    return sorted(about, key=lambda each: each.parameters["at"])


def come(client: SyncPrefectClient, call: FlowRun) -> bool:
    """Let a call's time come, and do what a worker does then; return whether it called."""
    client.set_flow_run_state(call.id, Scheduled(), force=True)
    return run_flow(remind, flow_run=client.read_flow_run(call.id)) is True


def test_a_run_that_was_deleted_calls_nobody(world: World, client: SyncPrefectClient) -> None:
    asking = Asking.begun(client, asking_for_one(world))
    (first,) = calls(client, asking.id)
    client.delete_flow_run(asking.id)
    assert not come(client, first)


def at(call: FlowRun) -> datetime:
    return datetime.fromisoformat(call.parameters["at"])


def test_a_question_leaves_one_call_behind_and_each_call_the_next_until_it_is_answered(
    world: World, client: SyncPrefectClient
) -> None:
    people = People(world.cluster, "ana")
    asking = Asking.begun(client, asking_for_one(world))
    asking.resumed({**people.form("ana"), "code": "000000"})
    (first,) = calls(client, asking.id)
    assert first.state is not None
    assert first.state.is_scheduled()
    assert first.expected_start_time == at(first)

    assert come(client, first)
    first, second = calls(client, asking.id)
    assert at(second) - at(first) == timedelta(hours=2)
    assert come(client, second)
    key = ArtifactFilter(key=ArtifactFilterKey(any_=["reminder-shop-prod"]))
    told = [str(each.data) for each in client.read_artifacts(artifact_filter=key)]
    assert sum("may approve now, too: **ana, bo, dora**" in each for each in told) == 1

    *_, third = calls(client, asking.id)
    asking.resumed(people.form("ana"))
    assert asking.state.is_completed()
    assert not come(client, third)
    assert len(calls(client, asking.id)) == 3, "the last one has left none behind"
