from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Conflict, GateClosed
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Kind, Object, Ref
from tasks.core.record import ChangeKind, Moment, Record, RolloutState
from tasks.rollout import records
from tasks.rollout.history import begun_by, history, is_bad, live, note, past
from tasks.rollout.lock import Aside, ask, hold
from tasks.rollout.model import Back, By
from tasks.rollout.roll_back import plan_back, roll_back
from tests.unit.tasks.rollout.world import (
    BusyCluster,
    World,
    config_map,
    deployment,
    make_release,
    told,
)

ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))
THREE = make_release(config_map("three", a="3"), deployment("api", "api@3", config="three"))


def given_three_rollouts(cluster: FakeCluster | None = None) -> World:
    world = World(cluster or FakeCluster())
    for release in (ONE, TWO, THREE):
        world.when_rolling_out(release)
    return world


def test_a_rollback_brings_the_whole_earlier_release_back_and_marks_the_bad_one() -> None:
    world = given_three_rollouts()
    record = world.when_rolling_back()
    assert (record.number, record.state, record.restores) == (4, RolloutState.SUCCEEDED, 2)
    assert record.reason == f"users suffer; rollout 2 ({TWO.id}) is live again"
    assert record.release == TWO
    assert world.names("ConfigMap") == {"two"}
    assert world.image_of("api") == "api@2"
    assert is_bad(THREE.id, world.place, world.cluster)
    with pytest.raises(GateClosed, match="was taken back here before"):
        world.when_rolling_out(THREE)


def test_a_rollback_is_planned_as_the_environment_was_then() -> None:
    world = given_three_rollouts()
    planned = plan_back(2, world.place, world.cluster)
    assert (planned.release, planned.live) == (TWO.id, 3)
    assert {each.object: each.kind for each in planned.changes} == {
        "ConfigMap/two": ChangeKind.CREATE,
        "ConfigMap/three": ChangeKind.DELETE,
        "Deployment/api": ChangeKind.UPDATE,
    }
    with pytest.raises(GateClosed, match="rollout 9 is kept no more"):
        plan_back(9, world.place, world.cluster)


def test_a_rollback_sends_the_probes_that_the_release_came_with() -> None:
    world = given_three_rollouts()
    known, world.probes = world.probes, ()  # a rollback by hand reads no slipway.yaml
    record = world.when_rolling_back()
    assert (world.probed[-1], world.probes_sent[-1]) == (TWO.id, known)
    assert record.verdicts[-1].reason == "probes passed"


def test_a_run_finds_its_own_rollout_even_when_others_came_after_it() -> None:
    world = World()
    first = world.when_rolling_out(ONE, By(run="older"))
    world.when_rolling_out(TWO, By(run="newer"))
    assert begun_by("older", world.place, world.cluster) == first
    assert begun_by("another", world.place, world.cluster) is None


def test_a_rollback_goes_to_the_rollout_that_is_named() -> None:
    world = given_three_rollouts()
    record = world.when_rolling_back(to=1)
    assert (record.restores, record.release.id) == (1, ONE.id)
    assert world.names("ConfigMap") == {"one"}


def test_a_rollback_goes_to_the_release_that_is_named() -> None:
    world = given_three_rollouts()
    by = By(run="hand")
    assert roll_back(world.place, by, Back("why", ONE.id), world.ports).restores == 1
    with pytest.raises(GateClosed, match=f"release {ONE.id} is live already"):
        roll_back(world.place, By(run="again"), Back("why", ONE.id), world.ports)


def test_a_rollback_that_blames_a_release_leaves_another_one_alone() -> None:
    world = given_three_rollouts()
    blamed = Back("it burns", blames=THREE.id)
    assert roll_back(world.place, By(run="guard-1"), blamed, world.ports).restores == 2
    with pytest.raises(Conflict, match=f"{THREE.id} is not live any more"):
        roll_back(world.place, By(run="guard-2"), blamed, world.ports)
    assert world.image_of("api") == "api@2"


def test_what_an_environment_has_lived_through_is_told_without_what_is_large() -> None:
    world = given_three_rollouts()
    world.when_rolling_back()
    told = past(world.place, world.cluster)
    assert (told.live, told.goal, told.bad) == (4, 1, (THREE.id,))
    assert [each.number for each in told.records] == [4, 3, 2, 1]
    assert {each.release.manifests for each in told.records} == {()}
    assert told.rules == world.place.environment.rollback


def test_what_happens_after_the_end_is_kept_with_the_record_once() -> None:
    world = given_three_rollouts()
    for _ in range(2):
        note(world.place, 3, Moment(world.cluster.clock.now(), "paged: it burns"), world.cluster)
    said = [each.what for each in history(world.place, world.cluster)[0].moments]
    assert said.count("paged: it burns") == 1


