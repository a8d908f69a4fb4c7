import base64
from datetime import timedelta

import pytest

from tasks.core.application import GeneratedSecret
from tasks.core.errors import ConfigError, Conflict, GateClosed
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Kind, Ref
from tasks.core.probes import Probe
from tasks.core.record import RolloutState
from tasks.core.strategy import Rolling, Strategy
from tasks.rollout import records
from tasks.rollout.history import is_bad
from tasks.rollout.model import By
from tasks.rollout.plan import plan
from tests.unit.tasks.rollout.world import (
    DEADLINE,
    ILL,
    World,
    autoscaler,
    config_map,
    deployment,
    make_release,
)

ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))
THREE = make_release(config_map("three", a="3"), deployment("api", "api@3", config="three"))
WRITES = 20
"""More than any of these rollouts needs: the last ones are not killed at all."""
FAILED = Verdict(Outcome.FAILED, "pod api-1: GET /health: expected 200, got 500")


def test_a_first_rollout_ends_live_with_a_record_that_says_who_and_why() -> None:
    world = World()
    record = world.when_rolling_out(ONE)
    assert (record.number, record.state) == (1, RolloutState.SUCCEEDED)
    assert (record.run, record.actor, record.approved_by) == ("run-1", "ann", ("bob",))
    assert [verdict.outcome for verdict in record.verdicts] == [Outcome.PASSED, Outcome.PASSED]
    assert world.image_of("api") == "api@1"


def test_what_the_new_release_no_longer_has_is_deleted_and_what_it_never_had_stays() -> None:
    world = World()
    world.when_rolling_out(ONE)
    stranger = config_map("of-somebody-else")
    stranger["metadata"]["namespace"] = "shop"
    world.cluster.create(stranger)
    world.when_rolling_out(TWO)
    assert world.names("ConfigMap") == {"two", "of-somebody-else"}


def in_version(version: str, image: str) -> Release:
    return make_release(deployment("api", image), autoscaler("api", version))


@pytest.mark.parametrize("behaviour", ["ready", "crash"])
@pytest.mark.parametrize(("was", "becomes"), [("v1", "v2"), ("v2", "v1")])
def test_an_object_that_comes_in_another_version_of_its_api_stays(
    was: str, becomes: str, behaviour: str
) -> None:
    world = World(behaviour={"api@2": behaviour})
    world.when_rolling_out(in_version(was, "api@1"))
    world.when_rolling_out(in_version(becomes, "api@2"))
    assert "delete HorizontalPodAutoscaler/api" not in world.cluster.writes
    world.when_rolling_out(make_release(deployment("api", "api@3")))
    assert "delete HorizontalPodAutoscaler/api" in world.cluster.writes


def test_the_live_release_again_changes_nothing_and_returns_its_record() -> None:
    world = World()
    first = world.when_rolling_out(ONE)
    before = list(world.cluster.writes)
    again = world.when_rolling_out(ONE)
    lease_only = [write for write in world.cluster.writes[len(before) :] if "Lease" not in write]
    assert again == first
    assert lease_only == []


def test_the_live_release_again_puts_right_what_somebody_deleted() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.cluster.delete(Ref(Kind("v1", "ConfigMap"), "shop", "one"))
    record = world.when_rolling_out(ONE)
    assert record.number == 2
    assert world.names("ConfigMap") == {"one"}


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param("no image", "image x cannot be pulled (ImagePullBackOff)", id="no image"),
        pytest.param("crash", "container api crashes again and again", id="crash loop"),
        pytest.param("no config", "container api cannot be started", id="no config"),
        pytest.param("refused", "pods are refused: exceeded quota: shop", id="quota"),
        pytest.param("slow", "not ready within 5m", id="never ready"),
    ],
)
def test_a_release_that_breaks_is_taken_back_whole(behaviour: str, reason: str) -> None:
    world = World(behaviour={"api@2": behaviour})
    world.when_rolling_out(ONE)
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert reason in record.reason
    assert f"rollout 1 ({ONE.id}) is live again" in record.reason
    assert world.image_of("api") == "api@1"
    assert world.names("ConfigMap") == {"one"}


def test_a_release_whose_probe_fails_is_taken_back() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.verdicts = [FAILED]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith(FAILED.reason)
    assert FAILED in record.verdicts
    assert world.image_of("api") == "api@1"


def test_a_rolling_update_that_hurts_in_its_bake_is_taken_back_against_the_time_before() -> None:
    rolling = Rolling(deadline=DEADLINE, bake=timedelta(minutes=2))
    world = World(strategy=Strategy(rolling=rolling))
    world.when_rolling_out(ONE)
    assert world.watched == [], "nothing was there before the first rollout"
    world.readings = [ILL]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.RESTORED
    assert record.reason.startswith("worse than stable; ")
    watch = world.watched[0]
    assert (watch.in_place, watch.beside, watch.share, watch.workloads) == (
        True, False, 100, ("api",)
    )  # fmt: skip
    assert watch.since == record.started_at


