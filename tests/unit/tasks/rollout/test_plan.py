from decimal import Decimal

import pytest

from tasks.core.application import GeneratedSecret
from tasks.core.model import ChangeKind, Plan
from tasks.core.objects import Kind, Object, Ref
from tasks.rollout.compare import comparable, diff_of
from tasks.rollout.plan import plan
from tasks.rollout.quota import demand, parse_quantity, shortages
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


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("100m", Decimal("0.1"), id="thousandths"),
        pytest.param("2", Decimal(2), id="plain"),
        pytest.param("256Mi", Decimal(268435456), id="binary"),
        pytest.param("1.5G", Decimal("1.5e9"), id="decimal"),
        pytest.param("1e3", Decimal(1000), id="exponent"),
        pytest.param("many", Decimal(0), id="no quantity"),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str, number: Decimal) -> None:
    assert parse_quantity(text) == number


def sized(image: str, surge: str | int = "25%") -> Object:
    made = deployment("api", image, replicas=4)
    made["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": surge}}
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}
    return made


@pytest.mark.parametrize(
    ("live", "surge", "pods"),
    [
        pytest.param(None, 1, 4, id="a new workload needs all of its pods"),
        pytest.param("api@1", 1, 1, id="a changed one its surge"),
        pytest.param("api@1", "50%", 2, id="a share of its replicas"),
        pytest.param("api@1", "30%", 2, id="rounded up"),
        pytest.param("api@2", 1, 0, id="an unchanged one nothing"),
    ],
)
def test_a_rollout_needs_room_for_its_surge(live: str | None, surge: str | int, pods: int) -> None:
    needed = demand(sized("api@2", surge), sized(live, surge) if live else None)
    assert needed.get("pods", 0) == pods
    assert needed.get("requests.cpu", 0) == Decimal("0.1") * pods


def test_a_quota_without_room_is_named_with_what_is_needed_and_free() -> None:
    quota = {
        "metadata": {"name": "shop"},
        "status": {
            "hard": {"requests.cpu": "1", "limits.memory": "8Gi"},
            "used": {"requests.cpu": "950m", "limits.memory": "4Gi"},
        },
    }
    assert list(shortages([quota], [demand(sized("api@2", 1), sized("api@1", 1))])) == [
        "quota shop: the rollout needs 100m of requests.cpu more, 50m are free"
    ]
