from datetime import timedelta

import pytest

from tasks.core.clock import FakeClock
from tasks.core.cluster import Scope
from tasks.core.cluster_fake import FakeCluster
from tasks.core.objects import Kind
from tests.unit.tasks.rollout.cluster_contract import CONFIG, ClusterContract


class TestFakeCluster(ClusterContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def cluster(self, clock: FakeClock) -> FakeCluster:
        return FakeCluster(clock)

    @pytest.fixture
    def namespace(self, cluster: FakeCluster) -> str:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "contract"}})
        return "contract"

    def test_a_watch_shows_each_change(
        self, cluster: FakeCluster, namespace: str, clock: FakeClock
    ) -> None:
        cluster.create(self.thing(namespace, a="1"))
        until = clock.now() + timedelta(seconds=5)
        pictures = list(cluster.watch(Scope((CONFIG,), namespace), until))
        assert len(pictures) == 3  # at once, after the namespace, after the object
        assert Kind("v1", "Namespace") in {ref.kind for ref in cluster.objects}