def test_a_rolling_update_is_over_when_its_bake_has_passed() -> None:
    rolling = Rolling(deadline=DEADLINE, bake=timedelta(minutes=2))
    world = World(strategy=Strategy(rolling=rolling))
    record = world.when_rolling_out(ONE)
    assert record.state is RolloutState.SUCCEEDED
    assert record.finished_at == record.started_at + timedelta(minutes=2)


def test_what_was_restored_is_probed_as_it_was_when_it_came() -> None:
    world = World()
    world.when_rolling_out(ONE)
    old, world.probes = world.probes, (Probe(path="/healthz", component="api"),)
    world.verdicts = [FAILED]
    record = world.when_rolling_out(TWO)
    assert world.probed == [ONE.id, TWO.id, ONE.id]
    assert world.probes_sent == [old, world.probes, old]
    assert record.verdicts[-1] == Verdict(Outcome.PASSED, "probes passed")


def test_a_restored_release_whose_probe_fails_is_no_success_and_marks_the_bad_one() -> None:
    world = World()
    world.when_rolling_out(ONE)
    gone = Verdict(Outcome.FAILED, "the database is gone")
    world.verdicts = [FAILED, gone]
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.FAILED
    assert record.reason.endswith("rollout 1 did not come back: the database is gone")
    assert is_bad(TWO.id, world.place, world.cluster)


def test_a_first_rollout_that_fails_leaves_the_evidence_and_says_so() -> None:
    world = World(behaviour={"api@1": "crash"})
    record = world.when_rolling_out(ONE)
    assert record.state is RolloutState.FAILED
    assert record.reason.endswith("there is no earlier release to go back to")
    assert world.names("ConfigMap") == {"one"}


def test_a_failed_first_rollout_may_be_tried_again() -> None:
    world = World(behaviour={"api@1": "crash"})
    world.when_rolling_out(ONE)
    world.behaviour.clear()
    world.cluster.delete(Ref(Kind("apps/v1", "Deployment"), "shop", "api"))
    assert world.when_rolling_out(ONE).state is RolloutState.SUCCEEDED


def test_a_release_that_was_taken_back_is_refused_until_somebody_says_why() -> None:
    world = World(behaviour={"api@2": "crash"})
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    with pytest.raises(GateClosed, match="was taken back here before"):
        world.when_rolling_out(TWO)
    world.behaviour.clear()
    asked = By(run="again", despite="the database is back")
    assert world.when_rolling_out(TWO, asked).state is RolloutState.SUCCEEDED


def test_a_restore_that_fails_too_says_both_and_ends() -> None:
    world = World(behaviour={"api@2": "crash"})
    world.when_rolling_out(ONE)
    world.behaviour["api@1"] = "no image"
    record = world.when_rolling_out(TWO)
    assert record.state is RolloutState.FAILED
    assert "crashes again and again" in record.reason
    assert "rollout 1 did not come back" in record.reason


def test_a_field_that_somebody_else_holds_stops_the_rollout_before_it_begins() -> None:
    world = World()
    world.when_rolling_out(ONE)
    changed = world.workload("api")
    changed["spec"]["replicas"] = 7
    world.cluster.change(changed, "kubectl-edit")
    with pytest.raises(Conflict, match=r"\.spec\.replicas is held by kubectl-edit"):
        world.when_rolling_out(TWO)
    assert [stored.record.number for stored in records.fetch(world.cluster, "shop")] == [1]


def test_an_approval_is_for_one_plan_only() -> None:
    world = World()
    world.when_rolling_out(ONE)
    approved = By(run="run-x", plan=plan(TWO, world.place, world.cluster).id)
    world.when_rolling_out(THREE)
    with pytest.raises(GateClosed, match="the environment has changed"):
        world.when_rolling_out(TWO, approved)
    fresh = By(run="run-y", plan=plan(TWO, world.place, world.cluster).id)
    assert world.when_rolling_out(TWO, fresh).state is RolloutState.SUCCEEDED


def test_an_approval_of_a_first_rollout_outlives_the_making_of_its_namespace() -> None:
    world = World()
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "namespace": ""}}
    release = make_release(space, deployment("api", "api@1"))
    approved = By(run="run-x", plan=plan(release, world.place, world.cluster).id)
    assert world.when_rolling_out(release, approved).state is RolloutState.SUCCEEDED


