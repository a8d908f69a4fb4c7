import pytest

from tasks.core.errors import Conflict, GateClosed
from tasks.core.model import Moment, RolloutState
from tasks.rollout.history import begun_by, history, is_bad, live, note, past
from tasks.rollout.model import Back, By
from tasks.rollout.roll_back import roll_back
from tests.unit.tasks.rollout.world import World, config_map, deployment, make_release

ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))
THREE = make_release(config_map("three", a="3"), deployment("api", "api@3", config="three"))


def given_three_rollouts() -> World:
    world = World()
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


@pytest.mark.parametrize("writes", range(20))
def test_killed_anywhere_and_started_again_a_rollback_converges(writes: int) -> None:
    world = given_three_rollouts()
    by = By(run="rollback-run")
    with world.killed_after(writes):
        world.when_rolling_back(by=by)
    record = world.when_rolling_back(by=by)
    assert (record.number, record.restores, record.state) == (4, 2, RolloutState.SUCCEEDED)
    assert is_bad(THREE.id, world.place, world.cluster)
    assert world.names("ConfigMap") == {"two"}


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
