"""The contract of the cluster port, held against the lab's API server."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from infra.lab import lifecycle as labs
from tasks.core.clock import SystemClock
from tasks.core.cluster import DRY_RUN, Scope
from tasks.core.cluster_api import KubernetesCluster, connect
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.objects import Kind, Ref, ref_of
from tasks.core.target import Target
from tasks.probe.decide import is_asked
from tests.unit.tasks.rollout.cluster_contract import CONFIG, ClusterContract

pytestmark = pytest.mark.e2e


class TestKubernetesCluster(ClusterContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    @pytest.fixture
    def cluster(self, lab: object) -> Iterator[KubernetesCluster]:
        del lab  # it has to be up
        with connect(labs.target()) as cluster:
            yield cluster

    @pytest.fixture
    def namespace(self, cluster: KubernetesCluster) -> Iterator[str]:
        name = f"contract-{uuid4().hex[:8]}"
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield name
        cluster.delete(Ref(Kind("v1", "Namespace"), "", name))

    @pytest.fixture
    def pod(self, cluster: KubernetesCluster, namespace: str, clock: SystemClock) -> Ref:
        container = {
            "name": "app",
            "image": "busybox:1.36",
            "command": ["httpd", "-f", "-p", "8080"],
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        }
        thing = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "app", "namespace": namespace},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        ref = ref_of(cluster.create(thing))
        scope = Scope((ref.kind,), namespace)
        for pods in cluster.watch(scope, clock.now() + timedelta(seconds=60)):
            if any(is_asked(each, "stable") for each in pods):
                break
        return ref

    def test_a_watch_shows_a_change_that_comes_later(
        self, cluster: KubernetesCluster, namespace: str, clock: SystemClock
    ) -> None:
        scope = Scope((CONFIG,), namespace, labels="app=contract")
        seen = []
        for picture in cluster.watch(scope, clock.now() + timedelta(seconds=20)):
            seen.append(len(picture))
            if len(seen) == 1:
                wanted = self.thing(namespace, a="1")
                threading.Thread(target=cluster.create, args=(wanted,)).start()
            if len(seen) == 2:
                break
        assert seen == [0, 1]

    def test_a_kind_that_the_cluster_lacks_is_named(
        self, cluster: KubernetesCluster, namespace: str
    ) -> None:
        thing = {**self.thing(namespace), "apiVersion": "none.dev/v1", "kind": "Nothing"}
        with pytest.raises(ConfigError, match=r"knows no Nothing in none\.dev/v1"):
            cluster.apply(thing, DRY_RUN)

    def test_a_manifest_that_is_refused_says_why(
        self, cluster: KubernetesCluster, namespace: str
    ) -> None:
        thing = self.thing(namespace)
        thing["metadata"]["name"] = "Not A Name"
        with pytest.raises(ConfigError, match="RFC 1123"):
            cluster.apply(thing, DRY_RUN)


@pytest.mark.usefixtures("lab")
def test_a_context_that_does_not_exist_is_named() -> None:
    target = labs.target()
    wrong = Target(target.kubeconfig, "nowhere", "r", "b", "d")
    with pytest.raises(ConfigError, match="nowhere"), connect(wrong):
        pass


def test_a_cluster_that_is_away_is_unavailable(tmp_path: object) -> None:
    kubeconfig = f"{tmp_path}/kubeconfig"
    with open(kubeconfig, "w") as file:  # noqa: PTH123 a few bytes
        file.write(AWAY)
    away = Target(kubeconfig, "away", "r", "b", "d")
    with connect(away) as cluster, pytest.raises(Unavailable, match="does not answer"):
        cluster.read(Ref(CONFIG, "default", "none"))


AWAY = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: away, context: {cluster: c, user: u}}]
"""
