from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from prefect import Flow, flow
from prefect.client.schemas.objects import State

from flows.back import page_if_left
from flows.guard import guard
from flows.rollback import rollback
from tasks.audit import Act, Proof
from tasks.audit.decide import read_entry
from tasks.audit.effects import fetch
from tasks.core.alerts import Alert
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.core.target import Target
from tasks.guard.model import Answer, Judgement
from tasks.rollout.history import history
from tests.unit.tasks.guard.stand_in import StandIn
from tests.unit.tasks.rollout.world import (
    World,
    config_map,
    deployment,
    image,
    make_release,
    service,
)

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
MINUTE = timedelta(minutes=1)
ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))
PLACE: dict[str, Any] = {
    "application": "shop",
    "environment": "prod",
    "namespace": "shop",
    "target": TARGET,
}


def given_two_rollouts(world: World) -> None:
    world.probes = ()
    world.when_rolling_out(ONE)
    world.cluster.clock.wait(timedelta(days=1))
    world.when_rolling_out(TWO)
    world.cluster.clock.wait(10 * MINUTE)


def alert(began: datetime, **labels: str) -> Alert:
    labels = {"slo": "availability", "severity": "critical", **labels}
    return Alert("Burns", True, began, labels, "half of it fails")  # noqa: FBT003


def ended(wanted: Flow[..., Any], **more: object) -> State[Any]:
    """Run a flow to its end, whatever that is."""
    state: State[Any] = wanted(**PLACE, **more, return_state=True)  # type: ignore[assignment]
    return state


def guarded(world: World, *alerts: Alert) -> State[Judgement]:
    return ended(guard, alerts=alerts or (alert(world.cluster.clock.now()),))


def newest(world: World) -> Record:
    return history(world.place, world.cluster)[0]


def said(world: World, number: int) -> list[str]:
    found = next(each for each in history(world.place, world.cluster) if each.number == number)
    return [moment.what for moment in found.moments if moment.what.startswith(("guard", "paged"))]


def test_an_alert_takes_the_release_back_and_the_record_keeps_why(world: World) -> None:
    given_two_rollouts(world)
    state = guarded(world)
    assert state.is_completed()
    record = newest(world)
    assert (record.number, record.restores, record.actor) == (3, 1, "guard")
    [entry] = filter(None, map(read_entry, fetch(world.cluster, "shop")))
    assert (entry.deed.act, entry.deed.proof) == (Act.ROLLED_BACK, Proof.GUARD)
    assert (entry.deed.about.release, entry.deed.about.rollout) == (TWO.id, 3)
    [kept] = said(world, 2)
    assert kept.startswith("guard rolled back: Burns began 10m")
    assert " | a rollback goes to rollout 1" in kept


def test_a_release_that_is_not_to_blame_is_paged_and_stays(world: World, pager: StandIn) -> None:
    given_two_rollouts(world)
    before = world.cluster.clock.now() - timedelta(hours=1)
    for _ in range(2):
        judgement = guarded(world, alert(before)).result()
        assert judgement.answer is Answer.PAGE
        world.cluster.clock.wait(10 * MINUTE)
    assert newest(world).number == 2
    assert [kept.partition(" | ")[0] for kept in said(world, 2)] == [
        "guard paged: it burned before rollout 2 began"
    ]
    assert {each["dedup_key"] for each in pager.heard} == {"slipway/prod/shop/2"}


def test_an_alert_that_is_over_changes_nothing(world: World, pager: StandIn) -> None:
    given_two_rollouts(world)
    writes = len(world.cluster.writes)
    judgement = guarded(world, alert(world.cluster.clock.now(), severity="warning")).result()
    assert judgement.answer is Answer.IGNORE
    assert (world.cluster.writes[writes:], pager.heard) == ([], [])


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(guarded, id="by the guard"),
        pytest.param(lambda _world: ended(rollback, reason="they suffer"), id="by hand"),
    ],
)
def test_a_rollback_that_fails_ends_as_failed_pages_and_says_how_to_finish(
    world: World, pager: StandIn, run: Callable[[World], State[Any]]
) -> None:
    given_two_rollouts(world)
    world.behaviour["api@1"] = "crash"
    state = run(world)
    assert state.is_failed()
    assert "the rollback failed" in str(state.message)
    assert "slipway rollback prod --reason TEXT goes there again" in str(state.message)
    assert (newest(world).restores, newest(world).state) == (1, RolloutState.RESTORED)
    [page] = pager.heard
    assert page["payload"]["summary"].startswith(f"prod/shop: the rollback of {TWO.id} failed")
    assert said(world, 3)[0].startswith("paged: prod/shop: the rollback of")


def test_a_rollback_that_is_refused_wakes_nobody(world: World, pager: StandIn) -> None:
    given_two_rollouts(world)
    state = ended(rollback, reason="they suffer", to="2")
    assert state.is_failed()
    assert "rollout 2 is live already" in str(state.message)
    assert pager.heard == []


def test_a_goal_that_was_typed_into_the_form_is_the_number_of_a_rollout(world: World) -> None:
    given_two_rollouts(world)
    record = ended(rollback, reason="they suffer", to="1").result()
    assert (record.restores, record.state) == (1, RolloutState.SUCCEEDED)


def given_a_canary_at_a_gate(world: World) -> None:
    """Half of the traffic goes to r-next, and its run waits for a person: no process is left."""
    world.probes = ()
    world.strategy = Strategy(canary=Canary((CanaryStep(50, gate=True), 100), bake=MINUTE))
    for digit in "12":
        api = image("api", digit)
        pods = deployment("api", api.reference, replicas=4, track="stable")
        world.when_rolling_out(make_release(pods, service("api"), images=(api,)))
    assert newest(world).state is RolloutState.STARTED


def test_a_canary_that_waits_at_a_gate_is_taken_back_by_an_alert(world: World) -> None:
    given_a_canary_at_a_gate(world)
    world.cluster.clock.wait(5 * MINUTE)
    state = guarded(world)
    assert state.is_completed(), state.message
    record = newest(world)
    assert (record.number, record.state) == (2, RolloutState.RESTORED)
    assert "half of it fails" in record.reason
    assert said(world, 2)[0].startswith("guard rolled back: Burns began")


def test_what_a_person_takes_back_while_it_is_under_way_has_come_back(world: World) -> None:
    given_a_canary_at_a_gate(world)
    record = ended(rollback, reason="they suffer").result()
    assert (record.number, record.state) == (2, RolloutState.RESTORED)


@pytest.mark.parametrize(
    ("irreversible", "pages"),
    [
        pytest.param("the column is gone", 1, id="one that cannot be taken back stays, and pages"),
        pytest.param(None, 0, id="one that was taken back wakes nobody"),
    ],
)
def test_who_is_woken_up_by_a_delivery_that_fails(
    world: World, pager: StandIn, irreversible: str | None, pages: int
) -> None:
    world.probes = ()
    world.when_rolling_out(ONE)
    world.behaviour["api@2"] = "crash"
    record = world.when_rolling_out(replace(TWO, irreversible=irreversible))
    flow(page_if_left)(world.place, record)
    assert [each["dedup_key"] for each in pager.heard] == ["slipway/prod/shop/2"] * pages
    assert len(said(world, 2)) == pages