def test_an_autoscaler_is_not_fought() -> None:
    world = World()
    with_hpa = [deployment("api", f"api@{n}") for n in (1, 2)]
    world.when_rolling_out(make_release(with_hpa[0], autoscaler("api")))
    scaled = world.workload("api")
    scaled["spec"]["replicas"] = 6
    world.cluster.change(scaled, "kube-controller-manager")
    record = world.when_rolling_out(make_release(with_hpa[1], autoscaler("api")))
    assert record.state is RolloutState.SUCCEEDED
    assert world.workload("api")["spec"]["replicas"] == 6


def test_replicas_that_no_autoscaler_has_touched_yet_are_not_reset() -> None:
    world = World()
    world.when_rolling_out(make_release(deployment("api", "api@1"), autoscaler("api")))
    world.when_rolling_out(make_release(deployment("api", "api@2"), autoscaler("api")))
    assert world.workload("api")["spec"]["replicas"] == 2


def test_replicas_are_ours_again_when_the_autoscaler_goes() -> None:
    world = World()
    world.when_rolling_out(make_release(deployment("api", "api@1"), autoscaler("api")))
    scaled = world.workload("api")
    scaled["spec"]["replicas"] = 6
    world.cluster.change(scaled, "kube-controller-manager")
    record = world.when_rolling_out(make_release(deployment("api", "api@1", replicas=3)))
    assert record.state is RolloutState.SUCCEEDED
    assert world.workload("api")["spec"]["replicas"] == 3


def test_generated_secrets_are_made_once_and_get_only_the_keys_that_they_lack() -> None:
    world = World(secrets=(GeneratedSecret(name="passwords", keys=("root",)),))
    world.when_rolling_out(ONE)
    ref = Ref(Kind("v1", "Secret"), "shop", "passwords")
    first = world.cluster.objects[ref]["data"]["root"]
    world.secrets = (GeneratedSecret(name="passwords", keys=("root", "user")),)
    world.when_rolling_out(TWO)
    data = world.cluster.objects[ref]["data"]
    assert data["root"] == first
    assert len(base64.b64decode(data["user"])) == 32


@pytest.mark.parametrize("writes", range(WRITES))
def test_killed_anywhere_and_started_again_a_rollout_converges(writes: int) -> None:
    world = World(secrets=(GeneratedSecret(name="passwords", keys=("root",)),))
    world.when_rolling_out(ONE)
    by = By(run="run-x")
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    record = world.when_rolling_out(TWO, by)
    assert record.state is RolloutState.SUCCEEDED
    assert record.number == 2
    assert world.names("ConfigMap") == {"two"}
    assert world.image_of("api") == "api@2"


@pytest.mark.parametrize("writes", range(WRITES))
def test_killed_anywhere_and_started_again_a_restore_converges(writes: int) -> None:
    world = World(behaviour={"api@2": "crash"})
    world.when_rolling_out(ONE)
    by = By(run="run-x")
    with world.killed_after(writes):
        world.when_rolling_out(TWO, by)
    record = world.when_rolling_out(TWO, by)
    assert record.state is RolloutState.RESTORED
    assert record.number == 2
    assert world.names("ConfigMap") == {"one"}
    assert world.image_of("api") == "api@1"


@pytest.mark.parametrize("writes", range(WRITES))
def test_a_run_that_never_comes_back_gives_way_to_the_next_release(writes: int) -> None:
    world = World()
    world.when_rolling_out(ONE)
    with world.killed_after(writes):
        world.when_rolling_out(TWO)
    record = world.when_rolling_out(THREE)
    assert record.state is RolloutState.SUCCEEDED
    assert world.names("ConfigMap") == {"three"}
    assert RolloutState.STARTED not in {
        stored.record.state for stored in records.fetch(world.cluster, "shop")
    }


def test_whoever_looks_reads_what_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tasks")
    world = World(behaviour={"api@2": "slow"})
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    said = [line for line in caplog.messages if "waits for" in line]
    assert said == ["prod/shop: waits for Deployment/api: 0 of 2 pods ready"]


def test_a_deadline_is_not_counted_again_by_the_process_that_goes_on() -> None:
    world = World(behaviour={"api@2": "slow"})
    world.when_rolling_out(ONE)
    began = world.cluster.clock.now()
    by = By(run="run-x")
    with world.killed_after(5):
        world.when_rolling_out(TWO, by)
    assert world.image_of("api") == "api@2"
    world.cluster.clock.instant += DEADLINE
    record = world.when_rolling_out(TWO, by)
    assert record.state is RolloutState.RESTORED
    assert record.finished_at == began + DEADLINE


def test_two_environments_cannot_share_a_namespace() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.name = "staging"
    with pytest.raises(ConfigError, match="belongs to prod of shop already"):
        world.when_rolling_out(TWO)
