"""Each kind of workload and each way of trying a release, on the lab."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.objects import Object
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import BlueGreen, Canary, CanaryStep, Rolling, Strategy
from tasks.rollout import marks
from tests.e2e.rollout_world import World
from tests.e2e.routed_world import (
    Load,
    given_live,
    host_of,
    judged_worse,
    routed_world,
    then_nothing_is_left_of_the_canary,
    version,
)

pytestmark = [pytest.mark.e2e, pytest.mark.independent]

SECOND = timedelta(seconds=1)
DEADLINE = timedelta(seconds=90)

BEHIND_AN_INGRESS = """\
apiVersion: v1
kind: Service
metadata: {{name: api}}
spec: {{selector: {{app: api}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: api}}
spec:
  rules:
    - host: {host}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: api, port: {{number: 80}}}}}}
"""
SETS = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: db}}
spec:
  {shape}
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{{name: www, configMap: {{name: api}}}}]
      containers:
        - name: db
          image: toy-api
          command: [sh, -c, "trap exit TERM; httpd -f -p 8080 -h /www & wait"]
          volumeMounts: [{{name: www, mountPath: /www}}]
          readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
"""
STATEFUL_SET = SETS.format(kind="StatefulSet", shape="replicas: 3")
JOBS = """\
apiVersion: batch/v1
kind: Job
metadata: {{name: import}}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers: [{{name: import, image: "busybox:1.36", command: [sleep, "{seconds}"]}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: report}}
spec:
  schedule: "0 4 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{{name: report, image: "busybox:1.36", command: [sleep, "{seconds}"]}}]
"""


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with routed_world(tmp_path) as made:
        yield made


def ladder(*steps: int | CanaryStep, standby: bool = True) -> Strategy:
    return Strategy(canary=Canary(steps=steps, bake=3 * SECOND, deadline=DEADLINE, standby=standby))


def shares(record: Record) -> list[int]:
    return [each.share for each in record.moments if each.share is not None]


def pods(shop: World, app: str) -> dict[str, Object]:
    """Return the pods of a workload that stay, by name."""
    return {
        name: pod
        for name, pod in shop.objects("v1", "Pod").items()
        if pod["metadata"]["labels"].get("app") == app
        and "deletionTimestamp" not in pod["metadata"]
    }


def uids(shop: World, app: str) -> dict[str, str]:
    return {name: pod["metadata"]["uid"] for name, pod in pods(shop, app).items()}


def scale(shop: World, replicas: int, manager: str = "kube-controller-manager") -> None:
    """Scale as autoscalers and kubectl do: through the subresource."""
    from kubernetes import client  # noqa: PLC0415

    apps = client.AppsV1Api(shop.cluster.api)
    wanted = {"spec": {"replicas": replicas}}
    apps.patch_namespaced_deployment_scale("api", shop.namespace, wanted, field_manager=manager)


def served(pod: Object) -> str:
    """Return the configuration that a pod serves."""
    return str(pod["spec"]["volumes"][0]["configMap"]["name"])


def then_a_release_that_hurts_goes_back_untouched(shop: World) -> None:
    given_live(shop)
    before = uids(shop, "api")
    shop.judge = judged_worse
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.RESTORED
    assert load.failures(record) == []
    assert uids(shop, "api") == before


class TestBesideAPlainService:
    def test_shares_are_counts_of_pods(self, shop: World) -> None:
        shop.extra = BEHIND_AN_INGRESS.format(host=host_of(shop))
        shop.strategy = ladder(CanaryStep(50, wait=8 * SECOND), 100)
        given_live(shop)
        with Load(shop).running() as load:
            record = shop.roll_out(version(shop, 2))
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert load.failures(record) == []
        at = {each.share: each.at for each in record.moments if each.share is not None}
        mixed = load.seen(at[50], at[100], tester=False)
        assert 0.35 < mixed["2"] / mixed.total() < 0.65, mixed
        assert set(shop.objects("apps/v1", "Deployment")) == {"api", "web"}

    def test_a_release_that_hurts_goes_back_without_a_failed_request(self, shop: World) -> None:
        shop.extra = BEHIND_AN_INGRESS.format(host=host_of(shop))
        shop.strategy = ladder(50, 100)
        then_a_release_that_hurts_goes_back_untouched(shop)


class TestBlueGreen:
    @pytest.fixture(autouse=True)
    def blue_green(self, shop: World) -> None:
        shop.strategy = Strategy(blueGreen=BlueGreen(bake=3 * SECOND, deadline=DEADLINE))

    def test_everybody_goes_over_at_once(self, shop: World) -> None:
        given_live(shop)
        with Load(shop).running() as load:
            record = shop.roll_out(version(shop, 2))
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert load.failures(record) == []
        assert [each for each in shares(record) if each] == [100]
        then_nothing_is_left_of_the_canary(shop)

    def test_and_comes_back_at_once(self, shop: World) -> None:
        then_a_release_that_hurts_goes_back_untouched(shop)
        then_nothing_is_left_of_the_canary(shop)