def test_a_second_rollback_goes_further_back_and_never_to_a_bad_release() -> None:
    world = given_three_rollouts()
    world.when_rolling_back()
    assert world.when_rolling_back().release.id == ONE.id
    with pytest.raises(GateClosed, match="its release was taken back itself"):
        world.when_rolling_back(to=2)
    with pytest.raises(GateClosed, match="cannot go back to an earlier good rollout"):
        world.when_rolling_back()


@pytest.mark.parametrize(
    ("to", "why"),
    [
        pytest.param(3, "rollout 3 is live already", id="the live one"),
        pytest.param(9, "no such rollout has succeeded", id="one that never was"),
    ],
)
def test_a_rollback_to_nowhere_is_refused(to: int, why: str) -> None:
    world = given_three_rollouts()
    with pytest.raises(GateClosed, match=why):
        world.when_rolling_back(to=to)


def test_a_rollback_takes_over_what_somebody_changed_by_hand() -> None:
    world = given_three_rollouts()
    changed = world.workload("api")
    changed["spec"]["template"]["spec"]["containers"] = [{"name": "api", "image": "hotfix"}]
    world.cluster.change(changed, "kubectl-edit")
    world.when_rolling_back()
    assert world.image_of("api") == "api@2"


def test_a_rollback_asked_for_again_by_the_same_run_is_only_reported() -> None:
    world = given_three_rollouts()
    by = By(run="rollback-run")
    assert world.when_rolling_back(by=by) == world.when_rolling_back(by=by)
    assert len(history(world.place, world.cluster)) == 4


def writes_of_a_rollback() -> range:
    world = given_three_rollouts()
    before = len(world.cluster.writes)
    world.when_rolling_back()
    return range(len(world.cluster.writes) - before)


@pytest.mark.parametrize("writes", writes_of_a_rollback())
def test_killed_anywhere_and_started_again_a_rollback_converges(writes: int) -> None:
    world = given_three_rollouts()
    by = By(run="rollback-run")
    with world.killed_after(writes):
        world.when_rolling_back(by=by)
    record = world.when_rolling_back(by=by)
    assert told(record) == told(given_three_rollouts().when_rolling_back(by=by))
    assert is_bad(THREE.id, world.place, world.cluster)
    assert world.names("ConfigMap") == {"two"}


def in_the_middle_of_a_rollback(world: World, act: Callable[[World], object]) -> Record:
    """Roll back, and let something happen as soon as the way back has begun."""

    def watch(_cluster: FakeCluster, thing: Object) -> None:
        if thing["kind"] == "Deployment" and world.cluster.controllers[-1] is watch:
            world.cluster.controllers.pop()
            act(world)

    world.cluster.controllers.append(watch)
    return world.when_rolling_back(by=By(run="first"))


def asks(against: str) -> Callable[[World], object]:
    """Return what another run does that wants the holder of the lock to make room."""

    def ask_holder(world: World) -> None:
        lease = world.cluster.read(Ref(Kind("coordination.k8s.io/v1", "Lease"), "shop", "slipway"))
        assert lease is not None
        ask(world.cluster, lease, Aside("second", "asked by another", against))

    return ask_holder


@pytest.mark.parametrize(
    "against",
    [
        pytest.param(THREE.id, id="another rollback of the same release"),
        pytest.param(TWO.id, id="a rollback of the release that comes back"),
        pytest.param("", id="a newer release that wants the place"),
    ],
)
def test_a_rollback_under_way_is_never_turned_round(against: str) -> None:
    world = given_three_rollouts()
    record = in_the_middle_of_a_rollback(world, asks(against))
    assert (record.state, record.release.id) == (RolloutState.SUCCEEDED, TWO.id)
    assert world.image_of("api") == "api@2"
    assert not is_bad(TWO.id, world.place, world.cluster)


def test_a_second_rollback_asked_for_during_the_first_is_told_that_it_is_done() -> None:
    world = given_three_rollouts()
    blamed: list[str | None] = []

    def second(each: World) -> None:
        blamed.append(records.unwanted(records.fetch(each.cluster, "shop")))

    in_the_middle_of_a_rollback(world, second)
    assert blamed == [THREE.id], "what the first one takes away"
    with pytest.raises(Conflict, match=f"{THREE.id} is not live any more"):
        roll_back(world.place, By(run="b"), Back("users suffer", blames=blamed[0]), world.ports)
    assert world.image_of("api") == "api@2"


