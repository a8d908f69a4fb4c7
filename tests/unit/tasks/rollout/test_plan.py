from tasks.core.application import GeneratedSecret
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.record import ChangeKind, Plan
from tasks.rollout.compare import comparable, diff_of
from tasks.rollout.plan import plan
from tests.unit.tasks.rollout.world import World, autoscaler, config_map, deployment, make_release

ONE = make_release(config_map("one", a="1"), deployment("api", "api@1", config="one"))
TWO = make_release(config_map("two", a="2"), deployment("api", "api@2", config="two"))


def kinds(planned: Plan) -> dict[str, ChangeKind]:
    return {change.object: change.kind for change in planned.changes}


def test_a_plan_without_a_namespace_makes_everything_and_says_that_it_is_the_first() -> None:
    world = World(secrets=(GeneratedSecret(name="passwords", keys=("root",)),))
    planned = plan(ONE, world.place, world.cluster)
    assert planned.live is None
    assert set(kinds(planned).values()) == {ChangeKind.CREATE}
    assert "Secret/passwords" in kinds(planned)
    assert planned.warnings[0].startswith("first rollout")
    assert world.cluster.writes == []


def test_a_plan_names_what_is_made_changed_and_deleted() -> None:
    world = World()
    world.when_rolling_out(ONE)
    planned = plan(TWO, world.place, world.cluster)
    assert planned.live == 1
    assert kinds(planned) == {
        "ConfigMap/two": ChangeKind.CREATE,
        "Deployment/api": ChangeKind.UPDATE,
        "ConfigMap/one": ChangeKind.DELETE,
    }
    diff = next(each.diff for each in planned.changes if each.object == "Deployment/api")
    changed = [line.split() for line in diff.splitlines() if "image:" in line]
    assert changed == [["-", "image:", "api@1"], ["+", "image:", "api@2"]]


def test_an_object_that_comes_in_another_version_of_its_api_is_neither_made_nor_deleted() -> None:
    world = World()
    world.when_rolling_out(make_release(deployment("api", "api@1"), autoscaler("api", "v1")))
    wanted = make_release(deployment("api", "api@2"), autoscaler("api", "v2"))
    assert kinds(plan(wanted, world.place, world.cluster)) == {
        "Deployment/api": ChangeKind.UPDATE,
        "HorizontalPodAutoscaler/api": ChangeKind.UNCHANGED,
    }


def test_a_plan_is_the_same_while_nothing_changes_and_another_when_something_does() -> None:
    world = World()
    world.when_rolling_out(ONE)
    first = plan(TWO, world.place, world.cluster).id
    workload = world.workload("api")
    workload["status"]["availableReplicas"] = 1
    world.cluster.change(workload, "kube-controller-manager")
    assert plan(TWO, world.place, world.cluster).id == first
    workload = world.workload("api")
    workload["spec"]["paused"] = True
    world.cluster.change(workload, "kubectl-edit")
    assert plan(TWO, world.place, world.cluster).id != first


def test_replicas_under_an_autoscaler_are_no_change() -> None:
    world = World()
    release = make_release(deployment("api", "api@1"), autoscaler("api"))
    world.when_rolling_out(release)
    before = plan(release, world.place, world.cluster)
    workload = world.workload("api")
    workload["spec"]["replicas"] = 9
    world.cluster.change(workload, "kube-controller-manager")
    after = plan(release, world.place, world.cluster)
    assert after.id == before.id
    assert set(kinds(after).values()) == {ChangeKind.UNCHANGED}


def test_what_somebody_changed_is_told_as_drift_and_as_a_conflict() -> None:
    world = World()
    world.when_rolling_out(ONE)
    workload = world.workload("api")
    workload["spec"]["replicas"] = 7
    world.cluster.change(workload, "kubectl-edit")
    warnings = plan(ONE, world.place, world.cluster).warnings
    assert "Deployment/api: .spec.replicas is held by kubectl-edit, not by slipway" in warnings
    assert "Deployment/api was changed by somebody since rollout 1" in warnings


