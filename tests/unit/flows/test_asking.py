"""People's answers to a run that waits, on a real Prefect server, and what the trail keeps."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import pyotp
import pytest
from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from flows.approval import ask_until_approved
from flows.trail import try_write, write
from tasks.approval import SecretApprovers, enrol
from tasks.approval.model import Request
from tasks.audit import Deed, Entry
from tasks.audit.decide import find_fault, read_entry
from tasks.audit.effects import fetch
from tasks.core.clock import utc_now
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError
from tasks.core.gates import Approval
from tasks.core.objects import Object
from tasks.rollout.model import Place
from tests.unit.tasks.rollout.test_canary import ONE
from tests.unit.tasks.rollout.world import World

Asking = Flow[..., tuple[str, ...]]


def asking(world: World, wanted: Callable[[Place, Deed], object] = write) -> Asking:
    """Return a flow that asks one of ana and bo about a release in prod."""
    rules = Approval(approvers=("ana", "bo"))
    request = Request("shop", "prod", "r-1", "p-1", "Rui", "rui@example.com", utc_now(), rules)

    @flow(persist_result=True)
    def wait() -> tuple[str, ...]:
        return ask_until_approved(
            request, world.place, lambda notice, _: notice or "please", write=wanted
        ).by

    return wait


def given_a_waiting_run(wanted: Asking) -> UUID:
    with get_client(sync_client=True) as client:
        deployment = client.create_deployment(client.create_flow(wanted), "asks")
        run = client.create_flow_run_from_deployment(deployment)
    going_on(wanted, run.id)
    return run.id


def going_on(wanted: Asking, run: UUID) -> FlowRun:
    """Do what a worker does with a run that is scheduled, once; return it as it is then."""
    with get_client(sync_client=True) as client:
        with suppress(Pause):
            run_flow(wanted, flow_run=client.read_flow_run(run), return_type="state")
        return client.read_flow_run(run)


def when_answered(wanted: Asking, run: UUID, **form: str) -> FlowRun:
    with get_client(sync_client=True) as client:
        client.resume_flow_run(run, run_input={"decision": "approve", "comment": "", **form})
    return going_on(wanted, run)


def entries(world: World) -> list[Entry]:
    chain = fetch(world.cluster, "shop")
    assert find_fault(chain) is None
    return [entry for entry in map(read_entry, chain) if entry is not None]


def told(world: World) -> list[tuple[str, ...]]:
    deeds = [entry.deed for entry in entries(world)]
    return [(deed.act, deed.actor, deed.proof, deed.origin, deed.reason) for deed in deeds]


@pytest.fixture
def code(world: World) -> str:
    """Give ana's code of now, in an environment with a release."""
    world.probes = ()
    world.when_rolling_out(ONE)
    secret = enrol("ana", ("ana@example.com",), SecretApprovers(world.cluster))
    return str(pyotp.TOTP(secret).now())


def test_every_answer_is_written_down_with_who_gave_it_from_where(world: World, code: str) -> None:
    wanted = asking(world)
    run = given_a_waiting_run(wanted)
    refused = when_answered(wanted, run, approver="eve", code="000000", sent_from="eve@den")
    assert refused.state_type == "PAUSED"
    done = when_answered(wanted, run, approver="ana", code=code)
    assert done.state_type == "COMPLETED"
    assert told(world) == [
        ("answer refused", "eve", "none", "eve@den", "eve is no approver of prod"),
        ("approved", "ana", "totp", "Prefect UI", "ana said yes"),
    ]
    about = entries(world)[1].deed.about
    assert (about.release, about.plan) == ("r-1", "p-1")


def test_a_run_that_is_done_once_more_writes_no_second_entry(world: World, code: str) -> None:
    wanted = asking(world)
    run = given_a_waiting_run(wanted)
    when_answered(wanted, run, approver="ana", code=code)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Scheduled(), force=True)
    assert going_on(wanted, run).state_type == "COMPLETED"
    assert len(entries(world)) == 1


def test_a_yes_that_cannot_be_written_down_does_not_count(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    wanted = asking(world)
    ended = when_answered(wanted, given_a_waiting_run(wanted), approver="ana", code=code)
    assert ended.state_type == "FAILED"
    assert "exceeded quota" in str(ended.state and ended.state.message)


def test_a_rollback_is_not_held_up_by_its_trail(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    wanted = asking(world, try_write)
    done = when_answered(wanted, given_a_waiting_run(wanted), approver="ana", code=code)
    assert done.state_type == "COMPLETED"
    assert entries(world) == []


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the namespace take no more ConfigMaps."""
    create = FakeCluster.create

    def refuse(cluster: FakeCluster, thing: Object) -> Object:
        if thing["kind"] == "ConfigMap":
            raise ConfigError("exceeded quota", where="ConfigMap")
        return create(cluster, thing)

    monkeypatch.setattr(FakeCluster, "create", refuse)
