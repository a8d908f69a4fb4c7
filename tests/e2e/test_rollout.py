"""Rollouts of a small application on the lab, from first to restored and rolled back."""

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.errors import GateClosed
from tasks.core.model import Release
from tasks.core.objects import Kind, Object
from tasks.core.record import ChangeKind, RolloutState
from tasks.rollout.history import history, live
from tasks.rollout.marks import APPLIED
from tasks.rollout.model import By
from tasks.rollout.plan import plan
from tests.e2e.rollout_world import SERVE, World, world

pytestmark = pytest.mark.e2e

REVISION = "deployment.kubernetes.io/revision"
HTTP_OK = {"health": "ok"}


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with world(tmp_path) as made:
        yield made


def uids(shop: World, workload: str) -> set[str]:
    pods = shop.objects("v1", "Pod").values()
    return {
        pod["metadata"]["uid"]
        for pod in pods
        if pod["metadata"]["labels"]["app"] == workload
        and "deletionTimestamp" not in pod["metadata"]
    }


def served(shop: World) -> set[str]:
    """Return the names of the api's ConfigMaps."""
    return {name for name in shop.objects("v1", "ConfigMap") if name.startswith("api-")}


def test_a_change_of_one_component_leaves_the_pods_of_the_other_alone(shop: World) -> None:
    first = shop.roll_out(shop.release(HTTP_OK))
    assert (first.state, first.number) == (RolloutState.SUCCEEDED, 1)
    web, before = uids(shop, "web"), served(shop)
    second = shop.roll_out(shop.release({"health": "ok", "more": "1"}))
    assert (second.state, second.number) == (RolloutState.SUCCEEDED, 2)
    assert uids(shop, "web") == web
    assert len(served(shop)) == 1
    assert served(shop) != before
    secret = shop.objects("v1", "Secret")["passwords"]
    assert set(secret["data"]) == {"root", "user"}


def test_the_same_release_again_changes_nothing_and_its_plan_is_stable(shop: World) -> None:
    release = shop.release(HTTP_OK)
    first = shop.roll_out(release)
    plans = [plan(release, shop.place, shop.cluster) for _ in range(2)]
    assert plans[0].id == plans[1].id
    assert {change.kind for change in plans[0].changes} == {ChangeKind.UNCHANGED}
    assert shop.roll_out(release) == first


def test_a_failing_probe_restores_the_whole_release_and_shows_what_was_asked(shop: World) -> None:
    shop.roll_out(shop.release(HTTP_OK))
    before = served(shop)
    bad = shop.release({"other": "x"})
    record = shop.roll_out(bad)
    assert record.state is RolloutState.RESTORED
    assert "GET /health: expected 200, got 404" in record.reason
    assert "rollout 1" in record.reason
    assert served(shop) == before
    assert live(shop.place, shop.cluster) == history(shop.place, shop.cluster)[-1]
    with pytest.raises(GateClosed, match="taken back"):
        shop.roll_out(bad)


def test_a_crash_loop_is_seen_long_before_the_deadline_with_the_last_words(shop: World) -> None:
    shop.deadline = timedelta(minutes=10)
    shop.roll_out(shop.release(HTTP_OK))
    record = shop.roll_out(shop.release(HTTP_OK, command="echo last words; exit 3"))
    assert record.state is RolloutState.RESTORED
    assert "container api crashes again and again (exit code 3, Error)" in record.reason
    assert any("last words" in line for line in record.verdicts[0].evidence)
    assert record.finished_at is not None
    assert record.finished_at - record.started_at < shop.deadline


def test_an_image_that_is_not_there_is_seen_long_before_the_deadline(shop: World) -> None:
    shop.deadline = timedelta(minutes=10)
    shop.roll_out(shop.release(HTTP_OK))
    shop.digest = f"sha256:{'0' * 64}"
    record = shop.roll_out(shop.release(HTTP_OK))
    assert record.state is RolloutState.RESTORED
    assert "cannot be pulled" in record.reason
    assert record.finished_at is not None
    assert record.finished_at - record.started_at < shop.deadline