def test_a_rollback_that_waited_for_one_that_failed_is_not_begun_unasked() -> None:
    world = given_three_rollouts(cluster := BusyCluster())
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    cluster.first = [lambda: world.when_rolling_back(by=By(run="first"))]
    said = r"rollout 4, a rollback too, has ended meanwhile, restored: GET /health: expected 200"
    with pytest.raises(Conflict, match=said):
        world.when_rolling_back(by=By(run="second"))
    assert (world.image_of("api"), len(history(world.place, world.cluster))) == ("api@3", 4)
    assert world.when_rolling_back().release.id == TWO.id, "asked by who knows that, it begins"


def test_a_rollback_that_was_under_way_already_and_failed_is_not_begun_again_unasked() -> None:
    world = given_three_rollouts(cluster := BusyCluster())
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    with world.killed_after(6):
        world.when_rolling_back(by=By(run="first"))
    assert history(world.place, world.cluster)[0].state is RolloutState.STARTED
    cluster.first = [lambda: world.when_rolling_back(by=By(run="first"))]
    with pytest.raises(Conflict, match="rollout 4, a rollback too, has ended meanwhile, restored"):
        world.when_rolling_back(by=By(run="second"))
    assert len(history(world.place, world.cluster)) == 4


def test_a_rollback_to_a_named_rollout_is_begun_whatever_came_before_it() -> None:
    world = given_three_rollouts(cluster := BusyCluster())
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    cluster.first = [lambda: world.when_rolling_back(by=By(run="first"))]
    assert world.when_rolling_back(to=1, by=By(run="second")).restores == 1


def test_a_rollback_to_a_named_rollout_is_not_superseded_by_a_newer_release() -> None:
    world = given_three_rollouts(cluster := BusyCluster())
    four = make_release(deployment("api", "api@4"))
    newer = replace(four, created_at=ONE.created_at + timedelta(hours=1))
    cluster.first = [lambda: world.when_rolling_out(newer)]
    assert world.when_rolling_back(to=1).restores == 1


def test_a_rollback_that_fails_says_nothing_against_the_release_it_goes_to() -> None:
    world = given_three_rollouts()
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    failed = world.when_rolling_back()
    assert failed.state is RolloutState.RESTORED
    assert world.image_of("api") == "api@3", "what answered before answers again"
    assert not is_bad(TWO.id, world.place, world.cluster)
    assert is_bad(THREE.id, world.place, world.cluster)
    assert world.when_rolling_back().release.id == TWO.id, "asked again, it goes there again"


def test_a_bad_release_keeps_with_its_record_why_it_was_taken_back() -> None:
    world = given_three_rollouts()
    world.when_rolling_back()
    bad = history(world.place, world.cluster)[1]
    assert bad.moments[-1].what == "taken back by rollout 4: users suffer"


def test_a_release_that_is_refused_makes_nobody_give_way() -> None:
    world = given_three_rollouts()
    world.when_rolling_back()
    silent = hold(world.cluster, world.cluster.clock, "shop", "somebody")
    silent.__enter__()
    with pytest.raises(GateClosed, match="was taken back here before"):
        world.when_rolling_out(THREE)
    lease = world.cluster.objects[Ref(Kind("coordination.k8s.io/v1", "Lease"), "shop", "slipway")]
    assert not lease["metadata"].get("annotations")
    silent.__exit__(None, None, None)


def test_a_run_that_is_called_again_after_others_came_only_reports() -> None:
    world = World()
    first = world.when_rolling_out(ONE, By(run="older"))
    world.when_rolling_out(TWO, By(run="newer"))
    assert world.when_rolling_out(ONE, By(run="older")) == first
    assert world.image_of("api") == "api@2"


def test_why_a_bad_release_is_tried_again_stands_in_the_history() -> None:
    world = given_three_rollouts()
    world.when_rolling_back()
    again = world.when_rolling_out(THREE, By(run="again", despite="the database is mended"))
    said = "deployed again although it was taken back: the database is mended"
    assert said in [moment.what for moment in again.moments]


def test_history_is_newest_first_and_live_is_the_newest_that_succeeded() -> None:
    world = given_three_rollouts()
    world.behaviour["api@4"] = "crash"
    world.when_rolling_out(make_release(deployment("api", "api@4")))
    found = history(world.place, world.cluster)
    assert [(record.number, record.state) for record in found] == [
        (4, RolloutState.RESTORED),
        (3, RolloutState.SUCCEEDED),
        (2, RolloutState.SUCCEEDED),
        (1, RolloutState.SUCCEEDED),
    ]
    assert live(world.place, world.cluster) == found[1]


def test_a_rollback_to_a_named_rollout_ends_one_that_nobody_drives() -> None:
    world = given_three_rollouts()
    with world.killed_after(6):
        world.when_rolling_out(make_release(deployment("api", "api@4")), By(run="killed"))
    assert world.when_rolling_back(to=1).release.id == ONE.id
    assert world.image_of("api") == "api@1"
