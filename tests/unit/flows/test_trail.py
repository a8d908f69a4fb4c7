"""People's answers to a run that waits, on a real Prefect server, and what the trail keeps."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.approval import ask_until_approved
from flows.trail import try_write, write
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
from tests.unit.flows.asking import Asking, People
from tests.unit.tasks.rollout.test_canary import ONE
from tests.unit.tasks.rollout.world import World

STRANGER = {"approver": "eve", "code": "000000", "decision": "approve", "sent_from": "eve@den"}


def asking(world: World, wanted: Callable[[Place, Deed], object] = write) -> Flow[[], Any]:
    """Return a flow that asks one of ana and bo about a release in prod."""
    rules = Approval(approvers=("ana", "bo"))
    request = Request("shop", "prod", "r-1", "p-1", "Rui", "rui@example.com", utc_now(), rules)

    @flow(persist_result=True)
    def wait() -> tuple[str, ...]:
        return ask_until_approved(
            request, world.place, lambda notice, _: notice or "please", write=wanted
        ).by

    return wait


def entries(world: World) -> list[Entry]:
    chain = fetch(world.cluster, "shop")
    assert find_fault(chain) is None
    return [entry for entry in map(read_entry, chain) if entry is not None]


def told(world: World) -> list[tuple[str, ...]]:
    deeds = [entry.deed for entry in entries(world)]
    return [(deed.act, deed.actor, deed.proof, deed.origin, deed.reason) for deed in deeds]


@pytest.fixture
def client(world: World) -> Iterator[SyncPrefectClient]:
    """The server, and an environment with a release."""
    world.probes = ()
    world.when_rolling_out(ONE)
    with get_client(sync_client=True) as found:
        yield found


@pytest.fixture
def people(world: World) -> People:
    return People(world.cluster, "ana")


def test_every_answer_is_written_down_with_who_gave_it_from_where(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    run = Asking.begun(client, asking(world))
    run.resumed(STRANGER)
    assert run.state.is_paused()
    run.resumed(people.form("ana"))
    assert run.state.is_completed()
    assert told(world) == [
        ("answer refused", "eve", "none", "eve@den", "eve is no approver of prod"),
        ("approved", "ana", "totp", "Prefect UI", "ana said yes"),
    ]
    about = entries(world)[1].deed.about
    assert (about.release, about.plan) == ("r-1", "p-1")


def test_a_run_that_is_done_once_more_writes_no_second_entry(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    run = Asking.begun(client, asking(world))
    run.resumed(people.form("ana"))
    run.scheduled_by_hand()
    assert run.state.is_completed()
    assert len(entries(world)) == 1


def test_a_yes_that_cannot_be_written_down_does_not_count(
    world: World, client: SyncPrefectClient, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    run = Asking.begun(client, asking(world))
    run.resumed(people.form("ana"))
    assert run.state.is_failed()
    assert "exceeded quota" in str(run.state.message)


def test_a_rollback_is_not_held_up_by_its_trail(
    world: World, client: SyncPrefectClient, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    run = Asking.begun(client, asking(world, try_write))
    run.resumed(people.form("ana"))
    assert run.state.is_completed()
    assert entries(world) == []


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the namespace take no more ConfigMaps."""
    create = FakeCluster.create

    def refuse(cluster: FakeCluster, thing: Object) -> Object:
        if thing["kind"] == "ConfigMap":
            raise ConfigError("exceeded quota", where="ConfigMap")
        return create(cluster, thing)

    monkeypatch.setattr(FakeCluster, "create", refuse)