def test_what_somebody_deleted_is_told() -> None:
    world = World()
    world.when_rolling_out(ONE)
    world.cluster.delete(Ref(Kind("v1", "ConfigMap"), "shop", "one"))
    planned = plan(ONE, world.place, world.cluster)
    assert "ConfigMap/one was deleted by somebody since rollout 1" in planned.warnings
    assert kinds(planned)["ConfigMap/one"] is ChangeKind.CREATE


def test_a_claim_that_is_no_longer_wanted_is_kept_with_a_warning() -> None:
    world = World()
    metadata = {"name": "data"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
    world.when_rolling_out(make_release(deployment("api", "api@1"), claim))
    planned = plan(make_release(deployment("api", "api@2")), world.place, world.cluster)
    assert "PersistentVolumeClaim/data" not in kinds(planned)
    assert any("is kept: data would be lost" in warning for warning in planned.warnings)
    world.when_rolling_out(make_release(deployment("api", "api@2")))
    assert world.names("PersistentVolumeClaim") == {"data"}


def secret(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}


def test_values_of_secrets_are_never_shown_but_their_change_is() -> None:
    diff = diff_of(secret(a="b2xk", same="eA=="), secret(a="bmV3", same="eA=="))
    assert "b2xk" not in diff
    assert "bmV3" not in diff
    assert "+  a: (hidden, new value)" in diff
    assert "-  same" not in diff
    assert "eA==" not in diff_of(None, secret(same="eA=="))


def test_bookkeeping_of_the_cluster_is_no_difference() -> None:
    thing = config_map("one", a="1")
    kept = comparable(thing, scaled=False)
    noise = {"uid": "u", "resourceVersion": "7", "generation": 2, "managedFields": []}
    annotations = {"slipway.dev/release": "r-1", "deployment.kubernetes.io/revision": "3"}
    noisy = {**thing, "metadata": {**thing["metadata"], **noise, "annotations": annotations}}
    assert comparable({**noisy, "status": {"phase": "x"}}, scaled=False) == kept


def given(world: World, kind: str, name: str, **content: object) -> None:
    metadata = {"name": name, "namespace": "shop" if kind != "Node" else ""}
    thing = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}
    world.cluster.objects[ref_of(thing)] = thing


def test_what_pods_leave_open_a_limit_range_fills_in_before_the_quota_is_asked() -> None:
    world = World()
    world.when_rolling_out(ONE)
    limits = [{"type": "Container", "defaultRequest": {"cpu": "300m"}}]
    given(world, "LimitRange", "usual", spec={"limits": limits})
    given(world, "ResourceQuota", "shop", spec={"hard": {"requests.cpu": "200m"}})
    warning = "quota shop: the rollout needs 300m of requests.cpu more, 200m are free"
    assert warning in plan(TWO, world.place, world.cluster).warnings


def test_the_record_of_a_rollout_needs_room_too() -> None:
    world = World()
    world.when_rolling_out(ONE)
    given(
        world, "ResourceQuota", "shop", status={"hard": {"secrets": "1"}, "used": {"secrets": "1"}}
    )
    warning = "quota shop: the rollout needs 1 of secrets more, 0 are free"
    assert warning in plan(TWO, world.place, world.cluster).warnings


def test_pods_that_refuse_to_share_a_node_are_told_where_nodes_are_few() -> None:
    world = World()
    alone = deployment("api", "api@1")
    wish = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "api"}},
    }
    away = {"requiredDuringSchedulingIgnoredDuringExecution": [wish]}
    alone["spec"]["template"]["spec"]["affinity"] = {"podAntiAffinity": away}
    given(world, "Node", "one", status={"conditions": [{"type": "Ready", "status": "True"}]})
    planned = plan(make_release(alone), world.place, world.cluster)
    assert planned.warnings[-1].startswith("Deployment/api requires a node for each pod")
