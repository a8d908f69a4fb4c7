"""Who guards what is live, through rollouts that change nothing else, races and rollbacks."""

from dataclasses import replace

import pytest

from tasks.core.admission import Admission
from tasks.core.errors import GateClosed
from tasks.core.gates import Approval
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.rollout.history import admission_of, stored_history
from tasks.rollout.model import By, Place
from tasks.rollout.plan import plan
from tasks.rollout.roll_out import roll_out
from tests.unit.tasks.rollout.test_canary import ONE, TWO
from tests.unit.tasks.rollout.test_make_way import GATED
from tests.unit.tasks.rollout.world import BusyCluster, World

ANA, BO = Approval(approvers=("ana",)), Approval(approvers=("bo",))


def guarded(world: World, approval: Approval | None) -> Place:
    return replace(world.place, environment=replace(world.place.environment, approval=approval))


def brought(world: World, release: Release, place: Place, *, asked: bool = True) -> Record:
    bound = plan(release, place, world.cluster).id if asked else None
    run = f"run-{len(world.cluster.objects)}-{release.id}-{asked}"
    return roll_out(release, place, By(run, "ann", plan=bound), world.ports)


def admitting(world: World, place: Place) -> Admission:
    return admission_of(place, stored_history(world.place, world.cluster))


@pytest.mark.parametrize("release", [ONE, replace(ONE, id="r-000000000000")])
@pytest.mark.parametrize("strategy", [None, GATED])
def test_a_commit_that_changes_the_rules_alone_is_a_rollout_that_people_are_asked_about(
    release: Release, strategy: object
) -> None:
    world = World()
    if strategy is not None:
        world.strategy = GATED
    brought(world, ONE, guarded(world, ANA))
    with pytest.raises(GateClosed, match="people have to be asked"):
        brought(world, release, guarded(world, BO), asked=False)
    assert brought(world, release, guarded(world, BO)).state is RolloutState.SUCCEEDED
    assert admitting(world, guarded(world, BO)) == replace(
        admitting(world, guarded(world, BO)), approval=BO, changed=()
    )


def test_what_comes_in_while_a_run_waits_for_its_turn_guards_from_then_on() -> None:
    cluster = BusyCluster()
    world = World(cluster)
    brought(world, ONE, world.place)
    cluster.first = [lambda: brought(world, TWO, guarded(world, ANA))]
    late = replace(ONE, id="r-000000000000", created_at=TWO.created_at)
    with pytest.raises(GateClosed, match="people have to be asked"):
        brought(world, late, world.place, asked=False)


def test_a_rollback_does_not_bring_the_rules_of_before_back() -> None:
    world = World()
    brought(world, ONE, guarded(world, BO))
    brought(world, TWO, guarded(world, ANA))
    world.when_rolling_back()
    assert stored_history(world.place, world.cluster)[0].record.release.id == ONE.id
    assert admitting(world, guarded(world, None)).approval == ANA
