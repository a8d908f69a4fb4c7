"""What every cluster has to do, whether it is real or in memory; tests inherit from this."""

import copy
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from tasks.core.clock import Clock
from tasks.core.cluster import DRY_RUN, ApplyOptions, Cluster, FieldConflict, Scope
from tasks.core.errors import ConfigError, Conflict, Unavailable
from tasks.core.objects import Kind, Object, Ref, ref_of

CONFIG = Kind("v1", "ConfigMap")


class ClusterContract:
    """Inherited together with fixtures `cluster`, `namespace` (empty, ours alone) and `clock`."""

    @pytest.fixture
    def cluster(self) -> Iterator[Cluster]:
        raise NotImplementedError

    @pytest.fixture
    def namespace(self) -> Iterator[str]:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> Clock:
        raise NotImplementedError

    @pytest.fixture
    def pod(self) -> Iterator[Ref]:
        """A running pod with a container `app` that serves HTTP on port 8080."""
        raise NotImplementedError

    def thing(self, namespace: str, **data: str) -> Object:
        metadata = {"name": "one", "namespace": namespace, "labels": {"app": "contract"}}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def test_what_is_not_there_is_none(self, cluster: Cluster, namespace: str) -> None:
        assert cluster.read(Ref(CONFIG, namespace, "none")) is None

    def test_whether_a_kind_has_namespaces_is_known(self, cluster: Cluster) -> None:
        assert cluster.resource(CONFIG).namespaced
        assert not cluster.resource(Kind("v1", "Node")).namespaced

    def test_apply_makes_an_object_once(self, cluster: Cluster, namespace: str) -> None:
        wanted = self.thing(namespace, a="1")
        first, second = cluster.apply(wanted).object, cluster.apply(wanted).object
        assert first is not None
        assert second is not None
        assert first["data"] == {"a": "1"}
        assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]

    def test_apply_removes_what_it_no_longer_asks_for(
        self, cluster: Cluster, namespace: str
    ) -> None:
        cluster.apply(self.thing(namespace, a="1", b="2"))
        cluster.apply(self.thing(namespace, b="2"))
        read = cluster.read(Ref(CONFIG, namespace, "one"))
        assert read is not None
        assert read["data"] == {"b": "2"}

    def test_apply_leaves_the_fields_of_others_alone(
        self, cluster: Cluster, namespace: str
    ) -> None:
        cluster.apply(self.thing(namespace, a="1"))
        cluster.apply(self.thing(namespace, b="2"), ApplyOptions(manager="other"))
        cluster.apply(self.thing(namespace, a="3"))
        read = cluster.read(Ref(CONFIG, namespace, "one"))
        assert read is not None
        assert read["data"] == {"a": "3", "b": "2"}

    def test_a_field_that_another_holds_is_a_conflict_until_forced(
        self, cluster: Cluster, namespace: str
    ) -> None:
        cluster.apply(self.thing(namespace, a="1"), ApplyOptions(manager="other"))
        refused = cluster.apply(self.thing(namespace, a="2"))
        assert refused.object is None
        assert refused.conflicts == (FieldConflict(".data.a", "other"),)
        forced = cluster.apply(self.thing(namespace, a="2"), ApplyOptions(force=True))
        assert forced.object is not None
        assert forced.object["data"] == {"a": "2"}
        assert cluster.apply(self.thing(namespace, a="3")).conflicts == ()

    def test_a_field_with_two_owners_stays_when_one_lets_go(
        self, cluster: Cluster, namespace: str
    ) -> None:
        cluster.apply(self.thing(namespace, a="1", b="2"))
        cluster.apply(self.thing(namespace, b="2"), ApplyOptions(manager="other"))
        cluster.apply(self.thing(namespace, a="1"))
        read = cluster.read(Ref(CONFIG, namespace, "one"))
        assert read is not None
        assert read["data"] == {"a": "1", "b": "2"}

    def test_a_dry_run_answers_and_keeps_nothing(self, cluster: Cluster, namespace: str) -> None:
        tried = cluster.apply(self.thing(namespace, a="1"), DRY_RUN)
        assert tried.object is not None
        assert tried.object["data"] == {"a": "1"}
        assert cluster.read(Ref(CONFIG, namespace, "one")) is None

    def test_create_refuses_a_second_one(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(self.thing(namespace, a="1"))
        with pytest.raises(Conflict):
            cluster.create(self.thing(namespace, a="2"))

    def test_replace_refuses_what_was_changed_since_it_was_read(
        self, cluster: Cluster, namespace: str
    ) -> None:
        read = cluster.create(self.thing(namespace, a="1"))
        changed = copy.deepcopy(read)
        changed["data"] = {"a": "2"}
        assert cluster.replace(changed)["data"] == {"a": "2"}
        with pytest.raises(Conflict):
            cluster.replace(read)

    def test_replace_refuses_what_is_gone(self, cluster: Cluster, namespace: str) -> None:
        read = cluster.create(self.thing(namespace, a="1"))
        cluster.delete(ref_of(read))
        with pytest.raises(Conflict):
            cluster.replace(read)

    def test_delete_may_be_repeated(self, cluster: Cluster, namespace: str) -> None:
        ref = ref_of(cluster.create(self.thing(namespace, a="1")))
        cluster.delete(ref)
        cluster.delete(ref)
        assert cluster.read(ref) is None

    def test_an_object_is_the_same_in_every_version_of_its_api(
        self, cluster: Cluster, namespace: str
    ) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "one"}
        made = cluster.create(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "one", "namespace": namespace},
                "spec": {"scaleTargetRef": target, "maxReplicas": 3},
            }
        )
        older = Ref(Kind("autoscaling/v1", "HorizontalPodAutoscaler"), namespace, "one")
        read = cluster.read(older)
        assert read is not None
        assert read["apiVersion"] == "autoscaling/v1"
        assert read["metadata"]["uid"] == made["metadata"]["uid"]
        cluster.delete(older)
        assert cluster.read(ref_of(made)) is None

    def test_a_missing_namespace_is_a_fault_of_the_manifest(self, cluster: Cluster) -> None:
        with pytest.raises(ConfigError, match="not found"):
            cluster.apply(self.thing("contract-none", a="1"))

    def test_find_narrows_by_label_and_name(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(self.thing(namespace, a="1"))
        by_label = Scope((CONFIG,), namespace, labels="app=contract")
        assert [thing["metadata"]["name"] for thing in cluster.find(by_label)] == ["one"]
        assert cluster.find(Scope((CONFIG,), namespace, labels="app=other")) == ()
        assert len(cluster.find(Scope((CONFIG,), namespace, name="one"))) == 1
        assert cluster.find(Scope((CONFIG,), namespace, name="two")) == ()

    def test_secrets_are_kept_encoded(self, cluster: Cluster, namespace: str) -> None:
        metadata = {"name": "password", "namespace": namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        made = cluster.create({**secret, "stringData": {"key": "value"}})
        assert made["data"] == {"key": "dmFsdWU="}

    def test_a_watch_shows_what_is_there_and_ends_in_time(
        self, cluster: Cluster, namespace: str, clock: Clock
    ) -> None:
        cluster.create(self.thing(namespace, a="1"))
        scope = Scope((CONFIG, Kind("v1", "Secret")), namespace, labels="app=contract")
        until = clock.now() + timedelta(milliseconds=300)
        pictures = list(cluster.watch(scope, until))
        assert [thing["metadata"]["name"] for thing in pictures[0]] == ["one"]
        assert clock.now() >= until

    def test_a_command_ends_with_its_exit_status_and_what_it_printed(
        self, cluster: Cluster, pod: Ref
    ) -> None:
        words = ("sh", "-c", "echo hello; exit 3")
        ended = cluster.execute(pod, "app", words, timedelta(seconds=10))
        assert (ended.status, ended.text) == (3, "hello\n")

    def test_a_port_carries_bytes_both_ways(self, cluster: Cluster, pod: Ref) -> None:
        with closing(cluster.open_tunnel(pod, 8080, timedelta(seconds=10))) as tunnel:
            tunnel.send(b"GET / HTTP/1.0\r\n\r\n")
            received = tunnel.receive(timedelta(seconds=10))
        assert received is not None
        assert received.startswith(b"HTTP/1")

    def test_a_server_that_is_not_asked_stays_silent(self, cluster: Cluster, pod: Ref) -> None:
        with closing(cluster.open_tunnel(pod, 8080, timedelta(seconds=10))) as tunnel:
            assert tunnel.receive(timedelta(milliseconds=100)) is None

    def test_a_port_that_nobody_listens_on_refuses(self, cluster: Cluster, pod: Ref) -> None:
        with (
            closing(cluster.open_tunnel(pod, 8081, timedelta(seconds=10))) as tunnel,
            pytest.raises(Unavailable, match="refused"),
        ):
            tunnel.receive(timedelta(seconds=10))

    def test_what_is_not_there_is_not_reached(self, cluster: Cluster, namespace: str) -> None:
        nobody = Ref(Kind("v1", "Pod"), namespace, "none")
        within = timedelta(seconds=10)
        assert cluster.execute(nobody, "app", ("true",), within).status is None
        with pytest.raises(Unavailable, match="not found"):
            cluster.open_tunnel(nobody, 8080, within)

    def test_a_watch_that_is_late_shows_nothing(
        self, cluster: Cluster, namespace: str, clock: Clock
    ) -> None:
        scope = Scope((CONFIG,), namespace)
        assert list(cluster.watch(scope, clock.now() - timedelta(seconds=1))) == []
