"""What an approval is bound to, on Prefect's own server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Running, Scheduled

from flows.notice import read_notice
from flows.promote import Wishes, promote
from tasks.approval.task import claim_environment
from tasks.core.application import Application, Component
from tasks.core.gates import Approval, Freeze
from tasks.core.model import Release
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.rollout.history import history
from tests.unit.flows.asking import Asking, People
from tests.unit.tasks.rollout.test_canary import ONE, release
from tests.unit.tasks.rollout.world import World

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
TWO = replace(release("2", config="more"), images=())
THREE = replace(release("3", config="most"), images=())
ALWAYS = Freeze(start="2020-01-01", end="2900-01-01", reason="for ever")
EASY = Approval(approvers=("ana", "bo"))


@pytest.fixture
def client(world: World) -> Iterator[SyncPrefectClient]:
    """The server; one release is live in the shop's prod."""
    world.when_rolling_out(ONE)
    with get_client(sync_client=True) as found:
        yield found


@pytest.fixture
def people(world: World) -> People:
    return People(world.cluster, "ana", "bo", "maria")


def bringing(
    world: World,
    wanted: Release = TWO,
    approval: Approval | None = EASY,
    freezes: tuple[Freeze, ...] = (),
    overriders: tuple[str, ...] = (),
) -> Flow[[], Record]:
    """Return a flow that brings a release to prod under some rules."""
    environment = replace(
        world.place.environment, approval=approval, freezes=freezes, overriders=overriders
    )
    shop = Application("shop", {"api": Component("api")}, {"prod": environment})

    @flow(name=f"bring {wanted.id}", persist_result=True)
    def bring() -> Record:
        return promote(wanted, "prod", shop, Wishes(TARGET))

    return bring


def rollouts(world: World) -> list[str]:
    return [each.release.id for each in history(world.place, world.cluster)]


def test_a_yes_lets_exactly_that_in_and_counts_for_nothing_afterwards(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    assert asking.state.is_paused()
    form = people.form("ana")
    assert asking.resumed(form) == "ACCEPT"
    assert asking.state.is_completed()
    newest = history(world.place, world.cluster)[0]
    assert (newest.release.id, newest.approved_by) == (TWO.id, ("ana",))
    # a second use, and a retry that somebody forces
    assert asking.resumed(form) == "ABORT"
    asking.scheduled_by_hand()
    assert rollouts(world) == [TWO.id, ONE.id]


@pytest.mark.parametrize("form", [None, {}, {"approver": "ana", "decision": "approve"}])
def test_an_empty_resume_is_no_answer(
    world: World, client: SyncPrefectClient, form: dict[str, str] | None
) -> None:
    asking = Asking.begun(client, bringing(world))
    assert asking.resumed(form) == "REJECT"
    assert asking.state.is_paused()


def test_a_state_that_is_set_by_hand_lets_nothing_in(
    world: World, client: SyncPrefectClient
) -> None:
    states: tuple[State, ...] = (Scheduled(), Running(), Completed())
    for state in states:
        asking = Asking.begun(client, bringing(world))
        client.set_flow_run_state(asking.id, state, force=True)
        asking.goes_on()
        assert rollouts(world) == [ONE.id]


def test_an_answer_that_is_written_into_the_database_has_to_be_a_persons_all_the_same(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    asking.answered_by_hand({**people.form("ana"), "code": "000000"})
    assert asking.state.is_paused()
    assert "wrong code of ana" in asking.question
    assert rollouts(world) == [ONE.id]


def test_a_yes_to_one_plan_is_none_to_another_one_of_the_same_run(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    first = asking.question
    (route,) = [ref for ref in world.cluster.objects if ref.kind.name == "ConfigMap"][:1]
    world.cluster.delete(route)
    asking.resumed(people.form("ana"))
    assert asking.state.is_paused(), "asked again, about the cluster as it is now"
    assert asking.question != first
    assert rollouts(world) == [ONE.id]


def test_a_form_that_was_opened_for_one_question_answers_no_other(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    opened = {"question": asking.asks, **people.form("ana")}
    (route,) = [ref for ref in world.cluster.objects if ref.kind.name == "ConfigMap"][:1]
    world.cluster.delete(route)
    asking.resumed({**people.form("ana"), "code": "000000"})
    assert asking.asks != opened["question"], "the cluster has changed, and so has the question"
    assert asking.resumed(opened) == "REJECT"
    asking.answered_by_hand(opened)
    assert f"the answer is to {opened['question']}, and {asking.asks} is asked" in asking.question
    assert rollouts(world) == [ONE.id]


def test_an_answer_that_does_not_say_to_what_is_none(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    result = client.resume_flow_run(asking.id, run_input=people.form("ana"))
    assert result.status.value == "REJECT"
    assert asking.state.is_paused()


def test_an_older_release_cannot_be_approved_when_a_newer_one_waits(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    older, newer = (Asking.begun(client, bringing(world, each)) for each in (TWO, THREE))
    assert (older.state.name, newer.state.is_paused()) == ("Superseded", True)
    assert older.resumed(people.form("ana")) == "ABORT"
    older.scheduled_by_hand()
    assert "a newer run wants into this environment" in str(older.state.message)
    assert rollouts(world) == [ONE.id]


def test_a_newer_release_that_claims_the_environment_meanwhile_outdates_a_yes(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world))
    newer = client.create_flow_run(asking.flow, state=Running())
    claim_environment.fn("shop", "prod", str(newer.id))
    asking.resumed(people.form("ana"))
    assert "superseded" in str(asking.state.message)
    assert rollouts(world) == [ONE.id]


def test_nobody_is_waited_for_after_the_end(world: World, client: SyncPrefectClient) -> None:
    rules = replace(EASY, expires=timedelta(microseconds=1))
    asking = Asking.begun(client, bringing(world, approval=rules))
    assert "nobody answered within" in str(asking.state.message)
    assert rollouts(world) == [ONE.id]


def test_a_yes_in_a_freeze_does_not_count_until_somebody_who_may_overrides_it(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    asking = Asking.begun(client, bringing(world, freezes=(ALWAYS,), overriders=("maria",)))
    assert "maria may override it" in asking.question
    asking.resumed(people.form("ana", comment="please"))
    assert "(for ever): a yes counts after that, or maria overrides it" in read_notice(
        asking.question
    )
    asking.resumed(people.form("maria", comment="the shop is down"))
    assert asking.state.is_paused(), "maria is no approver"
    assert "**So far:** maria overrode that it was closed: the shop is down" in asking.question
    asking.resumed(people.form("bo"))
    newest = history(world.place, world.cluster)[0]
    assert newest.override is not None
    assert (newest.override.by, newest.override.reason) == ("maria", "the shop is down")
    assert newest.approved_by == ("bo",)


def test_where_nobody_has_to_approve_an_overrider_is_asked_in_a_freeze(
    world: World, client: SyncPrefectClient, people: People
) -> None:
    unasked = bringing(world, approval=None, freezes=(ALWAYS,), overriders=("maria",))
    asking = Asking.begun(client, unasked)
    asking.resumed(people.form("ana", comment="please"))
    assert "ana is no approver of prod" in asking.question
    asking.resumed(people.form("maria", comment="the shop is down"))
    assert asking.state.is_completed()
    assert history(world.place, world.cluster)[0].override is not None


def test_without_overriders_a_freeze_ends_the_run_at_once(
    world: World, client: SyncPrefectClient
) -> None:
    asking = Asking.begun(client, bringing(world, approval=None, freezes=(ALWAYS,)))
    assert "frozen until" in str(asking.state.message)
    assert rollouts(world) == [ONE.id]