def test_a_full_quota_is_told_in_the_plan_and_seen_in_the_rollout(shop: World) -> None:
    release = shop.release(HTTP_OK)
    shop.roll_out(release)
    metadata = {"name": "pods", "namespace": shop.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    shop.cluster.apply({**quota, "spec": {"hard": {"pods": "4"}}})
    scope = Scope((Kind("v1", "ResourceQuota"),), shop.namespace)
    until = shop.clock.now() + timedelta(seconds=30)
    for quotas in shop.cluster.watch(scope, until):
        if quotas and (quotas[0].get("status") or {}).get("used"):
            break
    bigger = shop.release({"health": "ok", "more": "1"})
    warned = plan(bigger, shop.place, shop.cluster).warnings
    assert any("quota pods: the rollout needs 1 of pods more, 0 are free" in w for w in warned)
    record = shop.roll_out(bigger)
    assert record.state is RolloutState.RESTORED
    assert "exceeded quota" in record.reason


def test_a_rollback_needs_nothing_but_the_records(shop: World) -> None:
    shop.roll_out(shop.release(HTTP_OK))
    before = served(shop)
    shop.roll_out(shop.release({"health": "ok", "more": "1"}))
    record = shop.roll_back()
    assert (record.state, record.restores, record.number) == (RolloutState.SUCCEEDED, 1, 3)
    assert served(shop) == before


def test_killed_in_the_middle_and_started_again_it_converges(shop: World) -> None:
    shop.roll_out(shop.release(HTTP_OK))
    shop.deadline = timedelta(minutes=10)
    slow = shop.release(HTTP_OK, command=f"sleep 8; {SERVE}")
    process = multiprocessing.get_context("fork").Process(target=run_alone, args=(shop, slow))
    process.start()
    shop.until_marked(2, APPLIED)
    process.kill()
    process.join()
    left = history(shop.place, shop.cluster)[0]
    pods = uids(shop, "api")
    record = shop.roll_out(slow, By(run="run-killed"))
    assert (left.state, record.state) == (RolloutState.STARTED, RolloutState.SUCCEEDED)
    assert (record.number, record.started_at) == (2, left.started_at)
    assert uids(shop, "api") & pods
    assert not [each for each in shop.objects("apps/v1", "ReplicaSet").values() if _extra(each)]


def run_alone(shop: World, release: Release) -> None:
    """Roll out in a process of its own, with its own connections."""
    with connect(shop.target) as cluster:
        shop.cluster = cluster
        shop.roll_out(release, By(run="run-killed"))


def _extra(replica_set: Object) -> bool:
    """Say whether a revision came that nobody asked for."""
    return int(replica_set["metadata"]["annotations"][REVISION]) > 2


def test_probing_leaves_nothing_in_the_cluster(shop: World) -> None:
    release = shop.release(HTTP_OK)
    shop.roll_out(release)
    before = everything(shop)
    assert shop.probe(release).outcome.value == "passed"
    assert everything(shop) == before


def everything(shop: World) -> set[tuple[str, str, str]]:
    """Return kind, name and version of every object in the namespace."""
    kinds = (
        Kind("v1", "Pod"), Kind("v1", "Secret"), Kind("v1", "ConfigMap"), Kind("v1", "Service"),
        Kind("v1", "ServiceAccount"), Kind("apps/v1", "Deployment"), Kind("apps/v1", "ReplicaSet"),
        Kind("batch/v1", "Job"), Kind("coordination.k8s.io/v1", "Lease"),
    )  # fmt: skip
    return {_version(thing) for thing in shop.cluster.find(Scope(kinds, shop.namespace))}


def _version(thing: Object) -> tuple[str, str, str]:
    return thing["kind"], thing["metadata"]["name"], thing["metadata"]["uid"]
