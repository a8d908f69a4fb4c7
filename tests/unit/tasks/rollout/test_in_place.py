"""Canaries of a shop whose store is a StatefulSet and whose agent is a DaemonSet on four nodes."""

import copy
from datetime import timedelta

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.objects import Kind, Object, Ref
from tasks.core.probes import Probe
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.core.watching import Reading
from tasks.rollout.model import By
from tasks.rollout.partition import SHARE
from tests.unit.tasks.rollout.world import (
    World,
    autoscaler,
    deployment,
    image,
    make_release,
)

BAKE = timedelta(seconds=3)
CANARY = Strategy(canary=Canary(steps=(25, 50), bake=BAKE))
BAD = Reading(Verdict(Outcome.FAILED, "availability: 20 % of 100 requests failed"))
GENERATION = "deprecated.daemonset.template.generation"
NODES = 4
STORE = Ref(Kind("apps/v1", "StatefulSet"), "shop", "store")


def release(digit: str, *more: str, hpa: bool = False) -> Release:
    """A release whose images have a digit; more are the kinds beside the store's."""
    images = {name: image(name, digit) for name in ("store", "agent", "api")}
    store = {**deployment("store", images["store"].reference, replicas=4), "kind": "StatefulSet"}
    agent = {**deployment("agent", images["agent"].reference, replicas=None), "kind": "DaemonSet"}
    api = deployment("api", images["api"].reference, replicas=4, track="stable")
    objects = [store]
    objects += [agent] if "agent" in more else []
    objects += [api] if "api" in more else []
    if hpa:
        scaler = autoscaler("store")
        scaler["spec"]["scaleTargetRef"]["kind"] = "StatefulSet"
        objects.append(scaler)
    return make_release(*objects, images=tuple(images.values()))


def control(cluster: FakeCluster, thing: Object) -> None:
    """Do what the controllers of StatefulSets and DaemonSets do, and the kubelets at once."""
    if thing["kind"] == "StatefulSet":
        _control_set(cluster, thing)
    elif thing["kind"] == "DaemonSet":
        _control_daemons(cluster, thing)


def _control_set(cluster: FakeCluster, thing: Object) -> None:
    spec, status = thing["spec"], thing.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    newest = _image(thing)
    current = status.get("currentRevision", newest)
    revisions = [newest if number >= partition else current for number in range(spec["replicas"])]
    for number, revision in enumerate(revisions):
        _have_pod(cluster, thing, number, revision)
    updated = revisions.count(newest)
    thing["status"] = {
        "observedGeneration": thing["metadata"]["generation"],
        "updateRevision": newest,
        "currentRevision": newest if updated == len(revisions) else current,
        "updatedReplicas": updated,
        "availableReplicas": len(revisions),
    }
    cluster.change(thing, "kube-controller-manager")


def _control_daemons(cluster: FakeCluster, thing: Object) -> None:
    status = thing.get("status") or {}
    is_new = status.get("image") != _image(thing)
    annotations = thing["metadata"].setdefault("annotations", {})
    annotations[GENERATION] = str(int(annotations.get(GENERATION, "0")) + int(is_new))
    by_hand = (thing["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"
    for number in range(NODES):
        there = cluster.objects.get(_pod_ref(thing, number))
        if there is None or not by_hand:
            _have_pod(cluster, thing, number, annotations[GENERATION])
    pods = [cluster.objects[_pod_ref(thing, number)] for number in range(NODES)]
    thing["status"] = {
        "observedGeneration": thing["metadata"]["generation"],
        "image": _image(thing),
        "desiredNumberScheduled": NODES,
        "numberAvailable": NODES,
        "updatedNumberScheduled": sum(
            pod["metadata"]["labels"]["pod-template-generation"] == annotations[GENERATION]
            for pod in pods
        ),
    }
    cluster.change(thing, "kube-controller-manager")


def _have_pod(cluster: FakeCluster, owner: Object, number: int, revision: str) -> None:
    ref = _pod_ref(owner, number)
    there = cluster.objects.get(ref)
    labels = {"controller-revision-hash": revision, "pod-template-generation": revision}
    if there is None or there["metadata"]["labels"] != labels:
        metadata = {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": labels,
            "ownerReferences": [{"uid": owner["metadata"]["uid"]}],
        }
        head = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        pod_spec = {**owner["spec"]["template"]["spec"], "nodeName": f"node-{number}"}
        if owner["kind"] == "StatefulSet" and revision != _image(owner):
            pod_spec["containers"] = [{"name": "store", "image": revision}]
        cluster.change({**head, "spec": pod_spec, "status": status}, "kubelet")


def _pod_ref(owner: Object, number: int) -> Ref:
    return Ref(Kind("v1", "Pod"), "shop", f"{owner['metadata']['name']}-{number}")


def _image(workload: Object) -> str:
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])


def given_live(first: Release) -> World:
    world = World(strategy=CANARY, probes=())
    world.cluster.controllers.append(control)
    world.when_rolling_out(first)
    return world


def renewed(world: World, name: str, digit: str) -> int:
    """Count the pods of a workload whose image has a digit."""
    wanted = image(name, digit).reference
    pods = [each for ref, each in world.cluster.objects.items() if ref.kind.name == "Pod"]
    return sum(each["spec"]["containers"][0]["image"] == wanted for each in pods)