class TestWithoutStandby:
    @pytest.fixture(autouse=True)
    def no_standby(self, shop: World) -> None:
        shop.strategy = ladder(50, 100, standby=False)

    def test_stable_pods_rest_during_the_bake(self, shop: World) -> None:
        given_live(shop)
        with Load(shop).running() as load:
            with shop.rolling_out(version(shop, 2), 2, marks.RESTED):
                resting = shop.objects("apps/v1", "Deployment")["api"]["spec"]["replicas"]
            record = shop.history()[0]
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert resting == 0
        assert load.failures(record) == []
        assert shop.objects("apps/v1", "Deployment")["api"]["spec"]["replicas"] == 2
        then_nothing_is_left_of_the_canary(shop)

    @pytest.mark.soak
    def test_the_way_back_waits_for_them(self, shop: World) -> None:
        given_live(shop)
        with (
            Load(shop).running() as load,
            shop.rolling_out(version(shop, 2), 2, marks.RESTED) as ended,
        ):
            back = shop.roll_back()
        assert ended.result().state is RolloutState.RESTORED
        assert back.state is RolloutState.RESTORED
        assert load.failures(back) == []
        with Load(shop).running() as after:
            shop.clock.wait(SECOND)
        assert {said for _, is_tester, said in after.answers if not is_tester} == {"1"}
        then_nothing_is_left_of_the_canary(shop)


class TestAnAutoscaler:
    SCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 2
  maxReplicas: 4
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
  behavior: {scaleDown: {stabilizationWindowSeconds: 600}}
"""

    def test_scaling_the_stable_pods_meanwhile_is_not_fought(self, shop: World) -> None:
        shop.extra += self.SCALER
        shop.strategy = ladder(CanaryStep(50, wait=15 * SECOND), 100)
        given_live(shop)
        with Load(shop).running() as load:
            with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
                scale(shop, 3)
            record = ended.result()
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert load.failures(record) == []
        assert shop.objects("apps/v1", "Deployment")["api"]["spec"]["replicas"] == 3
        then_nothing_is_left_of_the_canary(shop)


@pytest.mark.soak
class TestAPersonWhoScales:
    def test_scaling_the_stable_pods_meanwhile_is_not_fought(self, shop: World) -> None:
        shop.strategy = ladder(CanaryStep(50, wait=15 * SECOND), 100)
        given_live(shop)
        with Load(shop).running() as load:
            with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
                scale(shop, 3, manager="kubectl-scale")
            record = ended.result()
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert load.failures(record) == []
        assert shop.objects("apps/v1", "Deployment")["api"]["spec"]["replicas"] == 3
        then_nothing_is_left_of_the_canary(shop)


class TestAStatefulSet:
    @pytest.fixture(autouse=True)
    def a_set(self, shop: World) -> None:
        shop.extra += f"---\n{STATEFUL_SET}"
        shop.strategy = ladder(CanaryStep(30, wait=6 * SECOND), 100)

    def test_it_climbs_by_partition(self, shop: World) -> None:
        given_live(shop)
        old = {served(pod) for pod in pods(shop, "db").values()}
        with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
            partly = {name: served(pod) for name, pod in pods(shop, "db").items()}
        record = ended.result()
        assert record.state is RolloutState.SUCCEEDED, record.reason
        assert {partly["db-0"], partly["db-1"]} == old
        assert partly["db-2"] not in old
        assert {served(pod) for pod in pods(shop, "db").values()} == {partly["db-2"]}

    def test_only_what_was_changed_goes_back(self, shop: World) -> None:
        given_live(shop)
        before = pods(shop, "db")
        shop.judge = judged_worse
        record = shop.roll_out(version(shop, 2))
        after = pods(shop, "db")
        assert record.state is RolloutState.RESTORED
        assert {served(pod) for pod in after.values()} == {served(pod) for pod in before.values()}
        for kept in ("db-0", "db-1"):
            assert after[kept]["metadata"]["uid"] == before[kept]["metadata"]["uid"]


class TestADaemonSet:
    def test_it_climbs_by_nodes_and_comes_back(self, shop: World) -> None:
        shop.extra += "---\n" + SETS.format(kind="DaemonSet", shape="minReadySeconds: 0")
        shop.strategy = ladder(50, 100)
        given_live(shop)
        old = {served(pod) for pod in pods(shop, "db").values()}
        record = shop.roll_out(version(shop, 2))
        assert record.state is RolloutState.SUCCEEDED, record.reason
        new = {served(pod) for pod in pods(shop, "db").values()}
        assert new.isdisjoint(old)
        shop.judge = judged_worse
        assert shop.roll_out(version(shop, 3)).state is RolloutState.RESTORED
        assert {served(pod) for pod in pods(shop, "db").values()} == new


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(Strategy(rolling=Rolling(deadline=DEADLINE)), id="rolling"),
        pytest.param(ladder(50, 100), id="canary", marks=pytest.mark.soak),
    ],
)
def test_jobs_and_cron_jobs_are_changed_and_never_waited_for(
    strategy: Strategy, shop: World
) -> None:
    shop.strategy = strategy
    routed = shop.extra
    shop.extra = f"{routed}---\n{JOBS.format(seconds=1000)}"
    given_live(shop)
    shop.extra = f"{routed}---\n{JOBS.format(seconds=2000)}"
    record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    job = shop.objects("batch/v1", "Job")["import"]["spec"]
    cron_job = shop.objects("batch/v1", "CronJob")["report"]["spec"]["jobTemplate"]["spec"]
    for spec in (job, cron_job):
        assert spec["template"]["spec"]["containers"][0]["command"] == ["sleep", "2000"]
