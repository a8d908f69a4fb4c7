"""A release that needs people's yes, while another one's canary waits at a gate."""

from dataclasses import replace

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Running

from flows.promote import Wishes, promote
from tasks.approval.task import claim_environment
from tasks.audit import Act
from tasks.audit.decide import read_entry
from tasks.audit.effects import fetch
from tasks.core.application import Application, Component
from tasks.core.gates import Approval
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target
from tasks.rollout.history import history
from tasks.rollout.model import By
from tasks.rollout.roll_out import roll_out
from tests.unit.tasks.rollout.test_canary import ONE, THREE, TWO
from tests.unit.tasks.rollout.test_make_way import GATED, SECOND
from tests.unit.tasks.rollout.world import World

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")


def given_a_canary_at_a_gate(world: World) -> None:
    world.strategy = GATED
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, SECOND)


def delivered(
    world: World, *, overtaken: bool = False, wishes: Wishes | None = None
) -> State[Record]:
    """Bring a release to prod, in a run that a newer one has overtaken or not."""
    environment = replace(world.place.environment, approval=Approval(approvers=("ana",)))
    shop = Application("shop", {"api": Component("api")}, {"prod": environment})

    @flow
    def bring() -> Record:
        if overtaken:
            with get_client(sync_client=True) as client:
                newer = client.create_flow_run(bring, state=Running())
            claim_environment("shop", "prod", str(newer.id))
        return promote(THREE, "prod", shop, wishes or Wishes(TARGET))

    return bring(return_state=True)


def test_who_wants_a_bad_release_in_again_is_written_down_before_it_comes(world: World) -> None:
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    world.when_rolling_back()
    shop = Application("shop", {"api": Component("api")}, {"prod": world.place.environment})

    @flow
    def bring(release: Release) -> Record:
        return promote(release, "prod", shop, Wishes(TARGET, "it was the database"))

    for release in (THREE, TWO):  # nothing has to be overridden for the first
        bring(release)
    [entry] = filter(None, map(read_entry, fetch(world.cluster, "shop")))
    assert (entry.deed.act, entry.deed.about.release) == (Act.OVERRODE, TWO.id)
    assert entry.deed.reason.endswith("it was the database")


def test_a_commit_that_drops_its_approval_is_let_in_by_whom_what_is_live_names(
    world: World,
) -> None:
    unasked = world.place.environment
    guarded = replace(unasked, approval=Approval(approvers=("ana",)))
    roll_out(ONE, replace(world.place, environment=guarded), SECOND, world.ports)
    shop = Application("shop", {"api": Component("api")}, {"prod": unasked})

    @flow
    def bring() -> Record:
        return promote(TWO, "prod", shop, Wishes(TARGET))

    assert "Cannot suspend flows without a deployment" in str(bring(return_state=True).message)
    assert [each.release.id for each in history(world.place, world.cluster)] == [ONE.id]


def states(world: World) -> list[RolloutState]:
    return [each.state for each in history(world.place, world.cluster)]


def test_the_canary_goes_back_before_people_are_asked(world: World) -> None:
    given_a_canary_at_a_gate(world)
    state = delivered(world)
    assert "Cannot suspend flows without a deployment" in str(state.message), "asked at last"
    assert states(world) == [RolloutState.SUPERSEDED, RolloutState.SUCCEEDED]


def test_a_run_that_a_newer_one_has_overtaken_leaves_the_canary_alone(world: World) -> None:
    given_a_canary_at_a_gate(world)
    state = delivered(world, overtaken=True)
    assert "a newer run wants into this environment" in str(state.message)
    assert states(world) == [RolloutState.STARTED, RolloutState.SUCCEEDED]


def test_a_canary_goes_back_whatever_keeps_people_from_being_asked_at_its_gate(
    world: World,
) -> None:
    environment = replace(world.place.environment, approval=Approval(approvers=("ana",)))
    shop = Application("shop", {"api": Component("api")}, {"prod": environment})

    @flow
    def bring() -> Record:
        world.strategy = GATED
        world.when_rolling_out(TWO, By(flow_run.id))
        return promote(TWO, "prod", shop, Wishes(TARGET))

    world.when_rolling_out(ONE)
    assert "Cannot suspend flows without a deployment" in str(bring(return_state=True).message)
    newest = history(world.place, world.cluster)[0]
    assert newest.state is RolloutState.RESTORED
    assert newest.reason.startswith("at a gate: Flow run cannot be suspended")


def test_what_was_built_for_a_release_that_is_not_live_any_more_stays_out(world: World) -> None:
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO, SECOND)
    state = delivered(world, wishes=Wishes(TARGET, onto=1, unasked=True))
    assert "rollout 2 came after rollout 1" in str(state.message)
    assert states(world) == [RolloutState.SUCCEEDED, RolloutState.SUCCEEDED]


def test_a_night_that_would_bring_other_rules_asks_all_the_same(world: World) -> None:
    world.when_rolling_out(ONE)
    state = delivered(world, wishes=Wishes(TARGET, onto=1, unasked=True))
    assert "Cannot suspend flows without a deployment" in str(state.message)
    assert states(world) == [RolloutState.SUCCEEDED]


def test_a_night_that_may_asks_nobody_and_signs_its_record(world: World) -> None:
    guarded = replace(world.place.environment, approval=Approval(approvers=("ana",)))
    roll_out(ONE, replace(world.place, environment=guarded), SECOND, world.ports)
    record = delivered(world, wishes=Wishes(TARGET, onto=1, unasked=True, actor="nightly")).result()
    assert (record.state, record.actor, record.approved_by) == (
        RolloutState.SUCCEEDED,
        "nightly",
        (),
    )