def said(record: Record) -> list[str]:
    return [moment.what for moment in record.moments]


def strategy_of(world: World, kind: str, name: str) -> Object:
    thing = world.cluster.objects[Ref(Kind("apps/v1", kind), "shop", name)]
    return dict(thing["spec"].get("updateStrategy") or {})


def then_nothing_is_kept_back(world: World) -> None:
    assert strategy_of(world, "StatefulSet", "store") == {}
    assert strategy_of(world, "DaemonSet", "agent") == {}
    agent = world.cluster.objects[Ref(Kind("apps/v1", "DaemonSet"), "shop", "agent")]
    assert SHARE not in agent["metadata"]["annotations"]


def test_a_stateful_set_and_a_daemon_set_climb_the_ladder_pod_by_pod() -> None:
    world = given_live(release("1", "agent"))
    steps = (CanaryStep(25, gate=True), CanaryStep(60, gate=True), CanaryStep(100, gate=True))
    world.strategy = Strategy(canary=Canary(steps=steps, bake=BAKE))
    counts = []
    for gates in range(3):
        record = world.when_rolling_out(release("2", "agent"), By(run="x", gates=gates))
        assert record.state is RolloutState.STARTED
        counts.append((renewed(world, "store", "2"), renewed(world, "agent", "2")))
    assert counts == [(1, 1), (3, 3), (4, 4)]
    record = world.when_rolling_out(release("2", "agent"), By(run="x", gates=3))
    assert record.state is RolloutState.SUCCEEDED
    assert (renewed(world, "store", "2"), renewed(world, "agent", "2")) == (4, 4)
    then_nothing_is_kept_back(world)


def test_where_all_changes_are_in_place_the_whole_is_judged_against_the_time_before() -> None:
    world = given_live(release("1", "agent"))
    world.probes = (Probe(path="/health", component="store"),)
    record = world.when_rolling_out(release("2", "agent"))
    assert record.state is RolloutState.SUCCEEDED
    assert {(each.share, each.in_place, each.beside) for each in world.watched} == {
        (100, True, False)
    }
    assert set(world.tracks_probed) == {"stable"}


def test_what_hurts_when_all_changes_are_in_place_goes_back_pod_by_pod() -> None:
    world = given_live(release("1", "agent"))
    world.readings = [BAD]
    record = world.when_rolling_out(release("2", "agent"))
    assert record.state is RolloutState.RESTORED
    assert (renewed(world, "store", "1"), renewed(world, "agent", "1")) == (4, 4)


def test_a_release_that_hurts_leaves_no_pod_that_was_changed_where_it_is() -> None:
    world = given_live(release("1", "agent", "api"))
    world.bad = {image("api", "2").reference}
    record = world.when_rolling_out(release("2", "agent", "api"))
    assert record.state is RolloutState.RESTORED
    assert "never touched" not in record.reason
    assert (renewed(world, "store", "1"), renewed(world, "agent", "1")) == (4, 4)
    assert "the pods that were changed in place go back" in said(record)
    assert world.names("Deployment", "apps/v1") == {"api"}
    then_nothing_is_kept_back(world)


def test_a_set_that_an_autoscaler_has_grown_keeps_its_size_at_every_share() -> None:
    world = given_live(release("1", "agent", hpa=True))
    store = copy.deepcopy(world.cluster.objects[STORE])
    store["spec"]["replicas"] = 8
    world.cluster.change(store, "kube-controller-manager")
    world.strategy = Strategy(canary=Canary(steps=(CanaryStep(25, gate=True), 100), bake=BAKE))
    two = release("2", "agent", hpa=True)
    world.when_rolling_out(two, By(run="x"))
    assert (renewed(world, "store", "2"), renewed(world, "store", "1")) == (2, 6)
    record = world.when_rolling_out(two, By(run="x", gates=1))
    assert record.state is RolloutState.SUCCEEDED
    assert (renewed(world, "store", "2"), renewed(world, "store", "1")) == (8, 0)


@pytest.mark.parametrize("writes", range(0, 40, 3))
@pytest.mark.parametrize("bad", [False, True], ids=["forward", "back"])
def test_killed_anywhere_and_started_again_shares_in_place_converge(
    writes: int,
    bad: bool,  # noqa: FBT001 a case
) -> None:
    world = given_live(release("1", "agent", "api"))
    world.bad = {image("api", "2").reference} if bad else set()
    two, by = release("2", "agent", "api"), By(run="x")
    with world.killed_after(writes):
        world.when_rolling_out(two, by)
    record = world.when_rolling_out(two, by)
    digit = "1" if bad else "2"
    assert record.state is (RolloutState.RESTORED if bad else RolloutState.SUCCEEDED)
    assert (renewed(world, "store", digit), renewed(world, "agent", digit)) == (4, 4)
    then_nothing_is_kept_back(world)


@pytest.mark.parametrize("writes", range(0, 40, 3))
def test_shares_whose_run_never_comes_back_are_taken_away_by_the_next_release(writes: int) -> None:
    world = given_live(release("1", "agent"))
    with world.killed_after(writes):
        world.when_rolling_out(release("2", "agent"))
    record = world.when_rolling_out(release("3", "agent"))
    assert record.state is RolloutState.SUCCEEDED
    assert (renewed(world, "store", "3"), renewed(world, "agent", "3")) == (4, 4)
    then_nothing_is_kept_back(world)
