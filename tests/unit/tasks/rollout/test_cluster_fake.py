from dataclasses import dataclass
from datetime import timedelta

import pytest

from tasks.core.clock import FakeClock
from tasks.core.cluster import Answer, Scope
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Unavailable
from tasks.core.objects import Kind, Ref, ref_of
from tests.unit.tasks.rollout.cluster_contract import CONFIG, ClusterContract


@dataclass
class HttpInSmall:
    """A server that answers what it is sent, once."""

    listens: bool
    asked: bytes = b""

    def send(self, data: bytes) -> None:
        self.asked += data

    def receive(self, within: timedelta) -> bytes | None:
        del within
        if not self.listens:
            raise Unavailable("connection refused")
        return b"HTTP/1.0 200 OK" if self.asked else None

    def close(self) -> None:
        self.listens = False


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

    @pytest.fixture
    def pod(self, cluster: FakeCluster, namespace: str) -> Ref:
        cluster.run = lambda _pod, _words: Answer(3, "hello\n", 0.1)
        cluster.dial = lambda _pod, port: HttpInSmall(listens=port == 8080)
        metadata = {"name": "app", "namespace": namespace}
        return ref_of(cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))

    def test_a_watch_shows_each_change(
        self, cluster: FakeCluster, namespace: str, clock: FakeClock
    ) -> None:
        cluster.create(self.thing(namespace, a="1"))
        until = clock.now() + timedelta(seconds=5)
        pictures = list(cluster.watch(Scope((CONFIG,), namespace), until))
        assert len(pictures) == 3  # at once, after the namespace, after the object
        assert Kind("v1", "Namespace") in {ref.kind for ref in cluster.objects}
