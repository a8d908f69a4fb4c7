"""Who guards what is live, through rollouts that change nothing else, races and rollbacks."""

from contextlib import suppress
from dataclasses import replace

import pytest

from tasks.core.admission import Admission
from tasks.core.cluster_fake import Killed
from tasks.core.errors import GateClosed
from tasks.core.gates import Approval
from tasks.core.model import Manifests, Release
from tasks.core.record import ChangeKind, Record, RolloutState
from tasks.core.strategy import Hook, Hooks
from tasks.rollout import records
from tasks.rollout.history import admission_of, stored_history
from tasks.rollout.model import Back, By, Place, Rules
from tasks.rollout.place import place_without_repository
from tasks.rollout.plan import plan
from tasks.rollout.roll_back import roll_back
from tasks.rollout.roll_out import roll_out
from tests.unit.tasks.rollout.test_canary import ONE, TWO, with_job
from tests.unit.tasks.rollout.test_make_way import GATED
from tests.unit.tasks.rollout.world import BusyCluster, World


def hooked(image: str) -> Release:
    """Return the first release with a Job for a hook."""
    made = with_job("migrate", ONE)
    text = made.manifests_for("prod").yaml.replace("image: migrate", f"image: {image}")
    return replace(made, id=f"r-{image}", manifests=(Manifests("prod", "shop", text),))


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


def test_a_hook_is_a_change_that_people_are_asked_about() -> None:
    world = World()
    world.rules = Rules(hooks=Hooks(before=(Hook("migrate"),)))
    brought(world, hooked("good"), guarded(world, ANA))
    evil = hooked("evil")
    with pytest.raises(GateClosed, match="people have to be asked"):
        brought(world, evil, guarded(world, ANA), asked=False)
    (change,) = [
        each
        for each in plan(evil, guarded(world, ANA), world.cluster).changes
        if each.kind is not ChangeKind.UNCHANGED
    ]
    assert (change.kind, change.object) == (ChangeKind.UPDATE, "Job/migrate (run by a hook)")
    assert "- image: evil" in change.diff


def test_a_killed_rollout_of_other_rules_is_not_taken_for_this_one() -> None:
    world = World()
    brought(world, ONE, guarded(world, ANA))
    world.cluster.kill_after = 3
    with suppress(Killed):
        brought(world, TWO, guarded(world, ANA))
    world.cluster.kill_after = None
    assert stored_history(world.place, world.cluster)[0].record.state is RolloutState.STARTED
    with pytest.raises(GateClosed, match="people have to be asked"):
        roll_out(TWO, guarded(world, BO), By("other", "ann"), world.ports)
    ended, *_ = stored_history(world.place, world.cluster)
    assert ended.record.state is not RolloutState.STARTED, "it went back"


def test_a_rollback_to_a_record_that_knows_no_rules_keeps_those_of_what_is_live() -> None:
    world = World()
    brought(world, ONE, world.place)
    (first,) = stored_history(world.place, world.cluster)
    records.update(world.cluster, replace(first, environment=None))
    brought(world, TWO, guarded(world, ANA))
    bare = place_without_repository("shop", "prod", "shop", world.place.target)
    roll_back(bare, By("back", "ann"), Back("users suffer"), world.ports)
    assert admitting(world, guarded(world, None)).approval == ANA


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
