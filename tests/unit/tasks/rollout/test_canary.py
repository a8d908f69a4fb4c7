"""Canaries and blue-green rollouts of a shop whose api is behind a plain Service."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from tasks.core.errors import GateClosed
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Kind, Object, Ref, parse_stream
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import BlueGreen, Canary, CanaryStep, Hook, Hooks, Strategy
from tasks.core.tracks import TRACK
from tasks.core.watching import Reading
from tasks.rollout import records
from tasks.rollout.history import is_bad
from tasks.rollout.lock import Aside, ask
from tasks.rollout.model import By, Rules
from tests.unit.tasks.rollout.world import (
    WELL,
    World,
    config_map,
    deployment,
    image,
    make_release,
    service,
    told,
)

BAKE = timedelta(seconds=5)
CANARY = Strategy(canary=Canary(steps=(25, 50, 100), bake=BAKE))
BLUE_GREEN = Strategy(blueGreen=BlueGreen(bake=BAKE))
REST = Strategy(canary=Canary(steps=(50, 100), bake=BAKE, standby=False))
BAD = Reading(Verdict(Outcome.FAILED, "availability: 20 % of 100 requests failed"))
SHORT = Strategy(canary=Canary(steps=(50, 100), bake=BAKE))


def release(digit: str, config: str = "settings", **settings: str) -> Release:
    api = image("api", digit)
    return make_release(
        config_map(config, digit=digit, **settings),
        service("api"),
        deployment("api", api.reference, replicas=4, config=config, track="stable"),
        images=(api,),
    )


def unsized(digit: str) -> Release:
    """Return a release that leaves the number of pods to others."""
    api = image("api", digit)
    workload = deployment("api", api.reference, replicas=None, track="stable")
    return make_release(service("api"), workload, images=(api,))


def with_job(name: str, of: Release | None = None) -> Release:
    """Return the second release, or another one, with a Job for a hook."""
    base = of or TWO
    job: Object = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
    job["spec"] = {"template": {"spec": {"containers": [{"name": name, "image": "migrate"}]}}}
    made = make_release(*parse_stream(base.manifests_for("prod").yaml), job, images=base.images)
    return replace(made, irreversible=base.irreversible)


ONE, TWO, THREE = release("1"), release("2"), release("3")


def given_live(strategy: Strategy = CANARY) -> World:
    world = World(strategy=strategy)
    world.when_rolling_out(ONE)
    return world


@cache
def writes_of(strategy: Strategy, *, bad: bool = False) -> range:
    """Count what an undisturbed rollout writes: a kill after each is a case of its own."""
    world = given_live(strategy)
    world.bad = {image("api", "2").reference} if bad else set()
    before = len(world.cluster.writes)
    world.when_rolling_out(TWO)
    return range(len(world.cluster.writes) - before)


@cache
def undisturbed(strategy: Strategy, *, bad: bool = False) -> Record:
    world = given_live(strategy)
    world.bad = {image("api", "2").reference} if bad else set()
    return world.when_rolling_out(TWO)


def said(record: Record) -> list[str]:
    return [moment.what for moment in record.moments]


def then_only_the_stable_track_is_left(world: World, digit: str) -> None:
    assert world.image_of("api") == image("api", digit).reference
    assert world.names("Deployment", "apps/v1") == {"api"}
    assert world.names("Service") == {"api"}
    assert world.names("ConfigMap") == {"settings"}
    assert world.selector_of("api") == {"app": "api"}


def test_a_canary_climbs_bakes_and_takes_the_stable_place() -> None:
    world = given_live()
    record = world.when_rolling_out(TWO)
    assert said(record) == [
        "canary started beside the stable pods",
        "passed: workloads ready: 1",
        "canary ready",
        "passed: probes passed",
        "testers may come",
        "25 % of the traffic",
        "passed: no worse than stable",
        "passed: workloads ready: 1",
        "passed: probes passed",
        "50 % of the traffic",
        "passed: no worse than stable",
        "passed: workloads ready: 1",
        "passed: probes passed",
        "100 % of the traffic",
        "passed: no worse than stable",
        "passed: no worse than stable",
        "the bake has passed",
        "promotion began",
        "passed: workloads ready: 1",
        "passed: probes passed",
        "promoted: the stable pods answer with the new release",
        "succeeded: promoted after 25 %, 50 %, 100 % of the traffic",
    ]
    assert record.state is RolloutState.SUCCEEDED
    then_only_the_stable_track_is_left(world, "2")


def test_a_blue_green_rollout_is_a_canary_with_one_step() -> None:
    world = given_live(BLUE_GREEN)
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED
    assert [moment.share for moment in record.moments if moment.share] == [100]
    then_only_the_stable_track_is_left(world, "2")


def test_a_release_that_hurts_goes_back_by_traffic_and_the_stable_pods_never_notice() -> None:
    world = given_live()
    generation = world.workload("api")["metadata"]["generation"]
    world.readings = [BAD]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason == (
        f"{BAD.verdict.reason}; rollout 1 ({ONE.id}) answers everything again, it was never touched"
    )
    assert world.workload("api")["metadata"]["generation"] == generation
    assert is_bad(TWO.id, world.place, world.cluster)
    then_only_the_stable_track_is_left(world, "1")
    assert world.cluster.objects[Ref(Kind("v1", "ConfigMap"), "shop", "settings")]["data"] == {
        "digit": "1"
    }


def test_a_canary_that_never_becomes_ready_gets_no_request() -> None:
    world = given_live()
    world.behaviour[image("api", "2").reference] = "crash"
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert "crashes again and again" in record.reason
    assert {moment.share for moment in record.moments} == {None, 0}
    then_only_the_stable_track_is_left(world, "1")


def test_a_probe_that_fails_asks_the_canary_before_any_user_does() -> None:
    world = given_live()
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert world.tracks_probed[-1] == "canary"
    assert {moment.share for moment in record.moments} == {None, 0}


@pytest.mark.parametrize("outcome", [Outcome.NO_DATA, Outcome.UNAVAILABLE])
def test_what_cannot_be_judged_holds_the_step_and_is_said_once(outcome: Outcome) -> None:
    world = given_live()
    blind = Reading(Verdict(outcome, "Prometheus is away"), decided=True)
    world.readings = [blind] * 600
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED
    held = [what for what in said(record) if "Prometheus" in what or "data again" in what]
    assert held == [f"holds, {outcome.value}: Prometheus is away", "there is data again"]
    assert record.finished_at is not None
    assert record.finished_at - record.started_at > timedelta(seconds=600)


def test_the_canary_follows_stable_pods_that_are_scaled_meanwhile() -> None:
    world = given_live(Strategy(canary=Canary(steps=(50, 100), bake=BAKE)))
    sizes: list[int] = []

    def scale_up(_world: World) -> None:
        workload = world.workload("api")
        workload["spec"]["replicas"] = 10
        world.cluster.change(workload, "kube-controller-manager")

    world.meanwhile = [scale_up, lambda each: sizes.append(each.replicas_of("api-canary"))]
    world.when_rolling_out(TWO)
    assert sizes == [10]


def test_a_canary_that_somebody_deletes_is_a_release_that_somebody_refuses() -> None:
    world = given_live()
    world.meanwhile = [
        lambda each: each.cluster.delete(Ref(Kind("apps/v1", "Deployment"), "shop", "api-canary"))
    ]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith("Deployment/api-canary was deleted by somebody")
    then_only_the_stable_track_is_left(world, "1")


def edit(world: World) -> None:
    """Change the image of the stable pods, as a person with kubectl would."""
    workload = world.workload("api")
    workload["spec"]["template"]["spec"]["containers"] = [{"name": "api", "image": "hotfix"}]
    world.cluster.change(workload, "kubectl-edit")


def test_what_somebody_changes_meanwhile_ends_the_canary_with_field_and_name() -> None:
    world = given_live()
    world.meanwhile = [edit]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    field = ".spec.template.spec.containers"
    assert record.reason.startswith(
        f"Deployment/api was changed meanwhile: {field} by kubectl-edit; rollout 1"
    )


def test_what_somebody_changes_meanwhile_is_taken_over_where_the_file_says_so() -> None:
    world = given_live()
    world.on_drift = "take over"
    world.meanwhile = [edit]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED
    assert [what for what in said(record) if what.endswith("kubectl-edit; taken over")]
    then_only_the_stable_track_is_left(world, "2")


def test_without_standby_the_stable_pods_rest_and_are_there_again_after_the_promotion() -> None:
    world = given_live(Strategy(canary=Canary(steps=(50, 100), bake=BAKE, standby=False)))
    sizes: list[int] = []
    world.meanwhile = [lambda each: sizes.append(each.replicas_of("api"))] * 7
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUCCEEDED
    assert (sizes[0], sizes[-1]) == (4, 0)
    assert world.replicas_of("api") == 4
    then_only_the_stable_track_is_left(world, "2")


def test_without_standby_a_way_back_starts_the_stable_pods_before_they_get_traffic() -> None:
    world = given_live(Strategy(canary=Canary(steps=(50, 100), bake=BAKE, standby=False)))
    world.readings = [*[WELL] * 3, BAD]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert [what for what in said(record) if what.startswith("stable pods")] == [
        "stable pods scaled down, standby is off",
        "stable pods started again",
    ]
    assert world.replicas_of("api") == 4
    then_only_the_stable_track_is_left(world, "1")


def test_a_gate_waits_for_a_person_without_a_process() -> None:
    steps = (CanaryStep(25, gate=True), CanaryStep(100))
    world = given_live(Strategy(canary=Canary(steps=steps, bake=BAKE)))
    by = By(run="run-x")
    waiting = world.when_rolling_out(TWO, by)
    assert waiting.state is RolloutState.STARTED
    assert said(waiting)[-1] == "waits for a person's yes"
    assert world.when_rolling_out(TWO, by) == waiting
    opened = world.when_rolling_out(TWO, replace(by, gates=1))
    assert (opened.number, opened.state) == (2, RolloutState.SUCCEEDED)
    then_only_the_stable_track_is_left(world, "2")


def test_a_newer_release_ends_a_canary_that_waits_at_a_gate() -> None:
    steps = (CanaryStep(25, gate=True), CanaryStep(100))
    world = given_live(Strategy(canary=Canary(steps=steps, bake=BAKE)))
    world.when_rolling_out(TWO)
    world.strategy = BLUE_GREEN
    assert world.when_rolling_out(THREE).state is RolloutState.SUCCEEDED
    states = [each.record.state for each in records.fetch(world.cluster, "shop")]
    assert states == [RolloutState.SUCCEEDED, RolloutState.SUPERSEDED, RolloutState.SUCCEEDED]
    assert not is_bad(TWO.id, world.place, world.cluster)
    then_only_the_stable_track_is_left(world, "3")


def asks(world: World, against: str = "", committed_at: str = "") -> None:
    """Write on the lease as a run that waits would."""
    ref = Ref(Kind("coordination.k8s.io/v1", "Lease"), "shop", "slipway")
    lease = world.cluster.read(ref)
    assert lease is not None
    aside = Aside("run-y", "taken back by bob: users suffer", against, committed_at)
    ask(world.cluster, lease, aside)


def test_a_rollback_by_hand_turns_a_canary_round_by_traffic() -> None:
    world = given_live()
    world.meanwhile = [lambda each: asks(each, TWO.id)]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith("taken back by bob: users suffer; rollout 1 ")
    assert record.reason.endswith("it was never touched")
    assert world.when_rolling_back(by=By(run="run-y")) == record
    assert is_bad(TWO.id, world.place, world.cluster)
    then_only_the_stable_track_is_left(world, "1")


def test_a_rollback_by_hand_turns_a_canary_round_that_nobody_drives() -> None:
    steps = (CanaryStep(25, gate=True), CanaryStep(100))
    world = given_live(Strategy(canary=Canary(steps=steps, bake=BAKE)))
    world.when_rolling_out(TWO)
    by = By(run="run-y", actor="bob")
    record = world.when_rolling_back(by=by)
    assert (record.number, record.state) == (2, RolloutState.RESTORED)
    assert record.reason.startswith("taken back by bob: users suffer; rollout 1 ")
    assert world.when_rolling_back(by=by) == record
    then_only_the_stable_track_is_left(world, "1")


def test_a_newer_release_may_take_the_place_of_a_canary_under_way() -> None:
    world = given_live()
    world.meanwhile = [asks]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.SUPERSEDED
    assert not is_bad(TWO.id, world.place, world.cluster)
    then_only_the_stable_track_is_left(world, "1")
    assert world.when_rolling_out(THREE).state is RolloutState.SUCCEEDED


@pytest.mark.parametrize(
    ("committed_at", "end"),
    [
        pytest.param("2025-12-31T23:59:59+00:00", RolloutState.SUCCEEDED, id="an older commit"),
        pytest.param("2026-01-01T00:00:00+00:00", RolloutState.SUPERSEDED, id="the same one"),
        pytest.param("2026-01-01T00:00:01+00:00", RolloutState.SUPERSEDED, id="a newer one"),
    ],
)
def test_a_canary_is_asked_to_make_room_by(committed_at: str, end: RolloutState) -> None:
    world = given_live()
    world.meanwhile = [lambda each: asks(each, committed_at=committed_at)]
    assert world.when_rolling_out(TWO).state is end


@pytest.mark.parametrize(
    ("strategy", "writes"),
    [(each, writes) for each in (SHORT, BLUE_GREEN, REST) for writes in writes_of(each)],
)
def test_killed_after_any_write_a_canary_ends_as_if_nothing_had_been(
    strategy: Strategy, writes: int
) -> None:
    world = given_live(strategy)
    by = By(run="run-x", actor="ann", approved_by=("bob",))
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    record = world.when_rolling_out(TWO, by)
    assert told(record) == told(undisturbed(strategy))
    then_only_the_stable_track_is_left(world, "2")


@pytest.mark.parametrize(
    ("strategy", "writes"),
    [(each, writes) for each in (SHORT, REST) for writes in writes_of(each, bad=True)],
)
def test_killed_after_any_write_the_way_back_ends_as_if_nothing_had_been(
    strategy: Strategy, writes: int
) -> None:
    world = given_live(strategy)
    by = By(run="run-x")
    world.bad = {image("api", "2").reference}
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    record = world.when_rolling_out(TWO, by)
    assert told(record) == told(undisturbed(strategy, bad=True))
    then_only_the_stable_track_is_left(world, "1")
    assert world.replicas_of("api") == 4


@pytest.mark.parametrize("writes", writes_of(BLUE_GREEN))
def test_a_canary_whose_run_never_comes_back_is_taken_away_by_the_next_release(
    writes: int,
) -> None:
    world = given_live(BLUE_GREEN)
    with world.killed_after(writes):
        world.when_rolling_out(TWO)
    record = world.when_rolling_out(THREE)
    assert record.state is RolloutState.SUCCEEDED
    then_only_the_stable_track_is_left(world, "3")
    assert RolloutState.STARTED not in {
        stored.record.state for stored in records.fetch(world.cluster, "shop")
    }


@pytest.mark.parametrize("writes", writes_of(SHORT))
def test_taken_back_by_hand_wherever_it_was_killed_the_old_release_answers_alone(
    writes: int,
) -> None:
    world = given_live(SHORT)
    with world.killed_after(writes):
        world.when_rolling_out(TWO)
    with suppress(GateClosed):  # killed before it began there is nothing to take back
        world.when_rolling_back()
    then_only_the_stable_track_is_left(world, "1")
    assert (
        is_bad(TWO.id, world.place, world.cluster) or len(records.fetch(world.cluster, "shop")) == 1
    )


def test_a_hook_that_fails_after_the_promotion_leaves_all_traffic_with_the_old_pods() -> None:
    world = given_live()
    world.rules = Rules(hooks=Hooks(after=(Hook("contract"),)))
    world.job_fates["contract"] = "failed"
    seen: list[dict[str, str]] = []
    world.cluster.controllers.append(lambda *_: seen.append(world.selector_of("api")))
    record = world.when_rolling_out(with_job("contract"))
    assert record.state is RolloutState.RESTORED, record.reason
    handed_back = len(seen) - 1 - seen[::-1].index({"app": "api", TRACK: "canary"})
    assert {"app": "api"} in seen[handed_back:], "the canary, which is gone, is not asked again"
    then_only_the_stable_track_is_left(world, "1")


def test_two_releases_at_rest_are_never_promoted_to_nothing() -> None:
    world = World(strategy=REST)
    world.when_rolling_out(unsized("1"))
    workload = world.workload("api")
    workload["spec"]["replicas"] = 3
    world.cluster.change(workload, "kubectl-scale")
    record = world.when_rolling_out(unsized("2"))
    assert record.state is RolloutState.SUCCEEDED
    assert world.replicas_of("api") == 3


def test_a_canary_deleted_while_the_stable_pods_rest_brings_as_many_back_as_there_were() -> None:
    world = given_live(REST)

    def delete(each: World) -> None:
        if each.replicas_of("api") == 0:
            each.cluster.delete(Ref(Kind("apps/v1", "Deployment"), "shop", "api-canary"))

    world.meanwhile = [delete] * 20
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert world.replicas_of("api") == 4
    then_only_the_stable_track_is_left(world, "1")


def test_stable_pods_that_somebody_deletes_are_made_again_before_they_get_traffic() -> None:
    world = given_live()
    world.meanwhile = [
        lambda each: each.cluster.delete(Ref(Kind("apps/v1", "Deployment"), "shop", "api"))
    ]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith("Deployment/api was deleted by somebody")
    assert world.replicas_of("api") == 4
    then_only_the_stable_track_is_left(world, "1")


def test_what_is_taken_over_keeps_its_pods() -> None:
    world = given_live()
    world.on_drift = "take over"
    sizes: list[int] = []
    world.meanwhile = [edit, *[lambda each: sizes.append(each.replicas_of("api"))] * 3]
    world.when_rolling_out(TWO)
    assert set(sizes) == {4}


def test_a_request_against_another_release_turns_nobody_round() -> None:
    world = given_live()
    world.meanwhile = [lambda each: asks(each, ONE.id)]
    assert world.when_rolling_out(TWO).state is RolloutState.SUCCEEDED


def test_a_canary_that_failed_for_good_is_cleared_away_by_the_rollback_after_it() -> None:
    world = given_live()
    world.when_rolling_out(TWO)
    world.behaviour[image("api", "2").reference] = "crash"
    irreversible = replace(THREE, irreversible="drops a column")
    world.rules = Rules(hooks=Hooks(after=(Hook("contract"),)))
    world.job_fates["contract"] = "failed"
    failed = world.when_rolling_out(with_job("contract", irreversible))
    assert failed.state is RolloutState.FAILED
    world.rules = Rules()
    assert world.when_rolling_back(to=1).state is RolloutState.SUCCEEDED
    then_only_the_stable_track_is_left(world, "1")


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)], ids=["on", "back"])
def test_a_jump_of_the_clock_neither_fails_a_release_nor_ends_its_bake(jump: timedelta) -> None:
    world = given_live()
    world.meanwhile = [lambda each: each.cluster.clock.jump(jump)]
    began = world.cluster.clock.elapsed()
    record = world.when_rolling_out(TWO)
    assert told(record) == told(undisturbed(CANARY))
    assert world.cluster.clock.elapsed() - began >= BAKE


def test_a_stable_deployment_deleted_while_it_rests_is_made_again_before_it_is_woken() -> None:
    world = given_live(REST)

    def delete(each: World) -> None:
        if each.replicas_of("api") == 0:
            each.meanwhile.clear()
            each.cluster.delete(Ref(Kind("apps/v1", "Deployment"), "shop", "api"))

    world.meanwhile = [delete] * 20
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert world.replicas_of("api") == 4
    then_only_the_stable_track_is_left(world, "1")


def test_what_fails_while_a_release_makes_room_is_not_its_fault() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.verdicts = [Verdict(Outcome.FAILED, "GET /health: expected 200, got 500")]
    world.cluster.controllers.append(lambda *_: asks(world))
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.FAILED
    assert "and rollout 1 did not come back: GET /health: expected 200" in record.reason
    assert not is_bad(TWO.id, world.place, world.cluster)
